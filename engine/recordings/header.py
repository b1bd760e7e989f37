"""What a recording says about itself at its start: the columns, and of which run they are.

The metadata of the file's Arrow schema has one entry, "bellwire": JSON with the format's version and everything in
Header; each column's own metadata says what it holds, so that a file explains itself to whoever opens it with Arrow.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pyarrow as pa

from bellwire.engine.errors import RecordingError, ScenarioError
from bellwire.engine.events import (
    EVENT,
    FUNCTIONS,
    NAMES,
    PROBES_BIT,
    STATS,
    TRACEPOINTS,
    Clock,
    EventfdRole,
    EventfdSignaller,
    EventKind,
    IrqIoctl,
    Lane,
    Operation,
    ProbesLack,
    Setting,
    Switch,
    ThreadRole,
)
from bellwire.engine.folds.beginning import Before
from bellwire.engine.foreign import shown
from bellwire.engine.host.host import emulated
from bellwire.engine.language import tr, tr_as
from bellwire.engine.recordings.attached.notes import AttachedTo, attached_from_json, attached_to_json
from bellwire.engine.recordings.metadata import Table, json_table, whole_text
from bellwire.engine.scenarios.rules import Origin
from bellwire.engine.scenarios.scenario import DEFAULT, Scenario, load_scenario, scenario_of
from bellwire.engine.source import Label, Source

VERSION = 3  # 1: batches that say nothing of themselves; 2: an Arrow stream; 3: an Arrow file
VERSION_ATTACHED = 4  # of a VMM that was seen from outside, which has no scenario
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
SEQ_ATTACHED = (  # engine/recordings/attached/seen_events.py
    "thread in which it happened (24 bits); of an access also its length in bytes (8 bits) and the upper half of its "
    "address (24 bits); of STAT the vCPU, of COUNT the eventfd"
)
ENUMS: dict[str, dict[str, int]] = {
    "kinds": {kind.name: kind.value for kind in EventKind},
    "lanes": {lane.name: lane.value for lane in Lane},
    "eventfds": {eventfd.name: eventfd.value for eventfd in EventfdRole},
    "switches": {switch.name: switch.value for switch in Switch},
    "settings": {setting.name: setting.value for setting in Setting},
    "operations": {operation.name: operation.value for operation in Operation},
    "befores": {before.name: before.value for before in Before},
    "irq_ioctls": {ioctl.name: ioctl.value for ioctl in IrqIoctl},
    "thread_roles": {role.name: role.value for role in ThreadRole},
    "stats": {name: number for number, name in enumerate(STATS)},
    "tracepoints": {name: number for number, name in enumerate(TRACEPOINTS)},
    "functions": {name: PROBES_BIT + number for number, name in enumerate(FUNCTIONS)},
    "eventfd_signallers": {signaller.name: signaller.value for signaller in EventfdSignaller},
    "probes_lacks": {lack.name: lack.value for lack in ProbesLack},
    "exit_reasons": {name: number for number, name in NAMES.items()},
}
METADATA = b"bellwire"  # the key of everything that is ours
NEWEST = 1 << 20  # a version beyond is none
CLOCK_HZ = 1e6, 1e11  # TSC cycles a second that a machine can have
LONGEST_NAME, LONGEST_FACT = 80, 200  # characters
NUMBERS_OF_HOST = {"tsc_khz": 10**8, "tsc_offset": 2**64}  # what of the host is computed with, and the most it can be


def utc(ns: int) -> str:
    """A time of the wall clock (Unix, ns), ISO 8601; "" of 0, which is none."""
    seconds, rest = divmod(ns, 10**9)  # in whole numbers: half a millisecond is not a float's to round
    when = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return when.isoformat(timespec="milliseconds") if ns else ""


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
    attached: AttachedTo | None = None  # the VMM that was seen from outside, of which the scenario tells nothing

    @classmethod
    def of_attached(
        cls, attached: AttachedTo, host: dict[str, str], clock: Clock, program: str, started_tsc: int
    ) -> Self:
        """What a recording of a VMM that is seen from outside, begun now, is of."""
        return cls(
            scenario_in_place(attached), host, host.get("backend", ""), clock, program,
            started_ns=time.time_ns(), started_tsc=started_tsc, version=VERSION_ATTACHED, attached=attached,
        )  # fmt: skip

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
            source.capabilities,
            time.time_ns() if live else 0,
            source.now() if live else 0,
        )

    @property
    def started(self) -> str:
        """When the recording was begun, ISO 8601; "" if that is not known."""
        return utc(self.started_ns)

    def begun_at(self, tsc: int) -> Self:
        """The same of events that begin then: what was held in memory until it is saved."""
        if not self.started_ns:
            return self
        elapsed = round(self.clock.ns(tsc - self.started_tsc))
        return replace(self, started_ns=max(self.started_ns + elapsed, 1), started_tsc=tsc)

    def schema(self) -> pa.Schema:
        """The Arrow schema with this header in its metadata."""
        fields = list(FIELDS)
        if self.attached:
            seq = next(n for n, field in enumerate(fields) if field.name == "seq")
            fields[seq] = fields[seq].with_metadata({"description": SEQ_ATTACHED})
        return pa.schema(fields, {METADATA: self.content()})

    def content(self) -> bytes:
        """This header as JSON."""
        if self.attached:
            whose: dict[str, object] = {"version": VERSION_ATTACHED, "attached": attached_to_json(self.attached)}
        else:
            scenario = {"name": self.scenario.name, **self.scenario.tables()}
            whose = {"version": VERSION, "scenario": scenario}
        content = {
            **whose,
            "program": self.program,
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


def read_header(metadata: Mapping[bytes, bytes], path: Path) -> Header:
    """The header in the metadata of an Arrow schema; RecordingError if there is none, a newer or a damaged one."""
    if METADATA not in metadata:
        raise RecordingError(tr("{path} is an Arrow file, but not a recording of bellwire.", path=path))
    try:
        content = json_table(metadata[METADATA], tr_as("the header", "it"))
        refuse_newer(content, path)
        return header_of(content)
    except (ValueError, ScenarioError) as error:
        raise RecordingError(
            tr("{path}: the header of this recording is damaged: {error}", path=path, error=error)
        ) from error


def refuse_newer(content: Table, path: Path) -> None:
    """RecordingError, with the version that is needed, if this program cannot know the format."""
    version = content.whole("version", 1, NEWEST)
    if version > VERSION_ATTACHED:
        if "program" not in content:
            raise RecordingError(
                tr(
                    "{path} was recorded by a newer bellwire (format {version}, this program reads up to {known}): "
                    "install a newer version.",
                    path=path,
                    version=version,
                    known=VERSION_ATTACHED,
                )
            )
        raise RecordingError(
            tr(
                "{path} was recorded by a newer bellwire (format {version}, this program reads up to {known}): "
                "install bellwire {program} or later.",
                path=path,
                version=version,
                known=VERSION_ATTACHED,
                program=content.text("program", 40),
            )
        )


def header_of(content: Table) -> Header:
    """The header that this JSON describes; ValueError, ScenarioError. Version 1 has no capabilities and no clock."""
    attached = attached_from_json(content.table("attached")) if "attached" in content else None
    capabilities = content.table("capabilities") if "capabilities" in content else Table({}, "capabilities")
    host = host_of(content.table("host"))
    return Header(
        scenario_in_place(attached) if attached else recorded_scenario(content),
        host,
        content.text("backend", LONGEST_NAME),
        Clock(content.real("clock_hz", *CLOCK_HZ), emulated=emulated(host)),
        content.text("program", LONGEST_NAME),
        {shown(key, LONGEST_NAME): capabilities.whole(key) for key in capabilities.names()},
        content.whole("started_ns") if "started_ns" in content else 0,
        content.whole("started_tsc") if "started_tsc" in content else 0,
        content.whole("version", VERSION_ATTACHED if attached else 1, VERSION_ATTACHED if attached else VERSION),
        attached,
    )


def recorded_scenario(content: Table) -> Scenario:
    """The scenario that a header tells of."""
    scenario = content.plain("scenario")
    name = content.table("scenario").text("name", LONGEST_NAME)
    del scenario["name"]
    return scenario_of(name, scenario, Origin(""), recorded=True)


def scenario_in_place(attached: AttachedTo) -> Scenario:
    """What stands in a header in place of a scenario where there was none: only its name says anything."""
    return replace(
        load_scenario(DEFAULT), name=attached.process.name, title=attached.title, doorbell=None, interrupt=None
    )


def host_of(content: Table) -> dict[str, str]:
    """What the recording says of its host; ValueError where a number is none."""
    host = {shown(key, LONGEST_NAME): content.text(key, LONGEST_FACT) for key in content.names()}
    for key, most in NUMBERS_OF_HOST.items():
        if key in host and not whole_text(host[key], most):
            raise ValueError(tr("host: {key} is no number", key=key))
    return host
