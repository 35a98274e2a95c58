"""One thing that happened with a customer, and how things of a kind are asked for and told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Row, Select, bindparam

# The customer who is asked about.
ME = bindparam("me", type_=BigInteger)
# So much of somebody's words tells what it is about.
WORDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing in a customer's story.

    ``kind`` names its place in KINDS, ``key`` is its own. ``title`` and ``detail`` are ours and name nobody;
    ``words`` are the customer's, or what we wrote to her.
    """

    kind: str
    key: int
    at: datetime
    title: str
    detail: str = ""
    words: str = ""
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where the store stands: late is by its days."""

    today: date
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Kind:
    """What is asked: rows of one customer, when and by which key they are ordered, and what a row tells."""

    rows: Select[Any]
    at: ColumnElement[Any]
    key: ColumnElement[Any]
    tell: Callable[[Row[Any], Place], Happened]
