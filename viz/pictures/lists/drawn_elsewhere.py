"""SVG and PDF in pixels, by another program if one is there: a picture that was made once can be seen by that alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from html import escape
from pathlib import Path

from bellwire.viz.text.assets import asset

DRAWING_PROGRAMS = {
    ".svg": ["rsvg-convert", "--format=png"],
    ".pdf": ["pdftoppm", "-r", "96", "-png", "-singlefile", "-"],
}
PATIENCE = 60  # seconds
OUR_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>"""


def png_of_vectors(content: bytes, suffix: str) -> bytes:
    """A PNG of it; empty if there is no such program, or it makes nothing of it."""
    command = DRAWING_PROGRAMS[suffix]
    if not shutil.which(command[0]):
        return b""
    with tempfile.TemporaryDirectory(prefix="bellwire-") as folder:
        settings = Path(folder, "fonts.conf")
        settings.write_text(OUR_FONTS.format(fonts=escape(str(asset("fonts"))), cache=escape(folder)))
        ours = os.environ | {"FONTCONFIG_FILE": str(settings)}
        try:
            ran = subprocess.run(command, input=content, capture_output=True, check=True, env=ours, timeout=PATIENCE)
        except (OSError, subprocess.SubprocessError):
            return b""
    return ran.stdout
