"""Signing in: who comes in, who does not, and what is left behind."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, func, select, update

from lib.db.engine import reading, writing
from lib.db.tables.staff import audit_log, sessions, sign_in_attempts, staff
from lib.db.vault import Vault
from lib.errors import EncoreError, SignInRefused, StaffRefused, TooManyAttempts
from lib.staff import LOCAL, Role, Staff
from lib.ui.web_forms import is_same, mark_of
from lib.workflows import attempts, links, my_account, passwords, sign_in
from lib.workflows import sessions as kept
from lib.workflows import staff as people
from lib.workflows.sessions import Caller, Lifetimes
from lib.workflows.sign_in import CodeWanted, SignedIn

PASSWORD = "three words are long"
VAULT = Vault(Path("nowhere"), "a key for these tests alone")
LIFETIMES = Lifetimes(idle=timedelta(hours=12), longest=timedelta(days=7))
HERE = Caller("192.0.2.1", "Firefox")


@pytest.fixture
def ann(database: Engine, noon: datetime) -> Staff:
    """An owner who has set her password, by her invitation."""
    with writing(database) as connection:
        key, token = people.invite(connection, LOCAL, "ann@example.com", Role.OWNER, at=noon, name="Ann")
        links.accept(connection, token, PASSWORD, HERE, at=noon)
    return Staff(staff_id=key, name="Ann", role=Role.OWNER, email="ann@example.com")


def come_in(database: Engine, at: datetime, password: str = PASSWORD, **more: Any) -> SignedIn | CodeWanted:
    values: dict[str, Any] = {"caller": HERE, "email": "Ann@Example.com ", **more}
    return sign_in.with_password(database, password=password, at=at, lifetimes=LIFETIMES, **values)


def whose(database: Engine, token: str, at: datetime) -> Staff | None:
    with reading(database) as connection:
        found = kept.signed_in(connection, token, at=at, idle=LIFETIMES.idle)
    return found.staff if found else None


def count(database: Engine, table: Any) -> int:
    with reading(database) as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def test_the_right_password_begins_a_session_of_which_only_the_hash_is_kept(
    database: Engine, ann: Staff, noon: datetime
) -> None:
    found = come_in(database, noon)
    assert isinstance(found, SignedIn)
    assert whose(database, found.token, noon) == Staff(
        staff_id=ann.staff_id, name="Ann", role=Role.OWNER, email="ann@example.com"
    )
    with reading(database) as connection:
        row = connection.execute(select(sessions)).one()
        person = connection.execute(select(staff)).one()
    assert found.token not in str(tuple(row)) and row.token_hash == kept.digest(found.token)
    assert (row.address, row.browser, row.method) == ("192.0.2.1", "Firefox", "password")
    assert PASSWORD not in str(tuple(person)) and person.password_hash.startswith("$argon2id$")
    with reading(database) as connection:
        last = connection.execute(select(audit_log).order_by(audit_log.c.audit_id.desc()).limit(1)).one()
    assert (last.action, last.subject, last.address) == ("staff.signed_in", f"staff:{ann.staff_id}", "192.0.2.1")


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@example.com", "three words are wrong"),
        ("ann@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("", ""),
        ("ann@example.com", PASSWORD + "x" * 5000),
    ],
)
def test_a_wrong_sign_in_leaves_only_the_attempt(
    database: Engine, ann: Staff, noon: datetime, email: str, password: str
) -> None:
    entries = count(database, audit_log)
    with pytest.raises(SignInRefused, match=r"^The e-mail address or the password is not right\.$"):
        come_in(database, noon, password, email=email)
    assert (count(database, sessions), count(database, audit_log)) == (0, entries)
    assert count(database, sign_in_attempts) == 1


def test_an_unknown_account_costs_as_much_work_as_a_known_one(
    database: Engine, ann: Staff, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    verify = PasswordHasher.verify

    def noted(self: PasswordHasher, stored: str, given: str) -> bool:
        compared.append(stored)
        return bool(verify(self, stored, given))

    monkeypatch.setattr(PasswordHasher, "verify", noted)
    for email in ("ann@example.com", "nobody@example.com"):
        with pytest.raises(SignInRefused):
            come_in(database, noon, "wrong words", email=email)
    assert len(compared) == 2
    assert {stored.rsplit("$", 2)[0] for stored in compared} == {compared[0].rsplit("$", 2)[0]}


def test_wrong_attempts_make_an_account_wait_longer_each_time(database: Engine, ann: Staff, noon: datetime) -> None:
    for _ in range(attempts.FREE_OF_ACCOUNT):
        with pytest.raises(SignInRefused):
            come_in(database, noon, "wrong words")
    with pytest.raises(TooManyAttempts, match=r"Try again in 5 seconds\."):
        come_in(database, noon)
    with pytest.raises(TooManyAttempts, match=r"Try again in 1 second\."):
        come_in(database, noon + timedelta(seconds=4))
    assert count(database, sign_in_attempts) == attempts.FREE_OF_ACCOUNT
    with pytest.raises(SignInRefused, match="not right"):
        come_in(database, noon + timedelta(seconds=5), "wrong words")
    with pytest.raises(TooManyAttempts, match=r"Try again in 10 seconds\."):
        come_in(database, noon + timedelta(seconds=5))
    assert isinstance(come_in(database, noon + timedelta(seconds=15)), SignedIn)
    # The right one makes good again what the wrong ones cost.
    with pytest.raises(SignInRefused, match="not right"):
        come_in(database, noon + timedelta(seconds=16), "wrong words")


def test_an_unknown_account_is_limited_alike(database: Engine, noon: datetime) -> None:
    for _ in range(attempts.FREE_OF_ACCOUNT):
        with pytest.raises(SignInRefused):
            come_in(database, noon, email="nobody@example.com")
    with pytest.raises(TooManyAttempts):
        come_in(database, noon, email="nobody@example.com")


def test_one_address_that_tries_many_accounts_waits_and_others_do_not(
    database: Engine, ann: Staff, noon: datetime
) -> None:
    with writing(database) as connection:
        for number in range(attempts.FREE_OF_ADDRESS):
            attempts.admit(connection, f"{number}@example.com", HERE.address, at=noon)
    with pytest.raises(TooManyAttempts):
        come_in(database, noon)
    assert isinstance(come_in(database, noon, caller=Caller("198.51.100.7")), SignedIn)


def test_a_crowd_of_guesses_at_once_is_counted_too(database: Engine, noon: datetime) -> None:
    admitted: list[int] = []

    def guess() -> None:
        try:
            with writing(database) as connection:
                admitted.append(attempts.admit(connection, "ann@example.com", None, at=noon))
        except TooManyAttempts:
            pass

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(admitted) == attempts.FREE_OF_ACCOUNT


def test_the_wait_grows_to_a_quarter_of_an_hour_and_no_further() -> None:
    waits = [attempts.wait_after(wrong, 5).total_seconds() for wrong in (0, 4, 5, 6, 7, 12, 13, 500)]
    assert waits == [0, 0, 5, 10, 20, 640, 900, 900]


def test_a_password_hashed_with_older_parameters_is_hashed_anew(database: Engine, ann: Staff, noon: datetime) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with writing(database) as connection:
        connection.execute(update(staff).values(password_hash=old))
    come_in(database, noon)
    with reading(database) as connection:
        stored = connection.scalar(select(staff.c.password_hash))
    assert stored is not None and stored != old and not passwords.is_outdated(stored)
    assert isinstance(come_in(database, noon), SignedIn)


def test_signing_in_ends_the_session_that_the_browser_had(database: Engine, ann: Staff, noon: datetime) -> None:
    first, other = come_in(database, noon), come_in(database, noon)
    assert isinstance(first, SignedIn) and isinstance(other, SignedIn)
    second = come_in(database, noon, old_token=first.token)
    assert isinstance(second, SignedIn)
    assert [bool(whose(database, each.token, noon)) for each in (first, second, other)] == [False, True, True]


def test_a_session_ends_without_a_click_and_at_the_latest(database: Engine, ann: Staff, noon: datetime) -> None:
    found = come_in(database, noon)
    assert isinstance(found, SignedIn)
    assert whose(database, found.token, noon + timedelta(hours=11, minutes=59))
    assert not whose(database, found.token, noon + timedelta(hours=12))
    with reading(database) as connection:
        key = connection.scalar(select(sessions.c.session_id))
    for days in range(1, 15):
        with writing(database) as connection:
            kept.seen(connection, int(key or 0), at=noon + days * timedelta(hours=11))
    assert whose(database, found.token, noon + timedelta(days=6, hours=10))
    assert not whose(database, found.token, noon + timedelta(days=7))


def test_signing_out_ends_the_session_and_is_on_record(database: Engine, ann: Staff, noon: datetime) -> None:
    found = come_in(database, noon)
    assert isinstance(found, SignedIn)
    sign_in.sign_out(database, found.token, at=noon, address="192.0.2.1")
    assert whose(database, found.token, noon) is None
    entries = count(database, audit_log)
    sign_in.sign_out(database, found.token, at=noon)
    sign_in.sign_out(database, "nobody's", at=noon)
    assert count(database, audit_log) == entries


def test_somebody_let_go_can_neither_stay_nor_come_back(database: Engine, ann: Staff, noon: datetime) -> None:
    found = come_in(database, noon)
    assert isinstance(found, SignedIn)
    with writing(database) as connection:
        connection.execute(update(staff).values(is_active=False))
    assert whose(database, found.token, noon) is None
    with pytest.raises(SignInRefused, match="not right"):
        come_in(database, noon)


# --- the code as second step -------------------------------------------------------------------------------


@pytest.fixture
def secret(database: Engine, ann: Staff, noon: datetime) -> str:
    """Ann's authenticator, set up an hour ago."""
    with writing(database) as connection:
        made, address = my_account.begin_second_step(connection, ann, VAULT)
        assert address.startswith("otpauth://totp/Encore:ann%40example.com?secret=")
        hour_ago = noon - timedelta(hours=1)
        my_account.confirm_second_step(connection, ann, pyotp.TOTP(made).at(hour_ago), vault=VAULT, at=hour_ago)
    return made


def test_what_lies_in_the_database_makes_nobodys_codes(
    database: Engine, ann: Staff, secret: str, noon: datetime
) -> None:
    with reading(database) as connection:
        stored = connection.scalar(select(staff.c.totp_secret))
    assert stored is not None
    assert secret not in stored
    assert VAULT.opened(stored) == secret
    assert Vault(Path("nowhere"), "another key of sixteen").opened(stored) is None


def test_without_its_key_a_code_is_refused_in_words_and_nobody_comes_in(
    database: Engine, ann: Staff, secret: str, noon: datetime, tmp_path: Path
) -> None:
    found = come_in(database, noon)
    assert isinstance(found, CodeWanted)
    elsewhere = Vault(tmp_path / "secret.key")
    code = pyotp.TOTP(secret).at(noon)
    with pytest.raises(SignInRefused, match="The key that opens"):
        sign_in.with_code(database, found.token, code, HERE, vault=elsewhere, at=noon, lifetimes=LIFETIMES)
    assert not elsewhere.file.exists()
    with reading(database) as connection:
        methods = connection.scalars(select(sessions.c.method)).all()
    assert set(methods) == {"code wanted"}


def test_a_secret_from_before_is_sealed_at_the_next_sign_in(
    database: Engine, ann: Staff, secret: str, noon: datetime
) -> None:
    with writing(database) as connection:
        connection.execute(update(staff).values(totp_secret=secret))
    found = come_in(database, noon)
    assert isinstance(found, CodeWanted)
    code = pyotp.TOTP(secret).at(noon)
    sign_in.with_code(database, found.token, code, HERE, vault=VAULT, at=noon, lifetimes=LIFETIMES)
    with reading(database) as connection:
        stored = connection.scalar(select(staff.c.totp_secret))
    assert stored is not None
    assert VAULT.is_sealed(stored)
    assert VAULT.opened(stored) == secret


def test_with_a_code_set_up_the_password_alone_opens_nothing(
    database: Engine, ann: Staff, secret: str, noon: datetime
) -> None:
    found = come_in(database, noon)
    assert isinstance(found, CodeWanted)
    assert whose(database, found.token, noon) is None
    code = pyotp.TOTP(secret).at(noon)
    done = sign_in.with_code(
        database, found.token, f"{code[:3]} {code[3:]}", HERE, vault=VAULT, at=noon, lifetimes=LIFETIMES
    )
    assert whose(database, done.token, noon) is not None


def test_a_code_serves_once_and_only_near_its_time(database: Engine, ann: Staff, secret: str, noon: datetime) -> None:
    clock = pyotp.TOTP(secret)

    def step(code: str, at: datetime = noon) -> SignedIn:
        found = come_in(database, at)
        assert isinstance(found, CodeWanted)
        return sign_in.with_code(database, found.token, code, HERE, vault=VAULT, at=at, lifetimes=LIFETIMES)

    step(clock.at(noon))
    for code in (clock.at(noon), clock.at(noon - timedelta(minutes=2)), "000000", "", "abc123", "²²²²²²"):
        with pytest.raises(SignInRefused, match="This code is not right"):
            step(code, noon + timedelta(hours=(1 if code != clock.at(noon) else 0)))
    later = noon + timedelta(hours=2)
    assert step(clock.at(later + timedelta(seconds=30)), later)


def test_one_code_at_two_browsers_at_once_lets_one_in(
    database: Engine, ann: Staff, secret: str, noon: datetime
) -> None:
    code, came, refused = pyotp.TOTP(secret).at(noon), [], []
    steps = [come_in(database, noon) for _ in range(4)]

    def use(token: str) -> None:
        try:
            came.append(sign_in.with_code(database, token, code, HERE, vault=VAULT, at=noon, lifetimes=LIFETIMES))
        except SignInRefused as refusal:
            refused.append(str(refusal))

    threads = [threading.Thread(target=use, args=(each.token,)) for each in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(came), len(refused)) == (1, 3)


def test_wrong_codes_make_the_account_wait(database: Engine, ann: Staff, secret: str, noon: datetime) -> None:
    found = come_in(database, noon)
    for _ in range(attempts.FREE_OF_ACCOUNT):
        with pytest.raises(SignInRefused, match="This code is not right"):
            sign_in.with_code(database, found.token, "000000", HERE, vault=VAULT, at=noon, lifetimes=LIFETIMES)
    with pytest.raises(TooManyAttempts):
        sign_in.with_code(
            database, found.token, pyotp.TOTP(secret).at(noon), HERE, vault=VAULT, at=noon, lifetimes=LIFETIMES
        )
    # Knowing the password does not buy more guesses.
    with pytest.raises(TooManyAttempts):
        come_in(database, noon)


def test_the_first_step_is_good_for_ten_minutes(database: Engine, ann: Staff, secret: str, noon: datetime) -> None:
    found, late = come_in(database, noon), noon + timedelta(minutes=10)
    with pytest.raises(SignInRefused, match="took too long"):
        sign_in.with_code(
            database, found.token, pyotp.TOTP(secret).at(late), HERE, vault=VAULT, at=late, lifetimes=LIFETIMES
        )


def test_a_code_is_asked_for_only_once_one_was_proved(database: Engine, ann: Staff, noon: datetime) -> None:
    with writing(database) as connection:
        made, _ = my_account.begin_second_step(connection, ann, VAULT)
        assert my_account.begin_second_step(connection, ann, VAULT)[0] == made
    with writing(database) as connection, pytest.raises(SignInRefused):
        my_account.confirm_second_step(connection, ann, "000000", vault=VAULT, at=noon)
    assert isinstance(come_in(database, noon), SignedIn)


def test_who_lost_the_authenticator_is_helped_by_an_owner(
    database: Engine, ann: Staff, secret: str, noon: datetime
) -> None:
    with pytest.raises(SignInRefused, match="The password is not right"):
        my_account.remove_second_step(database, ann, "wrong words", at=noon)
    assert isinstance(come_in(database, noon), CodeWanted)
    with writing(database) as connection:
        people.remove_second_step(connection, LOCAL, int(ann.staff_id or 0), at=noon)
    assert isinstance(come_in(database, noon), SignedIn)


# --- links ---------------------------------------------------------------------------------------------------


def test_a_link_serves_once_and_its_token_is_kept_nowhere(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        _, token = people.invite(connection, LOCAL, "ann@example.com", Role.OWNER, at=noon)
    done = sign_in.with_link(database, token, PASSWORD, HERE, at=noon, lifetimes=LIFETIMES, name=" Ann  Lee ")
    assert done is not None
    found = whose(database, done.token, noon)
    assert found is not None and found.name == "Ann Lee"
    with pytest.raises(SignInRefused, match="expired or was used already"):
        sign_in.with_link(database, token, "another long password", HERE, at=noon, lifetimes=LIFETIMES)
    assert isinstance(come_in(database, noon), SignedIn)


def test_a_link_expires_and_a_newer_one_voids_it(database: Engine, ann: Staff, noon: datetime) -> None:
    key = int(ann.staff_id or 0)
    with writing(database) as connection:
        kind, first = people.new_link(connection, LOCAL, key, at=noon)
        _, second = people.new_link(connection, LOCAL, key, at=noon)
    assert kind == "reset"
    for token, at in ((first, noon), (second, noon + timedelta(hours=24)), ("nothing", noon), ("", noon)):
        with reading(database) as connection, pytest.raises(SignInRefused, match="expired or was used"):
            links.opened(connection, token, at=at)
    with reading(database) as connection:
        assert links.opened(connection, second, at=noon).email == "ann@example.com"


def test_a_reset_ends_every_session_and_keeps_the_code(
    database: Engine, ann: Staff, secret: str, noon: datetime
) -> None:
    first = come_in(database, noon)
    done = sign_in.with_code(
        database, first.token, pyotp.TOTP(secret).at(noon), HERE, vault=VAULT, at=noon, lifetimes=LIFETIMES
    )
    with writing(database) as connection:
        _, token = people.new_link(connection, LOCAL, int(ann.staff_id or 0), at=noon)
    assert sign_in.with_link(database, token, "another long password", HERE, at=noon, lifetimes=LIFETIMES) is None
    assert whose(database, done.token, noon) is None
    assert isinstance(come_in(database, noon, "another long password"), CodeWanted)


@pytest.mark.parametrize(
    "password", ["", "short", "aaaaaaaaaaaaaaaa", "ann@example.com", "x" * 1001, "abababababababab"]
)
def test_an_easy_password_is_refused_and_the_link_stays_good(database: Engine, noon: datetime, password: str) -> None:
    with writing(database) as connection:
        _, token = people.invite(connection, LOCAL, "ann@example.com", Role.OWNER, at=noon)
    entries = count(database, audit_log)
    with pytest.raises(SignInRefused):
        sign_in.with_link(database, token, password, HERE, at=noon, lifetimes=LIFETIMES)
    assert (count(database, audit_log), count(database, sessions)) == (entries, 0)
    assert sign_in.with_link(database, token, PASSWORD, HERE, at=noon, lifetimes=LIFETIMES)


def test_the_first_owner_is_made_once(database: Engine, noon: datetime) -> None:
    made = sign_in.as_first_owner(database, "ann@example.com", "Ann", PASSWORD, HERE, at=noon, lifetimes=LIFETIMES)
    found = whose(database, made.token, noon)
    assert found is not None and found.role is Role.OWNER
    with pytest.raises(StaffRefused, match="has an account already"):
        sign_in.as_first_owner(database, "eve@example.com", "Eve", PASSWORD, HERE, at=noon, lifetimes=LIFETIMES)
    assert count(database, staff) == 1


# --- identity providers -----------------------------------------------------------------------------------------


def by_identity(database: Engine, at: datetime, **said: Any) -> SignedIn:
    values: dict[str, Any] = {
        "issuer": "https://id.example",
        "subject": "7",
        "email": "Ann@example.com",
        "is_verified": True,
        **said,
    }
    return sign_in.with_identity(database, caller=HERE, at=at, lifetimes=LIFETIMES, **values)


def test_an_invited_person_comes_in_and_is_pinned(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        _, token = people.invite(connection, LOCAL, "ann@example.com", Role.OWNER, at=noon)
    assert whose(database, by_identity(database, noon).token, noon) is not None
    # Whatever address the provider says from now on, its name for the person decides.
    assert by_identity(database, noon, email="new@example.com", is_verified=False)
    with reading(database) as connection:
        assert connection.scalar(select(staff.c.oidc_subject)) == "https://id.example|7"
        with pytest.raises(SignInRefused):
            links.opened(connection, token, at=noon)


@pytest.mark.parametrize(
    "said",
    [
        {"email": "nobody@example.com"},
        {"email": ""},
        {"is_verified": False},
    ],
)
def test_an_identity_that_nobody_invited_is_refused(
    database: Engine, ann: Staff, noon: datetime, said: dict[str, Any]
) -> None:
    entries = count(database, audit_log)
    with pytest.raises(SignInRefused, match="Nobody was invited"):
        by_identity(database, noon, **said)
    assert (count(database, sessions), count(database, audit_log)) == (0, entries)
    with reading(database) as connection:
        assert connection.scalar(select(staff.c.oidc_subject)) is None


def test_another_identity_with_the_same_address_is_refused(database: Engine, ann: Staff, noon: datetime) -> None:
    by_identity(database, noon)
    for other in ({"subject": "8"}, {"issuer": "https://other.example"}):
        with pytest.raises(SignInRefused):
            by_identity(database, noon, **other)


# --- one's own account ------------------------------------------------------------------------------------------


def test_a_changed_password_ends_every_other_session(database: Engine, ann: Staff, noon: datetime) -> None:
    here, there = come_in(database, noon), come_in(database, noon)
    assert isinstance(here, SignedIn) and isinstance(there, SignedIn)
    with reading(database) as connection:
        mine = kept.signed_in(connection, here.token, at=noon, idle=LIFETIMES.idle)
    assert mine is not None
    with pytest.raises(SignInRefused, match="old password is not right"):
        my_account.change_password(database, ann, "wrong words", "another long password", at=noon)
    assert whose(database, there.token, noon)
    my_account.change_password(database, ann, PASSWORD, "another long password", at=noon, keep=mine.session_id)
    assert [bool(whose(database, each.token, noon)) for each in (here, there)] == [True, False]
    assert isinstance(come_in(database, noon, "another long password"), SignedIn)


def test_only_ones_own_session_can_be_ended(database: Engine, ann: Staff, noon: datetime) -> None:
    with writing(database) as connection:
        key, token = people.invite(connection, ann, "bob@example.com", Role.VIEWER, at=noon)
        links.accept(connection, token, PASSWORD, HERE, at=noon)
    bob = Staff(staff_id=key, name="Bob", role=Role.VIEWER)
    found = come_in(database, noon)
    assert isinstance(found, SignedIn)
    with reading(database) as connection:
        session = int(connection.scalar(select(sessions.c.session_id)) or 0)
    entries = count(database, audit_log)
    with writing(database) as connection:
        my_account.end_session(connection, bob, session, at=noon)
    assert whose(database, found.token, noon)
    assert count(database, audit_log) == entries
    with writing(database) as connection:
        my_account.end_session(connection, ann, session, at=noon)
    assert not whose(database, found.token, noon)


def test_an_account_that_is_nobodys_can_do_nothing(database: Engine, noon: datetime) -> None:
    with writing(database) as connection:
        for work in (
            lambda: my_account.rename(connection, LOCAL, "X", at=noon),
            lambda: my_account.begin_second_step(connection, LOCAL, VAULT),
            lambda: my_account.end_session(connection, LOCAL, 1, at=noon),
        ):
            with pytest.raises(EncoreError):
                work()
    assert count(database, audit_log) == 0


# --- two at once -------------------------------------------------------------------------------------------


def test_of_two_who_make_the_first_account_at_once_the_second_is_told(
    database: Engine, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(email: str) -> SignedIn:
        password = "five words make one password"
        return sign_in.as_first_owner(database, email, "Ann", password, HERE, at=noon, lifetimes=LIFETIMES)

    make("ann@example.com")
    # The second one looked before the first was there.
    monkeypatch.setattr("lib.workflows.sign_in.sessions.anyone", lambda _: False)
    with pytest.raises(StaffRefused, match="a moment ago"):
        make("eve@example.com")
    with reading(database) as connection:
        assert connection.scalars(select(staff.c.email)).all() == ["ann@example.com"]
        assert "eve" not in str(connection.execute(select(audit_log.c.actor, audit_log.c.details)).all())


def test_of_two_identities_with_one_address_at_once_the_second_is_refused(
    database: Engine, ann: Staff, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def enter(subject: str) -> SignedIn:
        return sign_in.with_identity(
            database,
            issuer="https://id.test",
            subject=subject,
            email="ann@example.com",
            is_verified=True,
            caller=HERE,
            at=noon,
            lifetimes=LIFETIMES,
        )

    with reading(database) as connection:
        before = connection.execute(select(staff).where(staff.c.email == "ann@example.com")).one()
    enter("first")
    # The second one read the account before the first was pinned.
    found = iter([None, before])
    monkeypatch.setattr("lib.workflows.sign_in._person", lambda *_: next(found))
    with pytest.raises(SignInRefused, match="a moment ago"):
        enter("second")
    with reading(database) as connection:
        assert connection.scalar(select(staff.c.oidc_subject)) == "https://id.test|first"
        assert len(connection.execute(select(sessions)).all()) == 1


@pytest.mark.parametrize("given", ["", "ä\ud800", "\U0001f600" * 9, "f" * 63])
def test_a_form_with_another_mark_is_not_ours_whatever_it_is_written_in(given: str) -> None:
    assert not is_same(given, mark_of("secret"))
    assert is_same(mark_of("secret"), mark_of("secret"))
