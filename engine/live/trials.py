"""What only some scenarios need, for `bellwire doctor`: calls, tried one by one, as KVM may say that it can and refuse;
and what a host lacks for a machine.

What every scenario calls is tried by the guest that the doctor starts (clock_check.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, KvmError
from bellwire.engine.host.host import Check
from bellwire.engine.kvm.coalesced import CoalescedZone
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Belongings, Eventfd
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import Kvm, Memory, Vm
from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.rules import ADDRESSES, GSIS
from bellwire.engine.scenarios.scenario import list_scenarios

NAMED = 2  # scenarios that lack the same, by name; more are counted


class TrialVm:
    """A VM in which one thing is tried. stack: closes all that is made."""

    def __init__(self, stack: Belongings) -> None:
        self.stack = stack
        self.vm = stack.enter(Vm(stack.enter(Kvm())))

    def eventfd(self) -> Eventfd:
        """One of its own."""
        return self.stack.enter(Eventfd())

    def pin(self) -> int:
        """The GSI of an IOAPIC's pin."""
        self.vm.create_irqchip()
        pin: int = GSIS["ioapic"]
        self.vm.set_gsi_routing(GsiRoute.ioapic(pin, pin))
        return pin


def try_any_length(trial: TrialVm) -> None:
    """An ioeventfd of length 0."""
    trial.stack.enter(Ioeventfd(trial.vm, trial.eventfd(), ADDRESSES["pio"], 0, pio=True))


def try_resample(trial: TrialVm) -> None:
    """An irqfd with a resamplefd."""
    pin = trial.pin()
    trial.stack.enter(Irqfd.with_resample(trial.vm, trial.eventfd(), pin, trial.eventfd()))


def try_irq_line(trial: TrialVm) -> None:
    """A pin raised by ioctl."""
    trial.vm.irq_line(trial.pin(), 1)


def try_split(trial: TrialVm) -> None:
    """A VM whose IOAPIC is in user space."""
    trial.vm.enable_split_irqchip()


def try_coalesced_mmio(trial: TrialVm) -> None:
    """A zone of coalesced writes in memory."""
    trial.stack.enter(CoalescedZone(trial.vm, ADDRESSES["mmio"], 8, pio=False))


def try_coalesced_pio(trial: TrialVm) -> None:
    """The same at a port."""
    trial.stack.enter(CoalescedZone(trial.vm, ADDRESSES["pio"], 8, pio=True))


def try_second_vcpu(trial: TrialVm) -> None:
    """A vCPU that waits for no other one to start it."""
    trial.vm.create_irqchip()
    memory = trial.stack.enter(Memory(base=lib.BW_VCPU_MEMORY))
    trial.vm.add_vcpu_memory(memory)
    trial.stack.enter(Vcpu(trial.vm, memory, None, 1))


TRIALS: dict[str, Callable[[TrialVm], None]] = {
    "IOEVENTFD_ANY_LENGTH": try_any_length,
    "IRQFD_RESAMPLE": try_resample,
    "IRQ_INJECT_STATUS": try_irq_line,
    "SPLIT_IRQCHIP": try_split,
    "COALESCED_MMIO": try_coalesced_mmio,
    "COALESCED_PIO": try_coalesced_pio,
    "MP_STATE": try_second_vcpu,
}


def tried(checks: Sequence[Check]) -> list[Check]:
    """The same checks; of a capability that KVM claims to have and whose call it refuses, the refusal."""
    return [tried_one(check) if check.topic == "capability" and check.ok else check for check in checks]


def tried_one(check: Check) -> Check:
    """The check of one capability."""
    refusal = refusal_of_trial(TRIALS[check.name]) if check.name in TRIALS else None
    if refusal is None:
        return check
    remedy = refusal.remedy if isinstance(refusal, KvmError) else ""
    said = str(refusal).removesuffix(remedy).rstrip(" .")
    return replace(check, ok=False, found=f"{check.found}: {said}", remedy=remedy or said)


def refusal_of_trial(trial: Callable[[TrialVm], None]) -> EngineError | None:
    """What came of it instead; None if KVM does as it is told."""
    with Belongings() as stack:
        try:
            trial(TrialVm(stack))
        except EngineError as error:
            return error
    return None


def scenario_checks() -> list[Check]:
    """What this host lacks for some scenarios, each with those that are not started; one check if it lacks nothing."""
    scenarios, lacking = list_scenarios(), dict[str, list[str]]()
    for scenario in scenarios:
        if why := refusal(scenario):
            lacking.setdefault(why, []).append(scenario.name)
    if not lacking:
        return [Check("scenarios", f"all {len(scenarios)}", True, "this host has what each of them needs")]
    return [not_started(why, names) for why, names in lacking.items()]


def not_started(why: str, names: Sequence[str]) -> Check:
    """Some scenarios that are not started. Others are: it is no fault of a host that it has no vhost worker."""
    problem, _, remedy = why.partition(": ")
    which = ", ".join(names) if len(names) <= NAMED else f"{names[0]} and {len(names) - 1} more"
    return Check("scenarios", which, False, f"not started: {problem}", remedy, optional=True)
