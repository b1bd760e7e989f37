"""A lab's sheet: the symptom first, evidence and cause hidden until somebody opens them, or on later pages."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.app import main
from bellwire.viz.handout.document import KeptRecording, Seen
from bellwire.viz.handout.lab_sheet import LabSheet, lab_html
from bellwire.viz.lessons.labs.clues import CLUES
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.lessons.labs.lab_texts import riddle_named
from bellwire.viz.lessons.labs.quiz import Quiz
from tests.support.accented import accented, in_accents, unsaid

LAB = "lab-masked-edge"
OF_KVM = {"irqfd", "ioeventfd", "kvm", "pvm", "KVM", "EXIT", "MMIO"}  # names that every language has
pytestmark = pytest.mark.usefixtures("qapp")


def test_nothing_that_is_seen_at_first_tells_the_cause(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert main(["handout", LAB, "-o", str(folder), "--replay", "--no-pdf"]) == 0
    page = (folder / "handout.html").read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["handout.html", "lab.arrow"]
    body = page.partition("</style>")[2]
    assert body.count("<details>") == len(CLUES) + 1
    seen = re.sub(r"<details>.*?</details>|<section id=\"glossary\".*", "", body, flags=re.DOTALL)
    assert "REPLAY" in seen
    assert "486" not in seen  # no figure of the evidence
    assert LAB not in seen
    assert "✓" not in seen
    assert body.count("✓ right") == 1
    assert body.count("data:image/png") == 1
    assert "{" not in body


def test_on_paper_evidence_and_cause_are_on_later_pages() -> None:
    recording = Recording(path_of_shipped(LAB))
    kept = KeptRecording("lab.arrow", "", 1, "a machine", True)
    made = LabSheet(Quiz.drawn(1, riddle_named(LAB)), LabRun.of_recording(recording), Seen((), ""), kept, "no KVM")
    paper = lab_html(made, paper=True)
    assert "<details>" not in paper
    apart = re.findall(r'<section id="([\w-]+)" class="apart">', paper)
    assert apart == [*(f"clue-{clue.name}" for clue in CLUES), "cause"]
    assert all(f'href="#clue-{clue.name}"' in paper for clue in CLUES)


@pytest.mark.parametrize("name", [LAB, "lab-no-eoi", "lab-wrong-length"])
def test_all_of_it_is_in_the_language_that_is_spoken(name: str) -> None:
    """But for the names of terms."""
    quiz, run = Quiz.drawn(1, riddle_named(name)), LabRun.of_recording(Recording(path_of_shipped(name)))
    with in_accents():
        page = lab_html(LabSheet(quiz, run, Seen((), ""), KeptRecording("", "", 1, "", True), ""), paper=False)
    body = page.partition("</style>")[2]
    read = unescape(re.sub(r"<pre>.*?</pre>|<dt.*?</dt>|<[^>]*>", "\n", body, flags=re.DOTALL))
    assert accented("What is the cause?") in read
    assert unsaid(read, OF_KVM) == []


@pytest.mark.kvm
def test_over_a_guest_it_is_of_that_run(tmp_path: Path) -> None:
    assert main(["handout", "lab-second-irqfd", "-o", str(tmp_path / "out"), "--no-pdf"]) == 0
    page = (tmp_path / "out/handout.html").read_text()
    assert "REPLAY" not in page
    signalled = LabRun.of_recording(Recording(tmp_path / "out/lab.arrow")).told("{signalled}")
    assert f"for {signalled} signals" in page


def test_a_lab_that_is_none_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["handout", "lab-no-eio", "-o", str(tmp_path / "out")]) == 2
    assert "did you mean lab-no-eoi?" in capsys.readouterr().err
