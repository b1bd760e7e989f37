"""What the recordings of another KVM show beside those of this one: counts of both, a line a scenario."""

from __future__ import annotations

from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.tally import Tally
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import ELSEWHERE, path_of_shipped
from bellwire.viz.text.assets import recorded_elsewhere
from bellwire.viz.text.figures import grouped

COUNTERS = ("exits", "io_exits", "insn_emulation")  # KVM's own
HEAD = "| Recording | `exits` | `io_exits` | `insn_emulation` | to user space | resamples before the handler |"


def recordings_elsewhere() -> str:
    """As a table: each recording of another KVM, and below it that of the KVM which made all the others."""
    lines = [HEAD, "|---|--:|--:|--:|--:|--:|"]
    for name in recorded_elsewhere():
        lines += [line_of(name), line_of(name.partition(ELSEWHERE)[0])]
    return "\n".join(lines)


def line_of(name: str) -> str:
    """One recording, counted from its first event to its last: for each signal, doorbell or interrupt."""
    recording = Recording(path_of_shipped(name))
    tally, evidence = Tally(), Evidence(recording.header.scenario, recording.header.backend)
    for events in recording.sorted_batches():
        tally.feed(events)
        evidence.feed(events)
    signals = tally.doorbells_rung or tally.irqs_signalled
    counts = [*(tally.kvm.get(name, 0) for name in COUNTERS), sum(tally.exits_of_guest.values())]
    resamples = evidence.ways.resamples
    before = f"{grouped(evidence.resamples_before)} of {grouped(resamples)}" if resamples else "–"
    called = f"`{name}`" if ELSEWHERE in name else f"`{name}`, `{recording.header.backend}`"
    return f"| {called} | {' | '.join(f'{count / signals:.2f}' for count in counts)} | {before} |"
