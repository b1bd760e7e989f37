"""Qt's own widgets in our colours: menus, lists, sliders, buttons, tooltips, complete in each theme."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from bellwire.viz.style.theme import MONO, SANS, Theme


def wear_theme(app: QApplication, theme: Theme) -> None:
    """The theme for all of Qt's own widgets."""
    wear(app, stylesheet(theme), palette(theme))


def wear(app: QApplication, sheet: str, colors: QPalette) -> None:
    """A style sheet in place of the one before, which is taken off first.

    A sheet that takes another one's place Qt tells to each widget once for itself and once for each that holds it, in
    the window eight times, which takes four times as long.
    """
    app.setStyleSheet("")
    app.setPalette(colors)
    app.setStyleSheet(sheet)


def stylesheet(theme: Theme) -> str:
    """The style sheet of the whole application."""
    t, px = theme, theme.px
    edge = theme.color(theme.edge).name()
    # What is pressed in is darker, and where colours do not say it alone has a frame.
    pressed = f"border: 3px solid {t.text}; background: {t.surface_raised};" if t.marked else f"background: {t.border};"
    dot = 2 * px(8)  # even: Qt leaves corners square whose radius is more than half the side
    return f"""
* {{ font-family: "{SANS}"; font-size: {t.type_px(13)}px; color: {t.text}; outline: none; }}
QMainWindow, QDialog {{ background: {t.background}; }}
QWidget#plain {{ background: transparent; }}

QMenuBar {{ background: {t.surface}; border: none; padding: 1px {px(14)}px; }}
QMenuBar::item {{ background: transparent; color: {t.text_muted}; padding: {px(4)}px {px(9)}px; border-radius: 6px; }}
QMenuBar::item:selected, QMenuBar::item:pressed {{ background: {t.surface_raised}; color: {t.text}; }}
QMenu {{ background: {t.surface}; border: 1px solid {edge}; border-radius: 8px; padding: 6px; }}
QMenu::item {{ padding: {px(6)}px {px(28)}px {px(6)}px {px(26)}px; border-radius: 5px; }}
QMenu::item:selected {{ background: {t.surface_raised}; }}
QMenu::item:disabled {{ color: {t.text_muted}; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 5px 8px; }}
QMenu::indicator {{ width: {px(12)}px; height: {px(12)}px; left: {px(8)}px; }}
QMenu::indicator:checked {{ background: {t.interrupt}; border-radius: 3px; border: 2px solid {t.surface}; }}
QMenu::indicator:unchecked {{ background: {t.surface}; border-radius: 3px; border: 1px solid {t.border_strong}; }}

QToolTip {{ background: {t.surface_raised}; color: {t.text}; border: 1px solid {t.border_strong};
            padding: 5px 8px; font-size: {t.type_px(12)}px; }}

QPushButton, QToolButton {{ background: {t.surface_raised}; border: 1px solid {edge}; border-radius: 8px;
    padding: 0 {px(12)}px; min-height: {px(30)}px; }}
QToolButton {{ padding: 0; min-width: {px(32)}px; qproperty-iconSize: {px(20)}px; }}
QToolButton::menu-indicator {{ image: none; }}
QPushButton:hover, QToolButton:hover {{ border-color: {t.border_strong}; }}
QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked {{ {pressed} }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QSpinBox:focus, QLineEdit:focus {{
    border: 2px solid {t.focus}; }}
QPushButton:focus {{ padding: 0 {px(12) - 2}px; }}
QPushButton:disabled, QToolButton:disabled {{ color: {t.text_muted}; background: {t.surface}; }}
QPushButton#doorbell {{ color: {t.doorbell}; font-weight: 600; }}
QPushButton#interrupt {{ color: {t.interrupt}; font-weight: 600; }}
QPushButton#doorbell:disabled, QPushButton#interrupt:disabled {{ color: {t.text_muted}; font-weight: 400; }}
QPushButton#pill {{ color: {t.paused}; border: 1px solid {t.paused}; border-radius: {px(12)}px;
    min-height: {px(24)}px; max-height: {px(24)}px; font-family: "{MONO}"; font-size: {t.type_px(12)}px; }}
QLabel#heading {{ font-size: {t.type_px(14)}px; font-weight: 600; }}
QRadioButton {{ spacing: {px(8)}px; }}
QRadioButton::indicator {{ width: {dot - 2}px; height: {dot - 2}px; border-radius: {dot // 2}px;
    border: 1px solid {t.border_strong}; background: {t.well}; }}
QRadioButton::indicator:checked {{ border: {px(5)}px solid {t.interrupt};
    width: {dot - 2 * px(5)}px; height: {dot - 2 * px(5)}px; }}
QRadioButton:focus {{ color: {t.focus}; }}
QPushButton#choice {{ text-align: left; }}
QPushButton#choice:disabled {{ color: {t.text}; }}
QPushButton#flat {{ background: transparent; border-color: transparent; color: {t.text_muted}; }}
QPushButton#flat:hover {{ color: {t.text}; border-color: {t.border}; }}

QComboBox {{ background: {t.surface_raised}; border: 1px solid {edge}; border-radius: 8px;
    padding: 0 {px(30)}px 0 {px(14)}px; min-height: {px(30)}px; }}
QComboBox:hover {{ border-color: {t.border_strong}; }}
QComboBox:disabled {{ color: {t.text_muted}; }}
QComboBox::drop-down {{ border: none; width: {px(28)}px; }}
QComboBox::down-arrow {{ image: none; width: 0; height: 0; }}
QComboBox QAbstractItemView, QListView {{ background: {t.surface}; border: 1px solid {t.border_strong};
    border-radius: 6px; padding: 4px; selection-background-color: {t.surface_raised}; selection-color: {t.text}; }}
QListView::item {{ padding: {px(5)}px {px(8)}px; border-radius: 4px; }}
QListView::item:selected {{ background: {t.surface_raised}; color: {t.text}; }}
QListView::item:disabled {{ color: {t.text_muted}; }}

QLineEdit, QSpinBox, QPlainTextEdit {{ background: {t.well}; border: 1px solid {t.border_strong}; border-radius: 7px;
    padding: {px(4)}px {px(8)}px; selection-background-color: {t.interrupt};
    selection-color: {t.text_on_accent}; placeholder-text-color: {t.text_muted}; }}
QLineEdit[wrong="true"] {{ border-color: {t.heavy}; }}
QSpinBox::up-button, QSpinBox::down-button {{ width: 0; border: none; }}

QSlider {{ min-height: {px(22)}px; background: transparent; }}
QSlider::groove:horizontal {{ height: {px(4)}px; border-radius: {px(2)}px; background: {edge}; }}
QSlider::sub-page:horizontal {{ background: {t.text_muted}; border-radius: {px(2)}px; }}
QSlider::handle:horizontal {{ width: {px(16)}px; height: {px(16)}px; margin: -{px(6)}px 0; border-radius: {px(8)}px;
    background: {t.text}; }}
QSlider::handle:horizontal:focus {{ background: {t.focus}; }}
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled {{ background: {t.border_strong}; }}
QSlider:focus {{ border: none; }}

QTableView#events {{ background: transparent; border: none; selection-background-color: transparent; }}
QHeaderView {{ background: transparent; border: none; }}
QHeaderView::section {{ background: {t.surface}; color: {t.text_muted}; border: none;
    border-bottom: 1px solid {t.border}; padding: 0 {px(6)}px; font-size: {t.type_px(11)}px; }}

QProgressBar {{ min-height: {px(22)}px; border: none; border-radius: {px(4)}px; text-align: center;
    background: {t.surface}; color: {t.text}; }}
QProgressBar::chunk {{ background: {t.border_strong}; border-radius: {px(4)}px; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {t.border_strong}; border-radius: 4px; margin: 1px;
    min-height: 24px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}

QLabel {{ background: transparent; }}
QLabel#wordmark {{ font-size: {t.type_px(19)}px; font-weight: 700; }}
QLabel#purpose {{ font-size: {t.type_px(16)}px; font-weight: 600; }}
QLabel#muted {{ color: {t.text_muted}; }}
QLabel#mono {{ font-family: "{MONO}"; }}
QLabel#title {{ font-size: {t.type_px(22)}px; font-weight: 700; }}
QFrame#bar {{ background: {t.surface}; border: none; border-bottom: 1px solid {edge}; }}
QFrame#card, QFrame#popover {{ background: {t.surface}; border: 1px solid {edge}; border-radius: 12px; }}
QFrame#popover {{ border-color: {t.border_strong}; }}
QTabBar, QTabBar:focus {{ background: transparent; border: none; }}
QTabBar::tab {{ background: transparent; color: {t.text_muted}; font-size: {t.type_px(13)}px; font-weight: 600;
    border: none; border-bottom: {2 * px(1.5)}px solid transparent;
    padding: {px(2)}px {px(4)}px; margin-right: {px(12)}px; }}
QTabBar::tab:hover {{ color: {t.text}; }}
QTabBar::tab:selected {{ color: {t.text}; border-bottom-color: {t.interrupt}; }}
QTabBar::tab:selected:focus {{ border-bottom-color: {t.focus}; }}
QTabBar::scroller {{ width: {px(22)}px; }}
QTabBar QToolButton {{ min-width: 0; min-height: 0; border-radius: 4px; background: {t.surface_raised}; }}
QTextBrowser, QListView#calls {{ background: transparent; border: none; padding: 0; }}
QPlainTextEdit {{ font-family: "{MONO}"; }}
QSplitter::handle {{ background: transparent; }}
QSplitter::handle:horizontal:hover, QSplitter::handle:vertical:hover {{ background: {t.border}; border-radius: 4px;
    margin: 3px; }}
"""


def palette(theme: Theme) -> QPalette:
    """The palette behind the style sheet, for what Qt paints without asking it (links, placeholders, dialogs)."""
    colors = {
        QPalette.ColorRole.Window: "background",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "well",
        QPalette.ColorRole.AlternateBase: "surface",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.PlaceholderText: "text_muted",
        QPalette.ColorRole.Button: "surface_raised",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.BrightText: "heavy",
        QPalette.ColorRole.Light: "surface_raised",
        QPalette.ColorRole.Midlight: "border",
        QPalette.ColorRole.Mid: "border_strong",
        QPalette.ColorRole.Dark: "border",
        QPalette.ColorRole.Shadow: "border",
        QPalette.ColorRole.Highlight: "interrupt",
        QPalette.ColorRole.HighlightedText: "text_on_accent",
        QPalette.ColorRole.Link: "interrupt",
        QPalette.ColorRole.LinkVisited: "kvm",
        QPalette.ColorRole.ToolTipBase: "surface_raised",
        QPalette.ColorRole.ToolTipText: "text",
    }
    made = QPalette()
    for role, name in colors.items():
        made.setColor(role, theme.color(name))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, theme.color("text_muted"))
    return made
