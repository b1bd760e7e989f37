"""Reads a lesson from its file: Markdown, whose parts stand where a teacher would look for them.

Between two lines +++ stands what the lesson is (TOML). Each heading begins a step: paragraphs and lists are for the
audience, quoted lines (>) are the lecturer's notes, a fence called `scene` says what the window shows, one called
`question` what is asked, both in TOML. A scene goes on with the scenario, its settings, switches and diagram of the
step before; its own words change that. README's "Lessons" has an example; assets/lessons/ has twelve.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bellwire.engine.errors import AssertionTextError, LessonError, ScenarioError
from bellwire.engine.events import Switch
from bellwire.engine.foreign import shown
from bellwire.engine.host.text_files import small_file
from bellwire.engine.language import kept_while_spoken
from bellwire.engine.scenarios.scenario import OWN, Scenario, did_you_mean, load_scenario, setting_words
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.lessons.condition import Condition, parse_condition
from bellwire.viz.lessons.lesson import (
    BULLET,
    HOMEWORK,
    Lesson,
    LessonChoice,
    LessonScene,
    LessonStep,
    Question,
    TimeOfScene,
    ending,
)
from bellwire.viz.lessons.place import LessonTable, PlaceInFile
from bellwire.viz.lessons.step_figures import placeholders_of
from bellwire.viz.lessons.translated import lesson_spoken
from bellwire.viz.model.filter_language import FilterError, parse
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.text.assets import asset

LARGEST_LESSON = 1 << 18  # bytes
MOST_MINUTES = 180
MOST_STEPS = 200
MOST_CHOICES = 5
MOST_CONDITIONS = 20  # that one step waits for
LONGEST_TITLE, LONGEST_STEP, LONGEST_NOTES = 200, 4000, 20_000  # characters
NOT_ALLOWED = {"html_block", "html_inline", "code_block", "hr", "image"}  # kinds of Markdown
BACK_ENDS = ("kvm_intel", "kvm_amd", "kvm_pvm")  # whose diagrams differ in what they leave out
SWITCH_NAMES = {"ioeventfd": Switch.IOEVENTFD, "irqfd": Switch.IRQFD}


def lesson_paths() -> list[Path]:
    """The files of the lessons that are shipped."""
    return sorted(asset("lessons").glob("*.md"))


@kept_while_spoken()
def lesson_read(path: Path, mtime_ns: int) -> Lesson:
    """The lesson in a file that is shipped, read once, in the language that is spoken."""
    return lesson_spoken(read_lesson(path))


def shipped_lesson(path: Path) -> Lesson:
    """The lesson in a file that is shipped; LessonError if it is wrong."""
    return lesson_read(path, path.stat().st_mtime_ns)


def shipped_lessons() -> list[Lesson]:
    """Every lesson that is shipped, in the order of the course; LessonError if one is wrong."""
    return sorted(map(shipped_lesson, lesson_paths()), key=lambda lesson: (lesson.rank, lesson.name))


def lesson_named(what: str) -> Lesson:
    """A lesson that is shipped, by its name, or the one in a file, as it is written there.

    LessonError if there is neither, or it is wrong.
    """
    paths = {path.stem: path for path in lesson_paths()}
    if what in paths:
        return shipped_lesson(paths[what])
    if what.endswith(".md") or os.path.lexists(what):
        return read_lesson(Path(what))
    raise LessonError(f"There is no lesson {what!r}; {did_you_mean(what, list(paths))} `bellwire lessons` shows them.")


def read_lesson(path: Path) -> Lesson:
    """The lesson in a file; LessonError, one sentence with file and line, if there is something wrong with it."""
    return lesson_of(path, small_file(path, LARGEST_LESSON, "lesson", LessonError))


def lesson_of(path: Path, text: str) -> Lesson:
    """The lesson that a text tells; path: what its mistakes name."""
    lines = text.split("\n")
    ends = [number for number, line in enumerate(lines) if line.strip() == "+++"]
    if len(ends) < 2 or ends[0]:
        raise PlaceInFile(path, 1).wrong("a lesson begins with the line +++, what it is in TOML, and again +++.")
    head = PlaceInFile(path, 2, "\n".join(lines[1 : ends[1]]))
    table = LessonTable(head, head.toml(), "head")
    title, minutes = table.words("title"), table.number("minutes", 1, MOST_MINUTES)
    knows, rank = table.texts("knows"), table.number("rank", 0, 10_000, 0)
    homework, commands = table.texts("homework", []), table.texts("commands", [])
    table.close()
    reader = StepReader(path, ends[1] + 1)
    steps = tuple(reader.steps(parts_of(path, ends[1] + 1, "\n".join(lines[ends[1] + 1 :]))))
    if not steps:
        raise PlaceInFile(path, len(lines)).wrong("a lesson has steps, each of which begins with a heading: ## Title.")
    for sentence in homework:
        reader.check_text(sentence, head)
    return Lesson(
        path, title, minutes, knows, (*steps, *ending(steps[-1], homework, commands)), homework, commands, rank
    )


# -- the parts of a step


@dataclass
class StepParts:
    """What stands below a heading, not yet understood."""

    place: PlaceInFile
    title: str
    text: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scene: PlaceInFile | None = None
    question: PlaceInFile | None = None


def parts_of(path: Path, offset: int, body: str) -> Iterator[StepParts]:
    """Step by step. offset: lines of the file above the body."""
    step: StepParts | None = None
    quoted, within = 0, ""
    for token in MarkdownIt("commonmark").parse(body):
        place = PlaceInFile(path, offset + 1 + (token.map[0] if token.map else 0))
        if {token.type, *(child.type for child in token.children or ())} & NOT_ALLOWED:
            raise place.wrong("allowed are headings, paragraphs, lists, quoted notes, and the fences scene, question.")
        quoted += (token.type == "blockquote_open") - (token.type == "blockquote_close")
        if token.type in ("heading_open", "list_item_open", "paragraph_open") and within != "list_item_open":
            within = token.type
        if token.type == "list_item_close":
            within = ""
        if token.type == "inline" and within == "heading_open":
            if step:
                yield step
            step = StepParts(place, plain_of(token))
        elif token.type in ("inline", "fence") and step is None:
            raise place.wrong("nothing stands above the first heading: ## Title begins a step.")
        elif token.type == "inline" and step:
            words = (BULLET if within == "list_item_open" else "") + plain_of(token)
            (step.notes if quoted else step.text).append(words)
        elif token.type == "fence" and step:
            add_fence(step, token, place)
        elif token.type in ("html_block", "code_block", "hr"):
            raise place.wrong(
                "allowed are headings, paragraphs, lists, quoted notes, and the fences scene and question."
            )
    if step:
        yield step


def plain_of(token: Token) -> str:
    """The words of a paragraph, without what would set them in another type; none of them steers who prints it."""
    words = (child.content if child.content else " " for child in token.children or ())
    return shown(" ".join("".join(words).split()))


def add_fence(step: StepParts, token: Token, place: PlaceInFile) -> None:
    """A scene or a question, of which a step has one at most."""
    name = token.info.strip()
    if name not in ("scene", "question"):
        raise place.wrong(f"a fence is called scene or question, not {name!r}.")
    if getattr(step, name):
        raise place.wrong(f"a step has one {name}.")
    setattr(step, name, replace(place, line=place.line + 1, text=token.content))


# -- what they mean


class StepReader:
    """Understands step after step: each goes on with the scene of the one before."""

    def __init__(self, path: Path, line: int) -> None:
        self.path = path
        self._before: LessonScene | None = None
        self._count = 0  # of steps so far
        self._names: list[str] = []  # theirs, and those of what they reveal

    def steps(self, parts: Iterator[StepParts]) -> Iterator[LessonStep]:
        """All of them."""
        for number, step in enumerate(parts):
            if number == MOST_STEPS:
                raise step.place.wrong(f"a lesson has at most {MOST_STEPS} steps.")
            yield self._step(step)

    def _step(self, parts: StepParts) -> LessonStep:
        place = parts.scene or parts.place
        table = LessonTable(place, place.toml() if parts.scene else {}, "scene")
        self._count += 1
        name = self._name(table, f"step-{self._count}")
        scene = self._scene(table)
        table.close()
        if not parts.text:
            raise parts.place.wrong("a step has a text for the audience.")
        check_length_of(parts)
        for sentence in (*parts.text, *parts.notes):
            self.check_text(sentence, parts.place)
        question = self._question(parts.question, name) if parts.question else None
        self._names += [name, question.name] if question and question.name else [name]
        return LessonStep(name, parts.title, tuple(parts.text), tuple(parts.notes), scene, question, parts.place.line)

    def _name(self, table: LessonTable, default: str, *taken: str) -> str:
        """By which later texts call the figures of a scene."""
        name = table.words("name", default)
        if name and name in (*self._names, *taken, HOMEWORK):
            raise table.place.wrong(f"name: another step is called {name!r} already.", "name")
        return name

    def _scene(self, table: LessonTable) -> LessonScene:
        scene = self._with_scenario(table)
        scene = replace(scene, extended=self._extended(table, scene), panel=self._panel(table))
        scene = self._in_time(table, scene)
        scene = replace(scene, highlight=self._parts(table, "highlight", scene), part=table.words("part", ""))
        if scene.part:
            self._check_parts(table, "part", [scene.part], scene)
        self._before = scene
        return scene

    def _with_scenario(self, table: LessonTable) -> LessonScene:
        """Its scenario and settings, or those of the step before."""
        settings, turned = table.table("settings"), table.table("switches")
        named, in_place = self._scenario(table, "scenario"), self._scenario(table, "in_place")
        if named:
            scene = LessonScene(named, in_place or named)
        elif self._before:
            before = self._before
            scene = LessonScene(
                before.scenario, in_place or before.in_place, dict(before.switches), bool(settings), before.extended
            )
        else:
            raise table.place.wrong("the first step has a scene with a scenario; `bellwire list` shows them.")
        try:
            words = {key: setting_words(value) for key, value in settings.items()}
            wanted = scene.scenario.with_settings(words)
            of_it = scene.in_place.name == wanted.name  # so what is played in its place has these settings too
            scene = replace(scene, scenario=wanted, in_place=wanted if of_it else scene.in_place)
        except ScenarioError as error:
            raise table.place.wrong(str(error), "settings") from error
        return replace(scene, switches=scene.switches | self._switches(table, turned))

    def _scenario(self, table: LessonTable, key: str) -> Scenario | None:
        """The one that a key names, or whose file, beside the lesson's; None if it names none."""
        name = table.words(key, "")
        place = str(self.path.parent / name) if name.endswith(OWN) else name
        try:
            return load_scenario(place) if name else None
        except ScenarioError as error:
            raise table.place.wrong(str(error), key) from error

    def _switches(self, table: LessonTable, turned: dict[str, object]) -> dict[Switch, bool]:
        for name, on in turned.items():
            if name not in SWITCH_NAMES or not isinstance(on, bool):
                raise table.wrong("switches", "{ ioeventfd = true or false, irqfd = true or false }")
        return {SWITCH_NAMES[name]: bool(on) for name, on in turned.items()}

    def _extended(self, table: LessonTable, scene: LessonScene) -> bool:
        return table.one_of("diagram", ["simple", "extended"], ("simple", "extended")[scene.extended]) == "extended"

    def _panel(self, table: LessonTable) -> str:
        from bellwire.viz.panels import PANELS  # which need Qt

        return table.one_of("panel", [panel.name for panel in PANELS], "")

    def _in_time(self, table: LessonTable, scene: LessonScene) -> LessonScene:
        telling = TimeOfScene(table.one_of("time", [*TimeOfScene], TimeOfScene.LIVE))
        stage = table.one_of("stage", list(load_anatomy().stages), "")
        if stage and telling is TimeOfScene.LIVE:
            raise table.place.wrong('stage: a story stops there, so time is "newest", "median" or "slowest".', "stage")
        wanted = table.words("break_at", "")
        try:
            parse(wanted)
        except FilterError as error:
            raise table.place.wrong(f"break_at: {error}", "break_at") from error
        return replace(scene, telling=telling, stage=stage, break_at=wanted, until=self._until(table, "until"))

    def _until(self, table: LessonTable, key: str) -> tuple[Condition, ...]:
        conditions, texts = [], table.texts(key, [])
        if len(texts) > MOST_CONDITIONS:
            raise table.place.wrong(f"{key}: has more than {MOST_CONDITIONS} conditions.", key)
        for text in texts:
            try:
                conditions.append(parse_condition(text, self._names))
            except AssertionTextError as error:
                raise table.place.wrong(f"{key}: {error}", key) from error
        return tuple(conditions)

    def _parts(self, table: LessonTable, key: str, scene: LessonScene) -> frozenset[str]:
        parts = dict.fromkeys(table.texts(key, []))
        self._check_parts(table, key, parts, scene)
        return frozenset(parts)

    def _check_parts(self, table: LessonTable, key: str, parts: Collection[str], scene: LessonScene) -> None:
        """LessonError, unless each is a part of the scene's diagram."""
        there = parts_of_diagram(scene) if parts else []
        for part in parts:
            if part not in there:
                raise table.place.wrong(f"{key}: the diagram has no part {part!r}; there are {', '.join(there)}.", key)

    def _question(self, place: PlaceInFile, step: str) -> Question:
        """step: the name of what is seen while it is asked, which answers may use if what is revealed has another."""
        table = LessonTable(place, place.toml(), "question")
        ask = table.words("ask")
        before = self._before
        shown = LessonTable(place, table.table("reveal"), "reveal")
        named = self._name(shown, "", step)
        names, self._names = self._names, [*self._names, step] if named else self._names
        reveal = self._scene(shown)
        shown.close()
        assert before is not None
        choices = tuple(
            self._choice(LessonTable(place.table("choices", number), values, "choice"), before)
            for number, values in enumerate(table.tables("choices"))
        )
        table.close()
        if not 2 <= len(choices) <= MOST_CHOICES:
            raise place.wrong(f"choices: a question has 2 to {MOST_CHOICES} of them.", "choices")
        for sentence in (ask, *(choice.reason for choice in choices)):
            self.check_text(sentence, place)
        self._names = names
        return Question(ask, choices, reveal, named)

    def _choice(self, table: LessonTable, asked: LessonScene) -> LessonChoice:
        parts = table.texts("part", [])
        self._check_parts(table, "part", list(parts), asked)
        text = table.words("text", parts[0] if parts else None)
        when = self._until(table, "when")
        if not when:
            raise table.place.wrong("a choice has a `when`: what holds in the run if it is right.")
        choice = LessonChoice(text, when, table.words("reason"), parts)
        table.close()
        return choice

    def check_text(self, sentence: str, place: PlaceInFile) -> None:
        """LessonError if a figure in it is none."""
        try:
            placeholders_of(sentence, self._names)
        except AssertionTextError as error:
            raise place.wrong(f"{{…}}: {error}") from error


def check_length_of(parts: StepParts) -> None:
    """LessonError if it has more words than anybody reads: the screen sets them anew many times a second."""
    for what, words, most in (
        ("title", [parts.title], LONGEST_TITLE),
        ("text", parts.text, LONGEST_STEP),
        ("notes", parts.notes, LONGEST_NOTES),
    ):
        if sum(map(len, words)) > most:
            raise parts.place.wrong(f"the {what} of a step: at most {most} characters.")


def parts_of_diagram(scene: LessonScene) -> list[str]:
    """The names of the parts that one back end or another has in the scene's diagram."""
    names: set[str] = set()
    for backend in BACK_ENDS:
        made = blueprint_of(scene.scenario, backend, scene.extended)
        names.update(*(made.boxes, made.nodes, made.wires, made.counters, made.pills, made.rings))
    return sorted(names)
