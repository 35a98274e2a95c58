"""Bring together the rows that belong together, on disk: memory does not grow with the file."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Self

BATCH = 2_000
_SEPARATOR = "\x1f"


@dataclass(slots=True)
class Kept:
    """A row that was kept: which part of the whole it is, where it stood, its text and its values."""

    part: str
    file: str
    line: int
    text: str
    values: list[str]
    problem: str = ""


class Gatherer:
    """Keeps rows in a temporary file under a key, and gives them back key by key.

    Keys come back in the order in which they were first kept, the rows of a key likewise. The file is
    SQLite's own temporary one: nobody else can open it, and it is gone when this is closed.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "cache_size=-32000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")
        self._db.execute("CREATE TABLE keys (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")
        self._db.execute(
            "CREATE TABLE kept (number INT, part TEXT, file TEXT, line INT, text TEXT, vals TEXT, problem TEXT)"
        )
        self._waiting: list[tuple[str, str, str, int, str, str, str]] = []
        self._keys = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def keep(self, key: str, row: Kept) -> None:
        """Keep a row under its key."""
        values = _SEPARATOR.join(value.replace(_SEPARATOR, " ") for value in row.values)
        self._waiting.append((key, row.part, row.file, row.line, row.text, values, row.problem))
        if len(self._waiting) >= BATCH:
            self._write()

    def groups(self) -> Iterator[tuple[str, list[Kept]]]:
        """Yield each key with all its rows."""
        self._write()
        # Keys are numbered as they come: their numbers sort far faster than they themselves.
        found = self._db.execute(
            "SELECT number, part, file, line, text, vals, problem FROM kept ORDER BY number, rowid"
        )
        names = self._db.execute("SELECT number, key FROM keys ORDER BY number")
        for number, rows in groupby(found, key=itemgetter(0)):
            known, key = next(names)
            if known != number:
                raise RuntimeError("a key without rows")
            yield (
                key,
                [
                    Kept(part, file, line, text, values.split(_SEPARATOR), problem)
                    for _, part, file, line, text, values, problem in rows
                ],
            )

    def _write(self) -> None:
        numbers = {}
        for key in dict.fromkeys(row[0] for row in self._waiting):
            added = self._db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (key, self._keys)).rowcount
            if added:
                numbers[key] = self._keys
                self._keys += 1
            else:
                numbers[key] = self._db.execute("SELECT number FROM keys WHERE key = ?", (key,)).fetchone()[0]
        self._db.executemany(
            "INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?)", [(numbers[row[0]], *row[1:]) for row in self._waiting]
        )
        self._waiting.clear()


class Lookup:
    """Rows kept in a temporary file, to be looked up by their key; the first row of a key counts."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-32000"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("BEGIN")
        self._db.execute("CREATE TABLE kept (key TEXT PRIMARY KEY, vals TEXT) WITHOUT ROWID")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def keep(self, key: str, values: list[str]) -> bool:
        """Keep values under a key; False when the key was there before, and nothing was kept."""
        text = _SEPARATOR.join(value.replace(_SEPARATOR, " ") for value in values)
        return bool(self._db.execute("INSERT OR IGNORE INTO kept VALUES (?, ?)", (key, text)).rowcount)

    def find(self, key: str) -> list[str] | None:
        """The values kept under a key, or None."""
        found = self._db.execute("SELECT vals FROM kept WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0]).split(_SEPARATOR)
