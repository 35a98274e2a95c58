"""The facts, from staged rows: one definition for the full build and for the refresh of some owners.

The statements name the mart's tables without a database; the engine's search path says which are meant.
``day_today`` is a variable of the engine's session: the store's day of the refresh. What grows with the
orders is written in the order of days, so that a question about some days reads only where those lie.
"""

# Negative keys of rows that belong to nobody known: unique over all kinds.
LOOSE_KINDS = {"orders": 1, "refunds": 2, "reviews": 3, "tickets": 4, "carts": 5, "survey_answers": 6, "questions": 7}


def loose_key(kind: str, key: str) -> str:
    """The expression for the owner key of an unknown customer's row."""
    return f"-({key} * 8 + {LOOSE_KINDS[kind]})"


ORDER_BASE = """
CREATE OR REPLACE TABLE stage.main.order_base AS
SELECT *, CASE WHEN why_left_out IS NULL THEN customer_id END AS buyer_id
FROM (
    SELECT
        o.* REPLACE (
            coalesce(o.channel, 'unknown') AS channel, coalesce(o.country, 'unknown') AS country,
            coalesce(o.device, 'unknown') AS device, coalesce(o.payment_method, 'unknown') AS payment_method
        ),
        coalesce(o.customer_id, -(o.order_id * 8 + 1)) AS owner_key,
        CASE
            WHEN o.cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN o.payment_status = 'voided' THEN 'voided'
            WHEN o.is_test OR coalesce(c.is_test, false) THEN 'test'
            WHEN o.gross_minor - o.discount_minor <= 0 THEN 'zero value'
        END AS why_left_out,
        store_day(o.placed_at) AS day,
        CAST(hour(store_time(o.placed_at)) AS INTEGER) AS hour
    FROM stage.main.orders o LEFT JOIN stage.main.customers c USING (customer_id)
)
"""

# ``buyer_id`` is the known customer of a valid order: conditions on one side of an outer join are slow.
# Valid orders of one customer on one store day are one purchase occasion.
OCCASION = """
CREATE OR REPLACE TABLE stage.main.occasion AS
SELECT
    customer_id, day,
    CAST(row_number() OVER customer AS INTEGER) AS occasion,
    lag(day) OVER customer AS previous_day,
    lead(day) OVER customer - day AS next_gap,
    first_value(day) OVER customer AS first_day
FROM (
    SELECT DISTINCT buyer_id AS customer_id, day FROM stage.main.order_base WHERE buyer_id IS NOT NULL
)
WINDOW customer AS (PARTITION BY customer_id ORDER BY day)
"""

# Each order with its place in the customer's history.
ORDER_PLACED = """
CREATE OR REPLACE TABLE stage.main.order_placed AS
SELECT
    o.*,
    CASE
        WHEN o.customer_id IS NULL THEN 'unknown'
        WHEN o.day > f.first_day THEN 'returning'
        ELSE 'new'
    END AS customer_kind,
    n.occasion, n.previous_day, n.next_gap, n.first_day
FROM stage.main.order_base o
LEFT JOIN (SELECT customer_id, first_day FROM stage.main.occasion WHERE occasion = 1) f
    ON f.customer_id = o.customer_id
LEFT JOIN stage.main.occasion n ON n.customer_id = o.buyer_id AND n.day = o.day
"""

# One row per refunded item, and one (with a negative key) for what a refund holds beyond its items.
REFUND_LINE = """
CREATE OR REPLACE TABLE stage.main.refund_line AS
WITH line AS (
    SELECT
        i.refund_item_id, i.refund_id, coalesce(i.order_id, r.order_id) AS order_id, i.order_item_id, i.product_id,
        i.quantity, i.goods_minor
    FROM stage.main.refund_items i JOIN stage.main.refunds r USING (refund_id)
    UNION ALL
    SELECT -r.refund_id, r.refund_id, r.order_id, NULL, NULL, 0, r.goods_minor - coalesce(s.goods, 0)
    FROM stage.main.refunds r
    LEFT JOIN (
        SELECT refund_id, sum(goods_minor) AS goods FROM stage.main.refund_items GROUP BY refund_id
    ) s USING (refund_id)
    WHERE s.refund_id IS NULL OR s.goods <> r.goods_minor
)
SELECT
    l.*,
    row_number() OVER (PARTITION BY l.refund_id ORDER BY l.refund_item_id) = 1 AS is_first,
    coalesce(o.owner_key, r.customer_id, -(l.refund_id * 8 + 2)) AS owner_key,
    r.refunded_at, r.is_date_estimated, r.shipping_minor, r.tax_minor, r.fees_minor, r.total_minor,
    coalesce(o.customer_id, r.customer_id) AS customer_id
FROM line l
JOIN stage.main.refunds r USING (refund_id)
LEFT JOIN stage.main.order_base o ON o.order_id = l.order_id
"""

# What is refunded of each line, to the cent: the named line, else the line of the same product; the rest
# is spread over the order's lines by their value.
ITEM_REFUND = """
CREATE OR REPLACE TABLE stage.main.item_refund AS
WITH
goods AS (
    SELECT order_item_id, order_id, product_id, gross_minor - discount_minor AS value
    FROM stage.main.order_items WHERE kind = 'goods'
),
by_product AS (
    SELECT order_id, product_id, min(order_item_id) AS order_item_id
    FROM goods WHERE product_id IS NOT NULL GROUP BY ALL
),
placed AS (
    SELECT l.order_id, coalesce(g.order_item_id, p.order_item_id) AS order_item_id, l.goods_minor
    FROM stage.main.refund_line l
    LEFT JOIN goods g ON g.order_item_id = l.order_item_id AND g.order_id = l.order_id
    LEFT JOIN by_product p ON p.order_id = l.order_id AND p.product_id = l.product_id
    WHERE l.order_id IS NOT NULL AND l.goods_minor <> 0
),
loose AS (
    SELECT order_id, sum(goods_minor) AS amount FROM placed WHERE order_item_id IS NULL GROUP BY order_id
),
running AS (
    SELECT
        g.order_id, g.order_item_id, l.amount, g.value,
        sum(g.value) OVER (PARTITION BY g.order_id ORDER BY g.order_item_id) AS upto,
        sum(g.value) OVER (PARTITION BY g.order_id) AS whole,
        row_number() OVER (PARTITION BY g.order_id ORDER BY g.order_item_id) AS place
    FROM goods g JOIN loose l USING (order_id)
),
spread AS (
    SELECT
        order_item_id,
        CASE
            WHEN whole > 0 THEN
                (CAST(amount AS HUGEINT) * upto) // whole - (CAST(amount AS HUGEINT) * (upto - value)) // whole
            WHEN place = 1 THEN amount
            ELSE 0
        END AS goods_minor
    FROM running
)
SELECT order_item_id, CAST(sum(goods_minor) AS BIGINT) AS refund_minor
FROM (
    SELECT order_item_id, goods_minor FROM placed WHERE order_item_id IS NOT NULL
    UNION ALL SELECT order_item_id, goods_minor FROM spread
)
GROUP BY order_item_id
"""

# One row per parcel, days in the store's zone. A promised day that has passed without an arrival is late;
# one that has not passed yet is undecided (null).
PARCEL = """
CREATE OR REPLACE TABLE stage.main.parcel AS
SELECT
    *,
    CASE
        WHEN promised IS NULL THEN NULL
        WHEN arrived_day IS NOT NULL THEN arrived_day > promised
        WHEN promised < getvariable('day_today') THEN true
    END AS is_late
FROM (
    SELECT
        s.*, day_of(promised_day) AS promised,
        store_day(shipped_at) AS shipped_day,
        store_day(first_attempted_at) AS attempted_day,
        store_day(delivered_at) AS delivered_day,
        store_day(coalesce(first_attempted_at, delivered_at)) AS arrived_day
    FROM stage.main.shipments s
)
"""

# The lines of goods of each order, added up; the main one is the dearest, the first of equals.
ORDER_LINES = """
CREATE OR REPLACE TABLE stage.main.order_lines AS
WITH
line AS (
    SELECT i.order_item_id, i.order_id, i.quantity, i.cost_minor, i.gross_minor - i.discount_minor AS value,
        coalesce(r.refund_minor, 0) AS refund_minor
    FROM stage.main.order_items i LEFT JOIN stage.main.item_refund r USING (order_item_id)
    WHERE i.kind = 'goods'
),
whole AS (
    SELECT
        order_id, count(*) AS lines, sum(quantity) AS units, min(order_item_id) AS first_item,
        max(value) AS dearest, sum(cost_minor) AS cost_minor,
        sum(value - refund_minor) FILTER (cost_minor IS NOT NULL) AS costed_net_minor
    FROM line GROUP BY order_id
)
SELECT w.*, m.main_item
FROM whole w
JOIN (
    SELECT l.order_id, min(l.order_item_id) AS main_item
    FROM line l JOIN whole w ON w.order_id = l.order_id AND w.dearest = l.value GROUP BY l.order_id
) m ON m.order_id = w.order_id
"""

FACT_ITEM = """
INSERT INTO fact_item BY NAME
SELECT
    i.order_item_id, i.order_id, o.owner_key, o.customer_id, i.product_id,
    coalesce(p.product, i.name) AS product,
    o.day, month_of(o.day) AS month,
    o.why_left_out IS NULL AS is_valid,
    i.order_item_id = l.first_item AS is_first_of_order,
    o.channel, o.country, o.device, o.payment_method, o.customer_kind,
    coalesce(p.category, 'uncategorised') AS category,
    o.occasion,
    i.quantity, i.gross_minor, i.discount_minor,
    coalesce(r.refund_minor, 0) AS refund_minor,
    i.gross_minor - i.discount_minor - coalesce(r.refund_minor, 0) AS net_minor,
    i.cost_minor
FROM stage.main.order_items i
JOIN stage.main.order_placed o USING (order_id)
JOIN stage.main.order_lines l ON l.order_id = i.order_id
LEFT JOIN dim_product p ON p.product_id = i.product_id
LEFT JOIN stage.main.item_refund r ON r.order_item_id = i.order_item_id
WHERE i.kind = 'goods'
ORDER BY o.day
"""

FACT_ORDER = """
INSERT INTO fact_order BY NAME
WITH
item AS (
    SELECT
        l.order_id, l.lines, l.units, l.cost_minor, l.costed_net_minor, i.product_id,
        coalesce(p.product, i.name) AS product, coalesce(p.category, 'uncategorised') AS category
    FROM stage.main.order_lines l
    JOIN stage.main.order_items i ON i.order_item_id = l.main_item
    LEFT JOIN dim_product p ON p.product_id = i.product_id
),
refunded AS (
    SELECT order_id, sum(goods_minor) AS refund_minor FROM stage.main.refund_line
    WHERE order_id IS NOT NULL GROUP BY order_id
),
parcel AS (
    -- The least of promise, arrival and key, packed into one number: comparing structures is slow.
    SELECT p.* FROM stage.main.parcel p
    JOIN (
        SELECT min(
            (CAST(coalesce(promised, 1000000) AS HUGEINT) * 2000000 + coalesce(arrived_day, 1000000))
            * 10000000000000000 + shipment_id
        ) % 10000000000000000 AS shipment_id
        FROM stage.main.parcel GROUP BY order_id
    ) least ON least.shipment_id = p.shipment_id
),
rated AS (
    SELECT order_id, CAST(min(rating) AS INTEGER) AS rating FROM stage.main.reviews
    WHERE order_id IS NOT NULL AND state <> 'spam' GROUP BY order_id
),
returned AS (SELECT DISTINCT order_id FROM stage.main.returns WHERE status <> 'rejected'),
code AS (
    SELECT order_id, arg_min(code, (kind <> 'code', discount_used_id)) AS discount_code
    FROM stage.main.discounts_used GROUP BY order_id
),
opening AS (
    SELECT CAST(
        min(CAST(epoch_us(placed_at) AS HUGEINT) * 10000000000000000 + order_id) % 10000000000000000 AS BIGINT
    ) AS order_id FROM stage.main.order_base
    WHERE buyer_id IS NOT NULL GROUP BY buyer_id, day
)
SELECT
    o.order_id, o.owner_key, o.customer_id, o.number, o.placed_at,
    o.day, week_of(o.day) AS week, month_of(o.day) AS month, o.hour,
    o.why_left_out IS NULL AS is_valid, o.why_left_out,
    o.payment_status IN ('pending', 'authorized', 'partially_paid') AS is_unpaid,
    coalesce(lower(o.landing_source) IN ('community', 'blog'), false) AS is_from_content,
    o.channel, o.country, o.device, o.payment_method, o.customer_kind,
    o.delivery_type, i.category AS main_category, i.product AS main_product, c.discount_code,
    i.product_id AS main_product_id,
    o.discount_minor > 0 AS has_discount,
    o.gross_minor, o.discount_minor,
    coalesce(r.refund_minor, 0) AS refund_minor,
    o.gross_minor - o.discount_minor - coalesce(r.refund_minor, 0) AS net_minor,
    o.shipping_minor, o.tax_minor, o.fees_minor, o.total_minor,
    coalesce(i.units, 0) AS units, coalesce(i.lines, 0) AS lines,
    coalesce(i.cost_minor, 0) AS cost_minor, coalesce(i.costed_net_minor, 0) AS costed_net_minor,
    o.paid_minor,
    o.occasion, o.previous_day, o.next_gap, o.first_day, month_of(o.first_day) AS cohort_month,
    o.why_left_out IS NULL AND (o.customer_id IS NULL OR g.order_id IS NOT NULL) AS is_first_of_day,
    s.promised AS promised_day, s.arrived_day AS delivered_day, s.is_late,
    v.rating,
    b.order_id IS NOT NULL AS is_returned
FROM stage.main.order_placed o
LEFT JOIN item i USING (order_id)
LEFT JOIN refunded r ON r.order_id = o.order_id
LEFT JOIN parcel s ON s.order_id = o.order_id
LEFT JOIN rated v ON v.order_id = o.order_id
LEFT JOIN returned b ON b.order_id = o.order_id
LEFT JOIN code c ON c.order_id = o.order_id
LEFT JOIN opening g ON g.order_id = o.order_id
ORDER BY o.day
"""

FACT_REFUND = """
INSERT INTO fact_refund BY NAME
SELECT
    l.refund_item_id, l.refund_id, l.owner_key, l.order_id, l.customer_id,
    coalesce(l.product_id, i.product_id) AS product_id,
    store_day(l.refunded_at) AS day, week_of(store_day(l.refunded_at)) AS week,
    month_of(store_day(l.refunded_at)) AS month,
    o.day AS order_day,
    coalesce(o.is_valid, NOT coalesce(c.is_test, false)) AS is_valid,
    coalesce(o.why_left_out, CASE WHEN o.order_id IS NULL AND c.is_test THEN 'test' END) AS why_left_out,
    l.is_date_estimated, l.order_id IS NOT NULL AS is_matched,
    coalesce(o.channel, 'unknown') AS channel, coalesce(o.country, 'unknown') AS country,
    coalesce(o.device, 'unknown') AS device, coalesce(o.payment_method, 'unknown') AS payment_method,
    coalesce(o.customer_kind, 'unknown') AS customer_kind,
    coalesce(p.category, o.main_category, 'uncategorised') AS category,
    coalesce(p.product, i.product, o.main_product, 'unknown') AS product,
    l.goods_minor,
    CASE WHEN l.is_first THEN l.shipping_minor ELSE 0 END AS shipping_minor,
    CASE WHEN l.is_first THEN l.tax_minor ELSE 0 END AS tax_minor,
    CASE WHEN l.is_first THEN l.fees_minor ELSE 0 END AS fees_minor,
    CASE WHEN l.is_first THEN l.total_minor ELSE 0 END AS total_minor,
    l.quantity
FROM stage.main.refund_line l
LEFT JOIN fact_order o ON o.order_id = l.order_id
-- A line of another order is not this refund's, however its source names it.
LEFT JOIN fact_item i ON i.order_item_id = l.order_item_id AND i.order_id = l.order_id
LEFT JOIN dim_product p ON p.product_id = coalesce(l.product_id, i.product_id)
LEFT JOIN stage.main.customers c ON c.customer_id = l.customer_id
ORDER BY day
"""

FACT_SHIPMENT = """
INSERT INTO fact_shipment BY NAME
SELECT
    s.shipment_id, s.order_id, o.owner_key, o.customer_id, o.day, o.is_valid, s.status,
    coalesce(s.carrier, 'unknown') AS carrier, o.channel, o.country,
    s.shipped_day, s.attempted_day, s.delivered_day, s.promised AS promised_day,
    s.is_late, store_time(s.delivered_at) > CAST(s.promised_day AS TIMESTAMP) AS is_late_by_time,
    hours_between(o.placed_at, s.shipped_at) AS hours_to_ship,
    hours_between(s.shipped_at, s.delivered_at) AS hours_in_transit,
    hours_between(o.placed_at, s.delivered_at) AS hours_to_deliver
FROM stage.main.parcel s JOIN fact_order o USING (order_id)
ORDER BY o.day
"""

FACT_RETURN = """
INSERT INTO fact_return BY NAME
SELECT
    r.return_id, r.order_id, o.owner_key, coalesce(r.customer_id, o.customer_id) AS customer_id,
    store_day(r.requested_at) AS day, o.day AS order_day, o.is_valid, r.status,
    coalesce(r.resolution, 'unknown') AS resolution, coalesce(r.reason, 'unknown') AS reason, o.channel, o.country,
    coalesce(i.units, 0) AS units,
    coalesce(i.value_minor, r.refund_minor + r.exchange_minor + r.credit_minor) AS value_minor,
    r.refund_minor, r.exchange_minor, r.credit_minor,
    hours_between(r.requested_at, r.refunded_at) AS hours_to_refund
FROM stage.main.returns r
JOIN fact_order o USING (order_id)
LEFT JOIN (
    SELECT return_id, sum(quantity) AS units, sum(value_minor) AS value_minor
    FROM stage.main.return_items GROUP BY return_id
) i ON i.return_id = r.return_id
"""

FACT_REVIEW = """
INSERT INTO fact_review BY NAME
SELECT
    r.review_id, coalesce(o.owner_key, r.customer_id, -(r.review_id * 8 + 3)) AS owner_key,
    coalesce(r.customer_id, o.customer_id) AS customer_id, r.product_id, r.order_id,
    store_day(r.written_at) AS day, r.rating,
    coalesce(p.product, 'unknown') AS product, coalesce(p.category, 'uncategorised') AS category, r.state,
    coalesce(r.language, 'unknown') AS language, r.is_survey, r.is_verified, r.written_at, r.answered_at,
    hours_between(r.written_at, r.answered_at) AS hours_to_answer,
    -- The store's own target, else that of the definitions: 24 hours when negative, 48 otherwise.
    r.written_at + to_minutes(coalesce(t.minutes, CASE WHEN r.rating <= 2 THEN 1440 ELSE 2880 END)) AS due_at
FROM stage.main.reviews r
LEFT JOIN stage.main.order_base o USING (order_id)
LEFT JOIN dim_product p ON p.product_id = r.product_id
LEFT JOIN stage.main.targets t ON t.work = CASE WHEN r.rating <= 2 THEN 'negative_review' ELSE 'review' END
"""

# ``opened_open``, ``answered_open``: the open time up to then, in microseconds; without any open hours null.
FACT_TICKET = """
INSERT INTO fact_ticket BY NAME
WITH clocked AS (
    SELECT
        t.*, o.owner_key AS order_owner, o.customer_id AS order_customer, p.minutes, p.is_business,
        store_day(t.opened_at) AS day, CAST(hour(store_time(t.opened_at)) AS INTEGER) AS hour,
        CASE WHEN (SELECT count(*) FROM stage.main.open_span) > 0 THEN
            coalesce(a.before + epoch_us(least(t.opened_at, a.ends_at)) - epoch_us(a.starts_at), 0)
        END AS opened_open,
        CASE WHEN t.first_response_at IS NOT NULL AND (SELECT count(*) FROM stage.main.open_span) > 0 THEN
            coalesce(b.before + epoch_us(least(t.first_response_at, b.ends_at)) - epoch_us(b.starts_at), 0)
        END AS answered_open
    FROM stage.main.tickets t
    JOIN stage.main.promise p ON p.work = t.channel
    LEFT JOIN stage.main.order_base o USING (order_id)
    ASOF LEFT JOIN stage.main.open_span a ON t.opened_at >= a.starts_at
    ASOF LEFT JOIN stage.main.open_span b ON t.first_response_at >= b.starts_at
)
SELECT
    t.ticket_id, coalesce(t.order_owner, t.customer_id, -(t.ticket_id * 8 + 4)) AS owner_key,
    coalesce(t.customer_id, t.order_customer) AS customer_id, t.order_id, t.day, t.hour,
    list_extract(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], (t.day + 3) % 7 + 1) || ' '
        || lpad(CAST(t.hour AS VARCHAR), 2, '0') AS hour_of_week,
    t.channel, CASE WHEN t.merged_into_id IS NULL THEN t.status ELSE 'merged' END AS status, t.priority,
    coalesce(t.topic, 'unknown') AS topic, coalesce(t.assignee, 'unknown') AS assignee,
    coalesce(CAST(t.owner_id AS VARCHAR), 'nobody') AS owner,
    t.is_started_by_us, t.reopened_count > 0 AS is_reopened, t.satisfaction,
    t.opened_at, t.first_response_at, t.closed_at,
    store_day(t.first_response_at) AS answered_day, store_day(t.closed_at) AS closed_day,
    CASE
        WHEN t.is_business THEN d.starts_at + to_microseconds(t.opened_open + t.minutes * 60000000 - d.before)
        ELSE t.opened_at + to_minutes(t.minutes)
    END AS due_at,
    hours_between(t.opened_at, t.first_response_at) * 3600 AS seconds_to_response,
    -- CASE, since the greatest of 0 and null would be 0 here.
    CASE WHEN t.answered_open IS NOT NULL THEN greatest(0, t.answered_open - t.opened_open) / 1000000.0
    END AS open_seconds_to_response,
    CASE WHEN t.closed_at IS NOT NULL
        THEN greatest(0, hours_between(t.opened_at, t.closed_at) * 3600 - t.paused_seconds)
    END AS seconds_to_close
FROM clocked t ASOF LEFT JOIN stage.main.open_span d ON t.opened_open + t.minutes * 60000000 > d.before
ORDER BY t.day
"""

FACT_CART = """
INSERT INTO fact_cart BY NAME
SELECT
    c.cart_id, coalesce(o.owner_key, c.customer_id, -(c.cart_id * 8 + 5)) AS owner_key,
    coalesce(c.customer_id, o.customer_id) AS customer_id, c.order_id,
    store_day(c.created_at) AS day,
    coalesce(c.channel, 'unknown') AS channel, coalesce(c.device, 'unknown') AS device,
    coalesce(c.country, 'unknown') AS country,
    c.is_contactable, c.contacted_at IS NOT NULL AS is_contacted, c.value_minor,
    c.last_event_at, c.contacted_at, c.ordered_at
FROM stage.main.carts c LEFT JOIN stage.main.order_base o USING (order_id)
"""

FACT_SURVEY = """
INSERT INTO fact_survey BY NAME
SELECT
    a.survey_answer_id, a.survey_id, coalesce(o.owner_key, a.customer_id, -(a.survey_answer_id * 8 + 6)) AS owner_key,
    coalesce(a.customer_id, o.customer_id) AS customer_id, a.order_id,
    store_day(a.sent_at) AS day, store_day(a.answered_at) AS answered_day, CAST(a.score AS INTEGER) AS score,
    s.kind, s.name AS survey, coalesce(o.channel, 'unknown') AS channel, coalesce(o.country, 'unknown') AS country,
    a.sent_at, a.answered_at
FROM stage.main.survey_answers a
JOIN stage.main.surveys s USING (survey_id)
LEFT JOIN stage.main.order_base o ON o.order_id = a.order_id
ORDER BY day
"""

FACT_QUESTION = """
INSERT INTO fact_question BY NAME
SELECT
    q.question_id, coalesce(q.customer_id, -(q.question_id * 8 + 7)) AS owner_key, q.customer_id, q.product_id,
    store_day(q.asked_at) AS day,
    coalesce(p.product, 'unknown') AS product, coalesce(p.category, 'uncategorised') AS category,
    q.asked_at, q.answered_at, hours_between(q.asked_at, q.answered_at) AS hours_to_answer
FROM stage.main.questions q LEFT JOIN dim_product p USING (product_id)
ORDER BY day
"""

FACT_MEMBER = """
INSERT INTO fact_member BY NAME
SELECT
    loyalty_member_id, customer_id AS owner_key, customer_id, store_day(joined_at) AS day,
    coalesce(tier, 'unknown') AS tier
FROM stage.main.loyalty_members
ORDER BY day
"""

FACT_POINTS = """
INSERT INTO fact_points BY NAME
SELECT
    e.loyalty_entry_id, e.loyalty_member_id, m.customer_id AS owner_key, m.customer_id, e.order_id,
    store_day(e.occurred_at) AS day, e.kind, coalesce(m.tier, 'unknown') AS tier, e.points, e.value_minor,
    CASE WHEN e.kind = 'issued' THEN e.points ELSE -e.points END AS balance_points,
    CASE WHEN e.kind = 'issued' THEN e.value_minor ELSE -e.value_minor END AS balance_minor
FROM stage.main.loyalty_entries e JOIN stage.main.loyalty_members m USING (loyalty_member_id)
ORDER BY day
"""

FACT_ASSIGNMENT = """
INSERT INTO fact_assignment BY NAME
WITH
assigned AS (
    SELECT
        a.*, store_day(a.assigned_at) AS day, o.window_days,
        -- The code that is hers alone, else the one for all.
        upper(coalesce(a.code, nullif(json_extract_string(v.settings, '$.code.shared'), ''))) AS own_code
    FROM stage.main.offer_assignments a
    JOIN stage.main.offers o USING (offer_id)
    LEFT JOIN stage.main.offer_versions v ON v.offer_version_id = a.offer_version_id
),
used AS (SELECT DISTINCT order_id, upper(code) AS code FROM stage.main.discounts_used WHERE code IS NOT NULL),
ordered AS (
    SELECT
        a.offer_assignment_id, a.day AS from_day,
        o.day, o.order_id, o.placed_at, o.occasion, o.net_minor, o.refund_minor, o.discount_minor, o.cost_minor,
        o.costed_net_minor, o.channel, o.country, o.device, coalesce(o.main_category, 'uncategorised') AS category,
        o.placed_at < a.assigned_at AS is_before,
        o.placed_at >= a.assigned_at AND o.day <= a.day + a.window_days AS is_inside,
        o.day > a.day + a.window_days AND o.day <= a.day + 2 * a.window_days AS is_later,
        u.order_id IS NOT NULL OR o.order_id IS NOT DISTINCT FROM a.redeemed_order_id AS is_redeeming
    FROM assigned a
    JOIN fact_order o ON o.customer_id = a.customer_id AND o.is_valid
    LEFT JOIN used u ON u.order_id = o.order_id AND u.code = a.own_code
),
outcome AS (
    SELECT
        offer_assignment_id,
        max(occasion) FILTER (is_before) AS purchases,
        arg_max(channel, (placed_at, order_id)) FILTER (is_before) AS channel,
        arg_max(country, (placed_at, order_id)) FILTER (is_before) AS country,
        arg_max(device, (placed_at, order_id)) FILTER (is_before) AS device,
        arg_max(category, (placed_at, order_id)) FILTER (is_before) AS category,
        sum(net_minor) FILTER (is_before AND day >= from_day - 365) AS before_net_minor,
        min(day - from_day) FILTER (is_inside) AS days_to_order,
        count(*) FILTER (is_inside) AS orders,
        sum(net_minor) FILTER (is_inside) AS net_minor,
        sum(refund_minor) FILTER (is_inside) AS refund_minor,
        sum(cost_minor) FILTER (is_inside) AS cost_minor,
        sum(costed_net_minor) FILTER (is_inside) AS costed_net_minor,
        count(*) FILTER (is_inside AND is_redeeming) AS redeemed_orders,
        sum(net_minor) FILTER (is_inside AND is_redeeming) AS redeemed_net_minor,
        sum(discount_minor) FILTER (is_inside AND is_redeeming) AS redeemed_discount_minor,
        count(*) FILTER (is_later) AS later_orders
    FROM ordered GROUP BY offer_assignment_id
)
SELECT
    a.offer_assignment_id, a.customer_id AS owner_key, a.customer_id, a.offer_id, a.offer_version_id,
    a.day, a.window_days, NOT coalesce(c.is_test, false) AS is_valid,
    a.arm = 'treatment' AS is_treated, a.sent_at IS NOT NULL AS is_sent, a.opened_at IS NOT NULL AS is_opened,
    a.held_back IS NOT NULL AS is_held_back,
    a.redeemed_at IS NOT NULL OR coalesce(b.redeemed_orders, 0) > 0 AS is_redeemed,
    coalesce(b.orders, 0) > 0 AS has_bought,
    CASE WHEN b.purchases IS NULL THEN 'none' WHEN b.purchases >= 3 THEN '3 or more' ELSE CAST(b.purchases AS VARCHAR)
    END AS purchases_before,
    coalesce(b.channel, 'unknown') AS channel, coalesce(b.country, 'unknown') AS country,
    coalesce(b.device, 'unknown') AS device, coalesce(b.category, 'unknown') AS category,
    b.days_to_order,
    coalesce(b.before_net_minor, 0) AS before_net_minor,
    coalesce(b.orders, 0) AS orders, coalesce(b.net_minor, 0) AS net_minor,
    coalesce(b.refund_minor, 0) AS refund_minor, coalesce(b.cost_minor, 0) AS cost_minor,
    coalesce(b.costed_net_minor, 0) AS costed_net_minor,
    coalesce(b.redeemed_orders, 0) AS redeemed_orders, coalesce(b.redeemed_net_minor, 0) AS redeemed_net_minor,
    coalesce(b.redeemed_discount_minor, 0) AS redeemed_discount_minor,
    coalesce(b.later_orders, 0) AS later_orders
FROM assigned a
LEFT JOIN outcome b USING (offer_assignment_id)
LEFT JOIN stage.main.customers c ON c.customer_id = a.customer_id
ORDER BY a.offer_id, a.day
"""

# What is packed into one number is compared as one: structures are slow. Tickets, returns and ratings are her own or
# of her orders: those of an owner, all of whose rows are recomputed together.
DIM_CUSTOMER = """
INSERT INTO dim_customer BY NAME
WITH bought AS (
    SELECT
        customer_id, min(first_day) AS first_day, max(day) AS last_day, min(cohort_month) AS cohort_month,
        max(next_gap) FILTER (occasion = 1) AS second_gap,
        max(occasion) AS occasions, count(*) AS orders, sum(net_minor) AS net_minor,
        CAST(
            max(CAST(epoch_us(placed_at) AS HUGEINT) * 10000000000000000 + order_id) % 10000000000000000 AS BIGINT
        ) AS last_order_id
    FROM fact_order WHERE is_valid AND customer_id IS NOT NULL GROUP BY customer_id
),
opening AS (
    SELECT * FROM fact_order WHERE is_valid AND customer_id IS NOT NULL AND occasion = 1 AND is_first_of_day
),
rated AS (
    SELECT
        owner_key,
        CAST(
            max((CAST(epoch_us(written_at) AS HUGEINT) * 10000000000000000 + review_id) * 8 + rating) % 8 AS INTEGER
        ) AS rating
    FROM fact_review WHERE state <> 'spam' AND owner_key > 0 GROUP BY owner_key
),
late AS (
    SELECT owner_key, max(promised_day) AS late_parcel_day FROM fact_shipment
    WHERE is_valid AND is_late AND attempted_day IS NULL AND delivered_day IS NULL AND status <> 'expired'
        AND owner_key > 0
    GROUP BY owner_key
),
asking AS (
    SELECT DISTINCT owner_key FROM fact_ticket WHERE status IN ('open', 'waiting_for_customer') AND owner_key > 0
),
sending_back AS (
    SELECT DISTINCT owner_key FROM fact_return
    WHERE status IN ('requested', 'approved', 'in_transit', 'received') AND owner_key > 0
),
member AS (SELECT DISTINCT customer_id FROM fact_member),
agreed AS (SELECT DISTINCT customer_id FROM stage.main.consents WHERE channel = 'email' AND state = 'given')
SELECT
    c.customer_id, b.first_day, b.last_day, b.cohort_month, b.second_gap,
    coalesce(b.occasions, 0) AS occasions, coalesce(b.orders, 0) AS orders, coalesce(b.net_minor, 0) AS net_minor,
    o.channel AS first_channel, o.country AS first_country,
    CASE WHEN o.order_id IS NOT NULL THEN coalesce(o.main_category, 'uncategorised') END AS first_category,
    CASE WHEN o.order_id IS NOT NULL THEN coalesce(o.main_product, 'unknown') END AS first_product,
    CASE WHEN o.has_discount THEN 'with discount' WHEN NOT o.has_discount THEN 'full price' END AS first_discount,
    CASE
        WHEN o.is_late THEN 'late'
        WHEN NOT o.is_late THEN 'on time'
        WHEN o.order_id IS NOT NULL THEN 'unknown'
    END AS first_delivery,
    nullif(l.channel, 'unknown') AS last_channel, nullif(l.country, 'unknown') AS last_country,
    nullif(l.device, 'unknown') AS last_device, nullif(l.payment_method, 'unknown') AS last_payment_method,
    l.delivery_type AS last_delivery_type, l.is_late AS last_is_late,
    r.rating AS last_rating, p.late_parcel_day,
    t.owner_key IS NOT NULL AS has_open_ticket, s.owner_key IS NOT NULL AS has_open_return,
    m.customer_id IS NOT NULL AS is_member, a.customer_id IS NOT NULL AS has_consent,
    c.email_normalised IS NOT NULL AS has_address, c.erased_at IS NOT NULL AS is_erased, c.language
FROM stage.main.customers c
LEFT JOIN bought b USING (customer_id)
LEFT JOIN opening o ON o.customer_id = c.customer_id
LEFT JOIN fact_order l ON l.order_id = b.last_order_id
LEFT JOIN rated r ON r.owner_key = c.customer_id
LEFT JOIN late p ON p.owner_key = c.customer_id
LEFT JOIN asking t ON t.owner_key = c.customer_id
LEFT JOIN sending_back s ON s.owner_key = c.customer_id
LEFT JOIN member m ON m.customer_id = c.customer_id
LEFT JOIN agreed a ON a.customer_id = c.customer_id
"""

DIM_PRODUCT = """
INSERT INTO dim_product BY NAME
SELECT
    product_id, name AS product, coalesce(category, 'uncategorised') AS category, sku, vendor, price_minor, cost_minor,
    stock, is_goods, is_active
FROM stage.main.products
"""

# In the order in which they need one another.
STATEMENTS = (
    ("orders", ORDER_BASE),
    ("purchase occasions", OCCASION),
    ("orders", ORDER_PLACED),
    ("refunds", REFUND_LINE),
    ("refunded lines", ITEM_REFUND),
    ("parcels", PARCEL),
    ("lines", ORDER_LINES),
    ("lines", FACT_ITEM),
    ("orders", FACT_ORDER),
    ("refunds", FACT_REFUND),
    ("parcels", FACT_SHIPMENT),
    ("returns", FACT_RETURN),
    ("reviews", FACT_REVIEW),
    ("tickets", FACT_TICKET),
    ("carts", FACT_CART),
    ("surveys", FACT_SURVEY),
    ("questions", FACT_QUESTION),
    ("loyalty members", FACT_MEMBER),
    ("loyalty points", FACT_POINTS),
    ("offers", FACT_ASSIGNMENT),
    ("customers", DIM_CUSTOMER),
)
