"""Write the demo store's refunds and returns."""

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import bulk_insert
from lib.db.tables.orders import refund_items, refunds
from lib.db.tables.returns import return_items, returns
from lib.demo.catalogue import catalogue
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, objects, or_none
from lib.demo.regret import GOODWILL, REFUND_REASONS, RESOLUTIONS, RETURN_REASONS, STATUS, Aftermath
from lib.demo.sales import Sales

_COMMENTS = (
    (
        "It is lovely, but too big for our shelf.",
        "Gefällt mir im Zimmer doch nicht.",
        "My partner had already bought one.",
    ),
    ("Leider eine Nummer zu klein.", "Too short for our bed.", "The cover is smaller than the cushion."),
    ("In the pictures it looked warmer.", "Auf dem Foto wirkte es heller.", "More yellow than cream."),
    ("Kam erst nach dem Geburtstag an.", "Arrived after we had left for holiday.", "Zu spät, habe es vor Ort gekauft."),
    ("The box was dented and the glass had a crack.", "Ein Teller war gesprungen.", "The lid was broken."),
    ("Der Stoff ist dünner, als ich dachte.", "The seam came loose on the first day.", "Wackelt von Anfang an."),
    ("I got the grey one instead of the green one.", "Falscher Artikel im Paket.", "One of three was another scent."),
    ("Versehentlich doppelt bestellt.", "I clicked twice, sorry.", "We both ordered it."),
)


def write_aftermath(connection: Connection, sales: Sales, after: Aftermath, item_key: Column) -> None:
    """Write refunds and returns; ``item_key`` holds the keys of the order lines, shape (orders, WIDTH)."""
    orders = sales.orders
    paid = after.refunds
    m = len(paid["order"])
    keys = np.arange(1, m + 1)
    who = orders["who"][paid["order"]] + 1
    bulk_insert(
        connection,
        refunds,
        {
            "refund_id": keys,
            "source": ["demo"] * m,
            "external_id": objects([f"R-{FIRST_NUMBER + i}" for i in keys]),
            "fingerprint": ["demo"] * m,
            "order_id": paid["order"] + 1,
            "customer_id": np.ma.masked_equal(who, 0),
            "refunded_at": paid["at"],
            "currency": ["EUR"] * m,
            "goods_minor": paid["goods"],
            "shipping_minor": paid["shipping"],
            "tax_minor": paid["tax"],
            "fees_minor": paid["fees"],
            "total_minor": paid["goods"] + paid["shipping"] + paid["tax"] + paid["fees"],
            "reason": objects(REFUND_REASONS)[paid["reason"]],
        },
    )
    row, line = np.nonzero(paid["line_goods"])
    order = paid["order"][row]
    product = orders["products"][order, line]
    bulk_insert(
        connection,
        refund_items,
        {
            "refund_id": keys[row],
            "order_id": order + 1,
            "order_item_id": item_key[order, line],
            "product_id": product + 1,
            "name": objects(catalogue().name)[product],
            "quantity": np.where(paid["reason"][row] == GOODWILL, 0, orders["quantities"][order, line]),
            "currency": ["EUR"] * len(row),
            "goods_minor": paid["line_goods"][row, line],
        },
    )
    back = after.returns
    m = len(back["order"])
    keys = np.arange(1, m + 1)
    who = orders["who"][back["order"]] + 1
    comments = np.array(_COMMENTS, dtype=object)[back["reason"], back["comment"]]
    value = back["value"]
    bulk_insert(
        connection,
        returns,
        {
            "return_id": keys,
            "source": ["demo"] * m,
            "external_id": objects([f"RMA-{FIRST_NUMBER + i}" for i in keys]),
            "fingerprint": ["demo"] * m,
            "order_id": back["order"] + 1,
            "customer_id": np.ma.masked_equal(who, 0),
            "status": objects(STATUS)[back["status"]],
            "resolution": or_none(back["resolution"] >= 0, objects(RESOLUTIONS)[back["resolution"]]),
            "requested_at": back["requested_at"],
            "received_at": back["received_at"],
            "refunded_at": np.where(back["resolution"] == 0, back["done_at"], NEVER),
            "reason": objects(RETURN_REASONS)[back["reason"]],
            "comment": or_none(back["has_comment"], comments),
            "currency": ["EUR"] * m,
            "refund_minor": np.where(back["resolution"] == 0, value, 0),
            "exchange_minor": np.where(back["resolution"] == 1, value, 0),
            "credit_minor": np.where(back["resolution"] == 2, value, 0),
        },
    )
    row, line = np.nonzero(back["lines"])
    order = back["order"][row]
    bulk_insert(
        connection,
        return_items,
        {
            "return_id": keys[row],
            "order_item_id": item_key[order, line],
            "product_id": orders["products"][order, line] + 1,
            "quantity": orders["quantities"][order, line],
            "currency": ["EUR"] * len(row),
            "value_minor": (orders["line_gross"] - orders["line_discount"])[order, line],
        },
    )
