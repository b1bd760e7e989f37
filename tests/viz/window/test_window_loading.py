"""What is imported before the window opens is not looked through for garbage; who has run for a while is left
alone. What the first event does not need is imported after it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

from bellwire.viz.window import importing

PROGRAM = """
import gc
from bellwire.viz.window import importing
before = sum(stat["collections"] for stat in gc.get_stats())
with importing():
    import PySide6.QtCore
    import numpy
print(sum(stat["collections"] for stat in gc.get_stats()) - before, gc.get_freeze_count() > 1000, gc.isenabled())
"""

FIRST_EVENT = """
import sys
from bellwire.viz.window import importing
with importing():
    from bellwire.viz.window.window import make_window
    from tests.support.fake_source import FakeSource
LATER = "pyqtgraph", "numpy.ma"
def there():
    print(*[name for name in LATER if name in sys.modules] or ["none"])
source = FakeSource("roundtrip")
window = make_window(source)
window.resize(1280, 720)
window.show()
while not window.model.present.tally.recorded:
    source.run(0.05)
    window.frame.tick()
there()
window.refresh()
for _ in range(10):
    source.run(0.05)
    window.frame.tick()
there()
window.close()
"""


SOURCES = """
import inspect
read, looked = [], inspect.getsource
inspect.getsource = lambda module: read.append(module) or looked(module)
from bellwire.viz.window import importing_qt
with importing_qt():
    import PySide6.QtWidgets
    from bellwire.viz.window.window import make_window
    import pyqtgraph
print(*[module.__name__ for module in read])
"""


def printed_by(program: str) -> str:
    """What a program prints that runs in a process of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout


def test_plots_are_drawn_with_what_is_imported_after_the_first_event() -> None:
    first, later = printed_by(FIRST_EVENT).splitlines()
    assert first == "none"
    assert "pyqtgraph" in later


def test_nothing_is_collected_while_the_window_is_imported() -> None:
    assert printed_by(PROGRAM).split() == ["0", "True", "True"]


def test_where_qt_is_there_already_nothing_is_kept_from_being_collected() -> None:
    import PySide6.QtCore  # noqa: F401

    frozen = gc.get_freeze_count()
    with importing():
        assert gc.isenabled()
    assert gc.get_freeze_count() == frozen


def test_no_source_is_looked_through_for_other_names_of_qts_functions() -> None:
    looked_through = {name.split(".")[0] for name in printed_by(SOURCES).split()}
    assert not looked_through & {"bellwire", "pyqtgraph", "numpy", "PySide6"}
