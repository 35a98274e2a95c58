"""Open somebody's database to read, and never to write; its secrets never appear in a message."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from lib.errors import SourceUnavailable

SECONDS_TO_CONNECT: Final = 15
# The secret that is the user's password where the address names none.
PASSWORD: Final = "PASSWORD"
_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")
_SECRET: Final = re.compile(r"(pass|secret|token|key|pwd)", re.IGNORECASE)


def source_url(address: str, secrets: Mapping[str, str]) -> URL:
    """Read a database's address; ``${NAME}`` in it stands for a secret, or a variable of the environment.

    A secret ``PASSWORD`` is also used where the address has a user and no password.

    Raises:
        SourceUnavailable: no address, a variable that is not set, or a database that is not known.
    """

    def fill(found: re.Match[str]) -> str:
        value = secrets.get(found[1], os.environ.get(found[1], ""))
        if not value:
            raise SourceUnavailable(f"The address names ${{{found[1]}}}, but no such variable is set.")
        # It stands inside an address: an @ or / in a password must not end it.
        return quote(value, safe="")

    try:
        url = make_url(_VARIABLE.sub(fill, address))
    except ArgumentError as error:
        raise SourceUnavailable(
            "This is no database's address: write sqlite:///FILE, postgresql://USER:${PASSWORD}@HOST/NAME or mysql://…"
        ) from error
    if url.password is None and url.username and secrets.get(PASSWORD):
        url = url.set(password=secrets[PASSWORD])
    name = url.get_backend_name()
    if name == "postgres" or name == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if name in ("mysql", "mariadb"):
        return url.set(drivername=f"{name}+pymysql")
    if name == "sqlite":
        return url.set(drivername="sqlite")
    raise SourceUnavailable(f"{name} databases cannot be read; SQLite, PostgreSQL and MySQL can.")


def shown(url: URL) -> str:
    """An address as people may see it: without its secrets."""
    query = {name: "***" if _SECRET.search(name) else value for name, value in url.query.items()}
    return url.set(query=query).render_as_string(hide_password=True)


@contextmanager
def read_only(url: URL) -> Iterator[Connection]:
    """A connection in one read-only transaction: all is read as it stood at its beginning.

    Raises:
        SourceUnavailable: it cannot be opened or read; the message shows the address without secrets.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            yield connection
            connection.rollback()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0][:300]
        for secret in (url.password, *(str(v) for k, v in url.query.items() if _SECRET.search(k))):
            reason = reason.replace(secret, "***") if secret else reason
        raise SourceUnavailable(f"{shown(url)} cannot be read: {reason}.") from None
    finally:
        engine.dispose()


def _engine(url: URL) -> Engine:
    name = url.get_backend_name()
    if name == "sqlite":
        file = Path(url.database or "")
        if not file.is_file():
            raise SourceUnavailable(f"There is no database file {file.name or '(none named)'}.")
        address = URL.create("sqlite", database=f"file:{_escaped(file)}", query={"mode": "ro", "uri": "true"})
        engine = create_engine(address, poolclass=NullPool)

        @event.listens_for(engine, "connect")
        def never_write(connection: Any, _: object) -> None:
            connection.execute("PRAGMA query_only=ON")

        return engine
    if name == "postgresql":
        options = "-c default_transaction_read_only=on"
        return create_engine(
            url,
            poolclass=NullPool,
            isolation_level="REPEATABLE READ",
            connect_args={"options": options, "connect_timeout": SECONDS_TO_CONNECT},
            hide_parameters=True,
        )
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"connect_timeout": SECONDS_TO_CONNECT}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def only_read(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION READ ONLY")

    return engine


def _escaped(file: Path) -> str:
    return str(file.resolve()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
