"""The next command of an error is one that can be typed as it stands."""

from __future__ import annotations

import pytest

from cli.hint import WITH_BOTH, WITH_FLEET, aimed, given
from tests import example

TREE = [(name, command) for name, command in example.commands() if not hasattr(command, "commands")]


def test_the_tables_are_what_the_commands_take() -> None:
    """A command that learns or loses --fleet or --region must be in the right table."""
    takes = {name.removeprefix("ops "): {word for one in command.params for word in one.opts} for name, command in TREE}
    fleet = {name for name, options in takes.items() if "--fleet" in options}
    region = {name for name, options in takes.items() if "--region" in options}
    assert (fleet - region, region) == (WITH_FLEET, WITH_BOTH)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ops local up", "ops local up --fleet f --region r"),
        ("ops rollout watch chat", "ops rollout watch chat --fleet f --region r"),
        (
            "ops local down, then ops local up",
            "ops local down --fleet f --region r, then ops local up --fleet f --region r",
        ),
        ("ops rollout history says what was set", "ops rollout history --fleet f --region r says what was set"),
        ("ops release verify", "ops release verify --fleet f"),
        ("ops release list chat", "ops release list chat"),
        ("ops local up --fleet own", "ops local up --region r --fleet own"),
        ("ops local up --help", "ops local up --help"),
        ("make programs", "make programs"),
    ],
)
def test_a_command_gets_the_options_that_it_takes_and_lacks(text: str, said: str) -> None:
    """Behind its argument, where that ends the clause; prose is left alone."""
    assert aimed(text, "f", "r") == said


def test_what_was_not_given_is_not_said_and_a_path_is_quoted() -> None:
    """A newcomer with one fleet sees the short command."""
    assert aimed("ops local up", None, None) == "ops local up"
    assert aimed("ops local up", "./my fleet.yaml", None) == "ops local up --fleet './my fleet.yaml'"


def test_the_command_line_goes_before_the_environment_and_its_later_option_before_the_earlier() -> None:
    """As the parser has it: the options of a command come after those of `ops`."""
    around = {"OPS_FLEET": "e", "OPS_REGION": "w"}
    assert given(["--fleet", "a", "local", "up", "--fleet=b"], around) == ("b", "w")
    assert given(["local", "up", "--region", "r"], {}) == (None, "r")
