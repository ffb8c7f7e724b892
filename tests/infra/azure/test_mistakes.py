"""Mistakes in inputs are refused before anything is created, at the property that is wrong; the SDK lets many pass."""

from __future__ import annotations

import pytest

from tests.infra.azure.mistakes import KINDS, Figures, campaign, cases, mistakes
from tests.infra.azure.typed import refused_by_sdk

COUNT, SEED = 50, 4


@pytest.fixture(scope="module")
def figures() -> Figures:
    return campaign(cases(), COUNT, SEED)


def test_the_sdk_takes_the_reference_inputs() -> None:
    assert [token for token, inputs in cases() if refused_by_sdk(token, inputs)] == []


def test_mistakes_are_refused_at_the_property_that_is_wrong(figures: Figures) -> None:
    assert figures.count == COUNT
    assert figures.located >= 0.95 * COUNT, figures.missed


def test_every_kind_of_mistake_is_made(figures: Figures) -> None:
    assert all(figures.by_kind[kind][0] >= COUNT // len(KINDS) for kind in KINDS)


def test_the_sdk_alone_lets_values_pass_that_arm_refuses(figures: Figures) -> None:
    assert figures.sdk_rejected < figures.rejected
    assert figures.by_kind["range"][3] == 0


def test_the_same_seed_makes_the_same_mistakes() -> None:
    first, again = (list(mistakes(cases(), COUNT, SEED)) for _ in range(2))
    assert [str(each) for each in first] == [str(each) for each in again]
    assert [str(each) for each in mistakes(cases(), COUNT, SEED + 1)] != [str(each) for each in first]
