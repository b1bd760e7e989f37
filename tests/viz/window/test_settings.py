"""How the window looks is kept, and the next window looks so."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray
from pytestqt.qtbot import QtBot

from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.theme import DARK, LIGHT, PRINT, PROJECTOR
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.settings import MOST_RECENT, Look, Settings, settings_file
from bellwire.viz.window.window import MainWindow, open_window
from tests.support.fake_source import FakeSource


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_test_begins_with_nothing_that_another_ones_window_has_chosen(time: str, settings: Settings) -> None:
    assert (settings.language, settings.extended) == ("", False)
    settings.language, settings.extended = "en", True
    settings.sync()


def test_the_next_window_looks_as_the_one_before_but_for_the_audience(qtbot: QtBot, settings: Settings) -> None:
    before, after = Look(DARK), Look(DARK)
    before.set_theme(LIGHT.scaled(1.2))
    before.set_unit("ns")
    before.set_extended(True)
    before.set_reduced_motion(True)
    before.set_presenting(True)
    settings.keep(before)
    settings.restore(after)
    assert settings.theme == before.theme
    assert (after.unit, after.extended, after.reduced_motion, after.presenting) == ("ns", True, True, False)


def test_a_theme_that_was_asked_for_at_the_start_is_not_remembered(qtbot: QtBot, settings: Settings) -> None:
    settings.theme = LIGHT
    look = Look(PROJECTOR)
    look.size_text(1.3)
    settings.keep(look)
    assert settings.theme == LIGHT.scaled(1.3)
    look.set_theme(PRINT)
    settings.keep(look)
    assert settings.theme.name == "print"


def test_what_the_desktop_wishes_is_followed_and_not_remembered(qtbot: QtBot, settings: Settings) -> None:
    look = Look(DARK)
    look.wish_motion(True)
    assert look.reduced_motion
    found = []
    for chosen in (True, False):
        look.set_reduced_motion(chosen)
        settings.keep(look)
        found.append((settings.knows_motion, settings.reduced_motion))
    assert found == [(False, False), (True, False)]


def test_each_change_is_told_by_its_own_signal(qtbot: QtBot) -> None:
    look, told = Look(DARK), list[str]()
    for name in ("theme", "unit", "extended", "motion", "presenting"):
        getattr(look, f"{name}_changed").connect(lambda name=name: told.append(name))
    look.set_theme(LIGHT)
    look.set_unit("us")
    look.set_extended(True)
    look.set_reduced_motion(True)
    look.set_presenting(True)
    assert told == ["theme", "unit", "extended", "motion", "presenting"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        *((f"text={text}", "text") for text in ("nan", "inf", "-inf", "1e999", "-1", "0", "large", "1,5", '""')),
        *((f"{name}=purple", name) for name in ("theme", "extended", "reduced_motion", "unit", "geometry")),
        ("theme=dark, light", "theme"),
        ("recent=@ByteArray(x)", "recent"),
        ("recent=a, , c", "recent"),
        ("geometry=@Size(1 2)", "geometry"),
        ("unit=@Rect(0 0 0 0)", "unit"),
    ],
)
def test_a_setting_that_makes_no_sense_is_the_default_and_told(
    line: str, what: str, qtbot: QtBot, settings: Settings
) -> None:
    settings._store.sync()
    file = Path(settings._store.fileName())
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[General]\n{line}\n")
    damaged, look = Settings(), Look(LIGHT)
    damaged.restore(look)
    assert f"{what}=" in damaged.trouble
    assert str(file) in damaged.trouble
    assert (damaged.theme, damaged.recent, damaged.geometry) == (DARK, [], None)
    assert (look.unit, look.extended, look.reduced_motion) == ("fitting", False, False)


@pytest.fixture
def in_place() -> Iterator[Path]:
    """Where the settings are kept: nothing, until a test puts something there."""
    file = settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    yield file
    file.rmdir() if file.is_dir() else file.unlink(missing_ok=True)


NONE_OF_QT = r"\0\0\0\t\xff\xff\xff\xf0"  # a list of four thousand million values, as Qt packs it


@pytest.mark.parametrize(
    "content",
    [
        f"recent=@Variant({NONE_OF_QT})",
        rf'recent=a, "@Var\x69" "ant({NONE_OF_QT})',
        rf"theme=\100Variant({NONE_OF_QT})",
        "recent=@Variant(" + r"\0\0\0\t\0\0\0\x1" * 15_000 + ")",
        "recent=" + ", ".join(f"/tmp/{number}.arrow" for number in range(20_000)),
    ],
    ids=["list", "in-pieces", "by-number", "deep", "large"],
)
def test_what_qt_should_not_take_apart_is_told_and_left_as_it_is(content: str, qtbot: QtBot, in_place: Path) -> None:
    """Qt ends the process for a list that is longer than memory, or in itself too often."""
    in_place.write_text(f"[General]\n{content}\n")
    refused = Settings()
    assert (refused.theme, refused.recent) == (DARK, [])
    assert f"{in_place} makes sense; the usual settings stand for file=" in refused.trouble
    refused.keep(Look(LIGHT))
    refused._store.sync()
    assert in_place.read_text() == f"[General]\n{content}\n"


@pytest.mark.parametrize("kind", ["fifo", "folder", "loop", "device"])
def test_settings_that_are_no_file_are_told_and_waited_for_by_nobody(kind: str, qtbot: QtBot, in_place: Path) -> None:
    terminals = os.openpty()
    match kind:
        case "fifo":
            os.mkfifo(in_place)
        case "folder":
            in_place.mkdir()
        case "loop":
            in_place.symlink_to(in_place)
        case _:
            in_place.symlink_to(os.ttyname(terminals[1]))
    refused = Settings()
    assert f"{in_place} makes sense; the usual settings stand for file=" in refused.trouble
    refused.theme = LIGHT
    assert refused.theme == LIGHT  # as long as this program runs
    for terminal in terminals:
        os.close(terminal)


def test_no_more_recordings_are_offered_than_are_remembered(qtbot: QtBot, settings: Settings) -> None:
    settings.recent = [f"/tmp/{number}.arrow" for number in range(1000)]
    assert Settings().recent == [f"/tmp/{number}.arrow" for number in range(MOST_RECENT)]


def test_good_settings_are_not_told(qtbot: QtBot, settings: Settings) -> None:
    settings.keep(Look(LIGHT.scaled(1.2)))
    settings.recent, settings.geometry = ["/a b.arrow"], QByteArray(b"packed")
    assert (Settings().trouble, Settings().recent) == ("", ["/a b.arrow"])


def test_settings_that_cannot_be_kept_are_told_once(
    qtbot: QtBot, in_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_place.mkdir()
    settings = Settings()
    assert settings.unkept() == f"Nothing that is set here is kept in {in_place}: Is a directory."
    assert settings.unkept() == ""
    in_place.rmdir()
    assert Settings().unkept() == ""

    def full(*args: object, **named: object) -> object:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("bellwire.viz.window.settings.TemporaryFile", full)
    settings = Settings()
    assert settings.unkept() == f"Nothing that is set here is kept in {in_place}: No space left on device."
    assert settings.unkept() == ""


def test_no_folder_for_settings_is_told(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for folder, why in ((tmp_path / "file", "Not a directory"), (Path("/proc/none"), "No such file or directory")):
        monkeypatch.setattr("bellwire.viz.window.settings.settings_file", lambda folder=folder: folder / "b" / "b.ini")
        assert Settings().unkept().endswith(f"b.ini: {why}.")


def test_what_can_no_longer_be_kept_is_told_with_the_next_file(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = MainWindow(LiveModel(FakeSource()), DARK, settings=Settings())
    qtbot.addWidget(window)
    told: list[str] = []
    monkeypatch.setattr(NoticeBar, "say", lambda self, sentence, *more, **named: told.append(sentence))
    window.files.remember(tmp_path / "one.arrow")
    assert told == []
    monkeypatch.setattr("bellwire.viz.window.settings.why_not_kept", lambda file: "no more room")
    for name in ("two", "three"):
        window.files.remember(tmp_path / f"{name}.arrow")
    assert len(told) == 1
    assert told[0].endswith(": no more room.")


def test_a_window_says_it_once(qtbot: QtBot, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings._store.setValue("text", "nan")
    told: list[str] = []
    monkeypatch.setattr(NoticeBar, "say", lambda self, sentence, *more, **named: told.append(sentence))

    def closed_at_once(opened: list[MainWindow], tell: object) -> int:
        closed = opened[-1].close()
        opened[-1].deleteLater()  # else it is styled with the window of each further test
        return 0 if closed else 1

    monkeypatch.setattr("bellwire.viz.window.window.run_window", closed_at_once)
    monkeypatch.setattr("bellwire.viz.window.window.when_told_to_end", lambda end: lambda: 0)
    assert open_window(FakeSource()) == 0
    assert len(told) == 1
    assert told[0].endswith("the usual settings stand for text=nan.")
