"""Rows that imports put aside, for the screen: listed, written out for correction, dismissed; and past runs."""

import io
from typing import Any

import pandas as pd

from lib.db import audit
from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.importers import rejected as kept
from lib.importers import runs
from lib.settings import Settings
from lib.staff import May, Staff


def open_rows(settings: Settings, *, limit: int = 500) -> pd.DataFrame:
    """The open rows, newest first: id, source, kind, file, line, reason, text."""
    with reading(order_database(settings)) as connection:
        rows = kept.rejected(connection, limit=limit)
    names = ["rejected_row_id", "source", "kind", "file", "line", "external_id", "reason", "text"]
    return pd.DataFrame([[getattr(row, name) for name in names] for row in rows], columns=names)


def open_count(settings: Settings) -> int:
    """How many rows are open."""
    with reading(order_database(settings)) as connection:
        return sum(count for _, _, count, _ in kept.count_open(connection))


def written_list(settings: Settings) -> bytes:
    """All open rows as a CSV for people: where each stood, why it was put aside, its text."""
    with reading(order_database(settings)) as connection:
        rows = kept.rejected(connection)
    text = io.StringIO()
    kept.write_list(rows, text)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def written_template(settings: Settings, ids: list[int]) -> bytes:
    """Chosen rows as a file of their source's own form, to be corrected and imported again.

    Raises:
        ImportRefused: they come from files of different forms, or nothing is chosen.
    """
    with reading(order_database(settings)) as connection:
        rows = kept.rejected(connection, ids=ids) if ids else []
    text = io.StringIO()
    kept.write_template(rows, text)
    return text.getvalue().encode()


def dismiss(settings: Settings, by: Staff, ids: list[int]) -> int:
    """Put chosen rows away for good: they no longer count as missing. Returns how many were open.

    Raises:
        NotAllowed: the role may not; nothing was put away.
    """
    by.must(May.IMPORT)
    if not ids:
        return 0
    with writing(order_database(settings)) as connection:
        count = kept.set_status(connection, "dismissed", ids=ids)
        audit.record(connection, by, "rows.dismissed", "import:rejected", at=now(), after={"rows": count, "keys": ids})
        return count


def past_runs(settings: Settings, *, limit: int = 50) -> list[dict[str, Any]]:
    """The latest imports, newest first, as rows of ``import_runs``."""
    return runs.history(order_database(settings), limit=limit)
