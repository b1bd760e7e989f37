"""The riddles: each lab's cause is what the run shows, other choices are not, and symptoms give nothing away."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane, Switch, event
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.viz.lessons.labs.causes import RULES, ruling
from bellwire.viz.lessons.labs.clues import CLUES, MOST_LINES
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.lessons.labs.lab_texts import cause_texts, riddle_named, riddles
from bellwire.viz.lessons.labs.quiz import CHOICES, PENALTY, POINTS, Quiz
from tests.support.lossy import lossy

TELLING = re.compile(r"mask|EOI|ioeventfd|datamatch|length|refus|fault|storm|shut|value|MMIO|memory", re.IGNORECASE)
EACH = pytest.mark.parametrize("name", riddles())


@lru_cache
def run_of(name: str) -> LabRun:
    return LabRun.of_recording(Recording(path_of_shipped(name)))


def test_every_lab_has_its_texts_and_every_cause_its_rule() -> None:
    assert set(riddles()) == {scenario.name for scenario in list_scenarios() if scenario.group == "Labs"}
    assert set(RULES) == set(cause_texts())
    assert {lab.cause.name for lab in riddles().values()} <= set(RULES)


@EACH
def test_the_run_shows_the_cause_and_no_other_choice(name: str) -> None:
    run, lab = run_of(name), riddles()[name]
    assert ruling(run, lab.cause.name).holds
    for seed in range(20):
        choices = Quiz.drawn(seed, lab).choices(run)
        assert len(set(choices)) == CHOICES
        assert [ruling(run, one.name).holds for one in choices].count(True) == 1


@EACH
def test_a_symptom_is_told_with_figures_and_gives_nothing_away(name: str) -> None:
    told = run_of(name).symptom(riddles()[name])
    assert re.search(r"\d", told)
    assert not re.search(r"[{}–]", told)
    assert not TELLING.search(told)


@EACH
def test_whatever_is_asked_is_answered_in_sentences(name: str) -> None:
    for clue in CLUES:
        told = clue.tell(run_of(name))
        assert told
        assert all(sentence.endswith(".") for sentence in told), clue.name


def test_of_what_is_told_in_part_it_is_told_how_much_there_is_besides() -> None:
    [asked] = [clue for clue in CLUES if clue.name == "changes"]
    run = LabRun.of_recording(Recording(path_of_shipped("lab-wire-cut")))
    before = run.changed
    assert len(asked.tell(run)) == max(before, 1)
    run.feed(np.concatenate([wired(run, on) for on in (0, 1) * 50]))
    assert run.changed == before + 99  # the first word says how it stands
    told = asked.tell(run)
    assert len(told) == MOST_LINES + 1
    assert told[-1] == f"And {run.changed - MOST_LINES} more."


def wired(run: LabRun, on: int) -> Events:
    return event(run.last, EventKind.WIRE, Lane.ENGINE, Switch.IRQFD, 0, on)


def test_a_seed_draws_the_same_again_and_other_seeds_every_lab() -> None:
    for seed in (0, 7, 2**32 - 1):
        one, other = Quiz.drawn(seed), Quiz.drawn(seed)
        assert one.lab is other.lab
        assert one.choices(run_of(one.lab.name)) == other.choices(run_of(one.lab.name))
    assert {Quiz.drawn(seed).lab.name for seed in range(200)} == set(riddles())
    positions = {
        (quiz := Quiz.drawn(seed, riddle_named("no-eoi"))).choices(run_of("lab-no-eoi")).index(quiz.lab.cause)
        for seed in range(50)
    }
    assert positions == set(range(CHOICES))


def test_evidence_costs_once_a_wrong_cause_costs_and_giving_up_leaves_nothing() -> None:
    quiz, run = Quiz.drawn(3, riddle_named("masked-edge")), run_of("lab-masked-edge")
    [dear] = [clue for clue in CLUES if clue.name == "changes"]
    assert quiz.ask("changes", run) == quiz.ask("changes", run)
    assert quiz.points == POINTS - dear.cost
    wrong = next(one for one in quiz.choices(run) if one != quiz.lab.cause)
    assert not quiz.name(wrong, run).holds
    assert not quiz.name(wrong, run).holds
    assert (quiz.points, quiz.over) == (POINTS - dear.cost - PENALTY, False)
    assert quiz.name(quiz.lab.cause, run).holds
    quiz.ask("findings", run)
    assert (quiz.points, quiz.over) == (POINTS - dear.cost - PENALTY, True)
    quiz = Quiz.drawn(3)
    quiz.given_up = True
    assert (quiz.points, quiz.over) == (0, True)


def lossy_run(name: str, kind: EventKind, lane: Lane, every: int) -> LabRun:
    """Of a run that has lost each `every`th event of a kind, or all but the first."""
    header = Recording(path_of_shipped(name)).header
    run = LabRun(header.scenario, header.backend, header.clock)
    run.feed(lossy(name, kind, lane, every)[0])
    return run


@pytest.mark.parametrize(
    ("name", "kind", "lane", "every", "cause", "holds"),
    [
        ("irq-msi", EventKind.HANDLER, Lane.GUEST, 2, "merging", None),
        ("irq-msi", EventKind.HANDLER, Lane.GUEST, 50, "merging", False),
        ("irq-burst", EventKind.HANDLER, Lane.GUEST, 50, "merging", True),
        ("roundtrip", EventKind.HANDLER, Lane.GUEST, 2, "cut", True),
        ("doorbell-pio-exit", EventKind.EXIT, Lane.VCPU, 2, "cut", None),
        ("doorbell-pio-exit", EventKind.EXIT, Lane.VCPU, 2, "storm", None),
        ("doorbell-pio-exit", EventKind.EXIT, Lane.VCPU, 2, "wrong-value", None),
        ("doorbell-pio-exit", EventKind.DOORBELL, Lane.IO_THREAD, 2, "storm", False),
        ("doorbell-pio-exit", EventKind.DOORBELL, Lane.ENGINE, 2, "triple-fault", None),
    ],
)
def test_of_a_run_that_has_lost_events_a_cause_is_told_only_where_the_others_tell_it(
    name: str, kind: EventKind, lane: Lane, every: int, cause: str, holds: bool | None
) -> None:
    run = lossy_run(name, kind, lane, every)
    ruled = ruling(run, cause)
    assert ruled.holds is holds, ruled.why
    assert ("cannot be told" in ruled.why) == (holds is None)
    quiz = Quiz.drawn(1, next(lab for lab in riddles().values() if lab.cause.name != cause))
    assert holds is False or cause_texts()[cause] not in quiz.choices(run)


def test_what_cannot_be_told_costs_nothing() -> None:
    run, quiz = lossy_run("irq-msi", EventKind.HANDLER, Lane.GUEST, 2), Quiz.drawn(1)
    assert quiz.name(cause_texts()["merging"], run).holds is None
    assert (quiz.points, quiz.tried, quiz.over) == (POINTS, [], False)


def test_clues_tell_counts_that_events_are_missing_from_as_bounds() -> None:
    told = {
        clue.name: " ".join(clue.tell(lossy_run("roundtrip", EventKind.EXIT, Lane.VCPU, 2)))
        for clue in CLUES
        if clue.name in ("counters", "exits")
    }
    assert "≥" not in told["counters"]
    assert "KVM_EXIT_IO ≥ 757" in told["exits"]
    reads = lossy_run("roundtrip", EventKind.DOORBELL, Lane.IO_THREAD, 2)
    assert "by ≥ 1" in " ".join(next(clue for clue in CLUES if clue.name == "counters").tell(reads))
