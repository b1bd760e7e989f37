"""Rules for what an audience reads, as far as a tool can check them.

No sentence is longer than 25 words; no figure is written down that the run should say; no term is used that the
glossary does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bellwire.viz.lessons.lesson import Lesson, LessonStep
from bellwire.viz.lessons.step_figures import PLACEHOLDER
from bellwire.viz.terms.glossary import Glossary

MOST_WORDS = 25
COMMAND = "bellwire "  # what a line to be typed begins with: no sentence
WORD_END = re.compile(r"[\s-]+")
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+")
UNITS = "ns|µs|us|ms|seconds?|s|cycles|%|percent|×|times|exits|doorbells|interrupts|reads|journeys|signals"
MEASUREMENT = re.compile(rf"(?<![\w#.])\d[\d ,.]*\s?(?:{UNITS})(?!\w)")
# What looks like a term: capitals, names with underscores or digits in them, descriptors' names.
TERM_LIKE = re.compile(r"(?<![\w/.])(?:[A-Z]{2,}[A-Za-z]*|[A-Za-z]+_[\w]+|[a-z]+[A-Z]{2,}\w*|\w*fd)(?![\w/])")


def complaints(lesson: Lesson, glossary: Glossary) -> Iterator[str]:
    """Each as a sentence with the step; nothing if all is well."""
    for step in lesson.steps:
        for text in audience_texts(step):
            for complaint in complaints_of(text, glossary):
                yield f"{lesson.path}:{step.line}: {step.title}: {complaint}"


def audience_texts(step: LessonStep) -> Iterator[str]:
    """All that the audience reads at a step."""
    yield step.title
    yield from (text for text in step.text if not text.startswith(COMMAND))
    if step.question:
        yield step.question.ask
        for choice in step.question.choices:
            yield choice.text
            yield choice.reason


def complaints_of(text: str, glossary: Glossary) -> Iterator[str]:
    """Of one text."""
    bare = PLACEHOLDER.sub("N", text)
    for sentence in SENTENCE_END.split(bare):
        words = len(sentence.split())
        if words > MOST_WORDS:
            yield f"a sentence of {words} words, more than {MOST_WORDS}: {sentence}"
    for found in MEASUREMENT.finditer(bare):
        yield f"a figure that the run should say: {found[0]}"
    known = {text for start, end, _ in glossary.found_in(bare) for text in WORD_END.split(bare[start:end])}
    for found in TERM_LIKE.finditer(bare):
        if found[0] not in known and found[0] != "N":
            yield f"a term that the glossary does not have: {found[0]}"
