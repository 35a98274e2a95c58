"""ZIP archives and gzip files, opened without trusting them.

Nothing is ever unpacked to disk. What an archive claims of itself is checked first; what it then really
holds is counted while it is read, because a header may lie.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, cast

from lib.errors import ImportRefused, LimitExceeded, SourceUnavailable, UnknownFormat

MAX_MEMBERS: Final = 10_000
# A real export packs 5 to 50 to 1; DEFLATE cannot exceed 1,032 to 1. Small files may pack better by chance.
MAX_RATIO: Final = 200
RATIO_FREE_BYTES: Final = 16 * 1024 * 1024

MEGABYTE: Final = 1024 * 1024


def too_large(name: str, limit_bytes: int) -> LimitExceeded:
    """The refusal that names the limit and how to raise it."""
    return LimitExceeded(
        f"{name} holds more than {limit_bytes // MEGABYTE:,} MB. Split it, or raise ENCORE_UPLOAD_LIMIT_MB."
    )


class Counted(io.RawIOBase):
    """A stream that is counted as it is read, and refused when it exceeds what was allowed."""

    def __init__(self, stream: BinaryIO, name: str, *, packed_bytes: int, limit_bytes: int) -> None:
        super().__init__()
        self._stream = stream
        self._name = name
        self._limit = limit_bytes
        self._suspicious = max(RATIO_FREE_BYTES, packed_bytes * MAX_RATIO)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        try:
            data = self._stream.read(len(buffer))
        except (BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise SourceUnavailable(
                f"{self._name} is damaged: it ends or breaks within the packed data. Download it again."
            ) from error
        size = len(data)
        buffer[:size] = data
        self._count += size
        if self._count > self._limit:
            raise too_large(self._name, self._limit)
        if self._count > self._suspicious:
            raise LimitExceeded(
                f"{self._name} unpacks to over {MAX_RATIO} times its size, as no real export does. It was not read."
            )
        return size


def buffered(stream: BinaryIO, name: str, *, packed_bytes: int, limit_bytes: int) -> BinaryIO:
    """``stream``, counted against its limits."""
    counted = Counted(stream, name, packed_bytes=packed_bytes, limit_bytes=limit_bytes)
    return cast(BinaryIO, io.BufferedReader(counted, buffer_size=256 * 1024))


def _open(path: Path, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceUnavailable(f"{name} is no readable ZIP archive. Download it again.") from error


def _safe_path(info: zipfile.ZipInfo, name: str) -> PurePosixPath:
    inside = info.filename.replace("\\", "/")
    path = PurePosixPath(inside)
    if path.is_absolute() or ".." in path.parts or (path.parts and path.parts[0].endswith(":")) or "\x00" in inside:
        raise LimitExceeded(f"{name} holds a path that leaves its folder ({info.filename!r}). It was not read.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise LimitExceeded(f"{name} holds a link ({info.filename!r}) in place of a file. It was not read.")
    return path


def members(path: Path, name: str, *, limit_bytes: int) -> list[str]:
    """The files in a ZIP, after every check that its directory allows.

    Raises:
        LimitExceeded: too many or too large files, an impossible ratio, or a path that leaves its folder.
        UnknownFormat: a workbook, or an archive within the archive.
        ImportRefused: protected by a password.
        SourceUnavailable: damaged.
    """
    with _open(path, name) as archive:
        listed = archive.infolist()
        if len(listed) > MAX_MEMBERS:
            raise LimitExceeded(f"{name} holds {len(listed):,} files; {MAX_MEMBERS:,} are allowed.")
        names = {info.filename for info in listed}
        if "[Content_Types].xml" in names or "mimetype" in names:
            raise UnknownFormat(f"{name} is an Excel workbook or another office document. Save the sheet as CSV UTF-8.")
        found: list[str] = []
        total = 0
        for info in listed:
            inside = _safe_path(info, name)
            if info.is_dir() or inside.name.startswith(".") or "__MACOSX" in inside.parts:
                continue
            shown = f"{name}/{inside}"
            if info.flag_bits & 0x1:
                raise ImportRefused(f"{name} is protected by a password. Unpack it and import the folder.")
            if inside.suffix.lower() in (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz"):
                raise UnknownFormat(f"{shown} is an archive within an archive. Unpack it and import the folder.")
            total += info.file_size
            if total > limit_bytes:
                raise too_large(name, limit_bytes)
            if info.file_size > max(RATIO_FREE_BYTES, info.compress_size * MAX_RATIO):
                raise LimitExceeded(
                    f"{shown} unpacks to more than {MAX_RATIO} times its size, as no real export does. It was not read."
                )
            found.append(info.filename)
        return sorted(found)


@contextmanager
def open_member(path: Path, member: str, name: str, *, limit_bytes: int) -> Iterator[BinaryIO]:
    """Open one file of a ZIP; it is counted as it is read."""
    with _open(path, name) as archive:
        info = archive.getinfo(member)
        try:
            stream = archive.open(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise SourceUnavailable(f"{name} cannot be unpacked ({error}). Pack it as an ordinary ZIP.") from error
        with stream:
            yield buffered(cast(BinaryIO, stream), name, packed_bytes=info.compress_size, limit_bytes=limit_bytes)
