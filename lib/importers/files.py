"""Files to read, however they come: plain, gzipped, inside a ZIP, or in a folder.

Everything streams: a file of two gigabytes takes no more memory than one of two kilobytes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lib.errors import LimitExceeded, SourceUnavailable, UnknownFormat
from lib.importers.archives import MAX_MEMBERS, MEGABYTE, members
from lib.importers.records import ReadContext
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.source_file import SourceFile

__all__ = ["SUFFIXES", "Row", "Rows", "SourceFile", "read_rows", "source_files"]

# What is read from a folder or an archive; a file that is named outright is judged by its content alone.
SUFFIXES: Final = (".csv", ".tsv", ".txt", ".tab", ".json", ".jsonl", ".ndjson", ".parquet")


def source_files(paths: Sequence[Path], context: ReadContext) -> list[SourceFile]:
    """Open what was named: files, folders of files, ZIP archives; in the order of their names.

    Raises:
        SourceUnavailable: a path does not exist, may not be read, or is damaged.
        UnknownFormat: an empty file, a workbook, a document, or nothing to read at all.
        LimitExceeded: more bytes, files or packing than is allowed, or a path that leaves its folder.
    """
    limit = context.upload_limit_bytes
    found: list[SourceFile] = []
    for path in paths:
        if path.is_dir():
            found += _folder(path, limit)
        elif path.exists():
            if not path.is_file():
                raise SourceUnavailable(f"{path} is neither a file nor a folder: it is a device, a pipe or a socket.")
            found += _file(path, path.name, limit)
        else:
            raise SourceUnavailable(f"There is no file or folder {path}.")
    if not found:
        raise UnknownFormat("Nothing to import was named. Name a file, a folder or a ZIP archive.")
    return found


def _file(path: Path, name: str, limit: int) -> list[SourceFile]:
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise SourceUnavailable(f"{name} cannot be opened: {error.strerror or error}.") from error
    if size > limit:
        raise LimitExceeded(
            f"{name} has {size / MEGABYTE:,.0f} MB; {limit // MEGABYTE:,} MB are allowed. "
            "Split it, or raise ENCORE_UPLOAD_LIMIT_MB."
        )
    if start not in (b"PK\x03\x04", b"PK\x05\x06"):
        return [SourceFile(path, name=name, limit_bytes=limit)]
    inside = members(path, name, limit_bytes=limit)
    wanted = [member for member in inside if Path(member).suffix.lower() in SUFFIXES]
    if not wanted:
        listed = ", ".join(Path(member).name for member in inside[:5]) or "nothing"
        raise UnknownFormat(f"{name} holds no CSV, JSON or Parquet file (it holds: {listed}).")
    return [SourceFile(path, name=f"{name}/{member}", member=member, limit_bytes=limit) for member in wanted]


def _folder(folder: Path, limit: int) -> list[SourceFile]:
    found: list[SourceFile] = []
    others: list[str] = []
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count > MAX_MEMBERS:
            raise LimitExceeded(f"{folder.name} holds more than {MAX_MEMBERS:,} files. Name the export's own folder.")
        inside = path.relative_to(folder)
        if any(part.startswith(".") or part == "__MACOSX" for part in inside.parts) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise LimitExceeded(f"{folder.name}/{inside} is a link out of its folder. Name the file itself.")
        suffix = path.suffix.lower()
        if suffix in SUFFIXES or suffix in (".gz", ".zip"):
            found += _file(path, f"{folder.name}/{inside}", limit)
        else:
            others.append(str(inside))
    if not found:
        listed = ", ".join(others[:5]) or "nothing"
        raise UnknownFormat(f"The folder {folder.name} holds no CSV, JSON or Parquet file (it holds: {listed}).")
    return found
