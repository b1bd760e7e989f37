"""Tells hatchling to compile the core and the guests before it packs or links a wheel."""

from __future__ import annotations

import sys
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BellwireBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs engine.build in the tree; editable installs use what it leaves there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles and names the wheel's tag. `version` is "standard" or "editable"."""
        sys.path.insert(0, self.root)
        from engine.build import BuildError, build

        try:
            build()
        except BuildError as error:
            raise SystemExit(f"bellwire: {error}") from None
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform}"
