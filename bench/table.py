"""What a bench module gives: rows of the one table."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lib.demo.build import make_demo
from lib.settings import Settings, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement: the median of ``runs``, in ``unit``; ``target`` is what it should stay under."""

    work: str
    orders: int
    median: float
    unit: str
    runs: int = 1
    target: float | None = None
    note: str = ""

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is met; ``None`` without one. A ratio ("×") should be at least its target."""
        if self.target is None:
            return None
        return self.median >= self.target if self.unit == "×" else self.median <= self.target


@dataclass(frozen=True, slots=True)
class Shop:
    """A demo store of some size, in a folder of its own."""

    folder: Path
    orders: int

    @property
    def settings(self) -> Settings:
        return read_settings({"ENCORE_DATA_DIR": str(self.folder)})


def store_in(folder: Path, order_database: str = "") -> Settings:
    """The settings of a data folder and of the order database of that address; an empty folder gets a small store."""
    named = {"ENCORE_DATABASE_URL": order_database} if order_database else {}
    settings = read_settings({"ENCORE_DATA_DIR": str(folder), **named})
    if not folder.exists() or not any(folder.iterdir()):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_demo(settings, orders=5_000)
    return settings


def median_ms(work: Callable[[], object], runs: int) -> float:
    """The median time of some work, in milliseconds."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
