"""Columns of made-up rows: numpy arrays of equal length, and what is done with them."""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Columns = dict[str, Column]

# External keys start here: of equal length, they sort as they were made, and an index of them grows at its end.
FIRST_NUMBER = 10_000_000
NEVER: Any = np.datetime64("NaT")


def objects(values: Collection[Any]) -> Column:
    """An array of Python objects, whatever they are."""
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def or_none(condition: Any, values: Any) -> Column:
    """``values`` where the condition holds, ``None`` elsewhere; an array of objects."""
    found = np.empty(len(condition), dtype=object)
    found[condition] = np.broadcast_to(np.asarray(values, dtype=object), found.shape)[condition]
    return found


def stack(parts: list[Columns]) -> Columns:
    """Put sets of columns under one another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def take(columns: Columns, rows: Column) -> Columns:
    """The rows wanted, of every column."""
    return {name: values[rows] for name, values in columns.items()}


def days_later(low: float, high: float, rng: np.random.Generator, count: int) -> Column:
    """Draw spans between ``low`` and ``high`` days."""
    return (rng.uniform(low, high, count) * 86400e6).astype("m8[us]")
