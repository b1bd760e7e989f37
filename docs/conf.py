"""How Sphinx makes the manual: `make docs`. Nothing of it is asked of a network, neither here nor by who reads it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bellwire.viz.text.versions import program_version  # noqa: E402 (the tree's own parts of the manual are found now)

project = "bellwire"
author = "The bellwire authors"
copyright = f"{author}. MIT licence"
release = version = program_version()

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_design",
    "sphinx_copybutton",
    "docs.computed",
]
exclude_patterns = ["computed", "pictures"]
root_doc = "index"
nitpicky = True
suppress_warnings: list[str] = []

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist", "strikethrough", "tasklist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
autodoc_type_aliases = {name: f"bellwire.engine.{name}" for name in ("Events", "Records")}
python_use_unqualified_type_names = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!bellwire\.).*"),  # of other libraries, whose manuals are elsewhere
    ("py:class", r"bellwire\..*\.(AttachedTo|Binned|MachineKind|Paced|Resumed|SeenNote)"),  # the engine's own business
]

# Only what follows a prompt is copied.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True

html_theme = "furo"
html_title = f"bellwire {release}"
html_favicon = "../assets/icons/bellwire.svg"
html_static_path = ["static"]
html_css_files = ["manual.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # which are fetched, and no browser does so from the file system
html_theme_options = {"navigation_with_keys": True}
smartquotes = False
