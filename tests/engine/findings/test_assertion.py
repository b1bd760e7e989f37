"""Assertions: what they mean, and that what cannot be parsed is refused with what was probably meant."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bellwire.engine.errors import AssertionTextError
from bellwire.engine.events import Clock, EventKind, Lane, Setting, event
from bellwire.engine.findings.assertion import COUNTS, OPERATORS, STATISTICS, parse_assertion, sum_of_bounds
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.journey_streams import World, scenario

CLOCK = Clock(2e9)


@pytest.fixture(scope="module")
def run() -> tuple[Tally, Latencies]:
    """A run at a pace of 10 a second; its journeys come after the warm-up."""
    events = World(random.Random(2), answered=True).run(3000)
    events["tsc"] += np.uint64(CLOCK.cycles(1.0))
    tally, latencies = Tally(), Latencies(scenario(), CLOCK)
    wire = event(1, EventKind.WIRE, Lane.ENGINE, 0, 0, 1)
    for batch in (wire, event(2, EventKind.SETTING, Lane.ENGINE, Setting.PACE, 0, 10), events):
        tally.feed(batch)
        latencies.feed(batch)
    return tally, latencies


def test_every_statistic_is_that_of_the_histogram(run: tuple[Tally, Latencies]) -> None:
    for name in LATENCIES:
        histogram = run[1].histograms[name]
        expected: dict[str, float | None] = {
            each: getattr(histogram, each) for each in ("min", "max", "mean", "stddev")
        }
        expected |= {f"p{p:g}": histogram.known_percentile(p) for p in (50, 90, 99, 99.9, 99.99)}
        assert set(expected) == set(STATISTICS)
        for statistic, ns in expected.items():
            for spelled in (name, name.replace("_", "-")):
                verdict = parse_assertion(f"{spelled}.{statistic} <= 1s").judge(*run)
                known = ns is not None  # nothing lies beyond a percentile of few values
                assert (verdict.holds, verdict.value, verdict.limit, verdict.is_time) == (known, ns, 1e9, True)
        assert parse_assertion(f"{name}.count=={histogram.count}").judge(*run).holds
        assert parse_assertion(f"{name}.corrected.p50>0ns").judge(*run).holds


@pytest.mark.parametrize("reader", [1, 4711])
def test_a_doorbell_that_is_an_interrupt_is_pending_once(reader: int) -> None:
    """Of vm-to-vm without its irqfd twice as many were pending as had been rung."""
    tally, latencies = Tally(), Latencies(load_scenario("vm-to-vm"), CLOCK)
    tally.feed(event(1, EventKind.WIRE, Lane.ENGINE, 0, reader, 1))
    for number in range(1, 6):
        tally.feed(event(1 + number, EventKind.RING, Lane.GUEST, 0, number))
    tally.feed(event(9, EventKind.HANDLER, Lane.GUEST, 0x40, 2, 2))
    assert parse_assertion("pending == 3").judge(tally, latencies).holds
    tally.feed(event(10, EventKind.LOST, Lane.ENGINE, Lane.ENGINE, 0, 4))
    bounds, parts = parse_assertion("pending == 3").judge(tally, latencies).value_bounds, tally.bounds()
    both = sum_of_bounds([parts["doorbells_pending"], parts["irqs_pending"]])
    assert bounds == (parts["irqs_pending"] if reader == 1 else both)
    assert both.most != 7


def test_every_count_is_that_of_the_tally(run: tuple[Tally, Latencies]) -> None:
    tally, latencies = run
    counts = {
        "rung": tally.doorbells_rung,
        "received": tally.doorbells_received,
        "reads": tally.eventfd_reads,
        "signalled": tally.irqs_signalled,
        "handled": tally.irqs_handled,
        "merged": tally.irqs_merged,
        "spurious": 0,
        "lost": 0,
        "resamples": 0,
        "pending": 0,
        "kept": 0,
        "refused": 0,
        "buffers": 0,
        "exits": sum(tally.exits_to_userspace.values()),
        "exits_io": tally.exits_to_userspace.get("IO", 0),
        "exits_mmio": tally.exits_to_userspace.get("MMIO", 0),
        "exits_shutdown": 0,
        "dropped": 0,
        "passed_over": 0,
        "journeys": latencies.journeys,
    }
    assert set(counts) == set(COUNTS)
    for name, count in counts.items():
        verdict = parse_assertion(f"{name}=={count}").judge(*run)
        assert (verdict.holds, verdict.value, verdict.is_time) == (True, count, False)
        assert not parse_assertion(f"{name}=={count + 1}").judge(*run).holds
    assert parse_assertion("received == rung").judge(*run).holds
    assert parse_assertion("merged>0").judge(*run).holds


@pytest.mark.parametrize(
    ("name", "unseen"),
    [
        ("qemu-virtio-blk-exit", {"exits", "exits_io", "exits_mmio", "exits_shutdown", "refused", "reads"}),
        ("qemu-ivshmem", {"exits", "exits_io", "exits_mmio", "exits_shutdown", "refused"}),
        ("vhost-user-blk", {"reads"}),
        ("vm-to-vm", set()),
    ],
)
def test_what_another_process_does_is_not_known_and_holds_nothing(name: str, unseen: set[str]) -> None:
    """Of a guest in QEMU that leaves at each doorbell it held that there was no exit."""
    tally, latencies = Tally(), Latencies(load_scenario(name), CLOCK)
    verdicts = {count: parse_assertion(f"{count}==0").judge(tally, latencies) for count in COUNTS}
    assert {count for count, verdict in verdicts.items() if verdict.value is None} == unseen
    assert {count for count, verdict in verdicts.items() if not verdict.holds} == unseen


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("merged<=4", True),
        ("merged<3", None),
        ("merged>0", None),
        ("merged>4", False),
        ("merged==0", None),
        ("merged==5", False),
        ("merged!=5", True),
        ("merged!=4", None),
        ("handled>=6", True),
        ("handled<6", False),
        ("handled==6", None),
        ("handled<=signalled", True),
        ("handled>merged", True),
        ("handled>8", None),
        ("rung==10", True),
    ],
)
def test_of_a_bound_only_what_it_can_tell_holds_or_fails(text: str, holds: bool | None) -> None:
    """Ten interrupts, of which six runs of the handler are seen: the stamps of others were dropped."""
    tally = Tally()
    for seq in range(1, 11):
        for kind, lane in ((EventKind.RING, Lane.GUEST), (EventKind.IRQFD, Lane.IO_THREAD)):
            tally.feed(event(seq, kind, lane, 0, seq, 0))
    for seq in (1, 2, 4, 6, 8, 10):
        tally.feed(event(20 + seq, EventKind.HANDLER, Lane.GUEST, 0, seq, 0))
    assert parse_assertion("merged==4").judge(tally, Latencies(scenario(), CLOCK)).holds is True
    tally.feed(event(40, EventKind.LOST, Lane.GUEST, Lane.GUEST, 0, 4))
    assert parse_assertion(text).judge(tally, Latencies(scenario(), CLOCK)).holds is holds


@pytest.mark.parametrize(
    ("limit", "ns"), [("7ns", 7), ("0.2 us", 200), ("3µs", 3e3), ("1_000ms", 1e9), ("1e3cycles", 500)]
)
def test_units(limit: str, ns: float, run: tuple[Tally, Latencies]) -> None:
    assert parse_assertion(f"doorbell.p50<{limit}").judge(*run).limit == pytest.approx(ns)


@pytest.mark.parametrize("sign", list(OPERATORS))
def test_operators(sign: str, run: tuple[Tally, Latencies]) -> None:
    rung = run[0].doorbells_rung
    for limit in (rung - 1, rung, rung + 1):
        python = eval(f"{rung} {sign} {limit}")
        assert parse_assertion(f"rung{sign}{limit}").judge(*run).holds == python


def test_what_was_not_measured_does_not_hold() -> None:
    nothing = Tally(), Latencies(scenario(), CLOCK)
    for text in ("round_trip.p99<1s", "round_trip.p99>=0ns", "doorbell.min != 1ns", "doorbell.corrected.p99<1s"):
        verdict = parse_assertion(text).judge(*nothing)
        assert (verdict.holds, verdict.value) == (False, None)
    assert parse_assertion("exits==0").judge(*nothing).holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rung<1__0", "1__0 is no metric"),
        ("rung<1e400", "1e400 is more than 1e+30, which no run comes to"),
        ("doorbell.p99<1e305s", "1e305s is more than 1e+30"),
        ("doorbell.p99<1e308cycles", "1e308cycles is more than 1e+30"),
        ("doorbell.p99", "write METRIC, one of <= >= == != < >, and LIMIT, as in 'doorbell.p99<200us'"),
        ("doorbell.p99=200us", "write METRIC"),
        ("1us<doorbell.p99<2us", "write METRIC"),
        ("", "write METRIC"),
        ("dorbell.p99<200us", "there is no latency dorbell; did you mean doorbell?"),
        ("doorbell.p95<200us", "there is no statistic 'p95'; did you mean p9"),
        ("doorbell<200us", "a latency has a statistic: doorbell.p99"),
        ("doorbell.p99<200", "is a time, so the limit needs a unit: ns, us, ms, s or cycles"),
        ("doorbell.p99<rung", "is a time"),
        ("exits<2us", "exits is a count, and the limit is none"),
        ("doorbell.p99<200usec", "usec is no unit of time; did you mean us?"),
        ("recieved==rung", "recieved is no metric; did you mean received?"),
        ("received==runk", "runk is no metric; did you mean rung?"),
    ],
)
def test_what_cannot_be_parsed_says_what_was_meant(text: str, words: str) -> None:
    with pytest.raises(AssertionTextError) as caught:
        parse_assertion(text)
    assert str(caught.value).startswith(f"{text!r}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
