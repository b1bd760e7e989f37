"""The command line itself, to which each module of commands adds its own; and the options that several of them have."""

from __future__ import annotations

import math
import shlex
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

MOST_SECONDS = 1e9  # thirty years: of more, nobody can tell the end by a clock


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
    """A first word that is no command is a scenario, or an option of the window: `bellwire --theme print`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `open` in front where it is meant. UsageError for options in front of the command that they are of."""
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if not args or args[0].partition("=")[0] not in {*own, *self.commands}:
            options, rest = self._options_in_front(args)
            if options and rest and rest[0] in self.commands:
                right = shlex.join(["bellwire", rest[0], *options, *rest[1:]])
                ctx.fail(f"Options come behind the command: `{right}`")
            args.insert(0, "open")
        return super().parse_args(ctx, args)

    def _options_in_front(self, args: list[str]) -> tuple[list[str], list[str]]:
        """The options that a command line begins with, each with its value, and what is behind them."""
        takes_none = {
            name
            for command in self.commands.values()
            for option in command.params
            if getattr(option, "is_flag", False)
            for name in (*option.opts, *option.secondary_opts)
        }
        at = 0
        while at < len(args) and args[at].startswith("-"):
            at += 1 if "=" in args[at] or args[at] in takes_none else 2
        return args[:at], args[at:]


def a_number(value: float | None) -> float | None:
    """What an option for a number may say: with nan, which is in every range, no comparison ever holds."""
    if value is not None and math.isnan(value):
        raise typer.BadParameter("nan is no number")
    return value


def seconds_option(*names: str, least: float, what: str) -> Any:
    """An option for a time, in seconds, of `least` or more; what: its help."""
    return typer.Option(*names, min=least, max=MOST_SECONDS, callback=a_number, metavar="S", help=what)


def known_language(name: str | None) -> str | None:
    """What an option for a language may say."""
    from bellwire.viz.text.languages import languages

    if name is not None and name not in languages():
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, languages()))}.")
    return name


app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    rich_markup_mode=None,
    subcommand_metavar="[SCENARIO | RECORDING | COMMAND ...]",
)

ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="One of `bellwire list`, or a file *.toml of your own.")
]
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
InKernel = Annotated[
    bool,
    typer.Option("--kernel/--no-kernel", help="Also watch the inside of the kernel (see: doctor)."),
]
Unit = Annotated[UnitName, typer.Option("--unit", help="The unit of the latencies in the tables.")]
InTheme = Annotated[
    ThemeName | None, typer.Option("--theme", help="How the window looks, this time; else as it was left.")
]
InLanguage = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="NAME",
        help="What the window and documents speak, en or de, this time; else as it was left, or as the desktop does.",
        callback=known_language,
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a setting: pace=flat-out, burst=8, idle=spin, irqfd=off ..."
    ),
]
