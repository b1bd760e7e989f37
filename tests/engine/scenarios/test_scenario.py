"""Scenario files: what is shipped is complete, and every mistake is named with its line."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from bellwire.engine.errors import ScenarioError
from bellwire.engine.events import EventKind
from bellwire.engine.scenarios.rules import GROUPS, GUESTS, Origin
from bellwire.engine.scenarios.scenario import (
    DEFAULT,
    Scenario,
    list_scenarios,
    load_scenario,
    load_scenario_file,
    scenario_of,
)

NAMES = {
    "irq-vcpu",
    "irq-vcpu-moves",
    "two-vcpus-doorbell",
    *("doorbell-pio-exit", "doorbell-pio", "doorbell-mmio-exit", "doorbell-mmio", "doorbell-mmio-any"),
    *("doorbell-pio-1", "doorbell-pio-4", "doorbell-mmio-1", "doorbell-mmio-2", "doorbell-mmio-8"),
    *("doorbell-size-miss", "doorbell-data-miss", "doorbell-address-miss", "doorbell-burst", "irq-burst"),
    *("doorbell-fan-out", "doorbell-many-addresses", "doorbell-coalesced-mmio", "doorbell-coalesced-pio"),
    *("irq-level-resample", "irq-line-level", "irq-split", "irq-window", "irq-busy", "irq-many", "irq-route-change"),
    *("irq-masked", "roundtrip-exit-irqfd", "roundtrip-ioeventfd-ioctl"),
    *("irq-msi", "irq-ioapic", "irq-line", "irq-signal-msi", "roundtrip", "roundtrip-userspace"),
    *("vm-to-vm", "self-doorbell", "io-uring", "virtqueue", "virtqueue-event-idx"),
    *("lab-wrong-datamatch", "lab-wrong-length", "lab-second-irqfd", "lab-no-eoi", "lab-masked-edge"),
    *("lab-early-signal", "lab-wire-cut", "lab-triple-fault", "lab-mmio-storm"),
    *("vhost-net", "vhost-vsock"),
    *("vhost-user-blk", "qemu-virtio-blk", "qemu-virtio-blk-main-loop", "qemu-virtio-blk-exit", "qemu-vhost-user-blk"),
    *("qemu-ivshmem", "qemu-vhost-net", "qemu-vhost-vsock"),
}
GOOD = (GUESTS / "roundtrip.toml").read_text()


def loaded(text: str, folder: Path) -> Scenario:
    path = folder / "mine.toml"
    path.write_text(text)
    return load_scenario_file(path)


def test_all_scenarios_are_listed_round_trip_first() -> None:
    scenarios = list_scenarios()
    assert {scenario.name for scenario in scenarios} == NAMES
    assert [scenario.name for scenario in scenarios][:2] == [DEFAULT, "roundtrip-ioeventfd-ioctl"]
    assert [group for group, _ in groupby(scenario.group for scenario in scenarios)] == list(GROUPS)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_wiring_matches_what_the_order_expects(name: str) -> None:
    scenario = load_scenario(name)
    if scenario.doorbell:
        ours = scenario.qemu is None  # another VMM's exits are not among the events
        assert (EventKind.EXIT in scenario.order) == (scenario.doorbell.leaves and ours)
    if scenario.interrupt:
        by_eventfd = scenario.interrupt.irqfd or scenario.interrupt.waits
        assert (EventKind.IRQFD in scenario.order) == (by_eventfd and scenario.machine in ("one-guest", "two-vcpus"))
    assert "\n" not in scenario.purpose + scenario.shows + scenario.title


@pytest.mark.parametrize("name", sorted(NAMES))
def test_tables_survive_json(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario_of(name, json.loads(json.dumps(scenario.tables())), Origin("")) == scenario


def test_a_file_of_ones_own_has_its_own_name(tmp_path: Path) -> None:
    own, hidden = tmp_path / "mine.toml", tmp_path / "roundtrip.toml"
    own.write_text(GOOD)
    assert load_scenario(str(own)) == replace(load_scenario("roundtrip"), name="mine")
    hidden.write_text(GOOD)
    with pytest.raises(ScenarioError, match="a scenario that is shipped is called roundtrip; give this file another"):
        load_scenario(str(hidden))
    assert load_scenario(str(GUESTS / "roundtrip.toml")) == load_scenario("roundtrip")
    with pytest.raises(ScenarioError, match=r"none\.toml: cannot be read"):
        load_scenario(str(tmp_path / "none.toml"))


def test_flat_out_is_infinite_and_survives_json() -> None:
    scenario = load_scenario("doorbell-pio").with_settings({"pace": "flat-out"})
    assert math.isinf(scenario.pace.per_second)
    assert scenario_of(scenario.name, json.loads(json.dumps(scenario.tables())), Origin("")) == scenario


def test_width_follows_length_unless_given(tmp_path: Path) -> None:
    for length, width in ((1, 1), (2, 2), (4, 4), (0, 4)):
        doorbell = loaded(GOOD.replace("length = 2", f"length = {length}"), tmp_path).doorbell
        assert doorbell is not None
        assert (doorbell.length, doorbell.width) == (length, width)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('bus = "pio"', 'bus = "isa"', ["doorbell.bus", "pio, mmio"]),
        ("length = 2", "length = 3", ["doorbell.length", "0, 1, 2, 4, 8"]),
        ("length = 2", "length = true", ["doorbell.length", "true is not allowed"]),
        ("length = 2", "size = 2", ["doorbell.size", "unknown", "length"]),
        ("value = 7", "value = 65536", ["doorbell.value", "2 bytes"]),
        ("address = 0x510", "address = 0x20", ["doorbell.address", "0x20", "0x100 to 0xffff"]),
        ("address = 0x510", 'address = "0x510"', ["doorbell.address", "whole number"]),
        ("ioeventfd = true", "ioeventfd = 1", ["doorbell.ioeventfd", "on (true) or off (false)"]),
        ("value = 7", "ioeventfd_address = -1\nvalue = 7", ["doorbell.ioeventfd_address", "0x0 to 0xffffffff"]),
        ("length = 2", "datamatch = 7\nlength = 0", ["doorbell.datamatch", "any"]),
        ("gsi = 24", "gsi = 4096", ["interrupt.gsi", "0 to 4095"]),
        ("vector = 0x40", "vector = 0x41", ["interrupt.vector", "0x40"]),
        ("per_second = 2000", "per_second = 0.5", ["pace.per_second", "flat-out"]),
        ("gsi = 24", 'trigger = "level"\ngsi = 24', ["interrupt.trigger", "ioapic"]),
        ("gsi = 24", "masked = true\ngsi = 24", ["interrupt.masked", "ioapic"]),
        ("irqfd = true", "irqfds = 9\nirqfd = true", ["interrupt.irqfds", "1 to 8"]),
        ("value = 7", "queues = 4\nvalue = 7", ["doorbell.queues", "queues"]),
        ("burst = 1", "burst = 0", ["pace.burst", "1 to 1000"]),
        ('guest = "roundtrip"', 'guest = "linux"', ["guest", "roundtrip"]),
        ('"DOORBELL", ', '"BELL", ', ["expect.order", "DOORBELL"]),
        ("[expect]", "[expected]", ["expected", "[expect]"]),
        ("burst = 1", "burst = ", ["not TOML", "at line"]),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, words: list[str], tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        loaded(GOOD.replace(old, new), tmp_path)
    message, line = str(caught.value), GOOD[: GOOD.index(old)].count("\n") + 1
    assert "\n" not in message
    assert f"mine.toml:{line}: " in message or f"at line {line}" in message
    for word in words:
        assert word in message


def test_a_machine_and_its_wires_go_together(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r":\d+: machine: .*two-guests, self-doorbell"):
        loaded(GOOD.replace('by = "guest"', 'by = "doorbell"'), tmp_path)
    with pytest.raises(ScenarioError, match=r":\d+: machine: .*two-guests, self-doorbell"):
        loaded('machine = "two-guests"\n' + GOOD, tmp_path)
    with pytest.raises(ScenarioError, match=r"interrupt.irqfd: on is needed"):
        load_scenario("io-uring").with_settings({"irqfd": "off"})


STEP = '{ at_ms = 10, do = "ioeventfd-off" }'


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("[]", "a list of"),
        (f"[{STEP}, {STEP}]", "rising at_ms"),
        ('[{ at_ms = 10, do = "explode" }]', "do is one of ioeventfd-on"),
        ('[{ at_ms = 10, do = "irqfd-off", why = 3 }]', "a list of"),
        ('[{ do = "irqfd-off" }]', "a list of"),
        ('[{ at_ms = 10, do = "mask" }]', "mask needs the route ioapic"),
        ('[{ at_ms = 10, do = "crash" }]', 'crash needs the guest "crash"'),
        (f"[{STEP}]\nrepeat_ms = 5", "not be earlier than the last step"),
    ],
)
def test_a_lab_breaks_only_what_is_there(steps: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r":\d+: lab") as caught:
        loaded(GOOD.replace("[pace]", f"[lab]\nsteps = {steps}\n\n[pace]"), tmp_path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lab_needs_what_its_steps_change(tmp_path: Path) -> None:
    text = (GUESTS / "lab-second-irqfd.toml").read_text()
    assert loaded(text, tmp_path).lab is not None
    with pytest.raises(ScenarioError, match=r"lab\.steps: ring needs the table \[doorbell\]"):
        loaded(text.replace("second-irqfd", "ring"), tmp_path)
    with pytest.raises(ScenarioError, match="steps: not a setting"):
        load_scenario("lab-second-irqfd").with_settings({"steps": "none"})


def test_a_guest_needs_its_tables(tmp_path: Path) -> None:
    without = GOOD[: GOOD.index("[interrupt]")] + GOOD[GOOD.index("[pace]") :]
    with pytest.raises(ScenarioError, match=r":\d+: guest: .*\[interrupt\] is needed"):
        loaded(without, tmp_path)


def test_a_missing_key_is_named_with_the_line_of_its_table(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"pace\.per_second: missing; 0 ") as caught:
        loaded(GOOD.replace("per_second = 2000\n", ""), tmp_path)
    assert f":{GOOD.splitlines().index('[pace]') + 1}: " in str(caught.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"pace: the table \[pace\] is missing"):
        loaded(GOOD.replace('[pace]\nper_second = 2000\nburst = 1\nidle = "hlt"\n', ""), tmp_path)


def test_unreadable_files_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name, why in (("binary.toml", "is not in UTF-8"), ("none.toml", "cannot be read")):
        with pytest.raises(ScenarioError, match=why):
            load_scenario_file(tmp_path / name)


def test_a_wrong_name_gets_a_suggestion() -> None:
    with pytest.raises(ScenarioError, match=r"'roundtripp'; did you mean roundtrip\? `bellwire list`"):
        load_scenario("roundtripp")


def test_settings_change_what_they_name_and_what_follows() -> None:
    changed = load_scenario("roundtrip").with_settings(
        {
            "pace": "50",
            "burst": "8",
            "idle": "spin",
            "ioeventfd": "off",
            "irqfd": "no",
            "bus": "mmio",
            "route": "ioapic",
        }
    )
    assert changed.doorbell is not None
    assert changed.interrupt is not None
    assert (changed.pace.per_second, changed.pace.burst, changed.pace.idle) == (50.0, 8, "spin")
    assert (changed.doorbell.bus, changed.doorbell.address, changed.doorbell.ioeventfd) == ("mmio", 0xD0000000, False)
    assert (changed.interrupt.gsi, changed.interrupt.vector, changed.interrupt.irqfd) == (5, 0x41, False)


@pytest.mark.parametrize(
    ("scenario", "setting", "value", "words"),
    [
        ("roundtrip", "pase", "1", "did you mean pace"),
        ("roundtrip", "pace", "fast", "flat-out"),
        ("roundtrip", "burst", "0", "1 to 1000"),
        ("roundtrip", "irqfd", "maybe", "on \\(true\\) or off"),
        ("roundtrip", "length", "8", "bus pio"),
        ("doorbell-pio", "irqfd", "on", "has no interrupt"),
        ("irq-msi", "ioeventfd", "on", "has no doorbell"),
    ],
)
def test_a_wrong_setting_is_one_line(scenario: str, setting: str, value: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words) as caught:
        load_scenario(scenario).with_settings({setting: value})
    assert "\n" not in str(caught.value)


def test_a_split_irqchip_has_no_pins(tmp_path: Path) -> None:
    text = (GUESTS / "irq-ioapic.toml").read_text()
    with pytest.raises(ScenarioError, match=r"irqchip: .*no IOAPIC in the kernel"):
        loaded(text.replace('guest = "listen"', 'guest = "listen"\nirqchip = "split"'), tmp_path)


def test_what_a_split_irqchip_cannot_do_is_refused_by_name() -> None:
    with pytest.raises(ScenarioError, match=r"^interrupt.ioctl: irq-line .* use signal-msi"):
        load_scenario("irq-split").with_settings({"ioctl": "irq-line"})


@pytest.mark.parametrize("name", ["roundtrip", "roundtrip-userspace", "irq-msi", "virtqueue"])
def test_a_pin_is_raised_by_its_own_ioctl(name: str) -> None:
    """A message raises no pin: with the irqfd off the guest stood still at its first doorbell."""
    moved = load_scenario(name).with_settings({"route": "ioapic"})
    assert moved.interrupt is not None
    assert moved.interrupt.ioctl == "irq-line"
    with pytest.raises(ScenarioError, match=r"^interrupt.ioctl: must be irq-line with the route ioapic"):
        load_scenario(name).with_settings({"route": "ioapic", "ioctl": "signal-msi"})


@pytest.mark.parametrize("waits", ["on", "yes"])
@pytest.mark.parametrize("name", ["irq-line", "irq-signal-msi", "roundtrip-userspace"])
def test_where_nothing_is_called_instead_of_the_irqfd_the_ioctl_goes_along(name: str, waits: str) -> None:
    moved = load_scenario(name).with_settings({"waits": waits})
    assert moved.interrupt is not None
    assert moved.interrupt.waits
    assert "ioctl" not in moved.settings()
    with pytest.raises(ScenarioError, match=r"^interrupt.ioctl: is not used with waits"):
        load_scenario("irq-line").with_settings({"waits": waits, "ioctl": "irq-line"})


@pytest.mark.parametrize(("name", "settings"), [("vm-to-vm", {}), ("io-uring", {}), ("roundtrip", {"waits": "on"})])
def test_where_no_ioctl_is_called_the_route_brings_none(name: str, settings: dict[str, str]) -> None:
    moved = load_scenario(name).with_settings({"route": "ioapic"} | settings)
    assert moved.interrupt is not None
    assert moved.interrupt.ioctl == "signal-msi"


def test_a_file_need_not_say_which_ioctl_raises_a_pin(tmp_path: Path) -> None:
    text = (GUESTS / "irq-ioapic.toml").read_text()
    assert 'ioctl = "irq-line"\n' in text
    said_nothing = loaded(text.replace('ioctl = "irq-line"\n', ""), tmp_path)
    assert said_nothing.interrupt == load_scenario("irq-ioapic").interrupt


def test_a_level_without_its_irqfd_has_the_handler_that_acknowledges() -> None:
    by_irqfd, by_ioctl = load_scenario("irq-level-resample"), load_scenario("irq-line-level")
    assert by_irqfd.with_settings({"irqfd": "off"}).interrupt == by_ioctl.interrupt
    assert by_ioctl.with_settings({"irqfd": "on"}).interrupt == by_irqfd.interrupt


def test_whether_a_doorbell_leaves_follows_from_what_is_registered() -> None:
    doorbell = load_scenario("doorbell-data-miss").doorbell
    assert doorbell is not None
    assert doorbell.leaves
    assert not replace(doorbell, datamatch=doorbell.value).leaves
    assert not replace(doorbell, datamatch=None).leaves
    assert replace(doorbell, datamatch=None, ioeventfd=False).leaves
    assert replace(doorbell, datamatch=None, width=4).leaves
    assert not replace(doorbell, datamatch=None, width=4, length=0).leaves
    assert replace(doorbell, datamatch=None, address=0x512).leaves
    assert not replace(doorbell, ioeventfd=False, coalesced=True).leaves
