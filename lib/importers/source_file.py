"""One file to read, unpacked and decoded as it streams."""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, cast

from lib.errors import SourceUnavailable
from lib.importers.archives import buffered, open_member
from lib.importers.encodings import FALLBACK, HEAD_BYTES, encoding_of, format_of

DELIMITERS: Final = (",", ";", "\t", "|")
_BUFFER: Final = 256 * 1024


class SourceFile:
    """One file to read, however it came.

    ``name`` is shown to people: ``orders.csv`` or ``export.zip/orders.csv``. ``format`` is ``csv`` (any
    delimited text), ``json`` or ``parquet``, told by content. Opening it again starts at its beginning.
    """

    def __init__(self, path: Path, *, name: str, member: str = "", limit_bytes: int) -> None:
        self.path = path
        self.name = name
        self.member = member
        self._limit = limit_bytes
        self._open: list[BinaryIO] = []
        self._seen_to = 0
        try:
            self.size = path.stat().st_size
            with self.open_binary() as stream:
                self._head = stream.read(HEAD_BYTES)
        except OSError as error:
            raise SourceUnavailable(f"{name} cannot be opened: {error.strerror or error}.") from error
        self.format = format_of(self._head, name)

    def __repr__(self) -> str:
        return f"SourceFile({self.name!r})"

    @property
    def position(self) -> int:
        """How many bytes of the file on disk were read so far, of ``size``; for progress bars."""
        # A reader may look ahead in a second stream while the first one stands still.
        self._seen_to = max(self._seen_to, *(raw.tell() for raw in self._open if not raw.closed), 0)
        return self._seen_to

    def seen_to(self, position: int) -> None:
        """Say how far another process has read."""
        self._seen_to = position

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: it opens the file itself, wherever it runs."""
        return _reopened, (self.path.absolute(), self.name, self.member, self._limit)

    @contextmanager
    def open_binary(self) -> Iterator[BinaryIO]:
        """The file's own bytes, unpacked.

        Raises, here or while it is read:
            LimitExceeded: it unpacks to more than is allowed.
            SourceUnavailable: it is damaged.
        """
        if self.member:
            with open_member(self.path, self.member, self.name, limit_bytes=self._limit) as stream:
                yield stream
            return
        with io.BufferedReader(io.FileIO(self.path), _BUFFER) as raw:
            stream = cast(BinaryIO, raw)
            if all(each.closed for each in self._open):
                self._seen_to = 0
            self._open.append(stream)
            try:
                if raw.peek(2)[:2] == b"\x1f\x8b":
                    with gzip.open(raw, "rb") as unpacked:
                        yield buffered(
                            cast(BinaryIO, unpacked), self.name, packed_bytes=self.size, limit_bytes=self._limit
                        )
                else:
                    yield stream
            finally:
                self._open = [each for each in self._open if each is not stream]

    @contextmanager
    def open_text(self) -> Iterator[TextIO]:
        """The file as text, line ends untouched: UTF-8 with or without a mark, UTF-16, else Windows-1252."""
        encoding = encoding_of(self._head)
        errors = FALLBACK if encoding.startswith("utf-8") else "replace"
        with (
            self.open_binary() as stream,
            io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as text,
        ):
            try:
                yield text
            finally:
                # Once closed, a stream no longer tells.
                self.seen_to(self.position)

    @cached_property
    def delimiter(self) -> str:
        """What separates the fields, told from the header line: comma, semicolon, tab or bar."""
        line = self._first_line
        if line[:4].lower() == "sep=" and len(line) >= 5:
            return line[4]
        outside = "".join(line.split('"')[0::2])
        counts = {delimiter: outside.count(delimiter) for delimiter in DELIMITERS}
        best = max(DELIMITERS, key=lambda delimiter: counts[delimiter])
        return best if counts[best] else ","

    @cached_property
    def names_its_delimiter(self) -> bool:
        """Whether the first line is Excel's ``sep=;`` and the header comes after it."""
        return self._first_line[:4].lower() == "sep="

    @cached_property
    def _first_line(self) -> str:
        encoding = encoding_of(self._head)
        text = self._head.decode(encoding, FALLBACK if encoding.startswith("utf-8") else "replace")
        return next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")


def _reopened(path: Path, name: str, member: str, limit_bytes: int) -> SourceFile:
    return SourceFile(path, name=name, member=member, limit_bytes=limit_bytes)
