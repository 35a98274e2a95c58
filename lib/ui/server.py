"""What runs around the screens: the wall, a health route, and the work in the background."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from lib.errors import EncoreError
from lib.jobs import mailbox, outbox
from lib.jobs.refresh import start_background
from lib.jobs.snapshot import newest
from lib.settings import ROOT, settings
from lib.ui.wall import PackedFiles, Wall

log = logging.getLogger("encore")

SHELL = ROOT / "lib" / "ui" / "shell.py"


def middleware() -> list[Middleware]:
    """The wall outermost, so that nothing is answered before it has looked."""
    return [Middleware(Wall), Middleware(PackedFiles)]


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})


def routes() -> list[BaseRoute]:
    """The routes beside Streamlit's own: `/health` says that the process answers."""
    return [Route("/health", _health, methods=["GET"])]


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
    start_background(settings())
    outbox.start_background(settings())
    mailbox.start_background(settings())
    threading.Thread(target=_warm, name="encore-warm", daemon=True).start()
    yield
