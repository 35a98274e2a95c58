"""The law of the refresh: what it leaves behind is what a full build would have made."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from sqlalchemy import Connection, Engine, Table, delete, insert, select, update

from lib.db.engine import writing
from lib.db.store import Store
from lib.db.tables.carts import carts
from lib.db.tables.customers import consents, customers
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.offers import offer_assignments, offer_versions, offers
from lib.db.tables.orders import discounts_used, order_items, orders, refund_items, refunds
from lib.db.tables.products import products
from lib.db.tables.returns import return_items, returns
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.store import deleted_rows
from lib.db.tables.surveys import questions, survey_answers, surveys
from lib.db.tables.tickets import tickets
from lib.mart.about import read_pointer, snapshot_file
from lib.mart.changes import WATCHED
from lib.mart.refresh import Done, bring_up_to_date
from lib.mart.schema import mart_metadata

ZONE = ZoneInfo("Europe/Berlin")
STORE = Store("A store", "Europe/Berlin", "EUR", "DE", ("en",), False)
TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *(customers, products, orders, refunds, shipments, returns, reviews, tickets, carts),
        *(surveys, survey_answers, questions, loyalty_members, loyalty_entries),
        *(offers, offer_assignments, consents),
    )
}


class Shop:
    """A made-up shop whose clock the test moves; each day people do things at random."""

    def __init__(self, connection: Connection, at: datetime, dice: random.Random) -> None:
        self.connection, self.at, self.dice = connection, at, dice

    def some(self, table: Table, *where: Any) -> int | None:
        key = next(iter(table.primary_key))
        found = list(self.connection.scalars(select(key).where(*where).order_by(key)))
        return self.dice.choice(found) if found else None

    def add(self, table: Table, **values: Any) -> int:
        if "external_id" in table.c and table is not order_items:
            values = {
                "source": "test",
                "external_id": f"{self.dice.getrandbits(60)}",
                "fingerprint": "f",
                "updated_at": self.at,
                **values,
            }
        made = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        assert made is not None
        return int(made[0])

    def change(self, table: Table, row: int | None, **values: Any) -> None:
        if row is None:
            return
        if "updated_at" in table.c:
            values["updated_at"] = self.at
        self.connection.execute(update(table).where(next(iter(table.primary_key)) == row).values(**values))

    def earlier(self, days: int = 200) -> datetime:
        return self.at - timedelta(seconds=self.dice.randrange(days * 86_400))

    def new_customer(self) -> int:
        return self.add(customers, name="N", is_test=self.dice.random() < 0.05, language=self.dice.choice([None, "de"]))

    def say_about_mail(self) -> None:
        """Agree to a channel, or take it back."""
        customer, channel = self.some(customers), self.dice.choice(["email", "sms"])
        if customer is None:
            return None
        state = self.dice.choice(["given", "given", "withdrawn"])
        stated = self.some(consents, consents.c.customer_id == customer, consents.c.channel == channel)
        if stated is not None:
            return self.change(consents, stated, state=state)
        values = {"customer_id": customer, "channel": channel, "state": state, "source": "test"}
        self.add(consents, **values, updated_at=self.at)
        return None

    def new_product(self) -> int:
        return self.add(products, name=f"P{self.dice.randrange(30)}", category=self.dice.choice([None, "a", "b", "c"]))

    def new_order(self) -> int:
        dice = self.dice
        lines = []
        for number in range(dice.randrange(4)):
            quantity, price = dice.randint(1, 3), dice.choice([0, 500, 999, 2050])
            gross = quantity * price
            discount = gross // 3 if dice.random() < 0.3 else 0
            lines.append((number, quantity, price, gross, discount))
        gross, discount = sum(line[3] for line in lines), sum(line[4] for line in lines)
        known = dice.random() < 0.8
        order = self.add(
            orders,
            number=f"#{dice.randrange(10**6)}",
            customer_id=self.some(customers) if known else None,
            placed_at=self.earlier(),
            cancelled_at=self.at if dice.random() < 0.1 else None,
            payment_status=dice.choice(["paid", "paid", "paid", "pending", "voided"]),
            is_test=dice.random() < 0.05,
            channel=dice.choice([None, "web", "shop"]),
            landing_source=dice.choice([None, "blog", "Community", "direct"]),
            country=dice.choice(["DE", "AT", None]),
            device=dice.choice(["mobile", "desktop", None]),
            payment_method="card",
            currency="EUR",
            original_currency="EUR",
            gross_minor=gross,
            discount_minor=discount,
            shipping_minor=490,
            tax_minor=100,
            total_minor=gross - discount + 590,
        )
        for number, quantity, price, line_gross, line_discount in lines:
            self.add(
                order_items,
                order_id=order,
                line_number=number,
                product_id=self.some(products) if dice.random() < 0.9 else None,
                name="line",
                quantity=quantity,
                currency="EUR",
                unit_price_minor=price,
                gross_minor=line_gross,
                discount_minor=line_discount,
                cost_minor=dice.choice([None, 300]),
            )
        if dice.random() < 0.3:
            self.add(discounts_used, order_id=order, code=dice.choice(["TEN", "VIP"]), currency="EUR", amount_minor=1)
        return order

    def new_refund(self) -> None:
        dice = self.dice
        order = self.some(orders) if dice.random() < 0.8 else None
        items = [dice.choice([100, 333, 1000]) for _ in range(dice.randrange(3))]
        goods = sum(items) + (50 if dice.random() < 0.1 else 0)
        refund = self.add(
            refunds,
            order_id=order,
            customer_id=self.some(customers) if dice.random() < 0.5 else None,
            refunded_at=self.earlier(100),
            is_date_estimated=dice.random() < 0.2,
            currency="EUR",
            goods_minor=goods,
            shipping_minor=490,
            tax_minor=7,
            total_minor=goods + 497,
        )
        for amount in items:
            theirs = self.some(orders) if dice.random() < 0.5 else None
            of = theirs or order
            line = self.some(order_items, order_items.c.order_id == of) if of and dice.random() < 0.6 else None
            self.add(
                refund_items,
                refund_id=refund,
                order_id=theirs,
                order_item_id=line,
                product_id=self.some(products) if dice.random() < 0.5 else None,
                quantity=1,
                currency="EUR",
                goods_minor=amount,
            )

    def new_shipment(self) -> None:
        order = self.some(orders)
        if order is None:
            return
        dice = self.dice
        arrived = self.earlier(20) if dice.random() < 0.5 else None
        self.add(
            shipments,
            order_id=order,
            carrier=dice.choice([None, "DHL"]),
            status="delivered" if arrived else "in_transit",
            shipped_at=self.earlier(30),
            first_attempted_at=arrived if dice.random() < 0.5 else None,
            delivered_at=arrived,
            promised_day=(self.at + timedelta(days=dice.randint(-8, 5))).date() if dice.random() < 0.9 else None,
        )

    def new_return(self) -> None:
        order = self.some(orders)
        if order is None:
            return
        made = self.add(
            returns,
            order_id=order,
            status=self.dice.choice(["requested", "received", "closed", "rejected"]),
            requested_at=self.earlier(20),
            refunded_at=self.at if self.dice.random() < 0.4 else None,
            currency="EUR",
            refund_minor=500,
        )
        if self.dice.random() < 0.7:
            self.add(return_items, return_id=made, quantity=2, currency="EUR", value_minor=700)

    def whose(self) -> dict[str, Any]:
        return {
            "order_id": self.some(orders) if self.dice.random() < 0.5 else None,
            "customer_id": self.some(customers) if self.dice.random() < 0.6 else None,
        }

    def new_review(self) -> None:
        self.add(
            reviews,
            **self.whose(),
            product_id=self.some(products),
            rating=self.dice.randint(1, 5),
            written_at=self.earlier(),
            state=self.dice.choice(["published", "spam"]),
        )

    def new_ticket(self) -> None:
        opened = self.earlier()
        status = self.dice.choice(["open", "waiting_for_customer", "closed", "spam"])
        answered = opened + timedelta(hours=2)
        self.add(tickets, **self.whose(), opened_at=opened, first_response_at=answered, status=status)

    def new_cart(self) -> None:
        made = self.earlier()
        self.add(carts, **self.whose(), created_at=made, last_event_at=made, currency="EUR", value_minor=1200)

    def new_survey(self) -> None:
        self.add(surveys, kind=self.dice.choice(["nps", "csat", "custom"]), name="How was it?", question="And why?")

    def ask_in_survey(self) -> None:
        survey = self.some(surveys)
        if survey is None:
            return
        sent = self.earlier()
        answered = sent + timedelta(hours=self.dice.randrange(100)) if self.dice.random() < 0.6 else None
        self.add(
            survey_answers,
            survey_id=survey,
            **self.whose(),
            sent_at=sent,
            answered_at=answered,
            score=self.dice.randint(0, 10) if answered and self.dice.random() < 0.9 else None,
        )

    def new_question(self) -> None:
        self.add(
            questions,
            product_id=self.some(products) if self.dice.random() < 0.8 else None,
            customer_id=self.some(customers) if self.dice.random() < 0.7 else None,
            asked_at=self.earlier(),
            body="Is it warm?",
        )

    def new_member(self) -> None:
        customer = self.some(customers)
        if customer is not None:
            self.add(
                loyalty_members,
                customer_id=customer,
                joined_at=self.earlier(),
                tier=self.dice.choice([None, "gold"]),
            )

    def new_points(self) -> None:
        member = self.some(loyalty_members)
        if member is None:
            return
        points = self.dice.randint(1, 200)
        self.add(
            loyalty_entries,
            loyalty_member_id=member,
            order_id=self.some(orders) if self.dice.random() < 0.5 else None,
            kind=self.dice.choice(["issued", "issued", "redeemed", "expired"]),
            points=points,
            currency="EUR",
            value_minor=points,
            occurred_at=self.earlier(),
        )

    def new_offer(self) -> None:
        offer = self.add(offers, name="Come back", kind="coupon", window_days=self.dice.choice([14, 30, 60]))
        shared = self.dice.choice(["ten", ""])
        self.add(offer_versions, offer_id=offer, number=1, settings={"code": {"shared": shared}}, created_at=self.at)

    def assign(self) -> None:
        offer, customer = self.some(offers), self.some(customers)
        one = offer_assignments.c
        if (
            offer is None
            or customer is None
            or self.some(offer_assignments, one.offer_id == offer, one.customer_id == customer)
        ):
            return
        is_treated = self.dice.random() < 0.6
        self.add(
            offer_assignments,
            offer_id=offer,
            customer_id=customer,
            offer_version_id=self.some(offer_versions, offer_versions.c.offer_id == offer),
            arm="treatment" if is_treated else "holdout",
            assigned_at=self.earlier(150),
            updated_at=self.at,
            sent_at=self.at if is_treated and self.dice.random() < 0.7 else None,
            code=f"{self.dice.getrandbits(40)}" if is_treated and self.dice.random() < 0.2 else None,
            redeemed_order_id=self.some(orders) if self.dice.random() < 0.1 else None,
        )

    def change_offer(self) -> None:
        window: dict[str, Any] = self.dice.choice([{"status": "running"}, {"window_days": self.dice.choice([14, 45])}])
        self.change(offers, self.some(offers), **window)
        self.change(offer_assignments, self.some(offer_assignments), opened_at=self.at)

    def change_feedback(self) -> None:
        table, change = self.dice.choice(
            [
                (surveys, {"name": self.dice.choice(["How was it?", "Would you tell a friend?"])}),
                (survey_answers, {**self.whose(), "answered_at": self.at, "score": 3}),
                (questions, {"answered_at": self.at}),
                (questions, {"customer_id": self.some(customers)}),
                (loyalty_members, {"tier": self.dice.choice(["silver", None])}),
                (loyalty_members, {"customer_id": self.some(customers) or 0}),
                (loyalty_entries, {"loyalty_member_id": self.some(loyalty_members) or 0}),
                (loyalty_entries, {"points": 5}),
            ]
        )
        self.change(table, self.some(table), **change)

    def change_order(self) -> None:
        row = self.some(orders)
        change: dict[str, Any] = self.dice.choice(
            [
                {"cancelled_at": self.at},
                {"cancelled_at": None},
                {"payment_status": "voided"},
                {"payment_status": "paid"},
                {"is_test": True},
                {"placed_at": self.earlier()},
                {"channel": "shop"},
                {"customer_id": self.some(customers)},
                {"customer_id": None},
            ]
        )
        self.change(orders, row, **change)

    def change_line(self) -> None:
        # Stamped by the database: the order's own trigger tells of it.
        row = self.some(order_items)
        self.change(order_items, row, product_id=self.some(products), cost_minor=self.dice.choice([None, 100]))

    def change_product(self) -> None:
        change: dict[str, Any] = self.dice.choice([{"category": "b"}, {"category": None}, {"name": "Q"}, {"stock": 7}])
        self.change(products, self.some(products), **change)

    def change_customer(self) -> None:
        change: dict[str, Any] = self.dice.choice(
            [
                {"is_test": self.dice.random() < 0.5},
                {"language": "en"},
                {"erased_at": self.at, "email_normalised": None},
                {"email_normalised": "a@example.org"},
            ]
        )
        self.change(customers, self.some(customers), **change)

    def deliver(self) -> None:
        self.change(shipments, self.some(shipments), status="delivered", delivered_at=self.at)

    def change_review(self) -> None:
        self.change(reviews, self.some(reviews), **self.whose(), answered_at=self.at)

    def change_refund(self) -> None:
        self.change(refunds, self.some(refunds), order_id=self.some(orders), refunded_at=self.earlier(100))

    def merge_customers(self) -> None:
        kept, gone = self.some(customers), self.some(customers)
        if kept is None or gone is None or kept == gone:
            return
        for table in (
            *(orders, refunds, returns, reviews, tickets, carts),
            *(survey_answers, questions, loyalty_members),
        ):
            self.connection.execute(
                update(table).where(table.c.customer_id == gone).values(customer_id=kept, updated_at=self.at)
            )
        # Nobody is in one offer twice: of two assignments hers stays.
        one = offer_assignments.c
        hers = select(one.offer_id).where(one.customer_id == kept)
        theirs = list(self.connection.scalars(hers))
        self.connection.execute(delete(offer_assignments).where(one.customer_id == gone, one.offer_id.in_(theirs)))
        self.connection.execute(
            update(offer_assignments).where(one.customer_id == gone).values(customer_id=kept, updated_at=self.at)
        )
        self.connection.execute(delete(customers).where(customers.c.customer_id == gone))

    def delete_order(self) -> None:
        row = self.some(orders)
        if row is None:
            return
        for table in (reviews, tickets, carts, survey_answers, loyalty_entries):
            self.connection.execute(
                update(table).where(table.c.order_id == row).values(order_id=None, updated_at=self.at)
            )
        self.connection.execute(update(refund_items).where(refund_items.c.order_id == row).values(order_id=None))
        self.connection.execute(
            update(offer_assignments)
            .where(offer_assignments.c.redeemed_order_id == row)
            .values(redeemed_order_id=None, updated_at=self.at)
        )
        lines = select(order_items.c.order_item_id).where(order_items.c.order_id == row)
        self.connection.execute(
            update(refund_items).where(refund_items.c.order_item_id.in_(lines)).values(order_item_id=None)
        )
        self.connection.execute(delete(orders).where(orders.c.order_id == row))

    def delete_another(self) -> None:
        table = self.dice.choice(
            [refunds, shipments, returns, reviews, tickets, carts, survey_answers, questions, loyalty_entries]
        )
        row = self.some(table)
        if row is not None:
            self.connection.execute(delete(table).where(next(iter(table.primary_key)) == row))

    def live(self, steps: int) -> None:
        happenings: list[Callable[[], object]] = [
            *[self.new_order] * 6,
            self.new_customer,
            self.say_about_mail,
            self.new_refund,
            self.new_refund,
            self.new_shipment,
            self.new_shipment,
            self.new_return,
            self.new_review,
            self.new_ticket,
            self.new_cart,
            self.new_survey,
            *[self.ask_in_survey] * 2,
            self.new_question,
            self.new_member,
            *[self.new_points] * 2,
            self.new_offer,
            *[self.assign] * 3,
            self.change_offer,
            self.change_feedback,
            self.change_order,
            self.change_order,
            self.change_line,
            self.change_product,
            self.change_customer,
            self.deliver,
            self.change_review,
            self.change_refund,
            self.merge_customers,
            self.delete_order,
            self.delete_another,
        ]
        for _ in range(steps):
            self.dice.choice(happenings)()
        self._stamp()

    def _stamp(self) -> None:
        """What the database stamped by the real clock happened, in this shop, just now."""
        for watched in WATCHED:
            table = TABLES[watched.name]
            late = update(table).where(table.c.updated_at > self.at).values(updated_at=self.at)
            self.connection.execute(late)
        self.connection.execute(
            update(deleted_rows).where(deleted_rows.c.deleted_at > self.at).values(deleted_at=self.at)
        )


def bring(folder: Path, url: str, at: datetime, *, full: bool = False, store: Store = STORE) -> Done:
    folder.mkdir(exist_ok=True)
    return bring_up_to_date(folder, url, store, memory_limit_mb=500, before_publishing=lambda: None, full=full, at=at)


def differences(one: Path, other: Path) -> dict[str, int]:
    """The number of rows, by table, that are in one mart and not in the other; as multisets."""
    found = {}
    with duckdb.connect(":memory:") as engine:
        for name, folder in (("one", one), ("other", other)):
            about = read_pointer(folder)
            assert about is not None
            engine.execute(f"ATTACH '{snapshot_file(folder, about.version)}' AS {name} (READ_ONLY)")
        for table in mart_metadata.sorted_tables:
            if table.name in ("snapshot", "seen"):
                continue
            for a, b in (("one", "other"), ("other", "one")):
                row = engine.execute(
                    f"SELECT count(*) FROM (FROM {a}.{table.name} EXCEPT ALL FROM {b}.{table.name})"
                ).fetchone()
                assert row is not None
                if row[0]:
                    found[f"{table.name} only in {a}"] = row[0]
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_refresh_leaves_what_a_full_build_would_have_made(
    seed: int, database: Engine, database_url: str, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    at = datetime.now(UTC) - timedelta(days=60)
    with writing(database) as connection:
        shop = Shop(connection, at, dice)
        for _ in range(8):
            shop.new_customer()
            shop.new_product()
        shop.live(160)
    grown = tmp_path / "grown"
    assert bring(grown, database_url, at + timedelta(seconds=30)).how == "full"
    hows = set()
    for turn in range(3):
        at += dice.choice([timedelta(minutes=1), timedelta(hours=5), timedelta(days=1), timedelta(days=4)])
        with writing(database) as connection:
            Shop(connection, at, dice).live(dice.choice([0, 1, 5, 60]))
        seen_at = at + timedelta(seconds=dice.choice([0, 30]))
        hows.add(bring(grown, database_url, seen_at).how)
        built = tmp_path / f"built{turn}"
        assert bring(built, database_url, seen_at, full=True).how == "full"
        assert differences(grown, built) == {}
    assert "incremental" in hows
