"""What a message chart is made of: lifelines, what travels between them, and who was awake when."""

from __future__ import annotations

from dataclasses import dataclass, field

from bellwire.viz.text.latency_words import latency_name

GUEST, GUEST_B, KVM, VCPU, IO, PARTNER = "guest", "guest_b", "kvm", "vcpu", "io", "partner"
AT_MOST, AT_LEAST = "≤", "≥"


@dataclass(frozen=True)
class Lifeline:
    """One who takes part; `key` names it in the segments."""

    key: str
    title: str
    what: str = ""


@dataclass(frozen=True)
class Segment:
    """What happened from `start` to `end` (TSC), between two lifelines, or on one."""

    name: str  # "irqfd written → handler"
    text: str  # what travels, short: "write(irqfd)"
    source: str
    target: str
    start: int
    end: int
    color: str  # of the theme
    bound: str = ""  # AT_MOST or AT_LEAST: inferred; "": both ends are stamps
    via: str = ""  # a lifeline that it passes, without a stamp there

    @property
    def cycles(self) -> int:
        """How long it took, or its bound."""
        return self.end - self.start


@dataclass(frozen=True)
class Aside:
    """A stamp that is not on the journey's way: an arrow at `at`, or the end of being awake."""

    text: str
    source: str
    target: str
    at: int


@dataclass(frozen=True)
class Active:
    """A lifeline runs from `start` to `end`; end 0: until when is not known."""

    lifeline: str
    start: int
    end: int


@dataclass
class Chart:
    """All of it; `notes` say what is inferred and what is not stamped."""

    number: int
    name: str  # "Doorbell #48 213"
    measures: str  # the latency that the segments add up to: "round_trip", "doorbell", "injection"
    lifelines: list[Lifeline] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    active: list[Active] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def latency(self) -> str:
        """What the segments add up to, in words."""
        return latency_name(self.measures)

    @property
    def start(self) -> int:
        """TSC of the first stamp."""
        return self.segments[0].start

    @property
    def end(self) -> int:
        """TSC of the last one."""
        return self.segments[-1].end

    @property
    def cycles(self) -> int:
        """The sum of the segments."""
        return sum(segment.cycles for segment in self.segments)


def arrow(begin: str, end: str) -> str:
    """The name of what lies between two stages."""
    return f"{begin} → {end}"
