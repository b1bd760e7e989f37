"""A whole window with hostile texts everywhere: whatever Qt shows of them is what they are, and nothing else."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

import bellwire.engine.scenarios.scenario
from bellwire.engine.foreign import STEERING
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import load_scenario, load_scenario_file
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.about import About
from bellwire.viz.window.settings import Settings
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.fake_source import FakeSource
from tests.support.small_recording import BATCHES, HEADER

HOSTILE = "<h1>A & B</h1><img src='x'>[*]\x1b[31m\u202e"
NAME = "<h1>A & B<img src=x>\x1b[31m\u202e\udcff.arrow"  # of a file


@pytest.fixture
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of scenarios, one of which has hostile texts."""
    folder = tmp_path / "guests"
    folder.mkdir()
    for name in ("roundtrip", "doorbell-pio"):
        shutil.copy(GUESTS / f"{name}.toml", folder)
    escaped = "".join(f"\\U{ord(character):08x}" for character in HOSTILE)
    text = (GUESTS / "roundtrip.toml").read_text()
    texts = r'^(title|purpose|shows) = ("""(.|\n)*?"""|".*")'
    text = re.sub(texts, lambda found: f'{found[1]} = "{escaped}"', text, flags=re.MULTILINE)
    (folder / "hostile.toml").write_text(text)
    monkeypatch.setattr(bellwire.engine.scenarios.scenario, "GUESTS", folder)
    assert "<h1>" in load_scenario_file(folder / "hostile.toml").title
    return folder


@pytest.fixture
def window(qtbot: QtBot, scenarios: Path, tmp_path: Path) -> Iterator[MainWindow]:
    """On a recording whose every text is hostile, under a hostile name, which stands in the settings as well."""
    path = tmp_path / NAME
    scenario = load_scenario_file(scenarios / "hostile.toml")
    host = dict.fromkeys(("cpu", "kernel", "cpus", "backend"), HOSTILE)
    save_recording(path, replace(HEADER, scenario=scenario, host=host, backend=HOSTILE, program=HOSTILE), BATCHES)
    settings = Settings()
    settings.recent = [str(path)]
    for key in ("theme", "text", "unit", "extended"):
        settings._store.setValue(key, HOSTILE)
    made = make_window(Replay(Recording(path)), reason=HOSTILE, theme=DARK, make_source=FakeSource, settings=settings)
    qtbot.addWidget(made)
    made.show()
    for _ in range(5):
        made.frame.tick()
    made.refresh(False)
    yield made
    made.close()


def drawn_as_html(text: str) -> bool:
    """Whether Qt would find an element of the hostile text in a tip."""
    return QtText.mightBeRichText(text) and ("<h1" in text or "<img" in text)


def assert_plain(top: QWidget) -> None:
    """Every label, tip, button, item and title below."""
    for widget in (top, *top.findChildren(QWidget)):
        texts = [widget.accessibleName(), widget.accessibleDescription(), widget.windowTitle(), widget.statusTip()]
        assert not drawn_as_html(widget.toolTip()), widget.toolTip()
        if isinstance(widget, QLabel):
            assert widget.textFormat() == Qt.TextFormat.PlainText or "<h1" not in widget.text()
            texts.append(widget.text())
        if isinstance(widget, QAbstractButton):
            texts.append(widget.text())
        if isinstance(widget, QComboBox):
            for item in range(widget.count()):
                texts.append(widget.itemText(item))
                assert not drawn_as_html(widget.itemData(item, Qt.ItemDataRole.ToolTipRole) or "")
        for action in {*widget.actions(), *widget.findChildren(QAction)}:
            assert "A & B" not in action.text()  # a key would be underlined
            assert not drawn_as_html(action.toolTip())
            texts.append(action.text())
        for text in (*texts, widget.toolTip()):
            assert STEERING.sub("", text.replace("\n", "")) == text.replace("\n", ""), text


def test_nothing_of_a_hostile_text_is_obeyed(window: MainWindow) -> None:
    title = window.windowTitle()
    assert title.startswith("<h1>A & B</h1><img src='x'>[*][*]␛[31m\\u202e (REPLAY)")
    assert "<h1>" in window.notice.words.text()
    window.menus.recent.aboutToShow.emit()
    assert "<h1>A && B" in window.menus.recent.actions()[0].text()
    assert_plain(window)
    window.look.set_presenting(True)
    window.presenter.refresh(True)
    assert window.presenter.audience is not None
    written = window.presenter.audience.slide_view.laid_out.written
    assert written[-2].words.startswith("<h1>A & B</h1><img src='x'>[*]␛[31m")
    window.look.set_presenting(False)


def test_nor_in_the_other_windows(window: MainWindow, qtbot: QtBot) -> None:
    window.menus.recent.aboutToShow.emit()
    about = About(window.model.source, window.model.latencies.clock_error, window)
    qtbot.addWidget(about)
    assert "<h1>" in about.text
    for top in (about, window.menus.recent, window.breaks.popover, window.controls.popover):
        assert_plain(top)


def test_nor_in_what_is_said(window: MainWindow, tmp_path: Path) -> None:
    for path in (tmp_path / f"none {NAME}", tmp_path):
        window.files.replay(path)
        assert "cannot be opened" in window.notice.words.text()
        assert_plain(window)
    window.files._say_saved(tmp_path / NAME, "3 events")
    assert_plain(window)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/root/x", "-rf", "..", HOSTILE, "x" * 5000])
def test_a_file_is_never_suggested_elsewhere(
    name: str, window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    suggested: list[str] = []

    def ask(_top: QWidget, _title: str, name: str, *_: str) -> tuple[str, str]:
        suggested.append(name)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    window.model.source.scenario = window.model.scenario = replace(load_scenario("roundtrip"), name=name)
    window.files.save()
    window.files.export()
    for given in (*suggested, window.files._path_for(name).name):
        assert Path(given).name == given
        assert not given.startswith(("-", "."))
        assert len(given) < 120
    assert len(suggested) == 2
