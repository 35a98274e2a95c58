"""What the variables of an offer stand for, customer by customer; read for many at once."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from lib.db.among import among
from lib.db.tables.customers import customers
from lib.db.tables.orders import order_items, orders
from lib.db.tables.products import products
from lib.db.tables.shipments import shipments
from lib.money import format_money
from lib.offer import Pays, Plan, Reward
from lib.workflows.offer_content import names

_WORDS = Path(__file__).with_name("offer_words.toml")
_OF_ORDER = frozenset({"order", "product", "tracking"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom an offer goes to, as far as its words need it."""

    customer_id: int
    email: str | None
    name: str | None
    language: str
    country: str | None
    known: Mapping[str, str]


def recipients_of(
    conn: Connection, plan: Plan, about: Mapping[int, int | None], *, language: str
) -> dict[int, Recipient]:
    """The customers of ``about`` with what is known of each; who was erased is not among them.

    Args:
        about: the order that it is about, by customer; null: her last one.
        language: of who does not say which is hers.
    """
    asked = {name for one in plan.content for name in names(f"{one.subject}\n{one.text}\n{one.html}")}
    of_order = _of_orders(conn, about) if asked & _OF_ORDER else {}
    of_goods = _of_goods(conn, plan) if asked & {"product", "products"} else {}
    row = customers.c
    rows = conn.execute(
        select(row.customer_id, row.email, row.name, row.language, row.country).where(
            among(conn, row.customer_id, about), row.erased_at.is_(None)
        )
    )
    found = {}
    for one in rows:
        known = of_order.get(one.customer_id, {}) | of_goods
        if one.name and (words := one.name.split()):
            known["first_name"] = words[0]
        found[one.customer_id] = Recipient(
            customer_id=one.customer_id,
            email=one.email,
            name=one.name,
            language=one.language or language,
            country=one.country,
            known=known,
        )
    return found


def countries_of(conn: Connection, customer_ids: Collection[int]) -> dict[int, str | None]:
    """Where customers live, as far as it is known."""
    row = customers.c
    found = conn.execute(select(row.customer_id, row.country).where(among(conn, row.customer_id, customer_ids)))
    return {one.customer_id: one.country for one in found}


def reward_values(plan: Plan, currency: str, language: str, last_day: date) -> dict[str, str]:
    """What is given, from what basket on and until when, as a customer reads it."""
    told = {"reward": reward_words(plan.reward, currency, language)}
    if plan.reward.minimum_basket_minor:
        told["minimum"] = format_money(plan.reward.minimum_basket_minor, currency)
    if plan.reward.pays is not Pays.NOTHING:
        told["expires"] = day_words(last_day, language)
    return told


@lru_cache(maxsize=200)
def reward_words(reward: Reward, currency: str, language: str) -> str:
    """``10 % off``, ``10 % Rabatt``; empty where nothing is given."""
    words = _words(language)
    match reward.pays:
        case Pays.NOTHING:
            return ""
        case Pays.PERCENT:
            return str(words["percent"]).replace("{n}", f"{reward.depth * 100:g}")
        case Pays.AMOUNT:
            return str(words["amount"]).replace("{money}", format_money(reward.face_minor, currency))
        case Pays.POINTS:
            return str(words["points"]).replace("{n}", str(reward.points))
    return str(words[str(reward.pays)])


@lru_cache(maxsize=2_000)
def day_words(day: date, language: str) -> str:
    """``8 December 2026``, ``8. Dezember 2026``."""
    words = _words(language)
    told = {"{day}": str(day.day), "{month}": words["months"][day.month - 1], "{year}": str(day.year)}
    written = str(words["day"])
    for name, value in told.items():
        written = written.replace(name, value)
    return written


@cache
def _all_words() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_WORDS.read_text(encoding="utf-8"))


def _words(language: str) -> dict[str, Any]:
    return _all_words().get(language.lower().split("-")[0], _all_words()["en"])


def _of_orders(conn: Connection, about: Mapping[int, int | None]) -> dict[int, dict[str, str]]:
    """The number, the dearest product and the parcel of the order that it is about, by customer."""
    order_of = {one: order_id for one, order_id in about.items() if order_id is not None}
    rest = [one for one, order_id in about.items() if order_id is None]
    if rest:
        rows = conn.execute(
            select(orders.c.customer_id, orders.c.order_id)
            .where(among(conn, orders.c.customer_id, rest), orders.c.cancelled_at.is_(None))
            .order_by(orders.c.placed_at, orders.c.order_id)
        )
        order_of |= {row.customer_id: row.order_id for row in rows}
    wanted = set(order_of.values())
    numbers = _pairs(conn, select(orders.c.order_id, orders.c.number), orders.c.order_id, wanted)
    # The dearest line is read last, and so stays.
    lines = select(order_items.c.order_id, order_items.c.name).where(order_items.c.kind == "goods")
    goods = _pairs(
        conn,
        lines.order_by(order_items.c.gross_minor, order_items.c.line_number.desc()),
        order_items.c.order_id,
        wanted,
    )
    parcels = select(shipments.c.order_id, shipments.c.tracking_number).where(shipments.c.tracking_number.is_not(None))
    tracking = _pairs(conn, parcels.order_by(shipments.c.shipment_id), shipments.c.order_id, wanted)
    return {
        customer_id: {
            name: values[order_id]
            for name, values in (("order", numbers), ("product", goods), ("tracking", tracking))
            if order_id in values
        }
        for customer_id, order_id in order_of.items()
    }


def _of_goods(conn: Connection, plan: Plan) -> dict[str, str]:
    if not plan.product_ids:
        return {}
    found = _pairs(conn, select(products.c.product_id, products.c.name), products.c.product_id, set(plan.product_ids))
    listed = [found[one] for one in plan.product_ids if one in found]
    return {"product": listed[0], "products": "\n".join(listed)} if listed else {}


def _pairs(conn: Connection, statement: Any, key: Any, wanted: Collection[int]) -> dict[int, str]:
    return {row[0]: row[1] for row in conn.execute(statement.where(among(conn, key, wanted)))}
