"""The short form of tests/closings.py: a few windows on each platform."""

from __future__ import annotations

import pytest

from tests.closings import PLATFORMS, SWITCHES, close_windows, missing, switch_scenarios

pytestmark = [pytest.mark.kvm, pytest.mark.timeout(300)]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_windows_that_are_closed_at_any_moment_end_without_a_word(platform: str) -> None:
    if program := missing(platform):
        pytest.skip(f"{program} is not installed: .ci/system-libraries --test")
    assert close_windows(platform, 2, 1) == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_scenarios_follow_each_other_without_a_word(platform: str) -> None:
    if program := missing(platform):
        pytest.skip(f"{program} is not installed: .ci/system-libraries --test")
    assert switch_scenarios(platform, SWITCHES, 1) == []
