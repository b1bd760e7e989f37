"""The wheel's hook: what is built is there, the tag names platform and every Python, a failure is one sentence."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from bellwire.engine.build_hook import BellwireBuildHook

ROOT = Path(__file__).resolve().parents[2]


def initialized(root: Path) -> dict[str, Any]:
    """What the hook says of a wheel that is built in this tree."""
    data: dict[str, Any] = {}
    unused: Any = None
    hook = BellwireBuildHook(str(root), {}, unused, unused, str(root / "dist"), "wheel")
    hook.initialize("standard", data)
    return data


def test_a_wheel_is_of_this_platform_and_of_every_python() -> None:
    data = initialized(ROOT)
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    assert data == {"pure_python": False, "tag": f"cp311-abi3-{platform}"}
    assert (ROOT / "engine/_core.abi3.so").exists()


def test_what_the_build_cannot_do_ends_it_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine").mkdir()
    shutil.copy(ROOT / "engine/build.py", tmp_path / "engine")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit, match=r"^bellwire: gcc is missing; install it with: sudo apt-get install gcc "):
        initialized(tmp_path)
