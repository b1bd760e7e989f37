"""What commands that run a scenario have in common: which one, how long, what it is held to, and the run itself.

What a run needs is imported when it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bellwire.engine.errors import LackingError, NoKvmError, ScenarioError
from bellwire.engine.foreign import file_name
from bellwire.engine.host.scratch import scratch_folder
from bellwire.viz.cli.terminal import complain, progress_bar, say

if TYPE_CHECKING:
    from bellwire.engine.findings.assertion import Assertion
    from bellwire.engine.scenarios.scenario import Scenario
    from bellwire.viz.cli.measure import Measurement


def scenario_named(name: str, settings: list[str] | None, also: Iterable[str] = ()) -> Scenario:
    """The scenario with its settings; ScenarioError, with what was probably meant among the scenarios and `also`."""
    from bellwire.engine.scenarios.scenario import load_scenario

    return load_scenario(name, also).with_settings(dict(map(pair, settings or [])))


def say_dormant(scenario: Scenario, settings: list[str] | None) -> None:
    """What was set and does nothing in a run in which nobody throws a switch, each a sentence on stderr."""
    from bellwire.engine.scenarios.dormant import dormant

    for sentence in dormant(scenario, [pair(setting)[0] for setting in settings or []]):
        say(sentence)


def names_file(what: str) -> bool:
    """Whether that is a file, as a recording is, rather than a scenario; one whose name says so need not be there.

    The file of a scenario is no such file.
    """
    from bellwire.engine.scenarios.scenario import OWN

    if what.endswith((".arrow", ".arrows")) or (Path(what).is_file() and not what.endswith(OWN)):
        return True
    return "@" in what and file_named(Path(what)) != Path(what)


def file_named(what: Path) -> Path:
    """The recording that is called so: a file or, if there is none, "roundtrip@kvm_amd" of those that are shipped.

    RecordingError if it is shipped of other KVMs alone.
    """
    if "@" not in what.name or what.exists():
        return what
    from bellwire.engine.recordings.shipped import file_or_shipped

    return file_or_shipped(what)


def pair(setting: str) -> tuple[str, str]:
    """ "pace=flat-out" as ("pace", "flat-out")."""
    key, equals, value = setting.partition("=")
    if not equals or not key:
        raise ScenarioError(f"--set takes KEY=VALUE, not {setting!r}.")
    return key.strip(), value.strip()


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


def run_scenario(
    scenario: Scenario,
    seconds: float,
    count: int | None,
    record: Path | None,
    force: bool = False,
    called: str = "",
    *,
    kernel: bool = False,
) -> Measurement:
    """Measures. NoKvmError or another EngineError if the session cannot start. force: replaces what is recorded to.

    called: by the progress bar, where the scenario's name is not to be told.
    kernel: whether the inside of it is watched.
    """
    from bellwire.viz.cli.measure import measure, noted_interrupts

    with noted_interrupts() as noted, progress_bar(called or scenario.name, seconds, count) as progress:
        from bellwire.engine.host.host import usable_kvm
        from bellwire.engine.live.session import Session

        try:
            usable_kvm()
        except NoKvmError as error:
            raise NoKvmError(f"{error}{played_instead(scenario)}") from error
        session = Session(scenario, limit=count, kernel=kernel)
        recorder = recorder_of(session, record, force)
        if noted.number:
            raise SystemExit(complain("interrupted before anything was measured", 128 + noted.number))
        try:
            done = measure(session, recorder, seconds, count, progress)
        except LackingError as error:
            raise LackingError(f"{str(error).removesuffix('.')}{played_instead(scenario)}") from error
    done.interrupted = noted.number  # from here on somebody else hears of one
    return done


@contextmanager
def recorded_run(
    scenario: Scenario, seconds: float, count: int | None = None, called: str = "", *, kernel: bool = False
) -> Iterator[tuple[Path, list[str]]]:
    """A recording of a run that is made for it and goes again, and what was amiss in the run.

    called, kernel: as for run_scenario(). RecordingError if it is not whole; ends the command if somebody has
    interrupted it.
    """
    with scratch_folder() as folder:
        file = folder / f"{file_name(called or scenario.name)}.arrow"
        done = run_scenario(scenario, seconds, count, file, called=called, kernel=kernel)
        if done.recording and done.recording.error:
            raise done.recording.error
        if done.interrupted:
            raise SystemExit(complain("interrupted", 128 + done.interrupted))
        yield file, done.trouble


def played_instead(scenario: Scenario) -> str:
    """What to do where no guest can run, as the end of a sentence; "" of somebody's own scenario."""
    from bellwire.engine.recordings.shipped import path_of_shipped

    shipped = path_of_shipped(scenario.name).exists()
    return f"; without it `bellwire {scenario.name}` plays a recording" if shipped else ""


def recorder_of(session: Any, file: Path | None, force: bool) -> Callable[[], Any] | None:
    """Begins the recording, once the session knows its clock; None without a file."""
    if file is None:
        return None
    from bellwire.engine.events import no_events
    from bellwire.engine.outlet import RECORDING_ROOM
    from bellwire.engine.recordings.capture import Capture
    from bellwire.engine.recordings.header import Header
    from bellwire.viz.text.versions import program_version

    return lambda: Capture(
        file, Header.of(session, program_version()), no_events(), session.tee(RECORDING_ROOM), force=force
    )
