"""Signing in with an identity provider (OpenID Connect): it vouches for who somebody is, the session is ours.

Authorization code with PKCE, state and nonce (Authlib). What must survive the way there and back lies in a
signed cookie, under a key made from the client's secret: every process of the app has the same.
"""

import hashlib
import hmac
import logging
from functools import cache, partial
from typing import Any
from urllib.parse import quote

from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from lib.db.engine import order_database
from lib.db.tables.columns import now
from lib.errors import SignInRefused
from lib.settings import Settings, settings
from lib.ui import web_forms
from lib.ui.sign_in_page import form_page
from lib.ui.web_forms import answer, aside, form_secret, go, safe_next
from lib.workflows import sign_in
from lib.workflows.sessions import Lifetimes
from lib.workflows.sign_in import SignedIn

log = logging.getLogger("encore")

COOKIE = "encore_provider"
# How long somebody may take at the provider.
WITHIN_SECONDS = 600


def routes() -> list[BaseRoute]:
    """The way to the provider and back; without a provider they say that there is none."""
    return [Route("/signin/provider", _Door(_start)), Route("/signin/callback", _Door(_back))]


class _Door:
    """One route, with what the way there and back must remember."""

    def __init__(self, serve: Any) -> None:
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not settings().oidc_issuer:
            response = _refused(request, "No identity provider is set up here.", status=404)
            await response(scope, receive, send)
            return

        async def inner(scope: Scope, receive: Receive, send: Send) -> None:
            response: Response = await self._serve(Request(scope, receive))
            await response(scope, receive, send)

        is_secure = web_forms.is_secure(request)
        remembering = SessionMiddleware(
            inner,
            secret_key=_key(settings()),
            session_cookie=f"__Host-{COOKIE}" if is_secure else COOKIE,
            max_age=WITHIN_SECONDS,
            same_site="lax",
            https_only=is_secure,
        )
        await remembering(scope, receive, send)


@cache
def _provider(here: Settings) -> Any:
    # Loaded when first wanted: most stores have no provider.
    from authlib.integrations.starlette_client import OAuth

    return OAuth().register(
        "provider",
        client_id=here.oidc_client_id,
        client_secret=here.oidc_client_secret,
        server_metadata_url=f"{here.oidc_issuer}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256"},
    )


async def _start(request: Request) -> Response:
    request.session.clear()
    request.session["next"] = safe_next(request.query_params.get("next", "/"))
    back = f"{web_forms.base_url(request)}/signin/callback"
    try:
        response: Response = await _provider(settings()).authorize_redirect(request, back)
    except Exception:
        log.exception("The identity provider does not answer")
        return _refused(request, "The identity provider does not answer. Try again, or sign in by password.")
    return response


async def _back(request: Request) -> Response:
    wanted = safe_next(str(request.session.get("next", "/")))
    try:
        token = await _provider(settings()).authorize_access_token(request)
        claims = token["userinfo"]
        issuer, subject = str(claims["iss"]), str(claims["sub"])
    except Exception:
        # Whatever is wrong with an answer from outside, it is no way in; the log says what.
        log.warning("An answer of the identity provider was refused", exc_info=True)
        return _refused(request, "The identity provider's answer was not accepted. Please try again.", back=wanted)
    finally:
        request.session.clear()
    try:
        found: SignedIn = await aside(
            partial(
                sign_in.with_identity,
                order_database(settings()),
                issuer=issuer,
                subject=subject,
                email=str(claims.get("email") or ""),
                is_verified=claims.get("email_verified") is True,
                caller=web_forms.caller(request),
                at=now(),
                lifetimes=Lifetimes.of(settings()),
                old_token=web_forms.token_of(request),
            )
        )
    except SignInRefused as refusal:
        return _refused(request, str(refusal), back=wanted)
    response = go(wanted)
    web_forms.keep_session(response, request, found.token)
    return response


def _refused(request: Request, words: str, *, status: int = 401, back: str = "/") -> Response:
    html = form_page(
        "Not signed in",
        "",
        (),
        action="",
        button="",
        hidden={},
        error=words,
        more=(("Back to the sign-in", f"/signin?next={quote(back, safe='')}"),),
    )
    return answer(request, html, secret=form_secret(request), status=status)


def _key(here: Settings) -> str:
    return hmac.new(here.oidc_client_secret.encode(), b"encore: the way to the provider", hashlib.sha256).hexdigest()
