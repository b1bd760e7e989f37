"""The objects of a PDF come in the order of use, whatever order they were written in."""

from __future__ import annotations

from bellwire.viz.pictures.pdf_objects import PdfObjects

OBJECTS = {
    1: b"<< /Title (a) >>",
    3: b"<< /Type /Catalog /Pages 4 0 R >>",
    4: b"<< /Kids [5 0 R] /Count 1 >>",
    5: b"<< /Font << /F6 6 0 R /F9 9 0 R >> /Contents 7 0 R /Parent 4 0 R >>",
    6: b"<< /BaseFont /Inter /FontDescriptor 8 0 R >>",
    7: b"<< /Length 12 >>\nstream\n9 0 R 12 0 R\nendstream",
    8: b"<< /FontName /QABCDE+Inter >>",
    9: b"<< /BaseFont /Mono /FontDescriptor 10 0 R >>",
    10: b"<< /FontName /QXYZAB+Mono >>",
    2: b"<< /Nobody /refers >>",
}
OTHERWISE = {8: 10, 10: 8}  # the same with two of its fonts the other way round


def pdf(numbers: dict[int, int]) -> bytes:
    """The file. numbers: of some objects, by which other one they go."""
    order = sorted(OBJECTS, key=lambda number: numbers.get(number, number))
    parts, places, at = [b"%PDF-1.6\n"], dict[int, int](), len(b"%PDF-1.6\n")
    for number in order:
        content = OBJECTS[number]
        if number in (6, 9):
            inner = {6: 8, 9: 10}[number]
            content = content.replace(b"%d 0 R" % inner, b"%d 0 R" % numbers.get(inner, inner))
        new = numbers.get(number, number)
        places[new] = at
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (new, content))
        at += len(parts[-1])
    lines = [b"0000000000 65535 f \n", *(b"%010d 00000 n \n" % places[number] for number in range(1, 11))]
    trailer = b"trailer\n<<\n/Size 11 \n/Info 1 0 R\n/Root 3 0 R\n>>\n"
    return b"".join([*parts, b"xref\n0 11\n", *lines, trailer, b"startxref\n%d\n%%%%EOF\n" % at])


def in_order(content: bytes) -> bytes:
    """The file with its objects in the order of use."""
    objects = PdfObjects(content)
    objects.renumber_by_use()
    return objects.joined()


def test_in_whatever_order_fonts_were_written_it_is_the_same_file() -> None:
    assert pdf({}) != pdf(OTHERWISE)
    made = in_order(pdf({}))
    assert made == in_order(pdf(OTHERWISE)) == in_order(made)


def test_each_object_is_what_it_was_by_another_number() -> None:
    objects = PdfObjects(in_order(pdf({})))
    found = {
        number: content.partition(b"\n")[2].removesuffix(b"\nendobj\n") for number, content in objects.objects.items()
    }
    assert list(found) == list(range(1, 11))
    assert objects.trailer.split() == b"trailer << /Size 11 /Info 1 0 R /Root 2 0 R >>".split()
    assert found[2] == b"<< /Type /Catalog /Pages 3 0 R >>"
    assert found[4] == b"<< /Font << /F6 5 0 R /F9 7 0 R >> /Contents 9 0 R /Parent 3 0 R >>"
    assert found[6] == b"<< /FontName /GAAAAA+Inter >>"
    assert found[9] == OBJECTS[7]  # what is in a stream is no reference
    assert found[10] == OBJECTS[2]
