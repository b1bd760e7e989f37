"""Commands within sentences. In a terminal they stand between backticks, to be copied; a window quotes them. No Qt."""

from __future__ import annotations

import re

from bellwire.engine.language import tr

COMMAND = re.compile(r"`([^`\n]+)`")


def commands_quoted(text: str) -> str:
    """A sentence as a window shows it: each command between quotation marks."""
    return COMMAND.sub(lambda found: tr("“{words}”", words=found[1]), text) if "`" in text else text
