"""The first orders of a shop: while they come, the database does without indexes that nothing of them needs."""

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Engine, select

from lib.db import indexes
from lib.db.engine import reading, writing
from lib.db.tables.orders import orders
from lib.importers.prepared import Prepared
from lib.importers.records import (
    CouponRecord,
    CustomerRecord,
    RateRecord,
    Record,
    RefundRecord,
    Rejected,
    ShipmentRecord,
)
from lib.importers.runs import is_importing

# What is stored without those indexes; anything else looks orders up by their number, or lines by their product.
WITHOUT: Final = (Prepared, RefundRecord, ShipmentRecord, CustomerRecord, RateRecord, CouponRecord, Rejected)


class FirstLoad:
    """Sets indexes aside when many orders come into a store without any, and puts them back at the end.

    What an import that died had set aside stays so while this one goes on, and is put back with its end.

    >>> with FirstLoad(engine) as first_load:
    ...     for chunk, is_full in chunks:
    ...         first_load.prepare(chunk, is_full=is_full)
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_aside = False

    def __enter__(self) -> Self:
        with reading(self._engine) as connection:
            self._is_aside = bool(indexes.missing(connection))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._put_back()

    def prepare(self, chunk: Sequence[Record | Rejected | Prepared], *, is_full: bool) -> None:
        """Make the database ready for a chunk, in transactions of its own; ``is_full``: more may come."""
        if self._is_aside:
            if not all(isinstance(record, WITHOUT) for record in chunk):
                self._put_back()
        elif (
            is_full
            and any(isinstance(record, Prepared) for record in chunk)
            and all(isinstance(record, WITHOUT) for record in chunk)
        ):
            self._set_aside()

    def _set_aside(self) -> None:
        with reading(self._engine) as connection:
            if connection.scalar(select(orders.c.order_id).limit(1)) is not None:
                return
        with writing(self._engine) as connection:
            indexes.set_aside(connection)
        self._is_aside = True

    def _put_back(self) -> None:
        if self._is_aside:
            indexes.put_back(self._engine)
            self._is_aside = False


def put_back_after_death(engine: Engine) -> None:
    """Make the indexes that an import set aside and did not live to put back."""
    with reading(engine) as connection:
        if not indexes.missing(connection) or is_importing(connection):
            return
    indexes.put_back(engine)
