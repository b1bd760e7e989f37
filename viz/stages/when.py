"""When a stage began, in words: measured, or between two stamps and by which rule, or not known and why."""

from __future__ import annotations

from bellwire.engine.events import Clock
from bellwire.engine.language import tr, tr_later
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.circumstances import Circumstances
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.times import Known
from bellwire.viz.text.figures import duration

# What a stamp tells, as a clause.
TOLD_BY = {
    "ring": tr_later("the guest rang"),
    "exit": tr_later("the vCPU thread was back in user space"),
    "fetched": tr_later("the vCPU thread was back in user space"),
    "entry": tr_later("KVM_RUN was called again"),
    "rung": tr_later("the guest went on"),
    "doorbell": tr_later("read() returned"),
    "irq": tr_later("the next signal was on its way"),
    "returned": tr_later("the call was over"),
    "delivered": tr_later("the call was over"),
    "window": tr_later("the guest let interrupts in"),
    "handler": tr_later("the handler ran"),
    "resampled": tr_later("the device heard of it"),
    "unheard": tr_later("the irqfd was assigned"),
    "pio": tr_later("KVM had decoded the write"),
    "user_exit": tr_later("KVM_RUN was about to return"),
    "io_waking": tr_later("the I/O thread was woken"),
    "io_runs": tr_later("the I/O thread had a CPU"),
    "msi": tr_later("the message was sent"),
    "work_started": tr_later("the worker began"),
    "set_irq": tr_later("the line was raised"),
    "accepted": tr_later("the local APIC had taken it"),
    "vcpu_waking": tr_later("the vCPU was woken"),
    "vcpu_runs": tr_later("the vCPU had a CPU"),
    "injected": tr_later("KVM injected it"),
    "ioeventfd": tr_later("the ioeventfd was asked"),
    "signalled": tr_later("the eventfd was signalled"),
    "completed": tr_later("the eventfd was signalled"),
    "irqfd": tr_later("the irqfd was called"),
    "acknowledged": tr_later("KVM lowered the line"),
}
# The same as a moment from which time is counted.
SINCE = {
    "exit": tr_later("the exit"),
    "fetched": tr_later("the exit"),
    "rung": tr_later("the guest went on"),
    "doorbell": tr_later("the I/O thread's read()"),
    "irq": tr_later("the signal"),
    "window": tr_later("the window opened"),
    "handler": tr_later("the handler began"),
    "unheard": tr_later("the order for an irqfd"),
    "pio": tr_later("the write was decoded"),
    "user_exit": tr_later("KVM_RUN was about to return"),
    "io_waking": tr_later("the I/O thread was woken"),
    "io_runs": tr_later("the I/O thread got its CPU"),
    "msi": tr_later("the message was sent"),
    "work_started": tr_later("the worker began"),
    "set_irq": tr_later("the line was raised"),
    "accepted": tr_later("the local APIC took it"),
    "vcpu_waking": tr_later("the vCPU was woken"),
    "vcpu_runs": tr_later("the vCPU got its CPU"),
    "injected": tr_later("the injection"),
    "ioeventfd": tr_later("the ioeventfd was asked"),
    "signalled": tr_later("the eventfd was signalled"),
    "completed": tr_later("the eventfd was signalled"),
    "irqfd": tr_later("the irqfd was called"),
    "acknowledged": tr_later("KVM lowered the line"),
}
SAYS_ITSELF = ("goes-on", "enters-again")  # stages whose sentence holds the time


def when(point: Standpoint, around: Circumstances, write: str) -> str:
    """When what is looked at began, as a sentence; "" where the sentence about it needs none.

    write: what the guest rang with, "OUT" or "store".
    """
    clock = around.clock
    if clock.emulated:
        return tr("How long that took means nothing: an emulated CPU (TCG) ran it.")
    if around.apart:
        return tr("How long that took is not known: the clocks that stamped it are apart.")
    if point.beside is not None:
        if point.beside.name in SAYS_ITSELF:
            return ""
        return after_what(point, clock, point.tsc, write)
    known, (least, most) = point.known(point.stop), point.began(point.stop)
    if known is Known.UNKNOWN or most is None:
        return tr("When is not known: no stamp of this journey comes after it.")
    if known is Known.MEASURED:
        return after_what(point, clock, point.start + least, write) if point.stop else ""
    since = point.here.after or last_measured(point, point.start + least, point.stop)
    room = duration(clock.ns(point.start + most - point.stamp(since)))
    moment = since_words(since, write)
    name, rule = bounded_by(point)
    if rule:
        return tr("Between 0 and {room} after {moment}: {why}.", room=room, moment=moment, why=rule)
    return tr(
        "Between 0 and {room} after {moment}, before {event}: nothing stamps it.",
        room=room,
        moment=moment,
        event=tr(TOLD_BY[name]),
    )


def after_what(point: Standpoint, clock: Clock, tsc: int, write: str) -> str:
    """How long after what was measured before it; and, if that is not the start, after the start."""
    since = last_measured(point, tsc - 1, len(point.stops))
    starts = [(point.stamp(since), since)]
    if point.stamp(since) != point.start:
        starts.append((point.start, point.stops[0].began))
    parts = [
        tr("{time} after {moment}", time=duration(clock.ns(tsc - start)), moment=since_words(name, write))
        for start, name in starts
    ]
    return tr("That was {when}.", when=", ".join(parts))


def since_words(stamp: str, write: str) -> str:
    """The moment from which time is counted."""
    return tr("the {write}", write=write) if stamp == "ring" else tr(SINCE[stamp])


def last_measured(point: Standpoint, until: int, before: int) -> str:
    """The stamp of the last of the first `before` stops that has one, and not after `until`."""
    names = [stop.began for stop in point.stops[:before] if stop.began == "ring" or stop.began in SINCE]
    names = [name for name in names if 0 < point.stamp(name) <= until]
    return names[-1] if names else point.stops[0].began


def bounded_by(point: Standpoint) -> tuple[str, str]:
    """The stamp by which a bounded stop had begun, and the rule that says so; "" if it is only the next stamp."""
    latest = int(point.times.latest[0, point.stop])
    for stop in point.stops[point.stop :]:
        rules = [name for name in stop.by if point.stamp(name) == latest]
        if rules:
            return rules[0], load_anatomy().bounds[rules[0]]
        if stop.began and point.stamp(stop.began) == latest:
            return stop.began, ""
    return "handler", ""


def how_far(point: Standpoint) -> str:
    """How far the signal may be at the moment, where no stamp tells; "" if that is in no doubt or told already."""
    certain = point.tsc >= int(point.times.latest[0, point.stop])
    if point.beside is not None or point.last <= point.stop or not certain:
        return ""
    return tr("Nothing stamps what follows: it may be as far as “{stage}”.", stage=point.stops[point.last].stage.title)
