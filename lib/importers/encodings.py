"""Which characters a file's bytes mean, and whether it is text at all.

Text is UTF-8 (with or without a byte-order mark), UTF-16, or Windows-1252. The last two of these are
told apart as the file is read, not by a guess at its start: bytes that are no UTF-8 are read as
Windows-1252, wherever they stand. So one stray byte two gigabytes deep neither stops the import nor
garbles the rest, and a file of Windows-1252 throughout is read right in the same single pass.
"""

import codecs
from typing import Final

from lib.errors import UnknownFormat

FALLBACK: Final = "encore-windows-1252"
HEAD_BYTES: Final = 65_536

# The five bytes that Windows-1252 leaves undefined become the control characters of Latin-1.
_WINDOWS_1252 = [bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(256)]


def _read_as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(_WINDOWS_1252[b] for b in error.object[error.start : error.end]), error.end


codecs.register_error(FALLBACK, _read_as_windows_1252)


def encoding_of(head: bytes) -> str:
    """The encoding to open a text with, from its first bytes; to be used with ``errors=FALLBACK``."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = head[:4096]
    if len(sample) >= 4:
        half = len(sample) // 2
        if sample[1::2].count(0) > 0.4 * half and sample[0::2].count(0) == 0:
            return "utf-16-le"
        if sample[0::2].count(0) > 0.4 * half and sample[1::2].count(0) == 0:
            return "utf-16-be"
    return "utf-8"


# What people pick by mistake, by its first bytes, and what to do instead.
_MISTAKEN = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", "Open it and save the sheet as CSV UTF-8."),
    (b"%PDF", "a PDF document", "Export the data as CSV instead."),
    (b"SQLite format 3\x00", "an SQLite database", "Use the source `sql` with sqlite:///PATH."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it, or pack the files as ZIP."),
    (b"Rar!", "a RAR archive", "Unpack it, or pack the files as ZIP."),
    (b"BZh", "a bzip2 file", "Unpack it, or pack it as ZIP or gzip."),
    (b"\xfd7zXZ\x00", "an xz file", "Unpack it, or pack it as ZIP or gzip."),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "Unpack it, or pack it as ZIP or gzip."),
    (b"\x89PNG", "a picture", "Export the data as CSV instead."),
    (b"\xff\xd8\xff", "a picture", "Export the data as CSV instead."),
)


def format_of(head: bytes, name: str) -> str:
    """Tell ``csv`` (any delimited text), ``json`` and ``parquet`` apart by the first bytes.

    Raises:
        UnknownFormat: empty, or something that is no text; says what it is and what to do.
    """
    if not head:
        raise UnknownFormat(f"{name} is empty. Export it again.")
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, what, remedy in _MISTAKEN:
        if head.startswith(magic):
            raise UnknownFormat(f"{name} is {what}. {remedy}")
    encoding = encoding_of(head)
    start = (
        head[:4096].decode(encoding, FALLBACK if encoding.startswith("utf-8") else "replace").lstrip("\ufeff \t\r\n")
    )
    if not start:
        raise UnknownFormat(f"{name} holds nothing but blanks. Export it again.")
    lowered = start[:200].lower()
    if lowered.startswith(("<!doctype html", "<html", "<head", "<body")):
        raise UnknownFormat(
            f"{name} is a web page, perhaps a sign-in page saved in place of the export. Download the export again."
        )
    if lowered.startswith("<?xml"):
        raise UnknownFormat(f"{name} is an XML document. Export the data as CSV or JSON instead.")
    if encoding.startswith("utf-8"):
        sample = head[:4096]
        controls = sum(1 for byte in sample if byte < 9 or 13 < byte < 32)
        if controls > max(2, len(sample) // 20):
            raise UnknownFormat(f"{name} is no text file. Export the data as CSV, JSON or Parquet.")
    return "json" if start[0] in "[{" else "csv"
