"""Surveys and answers; questions about products and the answers to them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, text

from lib.db.tables.columns import at, changed, imported, key, metadata, one_of, ref, short, words

surveys = Table(
    "surveys",
    metadata,
    key("survey_id"),
    *imported(),
    *one_of("kind", ("nps", "csat", "custom")),
    short("name", nullable=False),
    words("question", nullable=False),
)

survey_answers = Table(
    "survey_answers",
    metadata,
    key("survey_answer_id"),
    *imported(),
    ref("surveys.survey_id"),
    ref("customers.customer_id", nullable=True),
    ref("orders.order_id", nullable=True),
    at("sent_at", nullable=False, index=True),
    at("answered_at"),
    Column("score", Integer),
    words("comment"),
    CheckConstraint("score BETWEEN 0 AND 10", name="score_range"),
    CheckConstraint("score IS NULL OR answered_at IS NOT NULL", name="score_has_time"),
)

questions = Table(
    "questions",
    metadata,
    key("question_id"),
    *imported(),
    ref("products.product_id", nullable=True),
    ref("customers.customer_id", nullable=True),
    at("asked_at", nullable=False, index=True),
    at("answered_at"),
    words("body", nullable=False),
)

answers = Table(
    "answers",
    metadata,
    key("answer_id"),
    ref("questions.question_id", cascade=True),
    ref("staff.staff_id", nullable=True),
    at("answered_at", nullable=False),
    words("body", nullable=False),
    changed(),
)

# What the queue of questions reads; the query must hold the same words.
UNANSWERED = text("answered_at IS NULL")
Index(
    "ix_questions_unanswered",
    questions.c.asked_at,
    questions.c.question_id,
    sqlite_where=UNANSWERED,
    postgresql_where=UNANSWERED,
)
