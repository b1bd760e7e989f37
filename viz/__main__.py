"""The command bellwire. Arguments are parsed before Qt is imported."""

from __future__ import annotations

import sys

from bellwire.viz.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
