"""The calls that are shown are those that the machines make: compared byte by byte with what goes to the kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bellwire.engine._core import lib
from bellwire.engine.build import ROOT
from bellwire.engine.calls.call import CLOSE, SIGNALS, Call, in_order
from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.set_up import NewEventfd
from bellwire.engine.calls.signals import SetIoapicPin, SetIrqLine, SignalMsi
from bellwire.engine.calls.vhost_user import SetVring
from bellwire.engine.calls.wire_state import WireState
from bellwire.engine.calls.wires import ReassignIoeventfd, RefusedIrqfd, SetGsiRouting
from bellwire.engine.events import OTHER_VECTOR, Switch
from bellwire.engine.folds.evidence import registered_after
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.machines.build import refusal
from bellwire.engine.scenarios.ringing import ringings
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

# QEMU makes its own calls: tests/engine/machines/qemu/ looks at them.
SCENARIOS = {scenario.name: scenario for scenario in list_scenarios() if Trait.REAL_QEMU not in traits_of(scenario)}
OFF = {Switch.IOEVENTFD: False, Switch.IRQFD: False}
SHIM = Path(__file__).parents[2] / "support" / "ioctl_shim.c"

# Builds each scenario's machine and takes it apart; runs some until signals have gone both ways.
PROGRAM = """
import os, sys, time
from bellwire.engine.events import EventKind
from bellwire.engine.machines.build import build_machine
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.live.session import Session
from bellwire.engine.machines import needs
answers = needs.capabilities()
needs.capabilities = lambda: answers  # the VM that is asked for them is not the machine's
for name in sys.argv[1].split(","):
    os.write(int(os.environ["CALL_LOG"]), f"scenario {name}\\n".encode())
    build_machine(load_scenario(name), None, None).close()
for name in sys.argv[3].split(","):
    os.write(int(os.environ["CALL_LOG"]), f"scenario step {name}\\n".encode())
    machine = build_machine(load_scenario(name), None, None)
    for step in load_scenario(name).lab.steps:
        machine.do_step(step)
    machine.close()
    os.write(int(os.environ["CALL_LOG"]), f"scenario first step {name}\\n".encode())
    machine = build_machine(load_scenario(name), None, None)
    machine.do_step(load_scenario(name).lab.steps[0])
    machine.close()
for name in sys.argv[2].split(","):
    os.write(int(os.environ["CALL_LOG"]), f"scenario run {name}\\n".encode())
    with Session(load_scenario(name), limit=4) as session:
        handled, until = 0, time.monotonic() + 100
        while handled < 4 and time.monotonic() < until:
            events = session.take()
            handled += int(events["arg"][events["kind"] == EventKind.HANDLER].sum())  # one handler may serve several
            time.sleep(0.005)
"""
STEPS = {"lab-wrong-datamatch": 2, "lab-wrong-length": 2, "lab-second-irqfd": 1, "lab-masked-edge": 2}  # their calls
RUN = ("irq-signal-msi", "irq-line", "irq-line-level")
NUMBER = 8  # bytes, the longest
REROUTED = ("irq-route-change", "irq-vcpu-moves")


def buildable() -> list[str]:
    """Scenarios for which this host has everything."""
    return [name for name, scenario in SCENARIOS.items() if not refusal(scenario)]


@dataclass(frozen=True)
class Made:
    """One line of the log."""

    number: str
    data: bytes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Made]]:
    """What each scenario's machine has handed to the kernel, in order."""
    folder = tmp_path_factory.mktemp("shim")
    shim, log = folder / "shim.so", folder / "log"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", SHIM, "-o", shim], check=True)
    with log.open("wb") as file:
        environment = {**os.environ, "LD_PRELOAD": str(shim), "CALL_LOG": str(file.fileno())}
        command = [sys.executable, "-c", PROGRAM, ",".join(buildable()), ",".join((*RUN, *REROUTED)), ",".join(STEPS)]
        subprocess.run(command, cwd=ROOT, env=environment, pass_fds=[file.fileno()], check=True)
    return read_log(log.read_text())


def read_log(text: str) -> dict[str, list[Made]]:
    """By scenario."""
    calls: dict[str, list[Made]] = {"": []}  # before the first one
    for line in text.splitlines():
        number, _, data = line.partition(" ")
        if number == "scenario":
            calls[data] = []
        else:
            calls[list(calls)[-1]].append(Made(number, bytes.fromhex(data)))
    return calls


def number_of(call: Call) -> str:
    """As the log has it."""
    return "sendmsg" if isinstance(call, SetVring) else f"{call.request:#x}"


def same(call: Call, made: Made, numbers: dict[str, int]) -> bool:
    """Whether the kernel got what is shown; what is not known beforehand is noted, and must stay the same."""
    if call.arguments is None:
        return number_of(call) == made.number and not any(made.data)
    shown, got = bytearray(call.arguments.data), made.data
    for field in call.arguments.fields:
        if field.value is None:
            place = slice(field.offset, field.offset + field.size)
            if field.size > NUMBER:  # what was there before, and stays as it was
                shown[place] = got[place]
                continue
            number = numbers.setdefault(field.text, int.from_bytes(got[place], "little"))
            shown[place] = number.to_bytes(field.size, "little")
    return number_of(call) == made.number and bytes(shown) == got


@pytest.mark.kvm
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_shown_of_the_set_up_is_what_the_kernel_got(name: str, made: dict[str, list[Made]]) -> None:
    if name not in made:
        pytest.skip(refusal(SCENARIOS[name]))
    shown = [call for call in calls_of(SCENARIOS[name]) if call.group != SIGNALS and call.made]
    shown = [call for call in shown if call.request or isinstance(call, SetVring)]
    kinds = {number_of(call) for call in shown}
    messages = {call.arguments.data[:4] for call in shown if isinstance(call, SetVring) and call.arguments}
    got = [one for one in made[name] if one.number in kinds - {"sendmsg"} or one.data[:4] in messages]
    numbers: dict[str, int] = {}
    assert len(got) >= len(shown)
    for call, one in zip(shown, got, strict=False):  # what follows is the taking apart
        assert same(call, one, numbers), f"{call.name}: shown {call.arguments}, made {one}"
    assert len(set(numbers.values())) == len(numbers), "a file descriptor under two names"


@pytest.mark.kvm
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_shown_of_a_switch_that_is_off_is_how_it_was_taken_apart(
    name: str, made: dict[str, list[Made]]
) -> None:
    if name not in made:
        pytest.skip(refusal(SCENARIOS[name]))
    undone = [call for call in calls_of(SCENARIOS[name], OFF) if call.undone]
    numbers: dict[str, int] = {}
    for call in undone:
        places = [one for one in made[name] if one.number == number_of(call)]
        assert any(same(call, one, dict(numbers)) for one in places), call.name
    started = SCENARIOS[name].doorbell is not None and SCENARIOS[name].doorbell.ioeventfd  # type: ignore[union-attr]
    assert any(call.name.startswith("ioeventfd") for call in undone) == started


@pytest.mark.kvm
@pytest.mark.parametrize("name", RUN)
def test_what_is_shown_of_an_interrupt_is_what_the_kernel_got(name: str, made: dict[str, list[Made]]) -> None:
    shown = [call for call in calls_of(load_scenario(name)) if isinstance(call, SetIrqLine | SignalMsi)]
    numbers = {number_of(call) for call in shown}
    got = {one for one in made[f"run {name}"] if one.number in numbers} - {nudge(vcpu) for vcpu in (0, 1)}
    assert shown
    assert got == {Made(number_of(call), call.arguments.data) for call in shown if call.arguments}


@pytest.mark.kvm
@pytest.mark.parametrize("name", REROUTED)
def test_what_is_shown_of_a_route_that_changes_is_what_the_kernel_got(name: str, made: dict[str, list[Made]]) -> None:
    shown = [call for call in calls_of(load_scenario(name)) if isinstance(call, SetGsiRouting)]
    assert len(shown) == 3
    got = [one for one in made[f"run {name}"] if one.number == f"{SetGsiRouting.request:#x}"]
    assert got[0] == Made(number_of(shown[0]), shown[0].arguments.data)
    assert len(got) > 1
    assert {one.data for one in got} <= {call.arguments.data for call in shown}


@pytest.mark.kvm
@pytest.mark.parametrize("name", STEPS)
def test_what_is_shown_of_a_labs_steps_is_what_the_kernel_got(name: str, made: dict[str, list[Made]]) -> None:
    calls = calls_of(load_scenario(name))
    shown = [call for call in calls if isinstance(call, ReassignIoeventfd | RefusedIrqfd | SetIoapicPin)]
    assert len(shown) == STEPS[name]
    set_up = sum(one.number == number_of(shown[0]) for one in made[name]) // 2  # half of them are the end's
    got = [one for one in made[f"step {name}"] if one.number == number_of(shown[0])][set_up:]
    asked = [one for one in got if any(same(call, one, {}) for call in shown)]
    assert [next(call for call in shown if same(call, one, {})) for one in asked[: len(shown)]] == shown


@pytest.mark.kvm
@pytest.mark.parametrize("name", STEPS)
def test_what_is_shown_of_the_end_is_what_a_step_has_registered(name: str, made: dict[str, list[Made]]) -> None:
    scenario = load_scenario(name)
    now = WireState(doorbell=registered_after(scenario, 1))
    shown = [call for call in calls_of(scenario, None, now) if call.group == CLOSE and call.made]
    got = [one for one in made[f"first step {name}"] if one.number in {number_of(call) for call in shown}]
    assert shown
    for call, one in zip(shown, got[-len(shown) :], strict=True):
        assert same(call, one, {}), f"{call.name}: shown {call.arguments}, made {one}"


@pytest.mark.kvm
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_shown_of_the_end_is_how_it_was_taken_apart(name: str, made: dict[str, list[Made]]) -> None:
    if name not in made:
        pytest.skip(refusal(SCENARIOS[name]))
    shown = [call for call in calls_of(SCENARIOS[name]) if call.group == CLOSE and call.made]
    numbers, there = {number_of(call) for call in shown}, sum(assigned_at_first(SCENARIOS[name]))
    got = [one for one in made[name] if one.number in numbers][-len(shown) :] if shown else []
    known: dict[str, int] = {}
    assert len(shown) == len(got) == there
    for call, one in zip(shown, got, strict=True):
        assert same(call, one, known), f"{call.name}: shown {call.arguments}, made {one}"


def assigned_at_first(scenario: Scenario) -> tuple[int, int, int]:
    """How many ioeventfds, irqfds and zones of coalesced writes a scenario begins with."""
    doorbell, interrupt = scenario.doorbell, scenario.interrupt
    bells = len(ringings(doorbell)) if doorbell and doorbell.ioeventfd else 0
    return bells, interrupt.irqfds if interrupt and interrupt.irqfd else 0, int(bool(doorbell and doorbell.coalesced))


def test_a_signal_that_waits_calls_no_ioctl() -> None:
    calls = by_name(load_scenario("lab-early-signal"))
    assert not any(isinstance(call, SignalMsi | SetIrqLine) for call in calls.values())
    assert calls["write"].made
    assert "no guest" in calls["write"].says or "keeps it" in calls["write"].says
    assert "irqfd" not in {call.name for call in in_order((calls["write"],))}


def test_a_second_vcpu_has_three_slots_and_may_share_the_control_page() -> None:
    moves, rings = (by_name(load_scenario(name)) for name in ("irq-vcpu-moves", "two-vcpus-doorbell"))
    names = ["memory-1", "memory-1-control", "memory-1-rest", "create-vcpu-1"]
    assert [name for name in moves if name in names] == [name for name in rings if name in names] == names
    assert "both share" in moves["memory-1-control"].says
    assert "of its own" in rings["memory-1-control"].says


def nudge(number: int) -> Made:
    """The engine's own: it wakes a vCPU, and is no interrupt of a scenario."""
    from bellwire.engine.calls.set_up import CreateVcpu, CreateVm, OpenKvm, SetMemory

    vm = CreateVm(name="", kvm=OpenKvm(name=""))
    vcpu = CreateVcpu(name="", vm=vm, memory=SetMemory(name="", vm=vm))
    route = GsiRoute.msi(0, lib.BW_VECTOR_NUDGE, number)
    return Made(f"{SignalMsi.request:#x}", SignalMsi(name="", vm=vm, vcpu=vcpu, route=route).arguments.data)


# -- without a kernel --------------------------------------------------------------------------------------------------


def by_name(scenario: Scenario, wiring: dict[Switch, bool] | None = None) -> dict[str, Call]:
    calls = calls_of(scenario, wiring)
    names = [call.name for call in calls]
    assert len(set(names)) == len(names)
    return {call.name: call for call in calls}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_call_says_what_it_does_in_one_sentence_and_comes_after_what_it_needs(name: str) -> None:
    seen: set[str] = set()
    for call in calls_of(SCENARIOS[name]):
        assert call.title
        assert call.says.endswith(".")
        assert ". " not in call.says
        if call.group != SIGNALS:
            assert {need.name for need in call.needs} <= seen, f"{call.name} comes too early"
        seen.add(call.name)


def test_bytes_of_an_ioeventfd() -> None:
    """struct kvm_ioeventfd: datamatch, addr, len, fd, flags; the file descriptor is whatever the process has."""
    arguments = by_name(load_scenario("doorbell-fan-out"))["ioeventfd-3"].arguments
    assert arguments is not None
    rows = arguments.hex()
    assert rows[0].startswith("02 00 00 00 00 00 00 00 00 00 00 d0")
    assert rows[1] == "02 00 00 00 ·· ·· ·· ·· 01 00 00 00 00 00 00 00"
    assert len(arguments.data) == 64
    fields = {field.name: field.text for field in arguments.fields}
    assert fields["flags"] == "KVM_IOEVENTFD_FLAG_DATAMATCH"
    assert fields["fd"] == "doorbell_3"


def test_qemu_without_an_ioeventfd_relays_nothing_and_sends_messages() -> None:
    """By strace it writes no kick, and makes as many KVM_SIGNAL_MSI as there are requests."""
    calls = by_name(load_scenario("qemu-virtio-blk-exit"))
    assert "relay" not in calls
    assert (calls["run"].state, calls["signal-msi"].by) == ("in use", "VMM")
    assert "signal-msi" not in by_name(load_scenario("qemu-virtio-blk"))


@pytest.mark.parametrize("name", ["qemu-virtio-blk", "qemu-ivshmem"])
def test_qemus_table_has_more_routes_than_that_of_the_device(name: str) -> None:
    """A look from outside finds those of all pins."""
    assert "no other GSI" not in by_name(load_scenario(name))["routing"].says
    assert "no other GSI" in by_name(load_scenario("roundtrip"))["routing"].says


def test_a_switch_changes_what_is_made_and_what_is_used() -> None:
    on, off = by_name(load_scenario("roundtrip")), by_name(load_scenario("roundtrip"), OFF)
    states = {name: (on[name].state, off[name].state) for name in on}
    assert states["ioeventfd"] == states["irqfd"] == ("assigned", "deassigned")
    assert states["run"] == states["relay"] == states["signal-msi"] == ("not in use", "in use")
    assert states["write"] == ("in use", "not in use")
    assert states["create-vm"] == ("", "")
    assert on["irqfd"].arguments != off["irqfd"].arguments
    assert "DEASSIGN" in str(off["ioeventfd"].arguments)


def test_what_was_never_made_was_not_undone() -> None:
    calls = by_name(load_scenario("roundtrip-userspace"))
    assert calls["ioeventfd"].state == calls["irqfd"].state == "not assigned"
    assert "DEASSIGN" not in str(calls["irqfd"].arguments)


def test_what_was_assigned_while_the_guest_ran_was_undone_as_well() -> None:
    standing = WireState(once=frozenset(Switch))
    calls = {call.name: call for call in calls_of(load_scenario("roundtrip-userspace"), OFF, standing)}
    assert calls["ioeventfd"].state == calls["irqfd"].state == "deassigned"
    assert "DEASSIGN" in str(calls["ioeventfd"].arguments)


def test_an_order_leads_the_route_elsewhere_and_a_message_brings_its_own_vector() -> None:
    standing = WireState(vector=OTHER_VECTOR, vcpu=0)
    calls = {call.name: call for call in calls_of(load_scenario("roundtrip"), None, standing)}
    assert f"vector {OTHER_VECTOR:#x}" in calls["routing"].says
    assert f"vector {OTHER_VECTOR:#x}" not in calls["signal-msi"].says


def test_what_a_step_has_registered_is_what_takes_the_doorbell() -> None:
    scenario = load_scenario("lab-wrong-datamatch")
    mended = WireState(doorbell=registered_after(scenario, 1))
    calls = {call.name: call for call in calls_of(scenario, None, mended)}
    assert "value 0x7" in calls["ioeventfd"].says
    assert "value 0x7" in calls["close-ioeventfd"].says
    assert calls["run"].state == "not in use"
    assert "the ioeventfd takes it" in calls["ring"].says


def test_of_two_qemus_nobody_takes_the_wires_away() -> None:
    """Both end with them; of a disk in another process the irqfd goes first, as vhost_user_blk_stop() has it."""
    names = {name: [call.name for call in calls_of(load_scenario(name)) if call.group == CLOSE] for name in SHUT}
    assert names == SHUT


SHUT = {
    "qemu-ivshmem": [],
    "qemu-vhost-user-blk": ["close-irqfd", "close-ioeventfd"],
    "qemu-virtio-blk": ["close-ioeventfd", "close-irqfd"],
}


def test_a_miss_leaves_whatever_the_switch_says() -> None:
    calls = by_name(load_scenario("doorbell-data-miss"))
    assert calls["ioeventfd"].state == "assigned"
    assert calls["run"].state == ""


def test_two_guests_have_two_vms_and_one_eventfd() -> None:
    calls = by_name(load_scenario("vm-to-vm"))
    assert [call.variable for call in calls.values() if isinstance(call, NewEventfd)] == ["bell"]
    assert "vm_a" in calls["ioeventfd"].c()
    assert "vm_b" in calls["irqfd"].c()
    assert "read" not in calls


def test_needs_come_first_and_once() -> None:
    order = [call.name for call in in_order((by_name(load_scenario("roundtrip"))["write"],))]
    assert order.index("create-vm") < order.index("routing") < order.index("irqfd") < order.index("write")
    assert len(set(order)) == len(order)
