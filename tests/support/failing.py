"""The core in C, of whose functions one call fails: as when memory, file descriptors or threads have run out."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bellwire.engine._core import ffi, lib

NEVER_FAIL = ("_free", "_stop", "_join", "_kick", "_tsc", "_state", "_verdict", "_struct", "_drain", "_dropped")


class FailingCore:
    """Stands for `lib` everywhere in the engine. fails: the number of the call that fails, from 1; 0: none does."""

    def __init__(self, fails: int = 0) -> None:
        self.fails, self.calls, self.failed = fails, 0, ""

    def __getattr__(self, name: str) -> Any:
        found = getattr(lib, name)
        if not name.startswith("bw_") or name.endswith(NEVER_FAIL):
            return found
        kind = ffi.typeof(found).result
        fails = kind.kind == "pointer" or kind.cname == "int"
        return self._counted(name, found, kind.kind == "pointer") if fails else found

    def _counted(self, name: str, function: Callable[..., Any], is_pointer: bool) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls != self.fails:
                return function(*arguments)
            self.failed = name
            for argument in arguments if is_pointer else ():
                if isinstance(argument, ffi.CData) and ffi.typeof(argument).cname == "int *":
                    argument[0] = -errno.ENOMEM
            return ffi.NULL if is_pointer else -errno.ENOMEM

        return call

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """In every module of the engine that is imported."""
        for name, module in list(sys.modules.items()):
            if name.startswith("bellwire.engine.") and getattr(module, "lib", None) is lib:
                patch.setattr(module, "lib", self)
