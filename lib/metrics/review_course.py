"""Reviews beyond single figures: the course of the rating, product by product, and who buys again."""

import numpy as np
import pandas as pd
from sqlalchemy import BigInteger, Integer, and_, case, cast, func, literal, select

from lib.mart.schema import fact_order, fact_review
from lib.metrics.definition import Mart, Scope
from lib.metrics.measure import AS_OF_DAY, days, parameters
from lib.metrics.reviews import ANSWERABLE, DUE, IN_TIME, NEGATIVE, REAL
from lib.stats.intervals import mean_interval, wilson_columns

# Shorter periods are drawn by weeks, longer by months.
BY_WEEK = 120
# Answered by this day after it was written, or not: what happens later cannot have helped.
LANDMARK = 7
# Bought again within so many days after that.
AGAIN_WITHIN = 90
_review = fact_review.c


def rating_course(mart: Mart, scope: Scope) -> pd.DataFrame:
    """The average rating week by week, or month by month in long periods.

    Returns:
        ``start_day`` (of the week or month, within the period), ``n``, ``mean``, ``low``, ``high`` (95 %, of the
        mean; NaN for fewer than two reviews). Weeks and months without a review are absent.
    """
    start, end = days(scope)
    frame = mart.frame(
        select(_review.day, _review.rating, cast(func.count(), BigInteger).label("n"))
        .where(REAL, _review.day >= start, _review.day < end)
        .group_by(_review.day, _review.rating)
    )
    if frame.empty:
        return pd.DataFrame({"start_day": [], "n": [], "mean": [], "low": [], "high": []})
    day = frame["day"].astype("int64")
    if end - start <= BY_WEEK:
        # Weeks end with the period: a first week may be short, the last is whole.
        frame["start_day"] = np.maximum(start, end - ((end - 1 - day) // 7 + 1) * 7)
    else:
        dates = pd.to_datetime(day, unit="D")
        first = (dates - pd.to_timedelta(dates.dt.day - 1, unit="D")).dt.tz_localize(None)
        frame["start_day"] = np.maximum(start, (first - pd.Timestamp(0)).dt.days)
    begins = sorted(int(begin) for begin in frame["start_day"].unique())
    return pd.DataFrame([_mean(begin, frame[frame["start_day"] == begin]) for begin in begins])


def _mean(begin: int, part: pd.DataFrame) -> dict[str, float]:
    n = int(part["n"].sum())
    mean = float((part["rating"] * part["n"]).sum()) / n
    low = high = float("nan")
    if n > 1:
        spread = float((part["n"] * (part["rating"] - mean) ** 2).sum())
        low, high = mean_interval(n=n, mean=mean, sd=(spread / (n - 1)) ** 0.5)
    return {"start_day": begin, "n": n, "mean": mean, "low": max(low, 1.0), "high": min(high, 5.0)}


def by_product(mart: Mart, scope: Scope, limit: int = 50) -> pd.DataFrame:
    """Products by their reviews in the period, those with the most unhappy ones first.

    Returns:
        ``product``, ``n``, ``mean`` (stars), ``negative``, ``negative_share``, ``low``, ``high`` (95 % of that share),
        ``due``, ``in_time``, ``in_time_share`` (NaN without a review that is due).
    """
    start, end = days(scope)
    is_due = and_(ANSWERABLE, DUE)
    one, none = literal(1), literal(0)
    frame = mart.frame(
        select(
            _review.product,
            cast(func.count(), BigInteger).label("n"),
            cast(func.sum(_review.rating), BigInteger).label("stars"),
            cast(func.sum(case((NEGATIVE, one), else_=none)), BigInteger).label("negative"),
            cast(func.sum(case((is_due, one), else_=none)), BigInteger).label("due"),
            cast(func.sum(case((and_(is_due, IN_TIME), one), else_=none)), BigInteger).label("in_time"),
        )
        .where(REAL, _review.day >= start, _review.day < end)
        .group_by(_review.product)
        .order_by(func.sum(case((NEGATIVE, one), else_=none)).desc(), func.count().desc(), _review.product)
        .limit(limit),
        **parameters(mart, scope),
    )
    n, negative = frame["n"].astype("float64"), frame["negative"].astype("float64")
    low, high = wilson_columns(negative, n)
    due = frame["due"].astype("float64").replace(0, float("nan"))
    return frame.assign(
        mean=frame["stars"] / n, negative_share=negative / n, low=low, high=high, in_time_share=frame["in_time"] / due
    ).drop(columns="stars")


def again_strata(mart: Mart, scope: Scope) -> pd.DataFrame:
    """Did customers whose review was answered within a week buy again more often than others?

    A landmark comparison: each customer's first review in the period that was followed for ``LANDMARK`` +
    ``AGAIN_WITHIN`` days; exposed when it was answered within ``LANDMARK`` days; a case when a valid order follows in
    the ``AGAIN_WITHIN`` days after those. Strata: stars, first purchase or not, quarter and language of the review.

    Returns:
        a row per stratum: ``rating``, ``is_repeat``, ``quarter``, ``language``, and the counts that
        ``lib.stats.adjust.mantel_haenszel`` takes.
    """
    start, end = days(scope)
    landmark = _review.day + LANDMARK
    first = (
        select(_review.customer_id, func.min(_review.day).label("day"))
        .where(
            ANSWERABLE,
            _review.customer_id.is_not(None),
            _review.day >= start,
            _review.day < end,
            landmark + AGAIN_WITHIN < AS_OF_DAY,
        )
        .group_by(_review.customer_id)
        .subquery("first")
    )
    chosen = (
        select(func.min(_review.review_id).label("review_id"))
        .join(first, and_(first.c.customer_id == _review.customer_id, first.c.day == _review.day))
        .where(ANSWERABLE)
        .group_by(_review.customer_id)
        .subquery("chosen")
    )
    order = fact_order.c
    bought = and_(order.is_valid, order.customer_id == _review.customer_id)
    yes, no = literal(1), literal(0)
    each = (
        select(
            _review.review_id,
            func.max(_review.rating).label("rating"),
            func.max(_review.day).label("day"),
            func.max(_review.language).label("language"),
            func.max(case((_review.hours_to_answer <= LANDMARK * 24, yes), else_=no)).label("exposed"),
            func.max(case((and_(order.day > landmark, order.day <= landmark + AGAIN_WITHIN), yes), else_=no)).label(
                "again"
            ),
            func.count(func.distinct(case((order.day <= _review.day, order.day)))).label("before"),
        )
        .select_from(fact_review.join(chosen, chosen.c.review_id == _review.review_id).outerjoin(fact_order, bought))
        .group_by(_review.review_id)
        .subquery("each_review")
    )
    repeat = case((each.c.before > 1, yes), else_=no).label("is_repeat")
    quarter = cast(func.floor(each.c.day / 91.3125), Integer).label("quarter")
    counts = {
        "exposed_cases": each.c.exposed * each.c.again,
        "exposed": each.c.exposed,
        "unexposed_cases": (1 - each.c.exposed) * each.c.again,
        "unexposed": 1 - each.c.exposed,
    }
    split = (each.c.rating, repeat, quarter, each.c.language)
    sums = [cast(func.sum(value), BigInteger).label(name) for name, value in counts.items()]
    return mart.frame(select(*split, *sums).group_by(*split).order_by(*split), **parameters(mart, scope))
