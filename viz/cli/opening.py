"""Chooses what the window shows, and where: a guest or a recording, on the display or, without one, offscreen."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bellwire.engine.errors import EngineError, NoKvmError, RecordingError
from bellwire.viz.cli.ending import complain_of
from bellwire.viz.cli.terminal import Print, say
from bellwire.viz.window import importing, importing_qt

if TYPE_CHECKING:  # Arrow and cffi load when they are needed
    from collections.abc import Generator

    from bellwire.engine.recordings.recording import Recording
    from bellwire.engine.scenarios.scenario import Scenario
    from bellwire.engine.source import Source
    from bellwire.viz.lessons.lesson import Lesson
    from bellwire.viz.model.live import LiveModel
    from bellwire.viz.window.lesson.player import LessonPlayer
    from bellwire.viz.window.window import MainWindow

OFFSCREEN_SECONDS = 5.0


def open_scenario(
    scenario: Scenario,
    out: Print,
    *,
    theme: str = "",
    language: str = "",
    lesson: Lesson | None = None,
    in_place: Scenario | None = None,
) -> int:
    """Shows a guest; where none can run says why, and shows a recording of the scenario. Returns the exit code.

    theme, language: of the window; "": those of last time. lesson: what begins with it. in_place: the scenario whose
    recording is shown instead, if it is another one.
    """
    from bellwire.engine.host.host import usable_kvm

    try:
        usable_kvm()
    except NoKvmError as error:
        say(f"{error}")
        return show(*instead(in_place or scenario, str(error)), out, theme, language, lesson)
    with importing():
        from bellwire.engine.live.session import Session
        from bellwire.engine.machines.build import refusal

    if why := refusal(scenario):
        say(why)
        return show(*instead(in_place or scenario, why), out, theme, language, lesson)
    return show(Session(scenario), "", out, theme, language, lesson)


def open_lesson(lesson: Lesson, out: Print, theme: str = "", language: str = "") -> int:
    """Shows a lesson, over guests or, where none can run, over recordings. Returns the exit code."""
    scene = lesson.steps[0].scene
    return open_scenario(scene.scenario, out, theme=theme, language=language, lesson=lesson, in_place=scene.in_place)


def instead(scenario: Scenario, reason: str) -> tuple[Source | None, str]:
    """The shipped recording of a scenario, if it can be read, and what the window says: why there is no guest."""
    from bellwire.engine.recordings.shipped import path_of_shipped, replay_in_place_of, words_in_place
    from bellwire.engine.scenarios.scenario import load_scenario

    try:
        source = replay_in_place_of(scenario, reason)
    except RecordingError as error:
        say(str(error))
        return None, reason
    say(f"shows a recording instead: {source.scenario.name} on {source.host.get('cpu')} with {source.backend}.")
    if scenario != load_scenario(scenario.name) and source.recording.path == path_of_shipped(scenario.name):
        say("what --set changes needs a guest: the recording was made without it.")
    return source, words_in_place(source)


def open_recording(path: Path, out: Print, at: float = 0.0, theme: str = "", language: str = "") -> int:
    """Shows a recording from `at` seconds on. Returns the exit code; RecordingError if it is none."""
    from bellwire.engine.recordings.recording import Recording
    from bellwire.engine.recordings.replay import Replay

    recording = Recording(path, attached=True)
    if recording.header.attached:
        return open_attached(recording, out, at, theme, language)
    source = Replay(recording)
    source.begin_at(source.clock.cycles(at))
    return show(source, source.warning, out, theme, language)


def open_attached(recording: Recording, out: Print, at: float, theme: str, language: str) -> int:
    """Shows a recording of a VMM that was seen from outside from `at` seconds on; without a display says what it holds
    from there. The exit code."""
    from bellwire.viz.cli.display import find_display

    found = find_display()
    os.environ["QT_QPA_PLATFORM"] = found.platform
    if not found.trouble:
        with importing_qt():
            from bellwire.viz.window.attaching.alone import open_replayed

        return open_replayed(recording, at, theme, language, complain_of)
    from bellwire.viz.cli.attach.recording_told import AttachedReport

    say(found.trouble)
    out(AttachedReport(recording, at).summary())
    return 0


def written_while_held(player: LessonPlayer, model: LiveModel, folder: Path) -> Generator[float, None, None]:
    """Writes the handout of a lecture; what it takes is imported once one is wanted."""
    from bellwire.viz.handout.held import held_handout

    return held_handout(player, model, folder)


def show(
    source: Source | None,
    reason: str,
    out: Print,
    theme: str = "",
    language: str = "",
    lesson: Lesson | None = None,
    then: Callable[[MainWindow], object] | None = None,
) -> int:
    """On the display until the window is closed; without one a few seconds offscreen, but no lesson, nor a picture.

    then: is called once the window is shown.
    """
    from bellwire.viz.cli.display import find_display

    found = find_display()
    os.environ["QT_QPA_PLATFORM"] = found.platform  # what was tried is what Qt opens
    if not found.trouble:
        with importing_qt():
            from bellwire.viz.window.window import open_window

        def begin(window: MainWindow) -> None:
            window.lecture_handout.write_pieces = written_while_held
            if then:
                then(window)

        words = {"reason": reason, "theme": theme, "language": language}
        return open_window(source, **words, tell=complain_of, lesson=lesson, then=begin)
    if then:
        raise EngineError(f"{found.trouble} What a picture shows needs one to be opened.")
    if lesson:
        raise EngineError(f"{found.trouble} A lesson needs a display; its text is in {lesson.path}.")
    say(f"{found.trouble} Runs {OFFSCREEN_SECONDS:g} s offscreen.")
    from bellwire.viz.cli.offscreen import watch

    return watch(source, reason, OFFSCREEN_SECONDS, out, theme)


def refuse(sentence: str, theme: str, language: str) -> None:
    """Says on the display, if there is one, why nothing can be opened."""
    from bellwire.viz.cli.display import find_display

    found = find_display()
    if not found.trouble:
        os.environ["QT_QPA_PLATFORM"] = found.platform
        from bellwire.viz.window.asked.refusal import refuse_in_window

        refuse_in_window(sentence, theme, language)
