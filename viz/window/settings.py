"""What is remembered from one start to the next: theme, text, motion, diagram, unit, recordings, the window's place."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings

from bellwire.viz.style.theme import DARK, THEMES, Theme
from bellwire.viz.text.figures import FITTING, UNIT_NAMES


class Settings:
    """Kept in $XDG_CONFIG_HOME/bellwire/bellwire.ini."""

    def __init__(self) -> None:
        self._store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "bellwire", "bellwire")

    @property
    def theme(self) -> Theme:
        """The theme of last time; what cannot be read is the dark one at 100 %."""
        theme = THEMES.get(str(self._store.value("theme", DARK.name)), DARK)
        try:
            return theme.scaled(float(str(self._store.value("text", 1.0))))
        except ValueError:
            return theme

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._store.setValue("theme", theme.name)
        self._store.setValue("text", theme.scale)

    @property
    def extended(self) -> bool:
        """Whether the diagram shows the kernel's parts."""
        return str(self._store.value("extended", "false")) == "true"

    @extended.setter
    def extended(self, on: bool) -> None:
        self._store.setValue("extended", "true" if on else "false")

    @property
    def reduced_motion(self) -> bool:
        """Whether tokens stand."""
        return str(self._store.value("reduced_motion", "false")) == "true"

    @reduced_motion.setter
    def reduced_motion(self, on: bool) -> None:
        self._store.setValue("reduced_motion", "true" if on else "false")

    @property
    def recent(self) -> list[str]:
        """Recordings, the newest first."""
        value = self._store.value("recent")
        return [str(name) for name in value] if isinstance(value, list) else [value] if isinstance(value, str) else []

    @recent.setter
    def recent(self, names: list[str]) -> None:
        self._store.setValue("recent", names)

    @property
    def unit(self) -> str:
        """The unit of durations, one of UNIT_NAMES."""
        name = str(self._store.value("unit", FITTING.name))
        return name if name in UNIT_NAMES else FITTING.name

    @unit.setter
    def unit(self, name: str) -> None:
        self._store.setValue("unit", name)

    @property
    def geometry(self) -> QByteArray | None:
        """The window's place and size, as Qt packs them."""
        value = self._store.value("geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._store.setValue("geometry", geometry)
