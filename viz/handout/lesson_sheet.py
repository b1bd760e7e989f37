"""A lesson's handout as HTML: what was told, what was asked, and at the end what the run answered."""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_uppercase

from bellwire.engine.language import grouped, tr, tr_n
from bellwire.viz.handout.document import AskedAnswer, Handout, HandoutStep, KeptRecording
from bellwire.viz.handout.sheet import SheetWords, figure_html, section, sheet, verdict_html
from bellwire.viz.lessons.course import ChoiceSoFar
from bellwire.viz.terms.linked import as_html
from bellwire.viz.text.host_words import machine_words


def lesson_sheet(handout: Handout) -> str:
    """The whole file."""
    words = SheetWords()
    asked = [step.asked for step in handout.steps if step.asked]
    steps = "".join(step_section(number, step, words) for number, step in enumerate(handout.steps, 1))
    answers = "".join(answer(one, words) for one in asked)
    parts = (
        front(handout),
        contents(handout),
        steps,
        section("answers", tr("Answers"), answers, "apart") if asked else "",
        homework(handout, words),
        recordings(handout),
        words.glossary(),
    )
    return sheet(handout.title, "".join(parts))


def front(handout: Handout) -> str:
    """What it is, and of which run."""
    knows = "".join(f"<li>{as_html(one)}</li>" for one in handout.knows)
    machine = machine_words(handout.host, handout.host.get("backend", tr("unknown")))
    run = as_html(tr("The figures and pictures are those of one run on {machine}.", machine=machine))
    if handout.why:
        made_on = tr("the figures and pictures are those of recordings, made on {machine}.", machine=machine)
        run = f'<span class="replay">{tr("REPLAY")}</span>: {as_html(made_on)} {as_html(handout.why)}'
    of = tr_n(
        "A lesson of {n} minute, to read afterwards.", "A lesson of {n} minutes, to read afterwards.", handout.minutes
    )
    return (
        f"<h1>{as_html(handout.title)}</h1>\n"
        f"<p>{as_html(of)} {as_html(handout.made)}.</p>\n"
        f'<p class="run">{run}</p>\n<h3>{as_html(tr("What you will know"))}</h3>\n<ul>{knows}</ul>\n'
    )


def contents(handout: Handout) -> str:
    """Links to each part."""
    steps = "".join(
        f'<li><a href="#step-{number}">{as_html(step.title)}</a></li>' for number, step in enumerate(handout.steps, 1)
    )
    ends = [("homework", tr("To find out at home"))] if handout.homework or handout.commands else []
    ends += [("recordings", tr("The recordings"))] if handout.recordings else []
    ends += [("glossary", tr("Terms"))]
    if any(step.asked for step in handout.steps):
        ends.insert(0, ("answers", tr("Answers")))
    rest = " · ".join(f'<a href="#{name}">{as_html(title)}</a>' for name, title in ends)
    return f'<nav aria-label="{as_html(tr("Contents"))}">\n<ol>{steps}</ol>\n<p>{rest}</p>\n</nav>\n'


def step_section(number: int, step: HandoutStep, words: SheetWords) -> str:
    """A step: the text, the picture, the question."""
    asked = question(step.asked, words) if step.asked else ""
    content = f"{words.paragraphs(step.text)}{figure_html(step.seen)}{asked}"
    return section(f"step-{number}", f"{number}. {step.title}", content, "step")


def question(asked: AskedAnswer, words: SheetWords) -> str:
    """What is asked, and what may be answered; the answer is at the end."""
    choices = "".join(f"<li>{words.words(choice.text)}</li>" for choice in asked.choices)
    return (
        f'<div class="asked" id="question-{asked.number}">\n<h3>{as_html(tr("Question {n}", n=asked.number))}</h3>\n'
        f'<p>{words.words(asked.ask)}</p>\n<ol class="choices">{choices}</ol>\n'
        f'<p><a class="page" href="#answer-{asked.number}">{as_html(tr("The answer, and why"))}</a></p>\n</div>\n'
    )


def answer(asked: AskedAnswer, words: SheetWords) -> str:
    """Which choices are right in this run, and why; what was seen then."""
    counted = any(choice.hands for choice in asked.choices)
    given = "".join(
        choice_given(letter, choice, words, counted)
        for letter, choice in zip(ascii_uppercase, asked.choices, strict=False)
    )
    return (
        f'<div class="given" id="answer-{asked.number}">\n'
        f'<h3><a class="page" href="#question-{asked.number}">{as_html(tr("Question {n}", n=asked.number))}</a></h3>\n'
        f"<p>{words.words(asked.ask)}</p>\n<ul>{given}</ul>\n{figure_html(asked.seen)}</div>\n"
    )


def choice_given(letter: str, choice: ChoiceSoFar, words: SheetWords, counted: bool) -> str:
    """One choice: the letter, whether it is right, and the reason; how many hands were raised for it, if counted, and
    whether it was clicked at."""
    verdict = verdict_html(choice.right, choice.reason, words)
    raised = f" ({as_html(tr_n('{n} hand', '{n} hands', choice.hands))})" if counted else ""
    chosen = f" – <b>{as_html(tr('chosen in the lecture'))}</b>" if choice.chosen else ""
    return f"<li>{letter}. {words.words(choice.text)}{raised}{chosen}: {verdict}</li>"


def homework(handout: Handout, words: SheetWords) -> str:
    """Questions, and the command lines with which to find out."""
    questions = "".join(f"<li>{words.words(one)}</li>" for one in handout.homework)
    asked = f"<ol>{questions}</ol>\n" if questions else ""
    commands = command_lines(handout.commands, tr("These commands repeat what was shown:"))
    return section("homework", tr("To find out at home"), asked + commands, "apart") if asked or commands else ""


def command_lines(commands: Iterable[str], why: str) -> str:
    """Commands to type, one a line; nothing without any."""
    lines = "\n".join(as_html(line) for line in commands)
    return f"<p>{as_html(why)}</p>\n<pre>{lines}</pre>\n" if lines else ""


def recordings(handout: Handout) -> str:
    """What lies beside the file, and how it is opened."""
    if not handout.recordings:
        return ""
    rows = "".join(recording_row(one) for one in handout.recordings)
    titles = tr("File"), tr("What it is of"), tr("Recorded on")
    heads = "".join(f'<th scope="col">{as_html(title)}</th>' for title in titles)
    table = f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>{rows}</tbody>\n</table>\n"
    first = handout.recordings[0].name
    lines = (f"bellwire replay {first}", f"bellwire info {first}")
    how = command_lines(lines, tr("They lie beside this file. bellwire, which is free, opens them:"))
    return section("recordings", tr("The recordings"), how + table)


def recording_row(one: KeptRecording) -> str:
    """A row of the table."""
    return (
        f"<tr><td><code>{as_html(one.name)}</code><br>{grouped(one.size / 1e6, 1)} MB</td>"
        f"<td>{as_html(one.title)}</td><td>{as_html(one.seen_on)}</td></tr>"
    )
