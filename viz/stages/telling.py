"""What a sentence about a stage is made of: a journey at its stage, what was around it, and names for both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bellwire.engine.counted import number_of
from bellwire.engine.events import SIGNALLING, EventKind, Lane, exit_name
from bellwire.engine.folds.journeys import HEAVY_INTERRUPT
from bellwire.engine.language import told_pid, tr, tr_as
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import grouped, spent


@dataclass(frozen=True)
class Telling:
    """One journey that is told, at one of its stages."""

    point: Standpoint
    around: Circumstances

    # -- the doorbell

    @property
    def doorbell(self) -> Doorbell:
        """How it was rung, as its ioeventfd was registered then or would have been."""
        found = self.around.wires(self.point.start).doorbell or self.around.scenario.doorbell
        assert found is not None
        return found

    @property
    def number(self) -> str:
        """The doorbell's, grouped."""
        return grouped(int(self.point.journey["seq"][0]))

    @property
    def address(self) -> int:
        """That the guest wrote to, as its own stamp has it."""
        ring = self.around.stamped(self.point.stamp("ring"), EventKind.RING)
        return self.doorbell.address if ring is None else int(ring["id"])

    @property
    def value(self) -> int:
        """That the guest wrote: its program rings its queues in turn."""
        queues = self.doorbell.queues
        return (int(self.point.journey["seq"][0]) - 1) % queues if queues > 1 else self.doorbell.value

    @property
    def write(self) -> str:
        """What the guest rings with, "OUT" or "store"."""
        return "OUT" if self.by_port else tr_as("into memory", "store")

    @property
    def by_port(self) -> bool:
        """Whether it rings at an I/O port."""
        doorbell = self.around.scenario.doorbell
        return bool(doorbell and doorbell.bus == "pio")

    @property
    def place(self) -> str:
        """Where to, "port 0x510" or "0xd0000000"."""
        return tr("port {address:#x}", address=self.address) if self.by_port else f"{self.address:#x}"

    @property
    def emulated(self) -> bool:
        """Whether the guest's instructions are, one by one: PVM does so, and ends interrupts itself."""
        return self.around.backend == "kvm_pvm"

    @property
    def bus(self) -> str:
        """ "PIO bus"."""
        return tr("{bus} bus", bus=self.doorbell.bus.upper())

    @property
    def ringer(self) -> str:
        """Who rang."""
        if Trait.TWO_GUESTS in self.traits:
            return tr("guest A")
        if Trait.TWO_VCPUS not in self.traits:
            return tr("the guest")
        ring = self.around.stamped(self.point.stamp("ring"), EventKind.RING)
        return tr("the guest") if ring is None else f"vCPU {int(ring['vm'])}"

    @property
    def reason(self) -> str:
        """Why KVM_RUN returned: "KVM_EXIT_IO"; "" if that event is not held."""
        exit_ = self.around.stamped(self.point.stamp("exit") or self.point.stamp("fetched"), EventKind.EXIT)
        return "" if exit_ is None else f"KVM_EXIT_{exit_name(int(exit_['id']))}"

    @property
    def left_for(self) -> str:
        """What made the vCPU leave, while KVM's ring kept the doorbell, as a clause."""
        left = self.around.stamped(self.point.stamp("fetched"), EventKind.EXIT)
        if left is None:
            return tr("the vCPU leaves")
        if left["seq"]:
            number = grouped(int(left["seq"]))
            return tr(
                "doorbell #{number} finds the ring full, so the vCPU leaves with {reason}",
                number=number,
                reason=self.reason,
            )
        if self.reason in ("KVM_EXIT_IO", "KVM_EXIT_MMIO"):  # a write would be a doorbell, or would be kept as well
            return tr(
                "the guest accesses {address:#x} otherwise, so the vCPU leaves with {reason}",
                address=int(left["arg"]),
                reason=self.reason,
            )
        return tr("the vCPU leaves for another cause, {reason}", reason=self.reason)

    @property
    def fetched(self) -> int:
        """Doorbells that the vCPU thread took out of KVM's ring in the same look; 0: not known."""
        events, since = self.around.events, self.point.stamp("fetched")
        until = self.point.stamp("doorbell")
        found = events[(events["kind"] == EventKind.FETCH) & (events["tsc"] >= since) & (events["tsc"] <= until)]
        same = found[found["tsc"] == found["tsc"][0]] if since and found.size else found[:0]
        return int(same["arg"].sum())

    # -- the interrupt

    @property
    def interrupt(self) -> Interrupt:
        """How the guest is interrupted."""
        found = self.around.scenario.interrupt
        assert found is not None
        return found

    @property
    def signalled_at(self) -> int:
        """TSC at which the interrupt was asked for."""
        return self.point.stamp("irq") or self.point.start

    @property
    def answer(self) -> str:
        """The interrupt's number, "interrupt #47"; where a doorbell is the interrupt, the doorbell's."""
        if Trait.PARTNERED in self.traits:
            return tr("the answer to doorbell #{number}", number=self.number)
        if Trait.DIRECT in self.traits:
            return tr("doorbell #{number}", number=self.number)
        number = int(self.point.journey["interrupt"][0])
        if not number and not self.point.stamp("ring"):
            number = int(self.point.journey["seq"][0])
        return tr("interrupt #{number}", number=grouped(number)) if number else tr("the interrupt")

    @property
    def merged(self) -> int:
        """How many signals one run of the handler serves."""
        return int(self.point.journey["merged"][0])

    @property
    def answers(self) -> int:
        """The newest doorbell that it answers; 0: none."""
        signal = self.around.stamped(self.point.stamp("irq"), *SIGNALLING)
        return 0 if signal is None else int(signal["arg"])

    @property
    def vector(self) -> str:
        """That the handler ran for, as its own stamp has it; else where the route led."""
        run = self.around.stamped(self.point.stamp("handler"), EventKind.HANDLER)
        return f"{self.around.wires(self.signalled_at).vector if run is None else int(run['id']):#x}"

    @property
    def vcpu(self) -> str:
        """Which vCPU took it."""
        if Trait.TWO_GUESTS in self.traits:
            return tr("guest B's vCPU")
        run = self.around.stamped(self.point.stamp("handler"), EventKind.HANDLER)
        number = self.interrupt.vcpu if run is None or Trait.TWO_VCPUS not in self.traits else int(run["vm"])
        return f"vCPU {number}"

    @property
    def pin(self) -> bool:
        """Whether the GSI leads to a pin."""
        return self.interrupt.route == "ioapic"

    @property
    def call(self) -> str:
        """What the signalling thread calls."""
        if int(self.point.journey["heavy"][0]) & HEAVY_INTERRUPT:
            return IOCTLS[self.interrupt.ioctl]
        return "io_uring_enter()" if Trait.IO_URING in self.traits else "write()"

    @property
    def signaller(self) -> str:
        """Within whose call an irqfd is woken, as in "inside of ..."."""
        if Trait.IO_URING in self.traits:
            return tr("the completion")
        if Trait.KERNEL_WORKER in self.traits:
            return tr("the kernel worker's eventfd_signal()")
        if Trait.PARTNERED in self.traits:
            return tr("{process}'s write()", process=self.partner)
        if Trait.DIRECT in self.traits:
            return tr("{ringer}'s own {write}", ringer=self.ringer, write=self.write)
        return tr("the I/O thread's own write()")

    @property
    def partner(self) -> str:
        """The other process, or the kernel's worker."""
        if Trait.QEMU_SERVES in self.traits:
            return "QEMU"
        if Trait.KERNEL_WORKER in self.traits and self.around.partner > 1:
            return tr("the kernel's thread {thread}", thread=told_pid(self.around.partner))
        if Trait.KERNEL_WORKER in self.traits:
            return tr("the kernel's worker")
        if self.around.partner > 1:
            return tr("process {process}", process=told_pid(self.around.partner))
        return tr("the other process")

    # -- words

    @property
    def traits(self) -> frozenset[Trait]:
        """Of the scenario."""
        return self.around.traits

    def cpu(self, stamp: str) -> str:
        """Which CPU a thread got by a stamp of the scheduler's: "CPU 1"."""
        switched = self.around.stamped(self.point.stamp(stamp), EventKind.RUNS)
        return tr("a CPU") if switched is None else f"CPU {int(switched['arg'])}"

    def took(self, start: int, end: int) -> str:
        """How long it was from one TSC to another."""
        return spent(self.around.clock, end - start)

    @property
    def next_deed(self) -> str:
        """What the signalling thread did next, by its own stamp."""
        event = self.around.next_of(Lane.IO_THREAD, self.point.stamp("irq"))
        if event is None:
            return tr("goes on")
        match EventKind(int(event["kind"])):
            case EventKind.WAIT:
                return tr("goes to sleep")
            case EventKind.DOORBELL:
                return tr("has read the next doorbell")
            case EventKind.RESAMPLE:
                return tr("has heard from the resamplefd")
        return tr("goes on with the next signal")


Tell = Callable[[Telling], str]


def unlike(doorbell: Doorbell) -> str:
    """Why the ioeventfd does not match, as a clause; "" if it does."""
    match doorbell.differs:
        case "address":
            return tr("the ioeventfd waits at {d.ioeventfd_address:#x} instead of {d.address:#x}", d=doorbell)
        case "length":
            return tr(
                "the ioeventfd waits for {bytes}, not for {written}",
                bytes=number_of(doorbell.length, "byte"),
                written=doorbell.width,
            )
        case "value":
            return tr("the ioeventfd waits for the value {d.datamatch}, not for {d.value}", d=doorbell)
    return ""
