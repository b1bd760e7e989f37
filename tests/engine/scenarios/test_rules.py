"""What the rules know of the guests is what these say of themselves."""

from __future__ import annotations

import pytest

from bellwire.engine.scenarios.rules import GUESTS, LISTENERS, RINGERS, WAITERS

PROGRAMS = sorted(GUESTS.glob("*.c"))


@pytest.mark.parametrize("name", [path.stem for path in PROGRAMS])
def test_a_guests_first_line_says_whether_it_rings_listens_and_waits(name: str) -> None:
    first = (GUESTS / f"{name}.c").read_text().splitlines()[0]
    words = {"rings": RINGERS, "listens": LISTENERS, "waits": WAITERS}
    known = [word for word, programs in words.items() if name in programs]
    assert first == f"// {', '.join(known)}"
    assert known


def test_there_are_no_others() -> None:
    assert {*RINGERS, *LISTENERS} == {path.stem for path in PROGRAMS}
