"""Reviews: how customers rate, and whether the store answers in time. Placed by the day of writing."""

from sqlalchemy import ColumnElement, and_, not_, or_

from lib.mart.schema import fact_review
from lib.metrics.definition import Age, AnyMetric, Metric, Ratio, Unit
from lib.metrics.measure import AS_OF_AT

_review = fact_review.c
# A review of so many stars or fewer is negative.
NEGATIVE_STARS = 2

# What counts as a review, what needs a reply, and what was promised.
REAL = _review.state != "spam"
# A survey's answer is the customer's own; nobody owes it a reply.
ANSWERABLE = and_(REAL, not_(_review.is_survey))
NEGATIVE = _review.rating <= NEGATIVE_STARS
DUE = _review.due_at <= AS_OF_AT
IN_TIME = _review.answered_at <= _review.due_at
_UNANSWERED = or_(_review.answered_at.is_(None), _review.answered_at >= AS_OF_AT)


def _count(key: str, label: str, meaning: str, *where: ColumnElement[bool]) -> Metric:
    return Metric(key=key, label=label, unit=Unit.COUNT, meaning=meaning, over=fact_review, where=and_(*where))


_SPAM = ("spam", _count("spam_reviews", "Spam", "Reviews marked as spam.", not_(REAL)))
_SURVEYS = (
    "survey",
    _count(
        "survey_reviews", "Surveys", "Ratings given in a survey: nobody owes them a reply.", REAL, _review.is_survey
    ),
)
REVIEWS = Metric(
    key="reviews",
    label="Reviews",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Reviews and survey ratings written in the period, without spam.",
    over=fact_review,
    where=REAL,
    left_out=(_SPAM,),
)
AVERAGE_RATING = Ratio(
    key="average_rating",
    label="Average rating",
    unit=Unit.STARS,
    good_is="up",
    meaning="Stars given divided by reviews.",
    top=Metric(
        key="stars",
        label="Stars",
        unit=Unit.STARS,
        meaning="Stars of the reviews together.",
        over=fact_review,
        amount=_review.rating,
        where=REAL,
    ),
    bottom=REVIEWS,
    left_out=(_SPAM,),
)
RATINGS = tuple(
    Metric(
        key=f"reviews_of_{stars}",
        label=f"Reviews of {stars} {'star' if stars == 1 else 'stars'}",
        unit=Unit.COUNT,
        meaning=f"Reviews that give {stars} of 5 stars.",
        over=fact_review,
        where=and_(REAL, _review.rating == stars),
        left_out=(_SPAM,),
    )
    for stars in (1, 2, 3, 4, 5)
)
NEGATIVE_SHARE = Ratio(
    key="negative_review_share",
    label="Negative reviews",
    unit=Unit.SHARE,
    good_is="down",
    meaning=f"Reviews of {NEGATIVE_STARS} stars or fewer divided by reviews.",
    top=_count("negative_reviews", "Negative reviews", "Reviews of 1 or 2 stars.", REAL, NEGATIVE),
    bottom=REVIEWS,
    left_out=(_SPAM,),
    has_interval=True,
)
DUE_REVIEWS = _count(
    "reviews_due",
    "Reviews whose target has passed",
    "Reviews whose time for a reply has passed, answered or not.",
    ANSWERABLE,
    DUE,
)
ANSWERED_WITHIN_TARGET = Ratio(
    key="reviews_answered_within_target",
    label="Reviews answered within target",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Reviews answered within their target (48 hours, 24 when negative, unless the store set others) divided "
    "by all reviews whose target has passed; unanswered is a miss.",
    top=_count("reviews_in_time", "Reviews answered in time", "Reviews answered in time.", ANSWERABLE, DUE, IN_TIME),
    bottom=DUE_REVIEWS,
    left_out=(
        _SPAM,
        _SURVEYS,
        (
            "target not passed",
            _count("reviews_not_due", "Not due yet", "Reviews whose target has not passed.", ANSWERABLE, not_(DUE)),
        ),
    ),
    has_interval=True,
)
UNANSWERED = Metric(
    key="reviews_unanswered",
    label="Reviews without a reply",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Reviews written before the as-of day that had no reply by then, whatever the period.",
    over=fact_review,
    where=and_(ANSWERABLE, _UNANSWERED),
    day=None,
)
OLDEST_UNANSWERED = Age(
    key="oldest_unanswered_review",
    label="Oldest review without a reply",
    unit=Unit.HOURS,
    good_is="down",
    meaning="How long the oldest review without a reply has waited at the as-of day.",
    over=fact_review,
    since=_review.written_at,
    cases=UNANSWERED,
)

METRICS: tuple[AnyMetric, ...] = (
    REVIEWS,
    AVERAGE_RATING,
    *RATINGS,
    NEGATIVE_SHARE,
    ANSWERED_WITHIN_TARGET,
    UNANSWERED,
    OLDEST_UNANSWERED,
)
