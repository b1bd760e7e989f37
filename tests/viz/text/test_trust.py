"""What is said of the figures: the corrected form and the clock's error, by name and number."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import EVENT, Clock, EventKind, Lane, event
from bellwire.engine.findings.findings import findings
from bellwire.engine.findings.ordinary import dropped as what_is_not_there
from bellwire.engine.folds.clock_error import ClockError
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.journeys import JOURNEY, contradictory
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.omission import Paced
from bellwire.engine.folds.tally import Tally
from bellwire.engine.outlet import Outlet
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.text.trust import (
    agreement,
    corrected,
    dropped_text,
    each_signal,
    footnote,
    kernel_word,
    left_out,
    not_there,
)


def paced(*intervals: int) -> Paced:
    some = Paced()
    some.record(np.full(len(intervals), 100.0), np.array(intervals), np.ones(len(intervals)))
    return some


def test_the_corrected_form_names_its_interval() -> None:
    assert corrected([paced(1_000_000)]) == "corrected for coordinated omission, expected interval 1 ms"
    both = "corrected for coordinated omission, expected intervals 500 µs to 2 ms"
    assert corrected([paced(1_000_000, 500_000), paced(2_000_000), Paced()]) == both
    assert corrected([Paced()]).endswith("no interval expected")


def error(least: int | None, most: int | None) -> ClockError:
    journey, bounds = np.zeros(1, JOURNEY), ClockError(Clock(1e9))
    if least is not None:
        journey["ring"], journey["doorbell"] = 10**6, 10**6 - least
    if most is not None:
        journey["irq"], journey["handler"] = 10**6, 10**6 + most
    wrong = contradictory(journey)
    bounds.feed(journey[~wrong], journey[wrong])
    return bounds


def test_clocks_agree_within_near_bounds_or_are_apart_or_nobody_knows() -> None:
    assert agreement(error(-8700, 2900)).startswith("guest and host clocks agree to within −8.70 µs … +2.90 µs (")
    assert "are apart: the guest's is 300 ns to 2.90 µs ahead, so that 1 of 1 journey" in agreement(error(300, 2900))
    assert "the guest's is at least 100 ns behind, so that" in agreement(error(None, -100))
    assert "the guest's is 100 ns to 1.20 µs behind, so that" in agreement(error(-1200, -100))
    assert "was not measured" in agreement(error(None, None))
    one_side, far = agreement(error(-8700, None)), agreement(error(-8700, 1_018_710))
    assert one_side.startswith("whether guest and host clocks agree cannot be told")
    assert "the guest's is at most 8.70 µs behind, and nothing that has stamps of both goes the other way" in one_side
    assert "the guest's is at most 8.70 µs ahead, and nothing" in agreement(error(None, 8700))
    assert "told: the guest's is at most 8.70 µs behind and at most 1.02 ms ahead, and only bounds within 100 µs" in far


def test_what_is_left_out_is_named_and_counted() -> None:
    latencies = Latencies(load_scenario("roundtrip"), Clock(1e9))
    assert left_out(latencies) == ""
    assert "eft out" not in footnote(latencies)
    latencies.tracker.given_up, latencies.tracker.contradicted, latencies.warmup = 3, 1200, 50
    assert left_out(latencies) == (
        "50 journeys of warm-up, 3 journeys that could not be paired and 1\u202f200 journeys whose stamps contradict "
        "their order (from all but round trip and store cost)"
    )
    assert "3 journeys" in footnote(latencies)
    latencies.tracker.too_many = 2
    told = "1 journey that could not be paired, 2 journeys not followed to the end and 1\u202f200 journeys whose"
    assert told in left_out(latencies)
    assert footnote(latencies, "whole run so far").count("(whole run so far)") == 2


def test_the_kernels_word() -> None:
    assert kernel_word({}) == ""
    assert kernel_word({"tsc_khz": "2300000", "tsc_offset": "0"}) == "KVM: offset 0 cycles, 2300000 kHz"
    assert kernel_word({"tsc_khz": "2300000"}) == "KVM: no word on the offset, 2300000 kHz"


def test_the_journeys_may_contradict_the_kernel() -> None:
    host = {"tsc_khz": "2300000", "tsc_offset": "9000"}
    assert "contradict" not in kernel_word(host, error(-8700, 9000))
    assert kernel_word(host, error(-8700, 2900)).endswith("kHz, which the journeys contradict")


# -- what is not there


def counted_only() -> Tally:
    """Of a source that was quicker than who looked: a hundred rings, most of which are only counted."""
    outlet, tally = Outlet(room=10), Tally()
    outlet.put(np.array([(n, EventKind.RING, Lane.GUEST, 0, 0x510, n, 0) for n in range(1, 101)], EVENT))
    tally.feed(outlet.take())
    return tally


def test_what_was_only_counted_is_not_called_dropped() -> None:
    tally = counted_only()
    assert (tally.doorbells_rung, tally.lost) == (100, 0)
    assert dropped_text(tally) == f"0 dropped, {tally.passed_over} only counted"
    assert not_there(tally) == f"{tally.passed_over} events only counted"
    claims = [finding.claim for finding in what_is_not_there(tally, Evidence(load_scenario("roundtrip"), "kvm_fake"))]
    assert len(claims) == 1
    assert claims[0].startswith(f"{tally.passed_over} events came faster than they were taken: every count has them")


def test_what_was_lost_is_told_beside_what_was_only_counted() -> None:
    tally = counted_only()
    tally.feed(event(101, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 12))
    assert dropped_text(tally) == f"12 dropped, {tally.passed_over} only counted"
    assert not_there(tally) == f"12 events dropped, {tally.passed_over} only counted"
    claims = [finding.claim for finding in what_is_not_there(tally, Evidence(load_scenario("roundtrip"), "kvm_fake"))]
    assert claims[0].startswith("12 stamps of the guest were dropped, so that the count of handlers may be too small.")
    assert all("interrupts were merged is not claimed" in claim for claim in claims)
    tally.feed(event(102, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 1))
    assert tally.lost == 13


def test_of_each_lane_that_lost_something_it_is_told_what_that_makes_unknown_and_of_no_other() -> None:
    words = {
        Lane.GUEST: "handlers",
        Lane.VCPU: "exits",
        Lane.IO_THREAD: "count of reads",
        Lane.KVM: "through the kernel",
    }
    for lane, told in words.items():
        tally = Tally()
        tally.feed(event(101, EventKind.LOST, Lane.ENGINE, lane, 0, 12))
        (claim,) = (one.claim for one in what_is_not_there(tally, Evidence(load_scenario("roundtrip"), "kvm_fake")))
        assert [word for word in words.values() if word in claim.partition(" How ")[0]] == [told]
        assert ("not claimed" in claim) is (lane != Lane.KVM)


def test_what_the_kernel_tells_leaves_every_other_count_whole_where_it_is_lost() -> None:
    tally, evidence = Tally(), Evidence(load_scenario("irq-msi"), "kvm_fake")
    rows = [(n, EventKind.IRQFD, Lane.IO_THREAD, 0, 24, n, n) for n in range(1, 5)]
    rows += [(9, EventKind.HANDLER, Lane.GUEST, 0, 0x40, 4, 1), (10, EventKind.LOST, Lane.ENGINE, 0, Lane.KVM, 0, 5)]
    for fold in (tally, evidence):
        fold.feed(np.array(rows, EVENT))
    assert any("3 of 4 interrupts came along" in claim.claim for claim in findings(tally, evidence))
    tally.feed(event(11, EventKind.LOST, Lane.ENGINE, Lane.GUEST, 0, 1))
    assert not any("came along" in claim.claim for claim in findings(tally, evidence))


def test_where_all_is_there_nothing_is_said_of_it() -> None:
    assert (dropped_text(Tally()), not_there(Tally())) == ("0 dropped", "")


def test_some_a_signal_are_never_written_as_none() -> None:
    """One exit of 3,787 signals read as many as none: 0.000."""
    assert each_signal(None, 3, False) == "–"
    assert (each_signal(0.0, 3, False), each_signal(0.0, 3, True)) == ("0.000", "≥ 0.000")
    assert (each_signal(1 / 3787, 3, False), each_signal(1 / 3787, 3, True)) == ("< 0.001", "> 0")
    assert (each_signal(1 / 3787, 2, False), each_signal(0.0005, 3, False)) == ("< 0.01", "0.001")
