"""Segments are kept under a name, and the contact rules are set: by whom, and not by two at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from lib.audience import Audience, Rule
from lib.db.engine import reading, writing
from lib.db.tables.offers import audiences, contact_rules, offer_versions, offers
from lib.db.tables.staff import audit_log
from lib.errors import Conflict, EncoreError, InvalidInput, NotAllowed
from lib.offer import Plan
from lib.outbox.rules import ContactRules, read_rules
from lib.queues.audiences import offers_out, saved_audiences
from lib.staff import LOCAL, Role, Staff
from lib.workflows.audiences import change_audience, retire_audience, save_audience
from lib.workflows.contact_rules import set_contact_rules

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MANAGER = Staff(staff_id=None, name="Mia", role=Role.MANAGER)
SUPPORT = Staff(staff_id=None, name="Sam", role=Role.SUPPORT)
LAPSED = Audience((Rule(field="lifecycle", any_of=("lapsed",)),))
LOYAL = Audience((Rule(field="purchases", least=3), Rule(field="has_consent")))
pytestmark = pytest.mark.usefixtures("store")


def log(connection: Connection) -> list[str]:
    return list(connection.scalars(select(audit_log.c.action).order_by(audit_log.c.audit_id)))


def test_a_segment_is_saved_changed_and_retired_and_each_is_in_the_log(database: Engine) -> None:
    with writing(database) as connection:
        key = save_audience(connection, MANAGER, "  Gone\n quiet ", LAPSED, at=NOW)
        (saved,) = saved_audiences(connection)
        assert (saved.name, saved.audience, saved.version, saved.is_active) == ("Gone quiet", LAPSED, 1, True)
        change_audience(connection, MANAGER, key, "Loyal", LOYAL, version=1, at=LATER)
        (saved,) = saved_audiences(connection)
        assert (saved.name, saved.audience, saved.version, saved.changed_at) == ("Loyal", LOYAL, 2, LATER)
        retire_audience(connection, MANAGER, key, version=2, at=LATER)
        assert saved_audiences(connection) == []
        (saved,) = saved_audiences(connection, with_retired=True)
        assert not saved.is_active
        retire_audience(connection, MANAGER, key, version=3, at=LATER, is_active=True)
        assert [one.name for one in saved_audiences(connection)] == ["Loyal"]
        assert log(connection) == ["audience.saved", "audience.changed", "audience.retired", "audience.restored"]


@pytest.mark.parametrize(
    ("by", "name", "audience", "refusal"),
    [
        (SUPPORT, "Lapsed", LAPSED, NotAllowed),
        (MANAGER, " \n", LAPSED, InvalidInput),
        (MANAGER, "x" * 81, LAPSED, InvalidInput),
        (MANAGER, "Everybody", Audience(), InvalidInput),
        (MANAGER, "Nonsense", Audience((Rule(field="shoe_size", least=3),)), InvalidInput),
    ],
)
def test_a_segment_that_cannot_be_kept_leaves_nothing(
    database: Engine, by: Staff, name: str, audience: Audience, refusal: type[EncoreError]
) -> None:
    with writing(database) as connection:
        with pytest.raises(refusal):
            save_audience(connection, by, name, audience, at=NOW)
        assert connection.scalar(select(func.count()).select_from(audiences)) == 0
        assert log(connection) == []


def test_two_segments_do_not_share_a_name_and_the_second_of_two_editors_is_told(database: Engine) -> None:
    with writing(database) as connection:
        first = save_audience(connection, MANAGER, "Loyal", LOYAL, at=NOW)
        second = save_audience(connection, MANAGER, "Lapsed", LAPSED, at=NOW)
        with pytest.raises(InvalidInput, match="another name"):
            save_audience(connection, MANAGER, "Loyal", LAPSED, at=NOW)
        with pytest.raises(InvalidInput, match="another name"):
            change_audience(connection, MANAGER, second, "Loyal", LAPSED, version=1, at=NOW)
        change_audience(connection, MANAGER, first, "Loyal", LAPSED, version=1, at=NOW)
        with pytest.raises(Conflict):
            change_audience(connection, MANAGER, first, "Loyal", LOYAL, version=1, at=NOW)
        with pytest.raises(Conflict):
            retire_audience(connection, MANAGER, first, version=1, at=NOW)
        assert {one.name: one.audience for one in saved_audiences(connection)} == {"Loyal": LAPSED, "Lapsed": LAPSED}
        assert log(connection) == ["audience.saved", "audience.saved", "audience.changed"]


def test_offers_that_are_out_are_named_with_the_version_that_goes_out(database: Engine) -> None:
    def offer(connection: Connection, name: str, status: str, numbers: dict[int, object], approved: int | None) -> int:
        made = connection.execute(
            insert(offers).values(
                source="encore",
                external_id=name,
                fingerprint="f",
                name=name,
                kind="coupon",
                status=status,
                approved_number=approved,
                updated_at=NOW,
            )
        )
        key = int((made.inserted_primary_key or (0,))[0])
        for number, settings in numbers.items():
            values = {"offer_id": key, "number": number, "settings": settings, "created_at": NOW, "updated_at": NOW}
            connection.execute(insert(offer_versions).values(**values))
        return key

    with writing(database) as connection:
        first, second = Plan(kind="coupon", audience=LOYAL).to_json(), Plan(kind="coupon", audience=LAPSED).to_json()
        running = offer(connection, "Running", "running", {1: first, 2: second}, 1)
        offer(connection, "Draft", "draft", {1: first}, None)
        offer(connection, "Finished", "finished", {1: first}, 1)
        offer(connection, "Imported", "running", {1: {"depth": 10}}, 1)
        (out,) = offers_out(connection)
        assert (out.offer_id, out.name, out.plan.audience) == (running, "Running", LOYAL)
        assert offers_out(connection, but=running) == []


def test_contact_rules_are_set_once_and_changed_while_the_holdout_keeps_its_salt(database: Engine) -> None:
    with writing(database) as connection:
        owner = LOCAL
        set_contact_rules(connection, owner, ContactRules(most_messages=1, global_holdout_share=0.1), version=0, at=NOW)
        first = read_rules(connection)
        assert (first.most_messages, first.global_holdout_share, first.version) == (1, 0.1, 1)
        assert len(first.salt) == 32
        set_contact_rules(connection, MANAGER, replace(first, quiet_from=21, salt="other"), version=1, at=LATER)
        second = read_rules(connection)
        assert (second.quiet_from, second.salt, second.version) == (21, first.salt, 2)
        assert log(connection) == ["contact_rules.set"] * 2


@pytest.mark.parametrize(
    ("by", "rules", "refusal"),
    [
        (SUPPORT, ContactRules(), NotAllowed),
        (MANAGER, ContactRules(global_holdout_share=0.1), NotAllowed),
        (MANAGER, ContactRules(approval_limit_minor=10_000), NotAllowed),
        (LOCAL, ContactRules(most_messages=-1), InvalidInput),
        (LOCAL, ContactRules(most_days=0), InvalidInput),
        (LOCAL, ContactRules(quiet_from=24), InvalidInput),
        (LOCAL, ContactRules(global_holdout_share=0.6), InvalidInput),
        (LOCAL, ContactRules(approval_limit_minor=-1), InvalidInput),
    ],
)
def test_contact_rules_that_make_no_sense_or_are_not_hers_to_set_change_nothing(
    database: Engine, by: Staff, rules: ContactRules, refusal: type[EncoreError]
) -> None:
    with writing(database) as connection:
        with pytest.raises(refusal):
            set_contact_rules(connection, by, rules, version=0, at=NOW)
        assert connection.scalar(select(func.count()).select_from(contact_rules)) == 0
        assert log(connection) == []


def test_the_second_of_two_who_set_the_rules_is_told(database: Engine) -> None:
    with writing(database) as connection:
        set_contact_rules(connection, MANAGER, ContactRules(most_messages=3), version=0, at=NOW)
        with pytest.raises(Conflict):
            set_contact_rules(connection, MANAGER, ContactRules(most_messages=4), version=0, at=NOW)
    with reading(database) as connection:
        assert read_rules(connection).most_messages == 3
