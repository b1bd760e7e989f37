"""What headers tell the core, the guests and Python is used: no name outlives its last reader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from bellwire.engine.build import C_TESTS, CORE, GUESTS, ROOT
from bellwire.engine.host.host import CAPABILITIES

HEADERS = (GUESTS / "abi.h", CORE / "core.h", CORE / "ring.h", CORE / "thread.h")
KVM = CORE / "kvm.cdef"
PYTHON = [path for room in ("engine", "viz", "tests") for path in (ROOT / room).rglob("*.py")]
C = [path for folder in (CORE, GUESTS, C_TESTS) for path in folder.glob("*.[chS]")]


def code(path: Path) -> str:
    """A file without C's comments: a word there is no use."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)


def names(header: Path) -> list[str]:
    """What a header declares: constants, functions, members of enums, structs."""
    declared = re.findall(r"#define (\w+)|\b(bw_\w+)\(|\b(BW_\w+) = |struct (\w+) \{", code(header))
    return sorted({name for kinds in declared for name in kinds if name})


def words(paths: Iterable[Path]) -> Counter[str]:
    """How often each word stands in these files."""
    return Counter(word for path in paths for word in re.findall(r"\w+", code(path)))


USES = words([*PYTHON, *C])
DEFINED = re.findall(r"^\w[\w *]*?\b(bw_\w+)\([^;]*?\)\n\{", "\n".join(map(code, CORE.glob("*.c"))), re.MULTILINE)


def test_every_function_is_defined_once() -> None:
    """So that the definition can be told from a use, below."""
    declared = re.findall(r"\b(bw_\w+)\(", code(CORE / "core.h") + code(CORE / "thread.h"))
    assert sorted(declared) == sorted(DEFINED)


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: header.name)
def test_every_name_is_used(header: Path) -> None:
    """By the core, the guests, Python or a test: beside where it is declared and, of a function, defined."""
    declared = names(header)
    assert declared
    assert [name for name in declared if USES[name] - (name in DEFINED) <= 1] == []


def test_every_name_of_the_kernel_is_read() -> None:
    """By Python: C has the kernel's own header. Structs are made by core.h, or are part of another one."""
    python = "\n".join(path.read_text() for path in PYTHON)
    read = {*re.findall(r"\blib\.(\w+)", python), *re.findall(r"\bffi\.\w+\(\"struct (\w+)", python)}
    read |= {f"KVM_CAP_{capability.name}" for capability in CAPABILITIES}
    read |= {name for name in names(KVM) if name.startswith("KVM_EXIT_")}  # engine/events.py asks for them all
    read |= set(re.findall(r'\bioctl(?:, \w+)* = "(\w+)"', python))  # engine/calls/vhost_kernel.py asks by name
    read |= {name for name, count in words([CORE / "core.h", KVM]).items() if count > 1}
    assert set(names(KVM)) - read == set()
