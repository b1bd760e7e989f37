"""A library in C++ that finds no memory ends the process: by a sentence."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.host.no_memory import needs_memory

THROW = """
import ctypes
from bellwire.engine.host.no_memory import end_without_memory
for code in (7, 5):  # as often as it is asked for
    end_without_memory(code)
library = ctypes.CDLL("libstdc++.so.6")
library.{throw}(b"a fault")
"""


def end_by(throw: str) -> subprocess.CompletedProcess[str]:
    program = THROW.format(throw=throw)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


def test_no_memory_is_a_sentence_and_an_exit_code() -> None:
    ended = end_by("_ZSt17__throw_bad_allocv")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert ended.stderr == (
        "bellwire: There is not enough memory for this; `ulimit -v` says how much this process may have.\n"
    )


@pytest.mark.parametrize("throw", ["_ZSt19__throw_logic_errorPKc", "_ZSt9terminatev"])
def test_any_other_end_is_as_it_was(throw: str) -> None:
    ended = end_by(throw)
    assert ended.returncode == -signal.SIGABRT
    assert ended.stderr.startswith("terminate called ")


def test_where_a_process_may_have_too_little_it_is_refused_before(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [600 * 10**6]
    monkeypatch.setattr("resource.getrlimit", lambda _which: (limits[0], limits[0]))
    with pytest.raises(EngineError) as met:
        needs_memory(10**9, "A clip")
    assert str(met.value) == (
        "A clip needs 1000 MB of memory, most of it only reserved, and this process may have 600 MB: "
        "`ulimit -v unlimited` lets it have more."
    )
    needs_memory(600 * 10**6, "A clip")
    limits[0] = resource.RLIM_INFINITY
    needs_memory(10**9, "A clip")
