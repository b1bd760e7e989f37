"""A lab's sheet as HTML: the symptom, what may be the matter, evidence to be asked for, and the cause at last.

On a screen each piece of evidence, and the cause, is hidden until somebody wants it; on paper each has a later page.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase

from bellwire.engine.language import tr, tr_n
from bellwire.viz.handout.document import KeptRecording, Seen
from bellwire.viz.handout.lesson_sheet import command_lines
from bellwire.viz.handout.sheet import SheetWords, figure_html, section, sheet, verdict_html
from bellwire.viz.lessons.labs.causes import ruling
from bellwire.viz.lessons.labs.clues import CLUES, Clue
from bellwire.viz.lessons.labs.lab_run import LabRun
from bellwire.viz.lessons.labs.lab_texts import CauseText
from bellwire.viz.lessons.labs.quiz import PENALTY, POINTS, Quiz
from bellwire.viz.terms.linked import as_html


@dataclass(frozen=True)
class LabSheet:
    """What a sheet is made of. seen: the diagram while it is broken; why: there is no guest, "" if there was."""

    quiz: Quiz
    run: LabRun
    seen: Seen
    recording: KeptRecording
    why: str


def lab_html(lab: LabSheet, paper: bool) -> str:
    """The whole file. paper: evidence and cause on pages of their own, rather than to be opened."""
    words = SheetWords()
    title = tr("A guest in trouble")
    parts = (
        front_of_lab(lab, title, words),
        section("choices", tr("What is the cause?"), choice_list(lab, words)),
        evidence(lab, words, paper),
        cause(lab, words, paper),
        words.glossary(),
    )
    return sheet(title, "".join(parts))


def front_of_lab(lab: LabSheet, title: str, words: SheetWords) -> str:
    """The symptom, of which run it is, and how points are counted."""
    state = f'<span class="replay">{tr("REPLAY")}</span>: ' if lab.why else ""
    made_on = tr("From a run on {machine}.", machine=lab.recording.seen_on)
    rules = tr_n(
        "You begin with {n} point. Each piece of evidence costs what stands beside it, a wrong cause {penalty}.",
        "You begin with {n} points. Each piece of evidence costs what stands beside it, a wrong cause {penalty}.",
        POINTS,
        penalty=PENALTY,
    )
    return (
        f'<h1>{as_html(title)}</h1>\n<p class="run">{state}{as_html(made_on)} {as_html(lab.why)}</p>\n'
        f"<p><strong>{words.words(lab.run.symptom(lab.quiz.lab))}</strong></p>\n<p>{as_html(rules)}</p>\n"
    )


def choice_list(lab: LabSheet, words: SheetWords) -> str:
    """What may be named."""
    choices = "".join(f"<li>{words.words(one.text)}</li>" for one in lab.quiz.choices(lab.run))
    return f'<ol class="choices">{choices}</ol>\n'


def evidence(lab: LabSheet, words: SheetWords, paper: bool) -> str:
    """What can be asked for, with its price: to be opened, or with the page where it is answered."""
    if not paper:
        pieces = "".join(hidden(price(clue), told_of(lab, clue, words)) for clue in CLUES)
        return section("evidence", tr("Evidence"), pieces)
    links = "".join(f'<li><a class="page" href="#clue-{clue.name}">{as_html(price(clue))}</a></li>' for clue in CLUES)
    pages = "".join(section(f"clue-{clue.name}", tr(clue.ask), told_of(lab, clue, words), "apart") for clue in CLUES)
    return section("evidence", tr("Evidence"), f"<ul>{links}</ul>\n") + pages


def price(clue: Clue) -> str:
    """What it answers, and what it costs."""
    cost = tr_n("{n} point", "{n} points", clue.cost)
    return tr("{question} ({cost})", question=tr(clue.ask), cost=cost)


def told_of(lab: LabSheet, clue: Clue, words: SheetWords) -> str:
    """The piece of evidence itself."""
    return words.paragraphs(clue.tell(lab.run))


def hidden(summary: str, content: str) -> str:
    """What is seen once somebody opens it."""
    return f"<details>\n<summary>{as_html(summary)}</summary>\n{content}</details>\n"


def cause(lab: LabSheet, words: SheetWords, paper: bool) -> str:
    """What it was and what the others are not, how it looks, what is to be learned from it."""
    ruled = "".join(
        choice_ruled(letter, one, lab, words)
        for letter, one in zip(ascii_uppercase, lab.quiz.choices(lab.run), strict=False)
    )
    scenario = lab.quiz.lab.scenario
    commands = (f"bellwire replay {lab.recording.name}", f"bellwire run {scenario.name}")
    content = (
        f"<ul>{ruled}</ul>\n{figure_html(lab.seen)}<p>{words.words(tr(scenario.shows))}</p>\n"
        f"<p>{words.words(lab.quiz.lab.mended)}</p>\n{command_lines(commands, tr('To see it again:'))}"
    )
    if paper:
        return section("cause", tr("The cause"), content, "apart")
    return section("cause", tr("The cause"), hidden(tr("Show it, once you have named it"), content))


def choice_ruled(letter: str, one: CauseText, lab: LabSheet, words: SheetWords) -> str:
    """One choice: whether it is the cause, by the events of the run."""
    ruled = ruling(lab.run, one.name)
    return f"<li>{letter}. {words.words(one.text)} {verdict_html(ruled.holds, ruled.why, words)}</li>"
