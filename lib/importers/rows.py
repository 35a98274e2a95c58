"""Rows of a delimited file, each with the line it starts on and its text as it stands there.

A row is not frozen, for the reason that records are not (see lib.importers.records).
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from lib.errors import MissingColumns, UnknownFormat
from lib.importers.records import Origin, Rejected
from lib.importers.source_file import SourceFile

# One unclosed quote must not swallow a file: what no real field reaches ends it.
FIELD_LIMIT: Final = 1_000_000
MAX_COLUMNS: Final = 5_000
LINE_LIMIT: Final = 4 * FIELD_LIMIT
KEPT_TEXT: Final = 20_000

csv.field_size_limit(FIELD_LIMIT)


@dataclass(slots=True)
class Row:
    """One row: ``line`` is its first line in the file (the header's is 1), ``text`` as it stands there.

    ``values`` always has as many fields as the header. ``problem`` says why the row cannot be trusted
    (too many or too few fields, an unclosed quote); readers turn such a row into ``rows.rejected(…)``.
    """

    line: int
    text: str
    values: list[str]
    problem: str = ""


@dataclass(slots=True)
class Head:
    """The header of a file, once it is read."""

    names: list[str] = field(default_factory=list)
    text: str = ""


class Rows:
    """The rows of one file, streaming: iterate it once; blank lines are skipped.

    >>> rows = read_rows(file)
    >>> for row in rows:
    ...     number = row.values[rows.column("Order")]
    """

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        head = Head()
        # It does not know these rows: so the file is closed as soon as nobody wants them any more.
        self._iterator = self._read(file, head)
        # The header is read at once, so that a reader can look at it before the first row.
        next(self._iterator)
        self.header = head.names
        self.header_text = head.text

    def __iter__(self) -> Iterator[Row]:
        return self._iterator

    def column(self, *names: str) -> int:
        """Where the first of ``names`` stands in the header, however it is capitalised.

        Raises:
            MissingColumns: none of them is there.
        """
        known = {name.casefold(): index for index, name in reversed(list(enumerate(self.header)))}
        for name in names:
            if name.casefold() in known:
                return known[name.casefold()]
        wanted = " or ".join(repr(name) for name in names)
        raise MissingColumns(f"{self.file.name} has no column {wanted}. Its columns: {', '.join(self.header[:40])}.")

    def has(self, name: str) -> bool:
        """Whether the header names this column, however it is capitalised."""
        return any(name.casefold() == known.casefold() for known in self.header)

    def rejected(self, row: Row, kind: str, reason: str, **more: Any) -> Rejected:
        """The row as one that cannot be trusted, with its place, its text and the header."""
        text = row.text.rstrip("\r\n")[:KEPT_TEXT]
        return Rejected(kind, self.file.name, row.line, reason, text, header=self.header_text, **more)

    def origin(self, row: Row) -> Origin:
        """Where a record of this one row stands, for the case that the loader must reject it."""
        return Origin(self.file.name, row.line, row.text.rstrip("\r\n")[:KEPT_TEXT], self.header_text)

    @staticmethod
    def _read(file: SourceFile, head: Head) -> Iterator[Any]:
        """Fill the head and yield nothing once, then the rows."""
        return _read_delimited(file, head)


def read_rows(file: SourceFile) -> Rows:
    """Read the rows of a delimited file.

    Raises:
        UnknownFormat: the file is JSON or Parquet, or has no header.
    """
    if file.format != "csv":
        raise UnknownFormat(f"{file.name} is {file.format.upper()}, not a CSV file.")
    return Rows(file)


def _read_delimited(file: SourceFile, head: Head) -> Iterator[Any]:
    """Nothing once, when the header is read, then the rows."""
    with file.open_text() as stream:
        lines = _Lines(partial(stream.readline, LINE_LIMIT))
        if file.names_its_delimiter:
            next(lines, None)
            lines.begin_row()
        delimiter = file.delimiter
        parser = csv.reader(lines, delimiter=delimiter)
        try:
            for values in parser:
                if any(value.strip() for value in values):
                    break
                lines.begin_row()
            else:
                raise UnknownFormat(f"{file.name} holds nothing but blank lines. Export it again.")
        except csv.Error as error:
            raise UnknownFormat(f"The first line of {file.name} is no header: a field of it never ends.") from error
        if len(values) > MAX_COLUMNS:
            raise UnknownFormat(f"{file.name} has {len(values):,} columns; this is no export of a shop.")
        head.names = [value.strip().lstrip("\ufeff") for value in values]
        head.text = "".join(lines.taken).rstrip("\r\n").lstrip("\ufeff")
        lines.begin_row()
        yield None
        width = len(head.names)
        while True:
            try:
                for values in parser:
                    taken = lines.taken
                    if (
                        len(values) == width
                        and (len(taken) == 1 or lines.are_sound(delimiter))
                        and not (lines.ended and lines.are_open())
                    ):
                        row = Row(lines.line, taken[0] if len(taken) == 1 else "".join(taken), values)
                        lines.begin_row()
                        yield row
                    elif any(values):
                        problem, retry = _judge(values, width, lines, delimiter)
                        text = taken[0] if retry else "".join(taken)
                        row = Row(lines.line, text, (values + [""] * width)[:width], problem)
                        if retry:
                            lines.push_back()
                            parser = csv.reader(lines, delimiter=delimiter)
                            yield row
                            break
                        lines.begin_row()
                        yield row
                    else:
                        lines.begin_row()
                else:
                    return
            except csv.Error:
                first = lines.taken[0] if lines.taken else ""
                row = Row(lines.line, first, [""] * width, _never_ends(first))
                lines.push_back()
                parser = csv.reader(lines, delimiter=delimiter)
                yield row


def _judge(values: list[str], width: int, lines: "_Lines", delimiter: str) -> tuple[str, bool]:
    """What is wrong with a row, and whether its later lines are to be read again as rows of their own."""
    is_broken = len(lines.taken) > 1 and (len(values) != width or not lines.are_sound(delimiter))
    if is_broken or (lines.ended and lines.are_open()):
        return _never_ends(lines.taken[0]), True
    if len(values) > width and not any(values[width:]):
        return "", False
    return f"The row has {len(values)} fields where the header has {width}.", False


def _never_ends(line: str) -> str:
    if len(line) > FIELD_LIMIT:
        return f"The line is longer than {FIELD_LIMIT:,} characters."
    return 'A quoted field (") that starts on this line never ends, or the row is broken over several lines.'


class _Lines:
    """Physical lines for the CSV parser, remembering those of the row being read."""

    def __init__(self, readline: "partial[str]") -> None:
        self._fresh = iter(readline, "")
        self._again: list[str] = []
        self.ended = False
        self.taken: list[str] = []
        self.line = 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.pop()
        else:
            line = next(self._fresh, "")
            if not line:
                self.ended = True
                raise StopIteration
            if "\x00" in line:
                line = line.replace("\x00", "")
        self.taken.append(line)
        return line

    def begin_row(self) -> None:
        self.line += len(self.taken)
        self.taken = []

    def push_back(self) -> None:
        """Give back all lines of the row but its first."""
        self._again.extend(reversed(self.taken[1:]))
        self.taken = self.taken[:1]
        self.begin_row()

    def are_open(self) -> bool:
        """Whether the lines taken leave a quote unclosed."""
        return sum(line.count('"') for line in self.taken) % 2 == 1

    def are_sound(self, delimiter: str) -> bool:
        """Whether every quoted field of these lines ends before a delimiter.

        A quote that was left open ends at the next field that is quoted, in the middle of a later row.
        """
        try:
            next(csv.reader(self.taken, delimiter=delimiter, strict=True))
        except csv.Error:
            return False
        return True
