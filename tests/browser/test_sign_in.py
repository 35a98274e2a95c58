"""From the first account on everybody signs in: every door on a cold server, the way in, and the way out."""

import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import func, select, update

from lib.db.engine import open_engine, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.customers import consents, customers
from lib.db.tables.staff import sessions, staff
from lib.outbox.unsubscribe import PATH, made_link_key, token
from lib.settings import ROOT
from lib.staff import LOCAL, Role
from lib.workflows.passwords import hashed
from lib.workflows.staff import change_role, invite, sign_out_everywhere
from tests.browser.accessible import broken_rules, sticks_out
from tests.browser.conftest import free_port, serve, settled, stop
from tests.browser.test_wall import answer, socket_status

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "a kettle on a quiet hill"
PAGES = ["/", *(f"/{path.stem}" for path in sorted((ROOT / "pages").glob("*.py")))]
DOORS = [
    "/_stcore/host-config",
    "/_stcore/upload_file/1/2",
    "/media/abc.csv",
    "/component/x/index.html",
    "/app/static/inbox.js",
    "/static/../lib/ui/shell.py",
    "/pages/today.py",
    "/nothing",
]


@dataclass(frozen=True)
class Shop:
    """A running app with an owner, Ann, and another who has not yet set a password, Ida."""

    address: str
    data: Path
    invitation: str

    @property
    def database(self) -> str:
        return f"sqlite:///{self.data / 'order.db'}"


def _invited(data: Path, email: str, role: Role) -> str:
    with writing(open_engine(f"sqlite:///{data / 'order.db'}")) as connection:
        _, token = invite(connection, LOCAL, email, role, at=now(), name=email.partition("@")[0].capitalize())
    return f"/invitation/{token}"


@pytest.fixture(scope="module")
def shop(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data = tmp_path_factory.mktemp("people") / "data"
    shutil.copytree(demo_data, data)
    _invited(data, "ann@shop.test", Role.OWNER)
    with writing(open_engine(f"sqlite:///{data / 'order.db'}")) as connection:
        connection.execute(update(staff).values(password_hash=hashed(PASSWORD)))
    invitation = _invited(data, "ida@shop.test", Role.OWNER)
    process, address = serve(data, data.parent / "app.log")
    yield Shop(address, data, invitation)
    stop(process)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_a_cold_server_leads_to_the_sign_in(shop: Shop, path: str) -> None:
    status, headers, body = answer(shop.address, f"{path}?period=7d")
    assert status == 303
    assert headers["location"] == f"/signin?next={quote(f'{path}?period=7d', safe='')}"
    assert body == b""


@pytest.mark.parametrize("path", DOORS)
def test_every_other_door_is_closed(shop: Shop, path: str) -> None:
    status, _, body = answer(shop.address, path)
    assert status in {303, 400, 401, 404}
    assert len(body) < 200
    assert b"import" not in body


def test_the_connection_is_closed_to_whoever_is_not_signed_in(shop: Shop) -> None:
    assert socket_status(shop.address, Origin=shop.address) == 403
    assert socket_status(shop.address, Origin=shop.address, Cookie="encore=guessed") == 403


def test_health_answers_everybody_and_says_nothing_else(shop: Shop) -> None:
    assert answer(shop.address, "/health")[::2] == (200, b'{"status":"ok"}')


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_sign_in_is_readable_by_everybody(browser: Browser, shop: Shop, width: int, scheme: str) -> None:
    dark = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    there = dark.new_page()
    there.goto(f"{shop.address}/signin")
    expect(there.get_by_label("E-mail")).to_be_focused()
    assert broken_rules(there) == {}
    assert sticks_out(there) <= 0
    dark.close()


def test_an_invitation_serves_once_and_lets_its_person_in(shop: Shop, page: Page) -> None:
    page.goto(shop.address + shop.invitation)
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label(re.compile("again", re.I)).fill("short")
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label(re.compile("again", re.I)).fill(PASSWORD)
    page.get_by_role("button", name="Set password and sign in").click()
    settled(page)
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Ida")).to_be_visible()
    status, _, body = answer(shop.address, shop.invitation)
    assert status in {400, 404, 410} or b"expired or was used already" in body


def _sign_in(page: Page, shop: Shop, path: str = "/", email: str = "ann@shop.test", password: str = PASSWORD) -> None:
    page.goto(shop.address + path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_wrong_password_says_so_and_lets_nobody_in(shop: Shop, page: Page) -> None:
    _sign_in(page, shop, password="not this one at all")
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    assert page.context.cookies() == [] or "encore" not in {one["name"] for one in page.context.cookies()}


def test_a_deep_link_survives_signing_in_and_signing_out_ends_it(shop: Shop, page: Page) -> None:
    _sign_in(page, shop, "/repeat?period=90d&compare=None")
    settled(page)
    expect(page.get_by_role("heading", name="Repeat", exact=True)).to_be_visible()
    expect(page.get_by_role("radio", name="90d")).to_be_checked()
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "encore"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/signin?done=out")
    page.goto(f"{shop.address}/repeat")
    expect(page.get_by_label("E-mail")).to_be_visible()
    # The cookie itself opens nothing any more, wherever it was kept.
    assert socket_status(shop.address, Origin=shop.address, Cookie=f"encore={cookie['value']}") == 403


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere_after_signing_in(shop: Shop, page: Page, there: str) -> None:
    _sign_in(page, shop, f"/signin?next={quote(there, safe='')}")
    settled(page)
    assert urlsplit(page.url).netloc == urlsplit(shop.address).netloc


def _support(browser: Browser, shop: Shop, email: str) -> tuple[BrowserContext, Page]:
    """Somebody of the support, signed in in a browser of their own."""
    invitation = _invited(shop.data, email, Role.SUPPORT)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    there = context.new_page()
    there.goto(shop.address + invitation)
    there.get_by_label("Password", exact=True).fill(PASSWORD)
    there.get_by_label(re.compile("again", re.I)).fill(PASSWORD)
    there.get_by_role("button", name="Set password and sign in").click()
    settled(there)
    return context, there


def test_a_changed_role_counts_at_the_next_action(browser: Browser, shop: Shop) -> None:
    context, there = _support(browser, shop, "bea@shop.test")
    expect(there.get_by_role("link", name="Reviews")).to_be_visible()
    assert there.get_by_role("link", name="Staff").count() == 0
    there.goto(f"{shop.address}/staff")
    settled(there)
    expect(there.get_by_text("may not invite staff or change roles")).to_be_visible()
    there.goto(f"{shop.address}/reviews")
    settled(there)
    engine = open_engine(shop.database)
    with writing(engine) as connection:
        row = connection.execute(select(staff).where(staff.c.email == "bea@shop.test")).one()
        change_role(connection, LOCAL, row.staff_id, Role.VIEWER, version=row.version, at=now())
    there.get_by_role("button", name=re.compile("^Next")).first.click()
    settled(there)
    expect(there.get_by_text("may not see what waits for an answer").first).to_be_visible()
    context.close()


def test_a_session_that_was_ended_elsewhere_does_nothing_more(browser: Browser, shop: Shop) -> None:
    context, there = _support(browser, shop, "cem@shop.test")
    engine = open_engine(shop.database)
    with writing(engine) as connection:
        key = connection.execute(select(staff.c.staff_id).where(staff.c.email == "cem@shop.test")).scalar_one()
        assert sign_out_everywhere(connection, LOCAL, key, at=now()) == 1
    there.get_by_role("radio", name="7d").click()
    settled(there)
    expect(there.get_by_role("heading", name="Signed out")).to_be_visible()
    context.close()


def test_the_second_step_is_asked_for_and_each_code_serves_once(browser: Browser, shop: Shop, page: Page) -> None:
    context, _ = _support(browser, shop, "dan@shop.test")
    secret = pyotp.random_base32()
    with writing(open_engine(shop.database)) as connection:
        connection.execute(
            update(staff)
            .where(staff.c.email == "dan@shop.test")
            .values(totp_secret=secret, totp_confirmed_at=now(), version=staff.c.version + 1)
        )
    context.close()
    # Never a code that ends while it is typed.
    if (left := 30 - time.time() % 30) < 8:
        time.sleep(left)
    code = pyotp.TOTP(secret).now()
    _sign_in(page, shop, email="dan@shop.test")
    page.get_by_label("Code").fill("000000" if code != "000000" else "111111")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Go on").click()
    settled(page)
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()


@pytest.fixture
def provider() -> Iterator[str]:
    """A real OpenID Connect provider, with one person whose address is verified and one whose is not."""
    port = free_port()
    people = [
        '{"sub": "ann", "email": "ann@shop.test", "email_verified": true}',
        '{"sub": "eve", "email": "eve@shop.test", "email_verified": true}',
        '{"sub": "mallory", "email": "ann@shop.test", "email_verified": false}',
    ]
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port)]
    process = subprocess.Popen(
        [*command, *(part for one in people for part in ("--user-claims", one))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/.well-known/openid-configuration", timeout=1).close()
            break
        except OSError:
            time.sleep(0.25)
    else:
        process.kill()
        pytest.fail("the identity provider did not start", pytrace=False)
    yield address
    process.kill()
    process.wait()


def test_an_identity_provider_lets_in_whom_an_owner_invited_and_nobody_else(
    browser: Browser, demo_data: Path, tmp_path: Path, provider: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(demo_data, data)
    _invited(data, "ann@shop.test", Role.OWNER)
    told = {"ENCORE_OIDC_ISSUER": provider, "ENCORE_OIDC_CLIENT_ID": "encore", "ENCORE_OIDC_CLIENT_SECRET": "s" * 32}
    process, address = serve(data, tmp_path / "app.log", **told)
    engine = open_engine(f"sqlite:///{data / 'order.db'}")
    try:
        for subject, is_in in (("eve", False), ("mallory", False), ("ann", True)):
            context = browser.new_context()
            there = context.new_page()
            there.goto(f"{address}/repeat?period=90d")
            there.get_by_role("link", name="Sign in with your organisation").click()
            there.locator("input[name=sub]").fill(subject)
            there.locator("button[type=submit], input[type=submit]").first.click()
            with reading(engine) as connection:
                count = connection.scalar(select(func.count()).select_from(sessions))
            if is_in:
                settled(there)
                expect(there.get_by_role("heading", name="Repeat", exact=True)).to_be_visible()
                assert count == 1
            else:
                expect(there.get_by_role("alert")).to_be_visible()
                assert count == 0
            context.close()
        with reading(engine) as connection:
            method, subject = connection.execute(
                select(sessions.c.method, staff.c.oidc_subject).join(staff, staff.c.staff_id == sessions.c.staff_id)
            ).one()
        assert (method, subject.endswith("ann")) == ("identity provider", True)
    finally:
        stop(process)


def test_a_customer_unsubscribes_by_her_own_link_without_signing_in_and_for_nobody_else(shop: Shop, page: Page) -> None:
    engine = open_engine(shop.database)
    with writing(engine) as connection:
        key = made_link_key(connection)
        given = select(consents.c.customer_id).where(consents.c.channel == "email", consents.c.state == "given")
        english = given.join(customers).where(customers.c.language.like("en%"))
        hers, others = connection.execute(english.order_by(consents.c.customer_id).limit(2)).scalars()

    def state(customer_id: int) -> str:
        with reading(engine) as connection:
            found = select(consents.c.state).where(consents.c.customer_id == customer_id, consents.c.channel == "email")
            return str(connection.execute(found).scalar_one())

    forged = token(key, hers).replace(f"{hers}.", f"{others}.", 1)
    answered = page.goto(f"{shop.address}{PATH}{forged}")
    assert answered is not None and answered.status == 404
    page.goto(f"{shop.address}{PATH}{token(key, hers)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("No more offers by mail?")
    assert state(hers) == "given"  # opening it changed nothing
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")
    assert (state(hers), state(others)) == ("withdrawn", "given")
