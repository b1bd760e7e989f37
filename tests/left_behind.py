"""Runs of every kind of machine, watched inside the kernel, one process of which is killed: nothing is left behind.

`python -m tests.left_behind COUNT SEED` kills so many, each at a random moment: the program itself, or one of those
that it has started: QEMU, the storage daemon, bw-kernel. It prints what there was, and what was still there later:
processes, files, programs of BPF (also of whoever else loads any meanwhile), instances of tracefs.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

SCENARIOS = ("roundtrip", "irq-ioapic", "qemu-virtio-blk", "qemu-vhost-user-blk", "qemu-ivshmem", "vhost-user-blk")
LONGEST = 3.0  # seconds from when it has started somebody to the kill, at most
PATIENCE = 120.0  # seconds until it has, and until all of it must have gone, on a busy machine
INSTANCES = Path("/sys/kernel/tracing/instances")
SESSION = 3  # in /proc/PID/stat, behind the name


@dataclass
class Kill:
    """One run and its end. began: names of the processes that there were; killed: which of them."""

    scenario: str
    began: list[str] = field(default_factory=list)
    killed: str = ""
    processes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing was left."""
        return not (self.processes or self.files)


def of_session(session: int) -> dict[int, str]:
    """The processes of a session that live, by pid: their names."""
    found = dict[int, str]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, behind = stat.read_text().rpartition(")")
        except OSError:  # it has ended
            continue
        words = behind.split()
        if int(words[SESSION]) == session and words[0] not in "ZX":
            found[int(before.split()[0])] = before.partition("(")[2]
    return found


def kill_one(scenario: str, dice: random.Random, options: tuple[str, ...] = ("--kernel",)) -> Kill:
    """Starts it, kills one of its processes, and the program after that if it goes on; what was left."""
    program = "from bellwire.viz.__main__ import main; main()"
    command = [sys.executable, "-c", program, "run", scenario, *options, "--signals", str(10**9)]
    done, quiet = Kill(scenario), subprocess.DEVNULL
    with tempfile.TemporaryDirectory(prefix="bellwire-") as folder:
        environment = {**os.environ, "TMPDIR": folder}
        with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment, start_new_session=True) as runs:
            until = time.monotonic() + PATIENCE
            while len(there := of_session(runs.pid)) < 2 and time.monotonic() < until:
                time.sleep(0.05)
            time.sleep(dice.uniform(0.0, LONGEST))
            there = of_session(runs.pid)
            victim = dice.choice(sorted(there, key=there.__getitem__))
            done.began, done.killed = sorted(there.values()), there[victim]
            for pid in dict.fromkeys((victim, runs.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:  # it went with the other one
                    continue
        until = time.monotonic() + PATIENCE
        while of_session(runs.pid) and time.monotonic() < until:
            time.sleep(0.05)
        done.processes, done.files = sorted(of_session(runs.pid).values()), sorted(os.listdir(folder))
    return done


def bpf_programs() -> set[int] | None:
    """The numbers of the programs that the kernel holds; None if nobody here can tell."""
    tool = shutil.which("bpftool") or shutil.which("bpftool", path="/usr/sbin")
    if tool is None or os.geteuid() != 0:
        return None
    listed = subprocess.run([tool, "-j", "prog", "list"], capture_output=True, text=True, check=True).stdout
    return {int(one["id"]) for one in json.loads(listed)}


def newer_programs(before: set[int] | None) -> set[int]:
    """Those programs of BPF that have come since then and stay."""
    until = time.monotonic() + PATIENCE
    while (left := (bpf_programs() or set()) - (before or set())) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def instances_left() -> list[str]:
    """Our instances of tracefs."""
    return sorted(path.name for path in INSTANCES.glob("bellwire-*")) if INSTANCES.is_dir() else []


def main(count: int, seed: int) -> int:
    """Kills and tells; 1 if anything was left behind."""
    dice, before, kills = random.Random(seed), bpf_programs(), list[Kill]()
    for number in range(count):
        kills.append(kill_one(SCENARIOS[number % len(SCENARIOS)], dice))
        print(f"{number + 1:4} {kills[-1]}", flush=True)
    names = sorted({name for one in kills for name in one.began})
    seen = ", ".join(f"{name} {sum(name in one.began for one in kills)}" for name in names)
    unclean, programs, instances = [one for one in kills if not one.clean], newer_programs(before), instances_left()
    of_bpf = "not known, for want of bpftool or of root" if before is None else len(programs)
    print(f"{count} kills; alive then: {seen}")
    print(f"{len(unclean)} left something; programs of BPF left: {of_bpf}; instances of tracefs: {len(instances)}")
    return int(bool(unclean or programs or instances))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
