"""What holds for every test: nothing leaks, nothing touches the user's files, a missing /dev/kvm is said loudly."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING

import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytestqt.qtbot import QtBot

from bellwire.engine.errors import NoKvmError
from bellwire.engine.language import Spoken, speak
from bellwire.viz.style.turns import Turns
from bellwire.viz.text.figures import FITTING, Durations
from tests.support.forked import Forked, forking
from tests.support.kernel_sight import probes_trouble
from tests.support.leaks import belongings, left_behind
from tests.support.screen import windows, wiped
from tests.support.sessions import PATIENCE
from tests.support.x_server import x_server

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

# Before Qt is imported anywhere: no window on the developer's screen, no session bus.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)
os.environ["LC_ALL"] = "C.UTF-8"  # programs that a test starts speak English

KVM_REQUIRED = os.environ.get("BELLWIRE_REQUIRE_KVM") == "1"
# No example is too slow on a busy machine, and CI fails for the same ones each time.
hypothesis.settings.register_profile("bellwire", deadline=None, database=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("bellwire")
# Who waits in vain for a window fails in the end; five seconds, pytest-qt's own, are not the end on a busy machine.
for _wait in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals, QtBot.waitExposed, QtBot.waitActive):
    _wait.__kwdefaults__ = {**(_wait.__kwdefaults__ or {}), "timeout": round(PATIENCE * 1000)}
_home = tempfile.TemporaryDirectory(prefix="bellwire-test-home-")
for _name in ("CONFIG", "DATA", "CACHE", "STATE"):
    os.environ[f"XDG_{_name}_HOME"] = f"{_home.name}/{_name.lower()}"


class HoldingQtBot(QtBot):
    """Holds the widgets that it is to close: after a test it paints them, and then nothing else may hold one but a ring
    of objects, which Python would collect while it is painted.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        super().__init__(request)
        self._held: dict[int, QWidget] = {}

    def addWidget(self, widget: QWidget, *, before_close_func: Callable[[QWidget], None] | None = None) -> None:
        held, key = self._held, id(widget)
        held[key] = widget
        widget.destroyed.connect(lambda: held.pop(key, None))  # some windows go as they are closed
        super().addWidget(widget, before_close_func=before_close_func)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """As pytest-qt has it, but that it holds what it is given."""
    return HoldingQtBot(request)


def pytest_sessionfinish() -> None:
    """Lets what has been measured be written by a worker itself: who has many is not waited for at its end."""
    save = getattr(sys.modules.get("sitecustomize"), "save", None)  # tests/measured, in `make coverage`
    if save and "PYTEST_XDIST_WORKER" in os.environ:
        save()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many as processors: guests that are kept from them for seconds lose what they stamp."""
    return len(os.sched_getaffinity(0))


ENVIRONMENT: dict[str, str] = {}  # in which tests run


@pytest.fixture(autouse=True)
def environment_as_at_first() -> Iterator[None]:
    """As it is without us, before and after each test: a picture that a test or its module's fixture makes in this
    process changes it (typefaces, how Qt scales), for programs that are started later, and for whatever looks for
    typefaces first.
    """
    forget_ours()
    yield
    forget_ours()


def forget_ours() -> None:
    """No variables but those of whoever runs the tests."""
    for name in [name for name in os.environ if name not in ENVIRONMENT and name != "PYTEST_CURRENT_TEST"]:
        del os.environ[name]
    os.environ.update(ENVIRONMENT)


def pytest_configure() -> None:
    """Lets Arrow start the threads of its pools, one each, which it does at the first use and keeps."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    table, file = pa.table({"column": [1, 2, 3]}), pa.BufferOutputStream()
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    pa.ipc.open_file(file.getvalue()).read_all()
    pq.write_table(table, f"{_home.name}/table.parquet")
    pq.read_table(f"{_home.name}/table.parquet")


def pytest_collection_finish() -> None:
    """What all tests share, and all of them, is not looked through after each window for what is left of it; and the
    environment is that of all.
    """
    gc.collect()
    gc.freeze()
    ENVIRONMENT.update(os.environ)


def pytest_unconfigure() -> None:
    """Removes the tests' home."""
    _home.cleanup()


@functools.cache
def kvm_trouble() -> str:
    """Why no guest can run here; empty if one can."""
    from bellwire.engine.host.host import usable_kvm

    try:
        usable_kvm()
    except NoKvmError as error:
        return str(error)
    return ""


@functools.cache
def worker_troubles() -> frozenset[str]:
    """Why the kernel's own vhost workers cannot be had here: KVM does not bring them, and does not require them."""
    from bellwire.engine.machines.vhost_kernel import VhostNetGuest, VhostVsockGuest

    return frozenset({VhostNetGuest.refusal(), VhostVsockGuest.refusal()} - {""})


def lacks_a_worker(report: pytest.TestReport) -> bool:
    """Whether a test was skipped for want of such a worker, and for nothing else."""
    return any(why in reason_of(report) for why in worker_troubles())


def lacks_probes(report: pytest.TestReport) -> bool:
    """Whether a test was skipped for want of kprobes, which KVM does not require either."""
    return "kprobes" in reason_of(report) and probes_trouble() in reason_of(report)


def lacks_what_is_not_required(report: pytest.TestReport) -> bool:
    """Whether a test of KVM was skipped for want of something that a machine with KVM need not have."""
    return lacks_a_worker(report) or lacks_probes(report)


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped; "" if that is not told."""
    return str(report.longrepr[-1]) if isinstance(report.longrepr, tuple) else ""


def pytest_sessionstart() -> None:
    """Programs that a test starts hear its signals, even if who runs the tests has ignored some (nohup, &)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what this machine cannot do, with the reason; in CI a machine that has KVM must use it."""
    trouble = kvm_trouble() if item.get_closest_marker("kvm") else ""
    if trouble and KVM_REQUIRED:
        pytest.fail(f"KVM is required here: {trouble}", pytrace=False)
    if trouble:
        pytest.skip(trouble)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where KVM is required, a test of it that skips itself has failed."""
    report = yield
    if KVM_REQUIRED and report.skipped and item.get_closest_marker("kvm") and not lacks_what_is_not_required(report):
        report.outcome = "failed"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests had no KVM, or no worker of the kernel's."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if "kvm" in report.keywords]
    workerless = [report for report in skipped if lacks_a_worker(report)]
    if workerless:
        terminalreporter.section("NO VHOST", sep="!", red=True)
        terminalreporter.line(f"{len(workerless)} tests skipped: " + " ".join(sorted(worker_troubles())))
    probeless = [report for report in skipped if lacks_probes(report)]
    if probeless:
        terminalreporter.section("NO KPROBES", sep="!", red=True)
        terminalreporter.line(f"{len(probeless)} tests skipped: {probes_trouble()}.")
    skipped = [report for report in skipped if report not in (*workerless, *probeless)]
    if skipped:
        terminalreporter.section("NO KVM", sep="!", red=True)
        terminalreporter.line(f"{len(skipped)} tests skipped: no /dev/kvm ({kvm_trouble() or 'see the reasons below'})")


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fails a test that leaves a file descriptor, a thread or a child process."""
    before = belongings()
    yield
    if not gc.isenabled():  # a window was opened, which collects by itself
        gc.collect()  # here: what is left of its widgets must not die in the thread of the next test's guest
        gc.enable()
    left = left_behind(before)
    if left:
        pytest.fail("left behind: " + "; ".join(left), pytrace=False)


@pytest.fixture(autouse=True)
def folded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame folds what there is time for; how fast this machine is just now must not decide what a test sees."""
    if "bellwire.viz.model.live" in sys.modules:
        monkeypatch.setattr("bellwire.viz.model.live.LEAST_FOLDED", 1 << 40)


@pytest.fixture(autouse=True)
def screen_as_at_first() -> Iterator[None]:
    """No test begins with what another one's window was; one that leaves a window, or a part of one, has failed."""
    before = windows()
    yield
    if left := wiped(before):
        pytest.fail("left on the screen: " + "; ".join(map(repr, left)), pytrace=False)


@pytest.fixture(autouse=True)
def settings_as_at_first() -> Iterator[None]:
    """No window opens as another test's was left: which tests share a process differs from run to run."""
    yield
    shutil.rmtree(f"{_home.name}/config", ignore_errors=True)
    if "PySide6.QtCore" not in sys.modules:
        return
    from PySide6.QtCore import QSettings

    store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "bellwire", "bellwire")
    if store.allKeys():  # of a window that nobody has collected yet, and which would write them
        store.clear()


@pytest.fixture(autouse=True)
def chosen_as_at_first() -> Iterator[None]:
    """What a test's window chose is no other test's choice: a language, units, and steps in place of movement."""
    yield
    if Spoken.name != "en":
        speak("en")
    Durations.unit = FITTING
    Turns.calm = False


@pytest.fixture(scope="session")
def xvfb() -> Iterator[str]:
    """A virtual X screen of 1920x1080 for real windows: its name, as in DISPLAY."""
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("Xvfb and xdotool are not installed: .ci/system-libraries --test")
    with x_server() as display:
        yield display


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Runs commands and programs in processes that need not load what they use."""
    with forking() as running:
        yield running
