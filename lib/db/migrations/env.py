"""Runs revisions on the connection that lib/db/migrate.py hands over, inside its transaction."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, DefaultClause
from sqlalchemy.sql.elements import False_, True_

from lib.db.tables.all import metadata
from lib.db.tables.columns import UtcDateTime


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """A revision is frozen history and serves both engines: no class of ours, no literal of one engine."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime()"
    if kind == "server_default" and isinstance(item, DefaultClause) and isinstance(item.arg, True_ | False_):
        return "sa.true()" if isinstance(item.arg, True_) else "sa.false()"
    return False


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_server_default=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
