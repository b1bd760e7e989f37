"""What a call is. Each subclass is one call to the kernel, or what the guest does in its place.

A call says what it does, shows what the kernel gets, and knows its own lines in C, Python (this engine's API) and Rust
(rust-vmm's kvm-ioctls); program.py puts those of the calls that it needs in front of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine.calls.arguments import Arguments
from bellwire.engine.events import Switch
from bellwire.engine.language import tr, tr_later

SET_UP, WIRES, SIGNALS, CLOSE = tr_later("Set-up"), tr_later("Wires"), tr_later("Signals"), tr_later("Close")


@dataclass(frozen=True, kw_only=True)
class Call(ABC):
    """name: of one call among a scenario's, as in "irqfd", or "irqfd-2" of several; stable, for diagrams and users.

    after: what must have been done before, besides what its members say.
    switch: the live switch that makes and undoes it, or None.
    made: whether it is so now; undone: whether it was, and no more.
    """

    name: str
    after: tuple[Call, ...] = ()
    switch: Switch | None = None
    made: bool = True
    undone: bool = False

    group: ClassVar[str] = SET_UP  # as a message
    request: ClassVar[int] = 0  # of an ioctl

    @property
    @abstractmethod
    def title(self) -> str:
        """The call's name, as man pages and api.rst have it."""

    @property
    @abstractmethod
    def says(self) -> str:
        """What it does, in one sentence."""

    @property
    def needs(self) -> tuple[Call, ...]:
        """Calls whose results it uses, or that must come first."""
        members = (getattr(self, name) for name in self.__dataclass_fields__)
        return (*(member for member in members if isinstance(member, Call)), *self.after)

    @property
    def by(self) -> str:
        """Who makes it, as a message."""
        return "VMM"

    @property
    def variable(self) -> str:
        """What its result is called in all programs; "" if it has none."""
        return ""

    @property
    def arguments(self) -> Arguments | None:
        """What the kernel reads; None if there is no more than a number."""
        return None

    @property
    def state(self) -> str:
        """Of a call that a live switch makes: what the switch has done. "" of all others."""
        if self.switch is None:
            return ""
        if self.group == WIRES:
            if self.made:
                return tr("assigned")
            return tr("deassigned") if self.undone else tr("not assigned")
        return tr("in use") if self.made else tr("not in use")

    @property
    def helpers(self) -> tuple[str, ...]:
        """Functions in C that its lines call."""
        return ()

    @abstractmethod
    def c(self) -> str:
        """Its lines in C, indented as in main()."""

    @abstractmethod
    def python(self) -> str:
        """Its lines in Python, not indented; enter(x) owns x until the program ends."""

    @abstractmethod
    def rust(self) -> str:
        """Its lines in Rust, indented as in main()."""


def in_order(calls: tuple[Call, ...], done: dict[str, Call] | None = None) -> list[Call]:
    """The calls and all that they need, each once, what is needed first."""
    done = {} if done is None else done
    for call in calls:
        if call.name not in done:
            in_order(call.needs, done)
            done[call.name] = call
    return list(done.values())
