"""Where other programs tell of bounces, unsubscribes and complaints: signed, fresh, and each told once.

The signature is checked before anything is read. One that is older than five minutes is refused, and within them an
event's own id keeps a second telling from counting.
"""

import logging
from functools import partial

from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from lib.db.engine import order_database, writing
from lib.db.tables.columns import now
from lib.errors import EncoreError, InvalidInput, NotAllowed
from lib.settings import settings
from lib.workflows.contact_hook import Told, signed_events, take_events

log = logging.getLogger("encore")
LARGEST = 512 * 1024


def routes() -> list[BaseRoute]:
    """The one door for other programs."""
    return [Route("/hooks/contact", _contact, methods=["POST"])]


async def _contact(request: Request) -> Response:
    secret = settings().hook_secret
    if not secret:
        return _answer(404, error="Nothing is taken here: ENCORE_HOOK_SECRET is not set.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            return _answer(413, error=f"At most {LARGEST // 1024} KB at once.")
    try:
        events = signed_events(secret, request.headers.get("encore-signature", ""), body, at=now())
        done = await to_thread.run_sync(partial(_take, events))
    except NotAllowed as refused:
        return _answer(401, error=str(refused))
    except InvalidInput as refused:
        return _answer(422, error=str(refused))
    except (EncoreError, DBAPIError):
        log.exception("What came by webhook could not be noted")
        return _answer(503, error="It could not be noted just now. Send it again.")
    return _answer(200, noted=done.noted, known=done.known, unknown=done.unknown)


def _take(events: object) -> Told:
    with writing(order_database(settings())) as connection:
        return take_events(connection, events, at=now())


def _answer(status: int, **told: object) -> JSONResponse:
    return JSONResponse(told, status, headers={"cache-control": "no-store"})
