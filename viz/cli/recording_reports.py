"""What `bellwire record`, `info` and `convert` print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.counted import number_of
from bellwire.engine.events import Events, Setting, pace_told
from bellwire.engine.exports import Export
from bellwire.engine.exports.convert import write_export
from bellwire.engine.findings.assertion import Judgement
from bellwire.engine.folds.evidence import Evidence
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.folds.tally import Tally
from bellwire.engine.foreign import shown
from bellwire.engine.recordings.annotations.annotation import annotation_table
from bellwire.engine.recordings.capture import WritingThread
from bellwire.engine.recordings.outline import Outline
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.rules import FLAT_OUT
from bellwire.viz.cli.summary import report, summary, verdict_line
from bellwire.viz.cli.tables import Figures, with_rows
from bellwire.viz.cli.terminal import share_bar
from bellwire.viz.text.figures import grouped

SHOWN_CHANGES = 12  # rows of a table
MANY = 1_000_000  # events: work on so many is long enough for a bar


def convert_file(source: Path, target: Path, export: Export, force: bool) -> str:
    """Converts a recording; the sentence that says what is there now, and what was missing."""
    recording = Recording(source, attached=True)
    with share_bar(f"{export.title}", len(recording) >= MANY) as progress:
        written = write_export(recording, target, export, progress, force=force)
    return " ".join([f"{shown(str(target))}: {number_of(written, export.unit)}.", recording.warning]).strip()


def what_was_recorded(capture: WritingThread) -> str:
    """The sentence that says what is in the file now."""
    of = f"{number_of(capture.events, 'event')}, {grouped(capture.size / 1e6, 1)} MB, {capture.seconds:.1f} s"
    return f"{shown(str(capture.path))}: {of}."


class RecordingReport:
    """Everything that can be said about a recording, read once."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.source = Replay(self.recording)
        self.tally, self.outline = Tally(), Outline()
        self.latencies = Latencies(self.source.scenario, self.source.clock, self.source.backend)
        self.evidence = Evidence(self.source.scenario, self.source.backend)
        with share_bar("reads", len(self.recording) >= MANY) as progress:
            for events in self.recording.sorted_batches(progress):
                self._fold(events)

    def _fold(self, events: Events) -> None:
        self.tally.feed(events)
        self.latencies.feed(events)
        self.evidence.feed(events)
        self.outline.feed(events)

    def report(self, verdicts: Sequence[Judgement] = ()) -> dict[str, Any]:
        """The JSON object of `bellwire info --json`; times in TSC cycles, latencies in ns."""
        recording = self.recording
        return {
            **file_report(recording),
            "capabilities": recording.header.capabilities,
            **report(self.source, self.tally, self.latencies, self.evidence, recording.seconds, verdicts),
            "settings": self._settings(),
            "outline": asdict(self.outline),
            "annotations": [annotation_table(one) for one in recording.annotations],
            "missing": recording.warning,
        }

    def _settings(self) -> dict[str, Any]:
        """The scenario's; of a part of a run as they stood where it begins, whatever the run had begun with."""
        settings = self.source.scenario.settings()
        if not self.tally.began.noted or self.source.scenario.lab:  # whose steps switch by themselves
            return settings
        stood = stood_at_first(self.outline)
        return {name: stood.get(name, value) for name, value in settings.items()}

    def summary(self, unit: str, verdicts: Sequence[Judgement] = ()) -> RenderableType:
        """The tables of `bellwire info`; unit: of the latencies, one of bellwire.viz.text.figures.UNIT_NAMES."""
        run = summary(self.source, self.tally, self.latencies, self.evidence, self.recording.seconds, unit=unit)
        held = [Text("\n").join(map(verdict_line, verdicts))] if verdicts else []
        missing = [Text(self.recording.warning, style="bold red")] if self.recording.warning else []
        return Group(self._facts(), "", run, self._kinds(), "", self._changes(), *missing, *held)

    def _facts(self) -> RenderableType:
        recording, header = self.recording, self.recording.header
        table = file_table(recording)
        if recording.annotations:
            table.add_row("annotations", grouped(len(recording.annotations)))
        if header.capabilities:
            table.add_row("capabilities", ", ".join(name for name, value in header.capabilities.items() if value))
        return table

    def _kinds(self) -> RenderableType:
        table = Figures("Kind", "events", header_style="dim")
        table.columns[1].justify = "right"
        for name, count in self.outline.kinds.items():
            table.add_row(name, grouped(count))
        return with_rows(table, "Events: there is none.")

    def _changes(self) -> RenderableType:
        """How the switches stood at first, and what was switched when."""
        clock, first, changes = self.source.clock, self.recording.first, real_switches(self.outline.wiring)
        table = Figures("After", "Switch", header_style="dim")
        for tsc, name, on in changes[:SHOWN_CHANGES]:
            table.add_row(f"{clock.ns(tsc - first) / 1e9:.3f} s", f"{name.lower()} {'on' if on else 'off'}")
        more = len(changes) - SHOWN_CHANGES
        return (
            Group(table, f"and {number_of(more, 'more change')}")
            if more > 0
            else with_rows(table, "Switches: none is told of.")
        )


def stood_at_first(outline: Outline) -> dict[str, Any]:
    """How switches and the pace stood when they were told first, by their settings' names."""
    switches = {name.lower(): bool(on) for _, name, on in reversed(outline.wiring)}
    told = {Setting[name]: (tsc, value) for tsc, name, value in reversed(outline.settings)}
    beside = {(Setting[name], tsc): seq for tsc, name, seq in outline.beside}
    stood: dict[str, Any] = {}
    if Setting.PACE in told:
        tsc, value = told[Setting.PACE]
        pace = pace_told(beside.get((Setting.PACE, tsc), 0), value)
        stood["pace"] = FLAT_OUT if math.isinf(pace) else pace
    if Setting.BURST in told:
        stood["burst"] = told[Setting.BURST][1]
    if Setting.IDLE in told:
        stood["idle"] = "spin" if told[Setting.IDLE][1] else "hlt"
    return switches | stood


def real_switches(told: list[list[Any]]) -> list[list[Any]]:
    """Of what an outline tells of switches, what is no mere word that one stands as it stood."""
    standing, changes = dict[str, int](), list[list[Any]]()
    for tsc, name, on in told:
        if standing.get(name) != on:
            changes.append([tsc, name, on])
        standing[name] = on
    return changes


# -- what every recording says of itself


def file_report(recording: Recording) -> dict[str, Any]:
    """As members of a JSON object."""
    header = recording.header
    return {
        "file": str(recording.path),
        "bytes": recording.path.stat().st_size,
        "format": header.version,
        "program": header.program,
        "started": header.started,
        "backend": header.backend,
        "clock_hz": header.clock.hz,
    }


def file_table(recording: Recording) -> Figures:
    """As rows of a table, which more can be added to."""
    header, table = recording.header, Figures(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_row("file", f"{shown(str(recording.path))}, {grouped(recording.path.stat().st_size / 1e6, 1)} MB")
    table.add_row("written by", f"bellwire {header.program}, format {header.version}")
    table.add_row("started", header.started or "unknown")
    table.add_row("clock", f"TSC at {header.clock.hz / 1e9:.6f} GHz")
    return table
