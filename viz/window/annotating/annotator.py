"""What can be done with annotations: put one on what is chosen, change it, go to it, take it back, keep it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget

from bellwire.engine.counted import count_of
from bellwire.engine.language import tr
from bellwire.engine.recordings.annotations.annotation import (
    MOST_ANNOTATIONS,
    Annotation,
    AnnotationKind,
    Ink,
    PartPin,
    Pin,
)
from bellwire.viz.diagram.annotations.hand import AnnotationHand
from bellwire.viz.diagram.annotations.words import moment_words, pin_words
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.annotations.kept import Annotated, Annotations
from bellwire.viz.model.annotations.pins import event_pin_of, go_to_annotation, stage_pin_now
from bellwire.viz.model.annotations.seen import annotations_seen
from bellwire.viz.model.live import LiveModel
from bellwire.viz.window.annotating.editor import NoteEditor
from bellwire.viz.window.files import Files
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.shown import Shown

MIDDLE = 40  # pixels: of the place of a line to type in where the picture is not seen


class Annotator:
    """Of one window. top: where a line to type in is, while the diagram is not seen; files: where they are kept."""

    def __init__(self, shown: Shown, files: Files, notice: NoticeBar, top: QWidget) -> None:
        self.shown, self.files, self.notice, self.top = shown, files, notice, top
        self.editor: NoteEditor | None = None
        self._warned: Annotated = ()  # of which it was said that they are in no file
        self._followed = shown.model
        self._hint = ""  # what is said while the part is awaited to which an arrow leads
        self.follow()

    @property
    def model(self) -> LiveModel:
        """The model that is shown."""
        return self.shown.model

    @property
    def annotations(self) -> Annotations:
        """Those of the run that is shown."""
        return self.model.annotations

    @property
    def diagram(self) -> Diagram:
        """The diagram that is shown."""
        return self.shown.views.diagram

    def told(self, index: int) -> str:
        """All that there is to say about one."""
        one = self.annotations.all[index]
        how = tr("Drag moves it, a double click edits it.")
        return "\n".join([one.text, f"{pin_words(self.diagram.blueprint, one)} · {moment_words(self.model, one)}", how])

    @property
    def spoken(self) -> str:
        """What the notes say that are shown now, for who does not see them; "" if there is none."""
        plan, seen = self.diagram.blueprint, [self.annotations.all[index] for index in annotations_seen(self.model)]
        told = [tr("Note on {what}: {text}", what=pin_words(plan, one), text=one.text) for one in seen if one.text]
        return " ".join(told)

    # -- a new one

    def pin_of_choice(self) -> Pin | None:
        """What is chosen: a part, an event, or else the stage that is looked at; None if it is nothing."""
        model = self.model
        if model.selection.part:
            return PartPin(model.selection.part)
        if model.selection.events.size:
            return event_pin_of(model.selection.events)
        return stage_pin_now(model)

    def note(self, pin: Pin | None = None) -> None:
        """Asks for the text of a note at this, or at what is chosen."""
        if found := self._free_to_pin(pin):
            self._ask(Annotation(AnnotationKind.NOTE, "", found), self._keep_new)

    def arrow(self, pin: Pin | None = None) -> None:
        """Asks to which part an arrow from here leads, and for what it says."""
        found = self._free_to_pin(pin)
        if found is None:
            return
        self._hint = tr(
            "Where does the arrow lead? Click at a part, or choose one by ↑ and ↓ and press Enter; Esc leaves."
        )
        self.notice.say(self._hint, color="live")
        self.hand.pick(lambda part: self._drawn(found, part))

    def _drawn(self, pin: Pin, part: str) -> None:
        self.notice.take_back(self._hint)
        if pin != PartPin(part):
            self._ask(Annotation(AnnotationKind.ARROW, "", pin, to=part), self._keep_new)

    def _free_to_pin(self, pin: Pin | None) -> Pin | None:
        """What can be annotated; None, and why not, if nothing can."""
        self.leave()
        found = pin or self.pin_of_choice()
        if self.annotations.full:
            self.notice.say(tr("A recording holds at most {most} annotations.", most=MOST_ANNOTATIONS))
            return None
        if found is None:
            self.notice.say(tr("Choose a part of the diagram, an event or a moment of a journey to write on."))
        return found

    def _keep_new(self, one: Annotation) -> None:
        if one.text or one.kind is AnnotationKind.ARROW:
            self.annotations.add(one)

    # -- the line to type in

    def _ask(self, one: Annotation, keep: Callable[[Annotation], object], hidden: int = -1) -> None:
        over: QWidget = self.diagram if self.diagram.isVisible() else self.top
        box = self.diagram.annotated.box_of(hidden)
        near = box.toAlignedRect() if box else self.diagram.box_for(one)
        if over is self.top:
            near = QRect(self.top.rect().center() - QPoint(4 * MIDDLE, 0), QRect(0, 0, 1, MIDDLE).size())
        self.diagram.annotated.hidden = hidden
        theme = self.shown.look.theme
        self.editor = NoteEditor(over, theme, one.text, lambda text: keep(one.said(text)), self._left)
        self.editor.place(near, theme)

    def _left(self) -> None:
        self.editor = None
        self.diagram.annotated.hidden = -1
        self.diagram.setFocus()

    def leave(self) -> bool:
        """Nothing is typed, and no part awaited, any more; whether it was."""
        picking = self.hand.leave()
        if picking:
            self.notice.take_back(self._hint)
        if self.editor:
            self.editor.leave()
            return True
        return picking

    # -- one that is there

    def edit(self, index: int | None = None) -> None:
        """Asks for another text of one, or of the chosen one; without any left it is taken away."""
        at = self._one(index)
        if at < 0:
            return
        self.annotations.choose(at)
        self._ask(self.annotations.all[at], lambda one: self._keep_changed(at, one), hidden=at)

    def _keep_changed(self, index: int, one: Annotation) -> None:
        if one.text or one.kind is AnnotationKind.ARROW:
            self.annotations.change(index, one)
        else:
            self.annotations.remove(index)

    def delete(self, index: int | None = None) -> None:
        """Takes one away, or the chosen one."""
        at = self._one(index)
        if at >= 0:
            self.annotations.remove(at)

    def recolor(self, ink: Ink | None = None, index: int | None = None) -> None:
        """In this ink, or in the next one."""
        at, inks = self._one(index), list(Ink)
        if at >= 0:
            following = inks[(inks.index(self.annotations.all[at].ink) + 1) % len(inks)]
            self.annotations.recolor(at, ink or following)

    def _one(self, index: int | None) -> int:
        """The index, or that of the chosen one; -1, and what to do, if none is chosen."""
        self.leave()
        seen = self.annotations.chosen in annotations_seen(self.model)  # else nobody knows which one is meant
        at = index if index is not None else self.annotations.chosen if seen else -1
        if not 0 <= at < len(self.annotations.all):
            self.notice.say(tr("No annotation is chosen: J goes to the next one, a click chooses one."))
            return -1
        return at

    def undo(self) -> bool:
        """The newest change is taken back; whether there was one."""
        return self.annotations.undo()

    def go(self, step: int) -> None:
        """To the next annotation (+1), or to the one before (-1)."""
        index = self.annotations.beside(self.model.playhead, step)
        if index >= 0:
            self.go_to(index)
        elif not self.annotations.all:
            self.notice.say(tr("There is no annotation yet: N puts a note on what is chosen."))
        else:
            self.notice.say(tr("That was the last annotation.") if step > 0 else tr("That was the first annotation."))

    def go_to(self, index: int) -> None:
        """To that one: its moment, and what it is pinned to."""
        if 0 <= index < len(self.annotations.all):
            go_to_annotation(self.model, index)

    # -- before something goes

    def may_leave(self) -> bool:
        """Whether the window may close: asked a second time it may, though annotations are in no file."""
        if not self._unsaved(self.model) or self._warned == self.annotations.all:
            return True
        self._warned = self.annotations.all
        words = count_of(len(self._warned), "annotation")
        sentence = tr("Not saved: {annotations}. Who closes the window once more loses them.", annotations=words)
        self.notice.say(sentence, tr("Save them"), self.files.save_annotations)
        return False

    def _unsaved(self, model: LiveModel) -> bool:
        """Whether they would be lost with this model: what is recorded just now has them."""
        return model.annotations.unsaved and bool(model.annotations.all) and not self.files.records(model)

    def follow(self) -> None:
        """Another source is shown, and with it another diagram; says what of the one before is in no file."""
        before, self._followed = self._followed, self.model
        self.editor = None
        self.hand = AnnotationHand(self.diagram, self.edit, self.told)
        if before.source is not self.model.source and self._unsaved(before):
            words = count_of(len(before.annotations.all), "annotation")
            sentence = tr("Not saved of the run before: {annotations}.", annotations=words)
            self.notice.say(sentence, tr("Save them"), lambda: self.files.save_annotations(before))
