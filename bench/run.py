"""The benchmark: a demo store of each size, everything measured in one run on one machine, one table.

A bench module is named in ``MODULES`` and has ``rows(shop) -> Iterator[Row]``; it may change the store.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.table import Row, Shop
from lib.demo.build import make_demo

MODULES = ("bench.mart", "bench.questions", "bench.imports", "bench.offers")
SIZES = (100_000, 1_000_000)


@contextmanager
def store(orders: int, kept: Path | None) -> Iterator[Shop]:
    """A demo store of a size: made anew, or found in ``kept`` from an earlier run."""
    if kept is not None:
        shop = Shop(kept / f"{orders}", orders)
        if not (shop.folder / "order.db").exists():
            _make(shop)
        yield shop
        return
    with TemporaryDirectory(prefix="encore-bench-") as folder:
        shop = Shop(Path(folder), orders)
        _make(shop)
        yield shop


def _make(shop: Shop) -> None:
    print(f"making a store of {shop.orders:,} orders …", file=sys.stderr)
    shop.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_demo(shop.settings, orders=shop.orders)


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--orders", type=int, action="append", help=f"sizes (default {SIZES}); 10000000 on request")
    parser.add_argument("--keep", type=Path, help="keep the stores in this folder, or use those it has")
    parser.add_argument("--only", action="append", choices=MODULES, help="only these modules")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    args = parser.parse_args(argv)
    rows: list[Row] = []
    for orders in args.orders or SIZES:
        with store(orders, args.keep) as shop:
            for name in args.only or MODULES:
                for row in import_module(name).rows(shop):
                    rows.append(row)
                    print(line(row), file=sys.stderr)
    if args.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return 0
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    )
    print("\n".join(line(row) for row in rows))
    return 0


def line(row: Row) -> str:
    """A row of the table as text."""
    reached = {None: "", True: "reached", False: "MISSED"}[row.is_reached]
    target = "" if row.target is None else f"{'≥' if row.unit == '×' else '≤'} {row.target:g} {row.unit}"
    return f"{row.work:<58}{row.orders:>12,}{row.median:>12,.1f} {row.unit:<3}{target:>14} {reached:<8}{row.note}"
