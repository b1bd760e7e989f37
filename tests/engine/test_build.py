"""The build: images that a guest can be started from, a core that exports nothing else, errors that say what to do."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from bellwire.engine import build

SOURCES = sorted(build.GUESTS.glob("*.c"))
IMAGES = sorted(image for source in SOURCES for image, _ in build.variants(source))
ABI = dict(re.findall(r"^#define (\w+) (0x[0-9a-f]+|\d+)$", (build.GUESTS / "abi.h").read_text(), re.MULTILINE))


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_an_image_is_flat_and_fits(image: Path) -> None:
    content = image.read_bytes()
    assert content[:4] != b"\x7fELF"
    assert 64 < len(content) <= int(ABI["BW_IMAGE_MAX"], 16)
    assert any(content[:16]), "the first bytes are the entry's code"


def test_the_linker_puts_images_where_the_abi_says(tmp_path: Path) -> None:
    linked = [flag for flag in build.GUEST_LINK_FLAGS if "oformat" not in flag]  # as a file that has symbols
    program = tmp_path / "guest"
    build.gcc(build.GUESTS / "start.S", SOURCES[0], "-o", program, *build.GUEST_FLAGS, *linked)
    listing = subprocess.run(["nm", program], capture_output=True, text=True, check=True).stdout
    assert {name: int(place, 16) for place, _, name in map(str.split, listing.splitlines())}["start"] == int(
        ABI["BW_IMAGE"], 16
    )


def test_every_source_has_its_image_and_no_image_is_left_over() -> None:
    assert sorted(build.GUESTS.glob("*.bin")) == IMAGES
    assert len(IMAGES) >= len(SOURCES) > 0


def test_the_same_source_gives_the_same_image(tmp_path: Path) -> None:
    for name in ("first.bin", "second.bin"):
        assert build.build_guest(SOURCES[0], tmp_path / name, [])
    assert (tmp_path / "first.bin").read_bytes() == (tmp_path / "second.bin").read_bytes()


def test_the_same_core_gives_the_same_library(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        assert build.build_core(tmp_path / name / "_core.so")
    assert (tmp_path / "first/_core.so").read_bytes() == (tmp_path / "second/_core.so").read_bytes()


def test_what_is_up_to_date_is_left_alone() -> None:
    build.build()
    assert build.build() == []


def test_a_newer_or_a_missing_input_is_noticed(tmp_path: Path) -> None:
    source, output = tmp_path / "in", tmp_path / "out"
    source.touch()
    assert not build.up_to_date(output, [source])
    output.touch()
    assert build.up_to_date(output, [])
    later = output.stat().st_mtime_ns + 1
    os.utime(source, ns=(later, later))
    assert not build.up_to_date(output, [source])


def test_variants_come_from_the_source(tmp_path: Path) -> None:
    source = tmp_path / "knock.c"
    source.write_text("// variants: bare=-DBARE; loud=-DLOUD=2 -O1\nint x;\n")
    assert list(build.variants(source)) == [
        (tmp_path / "knock.bin", []),
        (tmp_path / "knock-bare.bin", ["-DBARE"]),
        (tmp_path / "knock-loud.bin", ["-DLOUD=2", "-O1"]),
    ]
    source.write_text("// variants: bare\n")
    with pytest.raises(build.BuildError, match="name=flags, found 'bare'"):
        list(build.variants(source))


def test_a_header_becomes_declarations() -> None:
    header = (
        '#pragma once\n#include "abi.h"\n#ifndef X_H\n#define X_H\n#define A 0x10 /* ten */\n# define B (A + \\\n1)\n'
    )
    assert build.declarations(f"{header}int f(int);\n#endif\n") == "#define A ...\n#define B ...\nint f(int);\n"


def test_the_core_exports_its_entry_and_nothing_else() -> None:
    listing = subprocess.run(
        ["nm", "-D", "--defined-only", build.EXTENSION], capture_output=True, text=True, check=True
    )
    symbols = {line.split()[-1] for line in listing.stdout.splitlines()}
    assert symbols == {"PyInit__core"}


def test_the_core_says_what_the_headers_say() -> None:
    from bellwire.engine._core import lib

    assert {name: getattr(lib, name) for name in ABI} == {name: int(value, 0) for name, value in ABI.items()}


def test_a_missing_compiler_is_one_sentence_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(build.BuildError, match=r"^gcc is missing; install it with: sudo apt-get install gcc "):
        build.require_toolchain()


def test_a_missing_header_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "python_includes", list)
    monkeypatch.setenv("C_INCLUDE_PATH", "")
    with pytest.raises(build.BuildError, match=r"^The header Python.h is missing; install it with: sudo apt-get "):
        build.require_toolchain()


def test_a_warning_in_the_c_code_stops_the_build(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "careless.c"
    source.write_text("int f(int unused) { return 0; }\n")
    with pytest.raises(build.BuildError, match=r"^gcc failed; the command was: gcc "):
        build.gcc("-c", source, "-o", tmp_path / "careless.o", *build.WARNINGS)
    assert "unused parameter" in capfd.readouterr().err


def test_without_clang_the_build_says_what_will_not_be_seen_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "why_no_kernel_program", lambda: "clang is missing")
    assert build.build_kernel_program(tmp_path / "bw-kernel") == []
    assert capsys.readouterr().out == (
        "bellwire: Only root will see the inside of the kernel: clang is missing; "
        "install it with: sudo apt-get install clang libbpf-dev\n"
    )


def test_a_program_that_comes_out_the_same_stays_with_its_capabilities(tmp_path: Path) -> None:
    if lacks := build.why_no_kernel_program():
        pytest.skip(f"bw-kernel cannot be built here: {lacks}")
    made = tmp_path / "bw-kernel"
    assert build.build_kernel_program(made) == [made]
    before = made.stat().st_ino
    os.utime(made, ns=(0, 0))
    assert build.build_kernel_program(made) == []
    assert made.stat().st_ino == before
    assert os.access(made, os.X_OK)
    assert build.up_to_date(made, build.KERNEL.glob("*.[ch]"))
