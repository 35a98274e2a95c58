"""Restore the order database from a backup."""

import argparse
from pathlib import Path

from tqdm import tqdm

from lib.db.backup import read_manifest
from lib.db.engine import order_database
from lib.db.restore import restore
from lib.jobs.refresh import refresh
from lib.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("path", type=Path, help="a backup written by `python -m lib backup`")
    parser.add_argument("--replace", action="store_true", help="replace what the order database holds now")


def run(args: argparse.Namespace) -> int:
    """Restore all of it or nothing, and say what came back."""
    expected = read_manifest(args.path, verify=False)
    with tqdm(total=expected.rows, unit=" rows", desc="Restoring", disable=None) as bar:

        def advance(_table: str, count: int) -> None:
            bar.update(count)

        here = settings()
        done = restore(order_database(here), args.path, data_dir=here.data_dir, replace=args.replace, progress=advance)
    made = done.manifest
    print(f"Restored {made.rows:,} rows of {len(made.tables)} tables, saved {made.made_at:%Y-%m-%d %H:%M} UTC.")
    if done.erased:
        people = "person" if done.erased == 1 else "people"
        print(f"{done.erased:,} {people} erased since the backup was made: erased again. Cleaning every copy …")
        refresh(here, wait_seconds=120)
        return 0
    print("The next refresh builds the mart anew: python -m lib refresh")
    return 0
