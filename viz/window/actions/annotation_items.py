"""What can be done with annotations, as entries of the menus."""

from __future__ import annotations

from collections.abc import Callable

from bellwire.engine.language import tr_later
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.commands import Commands

ANNOTATING = tr_later("Annotations")

C = Commands


def annotation_action(name: str, words: str, key: str, run: Callable[[Commands], None], hint: str) -> Action:
    """Something to do with them."""
    return Action(name, "Analyze", words, (key,) if key else (), run, hint, under=ANNOTATING)


SAVE_ANNOTATIONS = Action(
    "save_notes",
    "File",
    tr_later("Save annotations"),
    (),
    C.save_annotations,
    tr_later("Into the recording that they are on"),
)

ANNOTATION_ITEMS: tuple[Action, ...] = (
    annotation_action(
        "note", tr_later("Add a note…"), "N", C.note, tr_later("At the part, event or stage that is chosen")
    ),
    annotation_action("arrow", tr_later("Draw an arrow…"), "A", C.arrow, tr_later("From what is chosen to a part")),
    annotation_action("note_next", tr_later("Next annotation"), "J", C.next_annotation, tr_later("To its moment")),
    annotation_action(
        "note_before", tr_later("Annotation before"), "Shift+J", C.annotation_before, tr_later("To its moment")
    ),
    annotation_action(
        "note_edit", tr_later("Edit annotation…"), "F2", C.edit_annotation, tr_later("The text of the chosen one")
    ),
    annotation_action(
        "note_ink", tr_later("Next colour of annotation"), "", C.recolor_annotation, tr_later("Of the chosen one")
    ),
    annotation_action(
        "note_delete", tr_later("Delete annotation"), "Del", C.delete_annotation, tr_later("Ctrl+Z brings it back")
    ),
)
