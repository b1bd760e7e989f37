"""The lecture's own judgement: it must be able to say that something grows."""

from __future__ import annotations

from tests.lectures import LESSONS, Held, grows

MIB = 1 << 20


def rounds(*each: Held) -> list[Held]:
    return [held for held in each for _ in LESSONS]


def test_what_the_first_round_builds_is_no_growth() -> None:
    assert grows(rounds(Held(100 * MIB, 3, 5), Held(300 * MIB, 5, 9), Held(310 * MIB, 5, 9))) == []


def test_what_grows_from_round_to_round_is_said() -> None:
    found = grows(rounds(Held(300 * MIB, 5, 9), Held(300 * MIB, 5, 9), Held(400 * MIB, 6, 12)))
    assert found == ["memory: 300 to 400 MiB", "threads: 5 to 6", "files: 9 to 12"]
