"""The segments of a message chart where the kernel's tracepoints tell of the journey: each between two moments.

Guarantees: they follow one another without a gap from the journey's first stamp to its last, and none is a bound; a
moment that the kernel does not tell of makes one segment of two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bellwire.engine.language import tr, tr_later
from bellwire.viz.panels.sequence.parts import GUEST, IO, KVM, PARTNER, VCPU, Segment, arrow

# Moments in the order of the way, with who holds the signal then and what it is called; those of the journey's own
# stamps are named by the chart.
INSIDE = {
    "pio": (KVM, tr_later("write decoded")),
    "user_exit": (KVM, tr_later("KVM_RUN about to return")),
    "io_waking": (KVM, tr_later("I/O thread woken")),
    "io_runs": (IO, tr_later("I/O thread on a CPU")),
    "work_started": (KVM, tr_later("worker began")),
    "accepted": (KVM, tr_later("APIC has it")),
    "vcpu_waking": (KVM, tr_later("vCPU woken")),
    "vcpu_runs": (KVM, tr_later("vCPU on a CPU")),
    "window": (KVM, tr_later("interrupts let in")),
    "injected": (KVM, tr_later("injected")),
}
ORDER = ("ring", "pio", "user_exit", "exit", "io_waking", "io_runs", "doorbell", "irq", *list(INSIDE)[4:], "handler")
OWN = {"ring": GUEST, "exit": VCPU, "doorbell": IO, "irq": IO}  # a handler's is the chart's
WOKEN = {"io_runs": "io_waking", "vcpu_runs": "vcpu_waking"}
TEXTS = {
    "user_exit": tr_later("nobody takes it"),
    "accepted": tr_later("injects"),
    "vcpu_waking": tr_later("kicks the vCPU"),
    "injected": tr_later("on its way into the guest"),
    "handler": tr_later("injected"),
}
IN_A_QUEUE, NO_CPU, HELD_OFF = tr_later("in a run queue"), tr_later("has no CPU yet"), tr_later("held off")


@dataclass(frozen=True)
class Inside:
    """A journey's moments, TSC by name, and the chart's own words for what it knows better.

    names: of the journey's own stamps. texts: what travels, by the moment at which it arrives. partnered: another
    process or a worker of the kernel answers. heavy: the signal takes an ioctl.
    """

    times: Mapping[str, int]
    receiver: str
    names: Mapping[str, str]
    texts: Mapping[str, str]
    partnered: bool = False
    heavy: bool = False

    def segments(self) -> Iterator[Segment]:
        """All of them."""
        for start, end in pairwise(rising(self.times)):
            name, text = arrow(self._name(start), self._name(end)), self._text(start, end)
            who, when = (self._holder(start), self._holder(end)), (self.times[start], self.times[end])
            via = PARTNER if self.partnered and self._answers(start, end) else ""
            yield Segment(name, text, *who, *when, self._color(end), via=via)

    def _answers(self, start: str, end: str) -> bool:
        """Whether who is not of this process does so in between."""
        return ORDER.index(start) < ORDER.index("irq") < ORDER.index(end)

    def _holder(self, moment: str) -> str:
        if moment == "handler":
            return self.receiver
        return OWN[moment] if moment in OWN else INSIDE[moment][0]

    def _name(self, moment: str) -> str:
        return self.names[moment] if moment in self.names else tr(INSIDE[moment][1])

    def _text(self, start: str, end: str) -> str:
        if end in WOKEN:
            wait = IN_A_QUEUE if start == WOKEN[end] else NO_CPU
            return tr(wait)
        if end == "window":
            return tr(HELD_OFF)
        word = "call" if self._answers(start, end) or start == "irq" else end
        return self.texts[word] if word in self.texts else tr(TEXTS[end])

    def _color(self, end: str) -> str:
        """Of the theme: a wait for a CPU has its own, as it is nobody's work."""
        if end in WOKEN or end == "window":
            return "text_muted"
        if end == "irq":
            return "io_thread"
        out = ORDER.index(end) < ORDER.index("irq")
        left = "exit" in self.times or "user_exit" in self.times
        return "heavy" if (left if out else self.heavy) else "doorbell" if out else "interrupt"


def rising(times: Mapping[str, int]) -> Sequence[str]:
    """The moments of which each is later than the one before it: the journey's own stamps are, and stay."""
    own = [*OWN, "handler"]
    found: list[str] = []
    for at, name in enumerate(ORDER):
        if name not in times:
            continue
        later = next((times[other] for other in ORDER[at + 1 :] if other in own and other in times), 0)
        fits = found and times[found[-1]] < times[name] < later
        if name in own or fits:
            found.append(name)
    return found
