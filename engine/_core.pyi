"""The module _core is made by cffi from core/core.h: see engine/build.py. Its types are C's, out of mypy's sight."""

from typing import Any

ffi: Any
lib: Any
