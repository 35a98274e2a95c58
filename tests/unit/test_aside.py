"""Reading in a process of its own: the same records, the same refusals, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import AmbiguousDates, MissingColumns, SourceUnavailable
from lib.importers import aside, shopify
from lib.importers.aside import is_worth_it, read_aside
from lib.importers.files import source_files
from lib.importers.prepared import Prepared
from lib.importers.records import OrderRecord, ReadContext, Record, Rejected
from lib.importers.source_file import SourceFile
from lib.jobs import imports
from lib.jobs.imports import run_import
from lib.settings import ROOT, Settings

HEADER = "Name,Email,Currency,Subtotal,Taxes,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price"
ORDERS = 3_000
CONTEXT = ReadContext(time_zone="Europe/Berlin")


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    lines = (
        f"#{number},ann{number % 7}@example.com,EUR,10.00,0.00,{'10.00' if number % 100 else 'ten'},"
        "2025-03-01 10:00:00 +0100,1,Soap,10.00"
        for number in range(ORDERS)
    )
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


@pytest.fixture
def files(export: Path) -> list[SourceFile]:
    return source_files([export], CONTEXT)


def children() -> set[int]:
    """The live children of this process."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == os.getpid() and words[0] != "Z":
            found.add(int(status.parent.name))
    return found


def test_another_process_yields_the_same_records_in_the_same_order(files: list[SourceFile]) -> None:
    here = list(shopify.read(files, CONTEXT))
    assert sum(isinstance(record, Rejected) for record in here) == ORDERS // 100
    there = list(read_aside(shopify.read, files, CONTEXT))
    assert there == here
    origins = [record.origin for record in there if isinstance(record, OrderRecord)]
    assert origins == [record.origin for record in here if isinstance(record, OrderRecord)]


def test_files_tell_how_far_another_process_has_read_them(export: Path) -> None:
    (file,) = source_files([export], CONTEXT)
    assert file.position == 0
    for _ in read_aside(shopify.read, [file], CONTEXT):
        pass
    assert file.position == file.size


def test_what_a_reader_refuses_is_refused_here(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("Name,Lineitem name\n#1,Soap\n")
    with pytest.raises(MissingColumns, match=r"orders\.csv has no column Created at, Total"):
        list(read_aside(shopify.read, source_files([path], CONTEXT), CONTEXT))


def test_what_was_read_before_a_refusal_still_comes(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    first = "#1,,EUR,10.00,0.00,10.00,2025-03-01 10:00:00 +0100,1,Soap,10.00"
    path.write_text("\n".join([HEADER, first, first.replace("#1", "#2").replace("2025-03-01 10", "03/04/2025 10")]))
    records = read_aside(shopify.read, source_files([path], CONTEXT), CONTEXT)
    found = next(records)
    assert isinstance(found, OrderRecord) and found.external_id == "#1"
    with pytest.raises(AmbiguousDates):
        next(records)


def test_a_fault_in_a_reader_says_where_it_happened(files: list[SourceFile]) -> None:
    with pytest.raises(TypeError) as caught:
        list(read_aside(shopify.read, files))
    assert "aside.py" in "".join(caught.value.__notes__)


def test_stopping_early_ends_the_other_process(files: list[SourceFile]) -> None:
    before = children()
    records = read_aside(shopify.read, files, CONTEXT)
    next(records)
    assert len(children() - before) == 1
    records.close()  # type: ignore[attr-defined]  # it is a generator
    assert children() == before


def test_a_reading_process_that_is_killed_is_told(files: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside, "AHEAD", 1)
    before = children()
    records = read_aside(shopify.read, files * 5, CONTEXT)
    next(records)
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    with pytest.raises(SourceUnavailable, match=r"orders\.csv was ended \(code -9\)"):
        list(records)


def test_the_reading_process_ends_with_its_parent(export: Path) -> None:
    script = (
        "import pathlib, sys, time\n"
        "from lib.importers import shopify\n"
        "from lib.importers.aside import read_aside\n"
        "from lib.importers.files import source_files\n"
        "from lib.importers.records import ReadContext\n"
        "context = ReadContext()\n"
        "files = source_files([pathlib.Path(sys.argv[1])], context) * 50\n"
        "next(read := read_aside(shopify.read, files, context))\n"
        "print(read.gi_frame.f_locals['child'].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(export)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while _is_alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _is_alive(child)


def _is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_only_large_files_are_read_aside(files: list[SourceFile], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert not is_worth_it(files)
    monkeypatch.setattr(aside, "WORTH_BYTES", files[0].size)
    assert is_worth_it(files)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert not is_worth_it(files)


def test_an_import_that_reads_aside_counts_the_same(
    export: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def counted(*args: object) -> Iterator[Record | Rejected | Prepared]:
        used.append(1)
        return read_aside(*args)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(imports, "is_worth_it", lambda files: True)
    monkeypatch.setattr(imports, "read_aside", counted)
    shares: list[float] = []
    first = run_import(settings, "shopify", [export], progress=lambda _, share: shares.append(share))
    assert used == [1]
    assert (first.read, first.stored, first.rejected) == (ORDERS, ORDERS - ORDERS // 100, ORDERS // 100)
    assert shares[-1] == 1.0
    monkeypatch.setattr(imports, "is_worth_it", lambda files: False)
    again = run_import(settings, "shopify", [export])
    assert (again.read, again.stored, again.unchanged) == (ORDERS, 0, first.stored)
    assert used == [1]
