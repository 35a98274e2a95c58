"""What the order database does by itself, on SQLite and PostgreSQL alike.

- ``updated_at`` moves on every update whose writer left it as it was: the refresh reads by it.
- A change to the lines of an order (a refund, a return, a cart) counts as a change of the order.
- A deleted row leaves a tombstone in ``deleted_rows``, so that the refresh learns of it.
- ``audit_log`` only grows: update and delete are refused.

Written from the table definitions, so they follow them: ``replace`` drops and makes all of them.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Table, text

from lib.db.tables.all import metadata

PREFIX = "encore_"
# A deletion of these is told to the refresh, with the order and the customer it belonged to.
TOMBSTONED = (
    "carts",
    "customers",
    "loyalty_entries",
    "loyalty_members",
    "orders",
    "products",
    "questions",
    "refunds",
    "returns",
    "reviews",
    "shipments",
    "survey_answers",
    "tickets",
)
# Rows without an updated_at of their own, and whose it is.
OWNED = {
    "order_items": "orders",
    "discounts_used": "orders",
    "refund_items": "refunds",
    "return_items": "returns",
    "cart_items": "carts",
}
# SQLite knows milliseconds only; timestamps are compared as text, so they are filled up to microseconds.
_SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
_POSTGRESQL_NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"
_REFUSAL = "audit_log only grows: rows are neither changed nor deleted"


def replace(connection: Connection) -> None:
    """Drop every trigger that Encore made and make them all anew."""
    drop(connection)
    create(connection)


def create(connection: Connection) -> None:
    """Make every trigger; the tables must exist and the triggers must not."""
    for statement in _sqlite() if connection.dialect.name == "sqlite" else _postgresql():
        connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Drop every trigger that Encore made."""
    if connection.dialect.name == "sqlite":
        for name, _ in _existing(connection):
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        return
    for name, table in _existing(connection):
        connection.exec_driver_sql(f'DROP TRIGGER "{name}" ON "{table}"')
    for (function,) in connection.execute(
        text(
            "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
            " AND prorettype = 'trigger'::regtype AND starts_with(proname, :prefix)"
        ),
        {"prefix": PREFIX},
    ).all():
        connection.exec_driver_sql(f'DROP FUNCTION "{function}"()')


def missing(connection: Connection) -> list[str]:
    """Names of the triggers that should exist and do not."""
    there = {name for name, _ in _existing(connection)}
    return sorted(set(_names(connection.dialect.name)) - there)


def _existing(connection: Connection) -> list[tuple[str, str]]:
    listing = (
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 7) = :prefix"
        if connection.dialect.name == "sqlite"
        else "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        " AND starts_with(t.tgname, :prefix)"
    )
    return [(name, table) for name, table in connection.execute(text(listing), {"prefix": PREFIX})]


def _names(dialect: str) -> Iterator[str]:
    for statement in _sqlite() if dialect == "sqlite" else _postgresql():
        if statement.startswith("CREATE TRIGGER"):
            yield statement.split()[2]


def _stamped() -> list[Table]:
    return [table for table in metadata.sorted_tables if "updated_at" in table.c]


def _key(table: Table) -> str:
    (column,) = table.primary_key.columns
    return column.name


def _tombstone(table: Table, old: str) -> tuple[str, str]:
    """The columns of a tombstone and where they come from."""
    key = _key(table)
    columns = ["table_name", "row_id", *(name for name in ("order_id", "customer_id") if name in table.c)]
    values = [f"'{table.name}'", f"{old}.{key}", *(f"{old}.{name}" for name in columns[2:])]
    return ", ".join([*columns, "deleted_at"]), ", ".join(values)


def _sqlite() -> Iterator[str]:
    for table in _stamped():
        key = _key(table)
        yield (
            f"CREATE TRIGGER {PREFIX}{table.name}_updated AFTER UPDATE ON {table.name} FOR EACH ROW"
            f" WHEN NEW.updated_at IS OLD.updated_at"
            f" BEGIN UPDATE {table.name} SET updated_at = {_SQLITE_NOW} WHERE {key} = NEW.{key}; END"
        )
    for owned, owner in OWNED.items():
        key = _key(metadata.tables[owner])
        for event, row in (("update", "NEW"), ("delete", "OLD")):
            yield (
                f"CREATE TRIGGER {PREFIX}{owned}_{event}d AFTER {event.upper()} ON {owned} FOR EACH ROW"
                f" BEGIN UPDATE {owner} SET updated_at = {_SQLITE_NOW} WHERE {key} = {row}.{key}; END"
            )
    for name in TOMBSTONED:
        columns, values = _tombstone(metadata.tables[name], "OLD")
        yield (
            f"CREATE TRIGGER {PREFIX}{name}_deleted AFTER DELETE ON {name} FOR EACH ROW"
            f" BEGIN INSERT INTO deleted_rows ({columns}) VALUES ({values}, {_SQLITE_NOW}); END"
        )
    for event in ("UPDATE", "DELETE"):
        yield (
            f"CREATE TRIGGER {PREFIX}audit_log_{event.lower()} BEFORE {event} ON audit_log FOR EACH ROW"
            f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )


def _postgresql() -> Iterator[str]:
    yield (
        f"CREATE FUNCTION {PREFIX}stamp() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN NEW.updated_at := {_POSTGRESQL_NOW}; RETURN NEW; END $$"
    )
    for table in _stamped():
        yield (
            f"CREATE TRIGGER {PREFIX}{table.name}_updated BEFORE UPDATE ON {table.name} FOR EACH ROW"
            f" WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION {PREFIX}stamp()"
        )
    for owned, owner in OWNED.items():
        key = _key(metadata.tables[owner])
        yield (
            f"CREATE FUNCTION {PREFIX}{owned}_touch() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN UPDATE {owner} SET updated_at = {_POSTGRESQL_NOW}"
            f" WHERE {key} IN (SELECT {key} FROM changed); RETURN NULL; END $$"
        )
        for event, rows in (("update", "NEW"), ("delete", "OLD")):
            yield (
                f"CREATE TRIGGER {PREFIX}{owned}_{event}d AFTER {event.upper()} ON {owned}"
                f" REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {PREFIX}{owned}_touch()"
            )
    for name in TOMBSTONED:
        columns, values = _tombstone(metadata.tables[name], "gone")
        yield (
            f"CREATE FUNCTION {PREFIX}{name}_tombstone() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN INSERT INTO deleted_rows ({columns}) SELECT {values}, {_POSTGRESQL_NOW} FROM gone;"
            f" RETURN NULL; END $$"
        )
        yield (
            f"CREATE TRIGGER {PREFIX}{name}_deleted AFTER DELETE ON {name} REFERENCING OLD TABLE AS gone"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {PREFIX}{name}_tombstone()"
        )
    yield (
        f"CREATE FUNCTION {PREFIX}refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for event, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        yield (
            f"CREATE TRIGGER {PREFIX}audit_log_{event.lower()} BEFORE {event} ON audit_log FOR EACH {each}"
            f" EXECUTE FUNCTION {PREFIX}refuse()"
        )
