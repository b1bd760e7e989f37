"""The main window: who sits where, menus, keys, files."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def importing() -> Iterator[None]:
    """Around import statements. Python would look for garbage two hundred times meanwhile, and later in the midst of
    frames, through all that modules are made of: 130 000 objects, none of which is any.

    Where Qt is there already, others may have left garbage: there it is as always.
    """
    if "PySide6.QtCore" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def importing_qt() -> Iterator[None]:
    """Around import statements that bring Qt along. PySide looks through the source of each module that is imported
    after it, whether it asks for other names of Qt's functions (`from __feature__ import snake_case`): none does.
    """
    with importing():
        import shiboken6  # noqa: F401

        feature: Any = sys.modules.get("shibokensupport.feature")
        if hasattr(feature, "_mod_uses_pyside"):  # no part of what it promises: else it looks, and takes longer
            feature._mod_uses_pyside = lambda _module: False
        yield
