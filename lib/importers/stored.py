"""What every kind of record shares on its way into the database: is it there, is it the same?"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, select

from lib.db.tables.orders import orders
from lib.importers.batch import Batch


def stored_keys(batch: Batch, table: Table, external_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Of the rows with these source keys: the row's own key and its fingerprint."""
    wanted = set(external_ids)
    if not wanted:
        return {}
    (key,) = table.primary_key.columns
    rows = batch.connection.execute(
        select(table.c.external_id, key, table.c.fingerprint).where(
            table.c.source == batch.source, batch.writer.among(table.c.external_id, wanted)
        )
    )
    return {external_id: (found, fingerprint) for external_id, found, fingerprint in rows}


def upsert(
    batch: Batch,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[str, str, tuple[Any, ...]]],
) -> list[tuple[int, bool, bool]]:
    """Insert what is new, update what differs.

    Args:
        rows: per record its key in the source, its fingerprint, and its values in the order of ``columns``.
    Returns:
        per record the row's key, whether it is new, and whether it was written.
    """
    stored = stored_keys(batch, table, (row[0] for row in rows))
    new = [row for row in rows if row[0] not in stored]
    changed = [row for row in rows if row[0] in stored and stored[row[0]][1] != row[1]]
    drawn = dict(zip((row[0] for row in new), batch.writer.next_keys(table, len(new)), strict=True))
    (key,) = table.primary_key.columns
    batch.writer.insert(
        table,
        (key.name, "source", "external_id", "fingerprint", "updated_at", *columns),
        [(drawn[each], batch.source, each, written, batch.stamp, *values) for each, written, values in new],
    )
    batch.writer.update(
        table,
        ("fingerprint", "updated_at", *columns),
        [(written, batch.stamp, *values, stored[each][0]) for each, written, values in changed],
    )
    return [
        (drawn[each], True, True) if each in drawn else (stored[each][0], False, stored[each][1] != written)
        for each, written, _ in rows
    ]


def orders_anywhere(batch: Batch, named: Iterable[str | None]) -> dict[str, tuple[int, int | None]]:
    """Orders as another system names them: by a shop's key, else by the number people see.

    Returns:
        per name that belongs to one order: its key and its customer.
    """
    wanted = {name for name in named if name}
    if not wanted:
        return {}
    # Shops write #1001; others drop the sign or add it.
    spelt = wanted | {name.removeprefix("#") for name in wanted} | {f"#{name.removeprefix('#')}" for name in wanted}
    by_name: dict[str, set[tuple[int, int | None]]] = {}
    for column in (orders.c.external_id, orders.c.number):
        rows = batch.connection.execute(
            select(column, orders.c.order_id, orders.c.customer_id).where(batch.writer.among(column, spelt))
        ).all()
        for name, order_id, customer_id in rows:
            by_name.setdefault(name, set()).add((order_id, customer_id))
    found: dict[str, tuple[int, int | None]] = {}
    for name in wanted:
        for spelling in (name, f"#{name.removeprefix('#')}", name.removeprefix("#")):
            if len(by_name.get(spelling, ())) == 1:
                (found[name],) = by_name[spelling]
                break
    return found
