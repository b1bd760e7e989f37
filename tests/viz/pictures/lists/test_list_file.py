"""What a list means, and what is said of one that means nothing: file, line, column, key, what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.pictures.asked import PictureAsked
from bellwire.viz.pictures.clips.clip_asked import ClipAsked, ClipPace
from bellwire.viz.pictures.lists.list_file import LARGEST_LIST, MOST_OF_SHOT, MOST_PIXELS, read_shot_list
from bellwire.viz.pictures.lists.listed import ListedPicture, ShotListError
from bellwire.viz.pictures.moment import Moment

LIST = """
[defaults]
scenario = "roundtrip"
theme = "print"
folder = "pictures"

[group.tour]
theme = ["light", "dark"]
out = "tour/{name}-{theme}.png"

[group.wide]
group = "tour"
size = "1280x300"
recording = "runs/one.arrow"

[shot.doorbell]
group = "wide"
at = "#median/runnable"

[shot.latency]
view = "latency"
language = ["en"]
text = ["100%", "150%"]
hide = ["pid", "cpu"]
sidecar = true

[shot.window]
view = "window"
front = ["stages", "extended"]
off = "latency:doorbell"

[shot.story]
group = "tour"
scale = 2
pace = "story:2"
fps = 12
seconds = 3
out = ["story-{theme}.gif", "story-{theme}.svg"]
"""


def written(text: str, folder: Path) -> Path:
    """A list with this text."""
    path = folder / "shots.toml"
    path.write_text(text)
    return path


def pictures_of(text: str, folder: Path, outside: bool = False) -> tuple[ListedPicture, ...]:
    """What it asks for."""
    return read_shot_list(written(text, folder), outside).pictures


def test_a_shot_says_what_its_group_and_the_defaults_do_not(tmp_path: Path) -> None:
    found = {str(one.out): one for one in pictures_of(LIST, tmp_path)}
    assert list(found) == [
        *(f"pictures/tour/doorbell-{theme}.png" for theme in ("light", "dark")),
        *(f"pictures/latency-{text}.png" for text in (100, 150)),
        "pictures/window.png",
        *(f"pictures/story-{theme}.{suffix}" for theme in ("light", "dark") for suffix in ("gif", "svg")),
    ]
    first = found["pictures/tour/doorbell-light.png"]
    assert first.asked == PictureAsked(at=Moment.read("#median/runnable"), theme="light", size=(1280, 300))
    assert (first.recording, first.scenario) == (Path("runs/one.arrow"), "")
    latency = found["pictures/latency-150.png"]
    assert latency.asked == PictureAsked("latency", theme="print", text=1.5, hidden=frozenset({"pid", "cpu"}))
    assert (latency.scenario, latency.recording.name) == ("roundtrip", "roundtrip.arrow")
    assert latency.files == [Path("pictures/latency-150.png"), Path("pictures/latency-150.json")]
    assert latency.command == (
        "bellwire shot roundtrip -o pictures/latency-150.png --view latency --theme print --size 720x400 --text 150%"
        " --hide pid,cpu --replay"
    )
    window = found["pictures/window.png"].asked
    assert isinstance(window, PictureAsked)
    assert (window.front, window.off) == (("stages", "extended"), ("latency:doorbell",))
    story = found["pictures/story-dark.gif"]
    assert story.asked == ClipAsked(PictureAsked(theme="dark"), ClipPace(2.0), 12, 3.0)
    assert story.files == [Path("pictures/story-dark.gif"), Path("pictures/story-dark.vtt")]
    assert found["pictures/story-dark.svg"].asked == PictureAsked(theme="dark", scale=2)


SHOT = '[shot.a]\nscenario = "roundtrip"\n'
WRONG = {
    "empty": ("", "1:1: has no picture; [shot.NAME] begins one."),
    "not TOML": ("[shot.a]\nview = \n", "2:8: not TOML: Invalid value."),
    "twice": ("[shot.a]\n[shot.a]\n", "2:8: not TOML: Cannot declare ('shot', 'a') twice."),
    "no end": ('[shot.a]\nview = "x', "2:1: not TOML: Unterminated string (at end of document)."),
    "deep": ("a = " + "[" * 5000, " not TOML that anybody would write: tables and lists in one another without end."),
    "dots": (SHOT + "a." * 200_000 + "a = 1", "3:33: not TOML: A key has at most 16 parts."),
    "digits": (SHOT + "off = [[0x" + "f" * 5000 + "]]", "3:9: shot.a.off: a number is at most"),
    "number": (SHOT + "scale = " + "9" * 400, "3:1: shot.a.scale: a number is at most 9223372036854775807."),
    "groups after groups": (
        "".join(f"[group.g{n}]\ngroup = 'g{n + 1}'\n" for n in range(20)) + "[group.g20]\n" + SHOT + "group = 'g0'\n",
        "32:1: group.g15.group: more than 16 groups go on from each other.",
    ),
    "top": ("[shots.a]\n", "1:1: shots: there is no such table; did you mean shot?"),
    "no table": ("shot = 3\n", "1:1: shot: is 3; allowed is a table."),
    "a shot is none": ("[shot]\na = [1]\n", "2:1: shot.a: is a list; allowed is a table."),
    "key": (SHOT + "  teme = 'dark'\n", "3:3: shot.a.teme: there is no such key; did you mean theme?"),
    "group in defaults": ("[defaults]\ngroup = 'a'\n", "2:1: defaults.group: there is no such key; there are"),
    "view": (SHOT + "view = 'diagran'\n", "3:1: shot.a.view: there is no 'diagran'; did you mean diagram?"),
    "theme": (
        SHOT + "theme = ['dark',\n 'blue']\n",
        "4:2: shot.a.theme: there is no 'blue'; there are dark, light, projector, print.",
    ),
    "type": (
        SHOT + "size = 640\n",
        '3:1: shot.a.size: 640 is not allowed; allowed is pixels, as "1280x720". Or a list of such.',
    ),
    "true": (SHOT + "scale = true\n", "3:1: shot.a.scale: true is not allowed; allowed is a number, as 2."),
    "nothing": (SHOT + "theme = []\n", "3:1: shot.a.theme: is an empty list; leave it out."),
    "size": (SHOT + "size = '640'\n", "3:1: shot.a.size: A size is WIDTHxHEIGHT in pixels, as 1280x720, not '640'."),
    "too large": (SHOT + "size = '16000x16000'\n", f"1:1: shot.a: a picture of a list has at most {MOST_PIXELS >> 20}"),
    "at": (SHOT + "at = 'soon'\n", "3:1: shot.a.at: 'soon' is no moment: name a time"),
    "hide": (SHOT + "hide = ['ip']\n", "3:1: shot.a.hide: --hide takes pid, host, cpu, annotations, not 'ip'."),
    "front": (SHOT + "front = ['stages', 'nothing']\n", "3:1: shot.a.front: --front takes sequence, stages,"),
    "front of a view": (SHOT + "front = 'stages'\n", "1:1: shot.a: --front is for --view window."),
    "off": (SHOT + "off = [1]\n", '3:1: shot.a.off: allowed is a list of curves, as "latency:doorbell".'),
    "language": (SHOT + "language = 'fr'\n", "3:1: shot.a.language: there is no 'fr'; there are en, de."),
    "scenario": ("[shot.a]\nscenario = 'roundtrap'\n", "2:1: shot.a.scenario: There is no scenario 'roundtrap'; did"),
    "of nothing": ("[shot.a]\n", "1:1: shot.a: is of nothing: it needs a scenario or a recording"),
    "of two": (SHOT + "recording = 'a.arrow'\n", "2:1: shot.a.scenario: beside recording: a shot is of one of them."),
    "out": (SHOT + "out = 'a.jpg'\n", '3:1: shot.a.out: "a.jpg" does not say its format; allowed is .png, .svg, .pdf'),
    "out's key": (SHOT + "out = '{nme}.png'\n", "3:1: shot.a.out: there is no {nme}; did you mean name?"),
    "outside": (SHOT + "out = '../a.png'\n", '3:1: shot.a.out: "../a.png" is not in the list\'s folder; --outside'),
    "root": (SHOT + "out = '/etc/a.png'\n", '3:1: shot.a.out: "/etc/a.png" is not in the list\'s folder'),
    "folder": (SHOT + "folder = 'a/../..'\n", '1:1: shot.a: "../a.png" is not in the list\'s folder'),
    "link": (SHOT + "out = 'link/a.png'\n", '3:1: shot.a.out: "link/a.png" is not in the list\'s folder'),
    "steering": (SHOT + 'out = "a\\u001b[2J.png"\n', "3:1: shot.a.out: a text has at most 1000 characters, all of"),
    "name": ('[shot."../a"]\n', "1:1: shot.../a: a shot has a name that a file can have too, as a."),
    "same file": (
        SHOT + "theme = ['dark', 'light']\nout = 'a.png'\n",
        "4:1: shot.a.out: a.png is already that of another picture, of this shot: put what differs into out",
    ),
    "another's": (
        SHOT + "[shot.b]\nscenario = 'roundtrip'\nout = 'x/../a.png'\n",
        "5:1: shot.b.out: a.png is already that of another picture, of a.",
    ),
    "many": (
        SHOT + f"scale = [{', '.join(f'1.{n:03}' for n in range(200))}]\nat = ['1', '2', '3', '4', '5', '6']",
        f"1:1: shot.a: comes to 1200 pictures (200 of scale × 6 of at); a shot has at most {MOST_OF_SHOT}.",
    ),
    "group": (SHOT + "group = 'b'\n", "3:1: shot.a.group: there is no group 'b'; [group.NAME] makes one."),
    "near group": (SHOT + "group = 'tor'\n[group.tour]", "3:1: shot.a.group: there is no group 'tor'; did you"),
    "circle": (
        SHOT + "group = 'b'\n[group.b]\ngroup = 'c'\n[group.c]\ngroup = 'b'\n",
        "7:1: group.c.group: the groups go in a circle: b, c, b.",
    ),
    "of clips": (SHOT + "fps = 10\n", "3:1: shot.a.fps: is of clips, and what this shot makes are none: see out."),
    "of no clip": (SHOT + "scale = 2\nout = 'a.gif'\n", "3:1: shot.a.scale: is of no clip: see out."),
    "a clip's size": (SHOT + "size = '641x360'\nout = 'a.webm'\n", "1:1: shot.a: A webm has an even number of pixels"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str, tmp_path: Path) -> None:
    text, said = WRONG[case]
    (tmp_path / "link").symlink_to("/tmp")
    with pytest.raises(ShotListError) as error:
        pictures_of(text, tmp_path)
    assert str(error.value).removeprefix(f"{tmp_path}/shots.toml:").startswith(said), str(error.value)


def test_a_file_that_is_no_list_says_so(tmp_path: Path) -> None:
    path = written("# é\n", tmp_path)
    with pytest.raises(ShotListError, match=r"nothing\.toml: cannot be read: No such file or directory"):
        read_shot_list(tmp_path / "nothing.toml")
    with pytest.raises(ShotListError, match="cannot be read: Is a directory"):
        read_shot_list(tmp_path)
    path.write_bytes(b"\n\n\xff")
    with pytest.raises(ShotListError, match=r"shots\.toml:3: is not in UTF-8"):
        read_shot_list(path)
    path.write_bytes(b"#" * (LARGEST_LIST + 1))
    with pytest.raises(ShotListError, match="has more than 1024 kB"):
        read_shot_list(path)


def test_it_may_go_outside_where_that_is_asked_for(tmp_path: Path) -> None:
    assert str(pictures_of(SHOT + "out = '../a.png'\n", tmp_path, outside=True)[0].out) == "../a.png"


def test_what_is_near_holds_of_a_scenario_and_a_recording(tmp_path: Path) -> None:
    text = "[defaults]\nrecording = 'x.arrow'\n[shot.b]\n" + SHOT
    assert [one.recording.name for one in pictures_of(text, tmp_path)] == ["x.arrow", "roundtrip.arrow"]
