"""Makes the slides of a lesson: walks it, and takes what each of its positions says and shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from string import ascii_uppercase

from bellwire.engine.language import tr
from bellwire.viz.handout.lesson_handout import caption_at
from bellwire.viz.handout.slides.arrangement import fits_beside
from bellwire.viz.handout.slides.deck import Deck, DeckLine, DeckSlide, LineKind
from bellwire.viz.handout.slides.slide_pictures import slide_pictures
from bellwire.viz.handout.walk import MakeSource, walked, window_for
from bellwire.viz.lessons.course import ChoiceSoFar, Course
from bellwire.viz.lessons.lesson import BULLET, HOMEWORK, Lesson
from bellwire.viz.model.live import LiveModel
from bellwire.viz.style.theme import Theme
from bellwire.viz.text.figures import unparted
from bellwire.viz.text.host_words import machine_words
from bellwire.viz.text.verdicts import verdict_words
from bellwire.viz.window.files import header_for

VERDICT_LINES = {True: LineKind.RIGHT, False: LineKind.WRONG, None: LineKind.MUTED}  # what stands behind a choice


def lesson_deck(
    lesson: Lesson,
    make_source: MakeSource,
    theme: Theme,
    look: Callable[[], None] = lambda: None,
    progress: Callable[[float], None] = lambda share: None,
) -> Deck:
    """Walks the lesson. make_source: the guest of a scenario, or its recording. EngineError if a scene does not come.

    look: called once a frame, ends the walk by raising; progress: is told the share that is done.
    """
    slides, asked = list[DeckSlide](), 0
    with window_for(lesson, make_source, theme) as window:
        for at, course in enumerate(walked(window, lesson, look), 1):
            asked += course.asks
            slides += slides_at(window.model, course, asked, theme)
            progress(at / len(course.positions))
        title = title_slide(course.lesson, window.model)
        end, began = end_slide(course), header_for(window.model.source).started_ns
    found = [title, *slides, *([end] if end.lines else [])]
    return Deck(course.lesson.title, tuple(with_numbers(found)), datetime.fromtimestamp(began // 10**9, UTC))


def with_numbers(slides: list[DeckSlide]) -> Iterator[DeckSlide]:
    """With names in their order."""
    for number, slide in enumerate(slides, 1):
        yield replace(slide, name=f"{number:02}-{slide.name}")


def slides_at(model: LiveModel, course: Course, asked: int, theme: Theme) -> Iterator[DeckSlide]:
    """Those of the course's position. asked: how many questions there were so far."""
    step = course.step
    if step.name == HOMEWORK:
        return
    caption = caption_at(model, course)
    caption = f"{tr('REPLAY')} · {caption}" if model.replaying else caption
    notes, lines = tuple(course.told(step.notes)), tuple(map(line_told, course.told(step.text)))
    name, title = "step", step.title
    if course.position.revealed:
        name, title, lines, notes = "seen", tr("The answer to question {n}", n=asked), (), ()
        yield answer_slide(course, asked)
    if not fits_beside(lines):
        yield DeckSlide("text", title, lines, notes=notes)
        lines, notes = (), ()
    for shown in slide_pictures(model, course.scene, theme):
        yield DeckSlide(name, title, lines, shown, caption, notes)
        lines, notes = (), ()
    if course.asks:
        choices = [DeckLine(f"{letter}. {one.text}") for letter, one in lettered(course)]
        ask = DeckLine(course.asked, LineKind.STRONG)
        yield DeckSlide("question", tr("Question {n}", n=asked), (ask, *choices))


def line_told(text: str) -> DeckLine:
    """A sentence with figures, none of which is parted from its unit."""
    return DeckLine(unparted(text))


def lettered(course: Course) -> Iterator[tuple[str, ChoiceSoFar]]:
    """The choices of the step's question, each with its letter; what the run says of them once it is revealed."""
    return zip(ascii_uppercase, course.choices(), strict=False)


def answer_slide(course: Course, asked: int) -> DeckSlide:
    """Which choices are right in this run, and why."""
    lines = [DeckLine(course.asked, LineKind.STRONG)]
    for letter, choice in lettered(course):
        kind = VERDICT_LINES[choice.right]
        lines += [DeckLine(f"{letter}. {choice.text} {verdict_words(choice.right)}", kind), line_told(choice.reason)]
    return DeckSlide("answer", tr("The answer to question {n}", n=asked), tuple(lines))


def title_slide(lesson: Lesson, model: LiveModel) -> DeckSlide:
    """What the lesson is, what is known afterwards, and on which machine it was seen."""
    known = [DeckLine(f"{BULLET}{text}") for text in lesson.knows]
    lead = [DeckLine(tr("You will know:"), LineKind.STRONG)] if known else []
    machine = machine_words(model.source.host, model.source.backend)
    return DeckSlide("title", lesson.title, (*lead, *known), caption=machine)


def end_slide(course: Course) -> DeckSlide:
    """What there is to find out at home, and the commands that repeat what was shown."""
    questions = course.told(course.lesson.homework)
    lines = [DeckLine(f"{number}. {question}") for number, question in enumerate(questions, 1)]
    lines += [DeckLine(command, LineKind.CODE) for command in course.lesson.commands]
    return DeckSlide("homework", tr("To find out at home"), tuple(lines))
