"""What is said is looked up, filled in, and said in English where a catalogue does not have it."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from bellwire.engine.language import Spoken, grouped, read_catalogue, speak, tr, tr_as, tr_later, tr_n


def catalogue() -> gettext.GNUTranslations:
    """A little German."""
    catalog = Catalog(locale="de")
    catalog.add("{who} adds 1 to {what}.", "Zu {what} zählt {who} 1 hinzu.")
    catalog.add(("{n} read", "{n} reads"), ("{n} Lesen", "{n}-mal Lesen"))
    catalog.add("Open", "Offen", context="state")
    catalog.add("Open", "Öffnen")
    catalog.add(".", ",", context="decimal sign")
    file = BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    return gettext.GNUTranslations(file)


@pytest.fixture
def german() -> Iterator[None]:
    speak("de", catalogue())
    yield
    speak("en")


def test_english_is_what_stands_in_the_code() -> None:
    assert tr("{who} adds 1 to {what}.", who="KVM", what="the eventfd") == "KVM adds 1 to the eventfd."
    assert [tr_n("{n} read", "{n} reads", number) for number in (1, 2, 1204)] == [
        "1 read",
        "2 reads",
        "1\u202f204 reads",
    ]
    assert tr_as("state", "Open") == tr("Open") == tr_later("Open") == "Open"
    assert tr("{as it is}") == "{as it is}"
    assert tr("") == ""


@pytest.mark.usefixtures("german")
def test_another_language_has_its_own_order_plural_and_meanings() -> None:
    assert tr("{who} adds 1 to {what}.", who="KVM", what="eventfd") == "Zu eventfd zählt KVM 1 hinzu."
    assert [tr_n("{n} read", "{n} reads", number) for number in (0, 1, 2)] == ["0-mal Lesen", "1 Lesen", "2-mal Lesen"]
    assert (tr("Open"), tr_as("state", "Open"), tr_later("Open")) == ("Öffnen", "Offen", "Open")
    assert tr("Not in the catalogue: {n}", n=3) == "Not in the catalogue: 3"


@pytest.mark.usefixtures("german")
def test_what_is_filled_in_is_not_looked_up_and_holds_no_places() -> None:
    assert tr("{who} adds 1 to {what}.", who="{what}", what="Open") == "Zu Open zählt {what} 1 hinzu."


@pytest.mark.usefixtures("german")
def test_numbers_have_the_languages_decimal_sign() -> None:
    assert (grouped(1204311), grouped(1204.25, 2)) == ("1\u202f204\u202f311", "1\u202f204,25")
    speak("en")
    assert grouped(1204.25, 2) == "1\u202f204.25"


def test_who_listens_hears_of_another_language(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(Spoken, "listeners", (lambda: heard.append(Spoken.name),))
    speak("de", catalogue())
    speak("en")
    assert heard == ["de", "en"]


def test_a_catalogue_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_catalogue(tmp_path / "fr.mo")
