"""Reviews: how customers rate, and whether the store answers in time. Placed by the day of writing."""

from sqlalchemy import ColumnElement, and_, not_, or_

from lib.mart.schema import fact_review
from lib.metrics.definition import Age, AnyMetric, Metric, Ratio, Unit
from lib.metrics.measure import AS_OF_AT, before_as_of

_review = fact_review.c
TARGET_HOURS = 48
NEGATIVE_TARGET_HOURS = 24
# A review of so many stars or fewer is negative.
NEGATIVE_STARS = 2

_REAL = _review.state != "spam"
# A survey's answer is the customer's own; nobody owes it a reply.
_ANSWERABLE = and_(_REAL, not_(_review.is_survey))
_NEGATIVE = _review.rating <= NEGATIVE_STARS
_DUE = or_(
    and_(_NEGATIVE, _review.written_at <= before_as_of(NEGATIVE_TARGET_HOURS * 3600)),
    and_(not_(_NEGATIVE), _review.written_at <= before_as_of(TARGET_HOURS * 3600)),
)
_IN_TIME = or_(
    and_(_NEGATIVE, _review.hours_to_answer <= NEGATIVE_TARGET_HOURS),
    and_(not_(_NEGATIVE), _review.hours_to_answer <= TARGET_HOURS),
)
_UNANSWERED = or_(_review.answered_at.is_(None), _review.answered_at >= AS_OF_AT)


def _count(key: str, label: str, meaning: str, *where: ColumnElement[bool]) -> Metric:
    return Metric(key=key, label=label, unit=Unit.COUNT, meaning=meaning, over=fact_review, where=and_(*where))


_SPAM = ("spam", _count("spam_reviews", "Spam", "Reviews marked as spam.", not_(_REAL)))
_SURVEYS = (
    "survey",
    _count(
        "survey_reviews", "Surveys", "Ratings given in a survey: nobody owes them a reply.", _REAL, _review.is_survey
    ),
)
REVIEWS = Metric(
    key="reviews",
    label="Reviews",
    unit=Unit.COUNT,
    good_is="up",
    meaning="Reviews and survey ratings written in the period, without spam.",
    over=fact_review,
    where=_REAL,
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
        where=_REAL,
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
        where=and_(_REAL, _review.rating == stars),
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
    top=_count("negative_reviews", "Negative reviews", "Reviews of 1 or 2 stars.", _REAL, _NEGATIVE),
    bottom=REVIEWS,
    left_out=(_SPAM,),
    has_interval=True,
)
DUE_REVIEWS = _count(
    "reviews_due",
    "Reviews whose target has passed",
    "Reviews whose time for a reply has passed, answered or not.",
    _ANSWERABLE,
    _DUE,
)
ANSWERED_WITHIN_TARGET = Ratio(
    key="reviews_answered_within_target",
    label="Reviews answered within target",
    unit=Unit.SHARE,
    good_is="up",
    meaning=f"Reviews answered within {TARGET_HOURS} hours ({NEGATIVE_TARGET_HOURS} when negative) divided by all "
    "reviews whose target has passed; unanswered is a miss.",
    top=_count("reviews_in_time", "Reviews answered in time", "Reviews answered in time.", _ANSWERABLE, _DUE, _IN_TIME),
    bottom=DUE_REVIEWS,
    left_out=(
        _SPAM,
        _SURVEYS,
        (
            "target not passed",
            _count("reviews_not_due", "Not due yet", "Reviews whose target has not passed.", _ANSWERABLE, not_(_DUE)),
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
    where=and_(_ANSWERABLE, _UNANSWERED),
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
