"""A page of paper as a PDF: words, lines and bars, with the fonts that every reader has; no outside help needed.

Helvetica knows the letters of western Europe; others are written as a question mark.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 48.0
Colour = tuple[float, float, float]
INK: Colour = (0.05, 0.07, 0.09)
MUTED: Colour = (0.35, 0.39, 0.44)
LINE: Colour = (0.86, 0.88, 0.91)
ACCENT: Colour = (0.08, 0.5, 0.42)
BAD: Colour = (0.79, 0.22, 0.18)
# Bold letters, and the letters that a reader puts in Helvetica's place, are wider.
NARROWER = 0.82
# Widths of Helvetica in thousandths, from the space to the tilde (Adobe's metrics of the standard fonts).
_WIDE = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 "
    "584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584"
)
_WIDTHS = {chr(32 + place): int(width) for place, width in enumerate(_WIDE.split())}
# What the encoding of the standard fonts lacks, in its nearest form.
_NEAREST = str.maketrans({"−": "–", "→": ">", "\u2060": "", "\u00a0": " ", "≥": ">", "≤": "<", "\n": " "})


def width_of(text: str, size: float) -> float:
    """How wide a text is, in points."""
    return sum(_WIDTHS.get(sign, 556) for sign in text) * size / 1000


def wrapped(text: str, size: float, width: float) -> list[str]:
    """A text in lines that fit; a word that is too long is broken."""
    lines, line = [], ""
    for word in text.split():
        while width_of(word, size) > width:
            fits = next(n for n in range(len(word), 0, -1) if n == 1 or width_of(word[:n], size) <= width)
            lines += [line] if line else []
            lines.append(word[:fits])
            line, word = "", word[fits:]
        longer = f"{line} {word}".strip()
        if width_of(longer, size) <= width:
            line = longer
        else:
            lines.append(line)
            line = word
    return [*lines, line] if line else lines


@dataclass(slots=True)
class Sheet:
    """One document, drawn from the top of each page down; coordinates in points from the top left."""

    title: str
    pages: list[list[str]] = field(default_factory=lambda: [[]])
    y: float = MARGIN

    def room(self, needed: float) -> None:
        """Go on to a new page where too little of this one is left."""
        if self.y + needed > HEIGHT - MARGIN:
            self.pages.append([])
            self.y = MARGIN

    def text(
        self, words: str, x: float, y: float, *, size: float = 10, bold: bool = False, colour: Colour = INK
    ) -> None:
        """A line of text whose foot stands at ``y``."""
        shown = words.translate(_NEAREST).encode("cp1252", "replace")
        kept = shown.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
        safe = "".join(chr(sign) if 32 <= sign < 127 else f"\\{sign:03o}" for sign in kept if sign >= 32)
        red, green, blue = colour
        self.pages[-1].append(
            f"BT /F{2 if bold else 1} {size:g} Tf {red:g} {green:g} {blue:g} rg "
            f"{x:.2f} {HEIGHT - y:.2f} Td ({safe}) Tj ET"
        )

    def right(self, words: str, x: float, y: float, *, size: float = 10, colour: Colour = INK) -> None:
        """A line of text that ends at ``x``."""
        self.text(words, x - width_of(words.translate(_NEAREST), size), y, size=size, colour=colour)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle; ``y`` is its top."""
        red, green, blue = colour
        self.pages[-1].append(
            f"{red:g} {green:g} {blue:g} rg {x:.2f} {HEIGHT - y - height:.2f} {width:.2f} {height:.2f} re f"
        )

    def heading(self, words: str, *, size: float = 12) -> None:
        """A heading, with room for what follows it."""
        self.room(size + 40)
        self.y += size + 10
        self.text(words, MARGIN, self.y, size=size, bold=True)
        self.y += 6

    def paragraph(self, words: str, *, size: float = 10, bold: bool = False, colour: Colour = INK) -> None:
        """Words over as many lines as they need."""
        for line in wrapped(words.translate(_NEAREST), size, (WIDTH - 2 * MARGIN) * (NARROWER if bold else 1.0)):
            self.room(size * 1.45)
            self.y += size * 1.45
            self.text(line, MARGIN, self.y, size=size, bold=bold, colour=colour)

    def table(
        self,
        rows: Iterable[tuple[str, ...]],
        *,
        places: tuple[float, ...],
        size: float = 8.8,
        faint: tuple[int, ...] = (0,),
    ) -> None:
        """Rows of cells; each begins at its place, a share of the width, and is cut where the next begins.

        Args:
            faint: which cells say what the others are.
        """
        whole = WIDTH - 2 * MARGIN
        ends = (*places[1:], 1.0)
        for row in rows:
            self.room(size * 1.6)
            self.y += size * 1.6
            for place, (words, start, end) in enumerate(zip(row, places, ends, strict=True)):
                fitting = wrapped(words.translate(_NEAREST), size, (end - start) * whole * 0.9)
                cell = fitting[0] if len(fitting) == 1 else f"{fitting[0]} …" if fitting else ""
                self.text(cell, MARGIN + start * whole, self.y, size=size, colour=MUTED if place in faint else INK)
            self.box(MARGIN, self.y + 3, whole, 0.5, LINE)

    def to_bytes(self) -> bytes:
        """The document as a file."""
        objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
        objects += [
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()
            for name in ("Helvetica", "Helvetica-Bold")
        ]
        kids = []
        for drawn in self.pages:
            stream = "\n".join(drawn).encode("ascii")
            objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
            page = (
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH:g} {HEIGHT:g}] /Contents {len(objects)} 0 R "
                "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>"
            )
            objects.append(page.encode())
            kids.append(f"{len(objects)} 0 R")
        objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
        # Text of the document's own properties in two bytes a sign, so that any letters are right.
        objects.append(b"<< /Title <FEFF%s> >>" % self.title.encode("utf-16-be").hex().upper().encode())
        out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(objects, start=1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
            len(objects) + 1,
            len(objects),
            start,
        )
        return bytes(out)
