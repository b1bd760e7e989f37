"""What the user can do: one method an action. They change source, transport or window; nothing else does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Setting, Switch
from bellwire.engine.language import Spoken, tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.engine.source import Order, Source
from bellwire.viz.attached.attach_window import AttachWindow
from bellwire.viz.attached.recording_row import RecordingRow
from bellwire.viz.model.baseline import Baseline
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Storyteller, Teller, why_no_story
from bellwire.viz.style.theme import THEMES
from bellwire.viz.text.figures import UNIT_NAMES
from bellwire.viz.text.latency_words import latency_name
from bellwire.viz.timeline.widget import Timeline
from bellwire.viz.window.about import About
from bellwire.viz.window.annotating.annotator import Annotator
from bellwire.viz.window.breaking import BreakControl
from bellwire.viz.window.files import Files
from bellwire.viz.window.lesson.lecture_handout import LectureHandout
from bellwire.viz.window.lesson.player import LessonPlayer
from bellwire.viz.window.notice import NoticeBar
from bellwire.viz.window.palette import KeyHelp, Palette
from bellwire.viz.window.picturing.paging import PageSaver
from bellwire.viz.window.picturing.saving import PictureSaver
from bellwire.viz.window.presenter.audience import Blank
from bellwire.viz.window.presenter.presenter import Presenter
from bellwire.viz.window.quiz.quiz_player import QuizPlayer
from bellwire.viz.window.settings import Look
from bellwire.viz.window.shown import Shown
from bellwire.viz.window.tour.tour import Tour

if TYPE_CHECKING:
    from bellwire.viz.lessons.lesson import Lesson

TEXT_STEP = 0.1
PAN_SHARE = 0.2  # of the timeline's width


@dataclass(frozen=True, eq=False)
class Commands:
    """The actions of one window, and what they work on."""

    shown: Shown  # the model and its views, which another source replaces
    look: Look
    files: Files
    breaks: BreakControl
    notice: NoticeBar  # says what cannot be done
    keys: KeyHelp
    palette: Palette
    storyteller: Storyteller
    lessons: LessonPlayer
    presenter: Presenter
    tour: Tour
    quiz: QuizPlayer
    annotator: Annotator
    lecture_handout: LectureHandout
    pictures: PictureSaver
    pages: PageSaver
    top: QWidget  # the window itself, which can fill the screen, and be closed

    @property
    def model(self) -> LiveModel:
        """The model that is shown."""
        return self.shown.model

    @property
    def source(self) -> Source:
        """The source of the events, which takes the commands."""
        return self.model.source

    def give(self, order: Order, value: bool | float | str = True) -> None:
        """Gives the source an order; if that is not possible now, the window says why."""
        if reason := self.source.can(order):
            self.notice.say(reason)
        else:
            self.source.order(order, value)

    # -- time

    def play_or_pause(self) -> None:
        """The view stands still, the capture goes on; a recording that has ended plays from its start."""
        transport = self.model.transport
        if self.model.story is not None:
            self.storyteller.play_or_pause()
        elif self.at_the_end:
            self.restart()
        elif transport.paused:
            self.model.selection.choose()
            transport.play()
        else:
            transport.pause()

    @property
    def at_the_end(self) -> bool:
        """Whether a recording has come to its end, and that is what the view shows."""
        model = self.model
        return model.replaying and model.transport.following and not self.source.alive and not self.source.error

    def step(self) -> None:
        """One journey on; of a story one stage."""
        if not self.storyteller.go(+1):
            self.model.step(+1)

    def step_back(self) -> None:
        """One journey back; of a story one stage."""
        if not self.storyteller.go(-1):
            self.model.step(-1)

    def step_event(self) -> None:
        """One event on."""
        self.model.step_event(+1)

    def step_event_back(self) -> None:
        """One event back."""
        self.model.step_event(-1)

    def to_start(self) -> None:
        """The oldest journey that is held; of a story its first stage."""
        if not self.storyteller.again():
            self.model.to_start()

    def to_newest(self) -> None:
        """The present, in real time, in every view: what was panned or scrolled by hand follows again."""
        self.storyteller.end()
        self.model.to_newest()
        self.shown.views.to_newest()

    def slower(self) -> None:
        """One notch of slow motion more; of a story more time a stage."""
        if not self.storyteller.set_pace(+1):
            self.model.transport.slower()

    def faster(self) -> None:
        """One notch of slow motion less; of a story less time a stage."""
        if not self.storyteller.set_pace(-1):
            self.model.transport.faster()

    def set_factor(self, factor: float) -> None:
        """Slow motion, 1..10^7."""
        self.model.transport.set_factor(factor)

    def clear(self) -> None:
        """Closes what is open above the picture, else ends a story, else clears the choice; else the break."""
        if self._close_overlays() or self.storyteller.end():
            return
        selection = self.model.selection
        chosen = selection.journeys.size or selection.events.size or selection.part
        if not chosen and self.model.annotations.chosen < 0:
            self.clear_break()
        selection.choose()
        selection.choose(part="")
        self.model.annotations.choose(-1)

    def _close_overlays(self) -> bool:
        """Whether there was something to close, or an audience's view to end."""
        if self.tour.end() or self.annotator.leave():
            return True
        opened = [part for part in (self.keys, self.palette, self.notice) if part.isVisible()]
        for part in opened:
            part.hide()
        if not opened and self.shown.pointing.clear():
            return True
        if not opened and self.look.presenting:
            if not self.presenter.uncover():
                self.look.set_presenting(False)
            return True
        return bool(opened)

    # -- a quiz

    def begin_quiz(self) -> None:
        """A guest in trouble."""
        self.quiz.begin()

    # -- a lesson

    def page_on(self) -> None:
        """The next step of the lesson; without one play or pause, as clickers know it."""
        if self.lessons.on:
            self.lessons.go_on()
        else:
            self.play_or_pause()

    def page_back(self) -> None:
        """The step of the lesson before; without one a journey back."""
        if self.lessons.on:
            self.lessons.go_back()
        else:
            self.step_back()

    def end_lesson(self) -> None:
        """What runs, runs on."""
        self.lessons.end()

    def save_handout(self) -> None:
        """Of the lecture that is held, as HTML and PDF, with its recordings."""
        self.lecture_handout.ask()

    def save_lesson_page(self) -> None:
        """The lesson as a page for a browser."""
        self.pages.save_lesson()

    def begin_lesson(self, lesson: Lesson) -> None:
        """From its first step."""
        self.quiz.end()
        self.lessons.begin(lesson)

    # -- how it speaks

    def choose_language(self, name: str) -> None:
        """Another window, with all of its texts in this language, takes the place of this one."""
        if self.lessons.on or self.quiz.on or self.look.presenting:
            self.notice.say(tr("Another language takes another window: end the lesson, quiz or presentation first."))
        elif self.writing:
            self.notice.say(tr("Another language takes another window: this one is still writing a file."))
        elif name != Spoken.name:
            self.look.language_chosen.emit(name)

    @property
    def writing(self) -> bool:
        """Whether a file is being made that would end, or be told of, with this window."""
        watched = any(row.busy for row in self.top.findChildren(RecordingRow))
        return watched or any(one.busy for one in (self.files, self.pictures, self.pages, self.lecture_handout))

    # -- a story

    def toggle_story(self) -> None:
        """Tells the chosen journey, else the newest, or, with no journey yet, the next; or ends that."""
        if not self.storyteller.end():
            self._tell(Teller.CHOSEN)

    def story_of_newest(self) -> None:
        """The newest journey."""
        self._tell(Teller.NEWEST)

    def story_of_median(self) -> None:
        """A journey that took as long as half of them did."""
        self._tell(Teller.MEDIAN)

    def story_of_slowest(self) -> None:
        """The journey that took longest."""
        self._tell(Teller.SLOWEST)

    def _tell(self, which: Teller) -> None:
        if not self.storyteller.begin(which):
            next_one = tr("No journey is held whose story could be told: the next one's is, once it has completed.")
            self.notice.say(why_no_story(self.model) or next_one)

    def play_story(self) -> None:
        """The story stands still, or goes on."""
        self.storyteller.play_or_pause()

    def next_stage(self) -> None:
        """One stage on."""
        self.storyteller.go(+1)

    def stage_before(self) -> None:
        """One stage back."""
        self.storyteller.go(-1)

    def tell_again(self) -> None:
        """The same story from its first stage."""
        self.storyteller.again()

    def stages_slower(self) -> None:
        """More seconds a stage."""
        self.storyteller.set_pace(+1)

    def stages_faster(self) -> None:
        """Fewer seconds a stage."""
        self.storyteller.set_pace(-1)

    # -- the timeline

    @property
    def timeline(self) -> Timeline:
        """That of the views that are shown."""
        return self.shown.views.timeline

    def to_slowest(self) -> None:
        """The journey that took longest, from its first cause to its last effect."""
        self.to_slowest_of(self.model.whole_latency)

    def to_slowest_of(self, name: str) -> None:
        """The journey whose latency `name` was longest."""
        latency, why = latency_name(name), self.model.why_not_slowest(name)
        held = self.model.to_slowest(name)
        if not held and why:
            self.notice.say(tr("No journey that is held has a {latency}: {why}.", latency=latency, why=why))
        elif not held:
            self.notice.say(tr("No journey that is held has a {latency}.", latency=latency))
        elif why:
            self.notice.say(tr("There may be a longer {latency}: {why}.", latency=latency, why=why))

    def marker_a(self) -> None:
        """Marker A at the pointer, else at the moment that the view shows."""
        self._mark("A")

    def marker_b(self) -> None:
        """Marker B, likewise."""
        self._mark("B")

    def _mark(self, name: str) -> None:
        pointed = self.timeline.pointed()
        self.model.markers.put(name, self.model.playhead if pointed is None else pointed)
        self.timeline.redraw()

    def break_when(self) -> None:
        """Asks what the view shall break at."""
        self.breaks.open()

    def clear_break(self) -> None:
        """Nothing is waited for any more."""
        self.breaks.clear()

    def clear_markers(self) -> None:
        """No marker any more."""
        self.model.markers.clear()
        self.timeline.redraw()

    def zoom_in(self) -> None:
        """Half as much time."""
        self.timeline.zoom(0.5)

    def zoom_out(self) -> None:
        """Twice as much time."""
        self.timeline.zoom(2.0)

    def zoom_usual(self) -> None:
        """As many journeys as can be told apart."""
        self.timeline.zoom_usual()

    def fit(self) -> None:
        """The chosen journey whole, else what lies between the markers."""
        self.timeline.fit()

    def fit_all(self) -> None:
        """All that is held."""
        self.timeline.fit_all()

    def earlier(self) -> None:
        """A fifth of the width back."""
        self.timeline.pan(-PAN_SHARE)

    def later(self) -> None:
        """A fifth of the width on."""
        self.timeline.pan(PAN_SHARE)

    # -- annotations

    def note(self) -> None:
        """A note at what is chosen."""
        self.annotator.note()

    def arrow(self) -> None:
        """An arrow from what is chosen."""
        self.annotator.arrow()

    def next_annotation(self) -> None:
        """To the next one in time."""
        self.annotator.go(+1)

    def annotation_before(self) -> None:
        """To the one before in time."""
        self.annotator.go(-1)

    def edit_annotation(self) -> None:
        """Another text for the chosen one."""
        self.annotator.edit()

    def recolor_annotation(self) -> None:
        """The next colour for the chosen one."""
        self.annotator.recolor()

    def delete_annotation(self) -> None:
        """The chosen one is gone."""
        self.annotator.delete()

    def save_annotations(self) -> None:
        """Into the recording that is shown, or into one of the run."""
        self.files.save_annotations()

    # -- the machine

    def toggle_ioeventfd(self) -> None:
        """While the guest rings."""
        self.give(Order.IOEVENTFD, not self.model.present.wired(Switch.IOEVENTFD))

    def toggle_irqfd(self) -> None:
        """While interrupts fly."""
        self.give(Order.IRQFD, not self.model.present.wired(Switch.IRQFD))

    def ring(self) -> None:
        """One doorbell."""
        self.storyteller.await_next()
        self.give(Order.DOORBELL)

    def interrupt(self) -> None:
        """One interrupt."""
        self.storyteller.await_next()
        self.give(Order.INTERRUPT)

    def change_route(self) -> None:
        """The GSI leads to the guest's other vector from now on."""
        self.give(Order.ROUTE)

    def toggle_kernel(self) -> None:
        """The kernel's tracepoints tell too, or no more; where they cannot, the source's warning says why."""
        self.give(Order.KERNEL, not self.model.present.tally.settings.get(Setting.KERNEL))

    def hold(self) -> None:
        """Stops the pace, or lets it go on."""
        self.give(Order.RUN, not self.running)

    def set_pace(self, per_second: float) -> None:
        """Signals a second; 0 by hand, infinite flat out."""
        self.give(Order.PACE, per_second)

    def set_burst(self, signals: float) -> None:
        """Signals a tick."""
        self.give(Order.BURST, round(signals))

    def set_idle(self, idle: str) -> None:
        """What the guest does between signals."""
        self.give(Order.IDLE, idle)

    @property
    def running(self) -> bool:
        """Whether the pace drives signals."""
        return bool(self.model.present.tally.settings.get(Setting.RUNNING, 1))

    @property
    def pace(self) -> float:
        """Signals a second, as the source says."""
        told = self.model.present.tally.pace
        return self.model.scenario.pace.per_second if told is None else told

    def restart(self) -> None:
        """The same scenario, or the same recording, from its start."""
        self.shown.restart()

    def run_scenario(self, scenario: Scenario) -> None:
        """Another scenario, in place of what is shown."""
        self.shown.run_scenario(scenario)

    def run_scenario_called(self, name: str) -> None:
        """One that is shipped."""
        self.shown.run_scenario_called(name)

    def replay_from_here(self) -> None:
        """The recording's present is the moment that the view shows."""
        if self.model.recorded is None:
            self.notice.say(tr("This is no recording: the present cannot be moved."))
            return
        try:
            self.model.recorded.seek(self.model.playhead)
        except EngineError as error:
            self.notice.say(str(error))
        else:
            self.shown.show_source(self.source)

    # -- the window

    def open_recording(self) -> None:
        """A recording instead of a guest."""
        self.files.open()

    def save_recording(self) -> None:
        """All that the history holds, to a file."""
        self.files.save()

    def export(self) -> None:
        """The same, in the format of another program."""
        self.files.export()

    def record(self) -> None:
        """Writes what happens to a file from now on, or ends that."""
        self.files.toggle_capture()

    def save_picture(self) -> None:
        """The window as a file."""
        self.pictures.save()

    def save_page(self) -> None:
        """The run as a page for a browser."""
        self.pages.save()

    def save_sequence(self) -> None:
        """The sequence chart as an SVG or PNG file."""
        self.files.save_panel(self.shown.views.panel("sequence"))

    def save_events(self) -> None:
        """The filtered rows of the event table as a CSV file."""
        self.files.save_panel(self.shown.views.panel("events"))

    def find_events(self) -> None:
        """To the filter of the event table."""
        self.shown.views.find_events()

    def look_up(self, term: str = "") -> None:
        """What a term means; without one: to the line in which one is looked for."""
        self.shown.views.look_up(term)

    def quit(self) -> None:
        """The end; what is in no file is told of once."""
        if self.annotator.may_leave():
            self.top.close()

    def set_theme(self, name: str) -> None:
        """One of THEMES, everywhere."""
        self.look.set_theme(THEMES[name].scaled(self.look.theme.scale))

    def next_theme(self) -> None:
        """From one theme to the next."""
        names = list(THEMES)
        self.set_theme(names[(names.index(self.look.theme.name) + 1) % len(names)])

    def larger(self) -> None:
        """Larger text."""
        self.look.size_text(self.look.text + TEXT_STEP)

    def smaller(self) -> None:
        """Smaller text."""
        self.look.size_text(self.look.text - TEXT_STEP)

    def normal_size(self) -> None:
        """As large as suits the window: 100 %."""
        self.look.size_text(1.0)

    def toggle_extended(self) -> None:
        """The parts of the kernel that a signal passes, or the simple picture."""
        self.look.set_extended(not self.look.extended)

    def toggle_motion(self) -> None:
        """Movement, or steps in its place."""
        self.look.set_reduced_motion(not self.look.reduced_motion)

    def set_unit(self, name: str) -> None:
        """Durations in one of UNIT_NAMES."""
        self.look.set_unit(name)

    def next_unit(self) -> None:
        """From one unit to the next."""
        names = list(UNIT_NAMES)
        self.look.set_unit(names[(names.index(self.look.unit) + 1) % len(names)])

    def full_screen(self) -> None:
        """Fills the screen, or not."""
        self.top.setWindowState(self.top.windowState() ^ Qt.WindowState.WindowFullScreen)

    def toggle_presenting(self) -> None:
        """A window for an audience, or none."""
        self.look.set_presenting(not self.look.presenting)

    def begin_presenting(self) -> None:
        """A window for an audience, if there is none."""
        self.look.set_presenting(True)

    def turn_screens(self) -> None:
        """The audience's window and the lecturer's change places."""
        if self._has_audience():
            self.presenter.turn()

    def show_black(self) -> None:
        """The audience sees nothing, or what it saw before."""
        if self._has_audience():
            self.presenter.show_blank(Blank.BLACK)

    def show_white(self) -> None:
        """The same in white."""
        if self._has_audience():
            self.presenter.show_blank(Blank.WHITE)

    def undo_mark(self) -> None:
        """The newest mark, spotlight or zoom is gone; without one the newest change of an annotation."""
        if not self.shown.pointing.undo():
            self.annotator.undo()

    def clear_marks(self) -> None:
        """Nothing is pointed at any more."""
        self.shown.pointing.clear()

    def _has_audience(self) -> bool:
        """Says how to get one, if there is none."""
        if not self.look.presenting:
            self.notice.say(tr("There is no audience's window: P opens one."))
        return self.look.presenting

    def compare_with(self, path: Path | None = None) -> None:
        """This run beside a recorded one, in the panel; asks which, unless it is told."""
        path = path or self.files.ask_which(tr("Compare with a recording"))
        if path:
            self.compare_at_switch()
            self.model.baseline = Baseline(path)

    def compare_at_switch(self) -> None:
        """Before and after the last live switch, in the panel."""
        if self.model.baseline:
            self.model.baseline.close()
        self.model.baseline = None
        self.shown.views.bring_panel("compare").redraw()

    def show_panel(self, name: str) -> None:
        """A panel in place of the plots or the timeline; once more: those again."""
        self.shown.views.show_panel(name)

    def take_tour(self) -> None:
        """Round the window in a minute."""
        self.look.set_presenting(False)
        self.tour.begin()

    def show_keys(self) -> None:
        """All keys, or none."""
        self.keys.toggle()

    def show_palette(self) -> None:
        """Every action by its name."""
        self.palette.open()

    def attach(self) -> None:
        """The running VMMs of this machine, in a window of their own."""
        found = self.top.findChild(AttachWindow)
        window = found or AttachWindow(lambda: self.look.theme, self.files.replay, self.files.remember, self.top)
        if not found:
            self.look.theme_changed.connect(window.take_theme)
        window.show()
        window.activateWindow()

    def show_about(self) -> None:
        """Versions and the machine."""
        About(self.source, self.model.present.latencies.clock_error, self.top).open()
