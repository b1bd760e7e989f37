"""The anatomy: every stage that a path names has its text, short enough to be read while the picture stands."""

from __future__ import annotations

import os
import pathlib
import re

import pytest

from bellwire.engine.events import Switch
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.stages.anatomy import Stage, load_anatomy, paths_of

ANATOMY = load_anatomy()
SCENARIOS = {scenario.name: scenario for scenario in list_scenarios()}
BACKENDS = {"kvm_intel", "kvm_amd", "kvm_pvm"}
HOLDERS = {"guest", "kvm", "vmm", "virtqueue"}  # no stage of a path, but the place of some


@pytest.mark.parametrize("stage", ANATOMY.stages.values(), ids=lambda stage: stage.name)
def test_a_stage_has_one_or_two_sentences_a_function_and_its_file(stage: Stage) -> None:
    assert 1 <= len(re.findall(r"[.!?](?:\s|$)", stage.text)) <= 2
    assert stage.text.endswith(".")
    assert "\n" not in stage.text
    assert re.fullmatch(r"[a-z_]+", stage.function) or stage.name == "virtqueue"
    assert re.fullmatch(r"[a-z_/0-9]+\.c", stage.file) or stage.name == "virtqueue"
    assert not stage.title.endswith(".")
    assert {word.split()[0] for word in stage.skipped} <= BACKENDS


def test_every_stage_is_on_a_path_or_holds_some() -> None:
    on_paths = {stage.name for path in ANATOMY.paths.values() for stage in (*path.once, *path.stages, *path.beside)}
    further = {name for stage in ANATOMY.stages.values() for name in stage.then}
    assert set(ANATOMY.stages) == on_paths | further | HOLDERS
    assert not on_paths & further, "they stand only where the kernel tells of them"


def test_the_two_mechanisms_name_the_commits_that_brought_them() -> None:
    commits = {path.commit: path.subject for path in ANATOMY.paths.values() if path.commit}
    assert commits == {"721eecbf4fe9": "KVM: irqfd", "d34e6b175e61": "KVM: add ioeventfd support"}


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("on", [False, True])
def test_every_scenario_has_its_paths(name: str, on: bool) -> None:
    scenario = SCENARIOS[name]
    paths = paths_of(scenario, lambda _switch: on)
    always = not scenario.direct or Trait.VMM_EXITS in traits_of(scenario)
    interrupts = scenario.interrupt is not None and (on or always)
    assert len(paths) == (scenario.doorbell is not None) + interrupts


def stages(name: str, *on: Switch) -> list[list[str]]:
    return [[stage.name for stage in path.stages] for path in paths_of(load_scenario(name), lambda one: one in on)]


def test_a_switch_changes_the_way() -> None:
    both = stages("roundtrip", Switch.IOEVENTFD, Switch.IRQFD)
    assert "ioeventfd" in both[0]
    assert "exit" not in both[0]
    assert both[1][:4] == ["signaller", "wait-queue", "irqfd", "msi"]
    none = stages("roundtrip")
    assert "exit" in none[0]
    assert none[1][:2] == ["ioctl", "signal-msi"]


def test_a_miss_leaves_though_there_is_an_ioeventfd() -> None:
    assert "exit" in stages("doorbell-size-miss", Switch.IOEVENTFD)[0]


def test_only_a_pin_needs_a_worker_and_only_a_level_is_resampled() -> None:
    assert "work-item" not in stages("irq-msi", Switch.IRQFD)[0]
    assert "work-item" in stages("irq-ioapic", Switch.IRQFD)[0]
    assert stages("irq-level-resample", Switch.IRQFD)[0][-2:] == ["eoi", "resample"]
    assert stages("irq-masked", Switch.IRQFD)[0][-1] == "ioapic"


def test_no_thread_wakes_where_a_doorbell_is_an_interrupt() -> None:
    paths = stages("vm-to-vm", Switch.IOEVENTFD, Switch.IRQFD)
    assert "handler" in paths[1]
    assert "waiter" not in [stage for path in paths for stage in path]


def test_what_is_registered_before_the_first_signal_is_told() -> None:
    for path in ANATOMY.paths.values():
        names = {stage.name for stage in path.stages}
        registered = {stage.name for stage in path.once}
        assert ("ioeventfd" in names) == ("device" in registered), path.name
        assert ("irqfd" in names) == ("polled" in registered), path.name
    assert ANATOMY.stages["device"].function == "kvm_io_bus_register_dev"
    assert "vfs_poll" in ANATOMY.stages["polled"].text
    assert "irqfd_ptable_queue_proc" in ANATOMY.stages["polled"].text


def test_a_signal_that_nobody_hears_calls_no_ioctl() -> None:
    assert stages("lab-early-signal") == [["signaller", "kept"]]
    assert "irqfd" in stages("lab-early-signal", Switch.IRQFD)[0]


def test_a_back_end_that_does_without_a_stage_may_do_so_up_to_a_version() -> None:
    short_cut = ANATOMY.stages["fast-mmio"]
    assert short_cut.left_out("kvm_amd", "6.18.44-1-amd64") == "kvm_amd up to Linux 6.18"
    assert short_cut.left_out("kvm_amd", "7.0.0") == short_cut.left_out("kvm_amd", "6.19.1") == ""
    assert short_cut.left_out("kvm_pvm", "7.0.0") == "kvm_pvm"
    assert short_cut.left_out("kvm_intel", "6.1.0") == ""


@pytest.mark.kvm
def test_the_functions_that_are_named_are_this_kernels() -> None:
    """Those that the compiler has not dissolved into others; of another kernel than the named one nothing is known."""
    release, symbols = os.uname().release, pathlib.Path("/proc/kallsyms").read_text().split()
    known = {symbol.partition(".")[0] for symbol in symbols}
    if not release.startswith("6.18.") or "kvm_io_bus_write" not in known:
        pytest.skip("another kernel, or one whose KVM is not among its symbols")
    inline = {"vcpu_enter_guest", "kvm_check_and_inject_events", "vcpu_run", "kvm_irqfd_assign", "handle_ept_misconfig"}
    with_vhost = "vhost_dev_init" in known  # else the kernel was built without it, or has not loaded it
    stages = [stage for stage in ANATOMY.stages.values() if with_vhost or not stage.file.startswith("drivers/vhost/")]
    named = {stage.function for stage in stages if stage.function}
    assert named - inline - known == set()
