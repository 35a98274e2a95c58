"""What the mart reads from the order database, and how it comes into the mart's engine.

Each table lands in the database ``stage`` under its own name. A full build reads whole tables; a refresh
reads what belongs to the touched owners, named by temporary tables in the source (see lib.mart.changes):
``wanted_customers``, ``wanted_orders``, and one for the loose rows of each kind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlalchemy import Column

from lib.db.tables.carts import carts
from lib.db.tables.customers import consents, customers
from lib.db.tables.desk import targets
from lib.db.tables.loyalty import loyalty_entries, loyalty_members
from lib.db.tables.offers import offer_assignments, offer_versions, offers
from lib.db.tables.orders import discounts_used, order_items, orders, refund_items, refunds
from lib.db.tables.products import products
from lib.db.tables.returns import return_items, returns
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.surveys import questions, survey_answers, surveys
from lib.db.tables.tickets import tickets
from lib.mart.source import Source, pick


@dataclass(frozen=True)
class Staged:
    """A table of the order database: the columns that are read, and which rows a refresh reads."""

    name: str
    columns: tuple[Column[Any], ...]
    wanted: str


# A row that names an order belongs to the order's owner; else to its customer; else to nobody known.
_BY_ORDER = "order_id IN (SELECT id FROM wanted_orders)"
_OF_CUSTOMERS = "customer_id IN (SELECT id FROM wanted_customers)"


def _owned(kind: str, key: str) -> str:
    # The plus keeps SQLite from looking up the rows without an order first, which may be half of the table.
    return (
        f"{_BY_ORDER} OR (+order_id IS NULL AND customer_id IN (SELECT id FROM wanted_customers)) "  # noqa: S608 - names from this module
        f"OR {key} IN (SELECT id FROM wanted_{kind})"
    )


STAGED = (
    Staged(
        "customers",
        pick(customers, "customer_id is_test language email_normalised erased_at"),
        "customer_id IN (SELECT id FROM all_customers)",
    ),
    Staged("consents", pick(consents, "customer_id channel state"), _OF_CUSTOMERS),
    Staged(
        "orders",
        pick(
            orders,
            "order_id customer_id number placed_at cancelled_at payment_status is_test channel country device "
            "payment_method delivery_type landing_source gross_minor discount_minor shipping_minor tax_minor "
            "fees_minor total_minor paid_minor",
        ),
        "order_id IN (SELECT id FROM all_orders)",
    ),
    Staged(
        "order_items",
        pick(
            order_items,
            "order_item_id order_id product_id kind name quantity gross_minor discount_minor cost_minor",
        ),
        _BY_ORDER,
    ),
    Staged("discounts_used", pick(discounts_used, "discount_used_id order_id code kind"), _BY_ORDER),
    Staged(
        "refunds",
        pick(
            refunds,
            "refund_id order_id customer_id refunded_at is_date_estimated goods_minor shipping_minor tax_minor "
            "fees_minor total_minor",
        ),
        "refund_id IN (SELECT id FROM all_refunds)",
    ),
    Staged(
        "refund_items",
        pick(refund_items, "refund_item_id refund_id order_id order_item_id product_id quantity goods_minor"),
        "refund_id IN (SELECT id FROM all_refunds)",
    ),
    Staged(
        "shipments",
        pick(
            shipments,
            "shipment_id order_id carrier status shipped_at first_attempted_at delivered_at promised_day",
        ),
        _BY_ORDER,
    ),
    Staged(
        "returns",
        pick(
            returns,
            "return_id order_id customer_id status resolution requested_at refunded_at reason refund_minor "
            "exchange_minor credit_minor",
        ),
        _BY_ORDER,
    ),
    Staged(
        "return_items",
        pick(return_items, "return_item_id return_id quantity value_minor"),
        "return_id IN (SELECT return_id FROM returns WHERE order_id IN (SELECT id FROM wanted_orders))",
    ),
    Staged(
        "reviews",
        pick(
            reviews,
            "review_id product_id customer_id order_id rating language written_at state is_verified is_survey "
            "answered_at",
        ),
        _owned("reviews", "review_id"),
    ),
    # The few targets are read whole: a change of one builds everything anew (lib.workflows.targets).
    Staged("targets", pick(targets, "target_id work minutes clock"), "target_id IS NOT NULL"),
    Staged(
        "tickets",
        pick(
            tickets,
            "ticket_id customer_id order_id merged_into_id channel status priority topic opened_at first_response_at "
            "closed_at paused_seconds reopened_count satisfaction is_started_by_us assignee owner_id",
        ),
        _owned("tickets", "ticket_id"),
    ),
    Staged(
        "carts",
        pick(
            carts,
            "cart_id customer_id order_id is_contactable created_at last_event_at contacted_at ordered_at channel "
            "device country value_minor",
        ),
        _owned("carts", "cart_id"),
    ),
    # The few surveys themselves are read whole: their answers name them.
    Staged("surveys", pick(surveys, "survey_id kind name"), "survey_id IS NOT NULL"),
    Staged(
        "survey_answers",
        pick(survey_answers, "survey_answer_id survey_id customer_id order_id sent_at answered_at score"),
        _owned("survey_answers", "survey_answer_id"),
    ),
    Staged(
        "questions",
        pick(questions, "question_id product_id customer_id asked_at answered_at"),
        "customer_id IN (SELECT id FROM wanted_customers) OR question_id IN (SELECT id FROM wanted_questions)",
    ),
    Staged(
        "loyalty_members",
        pick(loyalty_members, "loyalty_member_id customer_id joined_at tier"),
        _OF_CUSTOMERS,
    ),
    Staged(
        "loyalty_entries",
        pick(loyalty_entries, "loyalty_entry_id loyalty_member_id order_id kind points value_minor occurred_at"),
        f"loyalty_member_id IN (SELECT loyalty_member_id FROM loyalty_members WHERE {_OF_CUSTOMERS})",  # noqa: S608 - a constant of this module
    ),
    # The few offers are read whole: their assignments name them.
    Staged("offers", pick(offers, "offer_id window_days"), "offer_id IS NOT NULL"),
    Staged("offer_versions", pick(offer_versions, "offer_version_id settings"), "offer_version_id IS NOT NULL"),
    Staged(
        "offer_assignments",
        pick(
            offer_assignments,
            "offer_assignment_id offer_id customer_id offer_version_id arm assigned_at code held_back sent_at "
            "opened_at redeemed_at redeemed_order_id",
        ),
        _OF_CUSTOMERS,
    ),
)
PRODUCTS = Staged(
    "products",
    pick(
        products,
        "product_id name category sku vendor price_minor cost_minor stock is_goods is_active",
    ),
    "",
)


def load(engine: duckdb.DuckDBPyConnection, source: Source, staged: Staged, where: str = "") -> int:
    """Copy a table's rows, all or those of a condition, into ``stage``; return their number."""
    condition = f" WHERE {where}" if where else ""
    reader = source.batches(f"SELECT {source.columns(staged.columns)} FROM {staged.name}{condition}")  # noqa: S608 - names from this module
    engine.register("incoming", reader)
    engine.execute(
        f"CREATE OR REPLACE TABLE stage.main.{staged.name} AS SELECT {source.typed(staged.columns)} FROM incoming"  # noqa: S608 - names from this module
    )
    engine.unregister("incoming")
    (count,) = engine.execute(f"SELECT count(*) FROM stage.main.{staged.name}").fetchone() or (0,)  # noqa: S608 - names from this module
    return int(count)


def load_all(
    engine: duckdb.DuckDBPyConnection,
    source: Source,
    *,
    only_wanted: bool,
    progress: Callable[[str], None] | None = None,
) -> int:
    """Copy every table of the owners in question into ``stage``; return the number of rows."""
    total = 0
    for staged in STAGED:
        if progress:
            progress(f"reading {staged.name.replace('_', ' ')}")
        total += load(engine, source, staged, staged.wanted if only_wanted else "")
    return total
