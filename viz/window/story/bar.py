"""The bar of a story: whose it is, which of its stages is told, the true time so far; it takes no room without one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from bellwire.engine.language import tr, tr_later
from bellwire.viz.model.moments.telling import stopwatch_reason, stopwatch_words, story_title
from bellwire.viz.stages.story import Story
from bellwire.viz.style.controls import IconButton
from bellwire.viz.style.fitting import ElidedLabel, FittingRow
from bellwire.viz.style.painting import painting
from bellwire.viz.style.plain import PlainLabel, plain_tip
from bellwire.viz.style.theme import Theme
from bellwire.viz.style.themes.marks import area_brush
from bellwire.viz.text.figures import localized, spent
from bellwire.viz.window.actions import BY_NAME, tooltip
from bellwire.viz.window.commands import Commands

BUTTONS = ("stage_back", "story_play", "stage", "again", "stages_slower", "stages_faster", "story")
ICONS_OF = {
    "stage_back": "step_back",
    "stage": "step",
    "again": "again",
    "stages_slower": "minus",
    "stages_faster": "plus",
    "story": "close",
}
LEAST_WORDS = 130  # pixels at 100 % text of the stage's name, and of all stages below it
GAP = 3  # pixels between segments
BREAK = "⫽"
WHERE = {  # by who holds the signal
    "guest": tr_later("stage {step} of {steps}, in the guest"),
    "kernel": tr_later("stage {step} of {steps}, in the kernel"),
    "user space": tr_later("stage {step} of {steps}, in user space"),
    "other process": tr_later("stage {step} of {steps}, in another process"),
}


class Segments(QWidget):
    """A story's stages side by side; each takes as long as the others, so each is as wide. A click goes to one."""

    def __init__(self, commands: Commands, theme: Theme) -> None:
        super().__init__()
        self.commands, self.theme = commands, theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("stages of the story"))
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setFixedHeight(theme.px(18))
        self.setMinimumWidth(theme.px(LEAST_WORDS))

    @property
    def story(self) -> Story | None:
        """The one that is told."""
        return self.commands.model.story

    def _area(self, story: Story, step: int) -> QRectF:
        width = self.width() / len(story.steps)
        return QRectF(step * width + GAP / 2, self.height() * 0.28, max(width - GAP, 1.0), self.height() * 0.44)

    @painting
    def paintEvent(self, event: QPaintEvent) -> None:
        story = self.story
        if story is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for step in range(len(story.steps)):
            area = self._area(story, step)
            self._paint_segment(painter, story, step, area)
            if story.waits[step]:
                self._paint_break(painter, area.left() - GAP / 2)

    def _paint_segment(self, painter: QPainter, story: Story, step: int, area: QRectF) -> None:
        color = "doorbell" if story.stop_of(step).out else "interrupt"
        painter.setPen(self.theme.color("text") if self.theme.marked else Qt.PenStyle.NoPen)
        painter.setBrush(self._ground(color, step < story.step))
        painter.drawRoundedRect(area, 3, 3)
        if step == story.step:
            told = QRectF(area)
            grows = not self.commands.look.reduced_motion
            told.setWidth(area.width() * (min(story.told / story.seconds, 1.0) if grows else 1.0))
            painter.setBrush(area_brush(self.theme, color))
            painter.drawRoundedRect(told, 3, 3)
            painter.setPen(QPen(self.theme.color("text"), 1.5 * self.theme.stroke))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(0, -2, 0, 2), 4, 4)

    def _ground(self, color: str, told: bool) -> QBrush:
        """Of a stage that has been told, or of one that has not, which where nothing is pale is hollow."""
        if self.theme.marked and not told:
            return QBrush(self.theme.color("well"))
        return area_brush(self.theme, color, 0.55 if told else 0.2)

    def _paint_break(self, painter: QPainter, x: float) -> None:
        """Two strokes through the line: here it is shortened."""
        painter.setPen(QPen(self.theme.color("text"), 1.6))
        slant, height = self.height() * 0.16, self.height() * 0.5
        for side in (-2.0, 2.0):
            middle = QPointF(x + side, self.height() / 2)
            painter.drawLine(middle + QPointF(-slant, height * 0.9), middle + QPointF(slant, -height * 0.9))

    def _step_at(self, x: float) -> int:
        story = self.story
        return (
            0 if story is None else min(max(int(x * len(story.steps) / max(self.width(), 1)), 0), len(story.steps) - 1)
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """To the stage that is clicked at."""
        if self.story is not None:
            self.commands.storyteller.go(self._step_at(event.position().x()) - self.story.step)
            self.update()

    def event(self, event: QEvent) -> bool:
        """Each stage says its name, and how long was waited for it if that is shortened."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self.story is not None:
            QToolTip.showText(event.globalPos(), plain_tip(self.words_at(self._step_at(event.pos().x()))), self)
            return True
        return super().event(event)

    def words_at(self, at: int) -> str:
        """ "7: the I/O thread is woken; ⫽ 36.5 µs before it, shortened"."""
        story = self.story
        if story is None:
            return ""
        wait = story.waits[at]
        stage = f"{at + 1}: {story.stop_of(at).stage.title}"
        if not wait:
            return stage
        waited = f"{BREAK} {spent(self.commands.model.clock, wait)}"
        return tr("{stage}; {waited} before it, shortened", stage=stage, waited=waited)


class StoryBar(FittingRow):
    """Shown while a story is told, or awaited."""

    def __init__(self, commands: Commands, theme: Theme) -> None:
        super().__init__()
        self.commands, self.theme = commands, theme
        self.setAccessibleName(tr("story"))
        self.title, self.stage, self.wait = ElidedLabel(), ElidedLabel(), ElidedLabel()
        self.stopwatch, self.how, self.pace = PlainLabel(), PlainLabel(), PlainLabel()
        for label in (self.title, self.how, self.pace):
            label.setObjectName("muted")
        self.segments = Segments(commands, theme)
        self.buttons = {name: IconButton() for name in BUTTONS}
        for name, button in self.buttons.items():
            button.setAccessibleName(BY_NAME[name].text)
            button.setToolTip(plain_tip(tooltip(name)))
            button.clicked.connect(lambda _=False, name=name: self._run(name))
        self._lay_out()
        self.set_theme(theme)
        self.hide()

    def _run(self, name: str) -> None:
        BY_NAME[name].run(self.commands)
        self.refresh()

    def _lay_out(self) -> None:
        for label in (self.stopwatch, self.how):
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        words, clock = QVBoxLayout(), QVBoxLayout()
        words.setSpacing(2)
        clock.setSpacing(0)
        line = QHBoxLayout()
        line.addWidget(self.stage, 3)
        line.addWidget(self.wait, 1)
        words.addWidget(self.title)
        words.addLayout(line)
        words.addWidget(self.segments)
        clock.addWidget(self.stopwatch)
        clock.addWidget(self.how)
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 4, 22, 6)
        row.setSpacing(8)
        for name in BUTTONS[:4]:
            row.addWidget(self.buttons[name])
        row.addLayout(words, 1)
        row.addLayout(clock)
        row.addWidget(self.buttons["stages_slower"])
        row.addWidget(self.pace)
        row.addWidget(self.buttons["stages_faster"])
        row.addWidget(self.buttons["story"])

    def spare(self) -> list[QWidget]:
        """Keys do the same."""
        return [self.pace, *(self.buttons[name] for name in ("stages_slower", "stages_faster", "again", "stage_back"))]

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text."""
        self.theme = theme
        self.segments.set_theme(theme)
        self.title.setFont(theme.font(13))
        self.stage.setFont(theme.font(17, 600))
        self.wait.setFont(theme.font(14, 600))
        self.stopwatch.setFont(theme.font(32, 600, mono=True))
        self.stopwatch.setMinimumWidth(theme.px(210))
        self._going = ""  # its icon is drawn anew
        for name, shown in ICONS_OF.items():
            self.buttons[name].show_icon(shown, theme)
        self.refresh()

    @property
    def spoken(self) -> str:
        """Which stage is told, for whoever hears it; "" without a story."""
        return "" if self.isHidden() else f"{self.title.text()}: {self.stage.text()}"

    def refresh(self) -> None:
        """From the story, once a frame."""
        story = self.commands.model.story
        awaited = self.commands.storyteller.awaits
        if self.isHidden() == (story is not None or awaited):
            self.setVisible(story is not None or awaited)
        if self.isHidden():
            return
        if story is not None:
            self._show_story(story)
        else:
            self.title.setText(tr("Story of the next journey"))
            self.stage.setText(tr("Begins when one has completed: {key} rings once", key=BY_NAME["ring"].key))
            for label in (self.wait, self.stopwatch, self.how):
                label.setText("")
        seconds = self.commands.storyteller.seconds
        self.pace.setText(tr("{seconds} s a stage", seconds=localized(f"{seconds:g}")))
        for name, button in self.buttons.items():
            button.setEnabled(story is not None or name == "story")

    def _show_story(self, story: Story) -> None:
        model, here = self.commands.model, story.standpoint.here
        where = tr(WHERE[here.stage.place], step=story.step + 1, steps=len(story.steps))
        again, end = BY_NAME["play"].key, BY_NAME["story"].key
        over = tr("It is told: {again} tells it again, {end} ends it", again=again, end=end)
        self.title.setText(f"{story_title(story)}: {where}{f'. {over}' if story.over else ''}")
        self.stage.setText(here.stage.title)
        wait = story.waits[story.step]
        waited = tr("after {time}", time=spent(model.clock, wait))
        self.wait.setText(f"{BREAK} {waited}" if wait else "")
        self.stopwatch.setText(stopwatch_words(model, story))
        self.how.setText(stopwatch_reason(model, story))
        self._describe(story)
        going = "pause" if self.commands.storyteller.plays else "play"
        if going != self._going:
            self._going = going
            self.buttons["story_play"].show_icon(going, self.theme)
        self.segments.update()

    def _describe(self, story: Story) -> None:
        """The same for those who hear it."""
        told = self.segments.words_at(story.step)
        self.segments.setAccessibleDescription(tr("{stage}; {stages} in all", stage=told, stages=len(story.steps)))
        self.setAccessibleDescription(f"{self.title.text()}: {self.stage.text()}, {self.stopwatch.text()}")
        time, how = self.stopwatch.text(), self.how.text()
        self.stopwatch.setAccessibleName(tr("time since its start: {time}, {how}", time=time, how=how))
