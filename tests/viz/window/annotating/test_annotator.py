"""Writing on a run in the window: by keys and by mouse, changed, moved, taken back, kept in the recording."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from bellwire.engine.recordings.annotations.annotation import (
    MOST_ANNOTATIONS,
    Annotation,
    AnnotationKind,
    EventPin,
    Ink,
    PartPin,
    StagePin,
)
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.annotations.seen import annotations_seen
from bellwire.viz.panels.annotations import AnnotationsPanel
from bellwire.viz.panels.events.panel import EventsPanel
from bellwire.viz.style.theme import DARK
from bellwire.viz.window.files import Files
from bellwire.viz.window.window import MainWindow, make_window
from tests.support.fake_source import HZ, FakeSource
from tests.support.windows import Stage, staged_in_front

NOTE, ARROW = AnnotationKind.NOTE, AnnotationKind.ARROW
Key = Qt.Key


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    with staged_in_front(qtbot, 1280, 720) as made:
        made.run(60)
        yield made


def put(stage: Stage, *annotations: Annotation) -> None:
    for one in annotations:
        stage.window.model.annotations.add(one)
    stage.run(3)
    stage.window.views.diagram.grab()


def typed(stage: Stage, text: str, key: Qt.Key = Key.Key_Return) -> None:
    editor = stage.window.annotator.editor
    assert editor is not None
    assert editor.isVisible()
    assert editor.hasFocus()
    editor.clear()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, key)
    stage.run(3)


def all_of(stage: Stage) -> tuple[Annotation, ...]:
    return stage.window.model.annotations.all


def middle(diagram: Diagram, part: str) -> QPoint:
    area = diagram.area_of(part)
    assert area is not None
    return diagram.scene_geometry.rect(area).center().toPoint()


# -- by keys


def test_a_note_by_keys_alone_is_typed_changed_and_taken_back(qtbot: QtBot, stage: Stage) -> None:
    model = stage.window.model
    stage.press(qtbot, Key.Key_Down)  # chooses a part
    part = model.selection.part
    assert part
    stage.press(qtbot, Key.Key_N)
    typed(stage, "n q i: no key of the window")
    assert all_of(stage) == (Annotation(NOTE, "n q i: no key of the window", PartPin(part)),)
    assert stage.window.annotator.editor is None
    assert model.annotations.chosen == 0
    stage.press(qtbot, Key.Key_F2)
    typed(stage, "another")
    assert [one.text for one in all_of(stage)] == ["another"]
    stage.press(qtbot, Key.Key_F2)
    typed(stage, "never kept", Key.Key_Escape)
    assert [one.text for one in all_of(stage)] == ["another"]
    stage.press(qtbot, Key.Key_Delete)
    assert all_of(stage) == ()
    for expected in (["another"], ["n q i: no key of the window"], []):
        stage.press(qtbot, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert [one.text for one in all_of(stage)] == expected


def test_an_arrow_by_keys_alone(qtbot: QtBot, stage: Stage) -> None:
    model = stage.window.model
    model.selection.choose(part="driver")
    stage.press(qtbot, Key.Key_A)
    assert stage.window.notice.isVisible()
    model.selection.choose(part="wakes")
    QTest.keyClick(stage.window.views.diagram, Key.Key_Return)
    typed(stage, "")
    assert all_of(stage) == (Annotation(ARROW, "", PartPin("driver"), to="wakes"),)
    assert not stage.window.notice.isVisible()
    stage.press(qtbot, Key.Key_A)
    stage.press(qtbot, Key.Key_Escape)
    assert not stage.window.annotator.hand.picking
    assert not stage.window.notice.isVisible()
    assert len(all_of(stage)) == 1


def test_from_one_to_the_next_and_back(qtbot: QtBot, stage: Stage) -> None:
    model = stage.window.model
    doorbells = [int(tsc) for tsc in model.journeys.newest(3)["doorbell"]]
    for tsc in doorbells:
        model.annotations.add(Annotation(NOTE, str(tsc), PartPin("wakes", tsc)))
    model.annotations.choose(-1)
    stage.press(qtbot, Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    assert (model.playhead, model.transport.paused) == (doorbells[2], True)
    for at in (1, 0, 0):
        stage.press(qtbot, Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
        assert model.playhead == doorbells[at]
    assert stage.window.notice.isVisible()  # that was the first
    stage.press(qtbot, Key.Key_J)
    assert model.playhead == doorbells[1]


def test_esc_leaves_the_chosen_one_and_a_view_that_goes_on_has_passed_it(qtbot: QtBot, stage: Stage) -> None:
    model = stage.window.model
    put(stage, Annotation(NOTE, "a moment", PartPin("wakes", model.now - HZ // 4)))
    model.annotations._left.clear()
    assert annotations_seen(model) == ()
    stage.press(qtbot, Key.Key_J, Qt.KeyboardModifier.ShiftModifier)
    assert (annotations_seen(model), model.annotations.chosen) == ((0,), 0)
    stage.press(qtbot, Key.Key_Escape)
    assert model.annotations.chosen == -1
    model.annotations.choose(0)
    stage.press(qtbot, Key.Key_End)
    model.annotations._left.clear()  # as if it had been read
    stage.press(qtbot, Key.Key_Delete)
    assert len(all_of(stage)) == 1, "nothing is taken away that is not seen"


def test_what_nothing_is_chosen_for_says_what_to_do(qtbot: QtBot, stage: Stage) -> None:
    for name in ("note", "arrow", "note_next", "note_edit", "note_delete", "note_ink"):
        stage.window.notice.hide()
        stage.window.menus.actions[name].trigger()
        assert stage.window.notice.isVisible(), name
        assert stage.window.annotator.editor is None
    for _ in range(MOST_ANNOTATIONS):
        stage.window.model.annotations.add(Annotation(NOTE, "x", PartPin("driver")))
    stage.window.model.selection.choose(part="driver")
    stage.window.menus.actions["note"].trigger()
    assert str(MOST_ANNOTATIONS) in stage.window.notice.words.text()


def test_an_event_and_a_stage_can_be_annotated(qtbot: QtBot, stage: Stage) -> None:
    model = stage.window.model
    stage.press(qtbot, Key.Key_Right)  # a journey, from within
    stage.press(qtbot, Key.Key_N)
    typed(stage, "a stage")
    model.step_event(+1)
    stage.press(qtbot, Key.Key_N)
    typed(stage, "an event")
    kinds = [type(one.pin) for one in all_of(stage)]
    assert kinds == [StagePin, EventPin]
    assert all_of(stage)[1].tsc == int(model.selection.events["tsc"][0])


# -- by mouse


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # as offscreen says of popups
def test_right_clicks_offer_it_everywhere(stage: Stage) -> None:
    window, views = stage.window, stage.window.views
    part = window.offers.menu_at(views.diagram, middle(views.diagram, "driver"))
    assert {"Add a note…", "Draw an arrow to…"} <= {action.text() for action in part.actions()}
    assert "Add a note for this moment…" not in {action.text() for action in part.actions()}
    window.commands.step()
    stage.run(10)
    views.timeline.redraw()
    x = round(views.timeline.scale.x(window.model.playhead))
    heights = range(round(views.timeline.area.top()), round(views.timeline.area.bottom()))
    lane = QPoint(x, next(y for y in heights if views.timeline.journey_at(QPointF(x, y)).size))
    for widget, at in ((views.timeline, lane), (views.panel("sequence"), None)):
        if at is None:
            views.bring_panel("sequence")
            stage.run(20)
            widget.grab()
            layout = widget.layout_  # type: ignore[union-attr]  # of the sequence chart
            at = QPoint(100, round((layout.top + layout.bottom) / 2))
        words = [action.text() for action in window.offers.menu_at(widget, at).actions()]
        assert any(text.startswith("Add a note to “") for text in words), words
    events = views.bring_panel("events")
    assert isinstance(events, EventsPanel)
    stage.run(20)
    asked = EventPin(int(events.table.page.rows[0].event["tsc"]), events.table.page.rows[0].event["kind"], 0)
    events._offer(0, QPoint(0, 0))
    menu = QApplication.activePopupWidget()
    assert menu is not None
    next(action for action in menu.actions() if action.text() == "Add a note…").trigger()
    menu.close()
    typed(stage, "of a row")
    assert all_of(stage)[0].tsc == asked.tsc


def test_its_words_are_dragged_edited_by_a_double_click_and_coloured(qtbot: QtBot, stage: Stage) -> None:
    put(stage, Annotation(NOTE, "a note", PartPin("driver")))
    stage.window.model.annotations.choose(-1)
    diagram = stage.window.views.diagram
    box = diagram.annotated.box_of(0)
    assert box is not None
    start, by = box.center().toPoint(), QPoint(90, 60)
    QTest.mousePress(diagram, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(diagram, start + by / 2)
    QTest.mouseMove(diagram, start + by)
    diagram.grab()
    QTest.mouseRelease(diagram, Qt.MouseButton.LeftButton, pos=start + by)
    stage.run(3)
    diagram.grab()
    moved = diagram.annotated.box_of(0)
    assert moved is not None
    assert (moved.center() - box.center() - QPointF(by)).manhattanLength() < 4
    assert stage.window.model.selection.part == ""  # what is below was not clicked at
    QTest.mouseDClick(diagram, Qt.MouseButton.LeftButton, pos=moved.center().toPoint())
    typed(stage, "changed")
    diagram.grab()
    menu = stage.window.offers.menu_at(diagram, moved.center().toPoint())
    inks = next(action.menu() for action in menu.actions() if action.text() == "Colour")
    inks.actions()[2].trigger()  # type: ignore[attr-defined]  # it is a menu
    (one,) = all_of(stage)
    assert (one.text, one.ink) == ("changed", list(Ink)[2])
    next(action for action in menu.actions() if action.text() == "Delete it").trigger()
    assert all_of(stage) == ()


def test_its_words_are_moved_by_keys(qtbot: QtBot, stage: Stage) -> None:
    put(stage, Annotation(NOTE, "a note", PartPin("driver")))
    diagram = stage.window.views.diagram
    box = diagram.annotated.box_of(0)
    assert box is not None
    playhead = stage.window.model.transport.paused
    for key in (Key.Key_Right, Key.Key_Right, Key.Key_Down):
        QTest.keyClick(diagram, key, Qt.KeyboardModifier.AltModifier)
        stage.run(3)
        diagram.grab()
    moved = diagram.annotated.box_of(0)
    assert moved is not None
    by = moved.center() - box.center()
    assert by.x() > 1.5 * by.y() > 0
    assert stage.window.model.transport.paused is playhead, "no step was taken"
    assert stage.window.model.annotations.undo()
    assert stage.window.model.annotations.undo()
    assert stage.window.model.annotations.undo()
    assert all_of(stage)[0].moved is None


def test_an_arrow_is_drawn_by_two_clicks(qtbot: QtBot, stage: Stage) -> None:
    diagram = stage.window.views.diagram
    stage.window.annotator.arrow(PartPin("driver"))
    QTest.mouseClick(diagram, Qt.MouseButton.LeftButton, pos=middle(diagram, "wakes"))
    typed(stage, "there")
    assert all_of(stage) == (Annotation(ARROW, "there", PartPin("driver"), to="wakes"),)
    assert stage.window.model.selection.part == "", "the click was for the arrow"


# -- the list


def test_the_list_leads_to_each_and_offers_what_can_be_done(qtbot: QtBot, stage: Stage) -> None:
    model = stage.window.model
    tsc = int(model.journeys.newest(1)["doorbell"][0])
    put(stage, Annotation(NOTE, "later", PartPin("wakes", tsc)), Annotation(NOTE, "always <b>", PartPin("driver")))
    panel = stage.window.views.bring_panel("annotations")
    assert isinstance(panel, AnnotationsPanel)
    panel.redraw()
    texts = [panel.rows.item(row, 2).text() for row in range(panel.rows.rowCount())]  # type: ignore[union-attr]  # they are there
    assert texts == ["always <b>", "later"]
    panel.rows.setFocus()
    panel.rows.setCurrentCell(1, 0)
    QTest.keyClick(panel.rows, Key.Key_Return)
    assert (model.playhead, model.annotations.chosen) == (tsc, 0)
    heard: list[int] = []
    panel.offered.disconnect()  # of the menu
    panel.offered.connect(lambda index, _where: heard.append(index))
    panel.rows.asked.emit(0, QPoint(0, 0))
    assert heard == [1]


# -- kept in a file


@pytest.fixture
def replayed(qtbot: QtBot, tmp_path: Path) -> Iterator[tuple[MainWindow, Path]]:
    """A window on somebody's own recording."""
    path = tmp_path / "mine.arrow"
    shutil.copy(path_of_shipped("irq-msi"), path)
    source = Replay(Recording(path))
    window = make_window(source, theme=DARK)
    qtbot.addWidget(window)
    window.resize(1280, 720)
    window.show()
    window.frame.tick()
    yield window, path
    window.close()


def wait_for_saved(qtbot: QtBot, window: MainWindow) -> None:
    def told() -> bool:
        window.files.tell()
        return not window.model.annotations.unsaved

    qtbot.waitUntil(told)


def test_they_are_saved_into_the_recording_that_is_shown(qtbot: QtBot, replayed: tuple[MainWindow, Path]) -> None:
    window, path = replayed
    before = len(Recording(path))
    note = Annotation(NOTE, "kept", PartPin("handler"))
    window.model.annotations.add(note)
    window.commands.save_annotations()
    wait_for_saved(qtbot, window)
    saved = Recording(path)
    assert (saved.annotations, len(saved), saved.warning) == ((note,), before, "")
    assert [left.name for left in path.parent.iterdir()] == ["mine.arrow"]
    window.commands.restart()  # the file that is shown is still the one that was opened
    window.frame.tick()
    assert window.model.annotations.all == (note,)
    window.files.replay(path)
    assert window.model.annotations.all == (note,)
    assert window.model.source.warning == ""


def test_what_is_in_the_place_of_the_recording_by_now_stays(
    qtbot: QtBot, replayed: tuple[MainWindow, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, path = replayed
    target = path.with_name("copy.arrow")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.model.annotations.add(Annotation(NOTE, "kept", PartPin("handler")))
    window.commands.save_annotations()
    wait_for_saved(qtbot, window)
    window.model.annotations.add(Annotation(NOTE, "later", PartPin("handler")))
    window.commands.save_annotations()  # what is there is what was saved
    wait_for_saved(qtbot, window)
    assert [one.text for one in Recording(path).annotations] == ["kept", "later"]
    other = path.with_name("other.arrow")
    shutil.copy(path_of_shipped("roundtrip"), other)
    other.replace(path)
    window.model.annotations.add(Annotation(NOTE, "elsewhere", PartPin("handler")))
    window.commands.save_annotations()
    wait_for_saved(qtbot, window)
    assert path.read_bytes() == path_of_shipped("roundtrip").read_bytes()
    assert [one.text for one in Recording(target).annotations] == ["kept", "later", "elsewhere"]


@pytest.mark.parametrize("name", ["shipped", "cut off"])
def test_another_file_is_asked_for_where_this_one_must_stay(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What comes with the program, and what is damaged."""
    path = path_of_shipped("irq-msi")
    if name == "cut off":
        whole = path.read_bytes()
        path = tmp_path / "cut.arrow"
        path.write_bytes(whole[: len(whole) // 2])
    before, target = path.read_bytes(), tmp_path / "copy.arrow"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window = make_window(Replay(Recording(path)), theme=DARK)
    qtbot.addWidget(window)
    window.model.annotations.add(Annotation(NOTE, "kept", PartPin("handler")))
    window.commands.save_annotations()
    wait_for_saved(qtbot, window)
    assert path.read_bytes() == before
    assert [one.text for one in Recording(target).annotations] == ["kept"]
    window.close()


def test_a_live_run_keeps_them_when_it_is_saved_or_recorded(qtbot: QtBot, stage: Stage, tmp_path: Path) -> None:
    files: Files = stage.window.files
    put(stage, Annotation(NOTE, "live", PartPin("driver")))
    files.write(tmp_path / "saved.arrow")
    wait_for_saved(qtbot, stage.window)
    assert [one.text for one in Recording(tmp_path / "saved.arrow").annotations] == ["live"]
    files.toggle_capture(tmp_path / "captured.arrow")
    stage.run(20)
    put(stage, Annotation(NOTE, "meanwhile", PartPin("wakes")))
    assert not stage.window.annotator._unsaved(stage.window.model)
    files.toggle_capture()

    def ended() -> bool:
        files.tell()
        return not files.ending

    qtbot.waitUntil(ended)
    assert [one.text for one in Recording(tmp_path / "captured.arrow").annotations] == ["live", "meanwhile"]


def test_what_is_in_no_file_is_told_of_once_before_it_goes(stage: Stage) -> None:
    put(stage, Annotation(NOTE, "not saved", PartPin("driver")))
    stage.window.commands.quit()
    assert stage.window.isVisible()
    assert "1 annotation" in stage.window.notice.words.text()
    stage.window.shown.show_source(started(FakeSource("irq-msi")))
    assert "run before" in stage.window.notice.words.text()
    assert stage.window.model.annotations.all == ()
    stage.window.commands.quit()
    assert not stage.window.isVisible()


def started(source: FakeSource) -> FakeSource:
    source.start()
    return source


def test_starting_a_replay_again_keeps_them(replayed: tuple[MainWindow, Path]) -> None:
    window, _ = replayed
    window.model.annotations.add(Annotation(NOTE, "kept", PartPin("handler")))
    for again in (window.commands.restart, window.commands.replay_from_here):
        again()
        window.frame.tick()
        assert [one.text for one in window.model.annotations.all] == ["kept"]
        assert window.model.annotations.unsaved


# -- where an audience sees it


def test_the_audience_sees_them_and_the_lecturer_types_them(stage: Stage) -> None:
    put(stage, Annotation(NOTE, "for everybody", PartPin("driver")))
    stage.window.commands.toggle_presenting()
    stage.run(10)
    audience = stage.window.presenter.audience
    assert audience is not None
    audience.picture.grab()
    assert [laid.one.text for laid in audience.picture.annotated.laid] == ["for everybody"]
    stage.window.model.selection.choose(part="wakes")
    stage.window.annotator.note()
    typed(stage, "typed meanwhile")
    audience.picture.grab()
    assert len(audience.picture.annotated.laid) == 2
    stage.window.commands.toggle_presenting()
