"""Where a process may have too little memory for what it is about to do, and how one ends that finds none."""

from __future__ import annotations

import os
import resource

from bellwire.engine._core import lib
from bellwire.engine.errors import MEMORY_REMEDY, EngineError
from bellwire.engine.language import tr

MB = 10**6


def end_without_memory(code: int) -> None:
    """From now on a library in C++, Qt or Arrow, that finds no memory and would abort ends the process by a sentence
    with what to do, and this exit code; nothing where there is no C++."""
    sentence = tr("There is not enough memory for this; {remedy}", remedy=tr(MEMORY_REMEDY))
    lib.bw_end_without_memory(os.fsencode(f"bellwire: {sentence}\n"), code)


def needs_memory(least: int, what: str) -> None:
    """EngineError if this process may have less than `least` bytes of addresses: Qt, which looks at little of what it
    is given, would crash. what: what is about to be done."""
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if 0 <= most < least:
        raise EngineError(
            tr(
                "{what} needs {least} MB of memory, most of it only reserved, and this process may have {most} MB: "
                "`ulimit -v unlimited` lets it have more.",
                what=what,
                least=round(least / MB),
                most=round(most / MB),
            )
        )
