"""The routes before the app: sign in, give the code, sign out."""

from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lib.db.engine import order_database
from lib.db.tables.columns import now
from lib.db.vault import Vault
from lib.errors import SignInRefused, TooManyAttempts
from lib.settings import settings
from lib.ui import oidc, set_password, web_forms
from lib.ui.sign_in_page import Field, form_page
from lib.ui.visit import visitor
from lib.ui.web_forms import STALE, Sent, answer, aside, form_secret, go, is_same, mark_of, safe_next, sent
from lib.workflows import sign_in
from lib.workflows.sessions import CODE_WITHIN, Lifetimes
from lib.workflows.sign_in import CodeWanted, SignedIn

DONE = {"out": "You are signed out.", "set": "Your new password is set. Sign in with it."}


def routes() -> list[BaseRoute]:
    """Everything that is asked before somebody is in."""
    return [
        Route("/signin", _sign_in, methods=["GET", "POST"]),
        Route("/signin/code", _code, methods=["GET", "POST"]),
        Route("/signout", _sign_out, methods=["POST"]),
        *set_password.routes(),
        *oidc.routes(),
    ]


async def _sign_in(request: Request) -> Response:
    form = await sent(request) if request.method == "POST" else Sent(dict(request.query_params), True)
    back = safe_next(form["next"])
    if request.method == "GET":
        here = await aside(lambda: visitor(web_forms.token_of(request), at=now(), is_action=False))
        if here.is_in:
            return go(back)
        return _sign_in_page(request, back, error=here.why_closed, done=DONE.get(form["done"], ""))
    if not form.is_own:
        return _sign_in_page(request, back, error=STALE, status=400)
    try:
        found: SignedIn | CodeWanted = await aside(
            partial(
                sign_in.with_password,
                order_database(settings()),
                form["email"],
                form["password"],
                web_forms.caller(request),
                at=now(),
                lifetimes=Lifetimes.of(settings()),
                old_token=web_forms.token_of(request),
            )
        )
    except SignInRefused as refusal:
        return _sign_in_page(request, back, email=form["email"], error=str(refusal), status=_status(refusal))
    if isinstance(found, CodeWanted):
        response: Response = go(f"/signin/code?next={quote(back, safe='')}")
        web_forms.keep(response, request, web_forms.STEP_COOKIE, found.token, seconds=int(CODE_WITHIN.total_seconds()))
        return response
    response = go(back)
    web_forms.keep_session(response, request, found.token)
    return response


def _sign_in_page(
    request: Request, back: str, *, email: str = "", error: str = "", done: str = "", status: int = 200
) -> Response:
    secret = form_secret(request)
    html = form_page(
        "Sign in",
        "With the e-mail address you were invited by.",
        (
            Field(
                name="email",
                label="E-mail",
                kind="email",
                value=email[:254],
                complete="username",
                is_first=not email,
            ),
            Field(
                name="password",
                label="Password",
                kind="password",
                complete="current-password",
                is_first=bool(email),
            ),
        ),
        action="/signin",
        button="Sign in",
        hidden={"form": mark_of(secret), "next": back},
        error=error,
        wrong=("email", "password") if status == 401 else (),
        done=done,
        more=(("Forgot your password?", "/forgot"),),
        beside=("Sign in with your organisation", f"/signin/provider?next={quote(back, safe='')}")
        if settings().oidc_issuer
        else None,
    )
    return answer(request, html, secret=secret, status=status)


async def _code(request: Request) -> Response:
    form = await sent(request) if request.method == "POST" else Sent(dict(request.query_params), True)
    back, step = safe_next(form["next"]), request.cookies.get(web_forms.named(request, web_forms.STEP_COOKIE), "")
    if not step:
        return go(f"/signin?next={quote(back, safe='')}")
    error, status = "", 200
    if request.method == "POST" and not form.is_own:
        error, status = STALE, 400
    elif request.method == "POST":
        try:
            found: SignedIn = await aside(
                partial(
                    sign_in.with_code,
                    order_database(settings()),
                    step,
                    form["code"],
                    web_forms.caller(request),
                    vault=Vault.of(settings()),
                    at=now(),
                    lifetimes=Lifetimes.of(settings()),
                    old_token=web_forms.token_of(request),
                )
            )
        except SignInRefused as refusal:
            error, status = str(refusal), _status(refusal)
        else:
            response = go(back)
            web_forms.keep_session(response, request, found.token)
            return response
    secret = form_secret(request)
    html = form_page(
        "One more step",
        "Type the code that your authenticator shows for Encore.",
        (Field(name="code", label="Code", complete="one-time-code", mode="numeric", hint="6 digits", is_first=True),),
        action="/signin/code",
        button="Go on",
        hidden={"form": mark_of(secret), "next": back},
        error=error,
        wrong=("code",) if status == 401 else (),
        more=(("Start again", f"/signin?next={quote(back, safe='')}"),),
    )
    return answer(request, html, secret=secret, status=status)


async def _sign_out(request: Request) -> Response:
    """End the session; the form carries a mark of the session itself, which only the app's own page knows."""
    token = web_forms.token_of(request)
    form = await sent(request)
    response = go("/signin?done=out")
    if token is None:
        return response
    if "origin" not in request.headers or not is_same(form["form"], mark_of(token)):
        return Response("This request does not come from Encore's own page.", 403, media_type="text/plain")
    client = request.client.host if request.client else None
    await aside(lambda: sign_in.sign_out(order_database(settings()), token, at=now(), address=client))
    web_forms.drop_session(response, request)
    return response


def _status(refusal: SignInRefused) -> int:
    return 429 if isinstance(refusal, TooManyAttempts) else 401
