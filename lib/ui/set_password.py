"""Routes before the app that set a password: by an invitation or a reset, and the first owner's."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.errors import SignInRefused, StaffRefused
from lib.settings import settings
from lib.ui import web_forms
from lib.ui.sign_in_page import Field, form_page
from lib.ui.visit import Kind, visitor
from lib.ui.web_forms import STALE, Sent, answer, aside, form_secret, go, mark_of, sent
from lib.workflows import links, passwords, sign_in
from lib.workflows.sessions import Lifetimes
from lib.workflows.sign_in import SignedIn

PASSWORDS: tuple[str, ...] = ("password", "again")


def routes() -> list[BaseRoute]:
    """Links that let somebody in, and the way to the first account."""
    return [
        *(Route(f"/{kind}/{{token}}", _link, methods=["GET", "POST"]) for kind in (links.INVITATION, links.RESET)),
        Route("/forgot", _forgot, methods=["GET", "POST"]),
        Route("/first-owner", _first_owner, methods=["GET", "POST"]),
    ]


async def _link(request: Request) -> Response:
    """Set a password by an invitation or a reset."""
    token, kind = request.path_params["token"], request.url.path.split("/")[1]
    engine, is_new = order_database(settings()), kind == links.INVITATION
    form = await sent(request) if request.method == "POST" else Sent({}, True)

    def opened() -> links.Link:
        with reading(engine) as connection:
            link = links.opened(connection, token, at=now())
        if link.kind != kind:
            raise SignInRefused(links.NOT_GOOD)
        return link

    def accepted() -> SignedIn | None:
        return sign_in.with_link(
            engine,
            token,
            form["password"],
            web_forms.caller(request),
            name=form["name"],
            at=now(),
            lifetimes=Lifetimes.of(settings()),
        )

    try:
        link = await aside(opened)
    except SignInRefused as refusal:
        return _nothing_here(request, str(refusal))
    error, wrong, status = "", PASSWORDS, 200
    if request.method == "POST":
        if not form.is_own:
            error, status = STALE, 400
        elif form["password"] != form["again"]:
            error, status = "The two passwords are not the same.", 400
        else:
            try:
                found = await aside(accepted)
            except SignInRefused as refusal:
                error, status = str(refusal), 400
            else:
                response = go("/" if found else "/signin?done=set")
                if found:
                    web_forms.keep_session(response, request, found.token)
                return response
    secret = form_secret(request)
    name = Field(name="name", label="Your name", value=form["name"] or link.name, complete="name")
    html = form_page(
        "Welcome to Encore" if is_new else "Set a new password",
        f"You were invited as {link.email}." if is_new else f"For {link.email}. Every other session ends.",
        (*((name,) if is_new else ()), *_new_password()),
        action=request.url.path,
        button="Set password and sign in" if not link.has_code else "Set password",
        hidden={"form": mark_of(secret)},
        error=error,
        wrong=wrong if error else (),
    )
    return answer(request, html, secret=secret, status=status)


def _new_password() -> tuple[Field, Field]:
    hint = f"At least {passwords.SHORTEST} characters. A few words in a row are easy to keep."
    return (
        Field(name="password", label="Password", kind="password", complete="new-password", hint=hint),
        Field(name="again", label="The same again", kind="password", complete="new-password"),
    )


async def _forgot(request: Request) -> Response:
    secret = form_secret(request)
    html = form_page(
        "Forgot your password?",
        "Ask an owner of the store: under Staff there is a button that makes a link for you. "
        "An owner makes one at the computer that Encore runs on: python -m lib staff link YOUR@EMAIL",
        (),
        action="/forgot",
        button="",
        hidden={},
        more=(("Back to the sign-in", "/signin"),),
    )
    return answer(request, html, secret=secret)


async def _first_owner(request: Request) -> Response:
    """The person at this machine makes the first account; from then on everybody signs in."""
    here = await aside(lambda: visitor(web_forms.token_of(request), at=now(), is_action=False))
    if here.kind is not Kind.LOCAL:
        return go("/")
    form = await sent(request) if request.method == "POST" else Sent({}, True)
    error, wrong, status = "", PASSWORDS, 200
    if request.method == "POST":
        if not form.is_own:
            error, status = STALE, 400
        elif form["password"] != form["again"]:
            error, status = "The two passwords are not the same.", 400
        else:
            try:
                found: SignedIn = await aside(
                    partial(
                        sign_in.as_first_owner,
                        order_database(settings()),
                        form["email"],
                        form["name"],
                        form["password"],
                        web_forms.caller(request),
                        at=now(),
                        lifetimes=Lifetimes.of(settings()),
                    )
                )
            except StaffRefused as refusal:
                error, wrong, status = str(refusal), ("email",), 400
            except SignInRefused as refusal:
                error, status = str(refusal), 400
            else:
                response = go("/staff")
                web_forms.keep_session(response, request, found.token)
                return response
    secret = form_secret(request)
    html = form_page(
        "Make the first account",
        "You become the owner and invite the others. From then on everybody signs in, you too.",
        (
            Field(name="name", label="Your name", value=form["name"], complete="name", is_first=not error),
            Field(name="email", label="E-mail", kind="email", value=form["email"], complete="username"),
            *_new_password(),
        ),
        action="/first-owner",
        button="Make the account",
        hidden={"form": mark_of(secret)},
        error=error,
        wrong=wrong if error else (),
        more=(("Not now", "/"),),
    )
    return answer(request, html, secret=secret, status=status)


def _nothing_here(request: Request, words: str) -> Response:
    html = form_page(
        "This link is not good",
        words,
        (),
        action="",
        button="",
        hidden={},
        more=(("To the sign-in", "/signin"),),
    )
    return answer(request, html, secret=form_secret(request), status=404)
