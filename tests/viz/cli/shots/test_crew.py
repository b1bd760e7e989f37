"""Several processes make the very files that one makes; one that dies costs a picture; Ctrl-C leaves none of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.shots.crew import Crew, CrewProcess, crew_size, stretches_for
from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.lists.listed import ListedPicture
from bellwire.viz.pictures.lists.series import MadeFiles
from tests.support.commands import bellwire
from tests.support.processes import children
from tests.support.x_server import x_server


def listed(number: int, recording: str = "roundtrip", view: str = "numbers") -> ListedPicture:
    """A small picture."""
    asked = PictureAsked(view, size=(320, 96 + number))
    return ListedPicture(f"n{number}", "shots.toml:1:1", Path(f"{number}.png"), asked, path_of_shipped(recording))


@pytest.mark.xcb
def test_two_processes_on_a_screen_make_what_one_makes_without(tmp_path: Path) -> None:
    """All formats, and a picture that cannot be made; on somebody else's machine."""
    text = """
[defaults]
scenario = "roundtrip"
at = "#median"
size = "320x180"
[shot.a]
view = ["numbers", "latency"]
out = ["{view}.png", "{view}.svg", "{view}.pdf"]
[shot.b]
scenario = "irq-msi"
[shot.c]
view = "suppression"
"""
    made = []
    with x_server() as display:
        for jobs, others in (
            ("1", {"QT_QPA_PLATFORM": "offscreen"}),
            ("2", {"QT_QPA_PLATFORM": "xcb", "TZ": "Asia/Tokyo"}),
        ):
            folder = tmp_path / jobs
            folder.mkdir()
            (folder / "shots.toml").write_text(text)
            ran = bellwire("shots", "build", f"{folder}/shots.toml", "--jobs", jobs, DISPLAY=display, **others)
            said = f"bellwire: {folder}/shots.toml:11:1: c: roundtrip has nothing that the view suppression shows.\n"
            assert (ran.returncode, ran.stderr) == (1, said)
            made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(made[0]) == 6 + 1 + 1
    assert made[0] == made[1]


def test_a_process_that_dies_costs_the_picture_that_it_was_making(tmp_path: Path) -> None:
    pictures = [listed(number) for number in range(4)]
    with Crew(tmp_path, 1) as crew:
        answers = crew.answers(pictures, lambda: None)
        first = next(answers)
        crew.processes[0]._process.kill()
        rest = dict(answers)
    left = [one for one in pictures if one != first[0]]
    assert set(rest) == set(left)
    lost = [one.name for one in left if rest[one] == "The process that was making it was ended by SIGKILL."]
    assert len(lost) <= 1  # none if it had sent all its answers by then
    assert all(isinstance(rest[one], MadeFiles) for one in left if one.name not in lost)


def test_one_that_is_dead_is_told_and_another_one_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[CrewProcess]()

    class DeadAtFirst(CrewProcess):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            begun.append(self)
            if len(begun) == 1:
                self._process.terminate()
                self._process.wait()

    monkeypatch.setattr("bellwire.viz.cli.shots.crew.CrewProcess", DeadAtFirst)
    pictures = [listed(0), listed(1)]
    with Crew(tmp_path, 1) as crew:
        found = dict(crew.answers(pictures, lambda: None))
    assert found[pictures[0]] == "The process that was making it was ended by SIGTERM."
    assert isinstance(found[pictures[1]], MadeFiles)
    assert len(begun) == 2


def test_a_process_is_given_one_recording_at_a_time_and_few_are_left_to_one_alone() -> None:
    pictures = [*(listed(n) for n in range(20)), *(listed(n, "irq-msi") for n in range(5))]
    shares = stretches_for(pictures, 2)
    assert [one for share in shares for one in share] == pictures
    assert all(len({one.recording for one in share}) == 1 for share in shares)
    assert max(map(len, shares)) == 8
    assert [len(share) for share in stretches_for(pictures[:4], 2)] == [2, 2]


def test_few_pictures_are_not_worth_a_process() -> None:
    cores = len(os.sched_getaffinity(0))
    assert [crew_size(count, None) for count in (1, 12, 10_000)] == [1, 1, cores]
    assert [crew_size(count, 3) for count in (1, 2, 10)] == [1, 2, 3]


def running() -> set[int]:
    """The numbers of our workers' processes."""
    ran = subprocess.run(["pgrep", "-f", "bellwire.viz.cli.shots.worker"], capture_output=True, text=True, check=False)
    return set(map(int, ran.stdout.split()))


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_leaves_whole_pictures_and_no_process(jobs: int, tmp_path: Path) -> None:
    sizes = ", ".join(f'"{320 + n}x200"' for n in range(60))
    text = f'[shot.a]\nscenario = "roundtrip"\nsize = [{sizes}]\nat = ["1s", "2s", "3s", "4s"]\n'
    (tmp_path / "shots.toml").write_text(text)
    command = [sys.executable, "-P", "-m", "bellwire.viz", "shots", "build", f"{tmp_path}/shots.toml", f"--jobs={jobs}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("*.png")) and process.poll() is None:
            time.sleep(0.02)
        ours = running() & set(children(process.pid))
        assert len(ours) == (jobs if jobs > 1 else 0)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=240)[1]
    assert (process.returncode, said) == (130, "bellwire: interrupted\n")
    assert not ours & running()
    made = [path for path in tmp_path.iterdir() if path.suffix != ".toml"]
    assert 0 < len(made) < 240
    assert {path.suffix for path in made} == {".png"}
    assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in made)
