"""The refresh of the touched owners: their facts anew, and the grouped tables by what they contribute.

``old`` and ``new`` are schemas of the staging database with the facts of these owners, before and after.
A grouped table changes by the contributions of ``new`` less those of ``old``: the definitions are the full
build's own, so what a refresh leaves behind is what a full build would have made.
"""

from pathlib import Path

from lib.mart import facts, stage
from lib.mart.about import About
from lib.mart.build import Progress, Workshop, describe
from lib.mart.changes import note_seen, note_wanted
from lib.mart.grouped import GROUPED, Grouped
from lib.mart.schema import FACTS, dim_customer
from lib.mart.source import Source

_OWNED = (*((table, "owner_key") for table in FACTS), (dim_customer, "customer_id"))


def build_increment(
    workshop: Workshop, source: Source, before: About, snapshot: Path, progress: Progress | None = None
) -> tuple[About, int]:
    """Bring a copy of the last snapshot up to date; ``changes.touched`` names whose facts.

    Returns:
        what the finished file is, and the number of rows read.
    """
    engine = workshop.engine
    engine.execute("DETACH old")
    workshop.begin(copy_of=snapshot)
    for schema in ("old", "new"):
        engine.execute(f"CREATE SCHEMA stage.{schema}")
        workshop.create_tables(f"stage.{schema}", [table for table, _ in _OWNED])
    _renew_products(workshop)
    note_wanted(engine, source)
    rows = stage.load_all(engine, source, only_wanted=True, progress=progress)
    workshop.use("stage.new", "mart.main")
    workshop.make_facts(progress)
    _replace_facts(workshop)
    for grouped in GROUPED:
        if progress:
            progress(f"grouping {grouped.table.name.replace('_', ' ')}")
        _shift(workshop, grouped)
    note_seen(engine, source, workshop.at)
    return describe(workshop, before.version + 1, "incremental", full_bytes=before.full_bytes), rows


def _renew_products(workshop: Workshop) -> None:
    engine = workshop.engine
    engine.execute(
        "DELETE FROM mart.main.dim_product WHERE product_id IN (SELECT product_id FROM changes.products "
        "UNION SELECT row_id FROM changes.gone WHERE table_name = 'products')"
    )
    engine.execute("CREATE TABLE stage.main.products AS FROM changes.products")
    workshop.use("mart.main")
    engine.execute(facts.DIM_PRODUCT)


def _replace_facts(workshop: Workshop) -> None:
    """Keep the touched owners' old facts aside and put their new ones in their place."""
    engine = workshop.engine
    for table, owner in _OWNED:
        name, theirs = table.name, f"{owner} IN (SELECT owner_key FROM changes.touched)"  # noqa: S608 - names from the schema
        # Rows of others that were staged only for what they are to these owners.
        engine.execute(f"DELETE FROM stage.new.{name} WHERE NOT {theirs}")  # noqa: S608 - names from the schema
        engine.execute(f"INSERT INTO stage.old.{name} SELECT * FROM mart.main.{name} WHERE {theirs}")  # noqa: S608 - names from the schema
        engine.execute(f"DELETE FROM mart.main.{name} WHERE {theirs}")  # noqa: S608 - names from the schema
        engine.execute(f"INSERT INTO mart.main.{name} SELECT * FROM stage.new.{name}")  # noqa: S608 - names from the schema


def _shift(workshop: Workshop, grouped: Grouped) -> None:
    """Add the new contributions to a grouped table and take the old ones away."""
    engine, name = workshop.engine, grouped.table.name
    for schema, part in (("old", "lost"), ("new", "gained")):
        workshop.use(f"stage.{schema}")
        engine.execute(f"CREATE OR REPLACE TABLE stage.main.{part} AS {grouped.contributions()}")
    keys = ", ".join(grouped.keys)
    sums = ", ".join(f"CAST(sum({m}) AS BIGINT) AS {m}" for m in grouped.measures)
    minus = ", ".join(f"-{m} AS {m}" for m in grouped.measures)
    some = " OR ".join(f"sum({m}) <> 0" for m in grouped.measures)
    engine.execute(
        f"CREATE OR REPLACE TABLE stage.main.shift AS SELECT {keys}, {sums} FROM "  # noqa: S608 - names from the schema
        f"(SELECT * FROM stage.main.gained UNION ALL BY NAME SELECT {keys}, {minus} FROM stage.main.lost) "
        f"GROUP BY {keys} HAVING {some}"
    )
    same = " AND ".join(f"t.{key} IS NOT DISTINCT FROM d.{key}" for key in grouped.keys)
    moved = ", ".join(f"{m} = t.{m} + d.{m}" for m in grouped.measures)
    engine.execute(f"UPDATE mart.main.{name} t SET {moved} FROM stage.main.shift d WHERE {same}")  # noqa: S608 - names from the schema
    engine.execute(
        f"INSERT INTO mart.main.{name} BY NAME SELECT * FROM stage.main.shift d "  # noqa: S608 - names from the schema
        f"WHERE NOT EXISTS (SELECT 1 FROM mart.main.{name} t WHERE {same})"
    )
    none = " AND ".join(f"{m} = 0" for m in grouped.measures)
    engine.execute(f"DELETE FROM mart.main.{name} WHERE {none}")  # noqa: S608 - names from the schema
