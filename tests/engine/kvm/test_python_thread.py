"""Threads that cannot be begun."""

from __future__ import annotations

import ast
import threading
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.python_thread import begin_thread

ROOT = Path(__file__).resolve().parents[3]


def test_a_thread_that_begins_is_begun_once() -> None:
    thread = threading.Thread(target=lambda: None)
    begin_thread(thread)
    thread.join()
    with pytest.raises(EngineError, match="No thread can be started: threads can only be started once"):
        begin_thread(thread)


def test_one_that_had_no_memory_to_begin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _thread: None)
    with pytest.raises(EngineError, match="No thread can be started: there is not enough memory for it"):
        begin_thread(threading.Thread())


# -- that it is the one way

OTHER_WAYS = {"QThread", "QRunnable", "QThreadPool", "ThreadPoolExecutor", "ProcessPoolExecutor", "Process", "Timer"}
BUILD = "build.py"  # which runs before there is a package


def begun_otherwise(source: str) -> list[str]:
    """Lines of a module at which a thread is made that begin_thread() does not begin, or one of another kind."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    begun = {ast.unparse(call.args[0]) for call in calls if named(call) == "begin_thread" and call.args}
    made = {
        ast.unparse(node.value): ast.unparse(node.targets[0])
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and named(node.value) == "Thread"
    }
    threads = [ast.unparse(call) for call in calls if named(call) == "Thread"]
    wrong = [text for text in threads if not {text, made.get(text)} & begun]
    return wrong + [ast.unparse(call) for call in calls if named(call) in OTHER_WAYS]


def named(call: ast.Call) -> str:
    """The last part of what is called."""
    return ast.unparse(call.func).rpartition(".")[2]


def test_the_rule_finds_each_other_way() -> None:
    assert begun_otherwise("t = threading.Thread(target=f)\nt.start()") == ["threading.Thread(target=f)"]
    assert begun_otherwise("threading.Thread(target=f).start()") == ["threading.Thread(target=f)"]
    assert begun_otherwise("with ThreadPoolExecutor(1) as pool: pass") == ["ThreadPoolExecutor(1)"]
    assert not begun_otherwise("self.t = threading.Thread(target=f)\nbegin_thread(self.t)")
    assert not begun_otherwise("begin_thread(threading.Thread(target=f))")


def test_every_thread_is_begun_so() -> None:
    modules = [path for side in ("engine", "viz") for path in (ROOT / side).rglob("*.py") if path.name != BUILD]
    found = {path.name: lines for path in modules if (lines := begun_otherwise(path.read_text()))}
    assert found == {}
    assert len(modules) > 100
