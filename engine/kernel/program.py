"""bw-kernel: the small program in C that sees into the kernel, so that this one needs no privileges for it.

It is built where clang and libbpf are (engine/build.py). Root can run it; anybody else can once it has been given two
capabilities, which no file system mounted nosuid honours. It shows processes of its caller's user alone.

bw-tracefs tells the same of tracepoints, for root and by tracefs: where bw-kernel was not built, or BPF is refused.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.events import ProbesLack
from bellwire.engine.language import tr, tr_later

PROGRAM = Path(__file__).with_name("bw-kernel")
TRACEFS_PROGRAM = Path(__file__).with_name("tracefs") / "bw-tracefs"
PATIENCE_SECONDS = 30.0  # for an answer, on a machine that has much else to do

NOT_BUILT = tr_later("bw-kernel was not built: sudo apt-get install clang libbpf-dev, then build bellwire again.")
REASONS = {  # by the code that it writes (engine/kernel/failure.h)
    "no-btf": tr_later(
        "This kernel does not describe its own types (/sys/kernel/btf/vmlinux), so nothing can be read in it; "
        "one that was built with CONFIG_DEBUG_INFO_BTF does."
    ),
    "clocksource": tr_later(
        "The kernel's clock is not the TSC, so times in the kernel cannot be told by the clock of all other events."
    ),
    "lockdown": tr_later("This kernel is locked down to confidentiality, so nobody can look into it."),
    "no-kvm": tr_later("KVM has no tracepoints here: its module is not loaded."),
    "no-process": tr_later("There is no such process any more."),
    "not-yours": tr_later("The process has another user or more rights than you have: only root sees into it."),
    "no-tracefs": tr_later("This kernel has no tracefs, or it cannot be mounted here."),
    "not-root": tr_later("Only root can use tracefs."),
    "trace-clock": tr_later(
        "This kernel does not trace by the TSC, so times in it cannot be told by the clock of all other events."
    ),
    "page": tr_later("This kernel's tracefs writes its ring buffers in another way than is known here."),
    "usage": tr_later("{program} is of another version: build bellwire again."),
}


class KernelSightError(EngineError):
    """The kernel cannot be looked into, here or by this user; the text says why, and how to mend it."""


def grant_line(program: Path = PROGRAM) -> str:
    """The command that gives everybody who can run bellwire a look at processes of their own."""
    return f"sudo setcap cap_bpf,cap_perfmon=ep {shlex.quote(str(program))}"


def sight_remedy(program: Path = PROGRAM) -> str:
    """What lets this user look into the kernel."""
    if os.geteuid() == 0:
        return tr("even root may not, so a container forbids it; give it the capabilities BPF and PERFMON")
    if os.statvfs(program).f_flag & os.ST_NOSUID:
        return tr("its file system is mounted nosuid, so that it can be given no capabilities: run bellwire as root")
    return grant_line(program)


def reason_of(line: str, program: Path = PROGRAM) -> KernelSightError:
    """The sentence for what it wrote on stderr: a code, the system's error, and what that is about."""
    code, _, rest = line.strip().partition(" ")
    error, _, about = rest.partition(" ")
    if code in REASONS:
        return KernelSightError(tr(REASONS[code], program=program.name))
    if code in ("permission", "setuid"):
        return KernelSightError(
            tr("{program} may not look into the kernel: {remedy}", program=program.name, remedy=sight_remedy(program))
        )
    if code == "refused" and error.isdigit():
        return KernelSightError(
            tr("The kernel refused to be looked into ({step}: {error}).", step=about, error=os.strerror(int(error)))
        )
    return KernelSightError(
        tr("{program} failed: {words}", program=program.name, words=line.strip() or tr("it said nothing"))
    )


def no_answer(program: Path, seconds: float) -> str:
    """The sentence for one that says nothing."""
    return tr("{program} did not answer within {seconds:.0f} s.", program=program.name, seconds=seconds)


def start_program(*arguments: str, program: Path = PROGRAM, passed: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    """Starts it with pipes to all that it says and is told; passed: descriptors that it gets. KernelSightError.

    In a process group of its own: a terminal's Ctrl-C is for this program, which ends it once it has taken the rest.
    """
    if not program.exists():
        raise KernelSightError(tr(NOT_BUILT))
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            [program, *arguments],
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            pass_fds=passed,
            env={},
            cwd="/",
            process_group=0,
        )
    except OSError as error:
        raise KernelSightError(
            tr("{program} cannot be run: {what}.", program=program.name, what=answer_of(error))
        ) from error


def why_ended(process: subprocess.Popen[bytes], program: Path = PROGRAM) -> KernelSightError:
    """The sentence for its end, which nobody here had asked for; waits for it."""
    code = process.wait()
    assert process.stderr is not None
    said = process.stderr.read().decode(errors="replace")
    if code < 0 and not said:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return KernelSightError(tr("{program} was ended by {signal}.", program=program.name, signal=name))
    return reason_of(said, program)


def ask(*arguments: str, program: Path = PROGRAM) -> list[str]:
    """What it answers, as lines, once it has ended. KernelSightError: one sentence with what to do."""
    if not program.exists():
        raise KernelSightError(tr(NOT_BUILT))
    try:
        ran = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except OSError as error:
        raise KernelSightError(
            tr("{program} cannot be run: {what}.", program=program.name, what=answer_of(error))
        ) from error
    except subprocess.TimeoutExpired as error:
        raise KernelSightError(no_answer(program, PATIENCE_SECONDS)) from error
    if ran.returncode:
        raise reason_of(ran.stderr, program)
    return ran.stdout.splitlines()


def known_tracepoints(program: Path = PROGRAM) -> dict[str, bool]:
    """Which tracepoints are listened to, and whether this kernel has each. KernelSightError if it cannot be seen into.

    Asks for all that takes a privilege: who gets an answer can see into the kernel.
    """
    return there("tracepoint", ask("check", program=program))


def there(what: str, answers: Iterable[str]) -> dict[str, bool]:
    """Which tracepoints, or functions, this kernel has, out of what the program has answered."""
    words = (line.split() for line in answers)
    return {word[1]: word[2] == "yes" for word in words if len(word) == 3 and word[0] == what}


def known_functions(program: Path = PROGRAM) -> dict[str, bool]:
    """Which functions of the kernel are probed, and whether each can be. KernelSightError: none of them, and why."""
    answers = ask("check", program=program)
    found = there("function", answers)
    if "functions refused" in answers:
        raise KernelSightError(no_probes(ProbesLack.PERMISSION))
    if not any(found.values()):
        raise KernelSightError(no_probes(ProbesLack.FUNCTIONS if found else ProbesLack.SUPPORT))
    return found


NO_PROBES = {
    ProbesLack.SUPPORT: tr_later(
        "no kprobes: this kernel was built without CONFIG_KPROBES, so only its tracepoints tell of its inside"
    ),
    ProbesLack.PERMISSION: tr_later("no kprobes: the kernel refuses them, so only its tracepoints tell of its inside"),
    ProbesLack.FUNCTIONS: tr_later(
        "no kprobes: this kernel has none of the functions by its name, so only its tracepoints tell of its inside"
    ),
}


def no_probes(lack: ProbesLack) -> str:
    """Why no function of the kernel is probed, as a clause; "" if nothing is in the way."""
    return tr(NO_PROBES[lack]) if lack in NO_PROBES else ""
