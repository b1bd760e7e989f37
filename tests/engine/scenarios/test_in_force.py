"""Every setting of every scenario, changed: it is refused by its name, or something comes of it that can be seen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import EventKind
from bellwire.engine.kvm.coalesced import CoalescedZone
from bellwire.engine.kvm.virtqueue import VirtqueueDevice
from bellwire.engine.machines.build import build_machine, refusal
from bellwire.engine.machines.guest import Guest
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.qemu.machine_in_qemu import MachineInQemu
from bellwire.engine.scenarios.in_force import LIMITS
from bellwire.engine.scenarios.rules import RULES, SETTINGS, Origin
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario, scenario_of
from tests.support.sessions import one_of_each, run

SCENARIOS = {scenario.name: scenario for scenario in list_scenarios()}
KINDS = one_of_each(SCENARIOS)
# What every guest reads of its control page, and when: at its start, at each look whether it is time, while it idles.
READ_BY_ALL = {
    "bus": (lib.BW_CTL_BUS, "I"),
    "address": (lib.BW_CTL_ADDRESS, "Q"),
    "width": (lib.BW_CTL_WIDTH, "I"),
    "pin": (lib.BW_CTL_IOAPIC_PIN, "I"),
    "entry": (lib.BW_CTL_IOAPIC_ENTRY, "I"),
    "idle": (lib.BW_CTL_IDLE, "I"),
    "burst": (lib.BW_CTL_BURST, "I"),
    "period": (lib.BW_CTL_PERIOD, "Q"),
}


def changed(scenario: Scenario, name: str) -> str:
    """Another value of a setting than that of the scenario, as a command line has it."""
    table, key = SETTINGS[name]
    value = scenario.tables()[table].get(key)
    words = RULES[table][key].allowed.removeprefix("one of ").split(", ")
    if name == "pace":
        return "777"
    if isinstance(value, bool):
        return "off" if value else "on"
    if RULES[table][key].allowed.startswith("one of "):
        return next(word for word in words if word not in (str(value), "0"))
    return str({"address": 16, "ioeventfd_address": 32}.get(name, 1) + (value or 0))


def cases(scenarios: dict[str, Scenario]) -> Iterator[tuple[str, str]]:
    """Each scenario with each setting that it has a table for."""
    for name, scenario in scenarios.items():
        tables = scenario.tables()
        yield from ((name, setting) for setting, (table, _) in SETTINGS.items() if table in tables)


@pytest.fixture
def built_with(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What zones and devices were made with since."""
    made: list[object] = []

    def noting(kind: type) -> None:
        make = kind.__init__  # type: ignore[misc]

        def note(self: object, *args: Any, **named: Any) -> None:
            made.append((kind.__name__, [arg for arg in args if isinstance(arg, int)], sorted(named.items())))
            make(self, *args, **named)

        monkeypatch.setattr(kind, "__init__", note)

    noting(CoalescedZone)
    noting(VirtqueueDevice)
    return made


def guests_of(machine: Machine) -> list[Guest]:
    """All of a machine."""
    found = getattr(machine, "guests", None) or [machine.guest]  # type: ignore[attr-defined]
    return list(found)


def registered(machine: Machine) -> list[object]:
    """What the kernel and the I/O thread have been told."""
    told: list[object] = []
    if isinstance(machine, MachineInQemu):
        return [word for vmm in machine.vmms for word in vmm.qemu.devices if "/fd/" not in word and ",fd=" not in word]
    for guest in guests_of(machine):
        vm, wires = guest.vm, (*guest.vm.ioeventfds, *guest.vm.irqfds)
        told.append((vm.irqchip, vm.routes, [str(getattr(wire, "match", wire)) for wire in wires]))
    if io_thread := getattr(machine, "io_thread", None):
        orders = io_thread.orders
        told.append((orders.path, orders.signal, orders.period, orders.burst))
    return told


UNCHANGED: dict[str, list[object]] = {}  # the traces of each scenario as it is


def timed(scenario: Scenario) -> bool:
    """Whether its machine does something by a clock of its own."""
    return scenario.interrupt is not None and scenario.interrupt.reroute_ms > 0


def traces(scenario: Scenario, built_with: list[object]) -> list[object]:
    """Everything that a scenario's machine does before a guest runs: as it begins, with its wires off, and on."""
    built_with.clear()
    machine = build_machine(scenario, None, None)
    try:
        machine.set_pace(scenario.pace, True)
        told = [*registered(machine), *built_with]
        for on in (False, True):
            for switch, change in (("ioeventfd", machine.set_ioeventfd), ("irqfd", machine.set_irqfd)):
                if switch not in machine.cannot:
                    change(on)
            told += registered(machine)
        for _ in range(1 + 2 * timed(scenario)):
            told += machine.tick()["id"].tolist()
            time.sleep(0.01 * timed(scenario))
        pages = [guest.memory for guest in guests_of(machine)]
        words = [page.get(lib.BW_CONTROL + at, layout) for page in pages for at, layout in READ_BY_ALL.values()]
        programs = [guest.program for guest in guests_of(machine)]
        held = [program.hold_us for program in programs if program.image == "window"]
        return [*told, *words, [program.vector for program in programs], held]
    finally:
        machine.close()


TOLD = (  # kinds of events that no chance decides
    *(EventKind.RING, EventKind.HANDLER, EventKind.DOORBELL, EventKind.IRQFD, EventKind.IRQ_IOCTL, EventKind.SUBMIT),
    *(EventKind.WINDOW, EventKind.RESAMPLE),
)


def happenings(scenario: Scenario) -> set[object]:
    """What a run tells, times and numbers left out. Doorbells leave, so that what is written can be seen."""
    tables = scenario.tables()
    tables["pace"]["per_second"] = 1000
    tables.pop("lab", None)
    if "doorbell" in tables:
        tables["doorbell"] |= {"ioeventfd": False, "coalesced": False}
    _, events = run(scenario_of(scenario.name, tables, Origin("")), signals=8)
    told, written = events[np.isin(events["kind"], TOLD)], events[events["kind"] == EventKind.ENTRY]
    written = written[np.isin(written["id"], (lib.KVM_EXIT_IO, lib.KVM_EXIT_MMIO))]
    what = set(zip(told["kind"].tolist(), told["id"].tolist(), strict=True))
    return {*what, *zip(written["id"].tolist(), written["seq"].tolist(), written["arg"].tolist(), strict=True)}


def refused(scenario: Scenario, setting: str, value: str) -> str:
    """The sentence that refuses it; "" if it is taken."""
    try:
        scenario.with_settings({setting: value})
    except ScenarioError as error:
        return str(error)
    return ""


def check_one(name: str, setting: str, built_with: list[object]) -> None:
    """Refused by name, or something comes of it."""
    scenario, value = SCENARIOS[name], changed(SCENARIOS[name], setting)
    if why := refused(scenario, setting, value):
        assert re.search(rf"\b{SETTINGS[setting][1]}\b", why), why
        return
    other = scenario.with_settings({setting: value})
    assert setting in other.settings()
    if name not in UNCHANGED:
        UNCHANGED[name] = traces(scenario, built_with)
    if UNCHANGED[name] == traces(other, built_with):
        assert happenings(scenario) != happenings(other), f"{name}: {setting}={value} does nothing"


@pytest.mark.kvm
@pytest.mark.parametrize(("name", "setting"), list(cases(KINDS)))
def test_a_setting_is_refused_by_name_or_does_something(name: str, setting: str, built_with: list[object]) -> None:
    if why := refusal(SCENARIOS[name]):
        pytest.skip(why)
    check_one(name, setting, built_with)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("vm-to-vm", "coalesced", "on"),
        ("vhost-user-blk", "reroute_ms", "20"),
        ("self-doorbell", "hold_us", "20"),
        ("roundtrip", "hold_us", "20"),
        ("vhost-user-blk", "irqfds", "2"),
        ("doorbell-pio", "addresses", "4"),
        ("io-uring", "ioctl", "irq-line"),
        ("irq-masked", "trigger", "level"),
        ("irq-level-resample", "waits", "on"),
    ],
)
def test_what_does_nothing_is_refused_and_not_repeated(name: str, setting: str, value: str) -> None:
    scenario = load_scenario(name)
    assert setting not in scenario.settings() or setting == "trigger"
    with pytest.raises(ScenarioError) as caught:
        scenario.with_settings({setting: value})
    assert str(caught.value).count("\n") == 0
    assert setting in str(caught.value) or "masked" in str(caught.value)


def test_doorbells_that_are_interrupts_have_one_way() -> None:
    """Two guests with the program that takes addresses in turn."""
    tables = load_scenario("vm-to-vm").tables()
    tables["guest"], tables["doorbell"]["addresses"] = "queues", 4
    with pytest.raises(ScenarioError, match=r"doorbell\.addresses: needs a machine with an I/O thread"):
        scenario_of("mine", tables, Origin(""))


def test_a_recording_that_is_older_than_a_limit_opens_as_if_it_had_not_been_asked() -> None:
    tables = load_scenario("vm-to-vm").tables()
    tables["doorbell"]["coalesced"], tables["interrupt"]["reroute_ms"] = True, 50
    assert scenario_of("vm-to-vm", tables, Origin(""), recorded=True) == load_scenario("vm-to-vm")


@pytest.mark.parametrize("limit", LIMITS, ids=[f"{limit.key}-{n}" for n, limit in enumerate(LIMITS)])
def test_every_limit_holds_somewhere_and_its_default_is_what_a_file_without_the_key_has(limit: Any) -> None:
    assert limit.default in (RULES[limit.table][limit.key].default, "irq-line")


@pytest.mark.kvm
def test_a_route_that_no_signal_takes_is_not_changed() -> None:
    """KVM_SIGNAL_MSI brings its own vector: while the irqfd is off the order is refused, and its clock does nothing."""
    machine = build_machine(load_scenario("irq-route-change"), None, None)
    try:
        assert "route" not in machine.cannot
        machine.set_irqfd(False)
        assert "asks no route" in machine.cannot["route"]
        time.sleep(0.06)
        assert not machine.tick().size
        machine.set_irqfd(True)
        assert "route" not in machine.cannot
        assert machine.tick().size
    finally:
        machine.close()
    with pytest.raises(ScenarioError, match=r"interrupt\.reroute_ms: needs irqfd = true"):
        load_scenario("irq-route-change").with_settings({"irqfd": "off"})
