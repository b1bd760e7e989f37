"""Terms in a text: the longest one at each place, in any case and in the plural; in a translation those of the text."""

from __future__ import annotations

from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo

from bellwire.engine.language import speak, tr, tr_as
from bellwire.viz.lessons.lesson_file import lesson_paths
from bellwire.viz.lessons.step_figures import PLACEHOLDER
from bellwire.viz.terms.glossary import SPELLINGS, Glossary, Term, load_glossary
from tests.catalogue import LANGUAGES, in_lesson, read_language
from tests.support.accented import accented, in_accents

# What a translation says without the term: the term, and how the English text begins.
SAID_OTHERWISE = {
    "de": {
        ("doorbell", "Less often than the doorbell rang"),  # "als geläutet wurde"
        ("doorbell", "Recall the masked pin of the lesson"),  # one at a house
        ("doorbell", "The panel Explain shows it as bars"),  # its kick is no term in German
        ("guest", "Do not expect a large difference"),  # "Gastkernel", and the others in compounds:
        ("interrupt", "Level interrupts and resample"),
        ("interrupt", "The end of a level's interrupt"),
        ("user space", "To user space, as an exit"),  # is one term in German
        ("work item", "This thread stands for a vhost worker"),  # so is "vhost-Worker"
    }
}


def found(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], term.name) for start, end, term in load_glossary().found_in(text)]


def test_terms_are_found_in_every_spelling_and_not_within_words() -> None:
    assert found("Eventfds wake; an ioeventfd is one, the virtual CPU is not. Unguested.") == [
        ("Eventfds", "eventfd"),
        ("ioeventfd", "ioeventfd"),
        ("virtual CPU", "vCPU"),
    ]


def test_an_abbreviation_is_found_as_it_is_written() -> None:
    assert found("Bars, a pic and a VM; two VMs in BARs") == [("VM", "VM"), ("VMs", "VM"), ("BARs", "BAR")]


def test_another_language_has_its_own_spellings_and_endings() -> None:
    with in_accents():
        assert found(accented("Eventfds; a virtual CPU") + " eventfd") == [
            (accented("Eventfds"), accented("eventfd")),
            (accented("virtual CPU"), accented("vCPU")),
        ]


def test_each_term_says_what_it_means_in_a_sentence_that_ends() -> None:
    for term in load_glossary().terms.values():
        assert term.meaning.endswith("."), term.name
        assert len(term.meaning) < 300, term.name


# -- in translations


def terms_in(glossary: Glossary, text: str) -> set[str]:
    """The names of those that are found in a text, but for its figures."""
    return {term.name for _, _, term in glossary.found_in(PLACEHOLDER.sub("", text))}


def otherwise(language: str, name: str, text: str) -> tuple[str, str] | None:
    """Which exception this is, if it is one."""
    allowed = SAID_OTHERWISE.get(language, set())
    return next((one for one in allowed if one[0] == name and text.startswith(one[1])), None)


def spoken_name(term: Term) -> str:
    """What a term of the English glossary is called in the language that is spoken."""
    return tr_as(SPELLINGS, ", ".join(term.spellings)).partition(", ")[0]


@pytest.mark.parametrize("path", sorted(LANGUAGES.glob("*.po")), ids=lambda path: path.stem)
def test_a_lessons_terms_are_found_in_its_translation(path: Path) -> None:
    catalog, packed = read_language(path), BytesIO()
    texts = {message.text for lesson in lesson_paths() for message in in_lesson(lesson)}
    if left := [
        text for text in texts if (message := catalog.get(text)) is None or not message.string or message.fuzzy
    ]:
        pytest.skip(f"{len(left)} texts of lessons are not yet translated in {path.name}")
    write_mo(packed, catalog)
    packed.seek(0)
    english = load_glossary()
    speak(path.stem, GNUTranslations(packed))
    try:
        told, spoken = {text: tr(text) for text in texts}, load_glossary()
        called = {name: spoken_name(term) for name, term in english.terms.items()}
    finally:
        speak("en")
    missing = [
        (name, text)
        for text in texts
        for name in terms_in(english, text)
        if called[name] not in terms_in(spoken, told[text])
    ]
    assert [(name, text) for name, text in missing if otherwise(path.stem, name, text) is None] == []
    assert {otherwise(path.stem, name, text) for name, text in missing} == SAID_OTHERWISE.get(path.stem, set())
