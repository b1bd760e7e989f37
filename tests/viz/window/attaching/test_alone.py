"""By itself a recording of an attached VMM is shown, or, without a display, told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forked import Forked
from tests.support.seen_recordings import seen_recording


@pytest.mark.parametrize("words", ["replay F", "F", "replay F --at 0.05"])
def test_without_a_display_it_says_what_it_holds(words: str, tmp_path: Path, forked: Forked) -> None:
    path = seen_recording(tmp_path / "seen.arrow", 100).path
    ran = forked.command([str(path) if word == "F" else word for word in words.split()], tmp_path)
    assert ran.returncode == 0
    assert "qemu-system-x86_64, pid 4213, guest web" in ran.stdout
