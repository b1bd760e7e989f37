"""The short form of tests/kills.py: a recorder of each scenario, killed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills import SCENARIOS, kill_one


@pytest.mark.kvm
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_a_killed_recorder_leaves_is_a_recording_in_order(scenario: str, tmp_path: Path) -> None:
    left = kill_one(scenario, 0.3, tmp_path)
    assert left.events > 1000
    assert left.rising
