"""An erased person is gone from every table, file and copy, and every figure stays."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Text, cast, func, insert, select, text

from lib.db import audit
from lib.db.engine import reading, writing
from lib.db.erase import NOT_SENT, erase, left_of, unfinished
from lib.db.person import Person, find, find_by_email, rows_of
from lib.db.personal import FATES, Fate, is_text
from lib.db.signs import ERASED
from lib.db.store import Store
from lib.db.tables.all import metadata
from lib.db.tables.customers import customer_identities, customers, erasures, suppressions
from lib.db.tables.offers import offer_assignments, outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log
from lib.db.tables.store import annotations, rejected_rows
from lib.db.tables.tickets import ticket_messages, tickets
from lib.errors import Conflict, InvalidInput, NotAllowed
from lib.jobs.erasure import erase_everywhere
from lib.jobs.refresh import refresh
from lib.mart.snapshot import current
from lib.metrics.catalogue import METRICS
from lib.metrics.definition import Figure, Scope
from lib.metrics.read import figures
from lib.periods import Period
from lib.settings import Settings
from lib.staff import LOCAL, Role, Staff
from lib.workflows.erasure import erase_person, foresee, look_up
from lib.workflows.outbox import send_again
from tests.one_person import EMAIL, HER, HIM, NAME, WORDS, fill, named, texts, where_she_is

MANAGER = Staff(staff_id=1, name="Kim", role=Role.MANAGER)


@pytest.fixture
def shop(database: Engine, store: Store, settings: Settings, noon: datetime) -> Engine:
    with writing(database) as connection:
        fill(connection, settings.data_dir, noon)
    return database


def _her(engine: Engine) -> Person:
    with reading(engine) as connection:
        person = find(connection, HER)
    assert person is not None
    return person


def _everything(engine: Engine, *, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
    with reading(engine) as connection:
        return {
            table.name: [
                tuple(str(value) for value in row)
                for row in connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
            if table.name not in without
        }


def test_every_text_column_of_every_table_says_what_an_erasure_does_to_it() -> None:
    there = {(table.name, c.name) for table in metadata.sorted_tables for c in table.c if is_text(c)}
    said = {(table, column) for table, columns in FATES.items() for column in columns}
    assert there - said == set(), "say in lib/db/personal.py what becomes of these columns when a person is erased"
    gone = {(t, c) for t, c in said if t not in metadata.tables or c not in metadata.tables[t].c}
    assert gone == set(), "these columns are no more"


def test_a_new_column_without_an_entry_would_be_found() -> None:
    from sqlalchemy import Column, Table

    table = Table("customers", metadata.__class__(), Column("nickname", Text))
    assert [c.name for c in table.c if is_text(c) and c.name not in FATES["customers"]] == ["nickname"]


def test_her_traces_fill_every_column_that_is_erased(shop: Engine) -> None:
    wanted = [
        metadata.tables[table].c[name]
        for table, columns in FATES.items()
        for name, fate in columns.items()
        if fate in (Fate.ERASED, Fate.SEALED)
    ]
    with reading(shop) as connection:
        empty = [
            str(column)
            for column in wanted
            if not connection.scalar(select(func.count()).where(cast(column, Text).is_not(None)))
        ]
    # A refusal stands where a file was not kept.
    assert empty == ["attachments.refusal"]


def test_nothing_of_her_is_left_in_any_text_of_any_table(shop: Engine, noon: datetime) -> None:
    with reading(shop) as connection:
        before = {where for where, what in texts(connection) if named(what)}
    assert len(before) > 60
    with writing(shop) as connection:
        gone = erase_person(connection, LOCAL, _her(shop), confirmed=EMAIL, at=noon)
    with reading(shop) as connection:
        assert [(where, what) for where, what in texts(connection) if named(what)] == []
        assert left_of(connection, rows_of(connection, Person(customer_id=HER, emails=frozenset({EMAIL})))) == {}
    assert gone.rows["ticket_messages"] == 3
    assert gone.words > 0


def test_her_rows_stay_as_figures_and_his_stay_as_they_were(shop: Engine, noon: datetime) -> None:
    with reading(shop) as connection:
        his = rows_of(connection, Person(customer_id=HIM, emails=frozenset({"ben@example.org"})))
        before = connection.execute(select(customers).where(customers.c.customer_id == HIM)).all()
    with writing(shop) as connection:
        erase(connection, _her(shop), at=noon)
    with reading(shop) as connection:
        row = connection.execute(select(customers).where(customers.c.customer_id == HER)).mappings().one()
        assert (row["name"], row["email"], row["external_id"]) == (None, None, "erased:1")
        assert row["erased_at"] == noon
        mine = select(func.count(), func.sum(orders.c.total_minor)).where(orders.c.customer_id == HER)
        assert connection.execute(mine).one() == (2, 4_522)
        assert connection.scalar(select(reviews.c.rating).where(reviews.c.customer_id == HER)) == 2
        assert connection.scalar(select(offer_assignments.c.arm).where(offer_assignments.c.customer_id == HER))
        assert connection.execute(select(customers).where(customers.c.customer_id == HIM)).all() == before
        assert rows_of(connection, Person(customer_id=HIM, emails=frozenset({"ben@example.org"}))) == his
        # Only her address goes from what others wrote.
        words = connection.scalars(
            select(ticket_messages.c.body).join(tickets).where(tickets.c.customer_id == HIM)
        ).all()
        assert words == [f"Ask {ERASED} about it!"]
        rows = connection.execute(select(rejected_rows.c.text, rejected_rows.c.line, rejected_rows.c.status)).all()
        assert sorted(tuple(row) for row in rows) == [(ERASED, 7, "open"), (ERASED, 8, "open")]
        assert connection.scalars(select(annotations.c.text)).all() == [ERASED]


def test_what_was_queued_for_her_never_leaves(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        erase(connection, _her(shop), at=noon)
    with reading(shop) as connection:
        row = outbox_messages.c
        found = connection.execute(
            select(row.status, row.recipient, row.subject, row.body, row.failure).order_by(row.outbox_message_id)
        ).all()
    assert [tuple(each) for each in found] == [
        ("sent", None, None, None, None),
        ("held_back", None, None, None, NOT_SENT),
    ]
    with writing(shop) as connection, pytest.raises(Conflict, match="nothing left to send"):
        send_again(connection, LOCAL, 2, at=noon)


def test_what_the_log_sealed_is_read_by_nobody_and_the_chain_still_holds(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        erase_person(connection, LOCAL, _her(shop), confirmed=EMAIL, at=noon)
    with reading(shop) as connection:
        assert audit.verify(connection) is None
        entries = connection.execute(select(audit_log).order_by(audit_log.c.audit_id)).mappings().all()
        assert [audit.unsealed(connection, dict(entry)) for entry in entries] == [None, {"note": "his"}, None]
    assert [entry["action"] for entry in entries][-1] == "person.erased"
    assert entries[-1]["subject"] == "customer:1"
    assert entries[-1]["details"]["after"]["rows"]["reviews"] == 1


def test_erasing_twice_is_erasing_once(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        erase_person(connection, LOCAL, _her(shop), confirmed=EMAIL, at=noon)
    once = _everything(shop)
    again = _her(shop)
    assert again.emails == frozenset()
    with writing(shop) as connection:
        gone = erase_person(connection, LOCAL, again, confirmed="customer 1", at=noon + timedelta(days=1))
    assert gone.rows == {}
    assert _everything(shop) == once


def test_somebody_who_only_wrote_is_erased_by_address(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        connection.execute(insert(tickets).values(
            source="mail", external_id="m", fingerprint="f", channel="email", subject=WORDS, opened_at=noon,
            requester_name="Zed", requester_email="Zed@Nowhere.example", updated_at=noon,
        ))  # fmt: skip
        person = look_up(connection, LOCAL, " ZED@nowhere.example ")
        assert person.customer_id is None
        erase_person(connection, LOCAL, person, confirmed="Zed@\u2060nowhere.example ", at=noon)
    with reading(shop) as connection:
        assert find_by_email(connection, "zed@nowhere.example") is None
        assert "zed" not in " ".join(what.casefold() for _, what in texts(connection))
        assert connection.scalar(select(func.count()).select_from(erasures)) == 1


@pytest.mark.parametrize("confirmed", ["", "anna", "customer 1"])
def test_without_the_right_words_nothing_is_erased(shop: Engine, noon: datetime, confirmed: str) -> None:
    before = _everything(shop)
    with writing(shop) as connection, pytest.raises(InvalidInput, match=EMAIL):
        erase_person(connection, LOCAL, _her(shop), confirmed=confirmed, at=noon)
    assert _everything(shop) == before


def test_only_an_owner_erases_and_a_refusal_writes_nothing(shop: Engine, noon: datetime) -> None:
    before = _everything(shop)
    with writing(shop) as connection:
        with pytest.raises(NotAllowed):
            erase_person(connection, MANAGER, _her(shop), confirmed=EMAIL, at=noon)
        with pytest.raises(NotAllowed):
            foresee(connection, MANAGER, _her(shop))
    assert _everything(shop) == before


def test_what_goes_and_what_stays_is_said_before(shop: Engine) -> None:
    with reading(shop) as connection:
        told = foresee(connection, LOCAL, look_up(connection, LOCAL, str(HER)))
    assert told.called == NAME
    assert told.to_confirm == EMAIL
    assert told.goes[:2] == ("Name, e-mail address, telephone and place", "1 postal address")
    assert "3 messages" in told.goes
    assert "2 orders worth €45.22, with number, country, goods and days" in told.stays
    assert "1 review's stars and day" in told.stays
    assert told.warnings == (
        "2 tickets are open: nobody can answer afterwards.",
        "1 message to this person will not be sent.",
    )


def _figures(settings: Settings) -> dict[str, Figure]:
    mart = current(settings.mart_dir)
    assert mart.about.first_day is not None
    period = Period(date(2026, 1, 1), date(2026, 3, 3))
    scope = Scope(period=period, as_of=period.end)
    return {figure.key: figure for figure in figures(mart, sorted(METRICS), scope)}


def test_no_file_holds_her_and_every_figure_stays(shop: Engine, settings: Settings, noon: datetime) -> None:
    with writing(shop) as connection:
        # Bytes of earlier states lie in free pages too.
        for number in range(200):
            connection.execute(text("UPDATE customers SET note = :n WHERE customer_id = 1"), {"n": f"{WORDS} {number}"})
        connection.execute(text("UPDATE customers SET note = NULL WHERE customer_id = 1"))
    refresh(settings)
    upload = settings.data_dir / "uploads" / "0123456789abcdef"
    upload.mkdir(parents=True)
    (upload / "orders.csv").write_text(f"{EMAIL},{NAME}")
    export = settings.data_dir / "exports" / "fedcba9876543210"
    export.mkdir(parents=True)
    (export / "audience.csv").write_text(f"{EMAIL},{NAME}")
    (settings.data_dir / "errors.log").write_text(f"Traceback: {EMAIL}")
    before = _figures(settings)
    assert before["net_sales"].value == 6_600
    assert where_she_is(settings.data_dir) != []
    done = erase_everywhere(settings, LOCAL, _her(shop), confirmed=EMAIL, at=noon)
    assert done.left_to_do == ""
    assert _figures(settings) == before
    assert where_she_is(settings.data_dir) == []
    assert len(list(settings.mart_dir.glob("*.duckdb"))) == 1
    assert not list((settings.data_dir / "attachments").iterdir())
    with reading(shop) as connection:
        assert unfinished(connection) == []
        assert connection.scalar(select(erasures.c.cleaned_at)) is not None


def test_she_is_known_again_by_her_hashes_alone(shop: Engine, noon: datetime) -> None:
    with writing(shop) as connection:
        erase(connection, _her(shop), at=noon)
    with reading(shop) as connection:
        assert connection.scalar(select(func.count()).select_from(suppressions)) == 2
        assert connection.scalars(select(customer_identities.c.customer_id).distinct()).all() == [HIM]
