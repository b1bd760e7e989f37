"""Pairs events into journeys: one doorbell, or one interrupt, from its cause to its last effect.

Guarantees:
- Pairing goes by sequence numbers, never by neighbourhood in time; so a gap (a LOST event) leaves journeys unpaired,
  it never pairs two halves of different ones. What can no longer be paired is counted in `given_up`.
- It does not matter how the events are cut into batches, nor that a guest's stamp comes late (it publishes the stamps
  of a doorbell once the instruction is over, when the host may have answered already).
- What by its numbers is one journey, but by its stamps arrives before it was sent, is no journey that the clocks can
  tell of: it is counted in `contradicted` and handed out apart from the others, in `out_of_order`.
- Memory and work are bounded: work by the batch and the open journeys, those by OPEN_LIMIT and WAITING_LIMIT.
  Whatever the batch ends is ended first; what is given up by then is counted in `too_many` as well.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import (
    SIGNALLING,
    EventKind,
    Events,
    Lane,
    Switch,
    by_kind,
    chosen,
    doorbell_numbers,
    each_of,
    end_to_end,
    ids_in,
    no_events,
    vms_in,
)
from bellwire.engine.folds.beginning import Beginning
from bellwire.engine.folds.masked_pin import MaskedPin

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.outlet import VCPU_THREAD, gap_times, gaps_of
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

JOURNEY: np.dtype[np.void] = np.dtype(
    [
        ("seq", "<u8"),  # the doorbell's number; of an interrupt that answers none, the interrupt's
        ("ring", "<u8"),  # the stages' TSC in the order of the path; 0: not part of this journey
        ("exit", "<u8"),
        ("entry", "<u8"),
        ("rung", "<u8"),
        ("doorbell", "<u8"),
        ("irq", "<u8"),
        ("handler", "<u8"),
        ("interrupt", "<u8"),  # number of the interrupt that answered; 0: none
        ("batch", "<u4"),  # doorbells that the same read() of the eventfd returned
        ("merged", "<u4"),  # interrupts that the same run of the handler served
        ("heavy", "u1"),  # HEAVY_* bits, PARTNERED and TOLD_BY_ANOTHER
    ],
    align=True,  # numpy reads and writes fields of 81 bytes, none of them where the CPU likes it, a fifth slower
)
STAGES = ("ring", "exit", "entry", "rung", "doorbell", "irq", "handler")
HEAVY_DOORBELL = 1  # the doorbell left to user space
HEAVY_INTERRUPT = 2  # the interrupt was an ioctl
PARTNERED = 4  # another process answered: from ring to handler is a round trip
TOLD_BY_ANOTHER = 8  # its interrupt answered other doorbells as well: the newest of them tells how long that took

TO_HOST = (("ring", "doorbell"), ("ring", "exit"))  # (stamped by the guest, then by the host)
TO_GUEST = (("irq", "handler"), ("entry", "rung"))  # (stamped by the host, then by the guest)
FROM_GUEST_TO_GUEST = ("ring", "handler")  # of two, if there are two

LATE_EXITS = 8  # a vCPU leaves for one doorbell at a time, so few can be ahead of the guest's stamps
LATE_RINGS = 1024  # handlers that can be ahead of the stamps of the guest that rang
CHAIN = 64  # handlers in a row, each of which was told of the next interrupt before that was signalled: not more
# Two guests keep step if each doorbell is announced just before the handler of the one before looks: from there to the
# doorbell's stamp, and from the handler's to its look, is no longer than so many doorbells take.
IN_STEP = 2
EARLY_HANDLERS = 1024  # handlers that can be ahead of the signals that they serve, where the clocks are apart
GAPS_KEPT = 1024  # gaps of the vCPU threads before the newest batch
NEVER = 2**64
OPEN_LIMIT = 1 << 16  # doorbells under way at once; beyond, the oldest are given up
WAITING_LIMIT = 1 << 18  # interrupts, 23 MB; a host flat out signals so many while the guest loses its CPU for 0.3 s

Journeys = npt.NDArray[np.void]  # shape (n,), dtype JOURNEY
Numbers = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.intp]
NONE: Numbers = np.empty(0, np.uint64)


def no_journeys() -> Journeys:
    """An empty batch."""
    return np.empty(0, JOURNEY)


def contradictory(journeys: Journeys) -> npt.NDArray[np.bool_]:
    """Which of them have a stage that their stamps put before its cause, on another clock; shape (n,)."""
    pairs = [(journeys[cause], journeys[effect]) for cause, effect in (*TO_HOST, *TO_GUEST, FROM_GUEST_TO_GUEST)]
    wrong: npt.NDArray[np.bool_] = np.logical_or.reduce([(effect > 0) & (effect < cause) for cause, effect in pairs])
    return wrong


def tells_of_interrupt(journeys: Journeys) -> npt.NDArray[np.bool_]:
    """Which of them tell of their interrupt: of several doorbells that it answered, one; shape (n,)."""
    telling: npt.NDArray[np.bool_] = (journeys["heavy"] & TOLD_BY_ANOTHER) == 0
    return telling


def finish(journeys: Journeys) -> npt.NDArray[np.uint64]:
    """TSC of each journey's last stage; shape (n,)."""
    last: Numbers = np.maximum.reduce([journeys[stage] for stage in STAGES])
    return last


class Waiting:
    """Interrupts under way, by number, in the batches in which they were signalled.

    Of those that no handler has reached none is touched, however many wait: a guest that does not run leaves thousands.
    """

    def __init__(self) -> None:
        self._parts = deque[Journeys]()
        self._count = 0

    @property
    def newest(self) -> int:
        """The number of the newest one; 0 if there is none."""
        return int(self._parts[-1]["interrupt"][-1]) if self._parts else 0

    @property
    def since(self) -> int:
        """When the oldest was signalled, TSC; beyond any time if there is none."""
        return int(self._parts[0]["irq"].min()) if self._parts else NEVER

    def add(self, signalled: Journeys) -> None:
        """Adds the next ones."""
        if signalled.size:
            self._parts.append(signalled)
        self._count += signalled.size

    def let_go(self) -> int:
        """How many of the oldest have to go, so that WAITING_LIMIT are left: of those that the batch has not ended."""
        gone = over = max(0, self._count - WAITING_LIMIT)
        while over:
            oldest = self._parts.popleft()
            self._count -= oldest.size
            self.put_back(oldest[over:])
            over = max(0, over - oldest.size)
        return gone

    def take(self, number: int) -> Journeys:
        """Takes out those up to a number, and those that came together with them; shape (n,)."""
        reached = [no_journeys()]
        while self._parts and self._parts[0]["interrupt"][0] <= number:
            reached.append(self._parts.popleft())
            self._count -= reached[-1].size
        return end_to_end(*reached)

    def put_back(self, journeys: Journeys) -> None:
        """What was taken, and waits on."""
        if journeys.size:
            self._parts.appendleft(journeys)
        self._count += journeys.size


# -- Which interrupt of a level runs which handler. A handler reads the newest number that was announced a moment after
# it has begun, and by then the device may have heard that its line is low, and raised it for the next interrupt: that
# one has a handler of its own, which finds nothing new. Each waits for the one before, so they come in turn.
#
# Where the back end ends an interrupt as it injects it, and nobody but the handler's write to the device lowers the
# line, that is high still, and a handler runs once more: for nothing, or it is told of the next interrupt. That one's
# own run is the one after, and by then its line is low again, unless another interrupt has raised it.

MOST_OWED = 8  # interrupts that wait for their handler, at a line
STILL_HIGH = 0  # what a handler ran for that ran as the line was high still


class InTurn:
    """A fold over the handlers of a level, over the gaps between them, and over changes of its irqfd's wire.

    irqfd: whether the line is raised by one, whose resamplefd tells that it is low. ends_early: whether KVM ends an
    interrupt as it injects it.
    """

    def __init__(self, irqfd: bool = True, ends_early: bool = False) -> None:
        self._irqfd, self._ends_early = irqfd, ends_early
        self._owed: list[int] = []  # interrupts that a handler has seen announced, and has not run for, or STILL_HIGH
        self._gap = False  # whether handlers may be missing since the newest one

    def feed(self, events: Events) -> npt.NDArray[np.uint64]:
        """The number of the interrupt that each handler among the events ran for, 0: not known, or none; shape (n,).

        What is neither a handler nor a word on the wire says that some may be missing before the next handler.
        """
        handler = events["kind"] == EventKind.HANDLER
        alike = not self._still_high and handler.all() and bool((events["arg"] == 1).all())
        if alike and not (self._owed or self._gap):
            same: npt.NDArray[np.uint64] = events["seq"].copy()
            return same
        rows = zip(*(events[name].tolist() for name in ("kind", "seq", "arg")), strict=True)
        numbers: npt.NDArray[np.uint64] = np.array([self._take(*row) for row in rows], np.uint64)[handler]
        return numbers

    def _take(self, kind: int, seq: int, arg: int) -> int:
        if kind == EventKind.HANDLER:
            return self.next(seq, arg)
        return self.wire(bool(arg)) if kind == EventKind.WIRE else self.miss()

    @property
    def _still_high(self) -> bool:
        """Whether the line is high still when an interrupt ends."""
        return self._ends_early and not self._irqfd

    def wire(self, irqfd: bool) -> int:
        """A word on whether there is an irqfd; 0. If that is new, what was under way is not known of."""
        same, self._irqfd = irqfd == self._irqfd, irqfd
        return 0 if same else self.miss()

    def miss(self) -> int:
        """Handlers may be missing before the next one; 0."""
        self._owed.clear()
        self._gap = True
        return 0

    def next(self, seq: int, covers: int) -> int:
        """The number of the interrupt that the next handler ran for, 0: not known, or none."""
        most = 1 if self._gap else MOST_OWED - len(self._owed)
        self._gap = False
        if covers > most:
            self._owed.clear()
            return 0
        at_rest = not self._owed
        self._owed += range(max(seq - covers, 0) + 1, seq + 1)
        ran_for = self._owed.pop(0) if self._owed else 0
        if self._still_high and at_rest and ran_for:
            self._owed.insert(0, STILL_HIGH)
        if not covers:
            self._owed.clear()
        return ran_for


def in_turn_of(scenario: Scenario, backend: str) -> InTurn | None:
    """What tells of a level's handlers for which interrupt each ran; None where each tells it itself.

    Without an irqfd the VMM lowers the line, on most back ends before the interrupt has ended.
    """
    traits, interrupt = traits_of(scenario, backend), scenario.interrupt
    ends_early = Trait.ENDED_BY_KVM in traits
    if interrupt is None or Trait.LEVEL not in traits or not (interrupt.irqfd or ends_early):
        return None
    return InTurn(interrupt.irqfd, ends_early)


class JourneyTracker:
    """Folds events into complete journeys.

    Where the host answers doorbells, a journey ends with the handler. Where the doorbell's eventfd is the irqfd's, it
    goes from the doorbell to the handler, and has no stage on the host in between.
    """

    def __init__(self, scenario: Scenario, backend: str = "") -> None:
        """backend: KVM's, as the source of the events has it."""
        traits = traits_of(scenario, backend)
        self.answered, self.direct = Trait.ANSWERED in traits, Trait.DIRECT in traits
        self.answerer = PARTNERED if Trait.PARTNERED in traits else 0  # bits of `heavy` that every journey has
        if Trait.VMM_EXITS in traits:  # its own exits tell another VMM's doorbells apart, and ours are none
            self.answerer |= HEAVY_DOORBELL | HEAVY_INTERRUPT
        self.pin = MaskedPin()
        if Trait.MASKED in traits:
            self.pin.mask(0)
        self.queues = scenario.doorbell.queues if scenario.doorbell else 1
        self.vcpus = scenario.vcpus  # that ring
        self.ambiguous = self.vcpus > 1  # whether a number may be that of another one's doorbell
        self.two_clocks = Trait.TWO_GUESTS in traits  # whether one guest rings and another one is interrupted
        self.given_up = 0  # journeys that began and can never be completed, because events were lost,
        self.too_many = 0  # or, of these, because too many were under way at once
        self.contradicted = 0  # complete ones with a stage before its cause
        self.out_of_order = no_journeys()  # of these, those of the newest batch
        self._doorbells = no_journeys()  # under way, by seq
        self._interrupts = Waiting()  # under way
        self._opened = 0  # newest doorbell known of
        self._left = {vcpu: no_events() for vcpu in range(self.vcpus)}  # each vCPU thread's last few
        self._ringing = dict.fromkeys(range(self.vcpus), 0)  # the newest doorbell of each vCPU
        self._heard = no_events()  # where doorbells are interrupts, the last few handlers,
        self._in_step = np.zeros(0, bool)  # and which of them were in step with the guest that rings
        self._signalled = 0  # newest interrupt
        self._answered_to = 0  # newest doorbell that an interrupt answered
        self._unsure = False  # whether a signal was lost since then
        self._announced = 0  # newest interrupt that a handler before the last few knew of
        self._handled = no_events()  # the last few handlers
        self._in_turn = in_turn_of(scenario, backend)
        self._from_start = True  # whether the stream is a run's from its start
        self._gap = 0  # TSC of the guest's newest gap
        self._vcpu_gaps: Numbers = np.empty(0, np.uint64)  # TSC of the vCPU threads' newest gaps, rising

    def feed(self, events: Events) -> Journeys:
        """What the next batch (sorted by tsc) completed: doorbells, then interrupts that answer none, each by seq."""
        self.out_of_order = no_journeys()
        if not events.size:
            return no_journeys()
        rings, reads = select(events, EventKind.RING), select(events, EventKind.DOORBELL)
        handlers, gaps = self._handlers(events), gap_times(events, Lane.GUEST)
        self._begin(select(events, EventKind.BEFORE))
        self.pin.feed(events)
        self._open(rings["seq"], doorbell_numbers(reads, self.queues))
        self._stamp(rings, "ring")
        self._stamp(select(events, EventKind.RUNG), "rung")
        if (lost := gap_times(events, Lane.VCPU)).size:
            self._vcpu_gaps = np.concatenate([self._vcpu_gaps[-GAPS_KEPT:], lost])
        for vcpu in range(self.vcpus):
            self._leave(vcpu, around_user_space(events, vcpu))
        self._receive(reads)
        self._signal(select(events, *SIGNALLING))
        if self.direct:
            self._arrive(handlers, gaps)
            return self._complete()
        lone = self._handle(handlers, gaps)
        self._let_go(self._interrupts.let_go())
        return end_to_end(self._complete(), lone)

    def _handlers(self, events: Events) -> Events:
        """Those of a level by the number of the interrupt that each ran for, as far as that is known."""
        handlers = select(events, EventKind.HANDLER)
        if self._in_turn is None:
            return handlers
        own = (events["kind"] == EventKind.HANDLER) | gaps_of(events, Lane.GUEST)
        own |= (events["kind"] == EventKind.WIRE) & (events["id"] == Switch.IRQFD)
        numbers = self._in_turn.feed(chosen(events, own))
        handlers = chosen(handlers, numbers > 0)
        handlers["seq"], handlers["arg"] = numbers[numbers > 0], 1
        return handlers

    def under_way_since(self, tsc: int) -> bool:
        """Whether a journey that is known to have begun by then has neither ended nor been given up."""
        open_ = self._doorbells
        known = (open_["ring"] > 0) | (open_["doorbell"] > 0)
        begun = np.where(open_["ring"] > 0, open_["ring"], open_["doorbell"])
        return self._interrupts.since <= tsc or bool((known & (begun <= np.uint64(tsc))).any())

    def _begin(self, before: Events) -> None:
        """In the middle of a run: what was under way by then has no journey here."""
        if not before.size:
            return
        self._from_start = False
        began = Beginning()
        began.note(before)
        self._opened, self._signalled = max(self._opened, began.rung), max(self._signalled, began.signalled)
        self._announced = max(self._announced, began.covered)

    def _open(self, rung: Numbers, received: Numbers) -> None:
        """Opens a journey for each doorbell up to the newest that the guest has rung or the host received."""
        first, self._opened = self._opened + 1, int(max([self._opened, *rung[-1:], received.max(initial=0)]))
        self._let_go(max(0, self._opened + 1 - first - OPEN_LIMIT))
        opened = np.zeros(min(self._opened + 1 - first, OPEN_LIMIT), JOURNEY)
        opened["seq"] = np.arange(self._opened + 1 - opened.size, self._opened + 1)
        self._doorbells = self._bounded(end_to_end(self._doorbells, opened))

    def _stamp(self, stamps: Events, stage: str) -> None:
        """Adds what the guest noted just before the doorbell instruction, or just after it."""
        row, found = lookup(stamps["seq"], self._doorbells["seq"])
        self._doorbells[stage][row] = stamps["tsc"][found]
        self._give_up_before(stamps["seq"], stage, self._in_its_instruction(stamps, stage))

    def _in_its_instruction(self, stamps: Events, stage: str) -> Numbers:
        """The doorbells that may still get this stamp though a later one has it: those that other vCPUs ring now."""
        if not self.ambiguous:
            return NONE
        if stage == "ring":
            for vcpu, rings in each_of(stamps, "vm", vms_in(stamps)):
                self._ringing[vcpu] = int(rings["seq"][-1])
            return NONE
        return np.array(list(self._ringing.values()), np.uint64)

    def _leave(self, number: int, newest: Events) -> None:
        """Adds exit and entry to the doorbells that were left to user space.

        The last few events are looked at twice: the journey of an exit may be opened only by the next batch.
        """
        vcpu = end_to_end(self._left[number], newest)
        self._left[number] = vcpu[-LATE_EXITS:]
        if not vcpu.size:
            return
        left = np.where(vcpu["kind"] == EventKind.EXIT, vcpu["seq"], 0)
        row, found = lookup(left, self._doorbells["seq"])
        self._doorbells["exit"][row] = vcpu["tsc"][found]
        self._doorbells["heavy"][row] |= HEAVY_DOORBELL

        # The ENTRY after an exit is the vCPU thread's very next event.
        returned = np.where(vcpu["kind"][1:] == EventKind.ENTRY, left[:-1], 0)
        row, found = lookup(returned, self._doorbells["seq"])
        self._doorbells["entry"][row] = vcpu["tsc"][1:][found]

    def _receive(self, reads: Events) -> None:
        """Pairs each doorbell with the read() whose count covers it: of one queue that is seq - arg < n <= seq."""
        for queue, own in each_of(reads, "id", ids_in(reads)):
            self._receive_from(queue, own)

    def _receive_from(self, queue: int, reads: Events) -> None:
        """Queues are rung in turn, so the doorbells that one's count adds up are `queues` apart."""
        upto, span = doorbell_numbers(reads, self.queues), reads["arg"] * self.queues
        row, read = covering(self._doorbells, "doorbell", np.maximum(upto, span) - span, upto)
        own = (self._doorbells["seq"] - 1) % self.queues == queue
        row, read = row[own[row]], read[own[row]]
        self._doorbells["doorbell"][row] = reads["tsc"][read]
        self._doorbells["batch"][row] = reads["arg"][read]
        self._drop(own & (self._doorbells["doorbell"] == 0) & (self._doorbells["seq"] <= upto[-1]))

    def _signal(self, signals: Events) -> None:
        """Opens each interrupt, and pairs it with the doorbells that it answers."""
        heavy = np.where(signals["kind"] == EventKind.IRQ_IOCTL, HEAVY_INTERRUPT, 0)
        above, upto = self._answers(signals)
        row, signal = covering(self._doorbells, "irq", above, upto)
        self._doorbells["irq"][row] = signals["tsc"][signal]
        self._doorbells["interrupt"][row] = signals["seq"][signal]
        self._doorbells["heavy"][row] |= heavy[signal].astype(np.uint8)
        self._doorbells["heavy"][row[:-1][signal[1:] == signal[:-1]]] |= TOLD_BY_ANOTHER
        if self.answered:
            self._give_up_before(upto + 1, "irq")

        opened = np.zeros(signals.size, JOURNEY)
        opened["seq"] = np.where(upto > above, 0, signals["seq"])  # 0: it lives on in its doorbells' journeys
        opened["interrupt"], opened["irq"], opened["heavy"] = signals["seq"], signals["tsc"], heavy
        opened = chosen(opened, ~self.pin.drops(signals["seq"]))  # no handler will ever run
        self._interrupts.add(opened)

    def _answers(self, signals: Events) -> tuple[Numbers, Numbers]:
        """The doorbells that each signal answers: above the first number, up to the second."""
        upto = running_max(self._answered_to, signals["arg"])
        numbers = np.concatenate([np.array([self._signalled], np.uint64), signals["seq"]])
        above, upto, gap = upto[:-1], upto[1:], numbers[1:] != numbers[:-1] + 1
        # After a gap only the newest doorbell is known to be this signal's: others may have been the lost ones'.
        position = np.arange(1, signals.size + 1)
        gap_at, sure_at = np.where(gap, position, -1), np.where(upto > above, position, -1)
        gap_at = np.maximum.accumulate(np.concatenate([[0 if self._unsure else -1], gap_at]))
        sure_at = np.maximum.accumulate(np.concatenate([[-1 if self._unsure else 0], sure_at]))
        above = np.where(gap_at[1:] > sure_at[:-1], np.maximum(above, upto - (upto > above)), above)
        self._unsure = bool(gap_at[-1] > sure_at[-1])
        self._signalled, self._answered_to = int(numbers[-1]), int(upto[-1]) if upto.size else self._answered_to
        return above, upto

    def _handle(self, newest: Events, gaps: Numbers) -> Journeys:
        """Pairs interrupts with the first handler that knew of them and ran after the signal; yields the lone ones.

        A handler takes its time before it looks at the announcement, so it may know of an interrupt that was signalled
        after it began: that one has a handler of its own, the next. But what caused it was signalled before: where
        by the stamps not even that was, the clocks are apart, and numbers alone say what belongs together.
        """
        gaps = np.concatenate([np.array([self._gap], np.uint64), gaps])
        handlers, latest = end_to_end(self._handled, newest), self._interrupts.newest
        known = running_max(self._announced, handlers["seq"])
        open_ = self._interrupts.take(int(known[-1]))
        first = np.searchsorted(known[1:], open_["interrupt"])
        apart, unsure = self._apart(open_["interrupt"], open_["irq"], handlers, first, latest)
        first = np.where(apart, first, np.maximum(first, np.searchsorted(handlers["tsc"], open_["irq"])))
        ended = (first < handlers.size) & ~unsure
        taken, left = (open_, no_journeys()) if ended.all() else (chosen(open_, ended), chosen(open_, ~ended))
        first, apart = first[ended], apart[ended]
        handler = chosen(handlers, first)
        # Not if a handler may be missing in between: a gap in the stamps, or one before that took this interrupt.
        gap = ~apart & (gaps[np.searchsorted(gaps, handler["tsc"], "right") - 1] >= taken["irq"])
        gap |= (taken["interrupt"] <= handler["seq"] - handler["arg"]) & (known[first] < taken["interrupt"])
        taken["handler"] = np.where(gap, 0, handler["tsc"])
        taken["merged"] = np.bincount(first[~gap], minlength=handlers.size)[first] if first.size else 0
        self._interrupts.put_back(left)
        self._gap = int(gaps[-1])
        self._keep_handlers(handlers, known)
        self._carry_over(taken)
        self.given_up += int((gap & (taken["seq"] > 0)).sum())
        return self._in_order(chosen(taken, ~gap & (taken["seq"] > 0)))

    def _apart(
        self,
        numbers: Numbers,
        sent: Numbers,
        handlers: Events,
        first: Indices,
        latest: int,
        in_step: npt.NDArray[np.bool_] | None = None,
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which signals the clocks put after their own handler, and of which that cannot be told yet; shapes (n,).

        latest: the newest signal of all that are under way, these or later ones. in_step: as caused_by_oldest().
        A handler that covers nothing, right behind it, says that something else had caused the one before.
        """
        unsure, apart = np.zeros(numbers.size, bool), np.zeros(numbers.size, bool)
        row = np.flatnonzero(first < handlers.size)
        row = row[handlers["tsc"][first[row]] < sent[row]]
        if not row.size:
            return apart, unsure
        covers, oldest = handlers["arg"], oldest_covered(handlers)
        sole = caused_by_oldest(handlers, self._from_start, in_step)
        early, untold = began_early(handlers, oldest, numbers, sent, latest)
        at = first[row]
        row = row[early[at] & (oldest[at] <= numbers[row]) & (sole[at] | (covers[at] > 1))]
        last = first[row] + 1 == handlers.size
        unsure[row[last]] = True
        row = row[~last]
        at = first[row]
        # What began before its signals, but may have been caused by one that was covered already, was told of them
        # late: that its vCPU did not run in between, so that several came, does not happen to two handlers in a row.
        unsure[row[~sole[at] & untold[at + 1]]] = True
        apart[row] = (covers[at + 1] > 0) & (sole[at] | (early[at + 1] & (covers[at + 1] > 1)))
        return apart, unsure

    def _keep_handlers(self, handlers: Events, known: Numbers) -> None:
        """The last few: with clocks apart the signals that they serve come later, by the stamps."""
        self._handled = handlers[-EARLY_HANDLERS:]
        self._announced = int(known[handlers.size - self._handled.size])

    def _carry_over(self, taken: Journeys) -> None:
        """Ends the doorbells whose interrupt was handled; gives up those whose handler was lost."""
        row, found = lookup(self._doorbells["interrupt"], taken["interrupt"])
        self._doorbells["handler"][found] = taken["handler"][row]
        self._doorbells["merged"][found] = taken["merged"][row]
        lost = np.zeros(self._doorbells.size, bool)
        lost[found] = taken["handler"][row] == 0
        self._drop(lost)

    def _arrive(self, newest: Events, gaps: Numbers) -> None:
        """Pairs each doorbell with the first handler that knew of it and ran after it was rung.

        The guest announces a doorbell before it rings it, so the handler of the one before may know of it already: two
        guests may keep step so for as long as they like (IN_STEP). The last few handlers are looked at again: the
        stamps of the guest that rings may come after them.
        """
        handlers, in_step = end_to_end(self._heard, newest), np.append(self._in_step, np.zeros(newest.size, bool))
        self._heard, self._in_step = handlers[-LATE_RINGS:], in_step[-LATE_RINGS:]
        gaps = np.concatenate([np.array([self._gap], np.uint64), gaps])
        self._gap = int(gaps[-1])
        stamped = (self._doorbells["ring"] > 0) & (self._doorbells["rung"] > 0)
        row = np.flatnonzero(stamped & (self._doorbells["handler"] == 0))
        ring, rung, seq = (self._doorbells[name][row] for name in ("ring", "rung", "seq"))
        first = np.searchsorted(np.maximum.accumulate(handlers["seq"]), seq)
        announced = ring - np.minimum(IN_STEP * (np.maximum(ring, rung) - ring), ring)  # at the earliest
        of_oldest, knew = lookup(oldest_covered(handlers), seq)
        began = handlers["tsc"][knew]
        in_step[knew] |= (announced[of_oldest] <= began) & (began <= rung[of_oldest])
        apart, unsure = self._apart(seq, announced, handlers, first, int(seq.max(initial=0)), in_step)
        first = np.where(apart, first, np.maximum(first, np.searchsorted(handlers["tsc"], ring)))
        ended = (first < handlers.size) & ~unsure
        row, ring, first = (numbers[ended] for numbers in (row, ring, first))
        tsc = handlers["tsc"][first]
        self._doorbells["handler"][row] = tsc
        self._doorbells["interrupt"][row] = self._doorbells["seq"][row]
        self._doorbells["heavy"][row] |= self.answerer
        self._doorbells["merged"][row] = np.bincount(first, minlength=handlers.size)[first] if first.size else 0
        # Not if a handler may be missing in between.
        gap = gaps[np.searchsorted(gaps, np.maximum(tsc, ring), "right") - 1]
        lost = np.zeros(self._doorbells.size, bool)
        lost[row] = (gap > 0) & (gap >= ring)
        self._drop(lost)

    def _complete(self) -> Journeys:
        """Takes out the doorbells that have every stage."""
        open_ = self._doorbells
        needed = ["ring", "rung"] + ["doorbell"] * (not self.direct) + ["handler"] * (self.answered or self.direct)
        done = np.logical_and.reduce([open_[stage] > 0 for stage in needed])
        self._doorbells = chosen(open_, ~done)
        return self._in_order(self._ways_known(chosen(open_, done)))

    def _ways_known(self, complete: Journeys) -> Journeys:
        """Without those of which nobody knows whether they left to user space: what their vCPU's thread did is lost."""
        if not self._vcpu_gaps.size:
            return complete
        arrived = np.maximum(complete["doorbell"], complete["handler"] if self.direct else 0)
        at = np.minimum(np.searchsorted(self._vcpu_gaps, complete["ring"]), self._vcpu_gaps.size - 1)
        near = self._vcpu_gaps[at]
        unknown = (complete["exit"] == 0) & (near >= complete["ring"]) & (near <= arrived)
        self.given_up += int(unknown.sum())
        return chosen(complete, ~unknown)

    def _in_order(self, complete: Journeys) -> Journeys:
        """Those whose stamps can be; the others are put aside, and counted."""
        if not complete.size:
            return complete
        wrong = contradictory(complete)
        if self.ambiguous:  # their counts are alike: what was received before it was rung was another one's
            self.given_up += int(wrong.sum())
        elif wrong.any():
            self.contradicted += int(wrong.sum())
            self.out_of_order = end_to_end(self.out_of_order, chosen(complete, wrong))
        return chosen(complete, ~wrong) if wrong.any() else complete

    def _give_up_before(self, seqs: Numbers, stage: str, but: Numbers = NONE) -> None:
        """A stage comes in the order of the numbers: who was passed over will never have it, but for a few."""
        if seqs.size:
            passed = (self._doorbells[stage] == 0) & (self._doorbells["seq"] < seqs[-1])
            self._drop(passed & ~np.isin(self._doorbells["seq"], but) if but.size else passed)

    def _drop(self, lost: npt.NDArray[np.bool_]) -> None:
        """Gives up some of the doorbells under way."""
        if lost.any():
            self.given_up += int(lost.sum())
            self._doorbells = chosen(self._doorbells, ~lost)

    def _bounded(self, journeys: Journeys) -> Journeys:
        """The newest OPEN_LIMIT; the rest is given up."""
        self._let_go(max(0, journeys.size - OPEN_LIMIT))
        return journeys[-OPEN_LIMIT:]

    def _let_go(self, count: int) -> None:
        """Some are given up though nothing of them is missing."""
        self.given_up += count
        self.too_many += count


def select(events: Events, *kinds: EventKind) -> Events:
    """The events of those kinds, in order."""
    return by_kind(events).of(*kinds)


def around_user_space(events: Events, vcpu: int = 0) -> Events:
    """What the thread of a ringing vCPU did, its gaps included, in order."""
    if not any(by_kind(events).counts[kind] for kind in VCPU_THREAD):
        return no_events()
    kind = events["kind"]
    own = ((kind == EventKind.EXIT) | (kind == EventKind.ENTRY)) & (events["vm"] == vcpu)
    return chosen(events, own | gaps_of(events, Lane.VCPU))


def lookup(wanted: Numbers, numbers: Numbers) -> tuple[Indices, Indices]:
    """Where in `numbers` (rising) each of `wanted` is (0: nowhere): pairs of index into numbers, index into wanted."""
    at = np.searchsorted(numbers, wanted)
    found = np.flatnonzero((wanted > 0) & (at < numbers.size))
    found = found[numbers[at[found]] == wanted[found]]
    return at[found], found


def covering(journeys: Journeys, stage: str, above: Numbers, upto: Numbers) -> tuple[Indices, Indices]:
    """Which range `above < seq <= upto` (rising) holds each journey without `stage`: (index of journey, of range)."""
    row = np.flatnonzero(journeys[stage] == 0)
    seq = journeys["seq"][row]
    at = np.searchsorted(upto, seq)
    held = np.flatnonzero(at < upto.size)
    held = held[above[at[held]] < seq[held]]
    return row[held], at[held]


def began_early(
    handlers: Events, oldest: Numbers, numbers: Numbers, sent: Numbers, latest: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which handlers the stamps put before the oldest signal that they cover, and of which that is still to come.

    numbers: of the signals that were sent at these times, rising; latest: of the newest signal that was.
    """
    covers, (of_oldest, found) = handlers["arg"] > 0, lookup(oldest, numbers)
    early = np.zeros(handlers.size, bool)
    early[found] = handlers["tsc"][found] < sent[of_oldest]
    return early & covers, covers & (oldest > latest)


def oldest_covered(handlers: Events) -> Numbers:
    """The number of the oldest signal that each covers, of the newest that it knows of if none is new; shape (n,)."""
    oldest: Numbers = handlers["seq"] - np.maximum(handlers["arg"], 1) + 1
    return oldest


def caused_by_oldest(
    handlers: Events, from_start: bool, in_step: npt.NDArray[np.bool_] | None = None
) -> npt.NDArray[np.bool_]:
    """Whether nothing but the oldest interrupt that a handler covers can have caused it; shape (n,).

    After one that covers several, one may follow whose cause is covered already, and so on, until one covers nothing;
    but each of those must have begun in the moment between a signal's stamp and its announcement. What came before the
    first one is not known, unless it is known that nothing did. in_step: who began in that very moment, shape (n,): so
    may any number in a row.
    """
    covers, index = handlers["arg"], np.arange(handlers.size)
    turning = covers != 1 if in_step is None else (covers != 1) | in_step
    turn = np.maximum.accumulate(np.where(turning, index, -1))  # the last one that covers not one, or is in step
    turn = np.concatenate([[-1], turn[:-1]])
    fresh = np.where(turn < 0, from_start, covers[turn] == 0)
    sole: npt.NDArray[np.bool_] = (covers == 1) & (fresh | (index - turn > CHAIN))
    return sole


def running_max(start: int, numbers: Numbers) -> Numbers:
    """[start, max(start, n0), max(start, n0, n1), ...]; shape (n + 1,)."""
    return np.maximum.accumulate(np.concatenate([np.array([start], np.uint64), numbers]))
