"""`bellwire shot` as a process: the same bytes for whoever runs it, and one sentence where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.pictures.provenance import read_provenance, sha256_of
from tests.support.commands import SOMEBODY_ELSES, bellwire
from tests.support.forked import Forked
from tests.support.refusals import refused
from tests.support.x_server import x_server

SHIPPED = path_of_shipped("roundtrip")


@pytest.mark.xcb
@pytest.mark.parametrize(
    ("view", "suffix", "what"),
    [
        ("window", "png", "The window"),
        ("extended", "svg", "Diagram of host, QEMU and guest"),
        ("window", "pdf", "The window"),
    ],
)
def test_the_bytes_are_the_same_on_another_machine_and_on_a_screen(
    view: str, suffix: str, what: str, tmp_path: Path
) -> None:
    words = ("shot", str(SHIPPED), "--view", view, "--at", "3s", "--theme", "dark", "-o")
    ran = bellwire(*words, f"{tmp_path}/a.{suffix}", QT_QPA_PLATFORM="")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(
        f"{tmp_path}/a.{suffix}: {what} of “Round trip: ioeventfd out, irqfd back” 3.00 s after"
    )
    with x_server() as display:
        ran = bellwire(*words, f"{tmp_path}/b.{suffix}", QT_QPA_PLATFORM="xcb", DISPLAY=display, **SOMEBODY_ELSES)
        assert (ran.returncode, ran.stderr) == (0, "")
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (f"shot {SHIPPED} -o x.jpg", 2, ".png, .svg, .pdf"),
        (f"shot {SHIPPED} -o x.png --view nothing", 2, "There is no view 'nothing'; there are window, diagram,"),
        (f"shot {SHIPPED} -o x.png --at nothing", 2, "is no moment: name a time"),
        (f"shot {SHIPPED} -o x.png --size 5", 2, "as 1280x720"),
        (f"shot {SHIPPED} -o x.png --set pace=7", 2, "for a scenario, not for a recording"),
        (f"shot {SHIPPED} -o /nonexistent/x.png", 1, "cannot be written"),
        ("shot roundtrop -o x.png", 2, "roundtrip"),
        ("shot roundtrip", 2, "--output"),
    ],
)
def test_a_mistake_is_one_sentence(
    words: str, code: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found, said = refused(words, tmp_path, monkeypatch, capfd)
    assert found == code
    assert why in said


def test_what_only_the_recording_tells_is_one_sentence_too(tmp_path: Path, forked: Forked) -> None:
    ran = forked.command(("shot", str(SHIPPED), "-o", f"{tmp_path}/x.png", "--at", "#99999"), tmp_path)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("bellwire: There is no journey #99999: they go from #1 to #")
    assert not list(tmp_path.iterdir())


def test_a_display_that_cannot_be_opened_is_not_needed(tmp_path: Path, forked: Forked) -> None:
    words = ("shot", str(SHIPPED), "--view", "numbers", "-o", f"{tmp_path}/a.png")
    ran = forked.command(words, tmp_path, QT_QPA_PLATFORM="xcb", DISPLAY=":77777")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_picture_that_is_there_is_replaced_only_by_force(tmp_path: Path, forked: Forked) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"x")
    words = ("shot", "roundtrip", "--replay", "--view", "numbers", "-o", str(target))
    assert "add --force" in forked.command(words, tmp_path).stderr
    assert forked.command((*words, "--force", "--sidecar"), tmp_path).returncode == 0
    told, beside = read_provenance(target), json.loads((tmp_path / "a.json").read_text())
    assert (told.recording, told.sha256) == ("roundtrip.arrow", sha256_of(SHIPPED))
    assert told.command.startswith("bellwire shot roundtrip.arrow -o numbers.png --view numbers --theme light")
    assert (beside["command"], beside["caption"], beside["alt"]) == (told.command, told.caption, told.alt)


@pytest.mark.kvm
def test_a_scenario_is_run_for_its_picture(tmp_path: Path, forked: Forked) -> None:
    words = ("shot", "roundtrip", "--signals", "20", "--view", "numbers", "-o", f"{tmp_path}/a.png")
    ran = forked.command((*words, "--record", f"{tmp_path}/kept.arrow"), tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    of_the_kept = ("shot", f"{tmp_path}/kept.arrow", "--view", "numbers", "-o", f"{tmp_path}/b.png")
    again = forked.command(of_the_kept, tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
