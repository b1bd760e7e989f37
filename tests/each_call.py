"""Each system call of a run fails once: in what it opens, maps, asks of KVM, sends, waits for and starts.

`python -m tests.each_call [SCENARIO ...]` runs each scenario once to see which calls are made where, and then once more
for each of them, which fails: the first one made there, and the last one if there are more. Each run ends as a command
does, with a sentence if it failed, within SECONDS, and leaves no process, no thread, no file descriptor and no file.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.notified import CALLS, Asked, Site, ask_before, libc

SCENARIOS = (
    *("doorbell-pio", "roundtrip", "roundtrip-userspace", "irq-level-resample"),
    *("virtqueue", "vhost-user-blk", "vm-to-vm", "io-uring"),
)
SECONDS = 20.0  # that a run may take
ENDS = {0: "done", 1: "failed", 3: "no usable KVM"}  # exit codes
SIGNALS = 50
GRACE_SECONDS = 3.0  # in which what its parent has ended ends
PR_SET_PDEATHSIG = 1  # when this process ends, the child does
END = "/the command has ended"  # what the process tries to open then: what it calls later is the test's
NOT_OURS = re.compile(r"site-packages|/lib/python|/lib/x|ld\.so|0x5401 ")  # the interpreter's, and its isatty()


@dataclass
class Ran:
    """How a run ended: its exit code (None: it hung), its words, what it left behind; and which calls it made."""

    code: int | None = None
    said: str = ""
    left: str = ""
    made: Counter[Site] = field(default_factory=Counter)
    failed: bool = False  # the call that was to fail was made

    def wrong(self) -> str:
        """What should not be; "" if nothing is."""
        lines = self.said.splitlines()
        if self.code is None:
            return f"it did not end within {SECONDS:g} s"
        if self.code not in ENDS:
            return f"it ended with {self.code}"
        if "Traceback" in self.said or not all(line.startswith("bellwire: ") for line in lines):
            return "that is no sentence"
        if bool(self.code) > bool(lines):
            return "it failed without a word"
        return self.left


def a_run(scenario: str, fails: Site | None = None, number: int = 1) -> Ran:
    """Runs a scenario in a process of its own; the call that is made there for the `number`th time fails."""
    folder = Path(tempfile.mkdtemp(prefix="bellwire-call-"))
    try:
        pid = os.fork()
        if not pid:
            in_the_child(scenario, folder)
        ran = Ran()
        try:
            supervise(pid, ran, fails, number)
        finally:
            if outlived(pid) and ran.code is not None:
                ran.left += " a process"
        with contextlib.suppress(OSError):
            ran.said = (folder / "said").read_text(errors="replace")
            ran.left = f"{(folder / 'left').read_text()}{ran.left}".strip()
        files = [str(path.relative_to(folder / "tmp")) for path in (folder / "tmp").rglob("*")]
        ran.left = f"{ran.left} {' '.join(files)}".strip()
        return ran
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_the_child(scenario: str, folder: Path) -> None:
    """What the process that asks does, to its end. It does not return."""
    code = 99
    try:
        os.setsid()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        (folder / "tmp").mkdir()
        os.chdir(folder / "tmp")
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder / "tmp")
        for name, fd in (("out", 1), ("said", 2)):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), fd)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        from bellwire.viz.cli.app import main
        from tests.support.leaks import belongings, left_behind

        before = belongings()
        before.fds[ask_before()] = "anon_inode:seccomp notify"
        code = main(["run", scenario, "--signals", str(SIGNALS), "--json"])
        with contextlib.suppress(OSError):
            os.open(END, os.O_RDONLY)
        if left := left_behind(before):
            (folder / "left").write_text(", ".join(left))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def supervise(pid: int, ran: Ran, fails: Site | None, number: int) -> None:
    """Answers a child until it ends."""
    until = time.monotonic() + SECONDS
    asked = Asked.of(pid)
    if asked is None:
        raise OSError(errno.ENOSYS, "no system call can be asked for here")
    over = False
    with asked:
        while time.monotonic() < until:
            question = asked.question(0.02)
            if question is None:
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    ran.code = os.waitstatus_to_exitcode(status)
                    return
                continue
            token, site = question
            over |= site.about == END
            ran.made[site] += not over
            now = not over and site == fails and ran.made[site] == number
            ran.failed |= now
            asked.answer(token, CALLS[site.call][1] if now else 0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def outlived(pid: int) -> bool:
    """Whether something of a process's group is still there a moment after its end; it is ended then."""
    until = time.monotonic() + GRACE_SECONDS
    try:
        while time.monotonic() < until:
            os.killpg(pid, 0)
            time.sleep(0.01)
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def failures_of(scenario: str, only: str = "") -> Iterator[tuple[str, Ran]]:
    """(which call failed, how the run ended) for each call; only: of calls whose site matches."""
    made = a_run(scenario)
    if made.code != 0 or made.wrong():
        raise RuntimeError(f"{scenario} ends with {made.code}: {made.wrong()} {made.said}")
    for site, count in sorted(made.made.items(), key=str):
        if not count or NOT_OURS.search(str(site)) or not re.search(only, str(site)):
            continue
        for number in sorted({1, count}):
            ran = a_run(scenario, site, number)
            yield f"{scenario}: {site}, time {number} of {count}", ran


def load_first() -> None:
    """What each child would load by itself, by a run that is not looked at."""
    from bellwire.viz.cli.app import main as bellwire

    with contextlib.redirect_stdout(io.StringIO()):
        bellwire(["run", "roundtrip", "--signals", "3", "--json"])


def main(scenarios: list[str]) -> int:
    """Says how each call's failure ended; 1 if one did otherwise than it should."""
    load_first()
    ended: Counter[str] = Counter()
    for scenario in scenarios or SCENARIOS:
        for what, ran in failures_of(scenario):
            wrong = ran.wrong()
            ended[f"{'wrong' if wrong else ENDS[ran.code or 0] if ran.failed else 'not made again'}"] += 1
            if wrong:
                print(f"{what}: {wrong}, {ran.code}\n    {' '.join(ran.said[-700:].split())}", flush=True)
        print(f"{scenario}: so far {dict(ended)}", flush=True)
    return min(ended["wrong"], 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
