"""The window as a screen reader has it: everything that can be worked, its name, and where the keys lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QRadioButton,
    QWidget,
)

Role = QAccessible.Role
WORKED = {
    *(Role.Button, Role.CheckBox, Role.RadioButton, Role.ComboBox, Role.Slider, Role.SpinBox, Role.EditableText),
    *(Role.PageTabList, Role.Table, Role.List, Role.Tree, Role.Link, Role.Grip, Role.ButtonMenu, Role.ButtonDropDown),
}
INSIDE = (QAbstractSpinBox, QComboBox, QAbstractScrollArea)  # have parts that are worked by the whole
OTHERS = ("PySide6", "Shiboken", "pyqtgraph")  # whose classes take the mouse without there being anything to do
MOST = 400  # controls of a window


class Heard(NamedTuple):
    """Something in the window. widget: None for what is inside of one, as a tab or a row."""

    role: QAccessible.Role
    name: str
    widget: QWidget | None

    def __str__(self) -> str:
        return f"{self.role.name} “{self.name}” ({type(self.widget).__name__})"


def heard_in(top: QWidget) -> list[Heard]:
    """All that is seen of a window or a popup."""
    return list(walk(QAccessible.queryAccessibleInterface(top)))


def walk(interface: QAccessibleInterface | None) -> Iterator[Heard]:
    if interface is None or not interface.isValid() or interface.state().invisible:
        return
    found: QObject | None = interface.object()
    widget = found if isinstance(found, QWidget) else None
    yield Heard(interface.role(), interface.text(QAccessible.Text.Name), widget)
    if interface.role() in (Role.Table, Role.List, Role.Tree, Role.ComboBox):
        return  # what is in it changes with the run, and is gone through by its own keys
    for number in range(interface.childCount()):
        yield from walk(interface.child(number))


def is_worked(one: Heard) -> bool:
    """Whether it is there to be clicked at, or typed into."""
    widget = one.widget
    if widget is None or not widget.isEnabled():
        return False
    ours = [kind for kind in type(widget).__mro__ if not kind.__module__.startswith(OTHERS)]
    clicked = any("mousePressEvent" in vars(kind) for kind in ours)
    linked = isinstance(widget, QLabel) and "<a " in widget.text()
    return one.role in WORKED or linked or clicked


def reached_by_tab(top: QWidget) -> set[QWidget]:
    """Where Tab leads until it is back; other buttons of a group are reached by the arrow keys from there."""
    reached: list[QWidget] = []
    for _ in range(MOST):
        QTest.keyClick(top.focusWidget() or top, Qt.Key.Key_Tab)
        now = top.focusWidget()
        if now is None or (reached and now is reached[0] and reached[-1] is not now):
            break
        reached.append(now)
    assert len(reached) < MOST, f"Tab does not leave {reached[-1]}"
    groups = [widget.group() for widget in reached if isinstance(widget, QAbstractButton) and widget.group()]
    alike = [widget for widget in reached if isinstance(widget, QRadioButton)]
    grouped = {button for group in groups for button in group.buttons()}
    around = [parent for one in alike if (parent := one.parentWidget()) is not None]
    return {*reached, *grouped, *(radio for parent in around for radio in parent.findChildren(QRadioButton))}


def unreached(top: QWidget, keyed: set[str]) -> list[str]:
    """What can be clicked at and neither Tab nor, as for the classes `keyed`, keys of the window's own lead to."""
    reached = reached_by_tab(top)
    found = []
    for one in heard_in(top):
        widget = one.widget
        if widget is None or not is_worked(one) or type(widget).__name__ in keyed:
            continue
        whole = widget.parentWidget() if isinstance(widget.parentWidget(), INSIDE) else None  # a spin box's line
        if not {widget, widget.focusProxy(), whole} & reached:
            found.append(str(one))
    return found


def unnamed(top: QWidget) -> list[str]:
    """What can be worked, or is reached by Tab, and says nothing when it is."""
    return [
        f"{one} in {type(one.widget.parentWidget()).__name__}"
        for one in heard_in(top)
        if one.widget is not None
        and (is_worked(one) or one.widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        and not one.name.strip()
    ]
