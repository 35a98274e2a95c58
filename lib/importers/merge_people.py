"""Two customers who turn out to be one: everything of the one moves to the other."""

from collections.abc import Mapping

from sqlalchemy import BindParameter, Column, Table, UniqueConstraint, bindparam, delete, select, update

from lib.db.tables.all import metadata
from lib.db.tables.customers import customers
from lib.importers.batch import Batch

FILLED = (
    "email",
    "email_normalised",
    "name",
    "phone",
    "country",
    "region",
    "city",
    "language",
    "registered_at",
    "tags",
    "note",
)


def referring() -> list[Column[int]]:
    """Every column that names a customer."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if any(key.column is customers.c.customer_id for key in column.foreign_keys)
    ]


def _beside(column: Column[int]) -> list[list[Column[object]]]:
    """The other columns of each unique constraint that the column takes part in."""
    table: Table = column.table
    return [
        [other for other in constraint.columns if other is not column]
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint) and column.name in constraint.columns
    ]


def merge(batch: Batch, merges: Mapping[int, int]) -> None:
    """Move everything of each customer (key) to another (value), and delete the emptied row.

    Where both have what only one may have (an address of one kind, a consent for one channel, an
    assignment to one offer), the one that stays keeps its own.
    """
    pairs = [{"loser": loser, "keeper": keeper} for loser, keeper in merges.items() if loser != keeper]
    if not pairs:
        return
    loser: BindParameter[int] = bindparam("loser")
    keeper: BindParameter[int] = bindparam("keeper")
    for column in referring():
        table: Table = column.table
        for others in _beside(column):
            twin = table.alias()
            same = [twin.c[other.name] == other for other in others]
            batch.connection.execute(
                delete(table).where(column == loser, select(1).where(twin.c[column.name] == keeper, *same).exists()),
                pairs,
            )
        values = {column.name: keeper} | ({"updated_at": batch.at} if "updated_at" in table.c else {})
        batch.connection.execute(update(table).where(column == loser).values(values), pairs)
    _complete(batch, merges)
    batch.connection.execute(delete(customers).where(customers.c.customer_id == loser), pairs)


def _complete(batch: Batch, merges: Mapping[int, int]) -> None:
    """What only the one that goes knew is kept."""
    everyone = {*merges, *merges.values()}
    rows = {
        row["customer_id"]: dict(row)
        for row in batch.connection.execute(
            select(customers).where(batch.writer.among(customers.c.customer_id, everyone))
        ).mappings()
    }
    for loser, keeper in merges.items():
        if loser not in rows or keeper not in rows:
            continue
        filled = {
            name: rows[loser][name] for name in FILLED if rows[keeper][name] is None and rows[loser][name] is not None
        }
        if rows[keeper]["is_guest"] and not rows[loser]["is_guest"]:
            filled["is_guest"] = False
        rows[keeper].update(filled)
        batch.connection.execute(
            update(customers)
            .where(customers.c.customer_id == keeper)
            .values(**filled, updated_at=batch.at, fingerprint="")
        )
