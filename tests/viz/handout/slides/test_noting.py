"""What a lesson says becomes lines of slides."""

from __future__ import annotations

from bellwire.viz.handout.slides.noting import line_told


def test_a_number_is_not_parted_from_its_unit() -> None:
    assert line_told("It took 18.6 µs or less.").text == "It took 18.6\u00a0µs or less."
