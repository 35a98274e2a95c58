"""Offers go out: once to each who is due and may be contacted, never to the holdout, whatever ends a run."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, insert, select, update

from lib.audience import Audience, Rule
from lib.db.engine import reading, writing
from lib.db.lease import lease
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.db.tables.customers import consents, customers
from lib.db.tables.offers import contact_rules, offer_assignments, offers, outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.store import store as store_table
from lib.errors import JobBusy
from lib.jobs.offer_dry_run import BEFORE, GETS, KEPT_OUT, NOT_NOW, dry_run_of_all
from lib.jobs.offers import LEASE, STOPPED, run
from lib.jobs.outbox import deliver
from lib.jobs.refresh import refresh
from lib.offer import Channel, Moment, Pays, Plan, Reward
from lib.outbox.switch import set_sending
from lib.settings import ROOT, Settings
from lib.staff import LOCAL
from lib.stats.lot import held_out
from lib.workflows.offers import pause_offer, resume_offer, stop_offer
from tests.mail_servers import Smtp, smtp_server
from tests.offer_shop import coupon, fill_shop, start

_BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def today() -> datetime:
    """Ten in the morning of the present day, in Berlin within an hour: no quiet hour."""
    return now().replace(hour=9, minute=0, second=0, microsecond=0)


@pytest.fixture
def shop(settings: Settings, store: Store, database: Engine, today: datetime) -> Settings:
    """Forty customers who ordered twenty days ago, a mail server, and an owner who let mails leave."""
    fill_shop(database, 40, ordered_at=today - timedelta(days=20))
    with writing(database) as connection:
        set_sending(connection, today)
    return replace(
        settings,
        smtp_url="smtp://127.0.0.1:1",
        mail_from="Test store <help@shop.example>",
        public_url="https://encore.shop.example",
    )


def assignments(database: Engine, offer_id: int) -> dict[int, Any]:
    with reading(database) as connection:
        rows = connection.execute(select(offer_assignments).where(offer_assignments.c.offer_id == offer_id))
        return {row.customer_id: row for row in rows}


def messages(database: Engine) -> list[Any]:
    with reading(database) as connection:
        return list(connection.execute(select(outbox_messages).order_by(outbox_messages.c.outbox_message_id)))


def salt_of(database: Engine, offer_id: int) -> str:
    with reading(database) as connection:
        return str(connection.scalar(select(offers.c.salt).where(offers.c.offer_id == offer_id)))


def expected_arms(database: Engine, offer_id: int, ids: range, share: float = 0.5) -> dict[int, str]:
    out = held_out(salt_of(database, offer_id), ids, share)
    return {one: "holdout" if is_out else "treatment" for one, is_out in zip(ids, out, strict=True)}


def test_everybody_who_is_due_is_drawn_once_and_the_treated_are_written_to(
    shop: Settings, database: Engine, today: datetime
) -> None:
    offer_id = start(database, coupon(), at=today)
    (done,) = run(shop, clock=lambda: today)
    arms = assignments(database, offer_id)
    assert {one: row.arm for one, row in arms.items()} == expected_arms(database, offer_id, range(1, 41))
    treated = {one for one, row in arms.items() if row.arm == "treatment"}
    assert 0 < len(treated) < 40
    sent = messages(database)
    assert {row.customer_id for row in sent} == treated
    assert len(sent) == len(treated)
    assert (done.due, done.treated, done.kept_out, done.queued) == (40, len(treated), 40 - len(treated), len(treated))
    # Each has a code of her own; the holdout has none.
    codes = {one: row.code for one, row in arms.items() if row.code}
    assert set(codes) == treated
    assert len(set(codes.values())) == len(treated)
    one = sent[0]
    assert one.subject == f"Ann{one.customer_id}, 10 % off for you"
    assert f"thank you for #{one.customer_id}. Your code {codes[one.customer_id]} gives 10 % off" in one.body
    assert one.extra["list_unsubscribe"] in one.body
    assert one.extra["list_unsubscribe"].startswith("https://encore.shop.example/unsubscribe/")
    assert (one.recipient, one.about, one.about_id) == (f"c{one.customer_id}@example.com", "offer", offer_id)


def test_only_who_meets_the_rules_of_the_audience_is_drawn(shop: Settings, database: Engine, today: datetime) -> None:
    with writing(database) as connection:
        connection.execute(
            update(customers).where(customers.c.customer_id <= 7).values(language="nl", updated_at=now())
        )
    dutch = Audience((Rule(field="language", any_of=("nl",)),))
    offer_id = start(database, replace(coupon(), audience=dutch), at=today)
    (done,) = run(shop, clock=lambda: today)
    assert set(assignments(database, offer_id)) == set(range(1, 8))
    assert done.due == 7


def test_running_again_changes_nothing(shop: Settings, database: Engine, today: datetime) -> None:
    offer_id = start(database, coupon(), at=today)
    run(shop, clock=lambda: today)
    before = (assignments(database, offer_id), messages(database))
    (again,) = run(shop, clock=lambda: today + timedelta(hours=1))
    assert (again.treated, again.kept_out, again.queued, again.before) == (0, 0, 0, 40)
    assert (assignments(database, offer_id), messages(database)) == before


def test_who_comes_later_is_drawn_by_the_same_lot(shop: Settings, database: Engine, today: datetime) -> None:
    offer_id = start(database, coupon(), at=today)
    run(shop, clock=lambda: today)
    fill_shop(database, 20, ordered_at=today - timedelta(days=9), first=41)
    (tomorrow,) = run(shop, clock=lambda: today + timedelta(days=1))
    assert tomorrow.treated + tomorrow.kept_out == 20
    arms = {one: row.arm for one, row in assignments(database, offer_id).items()}
    assert arms == expected_arms(database, offer_id, range(1, 61))


def test_the_rules_are_asked_before_the_lot_so_that_who_is_held_back_is_in_neither_arm(
    shop: Settings, database: Engine, today: datetime
) -> None:
    offer_id = start(database, coupon(), at=today)
    arms = expected_arms(database, offer_id, range(1, 41))
    one_of_each = [min(key for key, arm in arms.items() if arm == name) for name in ("treatment", "holdout")]
    others = [key for key in arms if key not in one_of_each][:2]
    with writing(database) as connection:
        # One of either arm takes her consent back; both vanish alike.
        connection.execute(
            update(consents).where(consents.c.customer_id.in_(one_of_each)).values(state="withdrawn", stated_at=today)
        )
        connection.execute(update(customers).where(customers.c.customer_id == others[0]).values(email="not an address"))
        connection.execute(update(customers).where(customers.c.customer_id == others[1]).values(erased_at=today))
    (done,) = run(shop, clock=lambda: today)
    assert done.held == {"no_consent": 2, "no_address": 1, "erased": 1}
    assert set(assignments(database, offer_id)) == set(arms) - set(one_of_each) - set(others)
    assert not {row.customer_id for row in messages(database)} & {*one_of_each, *others}


def test_who_was_held_back_is_asked_again(shop: Settings, database: Engine, today: datetime) -> None:
    offer_id = start(database, coupon(), at=today)
    with writing(database) as connection:
        connection.execute(update(consents).where(consents.c.customer_id == 7).values(state="never"))
    run(shop, clock=lambda: today)
    assert 7 not in assignments(database, offer_id)
    with writing(database) as connection:
        connection.execute(update(consents).where(consents.c.customer_id == 7).values(state="given", stated_at=now()))
    run(shop, clock=lambda: today + timedelta(days=1))
    assert assignments(database, offer_id)[7].arm == expected_arms(database, offer_id, range(1, 41))[7]


def test_of_two_that_are_due_the_one_with_the_higher_priority_goes_first(
    shop: Settings, database: Engine, today: datetime
) -> None:
    second = start(database, coupon(priority=50), at=today, name="Second", holdout=0)
    first = start(database, coupon(priority=10), at=today, name="First", holdout=0.25)
    done = {one.offer_id: one for one in run(shop, clock=lambda: today)}
    treated = {one for one, row in assignments(database, first).items() if row.arm == "treatment"}
    assert done[first].due == 40
    assert done[second].held == {"another_first": len(treated)}
    # Whom the first one held out may get the second: nothing was sent to her today.
    assert set(assignments(database, second)) == set(range(1, 41)) - treated


def test_the_global_holdout_gets_no_offer_and_is_in_no_arm(shop: Settings, database: Engine, today: datetime) -> None:
    with writing(database) as connection:
        connection.execute(
            insert(contact_rules).values(contact_rules_id=1, salt="for all", global_holdout_share=0.25, most_messages=9)
        )
    offer_id = start(database, coupon(), at=today)
    (done,) = run(shop, clock=lambda: today)
    out = {one for one, is_out in zip(range(1, 41), held_out("for all", range(1, 41), 0.25), strict=True) if is_out}
    assert out
    assert done.held == {"holdout": len(out)}
    assert set(assignments(database, offer_id)) == set(range(1, 41)) - out


def test_nothing_is_sent_at_night(shop: Settings, database: Engine, today: datetime) -> None:
    start(database, coupon(), at=today - timedelta(days=1))
    run(shop, clock=lambda: today.replace(hour=22))
    assert {row.due_at.astimezone(_BERLIN).hour for row in messages(database)} == {8}


def test_a_moment_on_the_journey_counts_from_the_start_of_the_offer_and_is_past_after_a_week(
    shop: Settings, database: Engine, today: datetime
) -> None:
    # Delivered 18 days ago: day 14 after it came four days before this offer began.
    plan = coupon(moment=Moment.DELIVERED, delay_days=14)
    start(database, plan, at=today)
    assert run(shop, clock=lambda: today)[0].due == 0
    # Delivered 18 days ago, 20 days after it is the day after tomorrow; nothing ran on that day.
    late = start(database, coupon(moment=Moment.DELIVERED, delay_days=20), at=today)
    for days, due in ((1, 0), (2, 40), (9, 40), (10, 0)):
        at = today + timedelta(days=days)
        with reading(database) as connection:
            assert connection.scalar(select(func.count()).select_from(offer_assignments)) == 0
        tried, _ = dry_run_of_all(shop, at=at, only=[late])
        assert len(tried[0].rows) == due, days


def test_who_ordered_again_waits_for_the_next_parcel_but_is_still_asked_for_a_review(
    shop: Settings, database: Engine, today: datetime
) -> None:
    with writing(database) as connection:
        row = dict(connection.execute(select(orders).where(orders.c.order_id == 5)).mappings().one())
        row |= {"order_id": 900, "external_id": "900", "number": "#900", "placed_at": today - timedelta(days=1)}
        connection.execute(insert(orders).values(**row))
    coupon_id = start(database, coupon(moment=Moment.DELIVERED, delay_days=18, priority=500), at=today)
    asked = Plan(kind="review_request", moment=Moment.DELIVERED, delay_days=18, content=coupon().content[1:])
    asked = replace(asked, content=(replace(asked.content[0], text="Wie war {product}?", subject="Wie war es?"),))
    review_id = start(database, asked, at=today, name="Ask", holdout=0)
    tried = {one.offer_id: one for one in _tried(shop, today)}
    assert set(tried[coupon_id].rows["customer_id"]) == set(range(1, 41)) - {5}
    rows = tried[review_id].rows.set_index("customer_id")
    # About the order that was delivered, not about the newer one.
    assert rows.loc[5, "order_id"] == 5
    assert len(rows) == 40


def test_a_dry_run_tells_what_the_run_then_does_and_writes_nothing(
    shop: Settings, database: Engine, today: datetime
) -> None:
    offer_id = start(database, coupon(), at=today)
    with writing(database) as connection:
        connection.execute(update(consents).where(consents.c.customer_id == 3).values(state="never"))
    refresh(shop)
    with reading(database) as connection:
        had_rules = connection.scalar(select(func.count()).select_from(contact_rules))
    ((tried,), wrong) = dry_run_of_all(shop, at=today)
    assert (assignments(database, offer_id), messages(database), wrong) == ({}, [], [])
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(contact_rules)) == had_rules
    run(shop, clock=lambda: today)
    arms = assignments(database, offer_id)
    said = tried.rows.set_index("customer_id")
    assert {one for one in said.index if said.loc[one, "outcome"] == GETS} == {
        one for one, row in arms.items() if row.arm == "treatment"
    }
    assert tried.count(KEPT_OUT) == sum(row.arm == "holdout" for row in arms.values())
    assert (said.loc[3, "outcome"], said.loc[3, "reason"]) == (NOT_NOW, "Has not agreed to advertising")
    for row in messages(database):
        assert said.loc[row.customer_id, "code"] == arms[row.customer_id].code
        assert said.loc[row.customer_id, "send_at"] == row.due_at
    ((again,), _) = dry_run_of_all(shop, at=today)
    assert again.count(BEFORE) == 39


def test_nobody_is_drawn_while_nothing_can_leave(shop: Settings, database: Engine, today: datetime) -> None:
    offer_id = start(database, coupon(), at=today)
    for cannot, words in (
        (replace(shop, smtp_url=""), "No mail server"),
        (replace(shop, public_url=""), "ENCORE_PUBLIC_URL"),
        (replace(shop, public_url="http://encore.shop.example"), "ENCORE_PUBLIC_URL"),
    ):
        (done,) = run(cannot, clock=lambda: today)
        assert words in done.why
    with writing(database) as connection:
        set_sending(connection, None)
    (done,) = run(shop, clock=lambda: today)
    assert "Sending is off" in done.why
    assert (assignments(database, offer_id), messages(database)) == ({}, [])


def test_in_the_demo_store_the_lot_is_drawn_and_nothing_can_leave(
    shop: Settings, database: Engine, today: datetime
) -> None:
    offer_id = start(database, coupon(), at=today)
    with writing(database) as connection:
        connection.execute(update(store_table).values(is_demo=True))
    run(replace(shop, smtp_url="", public_url=""), clock=lambda: today)
    arms = assignments(database, offer_id)
    assert len(arms) == 40
    assert {row.status for row in messages(database)} == {"held_back"}
    assert {row.held_back is None for row in arms.values() if row.arm == "treatment"} == {False}


def test_an_offer_that_is_not_out_reaches_nobody(shop: Settings, database: Engine, today: datetime) -> None:
    offer_id = start(database, coupon(), at=today)
    for clock in (today - timedelta(days=1), today + timedelta(days=28)):
        assert run(shop, clock=lambda clock=clock: clock) == []  # type: ignore[misc]  # bound at once
    with writing(database) as connection:
        pause_offer(connection, LOCAL, offer_id, "too many", version=3, at=today)
    assert run(shop, clock=lambda: today) == []
    assert assignments(database, offer_id) == {}


def test_a_pause_in_the_middle_ends_the_run_at_the_next_batch(
    shop: Settings, database: Engine, today: datetime
) -> None:
    offer_id = start(database, coupon(), at=today)

    def pause(_told: str) -> None:
        with writing(database) as connection, suppress(Exception):
            pause_offer(connection, LOCAL, offer_id, "too many", version=3, at=today)

    (done,) = run(shop, clock=lambda: today, batch=10, progress=pause)
    assert done.why == STOPPED
    assert len(assignments(database, offer_id)) == 10


def test_two_runs_at_once_are_one(shop: Settings, database: Engine, today: datetime) -> None:
    start(database, coupon(), at=today)
    with lease(database, LEASE), pytest.raises(JobBusy):
        run(shop, clock=lambda: today)
    assert messages(database) == []


def test_a_webhook_carries_who_gets_what(shop: Settings, database: Engine, today: datetime) -> None:
    start(database, coupon(channel=Channel.WEBHOOK), at=today, holdout=0)
    given = replace(shop, webhook_url="https://hooks.shop.example/", webhook_secret="0123456789abcdef")
    (done,) = run(given, clock=lambda: today)
    assert done.queued == 40
    told = json.loads(messages(database)[0].body)
    assert told["customer"] == {
        "id": 1,
        "email": "c1@example.com",
        "name": "Ann1 Example",
        "language": "en",
        "country": "DE",
    }
    assert told["code"].startswith("AGAIN-")
    assert told["subject"] == "Ann1, 10 % off for you"


def test_a_gift_in_the_parcel_is_drawn_and_queues_no_message(shop: Settings, database: Engine, today: datetime) -> None:
    gift = Reward(pays=Pays.GIFT, face_minor=500, cost_minor=200)
    plan = Plan(kind="gift", moment=Moment.ORDERED, delay_days=0, channel=Channel.PARCEL, reward=gift)
    fill_shop(database, 6, ordered_at=today - timedelta(hours=1), first=41)
    offer_id = start(database, plan, at=today)
    (done,) = run(replace(shop, smtp_url=""), clock=lambda: today)
    assert (done.due, done.queued) == (6, 0)
    assert set(assignments(database, offer_id)) == set(range(41, 47))


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[Smtp]:
    with smtp_server(tmp_path, pause=0.05) as server:
        yield server


def test_what_was_queued_arrives_by_a_real_mail_server_with_its_way_out(
    shop: Settings, database: Engine, today: datetime, smtp: Smtp
) -> None:
    offer_id = start(database, coupon(), at=today)
    given = replace(shop, smtp_url=smtp.url)
    run(given, clock=lambda: today)
    treated = {one for one, row in assignments(database, offer_id).items() if row.arm == "treatment"}
    assert deliver(given, clock=lambda: today + timedelta(minutes=1)).sent == len(treated)
    mails = {mail["To"]: mail for mail in smtp.mails()}
    assert len(mails) == len(treated)
    for one in treated:
        (mail,) = [mail for to, mail in mails.items() if f"c{one}@example.com" in to]
        code = assignments(database, offer_id)[one].code
        plain = mail.get_body(("plain",))
        assert plain is not None
        text = plain.get_content()
        assert code in text
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert mail["List-Unsubscribe"].strip("<>") in text
    rows = assignments(database, offer_id).values()
    assert {row.sent_at for row in rows if row.arm == "treatment"} == {today + timedelta(minutes=1)}
    assert {row.sent_at for row in rows if row.arm == "holdout"} == {None}


def test_what_waits_when_its_offer_pauses_waits_with_it_and_stops_with_it(
    shop: Settings, database: Engine, today: datetime, smtp: Smtp
) -> None:
    offer_id = start(database, coupon(), at=today)
    given = replace(shop, smtp_url=smtp.url)
    (done,) = run(given, clock=lambda: today)
    with writing(database) as connection:
        pause_offer(connection, LOCAL, offer_id, "look first", version=3, at=today)
    assert deliver(given, clock=lambda: today + timedelta(minutes=1)).sent == 0
    assert {row.status for row in messages(database)} == {"queued"}
    with writing(database) as connection:
        resume_offer(connection, LOCAL, offer_id, version=4, at=today)
        # One unsubscribes meanwhile, in another tool.
        gone = messages(database)[0].customer_id
        connection.execute(update(consents).where(consents.c.customer_id == gone).values(state="withdrawn"))
    assert deliver(given, clock=lambda: today + timedelta(minutes=10)).sent == done.queued - 1
    assert assignments(database, offer_id)[gone].held_back == "no_consent"
    fill_shop(database, 10, ordered_at=today - timedelta(days=20), first=41)
    run(given, clock=lambda: today + timedelta(minutes=20))
    with writing(database) as connection:
        stop_offer(connection, LOCAL, offer_id, version=5, at=today)
    assert deliver(given, clock=lambda: today + timedelta(minutes=30)).sent == 0
    late = [row for row in messages(database) if row.customer_id > 40]
    assert {(row.status, row.failure, row.due_at) for row in late} == {("held_back", "The offer was stopped.", None)}
    assert len(smtp.lines()) == done.queued - 1


# Starts run after run in a process of its own each, without loading everything anew; says which, and when it ended.
STARTER = """
import os, sys, traceback
from lib.settings import settings
from lib.jobs import offers
# The figures are fresh already, and what a killed refresh leaves is tested elsewhere.
offers.refresh = lambda *_, **__: None
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            offers.run(settings(), batch=20, progress=lambda told: print(told, flush=True))
            print("done", flush=True)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


def test_a_run_that_is_killed_anywhere_assigns_and_queues_each_once_and_spares_the_holdout(
    shop: Settings, database: Engine, today: datetime
) -> None:
    rng = random.Random(20261124)
    many = range(1, 1_201)
    fill_shop(database, len(many) - 40, ordered_at=today - timedelta(days=20), first=41)
    with writing(database) as connection:
        connection.execute(insert(contact_rules).values(contact_rules_id=1, salt="s" * 32, quiet_from=0, quiet_to=0))
    offer_id = start(database, coupon(), at=now() - timedelta(minutes=1))
    refresh(shop)
    kills = 0
    starter = _starter(shop)
    assert starter.stdin is not None
    assert starter.stdout is not None
    try:
        while len(_must_be_whole(database, offer_id, many)) < len(many):
            starter.stdin.write("go\n")
            starter.stdin.flush()
            pid = int(starter.stdout.readline())
            told = [starter.stdout.readline() for _ in range(rng.randint(0, 3))]
            # Anywhere: before the first batch, between the statements of one, in its commit, or after it.
            time.sleep(rng.random() * (0.06 if told else 0.3))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                kills += 1
            while told[-1:] != ["ended\n"]:
                told.append(starter.stdout.readline())
            assert kills < 200
    finally:
        starter.stdin.close()
        starter.wait()
        starter.stdout.close()
    assert kills >= 3
    # Nobody was lost, and another run finds nobody to do anything for.
    assert set(_must_be_whole(database, offer_id, many)) == set(many)
    (last,) = run(shop)
    assert (last.before, last.treated, last.kept_out) == (len(many), 0, 0)
    _must_be_whole(database, offer_id, many)


def _must_be_whole(database: Engine, offer_id: int, many: range) -> dict[int, str]:
    """Nobody twice, nobody half: each treated has her one message, the holdout none, each arm is the lot's."""
    with reading(database) as connection:
        drawn = connection.execute(
            select(offer_assignments.c.customer_id, offer_assignments.c.arm, offer_assignments.c.code).where(
                offer_assignments.c.offer_id == offer_id
            )
        ).all()
        written = list(connection.scalars(select(outbox_messages.c.customer_id)))
    arms = {row.customer_id: row.arm for row in drawn}
    assert len(arms) == len(drawn)
    assert sorted(written) == sorted(one for one, arm in arms.items() if arm == "treatment")
    assert {row.customer_id for row in drawn if row.code} == set(written)
    expected = expected_arms(database, offer_id, many)
    assert arms == {one: expected[one] for one in arms}
    return arms


def _starter(shop: Settings) -> "subprocess.Popen[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ENCORE_")}
    environment |= {
        "ENCORE_DATA_DIR": str(shop.data_dir),
        "ENCORE_DATABASE_URL": shop.database_url,
        "ENCORE_SMTP_URL": shop.smtp_url,
        "ENCORE_MAIL_FROM": shop.mail_from,
        "ENCORE_PUBLIC_URL": shop.public_url,
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", STARTER], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True
    )


def _tried(shop: Settings, at: datetime) -> list[Any]:
    refresh(shop)
    return dry_run_of_all(shop, at=at)[0]
