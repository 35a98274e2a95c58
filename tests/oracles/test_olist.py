"""Olist, 10,000 orders of 2017 (test data only, does not ship): the published figures from Encore's own records."""

from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from zoneinfo import ZoneInfo

import pytest

from lib.importers.files import source_files
from lib.importers.olist import read
from lib.importers.records import OrderRecord, ReadContext, Rejected
from lib.periods import start_of_day, store_day
from lib.settings import ROOT

ZONE = ZoneInfo("America/Sao_Paulo")


@pytest.fixture(scope="module")
def orders(real_data: Callable[[str], Path]) -> list[OrderRecord]:
    context = ReadContext(time_zone=ZONE.key)
    records = list(read(source_files([real_data("olist/subset10k_2017")], context), context))
    assert not [record for record in records if isinstance(record, Rejected)]
    return [record for record in records if isinstance(record, OrderRecord)]


def test_orders_and_what_was_delivered(orders: list[OrderRecord]) -> None:
    assert len(orders) == 10_000
    assert sum(order.fulfillment_status == "delivered" for order in orders) == 9_649
    assert sum(order.cancelled_at is not None for order in orders) == 57 + 98


def test_items_freight_and_payments_to_the_cent(orders: list[OrderRecord]) -> None:
    assert sum(order.gross_minor for order in orders) == 1_381_936_76
    assert sum(order.shipping_minor for order in orders) == 218_056_74
    assert sum(order.paid_minor or 0 for order in orders) == 1_620_279_37


def test_late_is_663_by_timestamp_and_574_by_day(orders: list[OrderRecord]) -> None:
    late_by_time = late_by_day = delivered = 0
    for order in orders:
        for shipment in order.shipments:
            if shipment.delivered_at is None or shipment.promised_day is None:
                continue
            delivered += 1
            late_by_time += shipment.delivered_at > start_of_day(shipment.promised_day, ZONE)
            late_by_day += store_day(shipment.delivered_at, ZONE) > shipment.promised_day
    assert (delivered, late_by_time, late_by_day) == (9_648, 663, 574)


def test_days_from_order_to_delivery_are_full_timestamps(orders: list[OrderRecord]) -> None:
    """Published 12.97 and 11.00: fractions of days between the two times, not whole days."""
    days = [
        (shipment.delivered_at - order.placed_at).total_seconds() / 86_400
        for order in orders
        for shipment in order.shipments
        if shipment.delivered_at is not None
    ]
    assert (round(mean(days), 2), round(median(days), 2)) == (12.97, 11.00)


def test_a_customer_is_a_person_not_an_order(orders: list[OrderRecord]) -> None:
    people = {order.customer.external_id for order in orders if order.customer is not None}
    assert all(order.customer is not None for order in orders)
    assert len(people) == 9_920


def test_encores_own_orders_differ_by_the_amounts_of_the_document(orders: list[OrderRecord]) -> None:
    valid = [order for order in orders if order.cancelled_at is None and order.gross_minor > 0]
    empty = [order for order in orders if not order.items]
    cancelled = [order for order in orders if order.items and order.cancelled_at is not None]
    interest = sum((o.paid_minor or 0) - o.total_minor for o in orders if o.items)
    assert (len(valid), len(empty), len(cancelled)) == (9_843, 111, 46)
    amounts = [
        sum(order.gross_minor for order in valid),
        sum(order.gross_minor for order in cancelled),
        sum(order.paid_minor or 0 for order in empty),
        interest,
    ]
    assert amounts == [1_371_628_88, 10_307_88, 20_033_05, 252_82]
    text = (ROOT / "docs" / "how-encore-counts.md").read_text(encoding="utf-8")
    assert [a for a in amounts if f"{a / 100:,.2f}" not in text] == []
