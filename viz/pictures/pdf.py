"""A drawing as a PDF file: lines as lines, letters of our typefaces in it, and nothing of the moment it was made at."""

from __future__ import annotations

import re
from html import escape

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QSizeF
from PySide6.QtGui import QPageSize, QPdfWriter

from bellwire.viz.pictures.drawing import Drawing
from bellwire.viz.pictures.pdf_objects import PdfObjects
from bellwire.viz.pictures.provenance import NAMESPACE, Provenance
from bellwire.viz.style.painting import painter_on

POINTS = 0.75  # to a pixel, as CSS has them
DPI = 96
MADE_BY = "bellwire"
DATES = re.compile(rb"/(?:CreationDate|ModDate) \(D:[^)\n]*\)\n")
PAGE = re.compile(rb"/Type /Page\b(?=\n)")
IDS = re.compile(rb"/ID \[[^\]\n]*\]\n")
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:bellwire="{namespace}">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{words}</rdf:li></rdf:Alt></dc:description>
<bellwire:provenance>{provenance}</bellwire:provenance>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def pdf_file(drawing: Drawing, told: Provenance) -> bytes:
    """The file, of one page, with what is told of it."""
    made = QBuffer()
    made.open(QIODevice.OpenModeFlag.WriteOnly)
    paint_page(QPdfWriter(made), drawing, told)
    made.close()
    return without_moment(bytes(made.data().data()), drawing.asked.scale)


def paint_page(writer: QPdfWriter, drawing: Drawing, told: Provenance) -> None:
    """One page, as large as the picture before it is scaled: lines that never grow would not otherwise."""
    width, height = drawing.asked.pixels
    size = QSizeF(width * POINTS, height * POINTS)
    writer.setPdfVersion(QPdfWriter.PdfVersion.PdfVersion_1_6)
    writer.setResolution(DPI)
    writer.setPageSize(QPageSize(size, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setTitle(told.title)
    writer.setCreator(MADE_BY)
    writer.setDocumentXmpMetadata(QByteArray(xmp(told)))
    with painter_on(writer) as painter:
        drawing.paint(painter)


def without_moment(pdf: bytes, scale: float) -> bytes:
    """The same file without when it was made, what hashes decide, and an identity; its page scaled."""
    objects = PdfObjects(pdf)
    for number, content in objects.objects.items():
        page = b"/Type /Page\n/UserUnit %g" % scale
        objects.objects[number] = DATES.sub(b"", PAGE.sub(page, content) if scale != 1 else content)
    objects.forget_when_fonts_were_made()
    objects.renumber_by_use()
    objects.trailer = IDS.sub(b"", objects.trailer)
    return objects.joined()


def xmp(told: Provenance) -> bytes:
    """What is told of it, as XMP."""
    title, words, provenance = map(escape, (told.title, told.alt, told.as_json()))
    return XMP.format(namespace=NAMESPACE, title=title, words=words, provenance=provenance).encode()
