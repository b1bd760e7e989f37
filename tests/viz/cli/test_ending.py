"""Whatever goes wrong, a command ends by one sentence and an exit code that a shell expects; never by a traceback."""

from __future__ import annotations

import errno
import fcntl
import importlib
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer

from bellwire.viz.cli.app import main
from bellwire.viz.cli.ending import ENDING
from bellwire.viz.cli.options import app
from tests.support.forked import CLOSED, Forked

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "assets/recordings/roundtrip.arrow"
BROKEN_PIPE = 128 + signal.SIGPIPE

PRINTING = {  # what each command prints without a guest and without a window
    "help": "--help",
    "version": "--version",
    "list": "list",
    "list-json": "list --json",
    "lessons": "lessons",
    "lessons-json": "lessons --json",
    "lesson-check": "lesson round-trip --check",
    "handout": f"handout {ROOT}/tests/support/short.md --replay --no-pdf",
    "quiz": "quiz --seed 7 --replay",
    "run-help": "run --help",
    "replay-help": "replay --help",
    "bench-help": "bench --help",
    "call": "call roundtrip",
    "call-json": "call roundtrip --json",
    "call-part": "call roundtrip --part ioeventfd",
    "call-bytes": "call roundtrip --part ioeventfd --as bytes",
    "info": f"info {SHIPPED}",
    "info-json": f"info {SHIPPED} --json",
    "compare": f"compare {SHIPPED} {SHIPPED}",
    "compare-json": f"compare {SHIPPED} {SHIPPED} --json",
    "convert": f"convert {SHIPPED} converted.csv",
    "explain": f"explain {SHIPPED}",
    "export-html": f"export-html {SHIPPED} -o run.html --seconds 0.001 --force",
    "shot": f"shot {SHIPPED} -o shot.png --view numbers --force",
    "clip": f"clip {SHIPPED} -o clip.gif --seconds 0.2 --size 320x180 --no-captions --force",
    "shots-list": f"shots list {ROOT}/tests/support/shots.toml",
    "shots-list-json": f"shots list {ROOT}/tests/support/shots.toml --json",
    "slides": f"slides {ROOT}/tests/support/short.md --replay -o slides.pptx --force",
    "explain-json": f"explain {SHIPPED} --json",
    "desktop": "desktop --prefix nowhere",
    "attach-list": "attach --list",
    "attach-list-json": "attach --list --json",
    "complete": "complete 'bellwire r'",
}
WITH_GUEST = {
    "run": "run roundtrip --signals 20",
    "run-json": "run roundtrip --signals 20 --json",
    "record": "record roundtrip --signals 20",
    "doctor": "doctor",
    "doctor-json": "doctor --json",
}
COMMANDS = [
    *(pytest.param(words, id=name) for name, words in PRINTING.items()),
    *(pytest.param(words, id=name, marks=pytest.mark.kvm) for name, words in WITH_GUEST.items()),
]
BELLWIRE = f"{sys.executable} -P -m bellwire.viz"


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of bash, in a folder of its own."""
    where = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": where} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
        timeout=240,
    )


def is_one_sentence(text: str) -> bool:
    """What a mistake looks like, from outside."""
    return text.startswith("bellwire: ") and text.count("\n") == 1 and "Traceback" not in text


def test_every_command_is_tried() -> None:
    tried = {words.split()[0] for words in (*PRINTING.values(), *WITH_GUEST.values())}
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {name for name in commands if name != "open"} <= tried  # open prints nothing but by its window


CLOSED_OUTPUT = "bellwire: What was to be printed cannot be written: standard output is closed.\n"
FULL_OUTPUT = f"bellwire: What was to be printed cannot be written: {os.strerror(errno.ENOSPC)}.\n"


@contextmanager
def output(where: str) -> Iterator[int]:
    """A file descriptor that takes nothing: CLOSED, of a disk that is full, or of a pipe whose reader has gone."""
    if where == "closed":
        yield CLOSED
        return
    if where == "full":
        out = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, out = os.pipe()
        os.close(reading)
    try:
        yield out
    finally:
        os.close(out)


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(("where", "why"), [("closed", CLOSED_OUTPUT), ("full", FULL_OUTPUT)])
def test_an_output_that_takes_nothing_is_one_sentence(
    words: str, where: str, why: str, tmp_path: Path, forked: Forked
) -> None:
    with output(where) as out:
        ran = forked.command(shlex.split(words), tmp_path, out)
    assert (ran.returncode, ran.stderr) == (1, why)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_reader_that_has_gone_ends_it_as_it_ends_any_program(words: str, tmp_path: Path, forked: Forked) -> None:
    with output("gone") as out:
        ran = forked.command(shlex.split(words), tmp_path, out)
    assert (ran.returncode, ran.stderr) == (BROKEN_PIPE, "")


@pytest.mark.parametrize("words", ["list", pytest.param(WITH_GUEST["run-json"], marks=pytest.mark.kvm)])
def test_a_command_of_a_shell_ends_so_too(words: str, tmp_path: Path) -> None:
    """Where Python itself begins and ends. `true` reads nothing and is gone before anything is printed."""
    closed, full = (shell(f"{BELLWIRE} {words} {where}", tmp_path) for where in (">&-", ">/dev/full"))
    assert (closed.returncode, closed.stderr) == (1, CLOSED_OUTPUT)
    assert (full.returncode, full.stderr) == (1, FULL_OUTPUT)
    ran = shell(f"(read -r word; {BELLWIRE} {words}; echo $? >&3) 3>code < <(sleep 0.2; echo go) | true", tmp_path)
    assert (ran.stderr, (tmp_path / "code").read_text()) == ("", f"{BROKEN_PIPE}\n")


@pytest.mark.parametrize("form", ["csv", "arrow"])
@pytest.mark.parametrize(
    ("where", "code", "why"),
    [
        ("gone", BROKEN_PIPE, ""),
        ("closed", 1, "bellwire: /dev/stdout cannot be written: it is not open for writing.\n"),
        ("full", 1, f"bellwire: /dev/stdout cannot be written: {os.strerror(errno.ENOSPC)}.\n"),
    ],
)
def test_a_file_that_is_converted_to_the_output_is_printed(
    form: str, where: str, code: int, why: str, tmp_path: Path, forked: Forked
) -> None:
    with output(where) as out:
        ran = forked.command(["convert", str(SHIPPED), "/dev/stdout", "--to", form], tmp_path, out)
    assert (ran.returncode, ran.stderr) == (code, why)


def test_a_terminal_that_is_nobodys_is_no_fifo_without_a_reader(tmp_path: Path) -> None:
    ran = shell(f"setsid --wait {BELLWIRE} convert {SHIPPED} /dev/tty --to csv", tmp_path)
    why = os.strerror(errno.ENXIO)
    assert (ran.returncode, ran.stderr) == (1, f"bellwire: /dev/tty cannot be written: {why}.\n")


@pytest.mark.parametrize("words", ["list", "--help", "call roundtrip --json", "run nonsense"])
def test_without_the_other_streams_it_does_what_it_can(words: str, tmp_path: Path) -> None:
    usual = shell(f"{BELLWIRE} {words}", tmp_path)
    for where in ("<&-", "2>&-", "2>/dev/full", "<&- 2>&-"):
        ran = shell(f"{BELLWIRE} {words} {where}", tmp_path)
        assert (ran.returncode, ran.stdout) == (usual.returncode, usual.stdout), where


def test_with_no_stream_at_all_no_file_takes_their_place(tmp_path: Path) -> None:
    """A recording would get number 1, and what is printed with it."""
    converted = tmp_path / "run.csv"
    assert shell(f"{BELLWIRE} convert {SHIPPED} {tmp_path}/good.csv", tmp_path).returncode == 0
    assert shell(f"{BELLWIRE} convert {SHIPPED} {converted} <&- >&- 2>&-", tmp_path).returncode == 1
    assert converted.read_bytes() == (tmp_path / "good.csv").read_bytes()


def test_a_slow_reader_of_a_pipe_that_does_not_block_gets_everything(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETFL, os.O_NONBLOCK)
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    command = [sys.executable, "-P", "-m", "bellwire.viz", "list", "--json"]
    with subprocess.Popen(command, stdout=write_end, stderr=subprocess.PIPE) as run, os.fdopen(read_end) as answer:
        os.close(write_end)
        printed = answer.read()
        assert (run.communicate()[1], run.returncode) == (b"", 0)
    assert printed == shell(f"{BELLWIRE} list --json", tmp_path).stdout
    assert len(printed) > 4096


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"TERM": "dumb", "LC_ALL": "POSIX"},
        {"PYTHONUNBUFFERED": "1", "HOME": "/nonexistent", "XDG_CACHE_HOME": ""},
    ],
    ids=["C", "ascii", "strict", "dumb", "homeless"],
)
@pytest.mark.parametrize("words", ["list", "info {file}", "info {file} --json", "info none", "call roundtrip"])
def test_old_terminals_and_empty_environments(words: str, environment: dict[str, str], tmp_path: Path) -> None:
    ran = shell(f"{BELLWIRE} {words.format(file=SHIPPED)}", tmp_path, **environment)
    assert "Traceback" not in ran.stderr
    assert is_one_sentence(ran.stderr) if ran.returncode else (ran.stdout and not ran.stderr)


@pytest.mark.parametrize("words", [PRINTING[name] for name in ("list", "info", "convert", "shot", "handout", "clip")])
def test_in_a_folder_that_was_removed_it_does_what_it_can(words: str, tmp_path: Path) -> None:
    """Another terminal's: no name of a file that begins there leads anywhere."""
    ran = shell(f"mkdir gone; cd gone; rmdir ../gone; {BELLWIRE} {words}", tmp_path)
    assert is_one_sentence(ran.stderr) if ran.returncode else (ran.stdout and not ran.stderr)
    assert ran.returncode == int(words.split()[0] not in ("list", "info"))


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_closes_what_is_open(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []
    before = [signal.getsignal(ending) for ending in ENDING]

    def command(arguments: list[str]) -> int:
        try:
            signal.raise_signal(number)
            return 0
        finally:
            signal.raise_signal(number)  # a second one, while it closes, does not keep it from that
            closed.append(number)

    monkeypatch.setattr("bellwire.viz.cli.app.command_code", command)
    assert (main([]), closed) == (128 + number, [number])
    assert [signal.getsignal(ending) for ending in ENDING] == before


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_in_an_import_waits_for_its_end(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries in C end the process where one fails."""
    (tmp_path / f"heard_{number:d}.py").write_text(f"import signal\nsignal.raise_signal({number:d})\nWHOLE = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    whole: list[bool] = []

    def command(arguments: list[str]) -> int:
        whole.append(importlib.import_module(f"heard_{number:d}").WHOLE)
        while True:
            time.sleep(0.01)

    monkeypatch.setattr("bellwire.viz.cli.app.command_code", command)
    assert (main([]), whole) == (128 + number, [True])


def test_programs_read_the_same_whatever_the_locale(tmp_path: Path) -> None:
    line = f"{BELLWIRE} list --json"
    usual = shell(line, tmp_path).stdout
    assert not usual.isascii()
    assert json.loads(shell(line, tmp_path, PYTHONIOENCODING="ascii").stdout) == json.loads(usual)


STRANGE = os.fsdecode(b"\xff\xfe")  # a name that is not UTF-8


@pytest.mark.parametrize(
    "words",
    [
        "info '{name}.arrow'",
        "compare '{name}.arrow' '{name}.arrow'",
        "convert '{name}.arrow' '{name}.csv'",
        "convert '{name}.arrow' '{name}.parquet'",
        "convert '{name}.arrow' '{name}.hgrm'",
        "convert '{name}.arrow' '{name}2.arrow'",
        *(f"shot '{{name}}.arrow' -o '{{name}}{form}' --view numbers --sidecar" for form in (".png", ".svg", ".pdf")),
        *(f"clip '{{name}}.arrow' -o x{form} --seconds 0.1 --size 320x180" for form in (".gif", ".webm", ".apng")),
        "shot '{name}.arrow' -o x.png --view compare --with '{name}.arrow'",
        "export-html '{name}.arrow' -o '{name}.html' --seconds 0.001",
    ],
)
def test_a_name_that_is_no_text_is_a_name(words: str, tmp_path: Path, forked: Forked) -> None:
    (tmp_path / f"{STRANGE}.arrow").write_bytes(SHIPPED.read_bytes())
    ran = forked.command(shlex.split(words.format(name=STRANGE)), tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    "words",
    ["run '{name}'", "'{name}'", "info '{name}'", "run roundtrip --set '{name}=1'", "call roundtrip --part '{name}'"],
)
def test_a_word_that_is_no_text_is_one_sentence(words: str, tmp_path: Path) -> None:
    ran = shell(f"{BELLWIRE} {words.format(name=STRANGE)}", tmp_path)
    assert ran.returncode in (1, 2)
    assert is_one_sentence(ran.stderr)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files", "/dev/kvm"), 1, "/dev/kvm: Too many open files. This process"),
        (OSError(errno.EIO, "Input/output error"), 1, "The system refuses something ("),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, "Broken pipe"),
        (MemoryError(), 1, "There is not enough memory"),
        (RuntimeError("can't start new thread"), 1, "No thread can be started. This user may have no more"),
        (ImportError("libEGL.so.1: cannot open shared object file"), 1, "bellwire cannot be loaded: libEGL.so.1"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("division by zero"), 70, "bellwire has a fault: ZeroDivisionError: division by zero ("),
        (RecursionError("maximum recursion depth exceeded"), 70, "bellwire has a fault: RecursionError"),
        (EOFError(), 70, "bellwire has a fault: EOFError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_a_command_raises_is_one_sentence(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> Any:
        raise error

    monkeypatch.setattr("bellwire.engine.scenarios.scenario.list_scenarios", fail)
    assert main(["list"]) == code
    printed = capsys.readouterr()
    assert (printed.out, is_one_sentence(printed.err)) == ("", True)
    assert words in printed.err
    assert ("BELLWIRE_TRACEBACK=1 prints where it was." in printed.err) == (code == 70)


def test_a_traceback_is_printed_to_those_who_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bellwire.engine.scenarios.scenario.list_scenarios", lambda: 1 // 0)
    monkeypatch.setenv("BELLWIRE_TRACEBACK", "1")
    assert main(["list"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_thread_that_dies_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def with_a_thread() -> list[Any]:
        thread = threading.Thread(target=lambda: [][1], name="index")
        thread.start()
        thread.join()
        return []

    monkeypatch.setattr("bellwire.engine.scenarios.scenario.list_scenarios", with_a_thread)
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    assert main(["list"]) == 0
    assert "bellwire: The thread 'index' has ended: bellwire has a fault: IndexError" in capsys.readouterr().err
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == hooks


def test_what_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise OSError(24, 'Too many open files')")
    ran = shell(f"{sys.executable} -m bellwire.viz list", tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}/build/package")
    assert (ran.returncode, is_one_sentence(ran.stderr)) == (1, True)
    assert "It cannot be loaded: Too many open files." in ran.stderr


def test_a_library_that_is_not_there_is_one_sentence_with_what_helps(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import nothing_of_the_kind")
    ran = shell(f"{sys.executable} -m bellwire.viz list", tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}/build/package")
    assert (ran.returncode, is_one_sentence(ran.stderr)) == (1, True)
    assert "No module named 'nothing_of_the_kind'. `pip install --force-reinstall bellwire`" in ran.stderr


@pytest.mark.parametrize("module", ["typer", "bellwire.viz.window"])
def test_an_interrupt_that_is_passed_over_while_a_module_is_imported_ends_the_command(
    module: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys, time\n"
        "class Library:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == '{module}' and not hasattr(sys, 'passed_over'):\n"
        "            sys.passed_over = True\n"
        "            try:\n"
        "                os.kill(os.getpid(), signal.SIGINT)\n"
        "                time.sleep(0.05)\n"
        "            except BaseException:\n"
        "                pass\n"
        "sys.meta_path.insert(0, Library())\n"
    )
    ran = shell(f"{sys.executable} -m bellwire.viz list", tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}/build/package")
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "bellwire: interrupted\n")


# -- where the system refuses what is usual

FORBIDDEN = f"{sys.executable} -m tests.support.forbidden EPERM"
x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of its system calls")
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may hide /proc")


@x86_64
@pytest.mark.kvm
@pytest.mark.parametrize(
    "calls", ["sched_setaffinity", "sched_getaffinity", "sched_setaffinity sched_getaffinity", "socket"]
)
def test_what_only_helps_may_be_forbidden(calls: str, tmp_path: Path) -> None:
    ran = shell(f"{FORBIDDEN} {calls} -- {BELLWIRE} run roundtrip --signals 20", tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Round trip" in ran.stdout


@x86_64
@pytest.mark.kvm
@pytest.mark.parametrize("call", ["eventfd2", "memfd_create"])
def test_what_is_needed_and_forbidden_is_one_sentence(call: str, tmp_path: Path) -> None:
    ran = shell(f"{FORBIDDEN} {call} -- {BELLWIRE} run roundtrip --signals 20", tmp_path)
    assert (ran.returncode, is_one_sentence(ran.stderr)) == (1, True)


@root
@pytest.mark.kvm
@pytest.mark.parametrize(
    "words",
    ["run roundtrip --signals 20", "run vm-to-vm --signals 20", "run doorbell-pio --signals 20", f"info {SHIPPED}"],
)
def test_without_proc_the_counters_still_agree(words: str, tmp_path: Path) -> None:
    if shell("unshare --mount true", tmp_path).returncode:
        pytest.skip("no mount namespace may be made here")
    ran = shell(f"unshare --mount bash -c 'mount -t tmpfs none /proc && {BELLWIRE} {words}'", tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.kvm
@pytest.mark.parametrize("files", [5, 7, 9, 11, 12])
def test_few_open_files_are_one_sentence_or_enough(files: int, tmp_path: Path) -> None:
    ran = shell(f"ulimit -n {files}; {BELLWIRE} run roundtrip --signals 20", tmp_path)
    assert "Traceback" not in ran.stderr
    assert ran.returncode in (0, 1)
    assert (ran.returncode == 0) == (ran.stderr == "")
    assert all(line.startswith("bellwire: ") for line in ran.stderr.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        "quiz --seed 7 --replay",
        f"replay {SHIPPED}",
        f"export-html {SHIPPED} -o run.html",
        f"clip {SHIPPED} -o clip.gif --seconds 60",
        pytest.param("run roundtrip --seconds 60", marks=pytest.mark.kvm),
        pytest.param("record roundtrip --seconds 60 -o run.arrow", marks=pytest.mark.kvm),
    ],
    ids=lambda words: words.split()[0],
)
def test_a_terminal_that_hangs_up_ends_each_command_alike(words: str, tmp_path: Path) -> None:
    """Some met it in what they printed, or in a bar, before the signal, and ended as if something had failed."""
    child, terminal = pty.fork()
    if not child:  # in a session of its own, whose terminal this is
        os.chdir(tmp_path)
        os.environ |= {"QT_QPA_PLATFORM": "offscreen"}
        os.execv(sys.executable, [sys.executable, "-P", "-m", "bellwire.viz", *shlex.split(words)])
    os.read(terminal, 1)  # it prints, or has a bar
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGHUP


SURVIVES = """
import os, select, signal
from bellwire.viz.cli.app import main
signal.signal(signal.SIGHUP, signal.SIG_IGN)
print("begins", flush=True)
gone = select.poll()
gone.register(0, 0)
gone.poll()
os._exit(main(["run", "nothing"]))
"""


def test_who_is_told_to_survive_a_hang_up_ends_as_ever() -> None:
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [sys.executable, "-P", "-c", SURVIVES])
    said = b""
    while not said.endswith(b"\n"):  # the line's end comes behind the line, by itself
        said += os.read(terminal, 100)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
