"""Annotations that are added, changed, taken away, undone and gone through in time; and how long they are read."""

from __future__ import annotations

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.annotations.annotation import (
    MOST_ANNOTATIONS,
    Annotation,
    AnnotationKind,
    EventPin,
    Ink,
    PartPin,
)
from bellwire.viz.model.annotations.kept import LEAST_SECONDS, MOST_SECONDS, Annotations, reading_seconds


def note(text: str, tsc: int | None = None) -> Annotation:
    return Annotation(AnnotationKind.NOTE, text, PartPin("driver") if tsc is None else EventPin(tsc, EventKind.RING, 1))


ALWAYS, FIRST, SECOND = note("always"), note("first", 100), note("second", 200)


def test_each_change_can_be_undone_one_after_the_other() -> None:
    kept = Annotations([ALWAYS])
    states = [kept.all]
    kept.add(FIRST)
    states.append(kept.all)
    kept.change(0, ALWAYS.said("other"))
    states.append(kept.all)
    kept.recolor(1, Ink.KVM)
    states.append(kept.all)
    kept.remove(0)
    assert [one.text for one in kept.all] == ["first"]
    for state in reversed(states):
        assert kept.undo()
        assert kept.all == state
    assert not kept.undo()


def test_what_changes_nothing_is_nothing_to_undo() -> None:
    kept = Annotations([ALWAYS])
    kept.change(0, ALWAYS)
    kept.choose(0)
    assert not kept.undo()


def test_it_is_known_what_is_in_a_file() -> None:
    kept = Annotations([ALWAYS])
    unsaved = [kept.unsaved]
    kept.add(FIRST)
    unsaved.append(kept.unsaved)
    kept.note_saved(kept.all)
    unsaved.append(kept.unsaved)
    kept.undo()
    assert [*unsaved, kept.unsaved] == [False, True, False, True]
    assert (kept.carried().unsaved, kept.carried().undo()) == (True, False)


def test_there_are_no_more_than_a_recording_holds() -> None:
    kept = Annotations([ALWAYS] * MOST_ANNOTATIONS)
    assert kept.full
    kept.add(FIRST)
    assert len(kept.all) == MOST_ANNOTATIONS


def test_next_and_before_go_by_time_from_wherever_the_view_is() -> None:
    kept = Annotations([SECOND, ALWAYS, FIRST])
    assert kept.in_time == [1, 2, 0]
    assert (kept.beside(50, +1), kept.beside(150, +1), kept.beside(250, +1)) == (2, 0, -1)
    assert (kept.beside(50, -1), kept.beside(150, -1), kept.beside(250, -1)) == (-1, 2, 0)
    kept.choose(1)  # of no moment: from it on
    assert (kept.beside(50, +1), kept.beside(50, -1)) == (2, -1)


def test_those_of_one_moment_are_visited_one_by_one() -> None:
    kept = Annotations([FIRST, FIRST.said("too"), SECOND])
    visited = [kept.beside(0, +1)]
    while visited[-1] >= 0:
        kept.choose(visited[-1])
        visited.append(kept.beside(kept.all[visited[-1]].tsc or 0, +1))
    assert visited == [0, 1, 2, -1]


def test_it_is_read_in_the_viewers_time_and_waits_where_the_view_stands_still() -> None:
    kept = Annotations([FIRST])
    kept.advance(0, 90, 0.1, still=False)
    assert not kept.is_read(0, 90)
    kept.advance(90, 110, 0.1, still=False)
    assert kept.is_read(0, 110)
    assert not kept.is_read(0, 111), "the view was put elsewhere"
    for _ in range(100):
        kept.advance(110, 110, 1.0, still=True)
    assert kept.is_read(0, 110)
    kept.advance(110, 10**9, LEAST_SECONDS / 2, still=False)
    assert kept.is_read(0, 10**9)
    kept.advance(10**9, 2 * 10**9, LEAST_SECONDS, still=False)
    assert not kept.is_read(0, 2 * 10**9)


def test_a_view_that_was_put_elsewhere_begins_anew() -> None:
    kept = Annotations([FIRST, SECOND])
    kept.advance(0, 110, 0.1, still=False)
    kept.advance(200, 200, 0.1, still=True)
    assert (kept.is_read(0, 200), kept.is_read(1, 200)) == (False, True)


def test_longer_texts_are_read_longer_within_limits() -> None:
    times = [reading_seconds("x" * length) for length in (1, 60, 120, 280, 10_000)]
    assert times == sorted(times)
    assert (times[0], times[-1]) == (LEAST_SECONDS, MOST_SECONDS)
    assert times[0] < times[2] < times[3]
