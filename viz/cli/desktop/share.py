"""The files that desktops, shells and man look for below a folder `share`: which, and what is in them."""

from __future__ import annotations

from typing import Any

from bellwire.viz.cli.desktop.entry import entry_calling
from bellwire.viz.cli.desktop.manual_page import manual_page
from bellwire.viz.cli.desktop.metainfo import METAINFO
from bellwire.viz.text.assets import asset

ENTRY = "applications/bellwire.desktop"
FILE_TYPES = "mime/packages/bellwire.xml"
PAGE = "man/man1/bellwire.1"
ZSH = "zsh/site-functions/_bellwire"
COMPLETION = {
    "bash-completion/completions/bellwire": "completion/bellwire.bash",
    ZSH: "completion/bellwire.zsh",
    "fish/vendor_completions.d/bellwire.fish": "completion/bellwire.fish",
}
THEME = "icons/hicolor"
ICONS = {"bellwire": "apps/bellwire", "recording": "mimetypes/application-x-bellwire-recording"}
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def shared_files(program: Any, call: list[str]) -> dict[str, bytes]:
    """What is in each, by its path below `share`.

    program: Click's command, with all commands in it. call: the words by which a desktop starts it; ["bellwire"] where
    it is on everybody's path.
    """
    copied = {
        FILE_TYPES: "desktop/bellwire.xml",
        f"metainfo/{METAINFO}": f"desktop/{METAINFO}",
        **COMPLETION,
        **icons(),
    }
    return {
        ENTRY: entry_calling(asset("desktop/bellwire.desktop").read_text(), call).encode(),
        PAGE: manual_page(program).encode(),
        **{path: asset(name).read_bytes() for path, name in copied.items()},
    }


def icons() -> dict[str, str]:
    """Where in the theme each drawing goes."""
    found = {}
    for name, place in ICONS.items():
        found[f"{THEME}/scalable/{place}.svg"] = f"icons/{name}.svg"
        found |= {f"{THEME}/{size}x{size}/{place}.png": f"icons/{name}-{size}.png" for size in SIZES}
    return found
