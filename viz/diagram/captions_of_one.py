"""What the caption says where a guest and the I/O thread signal each other."""

from __future__ import annotations

from bellwire.engine.events import EventfdRole, Switch
from bellwire.engine.findings.finding import begun_large, or_more
from bellwire.engine.language import tr, tr_later, tr_n
from bellwire.viz.model.live import LiveModel, whole_in_last_second
from bellwire.viz.model.moments.shown import newest_journeys
from bellwire.viz.stages.telling import unlike
from bellwire.viz.text.event_words import IOCTLS
from bellwire.viz.text.figures import count_of, grouped, listed, localized, spent, times


def spaced(*sentences: str) -> str:
    """Those that say something, one behind the other."""
    return " ".join(filter(None, sentences))


# -- doorbells


def doorbells(model: LiveModel) -> str:
    """The last second's doorbells, which way they went, and how many one read() took."""
    if not model.scenario.doorbell:
        return ""
    rang, left, reads, received, exits = whole_in_last_second(model, "doorbells", "left", "reads", "received", "exits")
    if not rang:
        return tr("The guest rang no doorbell in the last second.")
    told = tr(
        "The guest rang {doorbells} in the last second; {way}.",
        doorbells=count_of(rang, "doorbell"),
        way=way_out(rang, left),
    )
    merged = ""
    if reads and received >= 1.5 * reads:
        merged = tr("The I/O thread read {mean} at a time.", mean=localized(f"{received / reads:.1f}"))
    return spaced(told, merged, other_exits(exits - left, rang))


def other_exits(others: int, rang: int) -> str:
    """Exits to user space that bring no doorbell, if they are more than a few."""
    if others <= rang / 10 + 10:
        return ""
    return tr("Accesses that are no doorbell left to user space {times}.", times=times(others))


def way_out(rang: int, left: int) -> str:
    """Which way the doorbells left the guest, as a clause."""
    if not rang:
        return tr("nothing left to user space")
    if not left and rang == 1:
        return tr("KVM signalled the eventfd and none left to user space")
    if not left:
        return tr("KVM signalled the eventfd each time and none left to user space")
    if left < rang:
        return tr("{number} of them left to user space", number=grouped(left))
    if rang == 1:
        return tr("it left to user space, where the vCPU thread wrote the eventfd")
    return tr("every one left to user space, where the vCPU thread wrote the eventfd")


def missed(model: LiveModel) -> str:
    """Doorbells that the registered ioeventfd does not match."""
    rang, left = whole_in_last_second(model, "doorbells", "left")
    registered = model.evidence.doorbell
    if not rang or not model.wired(Switch.IOEVENTFD) or registered is None or registered.hit:  # a lab has mended it
        return doorbells(model)
    return tr(
        "The guest rang {doorbells} in the last second, and {why}: KVM found nobody, and {left} left to user space, "
        "where the vCPU thread wrote the eventfd.",
        doorbells=count_of(rang, "doorbell"),
        why=unlike(registered),
        left=grouped(left),
    )


def coalesced(model: LiveModel) -> str:
    """Writes that KVM keeps until the vCPU leaves for another reason."""
    rang, received, fetched, left = whole_in_last_second(model, "doorbells", "received", "fetched", "left")
    count, parts = count_of(rang, "doorbell"), []
    if fetched:
        parts.append(fetched_words(model, fetched))
    if left:
        parts.append(tr("{number} found the ring full and left to user space", number=grouped(left)))
    if received > fetched + left and Switch.IOEVENTFD in model.evidence.ways.was_on:  # else fetched a second before
        parts.append(tr("{number} were taken by the ioeventfd", number=grouped(received - fetched - left)))
    if parts and (rang or received):
        return tr("The guest wrote {doorbells} in the last second; {what}.", doorbells=count, what=", ".join(parts))
    told = tr("The guest wrote {doorbells} in the last second.", doorbells=count)
    if not rang and not received:
        return told
    if model.wired(Switch.IOEVENTFD):
        return spaced(told, tr("Nobody has fetched or received any meanwhile."))
    return spaced(told, tr("KVM keeps them in its ring; nobody has fetched or received any meanwhile."))


def fetched_words(model: LiveModel, fetched: int) -> str:
    """What the vCPU thread took out of KVM's ring, as a clause."""
    fetches = whole_in_last_second(model, "fetches")[0]
    if fetches <= 1:
        return tr(
            "the vCPU thread fetched {number} out of KVM's ring, {times}", number=grouped(fetched), times=times(fetches)
        )
    return tr(
        "the vCPU thread fetched {number} out of KVM's ring, {times}, {mean} at a time",
        number=grouped(fetched),
        times=times(fetches),
        mean=localized(f"{fetched / fetches:.1f}"),
    )


def fan_out(model: LiveModel) -> str:
    """Doorbells told apart by their value."""
    doorbell = model.scenario.doorbell
    rang, left, reads = whole_in_last_second(model, "doorbells", "left", "reads")
    if not doorbell or not rang or left:
        return spaced(doorbells(model), interrupts(model))
    counts = whole_in_last_second(model, *(f"received {queue}" for queue in range(doorbell.queues)))
    return tr(
        "The guest rang {doorbells} at one address in the last second, and KVM told them apart by the value: the "
        "{queues} eventfds brought the I/O thread {each}, in {reads}.",
        doorbells=count_of(rang, "doorbell"),
        queues=doorbell.queues,
        each=listed([grouped(count) for count in counts]),
        reads=count_of(reads, "read"),
    )


# -- interrupts


def interrupts(model: LiveModel) -> str:
    """The last second's interrupts, how they were sent, and how many shared a run of the handler."""
    sent, ioctls, handlers, covered = whole_in_last_second(model, "interrupts", "ioctls", "handlers", "covered")
    if not model.scenario.interrupt or (not sent and model.scenario.doorbell):
        return ""
    if not sent:
        return tr("The host sent no interrupt in the last second.")
    count, how = count_of(sent, "interrupt"), way_in(model, sent, ioctls)
    told = tr("The host sent {interrupts} in the last second, {how}.", interrupts=count, how=how)
    if model.scenario.doorbell:
        told = tr("The host sent {interrupts}, {how}.", interrupts=count, how=how)
    merged = ""
    if handlers and covered >= 1.5 * handlers:
        merged = tr("One run of the handler served {mean} of them.", mean=localized(f"{covered / handlers:.1f}"))
    return spaced(told, merged)


def way_in(model: LiveModel, sent: int, ioctls: int) -> str:
    """How interrupts were sent."""
    if not ioctls:
        return tr("all by irqfd") if sent > 1 else tr("by irqfd")
    assert model.scenario.interrupt is not None
    call = IOCTLS[model.scenario.interrupt.ioctl]
    return tr("{number} of them by {call}", number=grouped(ioctls), call=call) if ioctls < sent else by_call(call)


def by_call(call: str) -> str:
    """ "by KVM_IRQ_LINE"."""
    return tr("by {call}", call=call)


def listening(model: LiveModel) -> str:
    """Signals of an eventfd that is an irqfd only now and then."""
    sent, handlers, covered = whole_in_last_second(model, "interrupts", "handlers", "covered")
    told = tr("The host signalled the eventfd {times} in the last second.", times=times(sent))
    if not model.wired(Switch.IRQFD):
        if handlers:  # until then
            told = tr(
                "The host signalled the eventfd {times} in the last second, and the handler ran {runs}.",
                times=times(sent),
                runs=times(handlers),
            )
        return spaced(told, unheard(model))
    ran = tr(
        "The irqfd listens: the handler ran {times}, for {signals}.",
        times=times(handlers),
        signals=count_of(covered, "signal"),
    )
    kept = model.tally.eventfd_counts.get(EventfdRole.IRQ)  # assigning has injected once, and read nothing
    if not kept:
        return spaced(told, ran)
    along = tr("The eventfd keeps its count, {count}, until the next signal takes it along.", count=grouped(kept))
    return spaced(told, ran, along)


def unheard(model: LiveModel) -> str:
    """That no irqfd listens, and what becomes of signals."""
    return tr(
        "No irqfd listens now: the eventfd keeps its count, {count}, and nobody is interrupted.", count=kept_in(model)
    )


def kept_in(model: LiveModel) -> str:
    """The count of the interrupt's eventfd, as sampled last; "–" before that."""
    count = model.tally.eventfd_counts.get(EventfdRole.IRQ)
    return "–" if count is None else grouped(count)


def masked(model: LiveModel) -> str:
    """Signals that nobody will ever handle."""
    if model.wires.masked:
        return at_the_pin(model, tr_later("The pin is masked, so the handler ran {times}; {lost}."))
    return at_the_pin(model, tr_later("The pin is not masked now, and the handler ran {times}; {lost}."))


def masking(model: LiveModel) -> str:
    """A pin that is masked now and then."""
    if model.wires.masked:
        return at_the_pin(model, tr_later("The pin is masked now; the handler ran {times}, and {lost}."))
    return at_the_pin(model, tr_later("The pin is not masked now; the handler ran {times}, and {lost}."))


def at_the_pin(model: LiveModel, message: str) -> str:
    """What was signalled: nobody tells the host that a pin is masked. message: what became of it.

    Not each signal that is lost was an edge there, as a worker may make one of several.
    """
    sent, handlers = whole_in_last_second(model, "interrupts", "handlers")
    called = tr(
        "The host signalled {interrupts} in the last second, and each call succeeded.",
        interrupts=count_of(sent, "interrupt"),
    )
    lost = tr_n("{n} signal is lost so far", "{n} signals are lost so far", model.tally.irqs_lost)
    return spaced(called, tr(message, times=times(handlers), lost=lost))


def second_irqfd(model: LiveModel) -> str:
    """A second irqfd on one eventfd."""
    number = model.wires.refused
    refused = ""
    if number:
        refused = tr("KVM has refused another irqfd on the same eventfd {times}: EBUSY.", times=times(number))
    return spaced(interrupts(model), refused)


def lowered_level(model: LiveModel) -> str:
    """A level that KVM lowers at the guest's EOI."""
    sent, heard, handlers = whole_in_last_second(model, "interrupts", "resamples", "handlers")
    told = tr(
        "The device raised its line {times} in the last second and the guest's handler ran {runs}.",
        times=times(sent),
        runs=times(handlers),
    )
    if model.source.backend == "kvm_pvm":  # which writes the EOI itself
        return spaced(
            told,
            tr("As it injected KVM lowered the line, and said so by the resamplefd {times}.", times=times(heard)),
        )
    return spaced(
        told, tr("At the EOI KVM lowered the line, and said so by the resamplefd {times}.", times=times(heard))
    )


def acknowledged(model: LiveModel) -> str:
    """A level that the VMM lowers when the guest has written to the device."""
    sent, heard, exits = whole_in_last_second(model, "ioctls", "resamples", "exits")
    spurious = model.tally.irqs_spurious
    told = tr(
        "The VMM raised the line {times} in the last second by KVM_IRQ_LINE; the guest's acknowledgement left to user "
        "space {exits} and lowered it {heard}.",
        times=times(sent),
        exits=times(exits),
        heard=times(heard),
    )
    if not spurious:
        return told
    runs = begun_large(or_more(count_of(spurious, "run"), "irqs_spurious" in model.tally.bounds()))
    return spaced(told, tr("{runs} of the handler so far had no cause: the line was still high.", runs=runs))


def held_off(model: LiveModel) -> str:
    """Interrupts that wait for the guest to let them in."""
    sent, opened = whole_in_last_second(model, "interrupts", "windows")
    waits = model.travel.held(newest_journeys(model, 100))
    count, often = count_of(sent, "interrupt"), times(opened)
    if not waits:
        waited = tr(
            "The host answered with {interrupts}, which waited in the local APIC until the guest opened its window, "
            "{times}.",
            interrupts=count,
            times=often,
        )
    else:
        waited = tr(
            "The host answered with {interrupts}, which waited in the local APIC until the guest opened its window, "
            "{times}, {time} at the median.",
            interrupts=count,
            times=often,
            time=spent(model.clock, waits),
        )
    return spaced(doorbells(model), waited)


# -- interrupts whose route changes


def routed(model: LiveModel) -> str:
    """Interrupts whose vector the routing table decides."""
    vectors = sorted(int(name.split()[1]) for name in model.past.names(*model.second) if name.startswith("handler "))
    runs = whole_in_last_second(model, *(f"handler {vector}" for vector in vectors))
    each = [
        tr("{times} by {vector:#x}", times=times(n), vector=vector) for vector, n in zip(vectors, runs, strict=True)
    ]
    sent = sent_while(model, tr_later("{through} while its route changed again and again"))
    if not each:
        return tr("{sent}: the guest was interrupted not yet.", sent=sent)
    return tr("{sent}: the guest was interrupted {each}.", sent=sent, each=listed(each))


def sent_while(model: LiveModel, rerouted: str) -> str:
    """How interrupts were sent in the last second, and whether they asked a route that changed meanwhile, as a clause.

    rerouted: a message, what became of the route, with a place for the way of those that asked.
    """
    interrupt = model.scenario.interrupt
    assert interrupt is not None
    sent, ioctls = whole_in_last_second(model, "interrupts", "ioctls")
    count, way = count_of(sent, "interrupt"), through(model)
    if interrupt.reroute_ms:
        way = tr(rerouted, through=way)
    if not ioctls or interrupt.ioctl != "signal-msi":
        return tr("The host sent {interrupts} in the last second {way}", interrupts=count, way=way)
    if ioctls >= sent:
        return tr(
            "The host sent {interrupts} in the last second by KVM_SIGNAL_MSI, which asks no route", interrupts=count
        )
    return tr(
        "The host sent {interrupts} in the last second, {number} of them by KVM_SIGNAL_MSI, which asks no route, the "
        "others {way}",
        interrupts=count,
        number=grouped(ioctls),
        way=way,
    )


def through(model: LiveModel) -> str:
    """What those that ask a route are sent by."""
    interrupt = model.scenario.interrupt
    assert interrupt is not None
    if whole_in_last_second(model, "ioctls")[0] and interrupt.ioctl != "signal-msi":
        return by_call(IOCTLS[interrupt.ioctl])
    if interrupt.irqfds > 1:
        return tr("through {number} irqfds", number=interrupt.irqfds)
    return tr("through one irqfd")
