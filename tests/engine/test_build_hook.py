"""The wheel's hook: what is built is there, the tag names platform and every Python, a failure is one sentence."""

from __future__ import annotations

import platform
import re
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from bellwire.engine.build_hook import BellwireBuildHook, platform_tag

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
    system, _, processor = sysconfig.get_platform().partition("-")
    glibc = re.fullmatch(rf"cp311-abi3-many{system}_2_(\d+)_{processor}", data["tag"])
    assert glibc is not None
    assert 17 <= int(glibc[1]) <= int(platform.libc_ver()[1].split(".")[1])  # what it was linked with
    assert data["pure_python"] is False
    assert (ROOT / "engine/_core.abi3.so").exists()


def test_a_wheel_brings_what_desktops_and_man_look_for() -> None:
    (folder,) = [Path(path) for path, name in initialized(ROOT)["shared_data"].items() if name == "share"]
    assert (folder / "man/man1/bellwire.1").read_text().startswith(".TH BELLWIRE 1 ")
    assert "Exec=bellwire open" in (folder / "applications/bellwire.desktop").read_text()


def test_another_library_than_glibc_is_of_the_platform_alone(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(b"\0libc.musl-x86_64.so.1\0GLIBC\0")
    assert platform_tag(library) == sysconfig.get_platform().replace("-", "_").replace(".", "_")
    library.write_bytes(b"\0libc.so.6\0GLIBC_2.4\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_PRIVATE\0")
    assert "manylinux_2_34_" in platform_tag(library)


def test_what_the_build_cannot_do_ends_it_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine").mkdir()
    shutil.copy(ROOT / "engine/build.py", tmp_path / "engine")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit, match=r"^bellwire: gcc is missing; install it with: sudo apt-get install gcc "):
        initialized(tmp_path)
