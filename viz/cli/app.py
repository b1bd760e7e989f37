"""The command line. Each command imports only what it needs, so that an answer comes at once."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from bellwire.engine.errors import EngineError, ScenarioError
from bellwire.engine.host.no_memory import end_without_memory
from bellwire.viz.cli.completing.asked_by_shell import COMPLETE, print_offers
from bellwire.viz.cli.ending import (
    HUNG_UP,
    complain_of,
    ended_by,
    hung_up,
    interruptions_raised,
    standard_streams,
    usage,
)
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
    run_scenario,
    say_dormant,
    scenario_named,
)
from bellwire.viz.cli.terminal import (
    DONE,
    FAILED,
    USAGE,
    complain,
    complain_of_all,
    out,
    out_json,
    share_bar,
    terminal_console,
)
from bellwire.viz.text.faults import faults_told

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bellwire.engine.findings.assertion import Judgement
    from bellwire.engine.scenarios.scenario import Scenario
    from bellwire.viz.bench.program import Figure
    from bellwire.viz.cli.measure import Measurement

DEFAULT_SECONDS = 5.0
WIDTH_OF_CLICK = 52  # columns: narrower help it does not write by itself
FromDesktop = Annotated[
    bool, typer.Option("--from-desktop", hidden=True, help="Say what is wrong in a window: nobody sees a terminal.")
]
UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # Click's; newer versions of Typer carry Click along


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line (by default this process's). Returns the exit code; nothing is raised."""
    with standard_streams(), faults_told(complain_of), interruptions_raised():
        try:
            end_without_memory(FAILED)
            code = command_code(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
        except UsageError as error:
            return complain(usage(cast(Any, error)), USAGE)
        except BaseException as error:
            code = ended_by(error)
        return HUNG_UP if code != DONE and hung_up() else code


def command_code(arguments: list[str]) -> int:
    """The exit code of the command; what it raises is its caller's, where Click would make its own of some of it."""
    command = whole_command_line()
    if arguments[:1] == [COMPLETE]:
        print_offers(command, arguments[1:])
        return DONE
    try:
        with command.make_context("bellwire", list(arguments), terminal_width=narrow_help()) as context:
            code = command.invoke(context)
    except typer.Exit as end:
        code = end.exit_code
    return code if isinstance(code, int) else DONE


def whole_command_line() -> Any:
    """Every command there is, as Click knows them, in the order of the help."""
    from bellwire.viz.cli import recordings  # noqa: F401 (adds its commands, behind those below)
    from bellwire.viz.cli.attach import attach_command  # noqa: F401 (so do these)
    from bellwire.viz.cli.lessons import handout_command, lesson_commands, quiz_command, slides_command  # noqa: F401
    from bellwire.viz.cli.pictures import clip_command, page_command, shot_command  # noqa: F401
    from bellwire.viz.cli.shots import shots_command  # noqa: F401

    # isort: split
    from bellwire.viz.cli.desktop import desktop_command  # noqa: F401 (the last one in the help)

    return typer.main.get_command(app)


def narrow_help() -> int | None:
    """The width of help where Click's own least one is wider than the terminal."""
    columns = shutil.get_terminal_size().columns
    return max(columns - 2, 1) if columns < WIDTH_OF_CLICK else None


def print_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        from bellwire.viz.text.versions import program_version

        print(f"bellwire {program_version()}")
        raise typer.Exit


@app.callback()
def bellwire(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Makes visible how a KVM guest and its host signal each other.

    Opens its window with a SCENARIO (by default roundtrip) or a RECORDING; or does what a COMMAND says.
    """


@app.command(name="open", hidden=True)
def open_(
    what: Annotated[str, typer.Argument(metavar="[SCENARIO | RECORDING | PICTURE | LESSON.md]")] = "roundtrip",
    settings: Settings = None,
    theme: InTheme = None,
    language: InLanguage = None,
    from_desktop: FromDesktop = False,
) -> int:
    """Opens the window with a scenario, a recording, a lesson's file, or what a picture shows."""
    if not from_desktop:
        return open_named(what, settings, theme or "", language or "")
    try:
        return open_named(what, settings, theme or "", language or "")
    except EngineError as error:
        from bellwire.viz.cli.opening import refuse

        refuse(str(error), theme or "", language or "")
        raise


def open_named(what: str, settings: list[str] | None, theme: str, language: str) -> int:
    """What a word names, in the window; EngineError if that cannot be."""
    from bellwire.viz.cli.opening import open_lesson, open_recording, open_scenario

    is_file = names_file(what)
    if settings and is_file:
        raise ScenarioError("--set changes a scenario, not a file.")
    if what.lower().endswith((".png", ".svg", ".pdf")):
        from bellwire.viz.cli.pictures.open_picture import open_picture

        return open_picture(Path(what), theme, language)
    if is_file and what.lower().endswith(".md"):
        from bellwire.viz.lessons.lesson_file import lesson_named

        return open_lesson(lesson_named(what), out, theme, language)
    if is_file:
        return open_recording(file_named(Path(what)), out, theme=theme, language=language)
    scenario = scenario_named(what, settings, also=commands())
    return open_scenario(scenario, out, theme=theme, language=language)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """Lists the scenarios: name, purpose, and what this host lacks; and which were recorded with another KVM."""
    from bellwire.engine.machines.build import refusal
    from bellwire.engine.scenarios.scenario import list_scenarios
    from bellwire.viz.text.assets import recorded_elsewhere

    scenarios, elsewhere = list_scenarios(), recorded_elsewhere()
    if as_json:
        fields = ("name", "group", "title", "purpose")
        told = [{field: getattr(one, field) for field in fields} | {"lacks": refusal(one)} for one in scenarios]
        out_json([one | {"recorded_elsewhere": of_scenario(one["name"], elsewhere)} for one in told])
    else:
        out(scenario_table(scenarios, elsewhere))


def of_scenario(name: str, recordings: list[str]) -> list[str]:
    """Those that another KVM made of this scenario."""
    return [one for one in recordings if one.partition("@")[0] == name]


def scenario_table(scenarios: list[Scenario], elsewhere: list[str]) -> RenderableType:
    """One row a scenario, below the name of its group, dim where this host lacks something, which is told at the end;
    before that the recordings of some, made with another KVM."""
    from itertools import groupby

    from rich.console import Group

    from bellwire.engine.machines.build import refusal
    from bellwire.viz.cli.tables import Figures

    table = Figures("Scenario", "Purpose")
    table.columns[0].no_wrap = True
    for group, some in groupby(scenarios, key=lambda scenario: scenario.group):
        table.add_row(group, style="bold")
        for scenario in some:
            table.add_row(f"  {scenario.name}", scenario.purpose, style="dim" if refusal(scenario) else "")
        table.add_row()
    if elsewhere:
        table.add_row("Recorded with another KVM", "", style="bold")
        for scenario in scenarios:
            for name in of_scenario(scenario.name, elsewhere):
                table.add_row(f"  {name}", scenario.purpose)
        table.add_row()
    return Group(table, *(f"{scenario.name}: {why}" for scenario in scenarios if (why := refusal(scenario))))


@app.command()
def doctor(as_json: Json = False) -> int:
    """Checks this host; names the command that mends what is missing."""
    from bellwire.viz.cli.doctor import all_checks, checks_table, doctor_report, exit_code

    checks = all_checks()
    if as_json:
        out_json(doctor_report(checks))
    else:
        out(checks_table(checks))
    return exit_code(checks)


@app.command()
def run(
    name: ScenarioName,
    seconds: Annotated[
        float | None,
        seconds_option(least=0.1, what=f"Run for S seconds (default {DEFAULT_SECONDS:g})."),
    ] = None,
    count: Signals = None,
    settings: Settings = None,
    as_json: Json = False,
    unit: Unit = UnitName.US,
    texts: Asserts = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the events to FILE (Arrow).")] = None,
    force: Force = False,
    kernel: InKernel = False,
) -> int:
    """Runs a scenario without a window and prints what was measured."""
    scenario, assertions = scenario_named(name, settings), assertions_of(texts)
    check_length(scenario, seconds, count)
    say_dormant(scenario, settings)
    if record:
        from bellwire.engine.outputs import target_of

        if target_of(record, force).is_stdout:
            raise typer.BadParameter(
                "what is measured goes to standard output; name a file, or use `bellwire record`",
                param_hint="--record",
            )
    done = run_scenario(scenario, seconds or DEFAULT_SECONDS, count, record, force, kernel=kernel)
    verdicts = [assertion.judge(done.tally, done.latencies) for assertion in assertions]
    print_measurement(done, verdicts, as_json, unit)
    failed = complain_of_all(done.trouble)
    if done.interrupted:
        return complain("interrupted", 128 + done.interrupted)
    return DONE if not failed and all(verdict.holds for verdict in verdicts) else FAILED


def print_measurement(done: Measurement, verdicts: list[Judgement], as_json: bool, unit: UnitName) -> None:
    """As one JSON object, or as tables."""
    from bellwire.viz.cli import summary
    from bellwire.viz.cli.kernel.summary import kernel_report, kernel_tables
    from bellwire.viz.text.figures import unit_called

    of = (done.source, done.tally, done.latencies, done.evidence, done.elapsed_s, verdicts)
    if as_json:
        out_json(summary.report(*of) | kernel_report(done.kernel))
    else:
        out(summary.summary(*of, unit))
        out(kernel_tables(done.kernel, unit_called(unit, done.source.clock.hz)))


def another_file(what: Path | None) -> Path | None:
    """The other recording, if one is named."""
    return None if what is None else file_named(what)


@app.command(name="compare")
def compare_(
    a: Annotated[Path, typer.Argument(metavar="A", help="A recording.", callback=file_named)],
    b: Annotated[Path | None, typer.Argument(metavar="[B]", help="Another one.", callback=another_file)] = None,
    at_switch: Annotated[
        bool, typer.Option("--at-switch", help="Compare A before and after its last live switch.")
    ] = False,
    unit: Unit = UnitName.US,
    as_json: Json = False,
) -> None:
    """Compares two recordings, or one before and after a switch: percentiles, differences, exits."""
    if (b is None) != at_switch:
        raise typer.BadParameter("name two recordings, or one and --at-switch")
    from bellwire.viz.cli import compare

    with share_bar("reads") as progress:
        found = compare.compare_at_switch(a, progress) if b is None else compare.compare_files(a, b, progress)
    if as_json:
        out_json(compare.comparison_report(found))
    else:
        out(compare.tables(found, unit))


@app.command()
def call(
    name: ScenarioName,
    part: Annotated[str | None, typer.Option(metavar="NAME", help="One call, by its name in the table.")] = None,
    form: Annotated[
        str | None, typer.Option("--as", metavar="c|python|rust|bytes", help="Its program, or its bytes, to paste.")
    ] = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Shows the calls behind a scenario's wires: what the kernel gets, and the same in C, Python and Rust."""
    from bellwire.engine.calls.of_scenario import calls_of
    from bellwire.viz.cli import calls as reports

    calls = {made.name: made for made in calls_of(scenario_named(name, settings))}
    if part is not None and part not in calls:
        raise typer.BadParameter(f"{name} has no call {part!r}; it has {', '.join(calls)}")
    if form is not None and (part is None or form not in reports.FORMS):
        raise typer.BadParameter(f"--as needs --part, and one of {', '.join(reports.FORMS)}")
    if as_json:
        told = [reports.as_json(made) for made in calls.values() if part in (None, made.name)]
        program = {form: reports.as_text(calls[part], form)} if part and form else {}
        out_json(told if part is None else told[0] | program)
    elif part is None:
        out(reports.call_table(tuple(calls.values())))
    elif form is None:
        out(reports.call_details(calls[part]))
    else:
        print(reports.as_text(calls[part], form))


@app.command()
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer turns: rougher figures, sooner.")] = False,
    soak: Annotated[
        float,
        seconds_option(least=0, what="Also watch the memory for S seconds, flat out."),
    ] = 0,
    recordings: Annotated[bool, typer.Option("--recordings", help="Measure a large recording instead.")] = False,
    events: Annotated[
        int, typer.Option(min=1000, max=10**10, metavar="N", help="With --recordings: of so many events.")
    ] = 10**7,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a wanted figure is missed.")] = False,
    as_json: Json = False,
) -> int:
    """Measures what the program costs the thing that it shows, as ratios of one alternating run."""
    from dataclasses import asdict

    from bellwire.engine.host.host import host_facts, usable_kvm
    from bellwire.viz.cli.display import find_display

    if not recordings:
        usable_kvm()
    os.environ["QT_QPA_PLATFORM"] = find_display().platform
    from bellwire.viz.bench.pictures import picture_figures
    from bellwire.viz.bench.program import FULL, QUICK, figures
    from bellwire.viz.bench.recordings import recording_figures
    from bellwire.viz.text.figures import grouped

    host, results = host_facts(), []
    console = terminal_console(stderr=True)
    large = [(f"a recording of {grouped(events)} events", partial(recording_figures, events))]
    pictures = [("pictures", partial(picture_figures, QUICK if quick else FULL))]
    every: list[tuple[str, Callable[[], list[Figure]]]] = [
        *(large if recordings else [*figures(quick, soak), *pictures])
    ]
    for name, measured in every:
        console.print(f"measures: {name} ...", style="dim", highlight=False)
        results += measured()
    if as_json:
        out_json({"host": host, "figures": [asdict(figure) for figure in results]})
    else:
        out(bench_table(host, results))
    return FAILED if strict and not all(figure.holds for figure in results) else DONE


def bench_table(host: dict[str, str], results: list[Figure]) -> RenderableType:
    """One row a figure, under the machine that it was measured on."""
    from bellwire.viz.cli.tables import Figures
    from bellwire.viz.text.host_words import host_line

    title = host_line(host, host["backend"])
    table = Figures(
        "Figure", "Measured", "Wanted", "", "Detail", pad_edge=True, show_edge=True, title=title, title_justify="left"
    )
    for figure in results:
        table.add_row(figure.name, figure.value, figure.limit, "ok" if figure.holds else "missed", figure.detail)
    return table


def commands() -> Iterator[str]:
    """The names of the commands that can be seen."""
    for command in app.registered_commands:
        if command.name or command.callback:
            name = command.name or command.callback.__name__  # type: ignore[union-attr]
            if not command.hidden:
                yield name
