"""The mart's tables: facts, dimensions and grouped tables, the same on every engine.

``day``, ``week`` and ``month`` are integers (see lib.periods) in the store's zone. Amounts are minor
units of the store's currency and exclude tax.

``owner_key`` says whose refresh a row belongs to: the ``customer_id``, or a negative number unique to
the order (refund, cart …) of an unknown customer. All of an owner's rows are recomputed together.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, MetaData, String, Table
from sqlalchemy.types import DateTime

mart_metadata = MetaData()

# The prepared dimensions. `category` is of the line; all others are of the order.
DIMENSIONS = ("channel", "country", "category", "customer_kind", "device", "payment_method")
# Those of parcels and of products by day.
NARROW_DIMENSIONS = ("channel", "country")
# How customers are split by their first purchase.
FIRST_DIMENSIONS = ("channel", "country", "category", "product", "discount", "delivery")


def _big(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def _whole(*names: str) -> list[Column[int]]:
    return [Column(name, Integer, nullable=False) for name in names]


def _maybe(*names: str) -> list[Column[int]]:
    return [Column(name, Integer, nullable=True) for name in names]


def _maybe_big(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=True) for name in names]


def _yes(*names: str) -> list[Column[bool]]:
    return [Column(name, Boolean, nullable=False) for name in names]


def _maybe_yes(*names: str) -> list[Column[bool]]:
    return [Column(name, Boolean, nullable=True) for name in names]


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, String, nullable=True) for name in names]


def _label(*names: str) -> list[Column[str]]:
    """A dimension: never null, 'unknown' where the source is silent."""
    return [Column(name, String, nullable=False) for name in names]


# Grain: one imported order, valid or not.
fact_order = Table(
    "fact_order",
    mart_metadata,
    *_big("order_id", "owner_key"),
    *_maybe_big("customer_id"),
    *_label("number"),
    Column("placed_at", DateTime, nullable=False),
    *_whole("day", "week", "month", "hour"),
    *_yes("is_valid"),
    *_text("why_left_out"),  # the first that holds of cancelled, voided, test, zero value; null when valid
    *_yes("is_unpaid"),  # pending, authorized or partially paid
    *_yes("is_from_content"),  # its landing source is the store's community or blog
    *_label("channel", "country", "device", "payment_method", "customer_kind"),  # new, returning, unknown
    *_text("delivery_type", "main_category", "main_product", "discount_code"),  # main: the dearest line
    *_maybe_big("main_product_id"),
    *_yes("has_discount"),
    *_big(
        "gross_minor",
        "discount_minor",
        "refund_minor",  # behaviour: goods refunded of this order, whenever
        "net_minor",  # gross - discount - refund (behaviour)
        "shipping_minor",
        "tax_minor",
        "fees_minor",
        "total_minor",
        "units",
        "lines",
        "cost_minor",  # of the lines whose cost is known
        "costed_net_minor",  # gross - discount - refund of the lines whose cost is known
    ),
    *_maybe_big("paid_minor"),
    # The customer's purchase occasions: valid orders of one customer on one store day are one.
    *_maybe("occasion", "previous_day", "next_gap", "first_day", "cohort_month"),
    *_yes("is_first_of_day"),  # counts once per customer and day; true for unknown customers
    *_maybe("promised_day", "delivered_day"),
    *_maybe_yes("is_late"),
    *_maybe("rating"),
    *_yes("is_returned"),
)

# Grain: one refunded item, on the refund's day. Every refund has at least one.
fact_refund = Table(
    "fact_refund",
    mart_metadata,
    *_big("refund_item_id", "refund_id", "owner_key"),
    *_maybe_big("order_id", "customer_id", "product_id"),
    *_whole("day", "week", "month"),
    *_maybe("order_day"),
    *_yes("is_valid"),  # false when its order is left out
    *_text("why_left_out"),
    *_yes("is_date_estimated", "is_matched"),
    *_label("channel", "country", "device", "payment_method", "customer_kind", "category", "product"),
    # goods: of this item; the others are the refund's, carried by its first item only
    *_big("goods_minor", "shipping_minor", "tax_minor", "fees_minor", "total_minor", "quantity"),
)

# Grain: one order line that is goods.
fact_item = Table(
    "fact_item",
    mart_metadata,
    *_big("order_item_id", "order_id", "owner_key"),
    *_maybe_big("customer_id", "product_id"),
    *_label("product"),
    *_whole("day", "month"),
    *_yes("is_valid", "is_first_of_order"),
    *_label("channel", "country", "device", "payment_method", "customer_kind", "category"),
    *_maybe("occasion"),
    *_big("quantity", "gross_minor", "discount_minor", "refund_minor", "net_minor"),
    *_maybe_big("cost_minor"),
)

# Grain: one parcel.
fact_shipment = Table(
    "fact_shipment",
    mart_metadata,
    *_big("shipment_id", "order_id", "owner_key"),
    *_maybe_big("customer_id"),
    *_whole("day"),  # of the order
    *_yes("is_valid"),
    *_label("status", "carrier", "channel", "country"),
    *_maybe("shipped_day", "attempted_day", "delivered_day", "promised_day"),
    *_maybe_yes("is_late", "is_late_by_time"),  # by day; by delivered instant after the promised midnight
    Column("hours_to_ship", Double),
    Column("hours_in_transit", Double),
    Column("hours_to_deliver", Double),  # from the order to delivery
)

# Grain: one return.
fact_return = Table(
    "fact_return",
    mart_metadata,
    *_big("return_id", "order_id", "owner_key"),
    *_maybe_big("customer_id"),
    *_whole("day", "order_day"),
    *_yes("is_valid"),
    *_label("status", "resolution", "reason", "channel", "country"),
    *_big("units", "value_minor", "refund_minor", "exchange_minor", "credit_minor"),
    Column("hours_to_refund", Double),
)

# Grain: one review.
fact_review = Table(
    "fact_review",
    mart_metadata,
    *_big("review_id", "owner_key"),
    *_maybe_big("customer_id", "product_id", "order_id"),
    *_whole("day", "rating"),
    *_label("product", "category", "state", "language"),
    *_yes("is_survey", "is_verified"),
    Column("written_at", DateTime, nullable=False),
    Column("answered_at", DateTime),
    Column("hours_to_answer", Double),
    # By when a reply was promised.
    Column("due_at", DateTime, nullable=False),
)

# Grain: one ticket.
fact_ticket = Table(
    "fact_ticket",
    mart_metadata,
    *_big("ticket_id", "owner_key"),
    *_maybe_big("customer_id", "order_id"),
    *_whole("day", "hour"),
    *_label("hour_of_week", "channel", "status", "priority", "topic"),  # hour_of_week: 'Mon 09'
    *_label("assignee", "owner"),  # assignee: as the platform named somebody; owner: key of staff, or 'nobody'
    *_yes("is_started_by_us", "is_reopened"),
    *_maybe("satisfaction", "answered_day", "closed_day"),
    Column("opened_at", DateTime, nullable=False),
    Column("first_response_at", DateTime),
    Column("closed_at", DateTime),
    # By when a first answer was promised, on the channel's clock.
    Column("due_at", DateTime, nullable=False),
    Column("seconds_to_response", Double),
    Column("open_seconds_to_response", Double),  # of the store's open hours
    Column("seconds_to_close", Double),  # less the time that waited for the customer
)

# Grain: one cart.
fact_cart = Table(
    "fact_cart",
    mart_metadata,
    *_big("cart_id", "owner_key"),
    *_maybe_big("customer_id", "order_id"),
    *_whole("day"),
    *_label("channel", "device", "country"),
    *_yes("is_contactable", "is_contacted"),
    *_big("value_minor"),
    Column("last_event_at", DateTime, nullable=False),
    Column("contacted_at", DateTime),
    Column("ordered_at", DateTime),
)

# Grain: one survey sent to one customer, answered or not.
fact_survey = Table(
    "fact_survey",
    mart_metadata,
    *_big("survey_answer_id", "survey_id", "owner_key"),
    *_maybe_big("customer_id", "order_id"),
    *_whole("day"),  # of the sending
    *_maybe("answered_day", "score"),
    *_label("kind", "survey", "channel", "country"),  # kind: nps, csat, custom; channel, country: of the order
    Column("sent_at", DateTime, nullable=False),
    Column("answered_at", DateTime),
)

# Grain: one question about a product.
fact_question = Table(
    "fact_question",
    mart_metadata,
    *_big("question_id", "owner_key"),
    *_maybe_big("customer_id", "product_id"),
    *_whole("day"),
    *_label("product", "category"),
    Column("asked_at", DateTime, nullable=False),
    Column("answered_at", DateTime),
    Column("hours_to_answer", Double),
)

# Grain: one member of the loyalty programme.
fact_member = Table(
    "fact_member",
    mart_metadata,
    *_big("loyalty_member_id", "owner_key", "customer_id"),
    *_whole("day"),  # of joining
    *_label("tier"),  # as known at the last refresh
)

# Grain: one entry of points: issued, redeemed or expired.
fact_points = Table(
    "fact_points",
    mart_metadata,
    *_big("loyalty_entry_id", "loyalty_member_id", "owner_key", "customer_id"),
    *_maybe_big("order_id"),
    *_whole("day"),
    *_label("kind", "tier"),
    *_big("points", "value_minor"),
    *_big("balance_points", "balance_minor"),  # what it adds to what is outstanding: negative unless issued
)

# Grain: one customer assigned to one arm of an offer. Outcomes are of her valid orders from the instant of being
# assigned to the end of the store day ``day + window_days``, less what was refunded of them since (behaviour).
# The segments are as known at that instant: what she did afterwards is no segment.
fact_assignment = Table(
    "fact_assignment",
    mart_metadata,
    *_big("offer_assignment_id", "owner_key", "customer_id", "offer_id"),
    *_maybe_big("offer_version_id"),
    *_whole("day", "window_days"),
    *_yes("is_valid"),  # not a test customer
    *_yes("is_treated", "is_sent", "is_opened", "is_held_back"),
    *_yes("is_redeemed", "has_bought"),  # by the shop's word, or by an order with the offer's code
    *_label("purchases_before", "channel", "country", "device", "category"),  # of the last order before
    *_maybe("days_to_order"),  # to the first order in the window
    *_big("before_net_minor"),  # net sales of the 365 days before
    *_big("orders", "net_minor", "refund_minor", "cost_minor", "costed_net_minor"),
    *_big("redeemed_orders", "redeemed_net_minor", "redeemed_discount_minor"),  # of the orders that redeemed it
    *_big("later_orders"),  # in as many days again after the window
)

# Grain: one customer, with or without orders.
dim_customer = Table(
    "dim_customer",
    mart_metadata,
    *_big("customer_id"),
    *_maybe("first_day", "last_day", "cohort_month", "second_gap"),
    *_whole("occasions", "orders"),
    *_big("net_minor"),  # behaviour, valid orders
    # of the first purchase; 'unknown' where the source is silent, null without a purchase
    *_text("first_channel", "first_country", "first_category", "first_product", "first_discount", "first_delivery"),
    # of the last valid order; null where the source is silent
    *_text("last_channel", "last_country", "last_device", "last_payment_method", "last_delivery_type"),
    *_maybe_yes("last_is_late"),
    *_maybe("last_rating"),  # the last she gave, in a review or a survey of one
    # The latest promised day of her parcels that are late and still on their way.
    *_maybe("late_parcel_day"),
    *_yes(
        "has_open_ticket", "has_open_return", "is_member", "has_consent", "has_address"
    ),  # consent, address: of e-mail
    *_yes("is_erased"),
    *_text("language"),
)

# Grain: one product.
dim_product = Table(
    "dim_product",
    mart_metadata,
    *_big("product_id"),
    *_label("product", "category"),
    *_text("sku", "vendor"),
    *_maybe_big("price_minor", "cost_minor", "stock"),
    *_yes("is_goods", "is_active"),
)

# Grain: dimension, slice, day. dimension 'all' has the one slice 'all'; else one of DIMENSIONS.
# For 'category' the order counts are of orders with at least one such line, so slices overlap.
by_day = Table(
    "by_day",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("day"),
    *_big(
        "orders",
        "unpaid_orders",
        "unknown_orders",
        "new_orders",  # orders of a customer's first occasion
        "new_customers",  # known customers on the day of their first occasion, with its first order
        "returning_orders",
        "units",
        "gross_minor",
        "discount_minor",
        "refund_cash_minor",
        "refund_behaviour_minor",
        "shipping_minor",
        "shipping_refund_minor",  # cash
        "tax_minor",
        "tax_refund_minor",  # cash
        "fees_minor",
        "total_minor",
        "cost_minor",
        "costed_net_minor",
        "cancelled_orders",
        "voided_orders",
        "test_orders",
        "zero_orders",
        "unpaid_gross_minor",
        "unpaid_discount_minor",
        "unpaid_refund_minor",  # cash, of unpaid orders
        "left_out_gross_minor",  # of cancelled and voided orders
        "left_out_discount_minor",
        "left_out_refund_minor",  # cash
        "estimated_refund_minor",  # cash, on a day that was estimated
        "unmatched_refund_minor",  # cash, of no known order
    ),
)

# Grain: dimension, slice, day, the day of the same customer's purchase in that slice before (null: none).
# A period's distinct customers are those whose purchase before lies outside it.
customer_day = Table(
    "customer_day",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("day"),
    *_maybe("previous_day"),
    *_big(
        "customers",
        "returning_customers",  # of them on an occasion that is not their first
        "after_first",  # of them whose purchase before was their first occasion
    ),
)

# Grain: dimension (all or tier), slice, day. Outstanding are the balances of all days before.
points_day = Table(
    "points_day",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("day"),
    *_big(
        "issues",
        "redemptions",
        "expiries",
        "issued_points",
        "redeemed_points",
        "expired_points",
        "issued_minor",
        "redeemed_minor",
        "expired_minor",
    ),
)

# Grain: dimension (all, channel or country), slice, day of the order, day of arrival (null: none yet).
delivery_day = Table(
    "delivery_day",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("day"),
    *_maybe("arrived_day"),  # of the first attempt, else of the delivery
    *_big("parcels", "promised", "late"),  # valid; with a promised day; late of these
)

# Grain: dimension (all, channel or country), slice, day, product: its lines of valid orders.
product_day = Table(
    "product_day",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("day"),
    *_maybe_big("product_id"),
    *_label("product", "category"),
    *_big("orders", "units", "net_minor"),  # net_minor: behaviour
)

# Grain: dimension, slice, cohort month, month. The cohort's size is its row where month = cohort_month.
# dimension 'all' or one of FIRST_DIMENSIONS; money on the behaviour basis.
by_cohort = Table(
    "by_cohort",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("cohort_month", "month"),
    *_big("customers", "orders", "net_minor"),
)

# Grain: dimension, slice, first day, gap to the second occasion in days (null: none yet).
second_order = Table(
    "second_order",
    mart_metadata,
    *_label("dimension", "slice"),
    *_whole("first_day"),
    *_maybe("gap"),
    *_big("n"),
)

# Grain: x repeat occasions, first day, last day of purchase, as of the day of the refresh.
lifetime = Table(
    "lifetime",
    mart_metadata,
    *_whole("x", "first_day", "last_day"),
    *_big("n", "repeat_net_minor"),
)

# Grain: first product (or category), second product (or category) of the next occasion.
next_purchase = Table(
    "next_purchase",
    mart_metadata,
    *_label("dimension", "first", "second"),  # dimension: category or product
    *_big("n"),
)

# Grain: pair of products in one basket, a before b.
pairs = Table("pairs", mart_metadata, *_big("product_a", "product_b", "baskets"))

# Grain: product, days between delivery (else order) and the next purchase of it (null: none yet).
gaps = Table(
    "gaps",
    mart_metadata,
    *_big("product_id"),
    *_whole("from_day"),
    *_maybe("gap"),
    *_big("n", "quantity"),
)

# One row: what this snapshot is.
snapshot = Table(
    "snapshot",
    mart_metadata,
    *_big("version"),
    *_whole("schema_version"),
    *_label("store_name", "time_zone", "currency", "built_how"),  # full or incremental
    *_text("country"),
    *_yes("is_demo"),
    Column("refreshed_at", DateTime, nullable=False),  # UTC
    Column("watermark_at", DateTime, nullable=False),  # UTC: changes up to here are in
    Column("fresh_to_at", DateTime),  # UTC: the latest order
    *_maybe("first_day", "last_day"),
    *_big("orders", "customers", "full_bytes"),  # the file's size after its last full build
)

# Source rows changed shortly before the watermark and already in: the overlap must not read them twice.
seen = Table(
    "seen",
    mart_metadata,
    *_label("table_name"),
    *_big("row_id"),
    Column("changed_at", DateTime, nullable=False),
)

FACTS = (
    *(fact_order, fact_refund, fact_item, fact_shipment, fact_return, fact_review, fact_ticket, fact_cart),
    *(fact_survey, fact_question, fact_member, fact_points, fact_assignment),
)
SCHEMA_VERSION = 7
