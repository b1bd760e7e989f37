"""Tells hatchling to compile the core and the guests before it packs or links a wheel.

A wheel also brings what desktops, shells and man look for in the folder `share` of wherever it is installed: the
program writes it, as it does for packagers.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GLIBC = re.compile(rb"\0GLIBC_(\d+)\.(\d+)[.0-9]*(?=\0)")  # as the linker names versions of symbols


def build_module(root: str) -> ModuleType:
    """engine/build.py by its path: the package that it belongs to is not there before it is built."""
    spec = importlib.util.spec_from_file_location("bellwire_build", Path(root) / "engine" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def platform_tag(*made: Path) -> str:
    """Where a wheel with them works: of what is for glibc, from that version on which its symbols have."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    found = [pair for path in made if path.exists() for pair in GLIBC.findall(path.read_bytes())]
    versions = [(int(major), int(minor)) for major, minor in found]
    if not versions:
        return platform
    major, minor = max(versions)
    return platform.replace("linux", f"manylinux_{major}_{minor}")


def write_share(build: Path) -> Path:
    """The folder of that name, of the package that is linked in `build`; SystemExit if it cannot be made."""
    prefix = build / "prefix"
    shutil.rmtree(prefix, ignore_errors=True)
    command = [sys.executable, "-P", "-m", "bellwire.viz", "desktop", "install", "--prefix", str(prefix)]
    ran = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(build / "package")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(f"bellwire: What is for desktops cannot be written: {ran.stderr.strip()}")
    return prefix / "share"


class BellwireBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs engine/build.py in the tree; editable installs use what it leaves there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles and names the wheel's tag. `version` is "standard" or "editable"."""
        made = build_module(self.root)
        try:
            made.build()
        except made.BuildError as error:
            raise SystemExit(f"bellwire: {error}") from None
        build_data["pure_python"] = False
        build_data["tag"] = f"cp311-abi3-{platform_tag(made.EXTENSION, made.KERNEL_PROGRAM, made.TRACEFS_PROGRAM)}"
        if version == "standard":
            build_data["shared_data"] = {str(write_share(Path(self.root) / "build")): "share"}
