"""The command line itself, to which each module of commands adds its own; and the options that several of them have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class UnitName(StrEnum):
    """Of latencies in a table."""

    NS = "ns"
    US = "us"
    CYCLES = "cycles"


class ThemeName(StrEnum):
    """Of the window."""

    DARK = "dark"
    LIGHT = "light"
    PROJECTOR = "projector"
    PRINT = "print"


class CommandGroup(TyperGroup):
    """A first word that is no command is a scenario: `bellwire roundtrip` is `bellwire open roundtrip`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `open` in front where it is meant."""
        if not args or not (args[0].startswith("-") or args[0] in self.commands):
            args.insert(0, "open")
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    rich_markup_mode=None,
    subcommand_metavar="[SCENARIO | RECORDING | COMMAND ...]",
)

ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="One of `bellwire list`.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object or array.")]
Signals = Annotated[
    int | None, typer.Option("--signals", min=1, max=2**62, metavar="N", help="Go on until N signals have arrived.")
]
Asserts = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="METRIC<LIMIT",
        help="Fail if it does not hold at the end: doorbell.p99<200us, exits==0, received==rung ...",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there already.")]
Unit = Annotated[UnitName, typer.Option("--unit", help="The unit of the latencies in the tables.")]
InTheme = Annotated[
    ThemeName | None, typer.Option("--theme", help="How the window looks, this time; else as it was left.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a setting: pace=flat-out, burst=8, idle=spin, irqfd=off ..."
    ),
]
