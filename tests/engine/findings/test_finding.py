"""Sentences of one, of none and of many: their nouns and verbs are those of their figures, in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from bellwire.engine.events import EventKind, Events, Lane
from bellwire.engine.findings.finding import often, share
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.languages import in_language
from tests.support.lossy import lossy

SHIPPED = sorted(path.stem for path in path_of_shipped("roundtrip").parent.glob("*.arrow"))
FEW = 60  # events: until one, two, three of everything have come
ONES = "doorbells|interrupts|journeys|signals|reads|resamples|buffers|kicks|exits|events|times|handlers"
WRONG = {
    "en": re.compile(
        rf"(?<![\d\u202f.] of )(?<![\w#.\u202f])1 (?:{ONES})\b"  # 1 doorbells
        rf"|\bof 1 (?:{ONES})\b"
        r"|(?:^|[;:.] )1 of [\d\u202f]+ \w+ (?:were|have|are)\b"
        r"|(?:^|[;:.] )(?!1 )[\d\u202f]+ of [\d\u202f]+ \w+ (?:was|has|is)\b"
        r"|\b(?:ran|rang) [\d\u202f]+(?! times)\b"
    ),
    "de": re.compile(
        r"(?<![\w#.\u202f])1 (?:Signale|Reisen|Lesevorgänge|Ereignisse)\b"
        r"|(?:^|[;:.] )1 von [\d\u202f]+ \w+ (?:wurden|gingen|kamen|warteten)\b"
        r"|während 1 \w+ läuteten"
    ),
}


def claims(events: Events, name: str) -> Iterator[str]:
    """What a run that ends after a few events comes to, after each of them."""
    header = Recording(path_of_shipped(name)).header
    for end in range(1, FEW):
        tally, evidence = Tally(), Evidence(header.scenario, header.backend)
        tally.feed(events[:end])
        evidence.feed(events[:end])
        yield from (finding.claim for finding in findings(tally, evidence))


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_sentence_of_one_speaks_of_one(name: str, language: str) -> None:
    events = np.concatenate(list(Recording(path_of_shipped(name)).sorted_batches()))[:FEW]
    with in_language(language):
        wrong = {claim for claim in claims(events, name) if WRONG[language].search(claim)}
    assert wrong == set()


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_claimed_of_a_run_in_which_nothing_was_signalled(name: str) -> None:
    """Of a line that nobody has raised it was said that it is still high."""
    recording = Recording(path_of_shipped(name))
    events = np.concatenate(list(recording.sorted_batches()))
    began = events[np.isin(events["kind"], (EventKind.WIRE, EventKind.STAT, EventKind.WAIT))]
    tally, evidence = Tally(), Evidence(recording.header.scenario, recording.header.backend)
    tally.feed(began)
    evidence.feed(began)
    assert [finding.claim for finding in findings(tally, evidence)] == []


def test_a_share_has_the_noun_of_the_whole() -> None:
    assert share(1, 1, "doorbell") == "1 of 1 doorbell"
    assert share(1, 7, "doorbell") == "1 of 7 doorbells"
    assert share(0, 7, "interrupt") == "none of 7 interrupts"
    assert share(3_000_000_000, 2**32, "event") == "3\u202f000\u202f000\u202f000 of 4\u202f294\u202f967\u202f296 events"
    assert share(2, 3) == "2 of 3"
    assert [often(count) for count in (1, 2, 3, 1204)] == ["once", "twice", "3 times", "1\u202f204 times"]
    with in_language("de"):
        assert share(1, 1, "doorbell") == "1 von 1 Doorbell"


@pytest.mark.parametrize(
    ("name", "kind", "lane", "said", "never"),
    [
        ("roundtrip", EventKind.EXIT, Lane.VCPU, "At least 757 of 3 787 doorbells left", "were taken by KVM"),
        ("roundtrip", EventKind.DOORBELL, Lane.IO_THREAD, "reads may be too small", "doorbells came by"),
        (
            "roundtrip",
            EventKind.IRQFD,
            Lane.IO_THREAD,
            "At least 2 651 interrupts were signalled: at least",
            "– never –",
        ),
        ("irq-level-resample", EventKind.RESAMPLE, Lane.IO_THREAD, "and at least 758 resamples came", "– never –"),
        ("irq-route-change", EventKind.HANDLER, Lane.GUEST, "the handler ran at least", "– never –"),
        ("two-vcpus-doorbell", EventKind.RING, Lane.GUEST, "vCPU 0 rang at least", "– never –"),
        ("lab-mmio-storm", EventKind.EXIT, Lane.VCPU, "At least ", "– never –"),
        ("roundtrip", EventKind.DOORBELL, Lane.ENGINE, "1 893 events lie in damaged parts", "doorbells came by"),
    ],
)
def test_what_may_be_too_small_is_said_to_be_at_least_that(
    name: str, kind: EventKind, lane: Lane, said: str, never: str
) -> None:
    events, _ = lossy(name, kind, lane, 2)
    recording = Recording(path_of_shipped(name))
    tally, evidence = Tally(), Evidence(recording.header.scenario, recording.header.backend)
    tally.feed(events)
    evidence.feed(events)
    told = "\n".join(finding.claim for finding in findings(tally, evidence)).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert said in told
    assert never not in told
