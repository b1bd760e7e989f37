"""A real Chromium without a screen, told what to do over a pipe, in the Chrome DevTools Protocol."""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: Debian's package chromium is missing")
PATIENCE_SECONDS = 240.0  # on a busy machine
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage"),
)
HELD_TIMERS = """() => {
  const usual = [window.setTimeout, window.clearTimeout];
  let now = 0, number = 0;
  const due = new Map();
  window.setTimeout = (act, ms = 0) => (due.set(++number, { act, at: now + ms }), number);
  window.clearTimeout = (which) => due.delete(which);
  window.heldTimers = {
    pass(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...due].filter(([, { at }]) => at <= until).sort(([, one], [, other]) => one.at - other.at);
        if (!next) break;
        due.delete(next[0]);
        now = next[1].at;
        next[1].act();
      }
      now = until;
    },
    release: () => ([window.setTimeout, window.clearTimeout] = usual),
  };
}"""
KEYS = {" ": ("Space", 32), "ArrowRight": ("ArrowRight", 39), "ArrowLeft": ("ArrowLeft", 37), "Home": ("Home", 36)}
SHIFT = 8


class Page:
    """The one page of a browser. complaints: what went wrong in it; asked: the addresses that it asked for."""

    def __init__(self, to: int, of: int) -> None:
        self._to, self._of, self._rest, self._number = to, os.fdopen(of, "rb", buffering=0), b"", 0
        self.session = ""
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self._loaded = False

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """One command, and what it answers."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self._to, json.dumps(command).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == self._number:
                assert "error" not in said, said
                answer: dict[str, Any] = said["result"]
                return answer

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = self._of.read(1 << 16)
            assert more, "Chromium has ended"
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        self._note(said.get("method", ""), said.get("params", {}))
        return said

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"][:300])
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded = True

    def close(self) -> None:
        """Nobody listens any more."""
        self._of.close()

    def begin(self) -> None:
        """Opens the page."""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.do(f"{domain}.enable")

    def open(self, path: Path, width: int, height: int, dark: bool = False, phone: bool = False) -> None:
        """A file, in a window of so many pixels of CSS."""
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1 + phone, mobile=phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False
        self.do("Page.navigate", url=path.as_uri())
        while not self._loaded:
            self._next()

    def run(self, code: str) -> Any:
        """What an expression of the page's language comes to."""
        answer = self.do("Runtime.evaluate", expression=code, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self, selector: str) -> str:
        """What an element says."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).textContent"))

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of an element, which has to be what is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{found}.scrollIntoView({{block: 'center'}})")
        x, y = self.run(
            f"(() => {{ const box = {found}.getBoundingClientRect(), x = box.x + box.width / 2,"
            f" y = box.y + box.height / 2; return {found}.contains(document.elementFromPoint(x, y)) ? [x, y] : [] }})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, shift: bool = False) -> None:
        """A key, down and up."""
        code, number = KEYS.get(key, (f"Key{key.upper()}", ord(key.upper()[0])))
        about = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": SHIFT * shift}
        self.do("Input.dispatchKeyEvent", type="keyDown", **about)
        self.do("Input.dispatchKeyEvent", type="keyUp", **about)

    @contextmanager
    def time_by_hand(self) -> Iterator[None]:
        """Meanwhile the page's timers wait until somebody lets time pass."""
        self.run(f"({HELD_TIMERS})()")
        try:
            yield
        finally:
            self.run("heldTimers.release()")

    def pass_time(self, ms: int) -> None:
        """Of time by hand: the timers that are due by then run, each at its time; nothing is waited for."""
        self.run(f"heldTimers.pass({ms})")

    def wait_for(self, code: str) -> None:
        """Until an expression is true."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not self.run(code):
            assert time.monotonic() < ends, code
            time.sleep(0.05)

    def spoken(self) -> list[tuple[str, str]]:
        """What a screen reader meets: each role with its name."""
        nodes = self.do("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]

    def picture(self, path: Path) -> None:
        """What can be seen now, as a PNG file."""
        path.write_bytes(base64.b64decode(self.do("Page.captureScreenshot")["data"]))


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with an empty page, and a folder of its own for what it keeps; it is ended with all its processes."""
    read_by_it, to = os.pipe()
    of, written_by_it = os.pipe()
    command = shlex.join([CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"])
    started = subprocess.Popen(
        ["bash", "-c", f"exec {command} 3<&{read_by_it} 4>&{written_by_it}"],
        pass_fds=(read_by_it, written_by_it),
        env={name: value for name, value in os.environ.items() if name != "FONTCONFIG_FILE"}  # which is for Qt
        | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(read_by_it)
    os.close(written_by_it)
    page = Page(to, of)
    try:
        page.begin()
        yield page
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(PATIENCE_SECONDS)
        os.close(to)
        page.close()
