"""How the window looks; and what is remembered from one start to the next: that, recordings, the window's place."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from bellwire.viz.style.theme import DARK, THEMES, Theme
from bellwire.viz.text.figures import FITTING, UNIT_NAMES


class Look(QObject):
    """What is the same for every source that is shown. Each signal says that what it is named after has changed."""

    theme_changed, unit_changed, extended_changed, motion_changed, presenting_changed = (Signal() for _ in range(5))

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.unit = FITTING.name  # of durations, one of UNIT_NAMES
        self.extended = False  # the diagram has the parts of the kernel that a signal passes
        self.reduced_motion = False  # tokens stand instead of gliding
        self.presenting = False  # for an audience: the diagram and the large numbers only

    def set_theme(self, theme: Theme) -> None:
        """Other colours, or another size of text, everywhere."""
        self.theme = theme
        self.theme_changed.emit()

    def set_unit(self, name: str) -> None:
        """Every duration in this unit."""
        self.unit = name
        self.unit_changed.emit()

    def set_extended(self, on: bool) -> None:
        """The parts of the kernel that a signal passes, or the simple picture."""
        self.extended = on
        self.extended_changed.emit()

    def set_reduced_motion(self, on: bool) -> None:
        """Tokens stand instead of gliding."""
        self.reduced_motion = on
        self.motion_changed.emit()

    def set_presenting(self, on: bool) -> None:
        """For an audience, or for whoever works with it."""
        self.presenting = on
        self.presenting_changed.emit()


class Settings:
    """Kept in $XDG_CONFIG_HOME/bellwire/bellwire.ini."""

    def __init__(self) -> None:
        self._store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "bellwire", "bellwire")

    def restore(self, look: Look) -> None:
        """As it looked last time, but for the theme, which a window opens with."""
        look.set_reduced_motion(self.reduced_motion)
        look.set_extended(self.extended)
        look.set_unit(self.unit)

    def keep(self, look: Look) -> None:
        """As it looks now."""
        self.theme, self.reduced_motion = look.theme, look.reduced_motion
        self.extended, self.unit = look.extended, look.unit

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
