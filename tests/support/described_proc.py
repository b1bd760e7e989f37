"""A /proc in a folder, for machines that this one is not."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.host.host import BYTES

EVENTFD = "anon_inode:[eventfd]"


def describe_process(
    root: Path,
    pid: int,
    files: tuple[str, ...] | dict[int, int] = (),
    *,
    comm: str = "qemu-system-x86",
    arguments: tuple[str, ...] = ("/usr/bin/qemu-system-x86_64",),
    started: int = 5000,
    uid: int = 4_000_000,
    threads: tuple[str, ...] = (),
) -> Path:
    """A process below `root`. files: what its fds lead to, from 0 on; or fd -> the id of its eventfd."""
    folder = root / "proc" / str(pid)
    for name in ("fd", "fdinfo", "task"):
        (folder / name).mkdir(parents=True)
    eventfds = files if isinstance(files, dict) else {}
    targets = dict.fromkeys(files, EVENTFD) if isinstance(files, dict) else dict(enumerate(files))
    for fd, target in targets.items():
        (folder / "fd" / str(fd)).symlink_to(target)
        told = f"eventfd-count:                0\neventfd-id: {eventfds[fd]}\n" if fd in eventfds else ""
        (folder / "fdinfo" / str(fd)).write_text(f"pos:\t0\n{told}")
    for number, name in enumerate((comm, *threads)):
        (folder / "task" / str(pid + number)).mkdir()
        (folder / "task" / str(pid + number) / "comm").write_text(f"{name}\n", *BYTES)
    (folder / "comm").write_text(f"{comm}\n", *BYTES)
    (folder / "cmdline").write_bytes(b"".join(argument.encode(*BYTES) + b"\0" for argument in arguments))
    (folder / "status").write_text(f"Name:\t{comm}\nTgid:\t{pid}\nUid:\t{uid}\t0\t0\t0\n", *BYTES)
    (folder / "stat").write_text(f"{pid} (a ) name) S {' '.join(map(str, range(4, 22)))} {started} 23 24\n")
    return folder
