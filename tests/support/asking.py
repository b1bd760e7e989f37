"""A lesson of one step that asks: what a test wants otherwise it replaces in the text."""

from __future__ import annotations

from pathlib import Path

from bellwire.viz.lessons.lesson import Lesson
from bellwire.viz.lessons.lesson_file import lesson_of

ASKING = """+++
title = "Asking"
minutes = 3
knows = ["who is right"]
+++

## Count

```scene
scenario = "roundtrip"
until = "rung >= 40"
```

The doorbell rang {rung} times.

> Say that it rings.

```question
ask = "Which?"
reveal = { until = "rung >= 20" }
[[choices]]
text = "Many"
when = "rung >= 20"
reason = "There were {rung}."
[[choices]]
text = "None"
when = "rung == 0"
reason = "There were {rung}, and not none."
```
"""


def asking(text: str = ASKING) -> Lesson:
    """The lesson with this text."""
    return lesson_of(Path("asking.md"), text)
