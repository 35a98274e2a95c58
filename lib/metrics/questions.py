"""Community: questions about products, whether they are answered, and what the store's own content brings.

Questions are placed by the day of asking.
"""

from sqlalchemy import ColumnElement, and_, or_

from lib.mart.schema import fact_order, fact_question
from lib.metrics.definition import Age, AnyMetric, Metric, Ratio, Unit
from lib.metrics.measure import AS_OF_AT, before_as_of
from lib.metrics.orders import LEFT_OUT_ORDERS

_question = fact_question.c
TARGET_HOURS = 24

_DUE = _question.asked_at <= before_as_of(TARGET_HOURS * 3600)
_IN_TIME = _question.hours_to_answer <= TARGET_HOURS
_UNANSWERED = or_(_question.answered_at.is_(None), _question.answered_at >= AS_OF_AT)


def _count(key: str, label: str, meaning: str, *where: ColumnElement[bool]) -> Metric:
    return Metric(key=key, label=label, unit=Unit.COUNT, meaning=meaning, over=fact_question, where=and_(*where))


QUESTIONS = Metric(
    key="questions",
    label="Questions",
    unit=Unit.COUNT,
    meaning="Questions about products that were asked in the period.",
    over=fact_question,
)
QUESTIONS_WITHIN_TARGET = Ratio(
    key="questions_answered_within_target",
    label="Questions answered within target",
    unit=Unit.SHARE,
    good_is="up",
    meaning=f"Questions answered within {TARGET_HOURS} hours divided by all questions whose target has passed; "
    "unanswered is a miss.",
    top=_count("questions_in_time", "Questions answered in time", "Questions answered in time.", _DUE, _IN_TIME),
    bottom=_count(
        "questions_due", "Questions whose target has passed", "Questions whose time for an answer has passed.", _DUE
    ),
    left_out=(
        (
            "target not passed",
            _count(
                "questions_not_due",
                "Not due yet",
                "Questions whose target has not passed.",
                _question.asked_at > before_as_of(TARGET_HOURS * 3600),
            ),
        ),
    ),
    has_interval=True,
)
QUESTIONS_UNANSWERED = Metric(
    key="questions_unanswered",
    label="Questions without an answer",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Questions asked before the as-of day that had no answer by then, whatever the period.",
    over=fact_question,
    where=_UNANSWERED,
    day=None,
)
OLDEST_UNANSWERED = Age(
    key="oldest_unanswered_question",
    label="Oldest question without an answer",
    unit=Unit.HOURS,
    good_is="down",
    meaning="How long the oldest question without an answer has waited at the as-of day.",
    over=fact_question,
    since=_question.asked_at,
    cases=QUESTIONS_UNANSWERED,
)
ORDERS_FROM_CONTENT = Metric(
    key="orders_from_content",
    label="Orders from community and blog",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Valid orders whose landing source is the store's community or blog.",
    over=fact_order,
    where=and_(fact_order.c.is_valid, fact_order.c.is_from_content),
    left_out=LEFT_OUT_ORDERS,
)

METRICS: tuple[AnyMetric, ...] = (
    QUESTIONS,
    QUESTIONS_WITHIN_TARGET,
    QUESTIONS_UNANSWERED,
    OLDEST_UNANSWERED,
    ORDERS_FROM_CONTENT,
)
