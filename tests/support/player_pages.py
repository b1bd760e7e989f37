"""Pages that play a run: what they hold, and the screens on which they are clicked through."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SIZES = {"desktop": (1280, 720, False), "telephone": (390, 844, True)}


def carried_by(page: Path | bytes) -> dict[str, Any]:
    """What a page holds."""
    text = (page.read_bytes() if isinstance(page, Path) else page).decode()
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data
