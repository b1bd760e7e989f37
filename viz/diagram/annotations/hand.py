"""Taking annotations on a diagram: a click chooses one, a drag or Alt and an arrow moves it, a double click edits it.

And showing the part that an arrow shall lead to: by a click, or by Up, Down and Enter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip

from bellwire.engine.recordings.annotations.annotation import FARTHEST
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.style.plain import plain_tip

LEAST_DRAG = 4  # pixels that are no click
STEP = 12  # canvas pixels by which a key moves words
WAYS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class AnnotationHand(QObject):
    """edit: what a double click on an annotation does, told its index. help: what its tooltip says."""

    def __init__(self, diagram: Diagram, edit: Callable[[int], object], help: Callable[[int], str]) -> None:
        super().__init__(diagram)
        self._diagram, self._edit, self._help = diagram, edit, help
        self._pressed: tuple[int, QPointF, QPointF] | None = None  # which, where, and the middle of its words
        self._picked: Callable[[str], object] | None = None  # is told the part that is shown
        diagram.installEventFilter(self)

    @property
    def picking(self) -> bool:
        """Whether a part is to be shown."""
        return self._picked is not None

    def pick(self, picked: Callable[[str], object]) -> None:
        """The next part that is clicked at, or Enter is pressed at, is told to `picked`."""
        self._picked = picked
        self._diagram.setCursor(Qt.CursorShape.CrossCursor)
        self._diagram.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> bool:
        """No part is to be shown any more; whether one was."""
        was, self._picked = self.picking, None
        if was:
            self._diagram.unsetCursor()
        return was

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whether it was about an annotation, and the diagram does not hear of it."""
        if isinstance(event, QMouseEvent):
            return self._mouse(event)
        if isinstance(event, QKeyEvent):
            return self._key(event)
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._diagram.annotated.at(QPointF(event.pos()))
            if index >= 0:
                QToolTip.showText(event.globalPos(), plain_tip(self._help(index)), self._diagram)
                return True
        return False

    def _key(self, event: QKeyEvent) -> bool:
        key, alone = Qt.Key(event.key()), event.modifiers() == Qt.KeyboardModifier.AltModifier
        if event.type() == QEvent.Type.ShortcutOverride and key in WAYS and alone:
            event.accept()
            return True
        if event.type() != QEvent.Type.KeyPress:
            return False
        if key in WAYS and alone:
            return self._move(*WAYS[key])
        return key in ENTER and self._enter()

    def _move(self, right: int, down: int) -> bool:
        """The words of the chosen one, a step; whether one is chosen and seen."""
        layer, index = self._diagram.annotated, self._diagram.model.annotations.chosen
        box, geometry = layer.box_of(index), self._diagram.scene_geometry
        if box is not None:
            layer.dragged = index, box.center() + QPointF(right * STEP * geometry.sx, down * STEP * geometry.sy)
            self._diagram.lay_annotations()
            self._settle(index)
        return box is not None

    def _enter(self) -> bool:
        """At the part that is chosen, if one is to be shown."""
        part = self._diagram.model.selection.part
        if self.picking and part:
            self._show(part)
            return True
        return False

    def _show(self, part: str) -> None:
        picked = self._picked
        self.leave()
        if picked and part:
            picked(part)

    # -- the mouse

    def _mouse(self, event: QMouseEvent) -> bool:
        kind, left = event.type(), event.button() == Qt.MouseButton.LeftButton
        if kind == QEvent.Type.MouseButtonPress and left:
            return self._press(event.position())
        if kind == QEvent.Type.MouseMove and self._pressed:
            self._drag(event.position())
            return True
        if kind == QEvent.Type.MouseButtonRelease and self._pressed:
            self._let_go()
            return True
        if kind == QEvent.Type.MouseButtonDblClick and left:
            index = self._diagram.annotated.at(event.position())
            if index >= 0:
                self._edit(index)
            return index >= 0
        return False

    def _press(self, at: QPointF) -> bool:
        if self.picking:
            self._show(self._diagram.part_at(at))
            return True
        index = self._diagram.annotated.at(at)
        box = self._diagram.annotated.box_of(index)
        if box is None:
            self._diagram.model.annotations.choose(-1)
            return False
        self._pressed = index, at, box.center()
        self._diagram.model.annotations.choose(index)
        return True

    def _drag(self, to: QPointF) -> None:
        assert self._pressed
        index, start, middle = self._pressed
        moved: QPointF = to - start
        if self._diagram.annotated.dragged or moved.manhattanLength() >= LEAST_DRAG:
            self._diagram.annotated.dragged = index, middle + moved
            self._diagram.update()

    def _let_go(self) -> None:
        """Its words stay where they are now."""
        assert self._pressed
        index, self._pressed = self._pressed[0], None
        self._settle(index)

    def _settle(self, index: int) -> None:
        """What was moved stays where it is laid now."""
        dragged, self._diagram.annotated.dragged = self._diagram.annotated.dragged, None
        laid = next((laid for laid in self._diagram.annotated.laid if laid.index == index), None)
        if not dragged or laid is None:
            return
        geometry, away = self._diagram.scene_geometry, laid.box.center() - laid.place.center()
        x, y = round(away.x() / geometry.sx), round(away.y() / geometry.sy)
        annotations = self._diagram.model.annotations
        if index < len(annotations.all) and max(abs(x), abs(y)) <= FARTHEST:
            annotations.change(index, replace(annotations.all[index], moved=(x, y)))
