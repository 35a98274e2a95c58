"""Staff, Audit and My account on their pages: what each shows, does and refuses."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import streamlit as st
from sqlalchemy import insert, select, update

from lib.db.engine import order_database, reading, writing
from lib.db.tables.columns import now
from lib.db.tables.staff import audit_log, sessions, staff, staff_links
from lib.db.vault import Vault
from lib.errors import NotAllowed
from lib.settings import Settings, read_settings
from lib.staff import LOCAL, Role, Staff
from lib.workflows import passwords
from lib.workflows import staff as workflow
from lib.workflows.sessions import Caller, begin
from tests.pages.conftest import Open, SitDown
from tests.pages.test_pages import texts

HOSTILE = "<script>alert(1)</script> **bold**"
OLIVE = Staff(staff_id=1, name="Olive", role=Role.OWNER, email="olive@shop.test")
SUE = Staff(staff_id=2, name="Sue", role=Role.SUPPORT, email="sue@shop.test")
PASSWORD = "five words make one password"


@pytest.fixture
def shop(stores: dict[str, Settings], tmp_path: Path) -> Settings:
    """A shop with an owner and somebody in support, whose name is hostile."""
    shutil.copytree(stores["single"].data_dir, tmp_path / "data")
    made = read_settings({"ENCORE_DATA_DIR": str(tmp_path / "data")})
    with writing(order_database(made)) as conn:
        for who, name in ((OLIVE, "Olive"), (SUE, HOSTILE)):
            conn.execute(
                insert(staff).values(
                    staff_id=who.staff_id, email=who.email, name=name, role=who.role, created_at=now(),
                    password_hash=passwords.hashed(PASSWORD),
                )
            )  # fmt: skip
    return made


def _staff(shop: Settings, key: int) -> dict[str, object]:
    with reading(order_database(shop)) as conn:
        row = conn.execute(select(staff).where(staff.c.staff_id == key)).mappings().one()
        return {str(name): row[name] for name in row}


def _actions(shop: Settings) -> list[str]:
    with reading(order_database(shop)) as conn:
        return list(conn.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)))


@pytest.mark.parametrize("page", ["staff", "audit", "my_account"])
@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_each_opens_for_the_person_at_this_machine(open_page: Open, store: str, page: str) -> None:
    at = open_page(store, page)
    assert not at.exception
    assert [error.value for error in at.error] == []


@pytest.mark.parametrize(("page", "words"), [("staff", "invite staff"), ("audit", "see the audit log")])
def test_support_may_open_neither_staff_nor_audit(
    open_page: Open, shop: Settings, sit_down: SitDown, page: str, words: str
) -> None:
    sit_down(SUE)
    at = open_page(shop.data_dir, page)
    assert not at.exception
    assert f"Your role (support) may not {words}" in at.error[0].value
    assert "olive@shop.test" not in texts(at)
    assert len(at.button) == 0


def test_everybody_is_listed_and_a_hostile_name_stays_words(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(OLIVE)
    at = open_page(shop.data_dir, "staff")
    assert not at.exception
    words = texts(at)
    assert "olive@shop.test" in words and "sue@shop.test" in words
    assert "<script>" not in words and "**bold**" not in words
    assert "alert" in words


def test_an_invitation_is_a_link_shown_once_and_kept_nowhere(
    open_page: Open, shop: Settings, sit_down: SitDown
) -> None:
    sit_down(OLIVE)
    at = open_page(shop.data_dir, "staff")
    at.text_input(key="invite_email").set_value("Vera@Shop.test")
    at.selectbox(key="invite_role").set_value("viewer")
    at.button[0].click().run()
    assert not at.exception
    (link,) = [code.value for code in at.code]
    token = link.rpartition("/")[2]
    assert "/invitation/" in link
    with reading(order_database(shop)) as conn:
        assert token not in str(conn.execute(select(staff_links)).all())
        assert conn.scalar(select(staff.c.role).where(staff.c.email == "vera@shop.test")) == "viewer"
    at.run()
    assert len(at.code) == 0
    assert _actions(shop) == ["staff.invited"]


@pytest.mark.parametrize("email", ["", "vera", "olive@shop.test"])
def test_an_invitation_that_makes_no_sense_is_refused_and_nothing_is_written(
    open_page: Open, shop: Settings, sit_down: SitDown, email: str
) -> None:
    sit_down(OLIVE)
    at = open_page(shop.data_dir, "staff")
    at.text_input(key="invite_email").set_value(email)
    at.button[0].click().run()
    assert len(at.error) == 1
    assert len(at.code) == 0
    assert _actions(shop) == []


def test_a_role_is_changed_and_the_last_owners_is_not(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(OLIVE)
    at = open_page(shop.data_dir, "staff")
    at.selectbox(key="role_2_1_0").set_value("manager").run()
    assert not at.exception
    assert _staff(shop, 2)["role"] == "manager"
    at.selectbox(key="role_1_1_0").set_value("viewer").run()
    assert "Olive is the last owner" in at.error[0].value
    assert _staff(shop, 1)["role"] == "owner"
    # The refused choice does not stay chosen.
    assert at.selectbox(key="role_1_1_1").value == "owner"
    assert _actions(shop) == ["staff.role_changed"]


def test_an_owner_who_lost_the_role_meanwhile_changes_nothing_more(
    open_page: Open, shop: Settings, sit_down: SitDown
) -> None:
    sit_down(OLIVE)
    at = open_page(shop.data_dir, "staff")
    with writing(order_database(shop)) as conn:
        conn.execute(update(staff).where(staff.c.staff_id == 2).values(role="owner", version=2))
        workflow.change_role(conn, LOCAL, 1, Role.VIEWER, version=1, at=now())
    at.text_input(key="invite_email").set_value("eve@shop.test")
    at.button[0].click().run()
    assert len(at.error) == 1
    with reading(order_database(shop)) as conn:
        assert conn.scalar(select(staff.c.staff_id).where(staff.c.email == "eve@shop.test")) is None


def test_the_log_lists_what_was_done_and_is_whole(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    with writing(order_database(shop)) as conn:
        workflow.change_role(conn, OLIVE, 2, Role.MANAGER, version=1, at=now())
    sit_down(OLIVE)
    at = open_page(shop.data_dir, "audit")
    assert not at.exception
    (rows,) = [frame.value for frame in at.dataframe if "What" in frame.value]
    assert rows[["Who", "What", "Subject", "Details"]].values.tolist() == [
        ["Olive", "staff.role_changed", "staff:2", "role: support → manager"]
    ]
    at.text_input(key="audit_subject").set_value("staff:9").run()
    assert not at.exception
    assert not [frame for frame in at.dataframe if "What" in frame.value]


def test_a_name_is_changed_under_my_account(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(SUE)
    at = open_page(shop.data_dir, "my_account")
    at.text_input(key="account_name").set_value("Susan")
    next(button for button in at.button if button.label == "Save").click().run()
    assert not at.exception
    assert _staff(shop, 2)["name"] == "Susan"
    assert _actions(shop) == ["staff.renamed"]


def test_a_password_is_changed_only_by_who_knows_the_old_one(
    open_page: Open, shop: Settings, sit_down: SitDown
) -> None:
    sit_down(SUE)
    with writing(order_database(shop)) as conn:
        for _ in range(3):
            begin(conn, 2, Caller(), method="password", at=now(), lasts=timedelta(hours=1))
    at = open_page(shop.data_dir, "my_account")
    before = _staff(shop, 2)["password_hash"]
    for old, said in (("wrong wrong wrong", "not right"), (PASSWORD, "changed")):
        at.text_input(key="account_old").set_value(old)
        at.text_input(key="account_new").set_value("other five words make it")
        at.text_input(key="account_again").set_value("other five words make it")
        next(button for button in at.button if button.label == "Change").click().run()
        assert not at.exception
        assert said in "\n".join([each.value for each in (*at.error, *at.success)])
        assert (_staff(shop, 2)["password_hash"] == before) == (old != PASSWORD)
    # Every other session ended; this window's stays.
    with reading(order_database(shop)) as conn:
        assert conn.scalars(select(sessions.c.session_id).where(sessions.c.revoked_at.is_(None))).all() == [1]


def test_a_code_is_set_up_with_the_secret_sealed(open_page: Open, shop: Settings, sit_down: SitDown) -> None:
    sit_down(SUE)
    at = open_page(shop.data_dir, "my_account")
    at.toggle(key="account_code_on").set_value(True).run()
    assert not at.exception
    secret = at.code[0].value.replace(" ", "")
    stored = str(_staff(shop, 2)["totp_secret"])
    assert secret not in stored
    assert Vault.of(shop).opened(stored) == secret
    at.text_input(key="account_code").set_value(pyotp.TOTP(secret).now())
    next(button for button in at.button if button.label == "Turn it on").click().run()
    assert not at.exception
    assert _staff(shop, 2)["totp_confirmed_at"] is not None
    assert _actions(shop) == ["staff.second_step_set_up"]


def test_the_log_is_taken_out_only_by_who_may_when_the_file_is_asked_for(
    open_page: Open, shop: Settings, sit_down: SitDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Callable[[], bytes]] = []
    monkeypatch.setattr(st, "download_button", lambda _label, data, **_: made.append(data))
    with writing(order_database(shop)) as conn:
        workflow.change_role(conn, OLIVE, 2, Role.MANAGER, version=1, at=now())
    sit_down(OLIVE)
    open_page(shop.data_dir, "audit")
    assert b"staff.role_changed" in made[-1]()
    assert _actions(shop)[-1] == "audit.exported"
    # Between drawing the page and pressing, the role went.
    sit_down(SUE)
    with pytest.raises(NotAllowed):
        made[-1]()
    assert _actions(shop) == ["staff.role_changed", "audit.exported"]
