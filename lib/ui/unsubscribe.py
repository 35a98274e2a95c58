"""The page behind the unsubscribe link: open to whoever has the link, without signing in (RFC 8058).

Opening it changes nothing, for programs open links to look at them. A POST unsubscribes, be it the button of the page
or the mail program's own, which sends ``List-Unsubscribe=One-Click``.
"""

import logging
import tomllib
from functools import cache, partial
from html import escape
from pathlib import Path

from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from lib.db.engine import order_database, reading, writing
from lib.db.store import read_store
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.privacy import mask_email
from lib.settings import settings
from lib.ui.sign_in_page import CSS
from lib.workflows.contact import Recipient, recipient_of, unsubscribe

log = logging.getLogger("encore")
_WORDS = Path(__file__).with_name("unsubscribe.toml")
# A mail program sends one short line; whatever else comes is not read.
_LARGEST = 4096


def routes() -> list[BaseRoute]:
    """The one page; everything else about contact is asked inside."""
    return [Route("/unsubscribe/{token}", _unsubscribe, methods=["GET", "POST"])]


async def _unsubscribe(request: Request) -> Response:
    token, is_post = request.path_params["token"], request.method == "POST"
    if is_post:
        await _read_away(request)
    languages = request.headers.get("accept-language", "")
    try:
        work = partial(_withdraw if is_post else _look, token)
        recipient, store_name = await to_thread.run_sync(work)
    except (EncoreError, DBAPIError):
        log.exception("Somebody could not be unsubscribed")
        return _answer(_page(_words(None, languages), "busy", "again"), 503)
    if recipient is None:
        return _answer(_page(_words(None, languages), "wrong", "why"), 404)
    words = _words(recipient.language, languages)
    about = {"email": mask_email(recipient.email) or "–", "store": store_name}
    if recipient.is_out:
        return _answer(_page(words, "done", "told", about))
    return _answer(_page(words, "ask", "asked", about, with_button=True))


def _look(token: str) -> tuple[Recipient | None, str]:
    with reading(order_database(settings())) as connection:
        return recipient_of(connection, token), read_store(connection, settings()).name


def _withdraw(token: str) -> tuple[Recipient | None, str]:
    recipient, store_name = _look(token)
    # A link that is none of ours never makes anybody wait for the one writer.
    if recipient is None or recipient.is_out:
        return recipient, store_name
    with writing(order_database(settings())) as connection:
        return unsubscribe(connection, token, at=now()), store_name


async def _read_away(request: Request) -> None:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > _LARGEST:
            return


@cache
def _all_words() -> dict[str, dict[str, str]]:
    return tomllib.loads(_WORDS.read_text(encoding="utf-8"))


def _words(language: str | None, accepted: str) -> dict[str, str]:
    """In the customer's language, else the browser's first, else English; ``lang`` says which it is."""
    known = _all_words()
    for wanted in (language or "", accepted):
        short = wanted.strip().lower()[:2]
        if short in known:
            return known[short] | {"lang": short}
    return known["en"] | {"lang": "en"}


def _page(
    words: dict[str, str], title: str, text: str, about: dict[str, str] | None = None, *, with_button: bool = False
) -> str:
    told = words[text]
    for name, value in (about or {}).items():
        told = told.replace(f"{{{name}}}", value)
    # The form goes to where it came from: the link itself.
    button = f'<form method="post"><button type="submit">{escape(words["button"])}</button></form>'
    return (
        f'<!doctype html><html lang="{words["lang"]}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{escape(words[title])}</title><style>{CSS}</style></head><body><main>"
        f'<h1>{escape(words[title])}</h1><p role="status">{escape(told)}</p>{button if with_button else ""}'
        "</main></body></html>"
    )


def _answer(html: str, status: int = 200) -> HTMLResponse:
    # The address holds the right to unsubscribe: nobody keeps the page, and the wall has it told to nobody else.
    return HTMLResponse(html, status, headers={"cache-control": "no-store"})
