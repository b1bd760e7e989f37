"""A plugin of pytest for slow machines: of each test function one parametrization, and a line for each file as it ends.

`pytest -p tests.support.one_of_each`. Which one is chosen follows from the function's name alone: it is the same one
each time, and another one for another function. Conformance tests are taken whole, each of them is a case of its own.
In the environment: BELLWIRE_ALL=1 takes every test; after BELLWIRE_MINUTES no further one is begun, which is told.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from zlib import crc32

import pytest

WHOLE = "test_conformance_"  # files that are taken whole
SHOWN = 200  # characters of what a test has failed with


def chosen(names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The tests that are run, by name: which one of how many that are of the same function it is, from 1 on."""
    of_function: dict[str, list[str]] = defaultdict(list)
    for name in names:
        of_function[name if WHOLE in name else name.partition("[")[0]].append(name)
    picked = {}
    for function, each in of_function.items():
        number = crc32(function.encode()) % len(each)
        picked[each[number]] = number + 1, len(each)
    return picked


class OneOfEach:
    """What came of the tests, file by file. limit: seconds, from now on, after which no further one is begun."""

    def __init__(self, limit: float, *, everything: bool = False) -> None:
        self.began = self.file_began = time.monotonic()
        self.limit, self.everything = limit, everything
        self.number_of: dict[str, tuple[int, int]] = {}
        self.file = ""
        self.states: Counter[str] = Counter()
        self.in_all: Counter[str] = Counter()
        self.failures: list[str] = []

    def told(self, name: str) -> str:
        """A test's name, and which one of how many."""
        number, count = self.number_of.get(name, (1, 1))
        return f"{name} ({number} of {count})" if count > 1 else name

    def begin(self, name: str) -> None:
        """A test: of another file, perhaps."""
        if name.partition("::")[0] != self.file:
            self.end()
            self.file, self.file_began = name.partition("::")[0], time.monotonic()

    def take(self, name: str, state: str, why: str) -> None:
        """What came of one."""
        self.states[state] += 1
        if state == "failed":
            self.failures.append(self.told(name))
        if state != "passed":
            print(f"    {state}: {self.told(name)}: {' '.join(why.split())[:SHOWN]}", flush=True)

    def end(self) -> None:
        """A file."""
        if self.states:
            seconds = time.monotonic() - self.file_began
            minutes = (time.monotonic() - self.began) / 60
            print(f"{self.file:60} {counted(self.states)}; {seconds:.0f} s, {minutes:.1f} minutes so far", flush=True)
        self.in_all += self.states
        self.states.clear()

    def end_all(self) -> None:
        """The sums, and once more what has failed."""
        self.end()
        left = len(self.number_of) - sum(self.in_all.values())
        if left > 0:
            self.in_all["not begun"] = left
        print(f"{counted(self.in_all)}; {(time.monotonic() - self.began) / 60:.1f} minutes", flush=True)
        for name in self.failures:
            print(f"    failed: {name}", flush=True)

    # -- hooks of pytest ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Of those that were chosen by their mark leaves out what is not chosen here."""
        names = [item.nodeid for item in items]
        self.number_of = dict.fromkeys(names, (1, 1)) if self.everything else chosen(names)
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in self.number_of])
        items[:] = [item for item in items if item.nodeid in self.number_of]
        functions = len({name.partition("[")[0] for name in names})
        print(f"{len(items)} of {len(names)} tests, which are of {functions} functions", flush=True)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.begin(nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Once the time is over this one is not run, and none behind it."""
        if time.monotonic() - self.began <= self.limit:
            return None
        item.session.shouldstop = "the time was over"
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has been called, or its beginning or its end was not well."""
        if report.when == "call" or not report.passed:
            self.take(report.nodeid, report.outcome, reason_of(report))
            if report.failed:  # at once: a run that is cut short has told it
                print(report.longreprtext, flush=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str]:
        """No dots between the lines."""
        return report.outcome, "", ""

    def pytest_sessionfinish(self) -> None:
        """All are told."""
        self.end_all()


def reason_of(report: pytest.TestReport) -> str:
    """Why one was skipped or has failed, in one line."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext).strip()


def counted(states: Counter[str]) -> str:
    """ "3 passed, 1 failed"."""
    return ", ".join(
        f"{count} {state}" for state, count in sorted(states.items(), key=lambda item: item[0] != "passed")
    )


def pytest_configure(config: pytest.Config) -> None:
    """As the environment says."""
    limit = 60 * float(os.environ.get("BELLWIRE_MINUTES", "inf"))
    config.pluginmanager.register(OneOfEach(limit, everything=os.environ.get("BELLWIRE_ALL") == "1"))
