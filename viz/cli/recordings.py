"""The commands on recordings: record, replay, info, explain, convert."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.errors import RecordingError, ScenarioError
from bellwire.engine.language import tr
from bellwire.viz.cli.ending import OutputError
from bellwire.viz.cli.options import (
    Asserts,
    Force,
    InKernel,
    InLanguage,
    InTheme,
    Json,
    ScenarioName,
    Settings,
    Signals,
    Unit,
    UnitName,
    app,
    seconds_option,
)
from bellwire.viz.cli.runs import (
    assertions_of,
    check_length,
    file_named,
    names_file,
    recorded_run,
    run_scenario,
    say_dormant,
    scenario_named,
)
from bellwire.viz.cli.terminal import DONE, FAILED, complain_of_all, out, out_json, say

if TYPE_CHECKING:
    from bellwire.engine.recordings.recording import Recording

EXPLAINED_SECONDS = 5.0  # of a run without --signals
RecordingFile = Annotated[Path, typer.Argument(metavar="FILE", help="A recording.", callback=file_named)]


@app.command()
def record(
    name: ScenarioName,
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to (default SCENARIO.arrow).")
    ] = None,
    seconds: Annotated[
        float | None,
        seconds_option(least=0.1, what="Record for S seconds (default: until Ctrl-C)."),
    ] = None,
    count: Signals = None,
    settings: Settings = None,
    force: Force = False,
    kernel: InKernel = False,
) -> int:
    """Runs a scenario without a window and writes its events to a file."""
    from bellwire.engine.outputs import target_of
    from bellwire.viz.cli.recording_reports import what_was_recorded

    scenario = scenario_named(name, settings)
    check_length(scenario, seconds, count)
    say_dormant(scenario, settings)
    file = file or Path(f"{scenario.name}.arrow")
    target = target_of(file, force)
    done = run_scenario(scenario, seconds or math.inf, count, file, force, kernel=kernel)
    if done.recording and not done.recording.error:
        (say if target.streams else out)(what_was_recorded(done.recording))
    return complain_of_all(done.trouble)


@app.command()
def replay(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="RECORDING | SCENARIO", help="A file, or what is shipped: roundtrip, or roundtrip@kvm_amd."
        ),
    ],
    at: Annotated[
        float,
        seconds_option(least=0, what="Begin S seconds after its first event."),
    ] = 0,
    theme: InTheme = None,
    language: InLanguage = None,
) -> int:
    """Opens the window with a recording; without a display plays it and prints what was measured."""
    from bellwire.engine.recordings.shipped import file_or_shipped
    from bellwire.viz.cli.opening import open_recording

    return open_recording(file_or_shipped(file), out, at, theme or "", language or "")


@app.command()
def info(file: RecordingFile, as_json: Json = False, unit: Unit = UnitName.US, texts: Asserts = None) -> int:
    """Says what a recording holds, and what is missing from it; holds it to assertions."""
    from bellwire.engine.recordings.recording import Recording
    from bellwire.viz.cli.recording_reports import RecordingReport

    assertions = assertions_of(texts)
    recording = Recording(file, attached=True)
    if recording.header.attached:
        return info_of_attached(recording, as_json, bool(texts))
    about = RecordingReport(recording)
    verdicts = [assertion.judge(about.tally, about.latencies) for assertion in assertions]
    if as_json:
        out_json(about.report(verdicts))
    else:
        out(about.summary(unit, verdicts))
    return DONE if all(verdict.holds for verdict in verdicts) else FAILED


def info_of_attached(recording: Recording, as_json: bool, asserted: bool) -> int:
    """The same of a VMM that was seen from outside, which holds no journeys."""
    from bellwire.engine.recordings.recording import HOPS
    from bellwire.viz.cli.attach.recording_told import AttachedReport

    assert recording.header.attached is not None
    if asserted:
        raise RecordingError(tr(HOPS, path=recording.path, process=recording.header.attached.title))
    about = AttachedReport(recording)
    if as_json:
        out_json(about.report())
    else:
        out(about.summary())
    return DONE


@app.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="SCENARIO | RECORDING")],
    count: Signals = None,
    settings: Settings = None,
    as_json: Json = False,
    unit: Unit = UnitName.US,
    kernel: InKernel = False,
) -> int:
    """Says what is slow: the share of each stage in the round trip, of the median, p99 and slowest journey."""
    from bellwire.viz.cli.explain.bars import explained_tables
    from bellwire.viz.cli.terminal import share_bar
    from bellwire.viz.text.figures import unit_called

    with recording_of(what, count, settings, kernel) as (file, trouble):
        from bellwire.viz.cli.explain.of_recording import ExplainedRecording

        with share_bar("reads") as progress:
            told = ExplainedRecording(file, progress)
    if as_json:
        out_json(told.report())
    else:
        out(explained_tables(told, unit_called(unit, told.source.clock.hz)))
    return complain_of_all(trouble)


@contextmanager
def recording_of(
    what: str, count: int | None, settings: list[str] | None, kernel: bool = False
) -> Iterator[tuple[Path, list[str]]]:
    """A recording as it is, or one of a run that is made for it and goes again; and what was amiss in that run."""
    if names_file(what):
        if settings or count is not None:
            raise ScenarioError("--set and --signals are for a scenario, not for a recording.")
        if kernel:
            raise ScenarioError(
                "--kernel is for a scenario: a recording holds what the kernel told if it was made with "
                "`bellwire record SCENARIO --kernel`."
            )
        yield file_named(Path(what)), []
        return
    scenario = scenario_named(what, settings)
    check_length(scenario, None, count)
    say_dormant(scenario, settings)
    with recorded_run(scenario, EXPLAINED_SECONDS, count, kernel=kernel) as made:
        yield made


@app.command()
def convert(
    file: RecordingFile,
    target: Annotated[
        Path,
        typer.Argument(metavar="OUT", help="Its suffix says the format, unless --to does; - is standard output."),
    ],
    to: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="parquet, csv, perfetto, hgrm, hlog, arrow or arrows.")
    ] = None,
    force: Force = False,
) -> None:
    """Turns a recording into a file for other programs."""
    from bellwire.engine.exports.convert import export_for
    from bellwire.engine.outputs import target_of
    from bellwire.viz.cli.recording_reports import convert_file

    try:
        export = export_for(target, to)
    except RecordingError as error:
        raise typer.BadParameter(str(error)) from error
    place = target_of(target, force)
    try:
        told = convert_file(file, target, export, force)
    except RecordingError as error:
        if place.is_stdout and isinstance(error.__cause__, BrokenPipeError):
            raise OutputError(*error.__cause__.args) from None  # `| head -1`, as for all that is printed
        raise
    (say if place.streams else out)(told)
