"""Start the app: bring the tables up to date, make what is missing, serve."""

import argparse
import os
import socket
import sys
import time
from argparse import Namespace
from importlib import import_module

from sqlalchemy import Engine, select

from lib.db.engine import order_database, reading
from lib.db.migrate import migrate
from lib.db.tables.orders import orders
from lib.db.tables.store import store
from lib.errors import RefreshBusy, SettingsError
from lib.importers.first_load import put_back_after_death
from lib.mart.about import read_pointer
from lib.settings import ROOT, Settings, chosen, is_loopback, settings
from lib.workflows.sessions import anyone


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--no-demo", action="store_true", help="start without a demo store when there is no store yet")


def run(args: argparse.Namespace) -> int:
    """Prepare and serve until Ctrl-C."""
    here = settings()
    port = choose_port(here.address, here.port, is_fixed="ENCORE_PORT" in chosen())
    engine = order_database(here)
    if applied := migrate(engine):
        print(f"The order database is ready ({', '.join(applied)}).", flush=True)
    put_back_after_death(engine)
    refuse_without_owner(here, engine)
    if not args.no_demo and is_without_store(engine):
        print("There is no store yet: making a demo store, about half a minute …", flush=True)
        _command("demo")
    if read_pointer(here.mart_dir) is None:
        build_mart(here)
    url = f"http://{f'[{here.address}]' if ':' in here.address else here.address}:{port}"
    print(f"Encore runs at {url} (Ctrl-C stops it).", flush=True)
    serve(here.address, port)
    return 0


def refuse_without_owner(here: Settings, engine: Engine) -> None:
    """Let others in only once somebody has an account to sign in with.

    Raises:
        SettingsError: the app would be open to others, and nobody has an account.
    """
    if not here.is_open:
        return
    with reading(engine) as connection:
        if not anyone(connection):
            where = "ENCORE_PUBLIC_URL" if is_loopback(here.address) else f"ENCORE_ADDRESS={here.address}"
            raise SettingsError(
                f"{where} would let others in, and nobody has an account to sign in with. Make the first owner:"
                " python -m lib staff add YOUR@EMAIL --role owner"
            )


def choose_port(address: str, wanted: int, *, is_fixed: bool) -> int:
    """The wanted port, or the next free one unless the wanted one was asked for by name.

    Raises:
        SettingsError: the wanted port is taken and was asked for, or no port is free.
    """
    if wanted == 0 or _is_free(address, wanted):
        return wanted or _any_port(address)
    if is_fixed:
        raise SettingsError(f"Port {wanted} is taken. Set ENCORE_PORT to another, or stop what listens there.")
    return next((port for port in range(wanted + 1, wanted + 50) if _is_free(address, port)), 0) or _any_port(address)


def is_without_store(engine: Engine) -> bool:
    """Whether nobody has imported or made anything yet."""
    with reading(engine) as connection:
        return (
            connection.execute(select(store.c.store_id).limit(1)).first() is None
            and connection.execute(select(orders.c.order_id).limit(1)).first() is None
        )


def build_mart(here: Settings) -> None:
    """Build the mart's first snapshot, unless another process is at it already."""
    from lib.jobs.refresh import refresh

    print("Building the mart …", flush=True)
    started = time.monotonic()
    try:
        refresh(here, wait_seconds=600)
    except RefreshBusy:
        print("Another process is building it; figures appear when it is done.", flush=True)
        return
    print(f"The mart is built ({time.monotonic() - started:.0f} s).", flush=True)


def serve(address: str, port: int) -> None:
    """Become the app: this process is replaced, so that Ctrl-C and stop signals reach it directly."""
    sys.stdout.flush()
    environment = {**os.environ, "ENCORE_ADDRESS": address, "ENCORE_PORT": str(port)}
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "dashboard.py"], environment)


def _command(name: str, *words: str) -> None:
    module = import_module(f"lib.cli.{name}")
    parser = argparse.ArgumentParser()
    module.arguments(parser)
    args: Namespace = parser.parse_args(words)
    module.run(args)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _is_free(address: str, port: int) -> bool:
    with socket.socket(_family(address)) as listener:
        # As the server does, so that a port that was in use a moment ago counts as free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError:
            return False
        return True


def _any_port(address: str) -> int:
    with socket.socket(_family(address)) as listener:
        listener.bind((address, 0))
        return int(listener.getsockname()[1])
