"""Labs break by themselves, are explained by what happened, and reconcile all the same."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bellwire.engine.errors import GuestError
from bellwire.engine.events import EventfdRole, EventKind, Events, Lane, Operation, Setting, Switch
from bellwire.engine.findings.finding import Finding
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.tally import Tally
from bellwire.engine.host.host import kvm_backend
from bellwire.engine.live.session import Session
from bellwire.engine.machines.lab import STEPS, SWITCHES, LabClock
from bellwire.engine.scenarios.rules import STEPS as KNOWN
from bellwire.engine.scenarios.scenario import Lab, LabStep, Pace, Scenario, load_scenario
from bellwire.engine.source import Order
from tests.support.sessions import PATIENCE, assert_reconciled

kvm = pytest.mark.kvm


class Run:
    """A lab whose steps follow each other ten times as fast, until all have been done and `enough` is true."""

    def __init__(
        self, name: str, per_second: float | None = None, enough: Callable[[Tally], bool] = lambda tally: True
    ) -> None:
        scenario = hurried(load_scenario(name))
        if per_second is not None:
            scenario = replace(scenario, pace=Pace(per_second, 1, "hlt"))
        self.tally, batches = Tally(), []
        steps = 2 * len(scenario.lab.steps) if scenario.lab and scenario.lab.repeat_ms else 1
        until = time.monotonic() + PATIENCE
        with Session(scenario) as self.session:
            while self.session.alive and (
                scenario.ends or not (self.done(steps if scenario.lab else 0) and enough(self.tally))
            ):
                assert time.monotonic() < until, "waited in vain"
                batches.append(self.session.take())
                self.tally.feed(batches[-1])
                time.sleep(0.005)
        batches.append(self.session.take())
        self.tally.feed(batches[-1])
        assert scenario.ends or self.session.error is None, self.session.error
        self.events: Events = np.concatenate(batches)
        self.findings = findings(self.tally, evidence_of(scenario, self.session.backend, batches))
        whole = evidence_of(scenario, self.session.backend, [self.events])
        assert self.findings == findings(self.tally, whole), "it does not matter how a replay cuts them"

    def done(self, steps: int) -> bool:
        return self.tally.settings.get(Setting.STEP, 0) >= steps

    def kind(self, kind: EventKind) -> Events:
        chosen: Events = self.events[self.events["kind"] == kind]
        return chosen

    def finding(self, words: str) -> Finding:
        """The one whose claim has these words."""
        found = [finding for finding in self.findings if words in finding.claim]
        assert len(found) == 1, [finding.claim for finding in self.findings]
        return found[0]


def hurried(scenario: Scenario) -> Scenario:
    if scenario.lab is None:
        return scenario
    steps = tuple(replace(step, at_ms=step.at_ms // 10) for step in scenario.lab.steps)
    return replace(scenario, lab=Lab(steps, scenario.lab.repeat_ms // 10))


def evidence_of(scenario: Scenario, backend: str, batches: list[Events]) -> Evidence:
    evidence = Evidence(scenario, backend)
    for batch in batches:
        evidence.feed(batch)
    return evidence


# -- the clock ---------------------------------------------------------------------------------------------------------

ON, OFF = LabStep(100, "irqfd-on"), LabStep(200, "irqfd-off")


def test_steps_are_due_in_order_and_once() -> None:
    clock = LabClock(Lab((ON, OFF), 0))
    assert clock.advance(0.05) == []
    assert clock.advance(0.06) == [ON]
    assert clock.advance(10.0) == [OFF]
    assert (clock.advance(10.0), clock.done) == ([], 2)


def test_steps_begin_again_and_none_is_left_out() -> None:
    clock = LabClock(Lab((ON, OFF), 300))
    assert [step.do for step in clock.advance(0.65)] == ["irqfd-on", "irqfd-off"] * 2
    assert [step.at_ms for step in clock.advance(0.1)] == [700]
    assert LabClock(None).advance(10.0) == []


def test_every_step_that_a_file_may_name_can_be_done() -> None:
    assert {*STEPS, *SWITCHES} == set(KNOWN)


# -- labs --------------------------------------------------------------------------------------------------------------


@kvm
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lab-wrong-datamatch", "the ioeventfd waits for the value 9 and the guest wrote 7."),
        ("lab-wrong-length", "the ioeventfd waits for 4 bytes and the guest wrote 2."),
    ],
)
def test_what_the_ioeventfd_does_not_match_leaves_until_it_is_mended(name: str, words: str) -> None:
    lab = Run(name)
    assert_reconciled(lab.session, lab.events)
    exits = lab.kind(EventKind.EXIT)
    left = int(np.count_nonzero(exits["seq"]))
    assert 0 < lab.finding(words).numbers["left"] <= left < lab.tally.doorbells_rung
    taken = lab.finding("were taken by KVM itself").numbers["taken"]
    assert taken + left == lab.tally.doorbells_rung == lab.tally.doorbells_received
    changes = lab.kind(EventKind.WIRE)[1:]["arg"].tolist()
    assert changes == [0, 1] * (len(changes) // 2)


@kvm
def test_a_second_irqfd_is_refused_and_the_first_one_works_on() -> None:
    lab = Run("lab-second-irqfd")
    assert_reconciled(lab.session, lab.events)
    refused = lab.kind(EventKind.REFUSED)
    assert set(zip(*(refused[name].tolist() for name in ("id", "seq", "arg")), strict=True)) == {
        (Operation.IRQFD_ASSIGN, 25, errno.EBUSY)
    }
    assert set(refused["lane"]) == {Lane.ENGINE}
    claim = lab.finding("KVM refused an irqfd for GSI 25").claim
    assert "EBUSY, this eventfd is an irqfd already" in claim
    assert np.count_nonzero(lab.kind(EventKind.HANDLER)["tsc"] > refused["tsc"][0]) > 0
    assert lab.session.error is None


@kvm
def test_without_eoi_it_is_told_who_else_ended_the_interrupt() -> None:
    lab = Run("lab-no-eoi", 500, lambda tally: tally.irqs_handled >= (100 if kvm_backend() == "kvm_pvm" else 1))
    numbers = lab.finding("raised the line").numbers
    assert numbers["resamples"] == lab.tally.resamples == len(lab.kind(EventKind.RESAMPLE))
    assert set(lab.kind(EventKind.HANDLER)["id"]) == {0x44}
    if kvm_backend() == "kvm_pvm":  # it writes the EOI itself
        assert_reconciled(lab.session, lab.events)
        assert lab.tally.resamples == lab.tally.irqs_signalled
        if numbers["before_the_handler"]:
            assert "kvm_pvm ends an interrupt when it injects it" in lab.finding("no EOI").claim
        else:  # the I/O thread, which reads the resamplefd, had no processor in time, not once: nothing is concluded
            assert "none of" in lab.finding("were read before").claim
    else:
        assert lab.tally.irqs_signalled == 1
        assert "The handler writes no EOI" in lab.finding("raised the line").claim


@kvm
@pytest.mark.parametrize("per_second", [500, math.inf])
def test_edges_at_a_masked_pin_are_lost_and_do_not_come_late(per_second: float) -> None:
    lab = Run("lab-masked-edge", per_second)
    assert_reconciled(lab.session, lab.events)
    masks = lab.events[(lab.events["kind"] == EventKind.SETTING) & (lab.events["id"] == Setting.MASKED)]
    assert masks["arg"].tolist()[:4] == [1, 0, 1, 0]
    signals = lab.kind(EventKind.IRQFD)
    while_masked = np.searchsorted(masks["tsc"], signals["tsc"]) % 2 == 1
    assert lab.tally.irqs_lost == np.count_nonzero(while_masked) > 0
    handled = lab.kind(EventKind.HANDLER)
    pending = lab.tally.irqs_pending  # a guest that is kept from its processor has not taken them by the end
    assert handled["arg"].sum() + lab.tally.irqs_lost + pending == lab.tally.irqs_signalled
    numbers = lab.finding("their pin was masked, and were lost: none of them came").numbers
    assert numbers["unmaskings"] == np.count_nonzero(masks["arg"] == 0)


@kvm
def test_early_signals_are_counted_by_the_eventfd_and_injected_once() -> None:
    lab = Run("lab-early-signal")
    lab.finding("3 signals came before the irqfd was there: the eventfd counted 3, and assigning it injected 1")
    counts = lab.events[(lab.events["kind"] == EventKind.COUNT) & (lab.events["id"] == EventfdRole.IRQ)]["arg"].tolist()
    assert 3 in counts, "assigning leaves the count; the next signal takes it along"
    assert counts[counts.index(3) + 1] == 0
    assert lab.tally.irqs_handled + lab.tally.irqs_merged + lab.tally.irqs_pending == lab.tally.irqs_signalled
    left = lab.session.truth()["irq_pending"]  # 3 if it ended between that assignment and the next signal
    assert left in (lab.tally.irqs_pending, 3)


@kvm
def test_a_wire_that_is_cut_under_load_loses_nothing() -> None:
    lab = Run("lab-wire-cut")
    assert_reconciled(lab.session, lab.events)
    offs = lab.events[(lab.events["kind"] == EventKind.WIRE) & (lab.events["id"] == Switch.IOEVENTFD)]["arg"]
    finding = lab.finding("none was lost")
    assert finding.numbers["cuts"] == np.count_nonzero(offs == 0) >= 2
    assert finding.numbers["doorbells_rung"] == finding.numbers["doorbells_received"] == lab.session.truth()["rung"]
    assert 0 < lab.finding("the ioeventfd was off").numbers["left"] < lab.tally.doorbells_rung


@kvm
def test_a_triple_fault_ends_the_session_with_a_verdict_and_keeps_what_was_before() -> None:
    lab = Run("lab-triple-fault")
    assert isinstance(lab.session.error, GuestError)
    assert "triple fault" in str(lab.session.error)
    assert_reconciled(lab.session, lab.events)
    assert lab.tally.doorbells_rung > 0
    assert lab.tally.exits_to_userspace["SHUTDOWN"] == 1
    assert lab.finding("KVM_EXIT_SHUTDOWN").claim.endswith("a triple fault, and nothing came after it.")
    vcpu = lab.events[lab.events["lane"] == Lane.VCPU]
    assert vcpu["kind"][-1] == EventKind.EXIT


@kvm
def test_a_storm_leaves_to_user_space_and_no_doorbell_is_in_it() -> None:
    lab = Run("lab-mmio-storm")
    assert_reconciled(lab.session, lab.events)
    numbers = lab.finding("of address 0xd0002000 left to user space: nobody has registered it").numbers
    assert numbers["reads"] == numbers["writes"] > 0
    assert numbers["reads"] % 16 == 0
    assert lab.tally.exits_to_userspace["MMIO"] == numbers["reads"] + numbers["writes"]
    assert lab.finding("were taken by KVM itself").numbers["taken"] == lab.tally.doorbells_rung


@kvm
def test_while_the_pace_is_held_the_lab_waits() -> None:
    tally = Tally()
    with Session(hurried(load_scenario("lab-wire-cut"))) as session:
        session.order(Order.RUN, False)
        time.sleep(0.3)
        tally.feed(session.take())
        held = tally.settings.get(Setting.STEP, 0)
        session.order(Order.RUN, True)
        until = time.monotonic() + PATIENCE
        while tally.settings.get(Setting.STEP, 0) <= held:
            assert time.monotonic() < until
            time.sleep(0.005)
            tally.feed(session.take())
    assert held <= 1
