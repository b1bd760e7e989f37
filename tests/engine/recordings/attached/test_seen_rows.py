"""Each event is in one row of the timeline, or in none; bins tell as many as there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.engine.recordings.attached import seen_rows as module
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.seen_rows import BINS, SeenDensity, SeenRow, SeenRowKind, SeenRows
from tests.support.seen_recordings import FIRST, IO, MS, VCPU, seen_recording, seen_stream

DOORBELL, THREAD = SeenRow(SeenRowKind.DOORBELL, 0, 0), SeenRow(SeenRowKind.THREAD, 0, IO)
MESSAGE, OF_VCPU = SeenRow(SeenRowKind.MESSAGE, 0, 0x40), SeenRow(SeenRowKind.VCPU, 0, VCPU)
EACH = {DOORBELL: 2000, THREAD: 4000, MESSAGE: 2000, OF_VCPU: 2000 + 400}


@pytest.fixture
def density(tmp_path: Path) -> Iterator[SeenDensity]:
    """One that has read all of two seconds."""
    with SeenDensity(SeenMoments(seen_recording(tmp_path / "seen.arrow"))) as made:
        made.wait()
        yield made


def test_every_row_has_its_events(density: SeenDensity) -> None:
    assert {row: int(counts.sum()) for row, counts in density.rows.items()} == EACH
    assert (density.share, density.error, density.left_out) == (1.0, "", 0)


def test_no_event_is_in_two_rows(density: SeenDensity) -> None:
    found = Counter(int(tsc) for _, some in density.of.of(seen_stream()) for tsc in some["tsc"])
    assert max(found.values()) == 1


def test_columns_of_any_stretch_add_up(density: SeenDensity) -> None:
    first, last = density.recording.first, density.recording.last
    for pixels in (7, 100, 1000):
        assert density.columns(DOORBELL, first, last, pixels).sum() == pytest.approx(2000, abs=1)
    half = density.columns(DOORBELL, FIRST, FIRST + 1000 * MS, 50)
    assert half.sum() == pytest.approx(1000, abs=2000 / BINS + 1)
    assert density.columns(SeenRow(SeenRowKind.LINE, 0, 9), first, last, 5).tolist() == [0.0] * 5


def test_a_short_stretch_is_exact_and_a_long_one_is_not(density: SeenDensity, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = density.exact(FIRST, FIRST + 3 * MS - 1)
    assert exact is not None
    assert exact[DOORBELL]["tsc"].tolist() == [FIRST, FIRST + MS, FIRST + 2 * MS]
    monkeypatch.setattr(module, "EXACT", 10)
    assert density.exact(FIRST, FIRST + 3 * MS) is None


def test_rows_beyond_the_limit_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SEEN_ROWS", 2)
    with SeenDensity(SeenMoments(seen_recording(tmp_path / "seen.arrow"))) as density:
        density.wait()
        assert (len(density.rows), density.left_out > 0) == (2, True)


def test_a_doorbell_that_came_later_is_one_as_well(tmp_path: Path) -> None:
    rows = SeenRows(SeenMoments(seen_recording(tmp_path / "seen.arrow")))
    assert [doorbell.match.address for _, doorbell in rows.doorbells] == [0xFE003000, 0x510, 0x600]
