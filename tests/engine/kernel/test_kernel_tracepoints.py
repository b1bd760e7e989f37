"""The tracepoints and the functions, as the program in C lists them and as the events name them."""

from __future__ import annotations

import re

from bellwire.engine.events import FUNCTIONS, PROBES_BIT, PROBES_LACK_BIT, TRACEPOINTS, ProbesLack
from bellwire.engine.kernel.program import PROGRAM


def test_both_sides_list_the_same_tracepoints_in_the_same_order() -> None:
    source = (PROGRAM.parent / "tracepoints.c").read_text()
    assert tuple(re.findall(r'^    \{"(\w+)", \d+\},$', source, re.MULTILINE)) == TRACEPOINTS


def test_both_sides_list_the_same_functions_in_the_same_order() -> None:
    source = (PROGRAM.parent / "functions.c").read_text()
    assert tuple(re.findall(r'^    \{"(\w+)", \d+\},$', source, re.MULTILINE)) == FUNCTIONS
    probed = re.findall(r'SEC\("kprobe/(\w+)"\)', (PROGRAM.parent / "events.bpf.c").read_text())
    assert sorted(probed) == sorted(FUNCTIONS)


def test_tracepoints_functions_and_what_they_lack_do_not_share_a_bit() -> None:
    header = (PROGRAM.parent / "functions.h").read_text()
    assert dict(re.findall(r"#define (PROBES\w*_BIT) (\d+)", header)) == {
        "PROBES_BIT": str(PROBES_BIT),
        "PROBES_LACK_BIT": str(PROBES_LACK_BIT),
    }
    assert len(TRACEPOINTS) <= PROBES_BIT
    assert PROBES_BIT + len(FUNCTIONS) <= PROBES_LACK_BIT
    (lacks,) = re.findall(r"enum probes_lack \{(.*)\};", header)
    assert [name.strip() for name in lacks.split(",")] == [f"PROBES_LACK_{lack.name}" for lack in ProbesLack]
