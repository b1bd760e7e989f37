"""The main window: who sits where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QVBoxLayout, QWidget

from bellwire.engine.errors import EngineError
from bellwire.engine.language import tr, tr_later
from bellwire.engine.scenarios.scenario import DEFAULT
from bellwire.engine.source import Label, NoSource, Source
from bellwire.viz.attached.recording_row import RecordingRow
from bellwire.viz.attached.seen_window import SeenWindow
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.telling import Storyteller
from bellwire.viz.style.latin_keys import action_of
from bellwire.viz.style.scroll import LeastHigh, ScarceArea
from bellwire.viz.style.stylesheet import wear_theme
from bellwire.viz.style.theme import THEMES, Theme, usual_scale
from bellwire.viz.text.faults import FAULT_CODE, MAIN, Fault, faults_told
from bellwire.viz.text.languages import speak_language
from bellwire.viz.window.access.announcements import Announcements
from bellwire.viz.window.access.motion_wish import ask_about_motion
from bellwire.viz.window.access.on_screen import StayOnScreen, fit_to_screen
from bellwire.viz.window.access.spoken import speak_wanted, translate_qt
from bellwire.viz.window.actions import BY_NAME
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.annotating.annotator import Annotator
from bellwire.viz.window.application import application, display_that_breaks, when_told_to_end
from bellwire.viz.window.asked.offers import Offers
from bellwire.viz.window.bar import ControlRow, StatusRow
from bellwire.viz.window.breaking import BreakControl, BreakPopover
from bellwire.viz.window.commands import Commands
from bellwire.viz.window.files import Files
from bellwire.viz.window.frame import Frame, WidgetGarbage, nothing_collected
from bellwire.viz.window.lesson.bar import LessonBar
from bellwire.viz.window.lesson.lecture_handout import LectureHandout
from bellwire.viz.window.lesson.player import LessonPlayer
from bellwire.viz.window.menus import Menus, sections
from bellwire.viz.window.notice import EmptyPanel, IndexProgress, NoticeBar
from bellwire.viz.window.palette import KeyHelp, Palette
from bellwire.viz.window.picturing.paging import PageSaver
from bellwire.viz.window.picturing.saving import PictureSaver
from bellwire.viz.window.presenter.console import Console
from bellwire.viz.window.presenter.presenter import Presenter
from bellwire.viz.window.quiz.quiz_player import QuizPlayer
from bellwire.viz.window.settings import Look, Settings
from bellwire.viz.window.shown import MakeSource, Shown, live_session
from bellwire.viz.window.story.bar import StoryBar
from bellwire.viz.window.tour.stations import Sights
from bellwire.viz.window.tour.tour import Tour
from bellwire.viz.window.views import Views

if TYPE_CHECKING:
    from bellwire.viz.lessons.lesson import Lesson
    from bellwire.viz.window.quiz.page import QuizPage

SMALLEST, USUAL = (960, 600), (1600, 900)  # sizes of the window, where the screen is large enough
LEAST = (840, 430)  # what its content needs at 100 %
STACKED = (500, 1180)  # the same where all stands one below the other, because the window is narrower; it is scrolled
PATIENCE_SECONDS = 0.5  # that the first window waits for its guest, rather than to show that it is being built
BEING_BUILT = tr_later("It is shown as soon as it runs.")
BAR_SECONDS = 0.1  # how often the bar looks at the states
ASK_MS = 1000  # after which the desktop is asked what it wants: what is shown first does not wait for that
ENGINE = "engine"  # the thread whose end is the run's


class Middle(LeastHigh):
    """All that the main window holds: its views need their least, and a row that has left out all it can its width."""

    def __init__(self, rows: Sequence[QWidget]) -> None:
        super().__init__()
        self.rows, self._least = rows, QSize()

    def need(self, least: QSize) -> None:
        """The room that the views have at least."""
        if least != self._least:
            self._least = least
            self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        widths = [row.minimumSizeHint().width() for row in self.rows if not row.isHidden()]
        return self._least.expandedTo(QSize(max(widths, default=0), 0))


class MainWindow(QMainWindow):
    """Builds its parts from below, gives each the others that it needs, and says in which order they follow.

    fault_met: a Fault, from whichever thread. One of the window's or the engine's ends the run: `fault`, until another
    source is shown.
    """

    fault_met = Signal(object)

    def __init__(
        self,
        model: LiveModel,
        theme: Theme,
        make_source: MakeSource = live_session,
        settings: Settings | None = None,
    ) -> None:
        """model: of a source that has been told to start; make_source: that of another scenario; settings: where things
        are remembered, if anywhere.
        """
        super().__init__()
        self.garbage = WidgetGarbage(self)
        self.settings = settings
        self.look = Look(theme)
        self.notice = NoticeBar(theme)
        self.index_progress = IndexProgress()
        self.shown = Shown(model, self.look, self.notice, make_source)
        self.files = Files(self.shown, self.notice, self, settings)
        self.breaks = BreakControl(self.shown, self.notice, BreakPopover(theme, self))
        self.keys = KeyHelp(self, theme, sections())
        self.palette_ = Palette(self, theme, lambda: self.menus.entries())
        self.storyteller = Storyteller(lambda: self.model)
        self.lessons = LessonPlayer(self.shown, self.look, self.notice, self.storyteller, self.breaks)
        self.lecture_handout = LectureHandout(self.lessons, lambda: self.model, self.notice, self)
        self.presenter = Presenter(self.shown, self.look, self.lessons, self.notice, self)
        self.tour = Tour(self._sights(), theme)
        self.quiz = QuizPlayer(self.shown, self._end_telling)
        self.annotator = Annotator(self.shown, self.files, self.notice, self)
        self.pictures = PictureSaver(self.files)
        self.pages = PageSaver(self.files, self.lessons)
        self.commands = Commands(
            self.shown,
            self.look,
            self.files,
            self.breaks,
            self.notice,
            self.keys,
            self.palette_,
            self.storyteller,
            self.lessons,
            self.presenter,
            self.tour,
            self.quiz,
            self.annotator,
            self.lecture_handout,
            self.pictures,
            self.pages,
            self,
        )
        self.menus = Menus(self.commands, self.look, self.files, self.run_action, self)
        self.offers = Offers(self.commands, self.menus.actions)
        self.status = StatusRow(self.commands, self.breaks, self.files, self.menus.bar, theme)
        self.controls = ControlRow(self.commands, theme)
        self.lesson_bar = LessonBar(self.lessons, theme, self.lecture_handout)
        self.quiz_page: QuizPage | None = None  # once there is a quiz
        self.console = Console(self.commands, theme)
        self.story_bar = StoryBar(self.commands, theme)
        self.announcements = Announcements(
            self,
            {
                "notice": lambda: "" if self.notice.isHidden() else self.notice.accessibleName(),
                "lesson": lambda: self.lesson_bar.spoken,
                "story": lambda: self.story_bar.spoken,
                "annotations": lambda: self.annotator.spoken,
                "caption": lambda: self.views.diagram.caption,
            },
        )
        self.empty: EmptyPanel | None = None
        self._bar_at = 0.0
        self._riddle = False  # the title keeps the scenario's name to itself
        self.fault: Fault | None = None
        self.frame = Frame(self.model, self.refresh, self)
        self._lay_out()
        self._connect()
        self._greet()
        self._set_theme()
        self.views.diagram.setFocus(Qt.FocusReason.OtherFocusReason)

    def _sights(self) -> Sights:
        """Where a tour leads to, whatever is shown then."""
        return Sights(
            window=self,
            model=lambda: self.model,
            diagram=lambda: self.views.diagram,
            switches=lambda: self.controls.switches["ioeventfd"],
            factor=lambda: self.status.factor,
            plots=lambda: self.views.side,
            below=lambda: self.views.below,
            key=lambda name: BY_NAME[name].key,
            reveal=lambda widget: self.scrolled.ensureWidgetVisible(widget),
            menus=lambda: self.status.folded if self.status.menus.isHidden() else self.status.menus,
        )

    def _lay_out(self) -> None:
        self.middle = Middle((self.status, self.controls, self.story_bar, self.lesson_bar))
        box = self._box = QVBoxLayout(self.middle)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        around = QVBoxLayout()
        around.setContentsMargins(22, 8, 22, 0)
        around.addWidget(self.notice)
        around.addWidget(self.index_progress)
        box.addWidget(self.status)
        box.addWidget(self.controls)
        box.addLayout(around)
        box.addWidget(self.lesson_bar)
        box.addWidget(self.story_bar)
        box.addWidget(self.shown, 1)
        box.addWidget(self.console, 1)
        self.scrolled = ScarceArea(self.middle)
        self.setCentralWidget(self.scrolled)
        self.views.lowered_by = self._said_above
        self.setMinimumSize(*SMALLEST)
        self.resize(*USUAL)

    def _connect(self) -> None:
        self.look.theme_changed.connect(self._set_theme)
        self.shown.changed.connect(self._follow)
        self.presenter.changed.connect(self._set_presenting)
        self.quiz.changed.append(self._set_quizzing)
        self.lesson_bar.text.term_chosen.connect(self.commands.look_up)
        self.lesson_bar.question.asks.connect(self.menus.lend_digits)
        # Queued: a fault may be met in another thread, and in this one in the midst of a paint.
        self.fault_met.connect(self._meet, Qt.ConnectionType.QueuedConnection)

    @property
    def model(self) -> LiveModel:
        """The model that is shown."""
        return self.shown.model

    @property
    def views(self) -> Views:
        """Its views."""
        return self.shown.views

    def run_action(self, action: Action) -> None:
        """Does it, and shows at once what has changed."""
        action.run(self.commands)
        self._bar_at = 0.0

    # -- another source

    def _follow(self) -> None:
        """Another source is shown."""
        self.frame.model = self.model
        if self.fault:
            self.fault = None
            self.status.fault = False
            self.frame.start()
        self.files.stop_capture()
        self.breaks.follow()
        self.annotator.follow()
        self.offers.follow()
        self.views.lowered_by = self._said_above
        self._fit()
        self._greet()
        self._bar_at = 0.0

    def _greet(self) -> None:
        """Names the source; says what to do if there is none."""
        source = self.model.source
        title = tr(source.scenario.title).replace("[*]", "[*][*]")  # once would be Qt's mark of what is not saved
        self._riddle, course = self.lessons.riddle, self.lessons.course
        title = self.quiz.title or (course.lesson.title if course and self._riddle else title)
        title = tr("{scenario} (REPLAY)", scenario=title) if self.model.replaying else title
        self.setWindowTitle(f"{title} – Bellwire")
        if self.empty:
            self.empty.deleteLater()
            self.empty = None
        if source.why_nothing:
            title = tr("The guest is being built") if source.label is Label.STARTING else tr("No KVM here")
            mend = tr("Open a recording")
            self.empty = EmptyPanel(self.views.diagram, title, source.why_nothing, mend, self.files.open)
            self.empty.show()

    # -- once a frame

    def refresh(self, everything: bool = True) -> None:
        """All views, and now and then the bar."""
        self.shown.arrive()
        self.storyteller.follow()
        self.lessons.follow()
        self.quiz.follow()
        self.story_bar.refresh()
        if self.presenter.audience:
            self.presenter.refresh(everything)
            if everything:
                self.console.copy.refresh()
        elif not self.quiz.hides:
            self.views.refresh(everything)
        if everything:
            self.status.say_dropped()
        if not everything and monotonic() - self._bar_at >= BAR_SECONDS:
            self._bar_at = monotonic()
            self.status.refresh()
            self.controls.refresh()
            self.lesson_bar.refresh()
            if self.lessons.riddle != self._riddle:
                self._greet()
            if self.presenter.audience:
                self.console.refresh()
            self.files.tell()
            self.index_progress.refresh(self.model)
            self.tour.refresh()
            if not self.quiz.hides:  # how a guest has ended, and what its picture says, would tell why
                self.shown.tell()
                self._speak()

    def _speak(self) -> None:
        """The sentence below the picture is that of the diagram, when it is said."""
        said = self.announcements.follow()
        if said and said == self.views.diagram.caption:
            self.views.diagram.setAccessibleDescription(said)

    # -- a fault

    def _meet(self, fault: Fault) -> None:
        """Says what has happened, once; what may go wrong with every frame ends the run."""
        if self.fault:
            return
        words = fault.sentence
        if fault.thread in (MAIN, ENGINE):
            self.fault = fault
            words = f"{words} {self._end_run()}"
        self.notice.say(words, tr("Copy details"), lambda: QGuiApplication.clipboard().setText(fault.details))

    def _end_run(self) -> str:
        """Stops the frames and the source, ends the recording; what is left to do, in words.

        After a fault each of these may fail, too, which says nothing new.
        """
        self.frame.stop()
        self.status.fault = True
        capture = self.files.capture
        for end in (self.files.stop_capture, self.shown.stop_source, self.status.refresh):
            with suppress(Exception):
                end()
        save, restart = BY_NAME["save"].key, BY_NAME["restart"].key
        if capture:
            return tr(
                "The run has been ended; what was recorded is in {path}, {restart} starts afresh.",
                path=capture.path,
                restart=restart,
            )
        return tr(
            "The run has been ended; {save} saves what is held, {restart} starts afresh.", save=save, restart=restart
        )

    def stay_ended(self, fault: Fault) -> None:
        """Shows the state of a run that a fault has ended in another window."""
        self.fault = fault
        self.frame.stop()
        self.status.fault = True
        self.status.refresh()

    # -- how it looks

    def _set_theme(self) -> None:
        theme, app = self.look.theme, QApplication.instance()
        if isinstance(app, QApplication):
            with nothing_collected():
                wear_theme(app, theme)
        for part in (
            self.status,
            self.controls,
            self.notice,
            self.lesson_bar,
            self.story_bar,
            self.views,
            self.presenter,
            self.console,
            self.keys,
            self.palette_,
            self.breaks,
            self.tour,
        ):
            part.set_theme(theme)
        if self.quiz_page:
            self.quiz_page.set_theme(theme)
        self._fit()
        self._bar_at = 0.0

    def _fit(self) -> None:
        """The least that the content has, side by side, or one below the other where the window is too narrow."""
        px = self.look.theme.px
        stacked = self.width() < px(LEAST[0])
        self.views.stack(stacked)
        width, height = map(px, STACKED if stacked else LEAST)
        self.middle.need(QSize(width, height + self.views.added_height))

    def _said_above(self) -> int:
        """The height of what comes above the views and goes again."""
        bars = (self.notice, self.index_progress, self.lesson_bar, self.story_bar)
        return sum(bar.height() for bar in bars if not bar.isHidden())

    def _set_quizzing(self) -> None:
        """While a cause is to be named nothing is seen of the guest, nor its name, nor what its switches stand at."""
        for part in (self.shown, self.controls):
            part.setVisible(not self.quiz.hides)
        page = self.quiz_page = self.quiz_page or self._make_quiz_page()
        page.refresh()
        self._box.setStretchFactor(page, int(self.quiz.hides))
        self._greet()

    def _make_quiz_page(self) -> QuizPage:
        from bellwire.viz.window.quiz.page import QuizPage

        page = QuizPage(self.quiz, self.look.theme)
        self._box.insertWidget(self._box.indexOf(self.lesson_bar) + 1, page)
        page.set_theme(self.look.theme)  # its fonts hold once it has the window's style
        return page

    def _end_telling(self) -> None:
        """Neither a lesson, nor an audience, nor a tour, before a quiz begins."""
        self.tour.end()
        self.look.set_presenting(False)
        self.lessons.end()

    def _set_presenting(self) -> None:
        """Whoever leads it sees more about the lesson, and less of everything else."""
        audience = self.presenter.audience
        self.quiz.end()
        if audience:
            self.tour.end()
        self.lesson_bar.presenting = audience is not None
        self.lesson_bar.refresh()
        self.shown.setVisible(audience is None)
        self.console.follow(audience)
        if audience is None:
            self.views.diagram.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a large window everything is larger, times the size of text that has been chosen."""
        super().resizeEvent(event)
        self.look.suit(usual_scale(self.width(), self.height()))
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A key whose letter is no Latin one does what its place says."""
        action = action_of(event, self.actions())
        if action is None:
            super().keyPressEvent(event)
        elif action.autoRepeat() or not event.isAutoRepeat():
            action.trigger()

    # -- the end

    def save_what_is_open(self) -> None:
        """Ends recordings and keeps the settings, of a window whose display is gone: it is asked for nothing."""
        self.files.close()
        for row in self.findChildren(RecordingRow):
            row.end()
        if self.settings:
            self.settings.keep(self.look)
            self.settings.sync()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ends the source; nothing is left behind."""
        if event.spontaneous() and not self.annotator.may_leave():
            event.ignore()
            return
        self.frame.stop()
        if self.settings:
            self.settings.keep(self.look)
            self.settings.toured = self.settings.toured or self.tour.seen
            self.settings.geometry = self.saveGeometry()
        self.hide()
        for beside in self.findChildren(QDialog):
            if isinstance(beside, SeenWindow):  # which goes with this one, and would not be asked to close
                beside.close()
        self.presenter.end()
        self.lecture_handout.end()
        self.lessons.end()
        self.pictures.close()
        self.pages.close()
        self.files.close()
        self.shown.end()
        super().closeEvent(event)


def make_window(
    source: Source | None,
    *,
    reason: str = "",
    theme: Theme | None = None,
    make_source: MakeSource = live_session,
    settings: Settings | None = None,
) -> MainWindow:
    """A window on `source`, which is started here; not yet shown. reason: why there is no KVM, if there is none."""
    application()
    problem = ""
    if source is None:
        source = NoSource(reason or tr("There is no usable /dev/kvm."))
    comes = None
    try:
        source.start()
        if not source.wait_until_started(PATIENCE_SECONDS):
            comes, source = source, NoSource(tr(BEING_BUILT), source.scenario, Label.STARTING)
    except EngineError as error:
        problem, source = str(error), NoSource(str(error), source.scenario)
    window = MainWindow(LiveModel(source), theme or Settings().theme, make_source, settings)
    if comes:
        window.shown.expect(comes)
    if reason and not source.why_nothing:
        window.notice.say(reason)
    elif problem:
        window.notice.say(problem)
    return window


def open_window(
    source: Source | None,
    *,
    reason: str = "",
    theme: str = "",
    language: str = "",
    tell: Callable[[Fault], object] = lambda fault: None,
    lesson: Lesson | None = None,
    then: Callable[[MainWindow], object] = lambda window: None,
) -> int:
    """Shows the window until it is closed; the exit code.

    theme: one of THEMES, for this window; "": that of last time. language: likewise one of languages(). tell: hears of
    faults, too, in any thread. lesson: begins at once; source is that of its first step. then: called once it is shown.
    """
    application()
    settings = Settings()
    speak_wanted(language, settings)
    translate_qt()
    opened: list[MainWindow] = []
    told = when_told_to_end(lambda: [window.close() for window in opened])  # from the first moment that a guest runs
    chosen = THEMES[theme].scaled(settings.theme.scale) if theme else None
    window = make_window(source, reason=reason, theme=chosen, settings=settings)
    settings.restore(window.look)
    if trouble := " ".join(filter(None, (settings.trouble, settings.unkept()))):
        window.notice.say(f"{reason} {trouble}".lstrip())
    if settings.geometry:
        window.restoreGeometry(settings.geometry)
    fit_to_screen(window, first=not settings.geometry)
    open_as_the_one(window, opened)
    then(window)
    if lesson:
        window.lessons.begin(lesson, here=True)
    elif not settings.toured and window.model.scenario.name == DEFAULT:
        window.tour.begin()
    if not settings.knows_motion:
        QTimer.singleShot(ASK_MS, window, lambda: ask_about_motion(window, window.look.wish_motion))
    return run_window(opened, tell) or told()


def open_as_the_one(window: MainWindow, opened: list[MainWindow]) -> None:
    """Shows it as the one that is open; another language will open one in its place."""
    opened[:] = [window]
    window.show()
    window.frame.start()
    StayOnScreen(window)
    # Not in the midst of the menu in which it was chosen: that is a part of what goes.
    again = Qt.ConnectionType.QueuedConnection
    window.look.language_chosen.connect(lambda name: reopen(window, name, opened), again)


def reopen(old: MainWindow, language: str, opened: list[MainWindow]) -> None:
    """A window that speaks another language takes the place of this one; the run goes on, and what is held is kept."""
    settings = old.settings or Settings()
    settings.keep(old.look)
    settings.language = language
    old.frame.stop()
    old.storyteller.end()
    expected = old.shown.hand_over()
    speak_language(language)
    translate_qt()
    window = MainWindow(old.model, settings.theme, old.shown.make_source, settings)
    settings.restore(window.look)
    window.files.take_over(old.files)
    window.lecture_handout.write_pieces = old.lecture_handout.write_pieces
    if old.breaks.watch.wanted:
        window.breaks.watch.arm(old.breaks.watch.wanted)
    window.restoreGeometry(old.saveGeometry())
    if not (old.isMaximized() or old.isFullScreen()):
        window.setGeometry(old.geometry())  # which may be larger than the screen
    open_as_the_one(window, opened)
    for panel in old.shown.front.values():
        window.views.bring_panel(panel)
    if expected:
        window.shown.expect(expected)
    if old.fault:
        window.stay_ended(old.fault)
    old.close()
    old.deleteLater()


def run_window(opened: list[MainWindow], tell: Callable[[Fault], object]) -> int:
    """The event loop, in which the window that is open, and `tell`, hear of each fault; the exit code."""

    def met(fault: Fault) -> None:
        tell(fault)
        opened[-1].fault_met.emit(fault)

    with faults_told(met), display_that_breaks(lambda: opened[-1].save_what_is_open()):
        code = application().exec()
        if code:  # the display has gone: Qt ends its loop, and what is open ends only with the window
            opened[-1].close()
    return code or (FAULT_CODE if opened[-1].fault else 0)
