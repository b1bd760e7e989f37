"""The programs that are shown: in C and Python they are run, in Rust looked at.

All C programs are compiled as one: each is included as it is, between #defines that keep its functions apart. That
hides a missing #include of theirs, so one of each class of call is also looked at alone.
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.engine.calls.call import Call
from bellwire.engine.calls.guest import Write
from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.program import LANGUAGES, program_of
from bellwire.engine.events import Switch
from bellwire.engine.kvm.partners.storage_daemon import PROGRAM, daemon_refusal, unnamed_image
from bellwire.engine.kvm.uring import uring_refusal
from bellwire.engine.machines.vhost_kernel import VhostNetGuest, VhostVsockGuest
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

WIRINGS = [None, *({Switch.IOEVENTFD: on, Switch.IRQFD: on} for on in (False, True))]
FLAGS = ["-Wall", "-Wextra", "-Werror", "-O0"]
APART = ("main", "check", "map", "start_16_bit", "start_64_bit", "ask", "vhost_user_msg")


def texts(language: str) -> dict[str, str]:
    """Every different program of every call of every scenario, by its own name: "roundtrip ioeventfd"."""
    found: dict[str, str] = {}
    for scenario in list_scenarios():
        if Trait.IO_URING in traits_of(scenario) and uring_refusal():
            continue
        for wiring in WIRINGS:
            for call in calls_of(scenario, wiring):
                found.setdefault(program_of(call, language).text, f"{scenario.name} {call.name} {call.state}")
    return {name: text for text, name in found.items()}


def needs_partner(text: str) -> bool:
    """Whether a program talks with another process."""
    return "back_end" in text or "StorageDaemon" in text


def cannot_run(text: str, socket: bool) -> bool:
    """Whether this host lacks what a program talks with: a back end, the kernel's own one, a tap device."""
    if any(word in text for word in ("vhost-net", "VhostNet", "/dev/net/tun", "TapNetwork")):
        return bool(VhostNetGuest.refusal())
    if any(word in text for word in ("vhost-vsock", "VhostVsock")):
        return bool(VhostVsockGuest.refusal())
    return needs_partner(text) and not socket


@pytest.fixture(scope="module")
def c_programs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """All of them in one, which takes a number and the arguments of that program."""
    folder, programs = tmp_path_factory.mktemp("programs"), texts("c")
    parts = ["#define _GNU_SOURCE", "#include <stdlib.h>"]
    for n, text in enumerate(programs.values()):
        (folder / f"{n}.c").write_text(text.replace("#define _GNU_SOURCE\n", ""))
        parts += [f"#define {name} {name}_{n}" for name in APART]
        parts += [f'#include "{n}.c"', *(f"#undef {name}" for name in APART)]
    cases = [
        f"    case {n}: return main_{n}({'argc - 1, argv + 1' if 'argv' in text else ''});"
        for n, text in enumerate(programs.values())
    ]
    parts += ["int main(int argc, char **argv)", "{", "    switch (argc > 1 ? atoi(argv[1]) : -1) {", *cases, "    }"]
    (folder / "all.c").write_text("\n".join([*parts, "    return 3;", "}", ""]))
    subprocess.run(["gcc", *FLAGS, folder / "all.c", "-o", folder / "all"], check=True)
    return folder / "all", programs


@contextlib.contextmanager
def back_end(folder: Path) -> Iterator[str]:
    """The socket of a real one; "" where there is none."""
    if daemon_refusal():
        yield ""
        return
    path, made = folder / "socket", folder / "pid"
    with unnamed_image(1 << 16) as image:
        fd = image.fileno()
        command = [PROGRAM, "--blockdev", f"driver=file,node-name=disk,filename=/proc/self/fd/{fd}"]
        command += ["--export", f"vhost-user-blk,id=e,node-name=disk,writable=on,addr.type=unix,addr.path={path}"]
        with subprocess.Popen([*command, "--pidfile", made], pass_fds=[fd]) as daemon:
            while daemon.poll() is None and not made.exists():
                pass
            yield str(path)
            daemon.terminate()


@pytest.mark.kvm
def test_every_c_program_does_what_it_says(c_programs: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    binary, programs = c_programs
    failed = {}
    with back_end(tmp_path) as socket:
        for n, (name, text) in enumerate(programs.items()):
            if cannot_run(text, bool(socket)):
                continue
            arguments = [socket] if needs_partner(text) else []
            done = subprocess.run(
                [binary, str(n), *arguments], capture_output=True, text=True, timeout=240, check=False
            )
            if done.returncode:
                failed[name] = (done.returncode, done.stderr)
    assert len(programs) > 100
    assert not failed


def test_a_c_program_includes_all_that_it_uses(tmp_path: Path) -> None:
    """One of each class of call, the longest."""
    longest: dict[type[Call], str] = {}
    for scenario in list_scenarios():
        for call in calls_of(scenario):
            longest[type(call)] = max(longest.get(type(call), ""), program_of(call, "c").text, key=len)
    files = [tmp_path / f"{kind.__name__}.c" for kind in longest]
    for file, text in zip(files, longest.values(), strict=True):
        file.write_text(text)
    subprocess.run(["gcc", *FLAGS, "-fsyntax-only", *files], check=True)


@pytest.mark.kvm
def test_every_python_program_does_what_it_says() -> None:
    for name, text in texts("python").items():
        if cannot_run(text, not daemon_refusal()):
            continue
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, name, "exec"), {})


# -- what some of them say ---------------------------------------------------------------------------------------------


def output(scenario: str, part: str, language: str, tmp_path: Path, wiring: dict[Switch, bool] | None = None) -> str:
    """What a program prints."""
    text = program_of(call_named(scenario, part, wiring), language).text
    if language == "python":
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, part, "exec"), {})
        return out.getvalue()
    source = tmp_path / "program.c"
    source.write_text(text)
    subprocess.run(["gcc", *FLAGS, source, "-o", tmp_path / "program"], check=True)
    return subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=True).stdout


def call_named(scenario: str, part: str, wiring: dict[Switch, bool] | None = None) -> Call:
    return next(call for call in calls_of(load_scenario(scenario), wiring) if call.name == part)


OFF = {Switch.IOEVENTFD: False, Switch.IRQFD: False}


@pytest.mark.kvm
@pytest.mark.parametrize("scenario", ["roundtrip", "doorbell-mmio-8"])
def test_a_ring_is_counted_once_whichever_way_it_goes(scenario: str, tmp_path: Path) -> None:
    for wiring, reason in ((None, 5), (OFF, 2 if scenario == "roundtrip" else 6)):  # KVM_EXIT_HLT, _IO, _MMIO
        said = output(scenario, "read", "c", tmp_path, wiring)
        assert f"exit reason {reason}\n" in said
        assert "doorbell: count 1\n" in said
        assert output(scenario, "read", "python", tmp_path, wiring).splitlines()[-1] == "1"


@pytest.mark.kvm
def test_a_line_says_whether_an_interrupt_came_of_it(tmp_path: Path) -> None:
    """The pin is masked until a guest programs it: -1."""
    assert output("irq-line", "irq-line-high", "c", tmp_path) == "status -1\n"
    assert output("irq-line", "irq-line-high", "python", tmp_path) == "-1\n"


def test_instructions_are_what_the_assembler_makes_of_them(tmp_path: Path) -> None:
    for write in (Write("pio", 0x510, 1, 7), Write("pio", 0x510, 2, 7), Write("pio", 0x510, 4, 7)):
        assert assembled(write, ".code16", tmp_path) == write.code_16_bit
    widths = [Write("mmio", 0xD0000000, width, 7) for width in (1, 2, 4, 8)]
    for write in widths:
        assert len(write.code_64_bit) == len(assembled(write, ".code64", tmp_path))
        assert write.code_64_bit[-2:] == assembled(write, ".code64", tmp_path)[-2:]


def assembled(write: Write, mode: str, tmp_path: Path) -> bytes:
    """By GNU as. In 64-bit mode registers are loaded whole."""
    load = f"movabs ${write.value}, %rax" if mode == ".code64" else ""
    a = {1: "al", 2: "ax", 4: "eax", 8: "rax"}[write.width]
    if write.bus == "pio":
        lines = f"mov ${write.address}, %dx\n{load or f'mov ${write.value}, %{a}'}\nout %{a}, %dx\n"
    else:
        lines = f"mov ${write.address}, %edi\n{load}\nmov %{a}, (%rdi)\n"
    source, made, flat = (tmp_path / f"write.{end}" for end in ("s", "o", "bin"))
    source.write_text(f"{mode}\n{lines}")
    subprocess.run(["as", source, "-o", made], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", made, flat], check=True)
    return flat.read_bytes()


def test_the_lines_of_the_call_are_marked_in_each_language() -> None:
    for language in LANGUAGES:
        made = program_of(call_named("roundtrip", "irqfd"), language)
        lines = made.text.splitlines()[made.first : made.last + 1]
        assert any("irqfd" in line.lower() for line in lines)
        assert not any("eventfd(0" in line or "Eventfd()" in line or "EventFd::new" in line for line in lines)


# Methods of kvm-ioctls 0.24 (VmFd, VcpuFd, Kvm) that the programs call; vmm-sys-util's EventFd; vhost's back end.
KVM_IOCTLS = {
    *("new", "create_vm", "create_irq_chip", "enable_cap", "set_user_memory_region", "create_vcpu", "set_gsi_routing"),
    *("register_ioevent", "unregister_ioevent", "register_irqfd", "register_irqfd_with_resample", "unregister_irqfd"),
    *("register_coalesced_mmio", "map_coalesced_mmio_ring", "coalesced_mmio_read", "set_irq_line", "signal_msi"),
    *("unregister_coalesced_mmio", "get_irqchip", "set_irqchip"),
    *("get_supported_cpuid", "set_cpuid2", "get_sregs", "set_sregs", "set_regs", "run"),
}


def test_rust_programs_have_the_shape_of_some() -> None:
    """No more than that: brackets are closed, and what is called on a VM or a vCPU is in kvm-ioctls."""
    for name, text in texts("rust").items():
        for opened, closed in ("{}", "()", "[]"):
            assert text.count(opened) == text.count(closed), name
        called = set(re.findall(r"\b(?:vm|vcpu|kvm)(?:_[ab])?\.(\w+)\(", text))
        assert called <= KVM_IOCTLS, name
        assert text.count("fn main()") == 1
        assert "    Ok(())\n}\n" in text
