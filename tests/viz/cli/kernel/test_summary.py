"""What `bellwire run --kernel` says: counts that reconcile, stages, and why nothing is seen where it is not."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.events import Clock, EventKind, Lane, end_to_end, event
from bellwire.engine.exports.perfetto_attached import event_name
from bellwire.engine.folds.journeys import no_journeys
from bellwire.engine.folds.kernel.stages import KernelStages
from bellwire.engine.kernel import watch
from bellwire.viz.cli.app import main
from bellwire.viz.cli.kernel.summary import kernel_counts
from tests.support.kernel_sight import SOURCES, needs_sight, probes_trouble, watch_by

pytestmark = pytest.mark.kvm

RUN = """
import sys
from pathlib import Path
from bellwire.engine.kernel import watch
from bellwire.viz.cli.app import main
watch.PROGRAMS = (Path({source!r}),)
sys.exit(main(["run", "roundtrip", "--signals", "300", "--kernel", "--json"]))
"""


@pytest.mark.parametrize("source", SOURCES)
def test_counts_of_the_kernel_are_those_of_the_run(
    source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch_by(source, monkeypatch)
    assert main(["run", "roundtrip", "--signals", "300", "--kernel", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    counts, kernel = report["counts"], report["kernel"]
    assert kernel["counts"]["pio"] == {"0x510": counts["doorbells_rung"]}
    assert kernel["counts"]["msi"]["0x40"] == counts["irqs_signalled"] == kernel["counts"]["accepted"]["0x40"]
    assert kernel["journeys"]["whole"] == kernel["journeys"]["told"] == counts["irqs_handled"]
    assert [stage for stage in kernel["stages_ns"] if stage["negative"]] == []
    assert kernel["lost"] == report["ring"]["dropped"] == 0
    assert kernel["source"] == source


@pytest.mark.parametrize(
    ("name", "settings"),
    [("irq-level-resample", ()), ("vm-to-vm", ()), ("irq-ioapic", ("--set", "pace=flat-out"))],
)
def test_of_no_journey_a_part_is_missing_but_where_an_earlier_interrupts_handler_served_it(
    name: str, settings: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    needs_sight()
    assert main(["run", name, "--signals", "300", "--kernel", "--json", *settings]) == 0
    kernel = json.loads(capsys.readouterr().out)["kernel"]
    assert kernel["journeys"]["whole"] + kernel["journeys"]["early"] == kernel["journeys"]["told"] == 300
    assert [stage for stage in kernel["stages_ns"] if stage["negative"]] == []


def test_it_is_a_table_for_people_and_nothing_where_it_was_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    needs_sight()
    assert main(["run", "irq-ioapic", "--signals", "200", "--kernel"]) == 0
    printed = capsys.readouterr().out
    assert "Inside the kernel" in printed
    assert "a worker has begun" in printed
    assert "Told by BPF; times in the kernel may be off by " in printed
    assert ("No kprobes: " in printed) == bool(probes_trouble())
    assert ("how often each was entered: " in printed) != bool(probes_trouble())
    assert main(["run", "irq-ioapic", "--signals", "20", "--json"]) == 0
    assert "kernel" not in json.loads(capsys.readouterr().out)


def test_who_asked_for_what_cannot_be_seen_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "bw-kernel"
    other.write_text("#!/bin/sh\necho permission 0 >&2\nexit 1\n")
    other.chmod(0o755)
    monkeypatch.setattr(watch, "PROGRAMS", (other,))
    assert main(["run", "roundtrip", "--signals", "20", "--kernel"]) == 1
    assert "bw-kernel may not look into the kernel: " in capsys.readouterr().err


@pytest.mark.parametrize("source", SOURCES)
def test_perf_counts_the_same(source: str, tmp_path: Path) -> None:
    """By the very tracepoints, of the same run and its threads."""
    needs_sight(source)
    perf = shutil.which("perf")
    if perf is None or os.geteuid():
        pytest.skip("only root with perf (Debian's package linux-perf) can count KVM's tracepoints")
    counts = tmp_path / "counts"
    names = ("kvm_pio", "kvm_msi_set_irq", "kvm_apic_accept_irq", "kvm_userspace_exit", "kvm_vcpu_wakeup")
    events = [word for name in names for word in ("-e", f"kvm:{name}")]
    run = [sys.executable, "-P", "-c", RUN.format(source=str(SOURCES[source]))]
    command = [perf, "stat", "-x", ",", "-o", str(counts), *events, "--", *run]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode and not ran.stdout:
        pytest.skip(f"perf cannot count here: {ran.stderr.strip()[-200:]}")
    told = json.loads(ran.stdout)["kernel"]["counts"]
    rows = (line.split(",") for line in counts.read_text().splitlines() if "kvm:" in line)
    counted = {row[2].removeprefix("kvm:"): int(row[0]) for row in rows}
    assert sum(told["pio"].values()) == counted["kvm_pio"]
    assert sum(told["msi"].values()) <= counted["kvm_msi_set_irq"] <= sum(told["msi"].values()) + 2
    assert sum(told["accepted"].values()) <= counted["kvm_apic_accept_irq"]
    assert sum(told["user_exit"].values()) == counted["kvm_userspace_exit"]


def test_what_the_kernel_does_not_tell_has_no_number() -> None:
    """An EOI of which nobody says whose it is was vector 0x0, and an interrupted KVM_RUN left for reason 0."""
    stages = KernelStages(Clock(1e9))
    parts = [event(n, EventKind.GUEST_EOI, Lane.KVM, id) for n, id in enumerate((0, 0, 0x40))]
    exits = [event(9, EventKind.USER_EXIT, Lane.KVM, id, 0, error) for id, error in ((0, errno.EINTR), (2, 0), (2, 0))]
    stages.feed(end_to_end(*parts, *exits), no_journeys())
    told = kernel_counts(stages)
    assert told["guest_eoi"] == {"not told": 2, "0x40": 1}
    assert told["user_exit"] == {"EINTR": 1, "2": 2}
    assert stages.count(EventKind.USER_EXIT) == 3
    assert [event_name(EventKind.GUEST_EOI, one[0]) for one in parts[1:]] == ["kvm_eoi", "kvm_eoi, vector 0x40"]
