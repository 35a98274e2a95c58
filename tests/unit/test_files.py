"""Files as people have them: every packing, every encoding, every mistake."""

import gzip
import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from lib.errors import ImportRefused, LimitExceeded, MissingColumns, SourceUnavailable, UnknownFormat
from lib.importers.files import Row, SourceFile, read_rows, source_files
from lib.importers.records import ReadContext
from lib.importers.rows import FIELD_LIMIT

CONTEXT = ReadContext(upload_limit_bytes=64 * 1024 * 1024)
TEXT = "Name,Größe\nÄpfel,klein\n"


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def one(path: Path, context: ReadContext = CONTEXT) -> SourceFile:
    (file,) = source_files([path], context)
    return file


def values(path: Path) -> list[list[str]]:
    rows = read_rows(one(path))
    return [rows.header, *(row.values for row in rows)]


def rows_of(path: Path) -> list[Row]:
    return list(read_rows(one(path)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_every_common_encoding_is_read_as_meant(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "a.csv", TEXT.encode(encoding))
    assert values(path) == [["Name", "Größe"], ["Äpfel", "klein"]]


def test_one_stray_byte_deep_in_a_big_file_garbles_nothing_but_itself(tmp_path: Path) -> None:
    line = "Äpfel,1\n".encode()
    path = written(tmp_path, "a.csv", b"name,n\n" + line * 50_000 + b"Bl\xfcte,2\n" + line)
    rows = rows_of(path)
    assert len(rows) == 50_002
    assert rows[0].values == rows[-1].values == ["Äpfel", "1"]
    assert rows[50_000].values == ["Blüte", "2"]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header(tmp_path: Path, sign: str) -> None:
    path = written(tmp_path, "a.csv", f'a{sign}"b,;|"{sign}c\n1{sign}2{sign}3\n'.encode())
    assert values(path) == [["a", "b,;|", "c"], ["1", "2", "3"]]


def test_excels_line_that_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    rows = read_rows(one(written(tmp_path, "a.csv", b"sep=;\r\na;b\r\n1,5;2\r\n")))
    assert rows.header == ["a", "b"]
    assert [(row.line, row.values) for row in rows] == [(3, ["1,5", "2"])]


def test_a_row_knows_its_first_line_and_its_text_as_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b'a,b\n"x\ny",1\n\nz,2\n')
    assert [(row.line, row.text) for row in rows_of(path)] == [(2, '"x\ny",1\n'), (5, "z,2\n")]


def test_nul_bytes_are_dropped(tmp_path: Path) -> None:
    assert values(written(tmp_path, "a.csv", b"a,b\n1\x00,2\n")) == [["a", "b"], ["1", "2"]]


def test_a_row_with_too_many_or_too_few_fields_says_so_and_harms_no_other(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, "a.csv", b"a,b\n1\n1,2,3\n1,2,\n1,2\n"))
    assert [row.problem for row in rows] == [
        "The row has 1 fields where the header has 2.",
        "The row has 3 fields where the header has 2.",
        "",
        "",
    ]
    assert all(len(row.values) == 2 for row in rows)


def test_an_unclosed_quote_costs_its_own_line_alone(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, "a.csv", b'a,b\n"open,1\n2,3\n4,5\n'))
    assert [(row.line, row.values, bool(row.problem)) for row in rows][1:] == [
        (3, ["2", "3"], False),
        (4, ["4", "5"], False),
    ]
    assert (rows[0].line, rows[0].text) == (2, '"open,1\n')
    assert "never ends" in rows[0].problem


def test_an_unclosed_quote_that_meets_a_later_quoted_field_swallows_no_row(tmp_path: Path) -> None:
    rows = rows_of(written(tmp_path, "a.csv", b'a,b\n"open,1\n2,3\n"closed",5\n6,7\n'))
    assert [(row.line, row.values) for row in rows if not row.problem] == [
        (3, ["2", "3"]),
        (4, ["closed", "5"]),
        (5, ["6", "7"]),
    ]
    assert [row.line for row in rows if row.problem] == [2]


def test_an_unclosed_quote_before_a_long_rest_is_given_up_at_the_limit(tmp_path: Path) -> None:
    rest = (b"1," + b"2" * 997 + b"\n") * (2 * FIELD_LIMIT // 1000)
    rows = rows_of(written(tmp_path, "a.csv", b'a,b\n"open,1\n' + rest))
    assert len(rows) == 1 + 2 * FIELD_LIMIT // 1000
    assert [row.line for row in rows if row.problem] == [2]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"\n \n", "nothing but blanks"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "Excel"),
        (b"<!DOCTYPE html><html>sign in</html>", "web page"),
        (b"<?xml version='1.0'?><a/>", "XML"),
        (bytes(range(256)) * 40, "no text file"),
        (b"SQLite format 3\x00....", "SQLite"),
    ],
)
def test_what_is_no_export_is_refused_with_its_name_and_a_remedy(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(UnknownFormat, match=r"^orders\.csv .*\.$") as refusal:
        one(written(tmp_path, "orders.csv", content))
    assert told in str(refusal.value)


def test_a_workbook_is_refused_whatever_it_is_called(tmp_path: Path) -> None:
    path = packed(tmp_path / "orders.csv", {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"})
    with pytest.raises(UnknownFormat, match="Excel workbook"):
        one(path)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"no file or folder .*gone\.csv"):
        source_files([tmp_path / "gone.csv"], CONTEXT)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    rows = read_rows(one(written(tmp_path, "a.csv", b"a,b\n1,2\n")))
    assert rows.column("B") == 1
    with pytest.raises(MissingColumns, match=r"no column 'c' or 'd'.*a, b"):
        rows.column("c", "d")


# Packed


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_gzip_is_read_as_it_streams(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv.gz", gzip.compress(TEXT.encode()))
    assert values(path) == [["Name", "Größe"], ["Äpfel", "klein"]]


def test_a_zip_with_a_folder_gives_its_tables_and_no_others(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "export.zip",
        {"shop/b.csv": b"a\n2\n", "shop/a.csv": b"a\n1\n", "shop/read me.md": b"hi", "__MACOSX/shop/._a.csv": b"x"},
    )
    files = source_files([path], CONTEXT)
    assert [file.name for file in files] == ["export.zip/shop/a.csv", "export.zip/shop/b.csv"]
    assert [row.values for file in files for row in read_rows(file)] == [["1"], ["2"]]


def test_a_folder_gives_its_tables_packed_or_plain(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "more").mkdir(parents=True)
    written(folder, "b.csv", b"a\n1\n")
    written(folder / "more", "a.csv.gz", gzip.compress(b"a\n2\n"))
    written(folder, ".hidden.csv", b"a\n3\n")
    packed(folder / "c.zip", {"x.json": b"[]"})
    assert [file.name for file in source_files([folder], CONTEXT)] == [
        "shop/b.csv",
        "shop/c.zip/x.json",
        "shop/more/a.csv.gz",
    ]


def test_a_folder_without_tables_says_what_it_holds(tmp_path: Path) -> None:
    written(tmp_path, "picture.png", b"x")
    with pytest.raises(UnknownFormat, match=r"it holds: picture\.png"):
        source_files([tmp_path], CONTEXT)


@pytest.mark.parametrize("inside", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:/evil.csv"])
def test_a_zip_whose_paths_leave_their_folder_is_refused(tmp_path: Path, inside: str) -> None:
    with pytest.raises(LimitExceeded, match="leaves its folder"):
        one(packed(tmp_path / "a.zip", {inside: b"a\n1\n"}))


def test_a_zip_with_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(LimitExceeded, match="link"):
        one(path)


def test_a_link_out_of_a_folder_is_refused(tmp_path: Path) -> None:
    secret = written(tmp_path, "secret.csv", b"a\n1\n")
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "orders.csv").symlink_to(secret)
    with pytest.raises(LimitExceeded, match="link out of its folder"):
        source_files([folder], CONTEXT)


def test_an_archive_within_an_archive_is_refused(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
    with pytest.raises(UnknownFormat, match="archive within an archive"):
        one(packed(tmp_path / "a.zip", {"inner.zip": inner.getvalue()}))


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": b"a\n1\n"})
    content = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + flags] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ImportRefused, match="protected by a password"):
        one(path)


def test_a_bomb_is_refused_by_what_it_says_of_itself(tmp_path: Path) -> None:
    bomb = packed(tmp_path / "a.zip", {"a.csv": b"0" * (32 * 1024 * 1024)})
    with pytest.raises(LimitExceeded, match="200 times its size"):
        one(bomb)


def test_a_bomb_in_gzip_is_refused_while_it_is_read(tmp_path: Path) -> None:
    file = one(written(tmp_path, "a.csv.gz", gzip.compress(b"a,b\n" + (b"1," + b"2" * 10_000 + b"\n") * 2_000)))
    with pytest.raises(LimitExceeded, match="200 times its size"):
        list(read_rows(file))


def test_a_zip_that_lies_about_its_size_is_refused_and_gives_no_more_than_it_said(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": b"a,b\n" + os.urandom(300_000).hex().encode() + b"\n"})
    content = bytearray(path.read_bytes())
    for magic, size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(magic) + size
        content[at : at + 4] = struct.pack("<I", 100_000)
    path.write_bytes(bytes(content))
    with pytest.raises(SourceUnavailable, match="damaged"):
        list(read_rows(one(path)))


def test_more_bytes_than_the_limit_are_refused_by_the_name_of_the_setting(tmp_path: Path) -> None:
    small = ReadContext(upload_limit_bytes=1024 * 1024)
    content = b"a,b\n" + b"1,2\n" * 300_000
    for path in (written(tmp_path, "a.csv", content), packed(tmp_path / "a.zip", {"a.csv": content})):
        with pytest.raises(LimitExceeded, match="ENCORE_UPLOAD_LIMIT_MB"):
            one(path, small)
    file = one(written(tmp_path, "a.csv.gz", gzip.compress(content)), small)
    with pytest.raises(LimitExceeded, match="ENCORE_UPLOAD_LIMIT_MB"):
        list(read_rows(file))


def test_a_gzip_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(500_000).hex().encode())
    with pytest.raises(SourceUnavailable, match="damaged"):
        list(read_rows(one(written(tmp_path, "a.csv.gz", whole[: len(whole) // 2]))))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are not listed here")
def test_a_file_that_nobody_reads_on_is_closed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    (file,) = source_files([path], ReadContext())
    rows = read_rows(file)
    next(iter(rows))
    del rows
    assert str(path.resolve()) not in {str(each.resolve()) for each in Path("/proc/self/fd").iterdir()}
