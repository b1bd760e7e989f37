"""The tracepoints, as the program in C lists them and as the events name them."""

from __future__ import annotations

import re

from bellwire.engine.events import TRACEPOINTS
from bellwire.engine.kernel.program import PROGRAM


def test_both_sides_list_the_same_tracepoints_in_the_same_order() -> None:
    source = (PROGRAM.parent / "tracepoints.c").read_text()
    assert tuple(re.findall(r'^    \{"(\w+)", \d+\},$', source, re.MULTILINE)) == TRACEPOINTS
