"""The main window: who sits where, menus, keys, files."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
