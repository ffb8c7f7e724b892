"""Every failure has a class, plain words and a next command."""

from __future__ import annotations

import pytest

from cli.provision.failure import KINDS, OTHER, Failed, advice, classify, said

MESSAGES = [
    ('Status=429 Code="TooManyRequests" Message="The subscription has sent too many requests."', "retry"),
    ('Status=409 Code="OperationNotAllowed" Message="Another operation (Updating) is in progress."', "retry"),
    ('Status=409 Code="AnotherOperationInProgress" Message="Another operation is in progress."', "retry"),
    ('Status=503 Code="ServiceUnavailable" Message="later"', "retry"),
    ('Status=500 Code="InternalServerError" Message="The server could not complete the request."', "converge"),
    ("context deadline exceeded while waiting for the operation to end", "converge"),
    ("the plugin azure-native exited unexpectedly: EOF", "converge"),
    ("stack has 2 pending operations", "converge"),
    ("could not read plugin [pulumi-resource-azure-native]: exit status 1", "converge"),
    (
        'Status=409 Code="AllocationFailed" Message="Not enough capacity for the size in this zone."',
        "elsewhere",
    ),
    ('Status=400 Code="SkuNotAvailable" Message="not available in location"', "elsewhere"),
    ('Status=409 Code="QuotaExceeded" Message="The operation would exceed the approved quota."', "elsewhere"),
    ('Status=400 Code="ErrCode_InsufficientVCPUQuota" Message="Insufficient vcpu quota requested 80."', "elsewhere"),
    ('Code="OperationNotAllowed" Message="results in exceeding approved Total Regional Cores quota."', "elsewhere"),
    ('Code="ErrCode_InsufficientVCPUQuota" Message="Insufficient vcpu quota"', "elsewhere"),
    ("cannot create already existing resource '/subscriptions/x'", "import"),
    ("the stack is currently locked by 1 lock(s)", "cancel"),
    ("could not deserialize deployment: invalid character", "restore"),
    ("update cancelled", "interrupted"),
    ('Status=403 Code="AuthorizationFailed" Message="no permission"', "mend"),
    ('Status=400 Code="InvalidParameter" Message="The value of parameter agentPool.count is invalid."', "mend"),
]


@pytest.mark.parametrize(("message", "kind"), MESSAGES)
def test_a_message_has_a_class(message: str, kind: str) -> None:
    """As Azure and the engine write them."""
    assert classify(message).kind == kind


def test_no_class_is_without_a_message_here() -> None:
    """A class that nothing leads to would be a promise that nobody keeps."""
    assert {kind.kind for kind in (*KINDS, OTHER)} == {kind for _, kind in MESSAGES}


@pytest.mark.parametrize(
    ("kind", "message", "says"),
    [
        ("cancel", "currently locked by", "ops fleet recover cancel --stack region --region westeurope"),
        ("restore", "snapshot integrity", "ops fleet recover restore --stack region --region westeurope"),
        ("import", "already exists", "ops fleet recover look --stack region --region westeurope"),
        ("elsewhere", "QuotaExceeded", "ops fleet preflight"),
        ("mend", "InvalidParameter", "mend the fleet file, then ops fleet up --region westeurope"),
        ("retry", "429", "ops fleet up --region westeurope"),
        ("converge", "500", "ops fleet up --region westeurope"),
        ("interrupted", "update cancelled", "ops fleet up --region westeurope"),
    ],
)
def test_every_class_has_a_next_command(kind: str, message: str, says: str) -> None:
    """For the stack that failed."""
    one = Failed("t:Cluster", "aks", message)
    assert one.kind == kind
    assert says in advice(one, "region", "westeurope")


def test_in_an_emulation_the_next_command_stays_there() -> None:
    """It would else ask Azure."""
    assert advice(Failed("", "", "currently locked by"), "base", None, True).endswith(
        "recover cancel --stack base --emulated"
    )
    assert advice(Failed("", "", "QuotaExceeded"), "base", None, True).endswith("ops fleet up --emulated")


def test_a_class_that_the_engine_gives_needs_no_words_of_azure() -> None:
    """A program that refused says what it likes."""
    one = Failed("", "", "fleets/a.yaml:3:4: already exists", "gate")
    assert (one.kind, one.title) == ("gate", "the stack")
    assert "refused before anything was registered" in one.words
    assert "ops fleet preflight" in advice(one, "region", None)


@pytest.mark.parametrize(
    ("message", "plain"),
    [
        ('Code="QuotaExceeded" Message="Approved \\"quota\\" is 0."', 'Approved "quota" is 0.'),
        ("1 error occurred:\n\t* the name is taken\n\n", "the name is taken"),
        ("error: something\n  else", "something else"),
    ],
)
def test_what_azure_said_is_one_plain_line(message: str, plain: str) -> None:
    """Without the engine's wrapping."""
    assert said(message) == plain
