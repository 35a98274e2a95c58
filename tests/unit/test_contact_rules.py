"""Who must not be contacted, why, and when nothing goes out: asked live of both databases."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine, Table, insert

from lib.db.engine import reading, writing
from lib.db.tables.customers import consents, customers
from lib.db.tables.offers import contact_events, contact_rules, offers, outbox_messages
from lib.db.tables.orders import orders
from lib.db.tables.returns import returns
from lib.db.tables.shipments import shipments
from lib.db.tables.tickets import tickets
from lib.offer import Channel, Pays
from lib.outbox.contact_rules import Reorder, held_back
from lib.outbox.quiet_hours import send_at
from lib.outbox.rules import ContactRules, read_rules

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
pytestmark = pytest.mark.usefixtures("store")


class Shop:
    """Rows of the order database with no more in them than a rule reads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._number = 0

    def add(self, table: Table, **values: Any) -> int:
        self._number += 1
        if "fingerprint" in table.c:
            values = {"source": "test", "external_id": str(self._number), "fingerprint": "f", **values}
        for name in ("currency", "original_currency"):
            if name in table.c:
                values = {name: "EUR", **values}
        made = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        return int((made or (0,))[0])

    def person(self, *, consent: str | None = "given", **values: Any) -> int:
        self._number += 1
        email = f"p{self._number}@example.org"
        customer = self.add(customers, **{"email": email, "email_normalised": email, **values})
        if consent:
            self.add(consents, customer_id=customer, channel="email", state=consent, stated_at=NOON, source="test")
        return customer

    def order(self, customer: int, placed_at: datetime = NOON, **values: Any) -> int:
        given: Mapping[str, Any] = {
            "customer_id": customer,
            "number": str(self._number),
            "placed_at": placed_at,
            "payment_status": "paid",
            "gross_minor": 5000,
            "total_minor": 5000,
            **values,
        }
        return self.add(orders, **given)

    def offer(self, kind: str = "coupon") -> int:
        return self.add(offers, name="An offer", kind=kind)

    def message(self, customer: int, offer: int | None, due_at: datetime, status: str = "sent") -> None:
        self.add(
            outbox_messages,
            idempotency_key=f"m{self._number}",
            channel="email",
            customer_id=customer,
            offer_id=offer,
            status=status,
            queued_at=due_at,
            due_at=due_at,
            sent_at=due_at if status == "sent" else None,
        )

    def held(self, customer: int, *, kind: str = "coupon", **asked: Any) -> str | None:
        return held_back(self.connection, [customer], kind=kind, at=NOON, **asked).get(customer)


def test_who_agreed_and_has_no_reason_against_it_is_not_held_back(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        person = shop.person()
        assert held_back(connection, [person], kind="coupon", at=NOON) == {}
        assert held_back(connection, [], kind="coupon", at=NOON) == {}


@pytest.mark.parametrize("consent", [None, "never", "withdrawn"])
def test_advertising_needs_a_consent_but_word_of_her_own_order_does_not(database: Engine, consent: str | None) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        person = shop.person(consent=consent)
        assert shop.held(person) == "no_consent"
        assert shop.held(person, channel=Channel.WEBHOOK) == "no_consent"
        assert shop.held(person, kind="tracking_notice") is None
        assert shop.held(person, kind="gift", channel=Channel.PARCEL) is None


def test_nobody_erased_or_invented_or_without_an_address_gets_mail(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        erased, test = shop.person(erased_at=NOON), shop.person(is_test=True)
        nowhere = shop.person(email=None, email_normalised=None)
        assert [shop.held(one) for one in (erased, test, nowhere)] == ["erased", "test", "no_address"]
        assert shop.held(nowhere, kind="gift", channel=Channel.PARCEL) is None
        assert shop.held(erased, kind="gift", channel=Channel.PARCEL) == "erased"
        assert shop.held(nowhere, kind="tracking_notice") == "no_address"


def test_what_came_back_holds_until_a_later_consent_and_a_bounce_for_good(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        reasons = {}
        for kind in ("unsubscribed", "complained", "bounced"):
            for name, when in (("after", NOON + timedelta(hours=1)), ("before", NOON - timedelta(hours=1))):
                person = shop.person()
                shop.add(
                    contact_events,
                    idempotency_key=f"{kind}{name}",
                    customer_id=person,
                    kind=kind,
                    source="test",
                    occurred_at=when,
                )
                reasons[kind, name] = shop.held(person)
        assert reasons == {
            ("unsubscribed", "after"): "unsubscribed",
            ("unsubscribed", "before"): None,
            ("complained", "after"): "complained",
            ("complained", "before"): None,
            ("bounced", "after"): "bounced",
            ("bounced", "before"): "bounced",
        }


def test_of_several_that_came_back_the_gravest_is_told(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        person = shop.person()
        for kind in ("unsubscribed", "complained", "opened"):
            shop.add(
                contact_events,
                idempotency_key=kind,
                customer_id=person,
                kind=kind,
                source="test",
                occurred_at=NOON + timedelta(days=1),
            )
        assert shop.held(person) == "complained"


def test_no_favour_is_asked_while_a_parcel_is_late(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        late, here, unpromised, lost, today = (shop.person() for _ in range(5))
        shop.add(shipments, order_id=shop.order(late), status="in_transit", promised_day=date(2026, 3, 9))
        shop.add(
            shipments, order_id=shop.order(here), status="delivered", promised_day=date(2026, 3, 1), delivered_at=NOON
        )
        shop.add(shipments, order_id=shop.order(unpromised), status="in_transit")
        shop.add(shipments, order_id=shop.order(lost), status="in_transit", promised_day=date(2025, 3, 9))
        shop.add(shipments, order_id=shop.order(today), status="in_transit", promised_day=date(2026, 3, 10))
        for kind in ("review_request", "survey", "share"):
            assert shop.held(late, kind=kind) == "late_parcel"
            assert [shop.held(one, kind=kind) for one in (here, unpromised, lost, today)] == [None] * 4
        assert shop.held(late, kind="coupon") is None


def test_no_favour_is_asked_while_a_ticket_or_a_return_is_open(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        asks, answered, by_order, sends_back, sent_back = (shop.person() for _ in range(5))
        shop.add(tickets, customer_id=asks, channel="email", opened_at=NOON, status="waiting_for_customer")
        shop.add(tickets, customer_id=answered, channel="email", opened_at=NOON, status="closed", closed_at=NOON)
        shop.add(tickets, order_id=shop.order(by_order), channel="email", opened_at=NOON, status="open")
        shop.add(returns, order_id=shop.order(sends_back), requested_at=NOON, status="in_transit")
        shop.add(returns, order_id=shop.order(sent_back), requested_at=NOON, status="closed")
        people = (asks, answered, by_order, sends_back, sent_back)
        assert [shop.held(one, kind="review_request") for one in people] == [
            "open_ticket",
            None,
            "open_ticket",
            "open_return",
            None,
        ]
        assert [shop.held(one, kind="guide") for one in people] == [None] * 5


def test_no_discount_when_she_is_likely_to_order_anyway(database: Engine) -> None:
    reorder = Reorder(windows={1: (20, 40), 2: (5, 10)})
    with writing(database) as connection:
        shop = Shop(connection)
        people = {}
        for days in (19, 20, 40, 41):
            people[days] = shop.person()
            shop.order(people[days], NOON - timedelta(days=days))
        # Neither a cancelled order nor one for nothing is a purchase.
        shop.order(people[41], NOON - timedelta(days=30), cancelled_at=NOON)
        shop.order(people[41], NOON - timedelta(days=30), discount_minor=5000, total_minor=0)
        assert {days: shop.held(one, reorder=reorder) for days, one in people.items()} == {
            19: None,
            20: "reorder_due",
            40: "reorder_due",
            41: None,
        }
        assert shop.held(people[20]) is None  # nobody said when they order again
        assert shop.held(people[20], reorder=Reorder(windows={})) is None
        assert shop.held(people[20], kind="guide", reorder=reorder) is None
        assert shop.held(people[20], kind="win_back", pays=Pays.PERCENT, reorder=reorder) == "reorder_due"


def test_who_came_back_more_often_is_due_sooner_and_two_orders_of_one_day_are_one_purchase(database: Engine) -> None:
    reorder = Reorder(windows={1: (20, 40), 2: (5, 10)})
    with writing(database) as connection:
        shop = Shop(connection)
        again, twice_a_day, often = shop.person(), shop.person(), shop.person()
        for days in (200, 7):
            shop.order(again, NOON - timedelta(days=days))
        for hours in (0, 2):
            shop.order(twice_a_day, NOON - timedelta(days=7, hours=hours))
        for days in (300, 200, 100, 7):
            shop.order(often, NOON - timedelta(days=days))
        assert [shop.held(one, reorder=reorder) for one in (again, twice_a_day, often)] == [
            "reorder_due",
            None,
            "reorder_due",
        ]


def test_not_more_messages_of_offers_than_set_and_only_those_that_may_arrive_count(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        first, second, service = shop.offer(), shop.offer("guide"), shop.offer("tracking_notice")
        often, once, long_ago, never_left, of_service = (shop.person() for _ in range(5))
        for offer in (first, second):
            shop.message(often, offer, NOON - timedelta(days=5))
            shop.message(long_ago, offer, NOON - timedelta(days=14))
            shop.message(never_left, offer, NOON - timedelta(days=5), "held_back")
            shop.message(of_service, service, NOON - timedelta(days=5))
        shop.message(once, first, NOON - timedelta(days=5))
        shop.message(once, None, NOON - timedelta(days=4))
        assert shop.held(often) == "too_often"
        assert [shop.held(one) for one in (once, long_ago, never_left, of_service)] == [None] * 4
        assert shop.held(often, kind="tracking_notice") is None
        # What this very offer sent her does not count against it.
        assert shop.held(often, offer_id=first) is None


def test_of_two_offers_on_one_day_the_first_goes_and_the_second_is_held_back(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        offer, other = shop.offer(), shop.offer()
        person, yesterday = shop.person(), shop.person()
        shop.message(person, offer, NOON + timedelta(hours=3), "queued")
        shop.message(yesterday, offer, datetime(2026, 3, 9, 22, 59, tzinfo=UTC))  # 23:59 in the store
        assert shop.held(person, offer_id=other) == "another_first"
        assert shop.held(person, offer_id=offer) is None
        assert shop.held(yesterday, offer_id=other) is None


def test_the_owner_sets_how_many_and_none_means_none(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        assert read_rules(connection) == ContactRules()
        person, offer = shop.person(), shop.offer()
        connection.execute(insert(contact_rules).values(contact_rules_id=1, salt="s", most_messages=1, most_days=30))
        shop.message(person, offer, NOON - timedelta(days=20))
        assert shop.held(person) == "too_often"
        connection.execute(contact_rules.update().values(most_messages=0))
        assert shop.held(shop.person()) == "too_often"
        assert read_rules(connection).most_days == 30


def test_many_are_asked_at_once_and_the_others_are_not_named(database: Engine) -> None:
    with writing(database) as connection:
        shop = Shop(connection)
        good, bad = shop.person(), shop.person(consent=None)
    with reading(database) as connection:
        assert held_back(connection, [good, bad, bad], kind="coupon", at=NOON) == {bad: "no_consent"}


@pytest.mark.parametrize(
    ("at", "country", "sent"),
    [
        ("2026-03-10 12:00", "DE", "2026-03-10 12:00"),
        ("2026-03-10 19:00", "DE", "2026-03-11 07:00"),  # 20:00 in Berlin: not before 8:00
        ("2026-03-10 06:59", "DE", "2026-03-10 07:00"),
        ("2026-07-10 05:30", "DE", "2026-07-10 06:00"),  # summer time
        ("2026-03-10 12:00", "JP", "2026-03-10 23:00"),
        ("2026-03-10 09:10", "IN", "2026-03-10 09:10"),
        ("2026-03-10 15:00", "IN", "2026-03-11 02:30"),  # half an hour beside ours
        ("2026-03-10 12:30", "US", "2026-03-10 18:00"),  # not before it is 8:00 in Hawaii too
        ("2026-03-10 19:30", None, "2026-03-11 07:00"),
        ("2026-03-10 19:30", "XX", "2026-03-11 07:00"),
    ],
)
def test_nothing_is_sent_while_it_is_quiet_where_the_customer_lives(at: str, country: str | None, sent: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert send_at(moment, country, ContactRules(), BERLIN) == datetime.fromisoformat(sent).replace(tzinfo=UTC)


def test_without_quiet_hours_it_is_never_quiet() -> None:
    rules = ContactRules(quiet_from=0, quiet_to=0)
    night = datetime(2026, 3, 10, 2, tzinfo=UTC)
    assert send_at(night, "DE", rules, BERLIN) == night
    # In Russia it is always quiet somewhere: the store's own clock counts.
    assert send_at(night, "RU", ContactRules(quiet_from=12, quiet_to=10), BERLIN).astimezone(BERLIN).hour == 10
