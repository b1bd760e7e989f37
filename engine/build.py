"""Compiles the C core into bellwire.engine._core and guests/*.c into flat images, with gcc alone; and the programs that
see into the kernel: engine/kernel/bw-kernel with clang, where it is there, engine/kernel/tracefs/bw-tracefs without.

    python -P engine/build.py                                          what is out of date, in place
    python -P engine/build.py --sanitize address,undefined --out DIR   tests/c/*.c with the core, as programs in DIR

cffi parses core/core.h, guests/abi.h and core/kvm.cdef themselves, so that no declaration is written twice.
assets/languages/*.po are packed, as gettext reads them. The build needs nothing but the standard library, cffi and
Babel, and is run by its path: before it has run, there is no package
bellwire to be part of. That is build/package/bellwire, whose folders are links to those of the tree, so that what is
installed and what is edited have the same names.

A guest that has a line `// variants: bare=-DBARE` is compiled again with those flags, into <guest>-bare.bin.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "engine" / "core"
GUESTS = ROOT / "guests"
LANGUAGES = ROOT / "assets" / "languages"
KERNEL = ROOT / "engine" / "kernel"
C_TESTS = ROOT / "tests" / "c"
PACKAGE = ROOT / "build" / "package" / "bellwire"  # hatch's dev-mode-dirs names the folder that it is in
ROOMS = ("engine", "viz", "guests", "assets")  # of the tree, and of the package
EXTENSION = ROOT / "engine" / "_core.abi3.so"  # cffi keeps to the limited API: one file for every Python
KERNEL_PROGRAM = KERNEL / "bw-kernel"
TRACEFS = KERNEL / "tracefs"
TRACEFS_PROGRAM = TRACEFS / "bw-tracefs"
IN_BOTH = ("caller.c", "guard.c", "main.c", "shared.c", "tracepoints.c")  # of bw-kernel's own

KERNEL_APT_LINE = "sudo apt-get install clang libbpf-dev"
APT_LINE = "sudo apt-get install gcc libc6-dev linux-libc-dev python3-dev"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
HOST_FLAGS = [
    *("-std=gnu11", "-O2", "-pthread", "-fPIC", "-fvisibility=hidden", f"-ffile-prefix-map={ROOT}=."),
    *(f"-I{CORE}", f"-I{GUESTS}"),
]
# No SSE and no red zone: interrupts arrive anywhere, and some KVM backends emulate the guest's instructions. A NOP that
# aligns a loop is an instruction like any other there.
GUEST_FLAGS = [
    *("-m64", "-std=gnu11", "-O2", "-ffreestanding", "-fno-pic", "-fno-pie", "-mcmodel=small", "-mno-red-zone"),
    *("-mgeneral-regs-only", "-fcf-protection=none", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"),
    *("-fno-align-loops", "-fno-align-jumps", "-fno-align-labels"),
    *(f"-ffile-prefix-map={ROOT}=.", "-Wa,--noexecstack", f"-I{GUESTS}"),
]
GUEST_LINK_FLAGS = [
    *("-static", "-no-pie", "-nostdlib", "-nostartfiles", f"-Wl,-T,{GUESTS / 'guest.ld'}"),
    *("-Wl,--build-id=none", "-Wl,-z,max-page-size=4096", "-Wl,--oformat=binary"),
]
ROM_LINK_FLAGS = [
    *("-static", "-no-pie", "-nostdlib", "-nostartfiles", "-Wl,-Ttext=0", "-Wl,--entry=0", "-Wl,--build-id=none"),
    "-Wl,--oformat=binary",
]
# Of the program that sees into the kernel: it may be given capabilities, so it is hardened; of what it loads: -g makes
# the types that libbpf reads, and debugging information that stays in the object.
KERNEL_FLAGS = [
    *(
        "-std=gnu11",
        "-O2",
        "-fPIE",
        "-pie",
        "-fstack-protector-strong",
        "-D_FORTIFY_SOURCE=2",
        "-Wl,-z,relro,-z,now",
        "-s",
    ),
    *(f"-ffile-prefix-map={ROOT}=.", f"-I{KERNEL}"),
]
BPF_FLAGS = ["-target", "bpf", "-O2", "-g", "-fdebug-compilation-dir=.", f"-ffile-prefix-map={ROOT}=."]


class BuildError(Exception):
    """The build cannot go on; the text is one sentence with what to do."""


def gcc(*arguments: str | Path) -> None:
    """Runs gcc; BuildError if it fails. Its own messages go to stderr as they are."""
    command = ["gcc", *map(str, arguments)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise BuildError(f"gcc failed; the command was: {shlex.join(command)}")


def gcc_each(commands: Iterable[Sequence[str | Path]]) -> None:
    """Runs gcc with each of these, as many at once as there are CPUs; BuildError if one fails."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: gcc(*command), commands))


def require_toolchain() -> None:
    """BuildError with the line to type if the compiler or a header is missing."""
    if shutil.which("gcc") is None or shutil.which("ld") is None:
        raise BuildError(f"gcc is missing; install it with: {APT_LINE}")
    for header in ("pthread.h", "linux/kvm.h", "linux/vhost.h", "Python.h"):
        probe = ["gcc", "-E", "-x", "c", *python_includes(), "-include", header, "-o", os.devnull, os.devnull]
        if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
            raise BuildError(f"The header {header} is missing; install it with: {APT_LINE}")


def python_includes() -> list[str]:
    """-I flags for Python.h of the running interpreter."""
    return [f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")]


def up_to_date(output: Path, inputs: Iterable[Path]) -> bool:
    """Whether `output` exists and nothing that it was made from is newer."""
    if not output.exists():
        return False
    made = output.stat().st_mtime_ns
    return all(path.stat().st_mtime_ns < made for path in [*inputs, Path(__file__)])


def declarations(header: str) -> str:
    """What cffi can parse of a C header: no directives but `#define NAME ...`, whose value the compiler tells."""
    kept = []
    for line in header.replace("\\\n", " ").splitlines():
        constant = re.match(r"\s*#\s*define\s+(\w+)\s+([^/\s\"].*)", line)
        if constant:
            kept.append(f"#define {constant[1]} ...")
        elif not line.lstrip().startswith("#"):
            kept.append(line)
    return "\n".join(kept) + "\n"


def write_binding(target: Path) -> None:
    """Writes cffi's C source of the module bellwire.engine._core to `target`."""
    from cffi import FFI

    ffi = FFI()
    headers = [path for path in (GUESTS / "abi.h", CORE / "core.h") if path.exists()]
    for path in headers:
        ffi.cdef(declarations(path.read_text()))
    if (CORE / "kvm.cdef").exists():
        ffi.cdef((CORE / "kvm.cdef").read_text())
    includes = [f'#include "{path.name}"' for path in headers]
    ffi.set_source(
        "bellwire.engine._core", "\n".join(["#include <linux/kvm.h>", "#include <linux/vhost.h>", *includes])
    )
    with contextlib.redirect_stdout(io.StringIO()):  # it announces the temporary file
        ffi.emit_c_code(str(target))


def core_inputs() -> list[Path]:
    """Everything that the core is made from; the folder too, whose time tells that a file was removed."""
    return [CORE, *sorted(CORE.iterdir()), *sorted(GUESTS.glob("*.h"))]


def compile_core(scratch: Path, *flags: str, also: Iterable[Sequence[str | Path]] = ()) -> list[Path]:
    """Compiles core/*.c into objects in `scratch`, with every warning an error. Returns them.

    also: what else gcc is to do meanwhile.
    """
    objects = {source: scratch / f"{source.stem}.o" for source in sorted(CORE.glob("*.c"))}
    options = (*HOST_FLAGS, *WARNINGS, *flags)
    ours: list[list[str | Path]] = [["-c", source, "-o", made, *options] for source, made in objects.items()]
    gcc_each([*also, *ours])
    return list(objects.values())


def build_core(output: Path = EXTENSION) -> bool:
    """Builds bellwire.engine._core if it is out of date. Returns whether it was."""
    if up_to_date(output, core_inputs()):
        return False
    with tempfile.TemporaryDirectory(prefix="bellwire-") as name:
        scratch = Path(name)
        source, binding, library = scratch / "_core.c", scratch / "_core.o", scratch / output.name
        write_binding(source)
        flags = [*HOST_FLAGS, *python_includes(), f"-ffile-prefix-map={scratch}=."]
        # cffi's code, not ours, and as long as all of ours: without our warnings, and at the same time
        objects = compile_core(scratch, also=[("-c", source, "-o", binding, *flags)])
        gcc("-shared", binding, *objects, "-o", library, *HOST_FLAGS, "-Wl,--build-id=none")
        install(library, output)
    return True


def install(made: Path, output: Path, *, program: bool = False) -> None:
    """Puts a finished file in its place at once: who has the old one open or mapped keeps it."""
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    shutil.copyfile(made, beside)
    if program:
        beside.chmod(0o755)
    beside.replace(output)


def variants(source: Path) -> Iterator[tuple[Path, list[str]]]:
    """The images that a guest's source yields, each with its extra flags."""
    yield source.with_suffix(".bin"), []
    line = re.search(r"^//\s*variants:(.*)$", source.read_text(), re.MULTILINE)
    for variant in line[1].split(";") if line else []:
        name, equals, flags = variant.strip().partition("=")
        if not re.fullmatch(r"\w+", name) or not equals:
            raise BuildError(f"{source.name}: a variant is written name=flags, found '{variant.strip()}'.")
        yield source.with_name(f"{source.stem}-{name}.bin"), shlex.split(flags)


def build_guest(source: Path, output: Path, flags: list[str]) -> bool:
    """Builds one image if it is out of date. Returns whether it was."""
    start = GUESTS / "start.S"
    if up_to_date(output, [source, start, GUESTS / "guest.ld", *GUESTS.glob("*.h")]):
        return False
    with tempfile.TemporaryDirectory(prefix="bellwire-") as name:
        image = Path(name) / output.name
        gcc(start, source, "-o", image, *GUEST_FLAGS, *WARNINGS, *flags, *GUEST_LINK_FLAGS)
        install(image, output)
    return True


def build_guests() -> list[Path]:
    """Builds the images that are out of date and removes those whose source is gone. Returns what was built."""
    images = {image: (source, flags) for source in sorted(GUESTS.glob("*.c")) for image, flags in variants(source)}
    for orphan in set(GUESTS.glob("*.bin")) - set(images):
        orphan.unlink()
    return [image for image, (source, flags) in images.items() if build_guest(source, image, flags)]


def build_rom() -> list[Path]:
    """Builds the ROM that starts a guest in another VMM, if it is out of date. Returns what was built."""
    source, output = GUESTS / "reset.S", GUESTS / "reset.rom"
    if up_to_date(output, [source, *GUESTS.glob("*.h")]):
        return []
    with tempfile.TemporaryDirectory(prefix="bellwire-") as name:
        image = Path(name) / output.name
        gcc(source, "-o", image, *GUEST_FLAGS, *ROM_LINK_FLAGS)
        install(image, output)
    return [output]


def why_no_kernel_program() -> str:
    """What the program that sees into the kernel lacks to be built; "" if nothing. Nobody needs it to run a guest."""
    if shutil.which("clang") is None:
        return "clang is missing"
    for header in ("bpf/libbpf.h", "linux/bpf.h"):
        probe = ["gcc", "-E", "-x", "c", "-include", header, "-o", os.devnull, os.devnull]
        if subprocess.run(probe, capture_output=True, check=False).returncode != 0:
            return f"the header {header} is missing"
    return ""


def clang(*arguments: str | Path) -> None:
    """Runs clang; BuildError if it fails. Its own messages go to stderr as they are."""
    command = ["clang", *map(str, arguments)]
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise BuildError(f"clang failed; the command was: {shlex.join(command)}")


def multiarch() -> list[str]:
    """-I for the machine's own headers, which gcc knows of and clang, for BPF, does not."""
    told = subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
    return [f"-I/usr/include/{told}"] if told else []


def compile_bpf(scratch: Path) -> Path:
    """Compiles kernel/*.bpf.c, and writes the source that puts them into a program: objects.h says what it defines."""
    sources = sorted(KERNEL.glob("*.bpf.c"))
    lines = [".section .rodata"]
    for source in sources:
        name = source.name.removesuffix(".bpf.c")
        made = scratch / f"{name}.bpf.o"
        clang("-c", source, "-o", made, *BPF_FLAGS, *WARNINGS, *multiarch())
        lines += [f'{name}_name: .string "{name}"', ".balign 8", f'{name}_start: .incbin "{made.name}"', f"{name}_end:"]
    lines += ['.section .data.rel.ro, "aw"', ".balign 8", ".global embedded_objects", "embedded_objects:"]
    names = [source.name.removesuffix(".bpf.c") for source in sources]
    lines += [*(f".quad {name}_name, {name}_start, {name}_end" for name in names), ".quad 0, 0, 0"]
    embedding = scratch / "objects.S"
    embedding.write_text("\n".join([*lines, '.section .note.GNU-stack, "", @progbits', ""]))
    return embedding


def build_kernel_program(output: Path = KERNEL_PROGRAM) -> list[Path]:
    """Builds bw-kernel if it is out of date, or says in a line why it cannot be. Returns what was built.

    A file that is replaced loses the capabilities that it was given, so one that came out the same stays.
    """
    if up_to_date(output, sorted(KERNEL.glob("*.[ch]"))):
        return []
    if lacks := why_no_kernel_program():
        print(f"bellwire: Only root will see the inside of the kernel: {lacks}; install it with: {KERNEL_APT_LINE}")
        return []
    with tempfile.TemporaryDirectory(prefix="bellwire-") as name:
        scratch = Path(name)
        sources = sorted(path for path in KERNEL.glob("*.c") if not path.name.endswith(".bpf.c"))
        made = scratch / output.name
        embedding = compile_bpf(scratch)
        flags = [*KERNEL_FLAGS, *WARNINGS, f"-Wa,-I{scratch}", "-Wl,--build-id=none"]
        gcc(*sources, embedding, "-o", made, *flags, "-lbpf")
        if output.exists() and output.read_bytes() == made.read_bytes():
            output.touch()
            return []
        install(made, output, program=True)
    return [output]


def build_tracefs_program(output: Path = TRACEFS_PROGRAM) -> list[Path]:
    """Builds bw-tracefs, which needs no more than the core does, if it is out of date. Returns what was built."""
    sources = [*sorted(TRACEFS.glob("*.c")), *(KERNEL / name for name in IN_BOTH)]
    if up_to_date(output, [*sources, *KERNEL.glob("*.h"), *TRACEFS.glob("*.h")]):
        return []
    with tempfile.TemporaryDirectory(prefix="bellwire-") as name:
        made = Path(name) / output.name
        gcc(*sources, "-o", made, *KERNEL_FLAGS, *WARNINGS, "-Wl,--build-id=none")
        install(made, output, program=True)
    return [output]


def pack_language(source: Path) -> bool:
    """Packs a language's catalogue if it is out of date and says everything. Returns whether it was packed."""
    output = source.with_suffix(".mo")
    if up_to_date(output, [source]):
        return False
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalog = read_po(file, locale=source.stem)
    forms = [message.string if isinstance(message.string, tuple) else (message.string,) for message in catalog]
    if not all(map(all, forms)) or any(message.fuzzy for message in catalog):
        output.unlink(missing_ok=True)  # half a language helps nobody
        return False
    with tempfile.NamedTemporaryFile(prefix="bellwire-") as made:
        write_mo(made, catalog)
        made.flush()
        install(Path(made.name), output)
    return True


def pack_languages() -> list[Path]:
    """Packs the catalogues that are out of date and removes those whose source is gone. Returns what was packed."""
    sources = sorted(LANGUAGES.glob("*.po"))
    for orphan in set(LANGUAGES.glob("*.mo")) - {source.with_suffix(".mo") for source in sources}:
        orphan.unlink()
    return [source.with_suffix(".mo") for source in sources if pack_language(source)]


def link_package() -> None:
    """Makes the package of an editable install, unless it is there."""
    PACKAGE.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        link = PACKAGE / room
        if not link.is_symlink():
            with contextlib.suppress(FileExistsError):  # another build has just made it
                link.symlink_to(Path("../../..") / room, target_is_directory=True)


def build() -> list[Path]:
    """Brings everything that is made up to date, in place, and the package. Returns what was built."""
    require_toolchain()
    link_package()
    core = [EXTENSION] if build_core() else []
    return core + build_guests() + build_rom() + build_kernel_program() + build_tracefs_program() + pack_languages()


def build_c_tests(sanitizers: str, out: Path) -> list[Path]:
    """Compiles each tests/c/*.c with the core under gcc's -fsanitize=`sanitizers`. Returns the programs."""
    require_toolchain()
    out.mkdir(parents=True, exist_ok=True)
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"]
    with tempfile.TemporaryDirectory(prefix="bellwire-") as name:
        objects = compile_core(Path(name), *flags)
        programs = {source: out.resolve() / source.stem for source in sorted(C_TESTS.glob("*.c"))}
        options = (*HOST_FLAGS, f"-I{KERNEL}", *WARNINGS, *flags)
        gcc_each([(source, *objects, "-o", program, *options) for source, program in programs.items()])
    return list(programs.values())


def main() -> int:
    """The command line: see the top of this file. Exit code 0, or 1 with one sentence on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -P engine/build.py", description="Compiles the C core and the guests."
    )
    parser.add_argument("--sanitize", metavar="LIST", help="build tests/c/*.c with -fsanitize=LIST instead")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "c", help="where those programs go")
    options = parser.parse_args()
    try:
        made = build_c_tests(options.sanitize, options.out) if options.sanitize else build()
    except BuildError as error:
        print(f"bellwire: {error}", file=sys.stderr)
        return 1
    for path in made:
        print(f"built {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
