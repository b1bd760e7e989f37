"""Which language is spoken: that of the user's other programs, if it is shipped."""

from __future__ import annotations

import pytest

from bellwire.viz.text import languages
from bellwire.viz.text.languages import language_wanted


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LC_ALL": "C.UTF-8", "LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "de_AT@euro", "LANG": "fr_FR.UTF-8"}, "de"),
        ({"LANG": "xx_bogus"}, "en"),
        ({"LANG": "../../etc/passwd"}, "en"),
    ],
)
def test_it_is_that_of_the_locale(environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "languages", lambda: ("en", "de"))
    assert language_wanted(environment) == language


def test_english_is_always_there() -> None:
    assert languages.languages()[0] == "en"
    languages.speak_language("en")
