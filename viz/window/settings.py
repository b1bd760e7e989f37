"""How the window looks; and what is remembered from one start to the next: that, recordings, the window's place."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QSettings, QStandardPaths, Signal

from bellwire.engine.errors import answer_of
from bellwire.engine.host.text_files import first_bytes
from bellwire.engine.language import tr
from bellwire.viz.style.theme import DARK, LARGEST_SCALE, SMALLEST_SCALE, THEMES, Theme
from bellwire.viz.text.figures import FITTING, UNIT_NAMES
from bellwire.viz.text.languages import languages

LARGEST_SETTINGS = 1 << 18  # bytes
USUAL_SIZE = 1 << 12  # bytes of the file
MOST_RECENT = 8  # files that are remembered
ESCAPED = re.compile(r"\\(?:x([0-9A-Fa-f]+)|([0-7]+))")  # a character by its number, as an INI file of Qt's has it
UNPACKED = re.compile(r"[=,]@(?:Variant|DateTime)\(")  # what Qt takes apart by itself, whatever is in it
NOWHERE = "/dev/null/bellwire.ini"  # a file that is not there, and cannot be made


class Look(QObject):
    """What is the same for every source that is shown. Each signal says that what it is named after has changed."""

    theme_changed, unit_changed, extended_changed, motion_changed, presenting_changed = (Signal() for _ in range(5))
    language_chosen = Signal(str)  # a window says each text once, so that another language takes another window

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.opened_in = theme.name  # which is remembered only once another one has been chosen
        self.suited = 1.0  # the size of text that suits the window's
        self.text = theme.scale  # what somebody has chosen, times that
        self.unit = FITTING.name  # of durations, one of UNIT_NAMES
        self.extended = False  # the diagram has the parts of the kernel that a signal passes
        self.reduced_motion = False  # tokens jump from part to part, and views go on in steps
        self.wished_motion = False  # what the desktop says about that; nothing is remembered of it
        self.presenting = False  # there is a window for an audience

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text, everywhere."""
        self.theme, self.text = theme, round(theme.scale / self.suited, 2)
        self.theme_changed.emit()

    def size_text(self, text: float) -> None:
        """Text `text` times as large as suits the window, within what can be chosen; as large as it is, nothing new."""
        self.text = round(min(max(text, SMALLEST_SCALE), LARGEST_SCALE), 2)
        sized = self.theme.scaled(self.text * self.suited)
        if sized != self.theme:
            self.set_theme(sized)

    def suit(self, scale: float) -> None:
        """In a window that is larger everything is, times what has been chosen."""
        if scale != self.suited:
            self.suited = scale
            self.size_text(self.text)

    def set_unit(self, name: str) -> None:
        """Every duration in this unit."""
        self.unit = name
        self.unit_changed.emit()

    def set_extended(self, on: bool) -> None:
        """The parts of the kernel that a signal passes, or the simple picture."""
        self.extended = on
        self.extended_changed.emit()

    def set_reduced_motion(self, on: bool) -> None:
        """Tokens jump from part to part, and views go on in steps of a second, instead of gliding."""
        self.reduced_motion = on
        self.motion_changed.emit()

    def wish_motion(self, reduced: bool) -> None:
        """The desktop wants it so, and nobody has said otherwise here."""
        self.wished_motion = reduced
        self.set_reduced_motion(reduced)

    def set_presenting(self, on: bool) -> None:
        """A window for an audience, or none."""
        self.presenting = on
        self.presenting_changed.emit()


Parse = Callable[[object], Any]


def one_of(allowed: Iterable[str]) -> Parse:
    """Reads one of these words; ValueError if it is none."""
    words = tuple(allowed)

    def parse(value: object) -> str:
        if value not in words:
            raise ValueError(value)
        return str(value)

    return parse


def scale_of_text(value: object) -> float:
    """Reads a size of text that the layout holds; ValueError if it is none."""
    scale = float(str(value))
    if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:  # which no NaN is
        raise ValueError(value)
    return scale


def file_names(value: object) -> list[str]:
    """Reads names of files; ValueError if they are none."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError(value)
    return names


def packed_bytes(value: object) -> QByteArray:
    """Reads what Qt has packed; ValueError if it is not that."""
    if not isinstance(value, QByteArray):
        raise ValueError(value)
    return value


def settings_file() -> Path:
    """Where they are kept."""
    configuration = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return Path(configuration, "bellwire", "bellwire.ini")


def why_not_for_qt(file: Path) -> str:
    """Why Qt should not read this file, "" if it may: it waits for a FIFO, and ends the process for a list too long."""
    try:
        content = first_bytes(file, LARGEST_SETTINGS + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return answer_of(error)
    if len(content) > LARGEST_SETTINGS:
        return tr("more than {most} kB", most=LARGEST_SETTINGS >> 10)
    text = ESCAPED.sub(numbered_character, content.decode("latin-1"))
    return tr("of another format") if UNPACKED.search(re.sub(r'[\s"]', "", text)) else ""


def why_not_kept(file: Path) -> str:
    """Why Qt could not replace this file, which may not be there yet, by one of a usual size; "" if it can."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=file.parent) as trial:
            trial.write(bytes(USUAL_SIZE))
        if file.exists() and not os.access(file, os.W_OK):
            return os.strerror(errno.EACCES)
    except OSError as error:
        return answer_of(error)
    return ""


def numbered_character(found: re.Match[str]) -> str:
    """What an escape stands for."""
    code = int(found[1], 16) if found[1] else int(found[2], 8)
    return chr(min(code, 0xFFFD))


class Settings:
    """Kept in $XDG_CONFIG_HOME/bellwire/bellwire.ini, which anybody may have edited: each value is one of a closed set.

    refused: what was none of it, as "text=nan"; the default stands for it. A file that Qt should not read is not
    written to either.
    """

    def __init__(self) -> None:
        self._file = settings_file()
        self._told_unkept = False
        why = why_not_for_qt(self._file)
        self.refused: dict[str, str] = {"file": why} if why else {}
        ini = QSettings.Format.IniFormat
        self._store = (
            QSettings(NOWHERE, ini) if why else QSettings(ini, QSettings.Scope.UserScope, "bellwire", "bellwire")
        )

    @property
    def trouble(self) -> str:
        """What could not be read of them, in one sentence; "" if all could. Reads them."""
        for name in ("theme", "extended", "reduced_motion", "recent", "unit", "geometry", "toured", "language"):
            getattr(self, name)
        if self._store.status() == QSettings.Status.FormatError:
            self.refused["file"] = tr("of another format")
        if not self.refused:
            return ""
        bad = ", ".join(f"{name}={value}" for name, value in self.refused.items())
        return tr(
            "Not everything in {file} makes sense; the usual settings stand for {settings}.",
            file=self._file,
            settings=bad,
        )

    def _read(self, name: str, default: Any, parse: Parse) -> Any:
        """A value, or the default for one that is missing or makes no sense."""
        value: object = None
        try:
            value = self._store.value(name)
            return default if value is None else parse(value)
        except (ValueError, TypeError, RuntimeError, OverflowError):
            self.refused.setdefault(name, str(value)[:40])
            return default

    def _flag(self, name: str) -> bool:
        return bool(self._read(name, "false", one_of(("true", "false"))) == "true")

    def _set_flag(self, name: str, on: bool) -> None:
        self._store.setValue(name, "true" if on else "false")

    def sync(self) -> None:
        """Writes what has been set: whoever ends the process at once does so before."""
        self._store.sync()

    def unkept(self) -> str:
        """That what is set is not kept, and why, in one sentence that is said once; "" if it is kept. Tries to."""
        if self._told_unkept:
            return ""
        self._store.sync()
        why = self.refused.get("file", "") or why_not_kept(self._file)
        if not why and self._store.status() == QSettings.Status.AccessError:
            why = tr("it cannot be written to")
        self._told_unkept = bool(why)
        return tr("Nothing that is set here is kept in {file}: {why}.", file=self._file, why=why) if why else ""

    def restore(self, look: Look) -> None:
        """As it looked last time, but for the theme, which a window opens with."""
        look.set_reduced_motion(self.reduced_motion)
        look.set_extended(self.extended)
        look.set_unit(self.unit)

    def keep(self, look: Look) -> None:
        """As it looks now."""
        if look.theme.name == look.opened_in:
            self._store.setValue("text", look.text)
        else:
            self.theme = look.theme.scaled(look.text)
        if self.knows_motion or look.reduced_motion != look.wished_motion:
            self.reduced_motion = look.reduced_motion
        self.extended, self.unit = look.extended, look.unit

    @property
    def theme(self) -> Theme:
        """The theme of last time with the size of text that was chosen, by default the dark one at 100 %."""
        theme = THEMES[self._read("theme", DARK.name, one_of(THEMES))]
        return theme.scaled(self._read("text", 1.0, scale_of_text))

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._store.setValue("theme", theme.name)
        self._store.setValue("text", theme.scale)

    @property
    def extended(self) -> bool:
        """Whether the diagram shows the kernel's parts."""
        return self._flag("extended")

    @extended.setter
    def extended(self, on: bool) -> None:
        self._set_flag("extended", on)

    @property
    def knows_motion(self) -> bool:
        """Whether somebody has chosen that here: then the desktop is not asked."""
        return self._store.contains("reduced_motion")

    @property
    def reduced_motion(self) -> bool:
        """Whether nothing glides."""
        return self._flag("reduced_motion")

    @reduced_motion.setter
    def reduced_motion(self, on: bool) -> None:
        self._set_flag("reduced_motion", on)

    @property
    def toured(self) -> bool:
        """Whether the tour has been shown."""
        return self._flag("toured")

    @toured.setter
    def toured(self, on: bool) -> None:
        self._set_flag("toured", on)

    @property
    def recent(self) -> list[str]:
        """Recordings, the newest first."""
        return list(self._read("recent", [], file_names))[:MOST_RECENT]

    @recent.setter
    def recent(self, names: list[str]) -> None:
        self._store.setValue("recent", names)

    @property
    def unit(self) -> str:
        """The unit of durations, one of UNIT_NAMES."""
        return str(self._read("unit", FITTING.name, one_of(UNIT_NAMES)))

    @unit.setter
    def unit(self, name: str) -> None:
        self._store.setValue("unit", name)

    @property
    def language(self) -> str:
        """What was chosen to be spoken, one of languages(); "" if nothing was, and it is what the desktop speaks."""
        return str(self._read("language", "", one_of(("", *languages()))))

    @language.setter
    def language(self, name: str) -> None:
        self._store.setValue("language", name)

    @property
    def geometry(self) -> QByteArray | None:
        """The window's place and size, as Qt packs them."""
        value = self._read("geometry", None, packed_bytes)
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("geometry", geometry)
