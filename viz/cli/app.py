"""The command line. No Qt here, and each command imports only what it needs, so that an answer comes at once."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType
from typer.core import TyperGroup

from bellwire.engine.errors import AssertionTextError, EngineError, NoKvmError, ScenarioError

if TYPE_CHECKING:
    from bellwire.engine.findings.assertion import Assertion, Judgement
    from bellwire.engine.scenarios.scenario import Scenario
    from bellwire.viz.bench.program import Figure
    from bellwire.viz.cli.measure import Measurement

DONE, FAILED, USAGE, NO_KVM, INTERRUPTED = 0, 1, 2, 3, 130
DEFAULT_SECONDS = 5.0
UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # Click's; newer versions of Typer carry Click along


class UnitName(StrEnum):
    """Of latencies in a table."""

    NS = "ns"
    US = "us"
    CYCLES = "cycles"


class CommandGroup(TyperGroup):
    """A first word that is no command is a scenario: `bellwire roundtrip` is `bellwire open roundtrip`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `open` in front where it is meant."""
        if not args or not (args[0].startswith("-") or args[0] in self.commands):
            args.insert(0, "open")
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    rich_markup_mode=None,
    subcommand_metavar="[SCENARIO | RECORDING | COMMAND ...]",
)

ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="One of `bellwire list`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object or array.")]
Signals = Annotated[
    int | None, typer.Option("--signals", min=1, max=2**62, metavar="N", help="Go on until N signals have arrived.")
]
Asserts = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="METRIC<LIMIT",
        help="Fail if it does not hold at the end: doorbell.p99<200us, exits==0, received==rung ...",
    ),
]
Unit = Annotated[UnitName, typer.Option("--unit", help="The unit of the latencies in the tables.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a setting: pace=flat-out, burst=8, idle=spin, irqfd=off ..."
    ),
]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line (by default this process's). Returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an old locale has no "µ": better "?" than no table
            stream.reconfigure(errors="replace")
    from bellwire.viz.cli import recordings  # noqa: F401 (has commands of its own)

    try:
        command = typer.main.get_command(app)
        code = command.main(args=arguments, prog_name="bellwire", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except UsageError as error:
        return complain(usage(error), USAGE)
    except ScenarioError as error:
        return complain(str(error), USAGE)
    except AssertionTextError as error:
        return complain(f"--assert {error}", USAGE)
    except NoKvmError as error:
        return complain(str(error), NO_KVM)
    except EngineError as error:
        return complain(str(error), FAILED)
    except (KeyboardInterrupt, typer.Abort):
        return complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # `bellwire list | head -1`: whoever read has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED


def complain(sentence: str, code: int) -> int:
    """One sentence on stderr."""
    print(f"bellwire: {sentence}", file=sys.stderr)
    return code


def usage(error: Any) -> str:
    """What is wrong with the arguments, in one sentence, and who explains them."""
    path = error.ctx.command_path if error.ctx else "bellwire"
    return f"{error.format_message().rstrip('.')}; `{path} --help` explains."


def print_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        from bellwire.viz.text.versions import program_version

        print(f"bellwire {program_version()}")
        raise typer.Exit


def out(content: RenderableType) -> None:
    """Prints for people: in colour on a terminal, and never cut off where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200
    console.print(content)


def out_json(content: Any) -> None:
    """Prints for programs."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


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
    what: Annotated[str, typer.Argument(metavar="[SCENARIO | RECORDING]")] = "roundtrip", settings: Settings = None
) -> int:
    """Opens the window with a scenario or a recording."""
    from bellwire.viz.cli.opening import open_recording, open_scenario

    if what.endswith((".arrow", ".arrows")) or Path(what).is_file():
        if settings:
            raise ScenarioError("--set changes a scenario, not a recording.")
        return open_recording(Path(what), out)
    return open_scenario(scenario_named(what, settings, also=commands()), out)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """Lists the scenarios group by group: name, purpose."""
    from bellwire.engine.scenarios.scenario import list_scenarios

    scenarios = list_scenarios()
    if as_json:
        fields = ("name", "group", "title", "purpose")
        out_json([{field: getattr(scenario, field) for field in fields} for scenario in scenarios])
    else:
        out(scenario_table(scenarios))


def scenario_table(scenarios: list[Scenario]) -> RenderableType:
    """One row a scenario, below the name of its group."""
    from itertools import groupby

    from rich import box
    from rich.table import Table

    table = Table("Scenario", "Purpose", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.columns[0].no_wrap = True
    for group, some in groupby(scenarios, key=lambda scenario: scenario.group):
        table.add_row(group, style="bold")
        for scenario in some:
            table.add_row(f"  {scenario.name}", scenario.purpose)
        table.add_row()
    return table


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
        float | None, typer.Option(min=0.1, metavar="S", help=f"Run for S seconds (default {DEFAULT_SECONDS:g}).")
    ] = None,
    count: Signals = None,
    settings: Settings = None,
    as_json: Json = False,
    unit: Unit = UnitName.US,
    texts: Asserts = None,
    record: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the events to FILE (Arrow).")] = None,
) -> int:
    """Runs a scenario without a window and prints what was measured."""
    scenario, assertions = scenario_named(name, settings), assertions_of(texts)
    check_length(scenario, seconds, count)
    done = run_scenario(scenario, seconds or DEFAULT_SECONDS, count, record)
    verdicts = [assertion.judge(done.tally, done.latencies) for assertion in assertions]
    print_measurement(done, verdicts, as_json, unit)
    for sentence in done.trouble:
        complain(sentence, FAILED)
    if done.interrupted:
        return complain("interrupted", 128 + done.interrupted)
    return DONE if not done.trouble and all(verdict.holds for verdict in verdicts) else FAILED


def check_length(scenario: Scenario, seconds: float | None, count: int | None) -> None:
    """UsageError if a run cannot be as long as that."""
    if seconds is not None and count is not None:
        raise typer.BadParameter("--seconds and --signals exclude each other")
    if count is not None and scenario.pace.per_second == 0:
        raise typer.BadParameter("--signals needs a pace: with pace=0 the guest signals only by hand")


def assertions_of(texts: list[str] | None) -> list[Assertion]:
    """What --assert says; AssertionTextError if it cannot be parsed."""
    from bellwire.engine.findings.assertion import parse_assertion

    return [parse_assertion(text) for text in texts or []]


def run_scenario(scenario: Scenario, seconds: float, count: int | None, record: Path | None) -> Measurement:
    """Measures. NoKvmError or another EngineError if the session cannot start."""
    from bellwire.engine.host.host import usable_kvm
    from bellwire.engine.live.session import Session
    from bellwire.viz.cli.measure import measure

    usable_kvm()
    session = Session(scenario, limit=count)
    with progress_bar(scenario.name, seconds, count) as progress:
        return measure(session, recorder_of(session, record), seconds, count, progress)


def print_measurement(done: Measurement, verdicts: list[Judgement], as_json: bool, unit: UnitName) -> None:
    """As one JSON object, or as tables."""
    from bellwire.viz.cli import summary

    of = (done.source, done.tally, done.latencies, done.evidence, done.elapsed_s, verdicts)
    if as_json:
        out_json(summary.report(*of))
    else:
        out(summary.summary(*of, unit))


def recorder_of(session: Any, file: Path | None) -> Callable[[], Any] | None:
    """Makes the recorder, once the session knows its clock; None without a file."""
    if file is None:
        return None
    from bellwire.engine.recordings.header import Header
    from bellwire.engine.recordings.recorder import Recorder
    from bellwire.viz.text.versions import program_version

    return lambda: Recorder(file, Header.of(session, program_version()))


@contextmanager
def progress_bar(name: str, seconds: float, count: int | None) -> Iterator[Callable[[float, int], None]]:
    """On a terminal, a bar that vanishes at the end; anywhere else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal or (count is None and seconds < 1):
        yield lambda elapsed, signals: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(name), BarColumn(), TextColumn("{task.fields[signals]:,} signals"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=count or (None if math.isinf(seconds) else seconds), signals=0)
        yield lambda elapsed, signals: bar.update(
            task, completed=elapsed if count is None else signals, signals=signals
        )


@app.command(name="compare")
def compare_(
    a: Annotated[Path, typer.Argument(metavar="A", help="A recording.")],
    b: Annotated[Path | None, typer.Argument(metavar="[B]", help="Another one.")] = None,
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
    from bellwire.viz.text.figures import unit_called

    with share_bar("reads") as progress:
        if b is None:
            found, hz = compare.compare_at_switch(a, progress)
        else:
            found, hz = compare.compare_files(a, b, progress)
    if as_json:
        out_json(compare.comparison_report(found))
    else:
        out(compare.tables(found, unit_called(unit, hz)))


@contextmanager
def share_bar(what: str, long: bool = True) -> Iterator[Callable[[float], None]]:
    """On a terminal, a bar for work that is `long`, which vanishes at the end; anywhere else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal or not long:
        yield lambda share: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


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
    soak: Annotated[float, typer.Option(min=0, metavar="S", help="Also watch the memory for S seconds, flat out.")] = 0,
    recordings: Annotated[bool, typer.Option("--recordings", help="Measure a large recording instead.")] = False,
    events: Annotated[int, typer.Option(min=1000, metavar="N", help="With --recordings: of so many events.")] = 10**7,
    as_json: Json = False,
) -> int:
    """Measures what the program costs the thing that it shows, as ratios of one alternating run."""
    from dataclasses import asdict

    from bellwire.engine.host.host import host_facts, usable_kvm
    from bellwire.viz.cli.display import display_trouble

    if not recordings:
        usable_kvm()
    if display_trouble():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from bellwire.viz.bench.program import figures
    from bellwire.viz.bench.recordings import recording_figures

    host, results = host_facts(), []
    console = Console(stderr=True)
    large = [(f"a recording of {events:,} events", partial(recording_figures, events))]
    for name, measured in large if recordings else figures(quick, soak):
        console.print(f"measures: {name} ...", style="dim", highlight=False)
        results += measured()
    if as_json:
        out_json({"host": host, "figures": [asdict(figure) for figure in results]})
    else:
        out(bench_table(host, results))
    return DONE


def bench_table(host: dict[str, str], results: list[Figure]) -> RenderableType:
    """One row a figure, under the machine that it was measured on."""
    from rich import box
    from rich.table import Table

    title = f"{host['cpu']}, {host['cpus']} CPUs · Linux {host['kernel']} · {host['backend']}"
    table = Table("Figure", "Measured", "Wanted", "", "Detail", box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for figure in results:
        table.add_row(figure.name, figure.value, figure.limit, "ok" if figure.holds else "missed", figure.detail)
    return table


def scenario_named(name: str, settings: list[str] | None, also: Iterable[str] = ()) -> Scenario:
    """The scenario with its settings; ScenarioError, with what was probably meant among the scenarios and `also`."""
    from bellwire.engine.scenarios.scenario import load_scenario

    return load_scenario(name, also).with_settings(dict(map(pair, settings or [])))


def pair(setting: str) -> tuple[str, str]:
    """ "pace=flat-out" as ("pace", "flat-out")."""
    key, equals, value = setting.partition("=")
    if not equals or not key:
        raise ScenarioError(f"--set takes KEY=VALUE, not {setting!r}.")
    return key.strip(), value.strip()


def commands() -> Iterator[str]:
    """The names of the commands that can be seen."""
    for command in app.registered_commands:
        if command.name or command.callback:
            name = command.name or command.callback.__name__  # type: ignore[union-attr]
            if not command.hidden:
                yield name
