"""What a recording says about itself at its start: the columns, and of which run they are.

The metadata of the file's Arrow schema has one entry, "bellwire": JSON with the format's version and everything in
Header; each column's own metadata says what it holds, so that a file explains itself to whoever opens it with Arrow.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from bellwire.engine.errors import RecordingError, ScenarioError
from bellwire.engine.events import (
    EVENT,
    NAMES,
    STATS,
    Clock,
    EventfdRole,
    EventKind,
    IrqIoctl,
    Lane,
    Operation,
    Setting,
    Switch,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.host.host import capabilities
from bellwire.engine.scenarios.rules import Origin
from bellwire.engine.scenarios.scenario import Scenario, scenario_of
from bellwire.engine.source import Label, Source

VERSION = 3  # 1: batches that say nothing of themselves; 2: an Arrow stream; 3: an Arrow file
COLUMNS = {
    "tsc": "time in TSC cycles of the host's clock, which guest and host share (guest offset 0); clock_hz a second",
    "kind": "what happened: see `kinds`",
    "lane": "where it happened: see `lanes`",
    "vm": "number of the guest, or of the vCPU where several share a guest, from 0",
    "id": "port, address, GSI, vector, exit reason ...: by kind",
    "seq": "number of the doorbell or interrupt, from 1; 0: none",
    "arg": "count or value, by kind",
}
FIELDS = [
    pa.field(name, pa.from_numpy_dtype(EVENT[name]), nullable=False, metadata={"description": COLUMNS[name]})
    for name in EVENT.names or ()
]
ENUMS: dict[str, dict[str, int]] = {
    "kinds": {kind.name: kind.value for kind in EventKind},
    "lanes": {lane.name: lane.value for lane in Lane},
    "eventfds": {eventfd.name: eventfd.value for eventfd in EventfdRole},
    "switches": {switch.name: switch.value for switch in Switch},
    "settings": {setting.name: setting.value for setting in Setting},
    "operations": {operation.name: operation.value for operation in Operation},
    "befores": {before.name: before.value for before in Before},
    "irq_ioctls": {ioctl.name: ioctl.value for ioctl in IrqIoctl},
    "stats": {name: number for number, name in enumerate(STATS)},
    "exit_reasons": {name: number for number, name in NAMES.items()},
}
METADATA = b"bellwire"  # the key of everything that is ours


@dataclass(frozen=True)
class Header:
    """What a recording is of.

    started_ns: the wall clock's time (Unix, ns) at started_tsc; 0 if that is not known.
    """

    scenario: Scenario
    host: dict[str, str]
    backend: str
    clock: Clock
    program: str  # version that wrote it
    capabilities: dict[str, int] = field(default_factory=dict)  # what KVM answered for each of host.CAPABILITIES
    started_ns: int = 0
    started_tsc: int = 0
    version: int = VERSION  # of the format

    @classmethod
    def of(cls, source: Source, program: str) -> Self:
        """What a recording of this source, begun now, is of."""
        live = source.label is Label.LIVE
        return cls(
            source.scenario,
            source.host,
            source.backend,
            source.clock,
            program,
            capabilities() if live else {},
            time.time_ns() if live else 0,
            source.now() if live else 0,
        )

    @property
    def started(self) -> str:
        """When the recording was begun, ISO 8601; "" if that is not known."""
        if not self.started_ns:
            return ""
        return datetime.fromtimestamp(self.started_ns / 1e9, UTC).isoformat(timespec="milliseconds")

    def schema(self) -> pa.Schema:
        """The Arrow schema with this header in its metadata."""
        return pa.schema(FIELDS, {METADATA: self.content()})

    def content(self) -> bytes:
        """This header as JSON."""
        content = {
            "version": VERSION,
            "program": self.program,
            "scenario": {"name": self.scenario.name, **self.scenario.tables()},
            "host": self.host,
            "backend": self.backend,
            "capabilities": self.capabilities,
            "clock_hz": self.clock.hz,
            "started": self.started,
            "started_ns": self.started_ns,
            "started_tsc": self.started_tsc,
            **ENUMS,
        }
        return json.dumps(content).encode()


def read_header(schema: pa.Schema, path: Path) -> Header:
    """The header in an Arrow schema; RecordingError if there is none, or a newer one."""
    metadata: Mapping[bytes, bytes] = schema.metadata or {}
    if METADATA not in metadata:
        raise RecordingError(f"{path} is an Arrow file, but not a recording of bellwire.")
    try:
        content: dict[str, Any] = json.loads(metadata[METADATA])
        refuse_newer(content, path)
        header = header_of(content)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, ScenarioError) as error:
        raise RecordingError(f"{path}: the header of this recording is damaged: {error}") from error
    if not schema.equals(pa.schema(FIELDS)) or not 0 < header.clock.hz < float("inf"):
        raise RecordingError(f"{path}: the header of this recording is damaged: other columns, or no clock")
    return header


def refuse_newer(content: dict[str, Any], path: Path) -> None:
    """RecordingError, with the version that is needed, if this program cannot know the format."""
    if content["version"] > VERSION:
        program = f"{content.get('program', 'a newer version')}"[:40]
        versions = f"format {content['version']}, this program reads up to {VERSION}"
        raise RecordingError(
            f"{path} was recorded by a newer bellwire ({versions}): install bellwire {program} or later."
        )


def header_of(content: dict[str, Any]) -> Header:
    """The header that this JSON describes. Version 1 has no capabilities and no wall clock."""
    scenario = dict(content["scenario"])
    name = str(scenario.pop("name"))
    return Header(
        scenario_of(name, scenario, Origin(""), recorded=True),
        {str(key): str(value) for key, value in content["host"].items()},
        str(content["backend"]),
        Clock(float(content["clock_hz"])),
        str(content["program"]),
        {str(key): int(value) for key, value in content.get("capabilities", {}).items()},
        checked_number(content.get("started_ns", 0)),
        checked_number(content.get("started_tsc", 0)),
        int(content["version"]),
    )


def checked_number(value: Any) -> int:
    """A number from 0 to 2^63; ValueError for anything else."""
    number = int(value)
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is no time")
    return number
