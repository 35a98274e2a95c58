"""A shop put together by hand, order by order, and the mart that the real refresh makes of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

from sqlalchemy import Table, insert

from lib.db.engine import open_engine, writing
from lib.db.store import Store, write_store
from lib.db.tables.carts import carts
from lib.db.tables.customers import customers
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.orders import order_items, orders, refund_items, refunds
from lib.db.tables.products import products
from lib.db.tables.returns import return_items, returns
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.surveys import questions, survey_answers, surveys
from lib.db.tables.tickets import tickets
from lib.mart.refresh import bring_up_to_date
from lib.mart.snapshot import Snapshot, current

STORE = Store("By hand", "Europe/Berlin", "EUR", "DE", ("en",), False)


def at(text: str) -> datetime:
    """An instant in UTC: ``at("2025-01-10 09:00")``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class ShopByHand:
    """Fills an order database; amounts are in minor units, times in UTC."""

    def __init__(self, template: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.url = f"sqlite:///{folder / 'order.db'}"
        copyfile(template, folder / "order.db")
        self._engine = open_engine(self.url)
        self._number = 0
        with writing(self._engine) as connection:
            write_store(connection, STORE)

    def add(self, table: Table, **values: Any) -> int:
        self._number += 1
        if "fingerprint" in table.c:
            values = {"source": "hand", "external_id": str(self._number), "fingerprint": "f", **values}
        if "currency" in table.c:
            values = {"currency": "EUR", **values}
        if "original_currency" in table.c:
            values = {"original_currency": "EUR", **values}
        with writing(self._engine) as connection:
            made = connection.execute(insert(table).values(**values)).inserted_primary_key
        assert made is not None
        return int(made[0])

    def customer(self, name: str) -> int:
        return self.add(customers, name=name)

    def product(self, name: str, category: str) -> int:
        return self.add(products, name=name, category=category)

    def order(
        self,
        placed_at: str,
        customer: int | None,
        lines: Sequence[tuple[int, int, int]],
        *,
        discount: int = 0,
        cost: int | None = None,
        **values: Any,
    ) -> int:
        """An order of ``(product, quantity, unit price)`` lines; discount and cost are of the first line."""
        gross = sum(quantity * price for _, quantity, price in lines)
        shipping, tax = values.get("shipping_minor", 0), values.get("tax_minor", 0)
        order = self.add(
            orders,
            **{
                "number": f"#{self._number}",
                "placed_at": at(placed_at),
                "customer_id": customer,
                "payment_status": "paid",
                "channel": "web",
                "country": "DE",
                "gross_minor": gross,
                "discount_minor": discount,
                "total_minor": gross - discount + shipping + tax,
                **values,
            },
        )
        for number, (product, quantity, price) in enumerate(lines):
            self.add(
                order_items,
                order_id=order,
                line_number=number,
                product_id=product,
                name="line",
                quantity=quantity,
                unit_price_minor=price,
                gross_minor=quantity * price,
                discount_minor=discount if number == 0 else 0,
                cost_minor=cost if number == 0 else None,
            )
        return order

    def refund(self, refunded_at: str, goods: int, *, order: int | None = None, **values: Any) -> None:
        total = goods + values.get("shipping_minor", 0) + values.get("tax_minor", 0)
        refund = self.add(
            refunds, refunded_at=at(refunded_at), goods_minor=goods, total_minor=total, order_id=order, **values
        )
        self.add(refund_items, refund_id=refund, quantity=1, goods_minor=goods)

    def shipment(
        self, order: int, shipped_at: str, delivered_at: str | None = None, promised: date | None = None
    ) -> None:
        self.add(
            shipments,
            order_id=order,
            status="delivered" if delivered_at else "in_transit",
            shipped_at=at(shipped_at),
            delivered_at=at(delivered_at) if delivered_at else None,
            promised_day=promised,
        )

    def returned(self, order: int, requested_at: str, units: int, value: int, **values: Any) -> None:
        made = self.add(returns, order_id=order, requested_at=at(requested_at), **values)
        self.add(return_items, return_id=made, quantity=units, value_minor=value)

    def review(self, written_at: str, rating: int, answered_at: str | None = None, **values: Any) -> None:
        answered = at(answered_at) if answered_at else None
        self.add(reviews, written_at=at(written_at), rating=rating, answered_at=answered, **values)

    def ticket(self, opened_at: str, answered_at: str | None = None, **values: Any) -> int:
        answered = at(answered_at) if answered_at else None
        return self.add(tickets, opened_at=at(opened_at), first_response_at=answered, **values)

    def cart(
        self, begun_at: str, contacted_at: str | None = None, ordered_at: str | None = None, **values: Any
    ) -> None:
        """A cart whose last event is its first."""
        self.add(
            carts,
            created_at=at(begun_at),
            last_event_at=at(begun_at),
            contacted_at=at(contacted_at) if contacted_at else None,
            ordered_at=at(ordered_at) if ordered_at else None,
            **values,
        )

    def survey(self, kind: str, name: str) -> int:
        return self.add(surveys, kind=kind, name=name, question=name)

    def surveyed(
        self, survey: int, sent_at: str, answered_at: str | None = None, score: int | None = None, **values: Any
    ) -> int:
        answered = at(answered_at) if answered_at else None
        return self.add(
            survey_answers, survey_id=survey, sent_at=at(sent_at), answered_at=answered, score=score, **values
        )

    def question(self, asked_at: str, answered_at: str | None = None, **values: Any) -> int:
        answered = at(answered_at) if answered_at else None
        return self.add(questions, asked_at=at(asked_at), answered_at=answered, body="Is it warm?", **values)

    def member(self, customer: int, joined_at: str, tier: str | None = None) -> int:
        return self.add(loyalty_members, customer_id=customer, joined_at=at(joined_at), tier=tier)

    def points(self, member: int, occurred_at: str, kind: str, points: int, value: int) -> int:
        return self.add(
            loyalty_entries,
            loyalty_member_id=member,
            occurred_at=at(occurred_at),
            kind=kind,
            points=points,
            value_minor=value,
        )

    def mart(self, seen_at: str) -> Snapshot:
        """The mart as a refresh at that instant makes it."""
        mart_dir = self.folder / "mart"
        mart_dir.mkdir(exist_ok=True)
        bring_up_to_date(
            mart_dir, self.url, STORE, memory_limit_mb=500, before_publishing=lambda: None, full=True, at=at(seen_at)
        )
        return current(mart_dir)
