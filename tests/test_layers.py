"""Who may know whom: a room of the house knows those on the floors below it; guests know nobody."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGINE = sorted((ROOT / "engine").rglob("*.py"))
VIZ = sorted((ROOT / "viz").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
NAMES_OF_TESTS = {path.name for path in TESTS if path.name.startswith("test_")}
QT = {"PySide6", "shiboken6", "pyqtgraph"}
NOT_IN_A_WHEEL = {"bellwire.engine.build", "bellwire.engine.build_hook"}

# The house, from the ground up. Rooms on one floor do not know each other.
FLOORS = (
    (
        *("engine.events", "engine.errors", "engine.outlet", "engine.outputs", "engine.verdict", "engine.foreign"),
        "engine.language",
        "engine.counted",
    ),
    ("engine.kvm", "engine.host"),
    ("engine.scenarios", "engine.kernel"),
    ("engine.machines", "engine.folds", "engine.source"),
    ("engine.attached",),
    ("engine.live", "engine.recordings", "engine.calls"),
    ("engine.exports", "engine.findings"),
    ("viz.text",),
    ("viz.style",),
    ("viz.wires", "viz.terms"),
    ("viz.stages",),
    ("viz.model",),
    ("viz.diagram", "viz.timeline", "viz.plots"),
    ("viz.panels", "viz.attached"),
    ("viz.lessons", "viz.pictures"),
    ("viz.window",),
    ("viz.bench", "viz.handout"),
    ("viz.player",),
    ("viz.cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
GROUND = set(FLOORS[0])  # eight modules, one room
DOORS = {"engine", "viz", "viz.__main__", *(name.removeprefix("bellwire.") for name in NOT_IN_A_WHEEL)}
MOST_MODULES = 16  # in a folder, without its __init__
QT_FREE = (  # rooms, and in rooms with Qt the modules that decide what is drawn, apart from the drawing
    "engine",
    "viz.text",
    "viz.wires",
    "viz.terms",
    "viz.stages",
    "viz.model",
    "viz.cli",
    *(f"viz.diagram.{name}" for name in ("blueprint", "captions", "part_words", "still_words")),
    "viz.attached.plan",
    "viz.attached.hop_rows",
    "viz.attached.hop_words",
    *(f"viz.attached.replayed.{name}" for name in ("playing", "row_words")),
    *(f"viz.timeline.{name}" for name in ("columns", "density", "lanes", "scene", "view")),
    *(f"viz.panels.calls.{name}" for name in ("state", "struct")),
    *(f"viz.panels.events.{name}" for name in ("cells", "rows")),
    *(f"viz.panels.sequence.{name}" for name in ("chart", "layout")),
    *(f"viz.pictures.{name}" for name in ("asked", "moment", "plain_qt", "played")),
    *(f"viz.pictures.lists.{name}" for name in ("keys", "list_file", "listed", "toml_places")),
    *(f"viz.pictures.clips.{name}" for name in ("clip_asked", "course", "subtitles")),
    "viz.panels.compare.rows",
)
WITH_QT = ("viz.cli.offscreen",)  # the window on a machine without a display: imported once there is nothing else to do


def name_of(path: Path) -> str:
    """For a test's id: the path from the tree's top."""
    return str(path.relative_to(ROOT))


def imports(source: str) -> set[str]:
    """Every module that a source imports anywhere, as dotted names: `from a import b` gives a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here, so that a reader sees the layer"
            module = node.module or ""
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


@cache
def imported_by(path: Path) -> frozenset[str]:
    """The same of a file, which several rules look at and none changes."""
    return frozenset(imports(path.read_text()))


def forbidden(imported: Collection[str], names: set[str]) -> set[str]:
    """Those imports that are one of `names` or inside of one."""
    return {found for found in imported if any(f"{found}.".startswith(f"{name}.") for name in names)}


def offending(paths: Collection[Path], names: set[str]) -> dict[str, set[str]]:
    """file -> what it imports of `names`, for those that do."""
    return {name_of(path): found for path in paths if (found := forbidden(imported_by(path), names))}


def test_the_rule_finds_each_way_to_break_it() -> None:
    for line in (
        "import PySide6.QtCore",
        "from PySide6 import QtCore",
        "def late():\n import PySide6",
        "import PySide6 as p",
    ):
        assert forbidden(imports(line), QT), line
    assert forbidden(imports("from bellwire.engine import _core"), {"bellwire.engine._core"}) == {
        "bellwire.engine._core"
    }
    assert not forbidden(imports("import PySide6ish, engine.core_facts"), {*QT, "engine._core", "engine.core"})


def module_of(path: Path) -> str:
    """ "engine.kvm.vm", without bellwire; of a folder's __init__ the folder."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str | None:
    """The room that a module is in, "bellwire." or not; None outside of the house and at its doors."""
    name = module.removeprefix("bellwire.")
    return next((room for room in FLOOR if f"{name}.".startswith(f"{room}.")), None)


def above(path: Path) -> set[str]:
    """The rooms that a module knows and may not: on its room's floor, or on a higher one."""
    own = room_of(module_of(path))
    if own is None:
        assert module_of(path) in DOORS
        return set()
    ours = {name for name in imported_by(path) if name.startswith("bellwire.")}
    others = {room for name in ours if (room := room_of(name)) is not None} - {own}
    if own in GROUND:
        others -= GROUND
    return {room for room in others if FLOOR[room] >= FLOOR[own]}


def test_a_room_knows_itself_and_what_is_below() -> None:
    """Late imports and those for types count as well."""
    assert {name_of(path): rooms for path in [*ENGINE, *VIZ] if (rooms := above(path))} == {}


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Modules that each import the one before, the first of them also last; empty if there is no such circle."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_the_rule_finds_a_circle() -> None:
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) in (["b", "c", "b"], ["c", "b", "c"])


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Late imports and those for types count as well: a module can be read without those above it."""
    paths = {module_of(path): path for path in [*ENGINE, *VIZ]}
    graph = {
        module: {name.removeprefix("bellwire.") for name in imported_by(path)} & set(paths)
        for module, path in paths.items()
    }
    for module, path in paths.items():
        if path.stem == "__init__":  # which names its own folder where it imports what is in it
            graph[module].discard(module)
    assert circle_in(graph) == []


def test_the_readme_shows_the_floors() -> None:
    shown = (ROOT / "README.md").read_text().partition("### What may know what")[2].split("```")[1]
    floors = [line.replace("/", ".").split(", ") for line in shown.splitlines() if line]
    assert [set(floor) for floor in reversed(floors)] == [set(floor) for floor in FLOORS]


def test_the_readme_shows_every_room() -> None:
    tree = (ROOT / "README.md").read_text().partition("## The tree")[2].split("```")[1]
    shown = {line.split("/")[0].strip() for line in tree.splitlines() if line.startswith("  ")}
    assert {room.split(".")[1] for room in FLOOR if (ROOT / room.replace(".", "/")).is_dir()} <= shown


def test_no_folder_is_a_crowd() -> None:
    folders = {path.parent for path in [*ENGINE, *VIZ]}
    modules = {folder: [path for path in folder.glob("*.py") if path.stem != "__init__"] for folder in folders}
    assert {name_of(folder): len(some) for folder, some in modules.items() if len(some) > MOST_MODULES} == {}


def test_one_name_means_one_thing() -> None:
    """Of the classes and functions that modules have. `main` and the exports' `write` are called by what they do."""
    found: dict[str, list[str]] = {}
    for path in [*ENGINE, *VIZ]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name not in ("main", "write"):
                found.setdefault(node.name, []).append(name_of(path))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


MIRRORED = [path for side in ("engine", "viz") for path in sorted((ROOT / "tests" / side).rglob("test_*.py"))]


def mirrors(path: Path) -> bool:
    """Whether a file of tests is named after what stands at its place in the house."""
    folder = ROOT / path.parent.relative_to(ROOT / "tests")
    subject = path.stem.removeprefix("test_")
    subjects = {folder.name, *(module.stem for module in folder.glob("*.py"))}
    subjects |= {"core"} if folder.name == "engine" else set()
    subjects |= {"conformance"} if folder.name == "kvm" else set()
    return any(f"{subject}_".startswith(f"{name}_") for name in subjects)


def test_tests_mirror_the_house() -> None:
    """tests/ROOM/test_MODULE.py, or test_MODULE_MORE.py, tests that module; test_ROOM.py the room as a whole.

    What KVM itself answers, test_conformance_*.py, is with the room that asks it.
    """
    assert [name_of(path) for path in MIRRORED if not mirrors(path)] == []


def test_what_tests_share_is_in_support() -> None:
    """No test module is imported: who changes one need not think of another, and each can be run alone."""
    tests = {path: {name for name in imported_by(path) if name.startswith("tests.")} for path in TESTS}
    shared = {
        name_of(path): [name for name in some if f"{name.split('.')[-1]}.py" in NAMES_OF_TESTS]
        for path, some in tests.items()
    }
    assert {path: names for path, names in shared.items() if names} == {}


def test_everything_is_imported_from_the_one_package() -> None:
    """From the tree's top `import engine` would work as well, and bring every class a second time."""
    assert offending([*ENGINE, *VIZ, *TESTS], {"engine", "viz", "guests", "assets"}) == {}


def test_viz_sees_the_engine_not_its_core() -> None:
    assert offending(VIZ, {"bellwire.engine._core"}) == {}


def test_nothing_that_runs_needs_the_build() -> None:
    running = [path for path in [*ENGINE, *VIZ] if path.stem not in ("build", "build_hook")]
    assert offending(running, {*NOT_IN_A_WHEEL, "cffi", "hatchling", "setuptools"}) == {}


def test_rooms_without_qt() -> None:
    paths = {module_of(path): path for path in [*ENGINE, *VIZ]}
    free = {name for name in paths if any(f"{name}.".startswith(f"{room}.") for room in QT_FREE)}
    assert offending([paths[name] for name in sorted(free - {*WITH_QT})], QT) == {}


def brought_along(modules: Collection[str], names: set[str]) -> str:
    """ "MODULE: NAME" for each of the names that is there once modules are imported, one after the other."""
    program = f"""if True:
        import importlib, sys
        for module in {list(modules)!r}:
            importlib.import_module(f"bellwire.{{module}}")
            for name in {names!r} & {{name.partition(".")[0] for name in sys.modules}}:
                print(f"{{module}}: {{name}}")
    """
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_importing_it_brings_no_qt_along() -> None:
    """Neither itself nor through what it imports."""
    assert brought_along(("engine.live.session", "viz.__main__", "viz.cli.app", "viz.model.live"), QT) == ""


def test_guests_know_nobody() -> None:
    """A guest's source may include what lies beside it and the compiler's own headers, which need no library."""
    allowed = {
        '"abi.h"',
        '"guest.h"',
        '"virtio.h"',
        '"pci.h"',
        '"virtio-pci.h"',
        '"blk.h"',
        '"net.h"',
        '"vsock.h"',
        "<stdbool.h>",
        "<stddef.h>",
        "<stdint.h>",
    }
    for source in (ROOT / "guests").glob("*.[chS]"):
        for line in source.read_text().splitlines():
            assert not line.startswith("#include") or line.split()[1] in allowed, f"{source.name}: {line}"


def test_nobody_asks_for_a_style() -> None:
    """PySide's wrapper of it outlives the style once another sheet replaces it, and Qt crashes at the next sheet."""
    ask = re.compile(r"(?<!pen)(?<!brush)(?<!brush\(\))\.style\(\)")  # that of a widget
    asking = [path.name for path in (ROOT / "viz").rglob("*.py") if ask.search(path.read_text())]
    assert asking == []


def test_a_guest_need_not_wait_for_arrow() -> None:
    """Only recordings need it, and it takes longer to import than all of the engine."""
    modules = ("engine.live.session", "viz.cli.app", "viz.cli.opening", "viz.window.window")
    assert brought_along(modules, {"pyarrow"}) == ""


def test_what_is_brought_along_is_found() -> None:
    assert brought_along(("engine.verdict", "viz.window.window"), {"PySide6"}) == "viz.window.window: PySide6\n"
