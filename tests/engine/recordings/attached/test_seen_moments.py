"""A recording at a moment: what was registered, counts a second, what had changed by then."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.recordings.attached.notes import SeenNote
from bellwire.engine.recordings.attached.seen_moments import SeenMoments, counts_in
from bellwire.engine.recordings.recorder import write_recording
from bellwire.engine.recordings.recording import Recording
from tests.support.seen_recordings import CHANGED, FIRST, LATER, MS, attached_header, seen_recording, seen_stream
from tests.support.seen_vmms import SEEN, VM


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> SeenMoments:
    """Of two seconds."""
    return SeenMoments(seen_recording(tmp_path_factory.mktemp("seen") / "seen.arrow"))


def test_what_was_registered_is_of_the_moment(moments: SeenMoments) -> None:
    for at, vms in ((0, SEEN.vms), (999, SEEN.vms), (1000, CHANGED.vms), (5000, CHANGED.vms), (-5, SEEN.vms)):
        topology = moments.topology_at(FIRST + at * MS)
        assert topology is not None
        assert topology.vms == vms
    assert moments.topology_until(FIRST)[1] == FIRST + 1000 * MS
    assert moments.topology_until(FIRST + 1000 * MS)[1] == 0


def test_counts_a_second_are_of_the_second_before(moments: SeenMoments) -> None:
    events, seconds = moments.before(FIRST + 1500 * MS)
    topology = moments.topology_at(FIRST + 1500 * MS, events)
    assert topology is not None
    rates = moments.rates_of(events, seconds, topology)
    assert seconds == 1.0
    assert rates[11, VM.ioeventfds[0]] == pytest.approx(1000, abs=1)
    assert rates[11, VM.irqfds[0]] == pytest.approx(1000, abs=1)
    assert rates[11, LATER] == 0
    assert rates[11, 0, "exits"] == pytest.approx(500)
    assert rates[11, 0, "irq_injections"] == pytest.approx(250)
    assert (11, 0, "io_exits") not in rates  # nobody has counted it
    assert (11, VM.irqfds[1]) not in rates  # it leads to pins
    assert topology.counts == {70: 7}


def test_at_the_beginning_there_is_less_than_a_second_and_then_nothing(moments: SeenMoments) -> None:
    events, seconds = moments.before(FIRST + 500 * MS)
    assert seconds == 0.5
    assert moments.rates_of(events, seconds, SEEN)[11, VM.ioeventfds[0]] == pytest.approx(1000, abs=2)
    events, seconds = moments.before(FIRST + 10 * MS)
    assert moments.rates_of(events, seconds, SEEN) == {}


def test_changes_are_told_up_to_the_moment(moments: SeenMoments) -> None:
    assert moments.changes_until(FIRST + 999 * MS, 3) == []
    ((tsc, sentence),) = moments.changes_until(FIRST + 1000 * MS, 3)
    assert tsc == FIRST + 1000 * MS
    assert sentence == "New: ioeventfd at port 0x600, length 2, any value to eventfd 75."
    assert moments.changes_until(FIRST + 5000 * MS, 0) == []


def test_a_count_that_no_look_has_found_is_not_known() -> None:
    assert counts_in(seen_stream(100)[1:5]) == {}


def test_where_nothing_was_ever_seen_nothing_is_told(tmp_path: Path) -> None:
    with (tmp_path / "none.arrow").open("wb") as file:
        write_recording(file, attached_header(), [seen_stream(10)], notes=[SeenNote(FIRST)])
    none = SeenMoments(Recording(tmp_path / "none.arrow", attached=True))
    assert none.topology_at(FIRST) is None
    assert none.changes == []
