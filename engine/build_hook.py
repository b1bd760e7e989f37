"""Tells hatchling to compile the core and the guests before it packs or links a wheel."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def build_module(root: str) -> ModuleType:
    """engine/build.py by its path: the package that it belongs to is not there before it is built."""
    spec = importlib.util.spec_from_file_location("bellwire_build", Path(root) / "engine" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BellwireBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs engine/build.py in the tree; editable installs use what it leaves there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles and names the wheel's tag. `version` is "standard" or "editable"."""
        made = build_module(self.root)
        try:
            made.build()
        except made.BuildError as error:
            raise SystemExit(f"bellwire: {error}") from None
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"
