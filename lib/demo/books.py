"""Write the demo store's products, orders, lines, discounts and parcels."""

from collections.abc import Callable

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import batches, bulk_insert
from lib.db.tables.orders import discounts_used, exchange_rates, order_items
from lib.db.tables.orders import orders as orders_table
from lib.db.tables.products import products as products_table
from lib.db.tables.shipments import shipment_events, shipments
from lib.demo import behaviour as b
from lib.demo.catalogue import CATEGORIES, catalogue
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, objects, or_none
from lib.demo.people import cities
from lib.demo.purchases import CANCELLED, EXCHANGE, TEST, VOIDED
from lib.demo.sales import PAID, PARTLY_REFUNDED, PAYMENT_STATUS, REFUNDED, Sales

# Beyond this size only the events of the last days are kept, and of older parcels the parcel alone.
FEW_EVENTS_FROM = 300_000
EVENTS_KEPT_DAYS = 60
FRANC_PER_EURO = 0.95
_PARCEL = (
    "carrier",
    "promised",
    "delivered",
    "is_late",
    "is_lost",
    "is_damaged",
    "shipped_at",
    "arrived_at",
    "tried_at",
    "at",
    "day",
    "delivery",
)


def write_products(connection: Connection, rng: np.random.Generator) -> None:
    """Write the catalogue."""
    goods = catalogue()
    n = len(goods)
    names = objects([c.name for c in CATEGORIES])
    vendors = objects([c.vendor for c in CATEGORIES])
    stock = np.where(goods.used_up > 0, rng.integers(40, 600, n), rng.integers(5, 120, n))
    bulk_insert(
        connection,
        products_table,
        {
            "product_id": np.arange(1, n + 1),
            "source": ["demo"] * n,
            "external_id": list(goods.handle),
            "fingerprint": ["demo"] * n,
            "handle": list(goods.handle),
            "sku": [_sku(i) for i in range(n)],
            "name": list(goods.name),
            "category": names[goods.category],
            "vendor": vendors[goods.category],
            "currency": ["EUR"] * n,
            "price_minor": goods.price,
            "cost_minor": np.ma.masked_array(goods.cost, mask=~goods.has_cost),
            "stock": stock,
            "tags": or_none(goods.used_up > 0, "consumable"),
        },
    )


def _sku(number: int) -> str:
    return f"HH-{100 + number}"


def item_keys(sales: Sales) -> Column:
    """The keys that the order lines will have, 0 where there is no line; shape (orders, WIDTH)."""
    there = sales.orders["products"] >= 0
    keys = np.cumsum(there.ravel()).reshape(there.shape)
    return np.where(there, keys, 0)


def write_orders(
    connection: Connection, rng: np.random.Generator, sales: Sales, *, tick: Callable[[int], None]
) -> None:
    """Write orders with their lines, discounts and parcels; ``tick`` hears how many orders were written."""
    keys = item_keys(sales)
    n = len(sales)
    city, region, _ = cities(rng, sales.orders["country"])
    second = rng.random(n) < 0.03
    parcel_first = np.cumsum(sales.orders["has_parcel"])
    few = n >= FEW_EVENTS_FROM
    for part in batches(n, 50_000):
        rows = np.arange(part.start, part.stop)
        _write_orders(connection, sales, rows, city[part], region[part])
        _write_items(connection, sales, rows, keys)
        _write_parcels(connection, sales, rows, parcel_first, few=few)
        tick(len(rows))
    extra = np.flatnonzero(second & sales.orders["has_parcel"] & ~np.isnat(sales.orders["arrived_at"]))
    _write_parcels(connection, sales, extra, parcel_first[-1] + np.arange(1, n + 1), few=few, is_second=True)
    months = sorted({sales.calendar.date_of(d).replace(day=1) for d in range(0, sales.calendar.days, 20)})
    bulk_insert(
        connection,
        exchange_rates,
        {
            "currency": ["CHF"] * len(months),
            "target": ["EUR"] * len(months),
            "valid_from": [m.isoformat() for m in months],
            "rate": np.full(len(months), round(1 / FRANC_PER_EURO, 10)),
        },
    )


def _write_orders(connection: Connection, sales: Sales, rows: Column, city: Column, region: Column) -> None:
    o = {name: values[rows] for name, values in sales.orders.items()}
    n = len(rows)
    key = rows + 1
    status = o["payment_status"]
    is_swiss = (o["country"] == 2) & (o["total"] > 0)
    paid = np.where(np.isin(status, (PAID, REFUNDED, PARTLY_REFUNDED)), o["total"], 0)
    shipped = ~np.isnat(o["shipped_at"]) | (o["delivery"] == 3)
    fulfilment = or_none(~np.isin(o["kind"], (CANCELLED, VOIDED, TEST)), np.where(shipped, "fulfilled", "unfulfilled"))
    has_device = o["channel"] < 2
    bulk_insert(
        connection,
        orders_table,
        {
            "order_id": key,
            "source": ["demo"] * n,
            "external_id": objects([f"D-{FIRST_NUMBER + i}" for i in key]),
            "fingerprint": ["demo"] * n,
            "number": objects([f"#{10000 + i}" for i in key]),
            "customer_id": np.ma.masked_equal(o["who"] + 1, 0),
            "placed_at": o["at"],
            "cancelled_at": o["cancelled_at"],
            "payment_status": objects(PAYMENT_STATUS)[status],
            "fulfillment_status": fulfilment,
            "is_test": o["kind"] == TEST,
            "channel": objects(b.CHANNELS)[o["channel"]],
            "country": objects(b.COUNTRIES)[o["country"]],
            "region": region,
            "city": city,
            "device": or_none(has_device, objects(b.DEVICES)[o["device"]]),
            "payment_method": np.where(o["channel"] == 3, "card", objects(b.PAYMENTS)[o["payment"]]),
            "delivery_type": objects(b.DELIVERIES)[o["delivery"]],
            "landing_source": or_none(has_device, objects(b.SOURCES)[o["source"]]),
            "currency": ["EUR"] * n,
            "original_currency": np.where(is_swiss, "CHF", "EUR"),
            "original_total_minor": np.where(
                is_swiss, np.rint(o["total"] * FRANC_PER_EURO).astype(np.int64), o["total"]
            ),
            "exchange_rate": np.where(is_swiss, round(1 / FRANC_PER_EURO, 10), 1.0),
            "is_tax_included": np.full(n, True),
            "gross_minor": o["gross"],
            "discount_minor": o["discount"],
            "shipping_minor": o["shipping"],
            "tax_minor": o["tax"],
            "fees_minor": o["fees"],
            "total_minor": o["total"],
            "paid_minor": paid,
            "tags": or_none(o["kind"] == EXCHANGE, "exchange"),
        },
    )
    used = np.flatnonzero((o["code"] >= 0) & ((o["discount"] > 0) | (o["code"] == 5)))
    bulk_insert(
        connection,
        discounts_used,
        {
            "order_id": key[used],
            "code": objects(b.CODES)[o["code"][used]],
            "kind": np.where(o["code"][used] == 5, "shipping", "code"),
            "currency": ["EUR"] * len(used),
            "amount_minor": o["discount"][used],
        },
    )


def _write_items(connection: Connection, sales: Sales, rows: Column, keys: Column) -> None:
    goods = catalogue()
    o = sales.orders
    row, line = np.nonzero(o["products"][rows] >= 0)
    row = rows[row]
    product = o["products"][row, line]
    skus = objects([_sku(i) for i in range(len(goods))])
    bulk_insert(
        connection,
        order_items,
        {
            "order_item_id": keys[row, line],
            "order_id": row + 1,
            "line_number": line + 1,
            "product_id": product + 1,
            "kind": ["goods"] * len(row),
            "sku": skus[product],
            "name": objects(goods.name)[product],
            "quantity": o["quantities"][row, line],
            "currency": ["EUR"] * len(row),
            "unit_price_minor": o["line_unit"][row, line],
            "gross_minor": o["line_gross"][row, line],
            "discount_minor": o["line_discount"][row, line],
            "tax_minor": o["line_tax"][row, line],
            "cost_minor": np.ma.masked_array(o["line_cost"][row, line], mask=~goods.has_cost[product]),
        },
    )


def _write_parcels(
    connection: Connection, sales: Sales, rows: Column, parcel: Column, *, few: bool, is_second: bool = False
) -> None:
    calendar = sales.calendar
    rows = rows[sales.orders["has_parcel"][rows]]
    o = {name: sales.orders[name][rows] for name in _PARCEL}
    n = len(rows)
    if not n:
        return
    keys = np.arange(1, n + 1) + parcel[0] - 1 if is_second else parcel[rows]
    arrived, shipped, tried = o["arrived_at"], o["shipped_at"], o["tried_at"]
    there = ~np.isnat(arrived)
    age = calendar.days - o["day"]
    status = np.where(there, "delivered", np.where(np.isnat(shipped), "pending", "in_transit")).astype(object)
    on_way = status == "in_transit"
    due = calendar.days - o["delivered"]
    status = np.where(on_way & (due == 0), "out_for_delivery", status)
    status = np.where(on_way & ~np.isnat(tried), "attempt_failed", status)
    status = np.where(on_way & (o["delivery"] == 1) & (due == 0), "available_for_pickup", status)
    status = np.where(on_way & o["is_late"] & (rows % 9 == 0), "exception", status)
    status = np.where((status == "pending") & (rows % 3 == 0), "info_received", status)
    status = np.where(o["is_lost"] & (age > 21), "lost", status)
    status = np.where(there & o["is_damaged"], "damaged", status)
    warned = o["is_late"] & (rows % 5 < 2)
    morning = calendar.at(np.maximum(o["promised"], 0), np.full(n, 0.38))
    announced = np.where(warned & (morning < calendar.now) & (morning > o["at"]), morning, NEVER)
    suffix = "-2" if is_second else ""
    numbers = rows + 1
    bulk_insert(
        connection,
        shipments,
        {
            "shipment_id": keys,
            "source": ["demo"] * n,
            "external_id": objects([f"P-{FIRST_NUMBER + i}{suffix}" for i in numbers]),
            "fingerprint": ["demo"] * n,
            "order_id": numbers,
            "carrier": objects(b.CARRIERS)[o["carrier"]],
            "tracking_number": objects([f"DEMO{i:010d}{suffix}" for i in numbers]),
            "status": status,
            "shipped_at": shipped,
            "first_attempted_at": tried,
            "delivered_at": arrived,
            "promised_day": np.where(o["promised"] >= 0, calendar.dates(o["promised"]), NEVER),
            "announced_late_at": announced,
        },
    )
    keep = age <= EVENTS_KEPT_DAYS if few else np.full(n, True)
    way = (np.where(there, arrived, calendar.now) - shipped).astype("m8[us]")
    half: Column = shipped + way // 2
    parts = []
    for name, when, happened in (
        ("info_received", o["at"] + np.timedelta64(40, "m"), ~np.isnat(shipped)),
        ("in_transit", half, ~np.isnat(shipped)),
        ("attempt_failed", tried, ~np.isnat(tried)),
        ("exception", half + np.timedelta64(2, "h"), status == "exception"),
        ("delivered", arrived, there),
    ):
        hit = np.flatnonzero(keep & happened & ~np.isnat(when) & (when < calendar.now))
        parts.append((name, hit, when[hit]))
    hit = np.concatenate([p[1] for p in parts])
    kind = objects([p[0] for p in parts for _ in p[1]])
    when = np.concatenate([p[2] for p in parts])
    order = np.lexsort((when, hit))
    bulk_insert(
        connection,
        shipment_events,
        {
            "shipment_id": keys[hit][order],
            "occurred_at": when[order],
            "status": kind[order],
            "message": objects([_MESSAGES[k] for k in kind])[order],
        },
    )


_MESSAGES = {
    "info_received": "The parcel has been announced.",
    "in_transit": "The parcel is on its way.",
    "attempt_failed": "Nobody was at home.",
    "exception": "The parcel is delayed in the sorting centre.",
    "delivered": "The parcel has been delivered.",
}
