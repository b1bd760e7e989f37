"""The sentence or two under the diagram that a lecturer could read aloud, computed from the last second's counters.

Who is special in some way has sentences of its own for doorbells and interrupts; losses are added.
"""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.events import BLOCK_SIZE, EventfdRole, Switch
from bellwire.engine.scenarios.traits import Trait
from bellwire.viz.diagram.journey_words import journey_caption
from bellwire.viz.model.live import LiveModel, whole_in_last_second
from bellwire.viz.model.moments.shown import newest_journeys, rung_by_hand
from bellwire.viz.stages.telling import unlike
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import count_of, duration, grouped, ratio, times
from bellwire.viz.text.trust import not_there

Say = Callable[[LiveModel], str]


def caption(model: LiveModel) -> str:
    """What is happening, in one or two sentences."""
    if not model.tally.recorded:
        return "Waiting for the first event." if model.source.alive else "No guest runs."
    if model.transport.exact or model.story is not None or rung_by_hand(model).size:
        return journey_caption(model)
    if model.ended:
        return f"The guest has ended; {so_far(model)} until then."
    if model.transport.together:
        return together(model)
    if why := model.why_unknown:
        return f"What there was in the last second is not known: {why}."
    said = next((say for trait, say in SENTENCES if trait in model.traits), None)
    sentences = said(model) if said else " ".join(filter(None, (doorbells(model), interrupts(model))))
    return " ".join(filter(None, (sentences, lost_events(model))))


def together(model: LiveModel) -> str:
    """Why in slow motion tokens still stand for several journeys."""
    seconds, factor = model.usual_seconds or 0.0, model.transport.factor
    journey, seen = duration(seconds * 1e9), duration(seconds * factor * 1e9)
    start = f"At {ratio(factor)} a journey of {journey} lasts {seen}, too short to be seen"
    return f"{start}: tokens go at a pace for the eye, each with the number of journeys that it stands for."


def so_far(model: LiveModel) -> str:
    """What the guest and the host did in all."""
    rang, sent = model.tally.doorbells_rung, model.tally.irqs_signalled
    doorbells_ = f"it rang {count_of(rang, 'doorbell')}" if model.scenario.doorbell else ""
    interrupts_ = f"the host sent {count_of(sent, 'interrupt')}" if model.scenario.interrupt else ""
    if model.tally.direct:  # nobody of the host sends any
        interrupts_ = f"its handler ran {times(model.tally.irqs_handled)}"
        if Trait.TWO_GUESTS in model.traits:
            interrupts_ = f"guest B's handler ran {times(model.tally.irqs_handled)}"
    return " and ".join(filter(None, (doorbells_, interrupts_)))


def lost_events(model: LiveModel) -> str:
    """Losses are data."""
    missing = not_there(model.tally)
    return f"{missing} so far." if missing else ""


# -- one guest and the I/O thread


def doorbells(model: LiveModel) -> str:
    """The last second's doorbells, which way they went, and how many one read() took."""
    if not model.scenario.doorbell:
        return ""
    rang, left, reads, received, exits = whole_in_last_second(model, "doorbells", "left", "reads", "received", "exits")
    start = f"The guest rang {count_of(rang, 'doorbell')} in the last second"
    if not rang:
        return f"{start}."
    merged = reads and received >= 1.5 * reads
    tail = f" The I/O thread read {received / reads:.1f} at a time." if merged else ""
    return f"{start}; {way_out(rang, left)}.{tail}{other_exits(exits - left, rang)}"


def other_exits(others: int, rang: int) -> str:
    """Exits to user space that bring no doorbell, if they are more than a few."""
    return f" Accesses that are no doorbell left to user space {times(others)}." if others > rang / 10 + 10 else ""


def way_out(rang: int, left: int) -> str:
    """Which way the doorbells left the guest."""
    if not rang:
        return "nothing left to user space"
    if not left:
        return f"KVM signalled the eventfd{' each time' if rang > 1 else ''} and none left to user space"
    if left >= rang:
        who = "every one" if rang > 1 else "it"
        return f"{who} left to user space, where the vCPU thread wrote the eventfd"
    return f"{grouped(left)} of them left to user space"


def interrupts(model: LiveModel) -> str:
    """The last second's interrupts, how they were sent, and how many shared a run of the handler."""
    sent, ioctls, handlers, covered = whole_in_last_second(model, "interrupts", "ioctls", "handlers", "covered")
    interrupt = model.scenario.interrupt
    if not interrupt or (not sent and model.scenario.doorbell):
        return ""
    start = f"The host sent {count_of(sent, 'interrupt')}{'' if model.scenario.doorbell else ' in the last second'}"
    if not sent:
        return f"{start}."
    by = f"by {IOCTLS[interrupt.ioctl]}"
    how = f"{grouped(ioctls)} of them {by}" if 0 < ioctls < sent else by if ioctls else "by irqfd"
    how = f"all {how}" if sent > 1 and not ioctls else how
    merged = handlers and covered >= 1.5 * handlers
    tail = f" One run of the handler served {covered / handlers:.1f} of them." if merged else ""
    return f"{start}, {how}.{tail}"


def listening(model: LiveModel) -> str:
    """Signals of an eventfd that is an irqfd only now and then."""
    sent, handlers, covered = whole_in_last_second(model, "interrupts", "handlers", "covered")
    start = f"The host signalled the eventfd {times(sent)} in the last second"
    if not model.wired(Switch.IRQFD):
        return f"{start}{until_then(handlers)}. {unheard(model)}"
    kept = model.tally.eventfd_counts.get(EventfdRole.IRQ)  # assigning has injected once, and read nothing
    tail = f" The eventfd keeps its count, {grouped(kept)}, until the next signal takes it along." if kept else ""
    return f"{start}. The irqfd listens: the handler ran {times(handlers)}, for {count_of(covered, 'signal')}.{tail}"


def until_then(handlers: int) -> str:
    """What the handler did in a second at whose end nobody listens any more."""
    return f", and the handler ran {times(handlers)}" if handlers else ""


def unheard(model: LiveModel) -> str:
    """That no irqfd listens, and what becomes of signals."""
    return f"No irqfd listens now: the eventfd keeps its count, {kept_in(model)}, and nobody is interrupted."


def kept_in(model: LiveModel) -> str:
    """The count of the interrupt's eventfd, as sampled last; "–" before that."""
    count = model.tally.eventfd_counts.get(EventfdRole.IRQ)
    return "–" if count is None else grouped(count)


def missed(model: LiveModel) -> str:
    """Doorbells that the registered ioeventfd does not match."""
    rang, left = whole_in_last_second(model, "doorbells", "left")
    registered = model.evidence.doorbell
    if not rang or not model.wired(Switch.IOEVENTFD) or registered is None or registered.hit:  # a lab has mended it
        return doorbells(model)
    return (
        f"The guest rang {count_of(rang, 'doorbell')} in the last second, and {unlike(registered)}: KVM found nobody, "
        f"and {grouped(left)} left to user space, where the vCPU thread wrote the eventfd."
    )


def coalesced(model: LiveModel) -> str:
    """Writes that KVM keeps until the vCPU leaves for another reason."""
    names = ("doorbells", "received", "fetches", "fetched", "left")
    rang, received, fetches, fetched, left = whole_in_last_second(model, *names)
    start = f"The guest wrote {count_of(rang, 'doorbell')} in the last second"
    if not rang and not received:
        return f"{start}."
    parts = []
    if fetched:
        mean = f", {fetched / fetches:.1f} at a time" if fetches > 1 else ""
        parts.append(f"the vCPU thread fetched {grouped(fetched)} out of KVM's ring, {times(fetches)}{mean}")
    if left:
        parts.append(f"{grouped(left)} found the ring full and left to user space")
    if received > fetched + left:
        parts.append(f"{grouped(received - fetched - left)} were taken by the ioeventfd")
    if parts:
        return f"{start}; {', '.join(parts)}."
    kept = "" if model.wired(Switch.IOEVENTFD) else " KVM keeps them in its ring;"
    return f"{start}.{kept} nobody has fetched or received any meanwhile."


def fan_out(model: LiveModel) -> str:
    """Doorbells told apart by their value."""
    doorbell = model.scenario.doorbell
    rang, left, reads = whole_in_last_second(model, "doorbells", "left", "reads")
    if not doorbell or not rang or left:
        return " ".join(filter(None, (doorbells(model), interrupts(model))))
    counts = whole_in_last_second(model, *(f"received {queue}" for queue in range(doorbell.queues)))
    each = ", ".join(grouped(count) for count in counts[:-1]) + f" and {grouped(counts[-1])}"
    return (
        f"The guest rang {count_of(rang, 'doorbell')} at one address in the last second, and KVM told them apart by "
        f"the value: the {doorbell.queues} eventfds brought the I/O thread {each}, in {count_of(reads, 'read')}."
    )


def masked(model: LiveModel) -> str:
    """Signals that nobody will ever handle."""
    sent, handlers = whole_in_last_second(model, "interrupts", "handlers")
    state = "masked, so" if model.wires.masked else "not masked now, and"
    return (
        f"The host signalled {count_of(sent, 'interrupt')} in the last second, and each call succeeded. The pin is "
        f"{state} the handler ran {times(handlers)}; {lost_signals(model)}."
    )


def lost_signals(model: LiveModel) -> str:
    """Of a masked pin: not each of them was an edge there, as a worker may make one of several."""
    lost = model.tally.irqs_lost
    return f"{grouped(lost)} {'signal is' if lost == 1 else 'signals are'} lost so far"


def second_irqfd(model: LiveModel) -> str:
    """A second irqfd on one eventfd."""
    number = model.wires.refused
    tail = f" KVM has refused another irqfd on the same eventfd {times(number)}: EBUSY." if number else ""
    return f"{interrupts(model)}{tail}"


def masking(model: LiveModel) -> str:
    """A pin that is masked now and then."""
    sent, handlers = whole_in_last_second(model, "interrupts", "handlers")
    state = "masked" if model.wires.masked else "not masked"
    return (
        f"The host signalled {count_of(sent, 'interrupt')} in the last second, and each call succeeded. The pin is "
        f"{state} now; the handler ran {times(handlers)}, and {lost_signals(model)}."
    )


def lowered_level(model: LiveModel) -> str:
    """A level that KVM lowers at the guest's EOI."""
    sent, heard, handlers = whole_in_last_second(model, "interrupts", "resamples", "handlers")
    at = "As it injected" if model.source.backend == "kvm_pvm" else "At the EOI"  # which PVM writes itself
    return (
        f"The device raised its line {times(sent)} in the last second and the guest's handler ran "
        f"{times(handlers)}. {at} KVM lowered the line, and said so by the resamplefd {times(heard)}."
    )


def acknowledged(model: LiveModel) -> str:
    """A level that the VMM lowers when the guest has written to the device."""
    sent, heard, exits = whole_in_last_second(model, "ioctls", "resamples", "exits")
    spurious = model.tally.irqs_spurious
    tail = (
        f" {count_of(spurious, 'run')} of the handler so far had no cause: the line was still high." if spurious else ""
    )
    return (
        f"The VMM raised the line {times(sent)} in the last second by KVM_IRQ_LINE; the guest's "
        f"acknowledgement left to user space {times(exits)} and lowered it {times(heard)}.{tail}"
    )


def held_off(model: LiveModel) -> str:
    """Interrupts that wait for the guest to let them in."""
    sent, opened = whole_in_last_second(model, "interrupts", "windows")
    waits = model.travel.held(newest_journeys(model, 100))
    median = f", {duration(model.clock.ns(waits))} at the median" if waits else ""
    return (
        f"{doorbells(model)} The host answered with {count_of(sent, 'interrupt')}, which waited in the local APIC "
        f"until the guest opened its window, {times(opened)}{median}."
    )


def routed(model: LiveModel) -> str:
    """Interrupts whose vector the routing table decides."""
    sent = whole_in_last_second(model, "interrupts")[0]
    vectors = sorted(int(name.split()[1]) for name in model.past.names(*model.second) if name.startswith("handler "))
    runs = whole_in_last_second(model, *(f"handler {vector}" for vector in vectors))
    each = " and ".join(f"{times(n)} by {vector:#x}" for vector, n in zip(vectors, runs, strict=True))
    how = while_routed(model, "changed again and again")
    return (
        f"The host sent {count_of(sent, 'interrupt')} in the last second{how}: "
        f"the guest was interrupted {each or 'not yet'}."
    )


def while_routed(model: LiveModel, changes: str) -> str:
    """How they were sent, and whether they asked a route that changed meanwhile."""
    interrupt = model.scenario.interrupt
    assert interrupt is not None
    sent, ioctls = whole_in_last_second(model, "interrupts", "ioctls")
    through = f"through {interrupt.irqfds} irqfds" if interrupt.irqfds > 1 else "through one irqfd"
    through = f"by {IOCTLS[interrupt.ioctl]}" if ioctls and interrupt.ioctl != "signal-msi" else through
    through = f" {through} while its route {changes}" if interrupt.reroute_ms else f" {through}"
    if not ioctls or interrupt.ioctl != "signal-msi":
        return through
    if ioctls >= sent:
        return " by KVM_SIGNAL_MSI, which asks no route"
    return f", {grouped(ioctls)} of them by KVM_SIGNAL_MSI, which asks no route, the others{through}"


# -- other machines


def neighbours(model: LiveModel) -> str:
    """Guest A rings, guest B is interrupted."""
    return direct(model, "Guest A", "guest B's handler", "A's vCPU thread")


def itself(model: LiveModel) -> str:
    """A guest rings itself."""
    return direct(model, "The guest", "its own handler", "its vCPU thread")


def direct(model: LiveModel, who: str, handler: str, thread: str) -> str:
    """One eventfd is doorbell and interrupt."""
    rang, left, handlers, covered = whole_in_last_second(model, "doorbells", "left", "handlers", "covered")
    start = f"{who} rang {count_of(rang, 'doorbell')} in the last second"
    if not model.wired(Switch.IRQFD):
        return f"{start}{until_then(handlers)}. {unheard(model)}"
    if not rang:
        return f"{start}."
    out = f"{grouped(left)} left to user space, where {thread} wrote the eventfd"
    many = "" if covered == handlers else f" for {grouped(covered)} of them"
    many = f" for {grouped(covered)}, some of them kept from before" if covered > rang + handlers else many
    return (
        f"{start}; {out if left else 'KVM signalled the eventfd itself'}, and {handler} ran {times(handlers)}{many}. "
        f"{read_by_us(model.tally.eventfd_reads)}."
    )


def read_by_us(reads: int) -> str:
    """Whether anybody but the kernel has taken the count."""
    return f"Threads of the host have read it {times(reads)}" if reads else "No thread of the host has read the eventfd"


def partnered(model: LiveModel) -> str:
    """Another process is the device."""
    rang, left, handlers = whole_in_last_second(model, "doorbells", "left", "handlers")
    pid = model.tally.partner_pid
    other = f"process {pid}" if pid else "the other process"
    start = f"The guest sent {count_of(rang, 'request')} in the last second"
    woke = f"KVM woke {other} by the kick eventfd" if not left else f"our vCPU thread had to wake {other} {times(left)}"
    if 0 < left < rang:
        woke = f"KVM woke {other} by the kick eventfd, or our vCPU thread had to, {times(left)}"
    woke = f"; {woke}" if rang else ""
    if not model.wired(Switch.IRQFD):
        kept = kept_in(model)
        return f"{start}{woke}. The irqfd is off, so the call eventfd keeps its count, {kept}, and the guest waits."
    if not rang:
        return f"{start}."
    ours = "Our vCPU thread took part" if left else "No thread of this program took part"
    return f"{start}{woke}. It answered with {count_of(handlers, 'interrupt')} through the irqfd. {ours}."


def completed_reads(model: LiveModel) -> str:
    """The completion of a read interrupts the guest."""
    sent, handlers, covered = whole_in_last_second(model, "interrupts", "handlers", "covered")
    if not sent:
        return doorbells(model)
    return (
        f"{doorbells(model)} The I/O thread submitted {count_of(sent, 'read')} of {BLOCK_SIZE} bytes and wrote no "
        f"irqfd: their completions interrupted the guest, {grouped(covered)} answers in {count_of(handlers, 'run')} of "
        "the handler."
    )


def suppressed(model: LiveModel) -> str:
    """Kicks and interrupts for each buffer."""
    added, used, kicks, sent = whole_in_last_second(model, "buffers 0", "buffers 1", "doorbells", "interrupts")
    if not added or not used:
        return doorbells(model)
    return (
        f"The driver added {count_of(added, 'buffer')} in the last second and kicked {times(kicks)}, "
        f"{kicks / added:.2f} kicks a buffer. The device gave {grouped(used)} back with "
        f"{count_of(sent, 'interrupt')}, {sent / used:.2f} a buffer."
    )


def of_both(model: LiveModel, what: str, by: str) -> str:
    """How often each of two vCPUs did it; a number never follows a vCPU's own."""
    first, second = whole_in_last_second(model, f"{what} of 0", f"{what} of 1")
    return f"{times(first)} {by} vCPU 0 and {times(second)} {by} vCPU 1"


def two_vcpus(model: LiveModel) -> str:
    """Two vCPUs that ring one eventfd, or of which the route chooses one."""
    if model.scenario.doorbell:
        rang, left, reads, received = whole_in_last_second(model, "doorbells", "left", "reads", "received")
        return (
            f"In the last second the doorbell was rung {of_both(model, 'rings', 'by')}; {way_out(rang, left)}. "
            f"The I/O thread received {count_of(received, 'doorbell')} by {count_of(reads, 'read')} of the one eventfd."
        )
    sent = whole_in_last_second(model, "interrupts")[0]
    return (
        f"The host sent {count_of(sent, 'interrupt')} in the last second"
        f"{while_routed(model, 'moved from vCPU to vCPU')}: the handler ran {of_both(model, 'handlers', 'on')}."
    )


# The first trait that the scenario has decides.
SENTENCES: tuple[tuple[Trait, Say], ...] = (
    (Trait.TWO_GUESTS, neighbours),
    (Trait.TWO_VCPUS, two_vcpus),
    (Trait.PARTNERED, partnered),
    (Trait.DIRECT, itself),
    (Trait.IO_URING, completed_reads),
    (Trait.VIRTQUEUE, suppressed),
    (Trait.COALESCED, coalesced),
    (Trait.MISS, missed),
    (Trait.MENDED, missed),
    (Trait.QUEUES, fan_out),
    (Trait.SECOND_IRQFD, second_irqfd),
    (Trait.MASKED, masked),
    (Trait.MASKING, masking),
    (Trait.WAITS, listening),
    (Trait.RESAMPLE, lowered_level),
    (Trait.ACKNOWLEDGED, acknowledged),
    (Trait.WINDOW, held_off),
    (Trait.REROUTE, routed),
)
