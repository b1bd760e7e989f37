"""`bellwire call`: the list, one call, and what can be pasted."""

from __future__ import annotations

import json

import pytest

from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.program import LANGUAGES, program_of
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.viz.cli.app import main

CALLS = {call.name: call for call in calls_of(load_scenario("roundtrip"))}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What it prints, once it has ended well."""
    assert main(["call", "roundtrip", *arguments]) == 0
    return capsys.readouterr().out


def test_the_table_names_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(CALLS)
    assert "\x1b" not in "".join(lines)


def test_one_call_shows_its_members_and_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "--part", "ioeventfd")
    for word in ("KVM_IOEVENTFD, request 0x4040ae79", "struct kvm_ioeventfd, 64 bytes", "addr", "0x510", "assigned"):
        assert word in text
    assert "02 00 00 00 ·· ·· ·· ·· 02 00" in text


@pytest.mark.parametrize("form", LANGUAGES)
def test_a_program_is_printed_as_it_is(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--part", "routing", "--as", form) == program_of(CALLS["routing"], form).text.rstrip() + "\n"


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    every = json.loads(printed(capsys, "--json"))
    assert [one["name"] for one in every] == list(CALLS)
    one = json.loads(printed(capsys, "--part", "irqfd", "--as", "c", "--json"))
    assert (one["struct"], one["request"], one["fields"][1]["value"]) == ("struct kvm_irqfd", "0x4020ae76", 24)
    assert "int main" in one["c"]


def test_settings_change_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert "deassigned" not in printed(capsys, "--part", "ioeventfd", "--set", "datamatch=7")
    assert "DATAMATCH" in printed(capsys, "--part", "ioeventfd", "--set", "datamatch=7")
    assert "not assigned" in printed(capsys, "--part", "ioeventfd", "--set", "ioeventfd=off")


@pytest.mark.parametrize("arguments", [["--part", "nothing"], ["--as", "c"], ["--part", "irqfd", "--as", "cobol"]])
def test_a_mistake_is_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "roundtrip", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
