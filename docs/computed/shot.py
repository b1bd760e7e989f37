"""`{shot} NAME`: the picture of docs/pictures, in light and in dark, with what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from bellwire.engine.recordings.shipped import ELSEWHERE, path_of_shipped
from bellwire.viz.pictures.provenance import Provenance, read_provenance

PICTURES = Path(__file__).resolve().parent.parent / "pictures"
SUFFIXES = (".svg", ".png")


class Shot(SphinxDirective):
    """Its text is the caption; without one, the caption is the one that was computed with the picture."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged, "no-command": directives.flag}

    def run(self) -> list[nodes.Node]:
        """A figure of one or two pictures, a caption, and the command that makes it again."""
        files = files_of(self.arguments[0])
        if not files:
            raise self.error(f"docs/pictures has no {self.arguments[0]}, with -light, -dark or neither.")
        told = read_provenance(next(iter(files.values())))
        figure = nodes.figure(classes=["shot"])
        figure += [self.image(file, look, told) for look, file in files.items()]
        figure += nodes.caption("", "", *self.caption(told))
        if "no-command" not in self.options:
            figure += nodes.legend("", command_again(told))
        self.set_source_info(figure)
        return [figure]

    def image(self, file: Path, look: str, told: Provenance) -> nodes.reference:
        """By a click it is seen in its own size. look: the class by which furo shows it in one of its two themes."""
        self.env.note_dependency(file)
        image = nodes.image(uri=f"/pictures/{file.name}", alt=self.options.get("alt", told.alt))
        return nodes.reference("", "", image, refuri=f"_images/{file.name}", classes=[look] if look else [])

    def caption(self, told: Provenance) -> list[nodes.Node]:
        """In words of the page, or of the picture."""
        if not self.content:
            return [nodes.Text(told.caption)]
        parsed = self.parse_content_to_nodes()
        return [child for paragraph in parsed for child in paragraph.children]


def files_of(name: str) -> dict[str, Path]:
    """By furo's class: both, or one without a class where there is only one."""
    found = {look: file_of(f"{name}-{look}") for look in ("light", "dark")}
    files = {f"only-{look}": file for look, file in found.items() if file}
    if len(files) == 2:
        return files
    alone = file_of(name) or next(iter(files.values()), None)
    return {"": alone} if alone else {}


def file_of(stem: str) -> Path | None:
    """The picture of this name, if there is one."""
    return next((PICTURES / f"{stem}{suffix}" for suffix in SUFFIXES if (PICTURES / f"{stem}{suffix}").exists()), None)


def command_again(told: Provenance) -> nodes.literal_block:
    """To copy. What is made of a recording that comes with the program needs no file."""
    line = f"$ {told.command}"
    name = told.recording.removesuffix(".arrow")
    if told.recording == path_of_shipped(told.scenario).name:
        line = line.replace(f"shot {told.recording}", f"shot {told.scenario} --replay")
    elif ELSEWHERE in name and path_of_shipped(name).exists():
        line = line.replace(f"shot {told.recording}", f"shot {name}")
    return nodes.literal_block(line, line, language="console", classes=["shot-command"])
