"""GSIs, the numbers that interrupts are asked for by, and where each leads: KVM's routing table (api.rst, 4.52)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bellwire.engine._core import lib
from bellwire.engine.language import tr

GSI_COUNT = 4096  # KVM_MAX_IRQ_ROUTES: so many GSIs there are, and so many routes
PIC_PINS = 8  # of each of the two


@dataclass(frozen=True)
class GsiRoute:
    """Where a GSI leads: a message to a local APIC, or a pin of the IOAPIC or of a PIC. type: BW_ROUTE_* of core.h."""

    gsi: int
    type: int
    pin: int = 0
    address: int = 0
    data: int = 0

    @classmethod
    def msi(cls, gsi: int, vector: int, apic: int = 0) -> GsiRoute:
        """A message to the local APIC `apic`, 0xff: to all (Intel SDM vol. 3, 11.11)."""
        return cls(gsi, lib.BW_ROUTE_MSI, address=lib.BW_LOCAL_APIC | apic << 12, data=vector)

    @classmethod
    def ioapic(cls, gsi: int, pin: int) -> GsiRoute:
        """A pin of the IOAPIC; the guest has programmed what it raises."""
        return cls(gsi, lib.BW_ROUTE_IOAPIC, pin=pin)

    @classmethod
    def pic(cls, gsi: int, pin: int) -> GsiRoute:
        """A pin of the PICs: 0 to 7 of the first, 8 to 15 of the second."""
        if pin < PIC_PINS:
            return cls(gsi, lib.BW_ROUTE_PIC_MASTER, pin=pin)
        return cls(gsi, lib.BW_ROUTE_PIC_SLAVE, pin=pin - PIC_PINS)

    @property
    def vector(self) -> int:
        """Of a message."""
        return self.data & 0xFF

    @property
    def apic(self) -> int:
        """Of a message: the local APIC that it goes to, which has its vCPU's number."""
        return self.address >> 12 & 0xFF

    def __str__(self) -> str:
        return tr("GSI {gsi} to {target}", gsi=self.gsi, target=self.target)

    @property
    def target(self) -> str:
        """Where it leads, in words."""
        if self.type == lib.BW_ROUTE_MSI:
            return tr("MSI vector {vector:#x} at APIC {apic}", vector=self.vector, apic=self.apic)
        if self.type == lib.BW_ROUTE_IOAPIC:
            return tr("IOAPIC pin {pin}", pin=self.pin)
        if self.type in (lib.BW_ROUTE_PIC_MASTER, lib.BW_ROUTE_PIC_SLAVE):
            return tr("PIC {number} pin {pin}", number=self.type - lib.BW_ROUTE_PIC_MASTER + 1, pin=self.pin)
        return tr("an unknown target, type {type}", type=self.type)

    def as_c(self) -> tuple[int, int, int, int, int, int]:
        """In the order of struct bw_route."""
        return (self.gsi, self.type, self.pin, self.address & 0xFFFFFFFF, self.address >> 32, self.data)


def default_routes() -> tuple[GsiRoute, ...]:
    """What KVM_CREATE_IRQCHIP starts with: each GSI to the IOAPIC's pin of its number, below 16 to the PICs' too."""
    pins = range(lib.BW_IOAPIC_PINS)
    return tuple(
        route for pin in pins for route in ([GsiRoute.pic(pin, pin)] if pin < 16 else []) + [GsiRoute.ioapic(pin, pin)]
    )


def broken_rule(routes: Iterable[GsiRoute], irqchip: str) -> str:
    """Which rule of KVM's a table breaks, as a sentence; "" if none is known. For the message: the kernel decides."""
    table = tuple(routes)
    if irqchip == "none":
        return tr(
            "Routes need an interrupt controller in the kernel: create_irqchip() or enable_split_irqchip() first."
        )
    if len(table) > GSI_COUNT:
        return tr("A table has at most {most} routes.", most=GSI_COUNT)
    taken: dict[int, list[GsiRoute]] = {}
    for route in table:
        others = taken.setdefault(route.gsi, [])
        if rule := _broken_by_itself(route, irqchip) or _broken_beside(route, others):
            return rule
        others.append(route)
    return ""


def _broken_by_itself(route: GsiRoute, irqchip: str) -> str:
    pins = lib.BW_IOAPIC_PINS if route.type == lib.BW_ROUTE_IOAPIC else PIC_PINS
    if route.gsi >= GSI_COUNT:
        return tr("{route}: GSIs end at {last}.", route=route, last=GSI_COUNT - 1)
    if route.type > lib.BW_ROUTE_PIC_SLAVE:
        return tr("{route}: KVM knows MSI, IOAPIC and PIC.", route=route)
    if route.type != lib.BW_ROUTE_MSI and irqchip == "split":
        return tr(
            "{route}: with a split irqchip the kernel has no IOAPIC and no PIC; only MSI can be routed to.", route=route
        )
    if route.type != lib.BW_ROUTE_MSI and route.pin >= pins:
        return tr("{route}: its pins end at {last}.", route=route, last=pins - 1)
    return ""


def _broken_beside(route: GsiRoute, others: list[GsiRoute]) -> str:
    """A message has a GSI for itself; chips may share one, each once."""
    for other in others:
        if lib.BW_ROUTE_MSI in (route.type, other.type):
            return tr(
                "{route}, and {other} as well: a GSI that leads to a message leads nowhere else.",
                route=route,
                other=other,
            )
        if route.type == other.type:
            return tr("{route}, and {other} as well: a GSI leads to one pin of a chip.", route=route, other=other)
    return ""
