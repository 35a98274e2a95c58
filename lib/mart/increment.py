"""The refresh of the touched owners: their facts anew, and the grouped tables by what they contribute.

``old`` and ``new`` are schemas of the staging database with the facts of these owners, before and after.
A grouped table changes by the contributions of ``new`` less those of ``old``: the definitions are the full
build's own, so what a refresh leaves behind is what a full build would have made.

Most rows of a touched owner are the same before and after. Only those that moved are written, and where the
rows of an order stand for themselves (``Grouped.by_order``) only orders that moved are added up: they lie in
the schemas ``was`` and ``is``. Everything is worked out in memory first and written in one transaction.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Table

from lib.mart import facts, open_hours, stage
from lib.mart.about import About
from lib.mart.build import Progress, Workshop, copy_file, describe
from lib.mart.changes import note_seen, note_wanted
from lib.mart.grouped import GROUPED, Grouped
from lib.mart.schema import FACTS, dim_customer, dim_product, fact_item, fact_order, fact_refund, fact_shipment
from lib.mart.source import Source

_OWNED = (*((table, "owner_key") for table in FACTS), (dim_customer, "customer_id"))
_OF_ORDERS = (fact_order, fact_item, fact_refund, fact_shipment)
# What a customer's next purchase and a review change of an order before; no sum by order reads them.
_ASIDE = {"fact_order": ("next_gap", "rating")}


def build_increment(
    workshop: Workshop, source: Source, before: About, snapshot: Path, progress: Progress | None = None
) -> tuple[About, int]:
    """Bring a copy of the last snapshot, attached as ``old``, up to date; ``changes.touched`` names whose facts.

    Returns:
        what the finished file is, and the number of rows read.
    """
    engine = workshop.engine
    workshop.open_stage(in_memory=True)
    for schema in ("old", "new", "was", "is"):
        engine.execute(f"CREATE SCHEMA stage.{schema}")
    workshop.create_tables("stage.new", [dim_product, *(table for table, _ in _OWNED)])
    # Copying and looking up need the disk and the snapshot, reading needs the order database.
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="mart-refresh") as beside:
        copied = beside.submit(copy_file, snapshot, workshop.work)
        kept = beside.submit(_keep_old, workshop)
        _renew_products(workshop)
        note_wanted(engine, source)
        rows = stage.load_all(engine, source, only_wanted=True, progress=progress)
        open_hours.lay_out(engine, source, workshop.store)
        workshop.use("stage.new")
        workshop.make_facts(progress)
        kept.result()
        for table, owner in _OWNED:
            _compare(workshop, table, owner)
        _take_moved_orders(workshop)
        for grouped in GROUPED:
            if progress:
                progress(f"grouping {grouped.table.name.replace('_', ' ')}")
            _shift(workshop, grouped)
        copied.result()
    if progress:
        progress("writing what changed")
    workshop.open_mart()
    with workshop.transaction():
        _replace_products(workshop)
        for table, _ in _OWNED:
            _replace_moved(workshop, table)
        for grouped in GROUPED:
            _replace_shifted(workshop, grouped)
        note_seen(engine, source, workshop.at)
        about = describe(workshop, before.version + 1, "incremental", full_bytes=before.full_bytes)
    engine.execute("CHECKPOINT mart")
    return about, rows


_GONE_PRODUCTS = (
    "SELECT product_id FROM changes.products UNION SELECT row_id FROM changes.gone WHERE table_name = 'products'"
)


def _renew_products(workshop: Workshop) -> None:
    """The products as they are now, for the facts."""
    engine = workshop.engine
    engine.execute("CREATE TABLE stage.main.products AS FROM changes.products")
    workshop.use("stage.new")
    engine.execute(f"INSERT INTO dim_product FROM old.main.dim_product WHERE product_id NOT IN ({_GONE_PRODUCTS})")
    engine.execute(facts.DIM_PRODUCT)


def _replace_products(workshop: Workshop) -> None:
    engine = workshop.engine
    engine.execute(f"DELETE FROM mart.main.dim_product WHERE product_id IN ({_GONE_PRODUCTS})")  # noqa: S608 - constants of this module
    engine.execute(
        "INSERT INTO mart.main.dim_product FROM stage.new.dim_product "
        "WHERE product_id IN (SELECT product_id FROM changes.products)"
    )


def _keep_old(workshop: Workshop) -> None:
    """Keep the owners' rows as they were in ``stage.old``; ``at_row`` is a row's place in the file."""
    with workshop.engine.cursor() as beside:
        for table, owner in _OWNED:
            beside.execute(
                f"CREATE TABLE stage.old.{table.name} AS SELECT rowid AS at_row, * FROM old.main.{table.name} "  # noqa: S608 - names from the schema
                f"WHERE {owner} IN (SELECT owner_key FROM changes.touched)"
            )


def _key(table: Table) -> str:
    """The column that tells a fact's rows apart: its first."""
    return next(iter(table.columns)).name


def _compare(workshop: Workshop, table: Table, owner: str) -> None:
    """Keep in ``moved_…`` the keys of the rows that differ, and where they were; null where there was none.

    ``is_moved``: they differ in what a sum by order reads.
    """
    engine, name, key = workshop.engine, table.name, _key(table)
    # Rows of others were staged only for what they are to these owners.
    engine.execute(f"DELETE FROM stage.new.{name} WHERE {owner} NOT IN (SELECT owner_key FROM changes.touched)")  # noqa: S608 - names from the schema
    aside = _ASIDE.get(name, ())
    differs = {
        column.name: f"o.{column.name} IS DISTINCT FROM n.{column.name}"
        for column in table.columns
        if column.name != key
    }
    moves = " OR ".join(differs[column] for column in differs if column not in aside)
    engine.execute(
        f"CREATE TABLE stage.main.moved_{name} AS SELECT coalesce(o.{key}, n.{key}) AS {key}, o.at_row, "  # noqa: S608 - names from the schema
        f"o.{key} IS NULL OR n.{key} IS NULL OR {moves} AS is_moved "
        f"FROM stage.old.{name} o FULL JOIN stage.new.{name} n ON n.{key} = o.{key} "
        f"WHERE o.{key} IS NULL OR n.{key} IS NULL OR {' OR '.join(differs.values())}"
    )


def _take_moved_orders(workshop: Workshop) -> None:
    """Copy the orders of which any row moved, with all their rows, to ``was`` and ``is``."""
    engine = workshop.engine
    moved = " UNION ".join(
        f"SELECT f.order_id FROM stage.{schema}.{table.name} f "  # noqa: S608 - names from the schema
        f"SEMI JOIN stage.main.moved_{table.name} m ON m.{_key(table)} = f.{_key(table)} AND m.is_moved"
        for table in _OF_ORDERS
        for schema in ("old", "new")
    )
    engine.execute(f"CREATE TABLE stage.main.moved_orders AS {moved}")
    for schema, of in (("was", "old"), ("is", "new")):
        for table in _OF_ORDERS:
            name, key = table.name, _key(table)
            engine.execute(
                f"CREATE TABLE stage.{schema}.{name} AS FROM stage.{of}.{name} "  # noqa: S608 - names from the schema
                "WHERE order_id IN (SELECT order_id FROM stage.main.moved_orders) "
                f"OR (order_id IS NULL AND {key} IN (SELECT {key} FROM stage.main.moved_{name}))"
            )


def _shift(workshop: Workshop, grouped: Grouped) -> None:
    """Work out in ``shift_…`` the rows of a grouped table that change: as they are then, and where they were."""
    engine, name = workshop.engine, grouped.table.name
    for schema, part in zip(("was", "is") if grouped.by_order else ("old", "new"), ("lost", "gained"), strict=True):
        workshop.use(f"stage.{schema}")
        engine.execute(f"CREATE OR REPLACE TABLE stage.main.{part} AS {grouped.contributions()}")
    keys = ", ".join(grouped.keys)
    sums = ", ".join(f"CAST(sum({m}) AS BIGINT) AS {m}" for m in grouped.measures)
    minus = ", ".join(f"-{m} AS {m}" for m in grouped.measures)
    some = " OR ".join(f"sum({m}) <> 0" for m in grouped.measures)
    same = " AND ".join(f"t.{key} IS NOT DISTINCT FROM d.{key}" for key in grouped.keys)
    ours = ", ".join(f"d.{key}" for key in grouped.keys)
    added = ", ".join(f"d.{m} + coalesce(t.{m}, 0) AS {m}" for m in grouped.measures)
    engine.execute(
        f"CREATE TABLE stage.main.shift_{name} AS SELECT t.rowid AS at_row, {ours}, {added} FROM ("  # noqa: S608 - names from the schema
        f"SELECT {keys}, {sums} FROM "
        f"(SELECT * FROM stage.main.gained UNION ALL BY NAME SELECT {keys}, {minus} FROM stage.main.lost) "
        f"GROUP BY {keys} HAVING {some}) d LEFT JOIN old.main.{name} t ON {same}"
    )


def _replace_moved(workshop: Workshop, table: Table) -> None:
    engine, name, key = workshop.engine, table.name, _key(table)
    columns = ", ".join(column.name for column in table.columns)
    engine.execute(f"DELETE FROM mart.main.{name} WHERE rowid IN (SELECT at_row FROM stage.main.moved_{name})")  # noqa: S608 - names from the schema
    engine.execute(
        f"INSERT INTO mart.main.{name} ({columns}) SELECT {columns} FROM stage.new.{name} "  # noqa: S608 - names from the schema
        f"WHERE {key} IN (SELECT {key} FROM stage.main.moved_{name})"
    )


def _replace_shifted(workshop: Workshop, grouped: Grouped) -> None:
    engine, name = workshop.engine, grouped.table.name
    columns = ", ".join((*grouped.keys, *grouped.measures))
    some = " OR ".join(f"{m} <> 0" for m in grouped.measures)
    engine.execute(f"DELETE FROM mart.main.{name} WHERE rowid IN (SELECT at_row FROM stage.main.shift_{name})")  # noqa: S608 - names from the schema
    engine.execute(
        f"INSERT INTO mart.main.{name} ({columns}) SELECT {columns} FROM stage.main.shift_{name} WHERE {some} "  # noqa: S608 - names from the schema
        f"ORDER BY {', '.join(grouped.keys)}"
    )
