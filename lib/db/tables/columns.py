"""The kinds of column that every area uses, so that a name means the same everywhere.

``<noun>_id``, ``<verb>_at`` (UTC), ``<noun>_day`` (a date in the store's zone), ``<amount>_minor``
beside ``currency``, ``is_<adjective>``.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC without a zone in the database.

    SQLite keeps it as text, always with microseconds, because mixed precision breaks comparison.
    """

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def key(name: str) -> Column[int]:
    """The table's own integer key."""
    return Column(name, Key, primary_key=True, autoincrement=True)


def ref(
    target: str, *, nullable: bool = False, name: str | None = None, cascade: bool = False, index: bool = True
) -> Column[int]:
    """A reference to another table's key; ``cascade``: this row goes when the other goes."""
    column = target.split(".")[1]
    return Column(
        name or column, Key, ForeignKey(target, ondelete="CASCADE" if cascade else None), nullable=nullable, index=index
    )


def at(name: str, *, nullable: bool = True, index: bool = False) -> Column[datetime]:
    """An instant."""
    return Column(name, UtcDateTime(), nullable=nullable, index=index)


def money(name: str, *, nullable: bool = False) -> Column[int]:
    """An amount in minor units of the row's ``currency``."""
    return Column(name, BigInteger, nullable=nullable, server_default=None if nullable else "0")


def flag(name: str, *, default: bool = False) -> Column[bool]:
    """A yes or no."""
    return Column(name, Boolean, nullable=False, default=default, server_default=true() if default else false())


def words(name: str, *, nullable: bool = True) -> Column[str]:
    """Text of any length."""
    return Column(name, Text, nullable=nullable)


def short(name: str, *, nullable: bool = True, index: bool = False) -> Column[str]:
    """A short text such as a code or a label."""
    return Column(name, String(400), nullable=nullable, index=index)


def currency() -> Column[str]:
    """The ISO 4217 code of the row's amounts."""
    return Column("currency", String(3), nullable=False)


def one_of(name: str, values: tuple[str, ...], *, nullable: bool = False, default: str | None = None) -> list[Any]:
    """A text column and the constraint that it holds one of ``values``."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return [
        Column(name, String(40), nullable=nullable, server_default=default),
        CheckConstraint(f"{name} IN ({allowed})", name=f"{name}_known"),
    ]


def changed() -> Column[datetime]:
    """When the row last changed; a trigger sets it where a writer does not. The refresh reads by it."""
    return Column("updated_at", UtcDateTime(), nullable=False, default=now, index=True)


def imported() -> list[Any]:
    """What every imported row carries: importing twice is importing once.

    ``fingerprint`` is a hash of the record as read, so that an unchanged one is not written again.
    """
    return [
        Column("source", String(60), nullable=False),
        Column("external_id", String(400), nullable=False),
        Column("fingerprint", String(32), nullable=False),
        changed(),
        UniqueConstraint("source", "external_id"),
    ]


def version() -> Column[int]:
    """Counts the edits of a row that staff edit, so that the second of two is told."""
    return Column("version", Integer, nullable=False, server_default="1")
