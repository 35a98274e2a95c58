"""The list of the forgotten beside the database: it outlives one that is lost, so that a restore still knows whom.

Hashes and instants alone, one line each; nobody can be read from it.
"""

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, select

from lib.db.engine import private_folder
from lib.db.tables.customers import suppressions

NAME = "forgotten.txt"
_LINE = re.compile(r"([0-9a-f]{64}) (\d{4}-\d\d-\d\dT[\d:.]+\+00:00)")


def listed(connection: Connection) -> dict[str, datetime]:
    """Whom the database remembers as forgotten: hash and instant."""
    row = suppressions.c
    return {found.email_hash: found.erased_at for found in connection.execute(select(row.email_hash, row.erased_at))}


def keep_list(connection: Connection, data_dir: Path) -> None:
    """Write the list, with whoever an earlier one names, anew and at once."""
    everybody = kept_list(data_dir) | listed(connection)
    path = private_folder(data_dir) / NAME
    fresh = path.with_name(f".{NAME}.{uuid4().hex[:8]}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
        out.writelines(f"{each} {at.astimezone(UTC).isoformat()}\n" for each, at in sorted(everybody.items()))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def kept_list(data_dir: Path) -> dict[str, datetime]:
    """The list as it was kept; empty where there is none."""
    try:
        text = (data_dir / NAME).read_text("ascii", errors="replace")
    except FileNotFoundError:
        return {}
    return {each: datetime.fromisoformat(at) for each, at in _LINE.findall(text)}
