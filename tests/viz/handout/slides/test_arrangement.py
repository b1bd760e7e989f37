"""Everything has its place on a slide, nothing lies on anything else, and words can be read from the last row."""

from __future__ import annotations

from itertools import combinations

import pytest

from bellwire.viz.handout.document import Picture
from bellwire.viz.handout.slides.arrangement import SLIDE, SlideArea, arrange, contained, fits_beside, height_of
from bellwire.viz.handout.slides.deck import DeckLine, DeckSlide, LineKind, SlidePicture

WORDS = "The write leaves the guest's code, and KVM looks for an ioeventfd at its address. "
DIAGRAM = SlidePicture(Picture(b"", (1560, 858), ""), b"", WORDS * 3)


def slide_of(sentences: int, shown: SlidePicture | None) -> DeckSlide:
    """With so many sentences in its text."""
    lines = tuple(DeckLine(WORDS * 2) for _ in range(sentences // 2))
    return DeckSlide("a", "A title that is rather long, though not unusually so", lines, shown, WORDS)


def apart(one: SlideArea, other: SlideArea) -> bool:
    """Whether they have nothing in common."""
    beside = one.left + one.width <= other.left + 1e-6 or other.left + other.width <= one.left + 1e-6
    return beside or one.top + one.height <= other.top + 1e-6 or other.top + other.height <= one.top + 1e-6


@pytest.mark.parametrize("sentences", [0, 2, 4])
@pytest.mark.parametrize("shown", [None, DIAGRAM], ids=["words", "picture"])
def test_nothing_lies_on_anything_else_and_all_can_be_read(sentences: int, shown: SlidePicture | None) -> None:
    arranged = arrange(slide_of(sentences, shown))
    written = [one for one in (arranged.title, arranged.words, arranged.caption) if one]
    places = [one.at for one in written] + ([arranged.picture] if arranged.picture else [])
    assert all(apart(one, other) for one, other in combinations(places, 2))
    for at in places:
        assert at.left >= 0.4
        assert at.top >= 0.3
        assert at.left + at.width <= SLIDE[0] - 0.4
        assert at.top + at.height <= SLIDE[1]
    for one in written:
        assert height_of(one.lines, one.at.width, one.points) <= one.at.height
        assert one.points >= (12 if one is arranged.caption else 14)


def test_fewer_words_are_larger() -> None:
    sizes = [words.points for n in (2, 4, 6) if (words := arrange(slide_of(n, DIAGRAM)).words)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


def test_a_picture_keeps_its_shape() -> None:
    at = contained((200, 100), SlideArea(1, 1, 4, 4), centred=False)
    assert (at.left, at.width, at.height) == (1, 4, 2)
    assert contained((100, 200), SlideArea(1, 1, 4, 4), centred=True).left == 2


def test_bold_words_and_code_need_more_room() -> None:
    text = "bellwire run roundtrip " * 8
    heights = [height_of((DeckLine(text, kind),), 6, 20) for kind in (LineKind.PLAIN, LineKind.STRONG, LineKind.CODE)]
    assert heights == sorted(heights)


def test_many_words_have_a_slide_of_their_own() -> None:
    assert [fits_beside(slide_of(n, None).lines) for n in (0, 4, 8)] == [True, True, False]
    alone = arrange(slide_of(12, None)).words
    assert alone is not None
    assert height_of(alone.lines, alone.at.width, alone.points) <= alone.at.height
