"""Rows of a table, whether it comes as CSV or as Parquet."""

import csv
import io
import json
import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import SourceUnavailable
from lib.importers.rows import Head, Row, Rows, read_rows
from lib.importers.source_file import SourceFile

BATCH = 4_096


def table_rows(file: SourceFile) -> Rows:
    """Read the rows of a CSV or Parquet file; every value is a text, an empty one where there is none.

    Raises:
        UnknownFormat: JSON, or a text without a header.
        SourceUnavailable: a Parquet file that is damaged.
    """
    return ParquetRows(file) if file.format == "parquet" else read_rows(file)


class ParquetRows(Rows):
    """The rows of a Parquet file, streaming; a row's line is its number, counted as if under a header."""

    @staticmethod
    def _read(file: SourceFile, head: Head) -> Iterator[Any]:
        try:
            with _seekable(file) as stream:
                table = pq.ParquetFile(stream)
                head.names = [str(name) for name in table.schema_arrow.names]
                head.text = _as_line(head.names)
                yield None
                line = 2
                for batch in table.iter_batches(batch_size=BATCH):
                    columns = [[as_text(value) for value in column.to_pylist()] for column in batch.columns]
                    for values in zip(*columns, strict=True):
                        yield Row(line, _as_line(list(values)), list(values))
                        line += 1
        except (pa.ArrowException, ValueError) as error:
            raise SourceUnavailable(f"{file.name} is damaged and cannot be read to its end.") from error


def as_text(value: object) -> str:
    """Write a value of a typed column as a CSV would: nothing for a missing one, ISO for times."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _as_line(values: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


@contextmanager
def _seekable(file: SourceFile) -> Iterator[IO[bytes]]:
    """The file's bytes, to be read from any place: packed ones are unpacked to a temporary file first."""
    with file.open_binary() as stream:
        with file.path.open("rb") as raw:
            is_plain = raw.read(4) == b"PAR1"
        if is_plain:
            yield stream
            return
        with tempfile.TemporaryFile() as unpacked:
            shutil.copyfileobj(stream, unpacked, 1024 * 1024)
            unpacked.seek(0)
            yield unpacked
