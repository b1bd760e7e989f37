"""Every kind of event has a sentence, and the one that is searched is the one that is shown."""

from __future__ import annotations

import errno
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.engine.events import (
    BUFFERS_ADDED,
    BUFFERS_USED,
    EVENT,
    FLAT_OUT,
    STATS,
    EventKind,
    Lane,
    Setting,
    Switch,
    event,
)
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.text.event_words import Wording, kind_name, lane_name, like
from bellwire.viz.text.figures import THIN
from tests.support.accented import in_accents, unsaid

WORDING = Wording(load_scenario("roundtrip"))
NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, 2**64 - 1))
KINDS = st.integers(0, max(EventKind) + 1)  # and one that nobody knows
ROWS = st.tuples(NUMBERS, KINDS, st.integers(0, 9), st.integers(0, 3), st.integers(0, 2**32 - 1))


NAMES = frozenset(
    {"vCPU", "ioeventfd", "irqfd", *STATS, *errno.errorcode.values(), *map(kind_name, EventKind)}
)  # are not translated


@pytest.mark.parametrize(
    ("kind", "id", "seq", "arg", "words"),
    [
        (EventKind.RING, 0x510, 48213, 0, "OUT 0x510: doorbell #48 213"),
        (EventKind.DOORBELL, 0, 7, 3, "read() returned 3: up to doorbell #7"),
        (EventKind.EXIT, 2, 9, 0x510, "exit KVM_EXIT_IO at 0x510: doorbell #9"),
        (EventKind.EXIT, 10, 0, 0, "exit KVM_EXIT_INTR"),
        (EventKind.IRQFD, 24, 5, 9, "write(irqfd): interrupt #5, answers doorbell #9"),
        (EventKind.IRQ_IOCTL, 1, 5, 0, "ioctl(KVM_SIGNAL_MSI): interrupt #5"),
        (EventKind.HANDLER, 0x40, 5, 1, "handler of vector 0x40: interrupt #5"),
        (EventKind.HANDLER, 0x40, 5, 4, "handler of vector 0x40: 4 interrupts at once, up to #5"),
        (EventKind.WIRE, Switch.IRQFD, 0, 0, "irqfd off"),
        (EventKind.SETTING, Setting.PACE, 0, FLAT_OUT, "pace: flat out"),
        (EventKind.SETTING, Setting.PACE, 3_333_333, 300, "pace: 300 a second"),
        (EventKind.SETTING, Setting.PACE, 26_666_667, 38, "pace: 37.5 a second"),
        (EventKind.ENTRY, 2, 0, 0, "KVM_RUN again, KVM_EXIT_IO served"),
        (EventKind.ENTRY, 2, 2, 7, "KVM_RUN again, KVM_EXIT_IO served: wrote 0x7, 2 bytes"),
        (EventKind.REFUSED, 2, 24, 16, "KVM refused an irqfd for GSI 24: EBUSY"),
        (EventKind.REFUSED, 0, 0x510, 17, "KVM refused an ioeventfd at 0x510: EEXIST"),
        (EventKind.BEFORE, 0, 99, 0, "the stream begins behind doorbell #99, rung by the guest"),
        (
            EventKind.PASSED_OVER,
            0,
            EventKind.HANDLER + (0x40 << 32),
            12,
            "12 of what was lost were handler: they came faster than they could be shown",
        ),
        (EventKind.LOST, Lane.GUEST, 0, 12, "12 events of the lane guest lost before this"),
    ],
)
def test_sentences(kind: EventKind, id: int, seq: int, arg: int, words: str) -> None:
    assert WORDING.text(event(1, kind, Lane.GUEST, id, seq, arg)[0]).replace(THIN, " ") == words


@pytest.mark.parametrize(
    ("kind", "id", "one", "many"),
    [
        (EventKind.WAIT, 0, "sleeps; 1 doorbell received, 1 interrupt signalled", "2 doorbells received, 2 interrupts"),
        (EventKind.LOST, Lane.ENGINE, "1 event before this lost", "2 events before"),
        (EventKind.LOST, Lane.VCPU, "1 event of the lane", "2 events of"),
        (EventKind.BUFFERS, BUFFERS_ADDED, "1 buffer added, 1 so far", "2 buffers added"),
        (EventKind.BUFFERS, BUFFERS_USED, "1 buffer used, 1 so far", "2 buffers used"),
        (EventKind.FETCH, 0x510, "1 doorbell at 0x510", "2 doorbells at"),
        (EventKind.ENTRY, 2, "1 byte", "2 bytes"),
        (EventKind.PASSED_OVER, 0, "1 of what was lost was", "2 of what was lost were"),
    ],
)
def test_a_count_and_its_noun_agree(kind: EventKind, id: int, one: str, many: str) -> None:
    """Each form is made of one event, and filled in for all those like it."""
    numbers = (1, 2, 3)
    seqs = (1, 1, 1) if kind == EventKind.PASSED_OVER else numbers
    each = [event(0, kind, Lane.ENGINE, id, seq, number) for seq, number in zip(seqs, numbers, strict=True)]
    texts = WORDING.plain(np.concatenate([*each, *each])).to_pylist()
    assert texts[:3] == texts[3:] == [WORDING.text(some[0]) for some in each]
    assert one in texts[0]
    assert many in texts[1]
    assert many.replace("2 ", "3 ") in texts[2]


def test_where_doorbells_are_interrupts_the_handler_names_the_doorbell() -> None:
    wording = Wording(load_scenario("vm-to-vm"))
    assert "doorbell #5" in wording.text(event(1, EventKind.HANDLER, Lane.GUEST, 0x40, 5, 1)[0])


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_is_named_and_said(kind: EventKind) -> None:
    assert kind_name(kind) == kind.name.lower()
    assert WORDING.text(event(1, kind, Lane.GUEST, 1, 2, 3)[0])


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_is_said_in_the_language_that_is_spoken(kind: EventKind) -> None:
    """Whichever of its forms: of exits the one without an address had an English word in any language."""
    with in_accents():
        for id, seq, arg in product((*range(40), 0x40), (0, 1, 2), (0, 1, 2)):
            said = Wording(load_scenario("roundtrip")).text(event(1, kind, Lane.GUEST, id, seq, arg)[0])
            assert not unsaid(said, NAMES), said


def test_what_a_newer_program_recorded_is_named_gracefully() -> None:
    assert kind_name(999) == "kind_999"
    assert lane_name(99) == "lane 99"
    assert "number 7" in WORDING.form(999, 1, 7, 0).format(seq=7, arg=0, hex="0x0")


@given(st.lists(ROWS, max_size=40))
def test_the_text_that_is_searched_is_the_text_that_is_shown(rows: list[tuple[int, int, int, int, int]]) -> None:
    events = np.array(
        [(seq, kind, lane, vm, id, seq, arg) for seq, kind, lane, vm, id in rows for arg in (seq,)], EVENT
    )
    shown = [WORDING.text(some).replace(THIN, "") for some in events]
    assert WORDING.plain(events).to_pylist() == shown


def test_a_pattern_that_would_take_for_ever_elsewhere_does_not() -> None:
    events = np.concatenate([event(1, EventKind.RING, Lane.GUEST, 0x510, 10**18)] * 50)
    assert not like(WORDING.plain(events), r"(\d+)*(\d+)*(\d+)*x$").any()
    assert like(WORDING.plain(events), "OUT 0X510").all()
