"""No digit is cut, however narrow the terminal and whatever the locale."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from bellwire.engine.host.host import Check
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.viz.bench.program import Figure
from bellwire.viz.cli import app, recordings
from bellwire.viz.cli.doctor import checks_table
from bellwire.viz.cli.summary import table_of
from bellwire.viz.text.figures import grouped
from tests.support.fake_source import FakeSource

WIDTHS = (40, 60, 80, 200)
LOCALES = ("C", "de_DE.UTF-8", "fr_FR.UTF-8", "ar_EG.UTF-8", "zh_CN.UTF-8", "de_DE.ISO-8859-1")
PROGRAM = """
import sys
from bellwire.viz.cli.app import main
main(["info", sys.argv[1]])
main(["info", sys.argv[1], "--json"])
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    source, path = FakeSource(), tmp_path / "a.arrow"
    with source, Recorder(path, Header.of(source, "test")) as recorder:
        source.run(1.0)
        recorder.append(source.take())
    return path


def printed(recording: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What every command that prints tables and needs no KVM prints; the tables of `run` are those of `info`."""
    text = io.StringIO()

    def out(content: RenderableType) -> None:
        Console(highlight=False, width=width, file=text).print(content)

    for module in (app, recordings):
        monkeypatch.setattr(module, "out", out)
    for words in (
        ["info", str(recording)],
        ["compare", str(recording), str(recording)],
        ["call", "roundtrip"],
        ["list"],
    ):
        assert app.main(words) == 0
    assert app.main(["call", "roundtrip", "--part", "ioeventfd"]) == 0
    out(checks_table([Check("clock", "guest's TSC", False, "ahead by −1,234.56 to +7,890.12 µs", "a remedy", True)]))
    host = {"cpu": "CPU", "cpus": "2", "kernel": "6.18", "backend": "kvm_pvm"}
    out(app.bench_table(host, [Figure("name", "1234.56 x", "1.10 x", True, "987654321 events in 13.5 s")]))
    table = table_of("Large", ["first", "second"])
    table.add_row("row", grouped(123456789012345678), grouped(98765432109876543))
    out(table)
    return text.getvalue()


def run(recording: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", PROGRAM, str(recording)]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, check=True, timeout=240)


def test_every_digit_is_there_at_every_width(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = printed(recording, 200, monkeypatch)
    assert "123\u202f456\u202f789\u202f012\u202f345\u202f678" in wide
    for width in WIDTHS[:-1]:
        narrow = printed(recording, width, monkeypatch)
        assert "…" not in narrow.replace(" … ", "")  # between the ends of an interval
        assert all(len(line) <= width for line in narrow.splitlines())
        for number in ("123456789012345678", "98765432109876543"):
            assert number in re.sub(r"\s", "", narrow)
        latencies = [line for line in wide.splitlines() if re.match(r" ?(doorbell|round trip) .*\d", line)]
        assert latencies
        for value in {value for line in latencies for value in re.findall(r"\d+\.\d", line)}:
            assert value in narrow


def test_no_locale_changes_a_digit(recording: Path) -> None:
    texts = {run(recording, LC_ALL=locale, LANG=locale, PYTHONUTF8="1").stdout.decode() for locale in LOCALES}
    assert len(texts) == 1
    report = json.loads(texts.pop().partition("\n{")[2].join(["{", ""]))
    assert report["latency_ns"]["round_trip"]["count"] > 1000


def test_an_old_character_set_has_spaces_between_thousands(recording: Path) -> None:
    text = run(recording, PYTHONIOENCODING="ascii").stdout.decode("ascii")
    assert re.search(r"\d \d{3} +events recorded", text)
    assert not re.search(r"\d\?\d", text)


@pytest.mark.parametrize(
    ("strict", "holds", "code"), [([], False, 0), (["--strict"], False, 1), (["--strict"], True, 0)]
)
def test_a_missed_figure_is_said_and_fails_only_if_strict(
    strict: list[str], holds: bool, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = Figure("recording opened", "2.00 s", "1 s", holds)
    monkeypatch.setattr("bellwire.viz.bench.recordings.recording_figures", lambda events: [figure])
    assert app.main(["bench", "--recordings", *strict]) == code
    assert ("missed" in capsys.readouterr().out) is not holds
