"""What runs around the screens: the wall, a health route, and the work in the background."""

import logging
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from anyio import to_thread
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from lib.db.engine import order_database, reading
from lib.db.migrate import pending
from lib.errors import EncoreError, SettingsError
from lib.jobs import mailbox, offers, outbox
from lib.jobs.refresh import start_background
from lib.jobs.snapshot import newest
from lib.settings import ROOT, settings
from lib.ui import exports, hooks, sign_in, unsubscribe
from lib.ui.packed import PackedFiles
from lib.ui.visit import NO_OWNER, ask, is_open_to_others, is_ours
from lib.ui.wall import Wall
from lib.workflows.sessions import anyone

log = logging.getLogger("encore")

SHELL = ROOT / "lib" / "ui" / "shell.py"


def middleware() -> list[Middleware]:
    """The wall outermost, so that nothing is answered before it has looked."""
    return [Middleware(Wall, ask=ask, is_ours=is_ours), Middleware(PackedFiles)]


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def _is_ready() -> bool:
    try:
        return not pending(order_database(settings()))
    except EncoreError:
        return False


async def _ready(_request: Request) -> JSONResponse:
    """Whether the order database answers and its tables are up to date."""
    is_ready = await to_thread.run_sync(_is_ready)
    status = {"status": "ready" if is_ready else "not ready"}
    return JSONResponse(status, 200 if is_ready else 503, headers={"cache-control": "no-store"})


def routes() -> list[BaseRoute]:
    """The routes beside Streamlit's own: `/health` says that the process answers, `/ready` that it can serve."""
    return [
        Route("/health", _health, methods=["GET"]),
        Route("/ready", _ready, methods=["GET"]),
        *sign_in.routes(),
        *unsubscribe.routes(),
        *hooks.routes(),
        *exports.routes(),
    ]


def refuse_without_owner() -> None:
    """Let nobody start an app that is open to others while nobody has an account.

    Raises:
        SettingsError: says how to make the first owner.
    """
    if not is_open_to_others():
        return
    with reading(order_database(settings())) as connection:
        if not anyone(connection):
            raise SettingsError(NO_OWNER)


def address() -> dict[str, Any]:
    """Where `python dashboard.py` listens."""
    here = settings()
    return {"server.address": here.address, "server.port": here.port, "server.headless": True}


def _warm() -> None:
    """Load what the first visitor would otherwise wait for: the libraries and the newest snapshot."""
    for module in ("altair", "holidays", "scipy.special", "lib.metrics.read", "lib.charts.trend"):
        import_module(module)
    try:
        newest(settings())
    except EncoreError as error:
        log.info("Nothing to warm yet: %s", error)
    except Exception:
        log.exception("The snapshot could not be opened ahead of the first visit")


def on_error(error: BaseException) -> bool:
    """What a page shows when something breaks outside the shell's own guard: in a fragment, in a callback."""
    # Imported when needed: the screens' caches want a running server.
    from lib.ui.access import show_error

    return show_error(error)


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Start the work in the background once per process, and warm up beside it."""
    try:
        refuse_without_owner()
    except SettingsError as refusal:
        # Whoever started it reads this, and no trace of a fault.
        print(f"SettingsError: {refusal}", file=sys.stderr, flush=True)
        os._exit(2)
    start_background(settings())
    outbox.start_background(settings())
    mailbox.start_background(settings())
    offers.start_background(settings())
    threading.Thread(target=_warm, name="encore-warm", daemon=True).start()
    yield
