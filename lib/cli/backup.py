"""Write a backup of the order database."""

import argparse
from pathlib import Path

from tqdm import tqdm

from lib.db.backup import backup, count_rows
from lib.db.engine import order_database, reading
from lib.db.migrate import pending
from lib.db.tables.columns import now
from lib.errors import DatabaseUnavailable
from lib.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "path",
        type=Path,
        help="the file to write, which must not exist; a folder gets one named after the present time",
    )


def run(args: argparse.Namespace) -> int:
    """Write the backup and say what it holds."""
    engine = order_database(settings())
    if pending(engine):
        raise DatabaseUnavailable("The order database is not up to date: run `python -m lib migrate` first.")
    path: Path = args.path
    if path.is_dir():
        path = path / f"encore-{now():%Y%m%d-%H%M%S}.encore-backup"
    with reading(engine) as connection:
        rows = count_rows(connection)
    with tqdm(total=rows, unit=" rows", desc="Backing up", disable=None) as bar:

        def advance(_table: str, count: int) -> None:
            bar.update(count)

        made = backup(engine, path, data_dir=settings().data_dir, progress=advance)
    print(f"{path}: {made.rows:,} rows of {len(made.tables)} tables, {path.stat().st_size / 1e6:,.1f} MB.")
    print("It holds personal data: keep it where only you can read it.")
    return 0
