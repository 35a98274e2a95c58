"""Reading the mart: the current snapshot, read-only, with every frame cached under what was asked.

A version never changes, so its frames stay true as long as it is current. Readers never wait for a
refresh: it publishes another file, and the next call of :func:`current` opens that one.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Select
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import CompoundSelect
from sqlalchemy.util import LRUCache

from lib.errors import MartUnavailable
from lib.mart.about import POINTER, About, read_pointer, snapshot_file
from lib.mart.schema import snapshot

Question = Select[Any] | CompoundSelect[Any]

# The cache of one process: as many rows as this, whatever their number of frames.
CACHED_ROWS = 2_000_000
# A frame larger than this is for an export; keeping it would push out the screens'.
LARGEST_CACHED = 200_000
# Different shapes of questions whose SQL is kept.
KEPT_SHAPES = 500
THREADS = 2
_DIALECT = Dialect(paramstyle="numeric_dollar")


class Snapshot:
    """One published version of the mart, open for reading by any number of threads."""

    def __init__(self, file: Path, about: About, engine: duckdb.DuckDBPyConnection | None = None) -> None:
        self.about = about
        self._file = file
        self._engine = engine or _open(file)

    @property
    def version(self) -> int:
        return self.about.version

    def described(self, about: About) -> "Snapshot":
        """The same version with a renewed description."""
        return Snapshot(self._file, about, self._engine)

    def frame(self, statement: Question, **params: object) -> pd.DataFrame:
        """The rows that a statement finds, as a frame of the caller's own.

        Args:
            statement: a select over the tables of lib.mart.schema.
            params: values of its named bind parameters.
        """
        sql, given = _SHAPES.written(statement, params)
        question = (str(self._file), self.version, sql, given)
        found = _CACHE.get(question)
        if found is None:
            found = self._read(sql, given)
            _CACHE.put(question, found)
        # Copy-on-write: the copy shares its memory until the caller changes it.
        return found.copy(deep=False)

    def batches(self, statement: Question, *, rows: int, **params: object) -> Iterator[pd.DataFrame]:
        """The rows that a statement finds, so many at a time: for what is too much to be held at once.

        Nothing is kept; the snapshot stays open until the last batch is taken or the iterator is closed.
        """
        sql, given = _SHAPES.written(statement, params)
        with self._engine.cursor() as cursor:
            for batch in cursor.execute(sql, list(given)).to_arrow_reader(rows):
                yield batch.to_pandas()

    def _read(self, sql: str, given: tuple[object, ...]) -> pd.DataFrame:
        # A cursor of its own per question: one connection must not be used by two threads at once.
        with self._engine.cursor() as cursor:
            return cursor.execute(sql, list(given)).df()


class _Shapes:
    """Statements as SQL, kept by their shape: the same question of other days or slices is not written anew.

    It is what SQLAlchemy's own engines do with their ``compiled_cache``; a frame is read past them.
    """

    def __init__(self, most: int) -> None:
        self._written: MutableMapping[Any, SQLCompiler] = LRUCache(most)

    def written(self, statement: Question, params: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
        """The statement's SQL, and its values in the order of their placeholders."""
        shape = statement._generate_cache_key()
        if shape is None:  # it holds something that has no shape
            compiled = _compiled(statement)
            given: Mapping[str, object] = params
        else:
            known = self._written.get(shape.key)
            if known is None:
                known = self._written[shape.key] = _compiled(statement, cache_key=shape)
            compiled = known
            given = compiled.construct_params(dict(params), extracted_parameters=shape.bindparams)
        # Only now are lists of values spread out, one placeholder each.
        expanded = compiled.construct_expanded_state(dict(given))
        return expanded.statement, tuple(expanded.positional_parameters or ())


def _compiled(statement: Question, **kept: Any) -> SQLCompiler:
    compiled = statement.compile(dialect=_DIALECT, **kept)
    assert isinstance(compiled, SQLCompiler)
    return compiled


class _Frames:
    """The most recently used frames, bounded by rows."""

    def __init__(self, rows: int) -> None:
        self._limit = rows
        self._rows = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[object, ...], pd.DataFrame] = OrderedDict()

    def get(self, question: tuple[object, ...]) -> pd.DataFrame | None:
        with self._lock:
            frame = self._kept.get(question)
            if frame is not None:
                self._kept.move_to_end(question)
            return frame

    def put(self, question: tuple[object, ...], frame: pd.DataFrame) -> None:
        if len(frame) > LARGEST_CACHED:
            return
        with self._lock:
            if question in self._kept:
                return
            self._kept[question] = frame
            self._rows += len(frame) + 1
            while self._rows > self._limit:
                _, gone = self._kept.popitem(last=False)
                self._rows -= len(gone) + 1

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._rows = 0

    def drop(self, file: str) -> None:
        """Forget a version that is no longer current."""
        with self._lock:
            for question in [question for question in self._kept if question[0] == file]:
                self._rows -= len(self._kept.pop(question)) + 1


_CACHE = _Frames(CACHED_ROWS)
_SHAPES = _Shapes(KEPT_SHAPES)
_OPEN: dict[Path, tuple[tuple[int, int], Snapshot]] = {}
_OPENING = threading.Lock()


def _open(file: Path) -> duckdb.DuckDBPyConnection:
    # The SQL is compiled by the engine's SQLAlchemy dialect, but read through its own connection: a frame
    # arrives several times faster so. Nothing may be loaded or fetched from outside.
    engine = duckdb.connect(
        file,
        read_only=True,
        config={
            "threads": THREADS,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "enable_external_access": False,
        },
    )
    # Else the engine draws its own bar on stdout where it takes Python for interactive.
    engine.execute("SET enable_progress_bar = false")
    return engine


def current(mart_dir: Path) -> Snapshot:
    """The newest published snapshot. Costs one look at the pointer when nothing is new.

    Raises:
        MartUnavailable: nothing has been published yet.
    """
    pointer = mart_dir / POINTER
    for _ in range(3):
        try:
            seen = pointer.stat()
        except FileNotFoundError:
            break
        stamp = (seen.st_mtime_ns, seen.st_ino)
        known = _OPEN.get(mart_dir)
        if known is not None and known[0] == stamp:
            return known[1]
        with _OPENING:
            known = _OPEN.get(mart_dir)
            about = read_pointer(mart_dir)
            if about is None:
                continue  # a newer one was published while we looked
            file = snapshot_file(mart_dir, about.version)
            if known is not None and known[1].version == about.version:
                found = known[1].described(about)
            else:
                found = Snapshot(file, about)
                if known is not None:
                    # Whoever still holds the old one keeps its connection; the last to let go closes it.
                    _CACHE.drop(str(snapshot_file(mart_dir, known[1].version)))
            _OPEN[mart_dir] = (stamp, found)
            return found
    raise MartUnavailable("The mart has not been built yet: run `python -m lib refresh`.")


def forget() -> None:
    """Forget every frame of this process, as when measuring what an answer costs."""
    _CACHE.clear()


def warm(mart_dir: Path) -> None:
    """Open the current snapshot ahead of the first reader; the first opening in a process takes seconds.

    Raises:
        MartUnavailable: nothing has been published yet.
    """
    current(mart_dir).frame(snapshot.select())
