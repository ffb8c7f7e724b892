"""Why a start has failed, and what a person is sent to."""

from __future__ import annotations

from infra.errors import Unavailable
from infra.local import start
from infra.local.layout import Failure


def test_what_ended_the_supervisor_comes_with_its_own_advice() -> None:
    """Its log is empty then: it said what it had to say in the error."""
    failure = start.why(Unavailable("the file x is torn", next="mv x elsewhere"))
    assert failure == Failure(process="supervisor", reason="the file x is torn", next="mv x elsewhere")


def test_a_release_that_cannot_be_had_is_looked_up_in_the_record() -> None:
    """At once, however young the start is."""
    failure = start.failure([], "release v9: there is none", 0.0)
    assert failure is not None and failure.reason == "release v9: there is none"
    assert failure.next == "ops release current"


def test_a_young_start_may_still_succeed() -> None:
    """Nothing is blocked and nobody died."""
    assert start.failure([], "", 0.0) is None
