"""What the window opens with, and what happens where there is no display or no KVM."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bellwire.engine.errors import NoKvmError
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Source
from bellwire.viz.cli.app import main
from bellwire.viz.cli.display import Opening
from bellwire.viz.cli.opening import instead
from bellwire.viz.lessons.lesson import Lesson

REFUSED = """
from bellwire.engine.errors import NoKvmError
from bellwire.engine.host import host

def refuse():
    raise NoKvmError("There is no /dev/kvm: sudo modprobe kvm_intel")

host.usable_kvm = refuse
"""


def start(folder: Path, preamble: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program in `folder`, without a display, for half a second."""
    code = f"import sys; import bellwire.viz.cli.opening as o; o.OFFSCREEN_SECONDS = 0.5\n{preamble}\n"
    code += f"from bellwire.viz.cli.app import main; sys.exit(main({list(arguments)!r}))"
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=240,
    )


@pytest.mark.kvm
def test_without_a_display_it_runs_offscreen_and_leaves_a_picture(tmp_path: Path) -> None:
    run = start(tmp_path, "", "doorbell-pio", "--set", "pace=100")
    assert run.returncode == 0, run.stderr
    assert "PIO doorbell through an ioeventfd" in run.stdout
    assert f"The window's picture is in {tmp_path / 'bellwire.png'}" in run.stdout
    assert (tmp_path / "bellwire.png").read_bytes().startswith(b"\x89PNG")
    assert "Runs 0.5 s offscreen" in run.stderr


def test_a_replay_without_a_display_is_as_long_as_its_events(tmp_path: Path) -> None:
    """The time that the window was open for was said to be that from first event to last."""
    recording = Recording(path_of_shipped("roundtrip"))
    run = start(tmp_path, "", "replay", "roundtrip", "--at", f"{recording.seconds - 0.1:.3f}")
    told = re.search(r"REPLAY · roundtrip · (\d+\.\d+) s from first event to last", run.stdout)
    assert told is not None, run.stdout
    assert recording.seconds - 0.11 <= float(told[1]) <= recording.seconds + 0.005


LACKING = """
from bellwire.engine.host import host

host.usable_kvm = lambda: None
from bellwire.engine.machines import build

build.refusal = lambda scenario: "This host has no /dev/vhost-net: do this."
"""


def test_what_this_host_lacks_for_a_scenario_is_said_and_its_recording_is_shown(tmp_path: Path) -> None:
    run = start(tmp_path, LACKING, "vhost-net")
    assert run.returncode == 0, run.stderr
    assert "This host has no /dev/vhost-net: do this." in run.stderr
    assert "shows a recording instead: vhost-net on QEMU TCG CPU" in run.stderr


def test_a_run_of_it_says_in_one_sentence_how_its_recording_is_had(tmp_path: Path) -> None:
    run = start(tmp_path, LACKING, "run", "vhost-net")
    assert run.returncode == 1
    told = "This host has no /dev/vhost-net: do this; without it `bellwire vhost-net` plays a recording"
    assert told in run.stderr
    assert run.stderr.count("\n") == 1


def test_without_kvm_it_says_why_and_replays(tmp_path: Path) -> None:
    run = start(tmp_path, REFUSED)
    assert run.returncode == 0, run.stderr
    assert "bellwire: There is no /dev/kvm: sudo modprobe kvm_intel\n" in run.stderr
    assert "shows a recording instead: roundtrip on " in run.stderr
    assert "REPLAY · roundtrip" in run.stdout
    assert (tmp_path / "bellwire.png").exists()


@pytest.fixture
def themes() -> list[str]:
    """In which theme each window is asked for."""
    return []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, themes: list[str]) -> list[Source]:
    """What would be shown, where no guest can run."""
    shown: list[Source] = []

    def refuse() -> None:
        raise NoKvmError("There is no /dev/kvm: sudo modprobe kvm_intel")

    def show(
        source: Source, reason: str, out: object, theme: str = "", language: str = "", lesson: object = None
    ) -> int:
        shown.append(source)
        themes.append(theme)
        return 0

    monkeypatch.setattr("bellwire.engine.host.host.usable_kvm", refuse)
    monkeypatch.setattr("bellwire.viz.cli.opening.show", show)
    return shown


def test_without_kvm_each_scenario_is_played_and_what_is_set_is_said_to_need_a_guest(
    opened: list[Source], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["irq-msi", "--set", "pace=10"]) == 0
    assert [(source.label, source.scenario.name) for source in opened] == [("REPLAY", "irq-msi")]
    assert "what --set changes needs a guest" in capsys.readouterr().err


def test_settings_of_which_a_recording_is_shipped_are_said_to_lack_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    source, _ = instead(load_scenario("irq-window").with_settings({"burst": "8"}), "There is no /dev/kvm: do this")
    assert source is not None
    assert "needs a guest" not in capsys.readouterr().err


def test_a_window_opens_in_the_theme_that_is_asked_for(
    opened: list[Source], themes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["irq-msi", "--theme", "projector"]) == main(["replay", "irq-msi", "--theme=print"]) == 0
    assert main([str(path_of_shipped("roundtrip"))]) == main(["lesson", "vm-exit", "--theme", "light"]) == 0
    assert (len(opened), themes) == (4, ["projector", "print", "", "light"])
    assert main(["irq-msi", "--theme", "purple"]) == 2
    assert "'dark', 'light', 'projector', 'print'" in capsys.readouterr().err


def test_a_recording_is_replayed_by_its_name_and_a_shipped_one_by_its_scenario(
    opened: list[Source], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(path_of_shipped("roundtrip"))]) == main(["replay", "irq-msi"]) == 0
    assert [(source.label, source.scenario.name) for source in opened] == [
        ("REPLAY", "roundtrip"),
        ("REPLAY", "irq-msi"),
    ]
    assert capsys.readouterr().err == ""


def test_without_kvm_and_recording_the_window_says_so(tmp_path: Path) -> None:
    none = "import bellwire.engine.recordings.shipped as s; from pathlib import Path; s.FOLDER = Path('/none')"
    run = start(tmp_path, f"{REFUSED}\n{none}")
    assert run.returncode == 3
    assert "Of the scenario roundtrip no recording is shipped." in run.stderr
    assert "Traceback" not in run.stderr


def test_without_kvm_the_window_says_why_and_that_it_shows_a_recording() -> None:
    source, words = instead(load_scenario("irq-msi"), "/dev/kvm is missing.")
    assert source is not None
    assert (source.label, source.scenario.name) == ("REPLAY", "irq-msi")
    assert words.startswith("/dev/kvm is missing. What you see is a recording, made on ")
    source.stop()


@pytest.mark.parametrize("option", [["--theme=projector"], ["--theme", "projector"]])
def test_an_option_alone_is_one_of_the_window(option: list[str], opened: list[Source], themes: list[str]) -> None:
    assert main([*option, "irq-msi"]) == main(option) == 0
    assert [source.scenario.name for source in opened] == ["irq-msi", "roundtrip"]
    assert themes == ["projector", "projector"]


def test_a_language_is_one_that_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--language", "xx"]) == 2
    assert "'xx' is not one of 'en'" in capsys.readouterr().err


def test_a_lessons_file_is_a_lesson(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    begun: list[str] = []

    def open_lesson(lesson: Lesson, *_: object) -> int:
        begun.append(lesson.title)
        return 0

    monkeypatch.setattr("bellwire.viz.cli.opening.open_lesson", open_lesson)
    file = Path(__file__).parents[2] / "support/short.md"
    assert main([str(file)]) == main(["open", str(file)]) == main(["lesson", str(file)]) == 0
    assert len(begun) == 3
    assert len(set(begun)) == 1
    assert main([str(file), "--set", "pace=10"]) == 2
    assert capsys.readouterr().err == "bellwire: --set changes a scenario, not a file.\n"


def test_from_a_desktop_what_is_wrong_is_said_in_a_window_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr("bellwire.viz.cli.opening.refuse", lambda *words: told.append(words))
    none = tmp_path / "none.arrow"
    assert main(["open", "--from-desktop", str(none), "--theme", "light"]) == 1
    assert main([str(none)]) == 1
    sentence = capsys.readouterr().err.splitlines()[0].removeprefix("bellwire: ")
    assert told == [(sentence, "light", "")]
    assert str(none) in sentence


def test_the_window_for_that_shows_the_sentence_as_it_is(monkeypatch: pytest.MonkeyPatch, qapp: object) -> None:
    from bellwire.viz.cli.opening import refuse
    from bellwire.viz.window.asked.refusal import Refusal

    shown: list[str] = []
    monkeypatch.setattr(Refusal, "exec", lambda dialog: shown.append(dialog.sentence.text()))
    monkeypatch.setattr("bellwire.viz.window.asked.refusal.when_told_to_end", lambda end: lambda: 0)
    monkeypatch.setattr("bellwire.viz.cli.display.find_display", lambda: Opening("offscreen", ""))
    refuse("It is <b>broken</b>.", "dark", "en")
    monkeypatch.setattr("bellwire.viz.cli.display.find_display", lambda: Opening("offscreen", "There is no display."))
    refuse("It is broken.", "dark", "en")
    assert shown == ["It is <b>broken</b>."]
