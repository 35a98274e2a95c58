"""The grouped tables: each is a sum of contributions, one per owner.

A definition selects, from whatever facts the engine's search path names, its keys and additive integers.
The full build sums all owners; a refresh takes the touched owners' old contribution away and adds the new.
Rows whose every measure is zero are not kept.
"""

from dataclasses import dataclass

from sqlalchemy import Table

from lib.mart.schema import (
    DIMENSIONS,
    FIRST_DIMENSIONS,
    NARROW_DIMENSIONS,
    by_cohort,
    by_day,
    customer_day,
    delivery_day,
    gaps,
    lifetime,
    next_purchase,
    pairs,
    points_day,
    product_day,
    second_order,
)

# A basket of more different products than this says little about pairs, and costs the square of it.
LARGEST_BASKET = 30

_ORDER_MEASURES = """
    count(*) FILTER (is_valid) AS orders,
    count(*) FILTER (is_valid AND is_unpaid) AS unpaid_orders,
    count(*) FILTER (is_valid AND customer_id IS NULL) AS unknown_orders,
    count(*) FILTER (is_valid AND occasion = 1) AS new_orders,
    count(*) FILTER (is_valid AND occasion > 1) AS returning_orders,
    sum(units) FILTER (is_valid) AS units,
    sum(gross_minor) FILTER (is_valid) AS gross_minor,
    sum(discount_minor) FILTER (is_valid) AS discount_minor,
    sum(refund_minor) FILTER (is_valid) AS refund_behaviour_minor,
    sum(shipping_minor) FILTER (is_valid) AS shipping_minor,
    sum(tax_minor) FILTER (is_valid) AS tax_minor,
    sum(fees_minor) FILTER (is_valid) AS fees_minor,
    sum(total_minor) FILTER (is_valid) AS total_minor,
    sum(cost_minor) FILTER (is_valid) AS cost_minor,
    sum(costed_net_minor) FILTER (is_valid) AS costed_net_minor,
    count(*) FILTER (why_left_out = 'cancelled') AS cancelled_orders,
    count(*) FILTER (why_left_out = 'voided') AS voided_orders,
    count(*) FILTER (why_left_out = 'test') AS test_orders,
    count(*) FILTER (why_left_out = 'zero value') AS zero_orders,
    sum(gross_minor) FILTER (is_valid AND is_unpaid) AS unpaid_gross_minor,
    sum(discount_minor) FILTER (is_valid AND is_unpaid) AS unpaid_discount_minor,
    sum(gross_minor) FILTER (why_left_out IN ('cancelled', 'voided')) AS left_out_gross_minor,
    sum(discount_minor) FILTER (why_left_out IN ('cancelled', 'voided')) AS left_out_discount_minor
"""
# A customer is new in each category of the first occasion's lines, but in one channel or country: the first order's.
_NEW_BY_ORDER = "count(*) FILTER (is_valid AND customer_id IS NOT NULL AND occasion = 1 AND is_first_of_day)"
_NEW_BY_LINE = "count(DISTINCT customer_id) FILTER (is_valid AND occasion = 1)"
_REFUND_MEASURES = """
    sum(goods_minor) FILTER (is_valid) AS refund_cash_minor,
    sum(shipping_minor) FILTER (is_valid) AS shipping_refund_minor,
    sum(tax_minor) FILTER (is_valid) AS tax_refund_minor,
    sum(goods_minor) FILTER (why_left_out IN ('cancelled', 'voided')) AS left_out_refund_minor,
    sum(goods_minor) FILTER (is_valid AND is_unpaid) AS unpaid_refund_minor,
    sum(goods_minor) FILTER (is_valid AND is_date_estimated) AS estimated_refund_minor,
    sum(goods_minor) FILTER (is_valid AND NOT is_matched) AS unmatched_refund_minor
"""
_REFUNDS = "(SELECT r.*, o.is_unpaid FROM fact_refund r LEFT JOIN fact_order o USING (order_id))"
# Of an order's lines of one category, added up: shipping, tax, fees and totals belong to the whole order
# and are not shared out.
_LINES = """
    SELECT
        l.*, o.day, o.is_valid, o.why_left_out, o.is_unpaid, o.customer_id, o.occasion
    FROM (
        SELECT
            order_id, category, sum(quantity) AS units, sum(gross_minor) AS gross_minor,
            sum(discount_minor) AS discount_minor, sum(refund_minor) AS refund_minor, sum(cost_minor) AS cost_minor,
            sum(net_minor) FILTER (cost_minor IS NOT NULL) AS costed_net_minor,
            0 AS shipping_minor, 0 AS tax_minor, 0 AS fees_minor, 0 AS total_minor
        FROM fact_item GROUP BY order_id, category
    ) l JOIN fact_order o USING (order_id)
"""


@dataclass(frozen=True)
class Grouped:
    """A grouped table: its keys, its measures, and the selects whose rows add up to it.

    ``by_order``: what an order's rows add does not depend on those of others, so that a refresh may leave out
    the orders that are as they were. Else all of a customer's rows are added up together.
    """

    table: Table
    keys: tuple[str, ...]
    selects: tuple[str, ...]
    by_order: bool = False

    @property
    def measures(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.columns if column.name not in self.keys)

    def contributions(self) -> str:
        """One select of all contributions, summed by key, of the facts on the search path."""
        sums = ", ".join(f"CAST(coalesce(sum({m}), 0) AS BIGINT) AS {m}" for m in self.measures)
        some = " OR ".join(f"coalesce(sum({m}), 0) <> 0" for m in self.measures)
        parts = " UNION ALL BY NAME ".join(f"({select})" for select in self.selects)
        keys = ", ".join(self.keys)
        return f"SELECT {keys}, {sums} FROM ({parts}) GROUP BY {keys} HAVING {some}"  # noqa: S608 - names from this module


def _day_selects() -> tuple[str, ...]:
    selects = []
    for dimension in ("all", *(d for d in DIMENSIONS if d != "category")):
        part = "'all'" if dimension == "all" else dimension
        head = f"'{dimension}' AS dimension, {part} AS slice, day"
        orders = f"{_ORDER_MEASURES}, {_NEW_BY_ORDER} AS new_customers"
        selects.append(f"SELECT {head}, {orders} FROM fact_order GROUP BY ALL")  # noqa: S608 - names from this module
        selects.append(f"SELECT {head}, {_REFUND_MEASURES} FROM {_REFUNDS} GROUP BY ALL")  # noqa: S608 - names from this module
    head = "'category' AS dimension, category AS slice, day"
    lines = f"{_ORDER_MEASURES}, {_NEW_BY_LINE} AS new_customers"
    selects.append(f"SELECT {head}, {_REFUND_MEASURES} FROM {_REFUNDS} GROUP BY ALL")  # noqa: S608 - names from this module
    selects.append(f"SELECT {head}, {lines} FROM ({_LINES}) GROUP BY ALL")  # noqa: S608 - names from this module
    return tuple(selects)


def _customer_selects() -> tuple[str, ...]:
    counts = (
        "count(*) AS customers, count(*) FILTER (occasion > 1) AS returning_customers, "
        "count(*) FILTER (previous_occasion = 1) AS after_first"
    )
    # Without a slice the order itself knows the day before.
    selects = [
        f"SELECT 'all' AS dimension, 'all' AS slice, day, previous_day, {counts} "  # noqa: S608 - names from this module
        "FROM (SELECT day, previous_day, occasion, occasion - 1 AS previous_occasion FROM fact_order "
        "WHERE is_valid AND customer_id IS NOT NULL AND is_first_of_day) GROUP BY ALL"
    ]
    for dimension in DIMENSIONS:
        fact = "fact_item" if dimension == "category" else "fact_order"
        days = (
            f"SELECT DISTINCT customer_id, {dimension} AS slice, day, occasion FROM {fact} "  # noqa: S608 - names from this module
            "WHERE is_valid AND customer_id IS NOT NULL"
        )
        before = (
            f"SELECT slice, day, occasion, lag(day) OVER earlier AS previous_day, "  # noqa: S608 - names from this module
            f"lag(occasion) OVER earlier AS previous_occasion FROM ({days}) "
            "WINDOW earlier AS (PARTITION BY customer_id, slice ORDER BY day)"
        )
        selects.append(
            f"SELECT '{dimension}' AS dimension, slice, day, previous_day, {counts} FROM ({before}) GROUP BY ALL"  # noqa: S608 - names from this module
        )
    return tuple(selects)


# The dimensions of the tables that only a page's own filters are asked of.
_NARROW = (("all", "'all'"), *((dimension, dimension) for dimension in NARROW_DIMENSIONS))
_DELIVERY_SELECTS = tuple(
    f"SELECT '{dimension}' AS dimension, {part} AS slice, day, coalesce(attempted_day, delivered_day) AS arrived_day, "  # noqa: S608 - names from this module
    "count(*) AS parcels, count(promised_day) AS promised, count(*) FILTER (is_late) AS late "
    "FROM fact_shipment WHERE is_valid GROUP BY ALL"
    for dimension, part in _NARROW
)

_PRODUCT_SELECTS = tuple(
    f"SELECT '{dimension}' AS dimension, {part} AS slice, day, product_id, product, category, "  # noqa: S608 - names from this module
    "count(*) AS orders, sum(units) AS units, sum(net_minor) AS net_minor FROM ("
    "SELECT day, channel, country, order_id, product_id, product, category, sum(quantity) AS units, "
    "sum(net_minor) AS net_minor FROM fact_item WHERE is_valid GROUP BY ALL) GROUP BY ALL"
    for dimension, part in _NARROW
)


_POINTS_SELECTS = tuple(
    f"SELECT '{dimension}' AS dimension, {part} AS slice, day, "  # noqa: S608 - names from this module
    + ", ".join(
        f"count(*) FILTER (kind = '{kind}') AS {times}, sum(points) FILTER (kind = '{kind}') AS {kind}_points, "
        f"sum(value_minor) FILTER (kind = '{kind}') AS {kind}_minor"
        for kind, times in (("issued", "issues"), ("redeemed", "redemptions"), ("expired", "expiries"))
    )
    + " FROM fact_points GROUP BY ALL"
    for dimension, part in (("all", "'all'"), ("tier", "tier"))
)


def _cohort_select() -> str:
    slices = ", ".join(f"c.first_{dimension} AS first_{dimension}" for dimension in FIRST_DIMENSIONS)
    monthly = (
        f"SELECT c.cohort_month, {slices}, m.* FROM ("  # noqa: S608 - names from this module
        "SELECT customer_id, month, count(*) AS orders, sum(net_minor) AS net_minor FROM fact_order "
        "WHERE is_valid AND customer_id IS NOT NULL GROUP BY customer_id, month"
        ") m JOIN dim_customer c USING (customer_id)"
    )
    selects = " UNION ALL ".join(
        f"SELECT '{dimension}' AS dimension, {part} AS slice, c.cohort_month, c.month, count(*) AS customers, "  # noqa: S608 - names from this module
        f"sum(c.orders) AS orders, sum(c.net_minor) AS net_minor FROM monthly c GROUP BY ALL"
        for dimension, part in _first_slices()
    )
    return f"WITH monthly AS MATERIALIZED ({monthly}) {selects}"


def _first_slices() -> list[tuple[str, str]]:
    return [("all", "'all'"), *((dimension, f"c.first_{dimension}") for dimension in FIRST_DIMENSIONS)]


_SECOND_SELECTS = tuple(
    f"SELECT '{dimension}' AS dimension, {part} AS slice, c.first_day, c.second_gap AS gap, count(*) AS n "  # noqa: S608 - names from this module
    f"FROM dim_customer c WHERE c.first_day IS NOT NULL GROUP BY ALL"
    for dimension, part in _first_slices()
)

_LIFETIME = """
SELECT c.occasions - 1 AS x, c.first_day, c.last_day, count(*) AS n, sum(coalesce(r.net_minor, 0)) AS repeat_net_minor
FROM dim_customer c
LEFT JOIN (
    SELECT customer_id, sum(net_minor) AS net_minor FROM fact_order
    WHERE is_valid AND occasion > 1 GROUP BY customer_id
) r USING (customer_id)
WHERE c.first_day IS NOT NULL GROUP BY ALL
"""

_NEXT = tuple(
    f"SELECT '{dimension}' AS dimension, c.first_{dimension} AS first, "  # noqa: S608 - names from this module
    f"coalesce(o.main_{dimension}, '{other}') AS second, "
    "count(*) AS n FROM dim_customer c JOIN fact_order o USING (customer_id) "
    "WHERE o.is_valid AND o.occasion = 2 AND o.is_first_of_day GROUP BY ALL"
    for dimension, other in (("category", "uncategorised"), ("product", "unknown"))
)

_PAIRS = f"""
WITH basket AS (
    SELECT DISTINCT order_id, product_id FROM fact_item WHERE is_valid AND product_id IS NOT NULL
),
fit AS (SELECT order_id FROM basket GROUP BY order_id HAVING count(*) BETWEEN 2 AND {LARGEST_BASKET})
SELECT a.product_id AS product_a, b.product_id AS product_b, count(*) AS baskets
FROM basket a JOIN fit USING (order_id) JOIN basket b ON b.order_id = a.order_id AND b.product_id > a.product_id
GROUP BY ALL
"""  # noqa: S608 - the limit is a constant of this module

_GAPS = """
SELECT product_id, from_day, greatest(next_day - from_day, 0) AS gap, count(*) AS n, sum(quantity) AS quantity
FROM (
    SELECT
        customer_id, product_id, day, from_day, quantity,
        lead(day) OVER (PARTITION BY customer_id, product_id ORDER BY day) AS next_day
    FROM (
        SELECT
            i.customer_id, i.product_id, i.day, min(coalesce(o.delivered_day, o.day)) AS from_day,
            sum(i.quantity) AS quantity
        FROM fact_item i JOIN fact_order o USING (order_id)
        WHERE i.is_valid AND i.customer_id IS NOT NULL AND i.product_id IS NOT NULL
        GROUP BY i.customer_id, i.product_id, i.day
    )
)
GROUP BY ALL
"""

GROUPED = (
    Grouped(by_day, ("dimension", "slice", "day"), _day_selects(), by_order=True),
    Grouped(customer_day, ("dimension", "slice", "day", "previous_day"), _customer_selects()),
    Grouped(delivery_day, ("dimension", "slice", "day", "arrived_day"), _DELIVERY_SELECTS, by_order=True),
    Grouped(
        product_day, ("dimension", "slice", "day", "product_id", "product", "category"), _PRODUCT_SELECTS, by_order=True
    ),
    Grouped(points_day, ("dimension", "slice", "day"), _POINTS_SELECTS),
    Grouped(by_cohort, ("dimension", "slice", "cohort_month", "month"), (_cohort_select(),)),
    Grouped(second_order, ("dimension", "slice", "first_day", "gap"), _SECOND_SELECTS),
    Grouped(lifetime, ("x", "first_day", "last_day"), (_LIFETIME,)),
    Grouped(next_purchase, ("dimension", "first", "second"), _NEXT),
    Grouped(pairs, ("product_a", "product_b"), (_PAIRS,), by_order=True),
    Grouped(gaps, ("product_id", "from_day", "gap"), (_GAPS,)),
)
