"""Reviews in figures: the rating, the answers, product by product, and who buys again."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from lib.charts.rating import describe, rating_spec
from lib.db.engine import order_database, reading, writing
from lib.db.service import Target, read_promises
from lib.db.tables.columns import now
from lib.errors import EncoreError, NotEnoughData
from lib.metrics.definition import Mart, Scope
from lib.metrics.review_course import AGAIN_WITHIN, BY_WEEK, LANDMARK, again_strata, by_product, rating_course
from lib.periods import Period, day_of
from lib.settings import settings
from lib.staff import May
from lib.stats.adjust import e_value, mantel_haenszel
from lib.ui.access import Opened
from lib.ui.drill_down import open_figure
from lib.ui.figure_cards import draw_figure_cards
from lib.ui.review_talk import draw_odd, draw_topics, draw_words
from lib.ui.tables import download, pick
from lib.ui.text import plain
from lib.workflows.targets import set_target

CARDS = {
    "average_rating": "Average rating",
    "negative_review_share": "Negative",
    "reviews_answered_within_target": "Answered in time",
    "reviews_unanswered": "Without a reply",
    "oldest_unanswered_review": "Oldest waiting",
}
# The comparison of buyers looks back so far: it needs reviews that were followed for months.
_FOLLOWED = timedelta(days=728)


def draw_figures(page: Opened) -> None:
    """All of it, for the chosen days."""
    _cards(page)
    left, right = st.columns([1.4, 1])
    with left, st.container(border=True, height="stretch", key="rating_course"):
        _course(page)
    with right, st.container(border=True, height="stretch", key="topics"):
        draw_topics(page)
    left, right = st.columns([1.7, 1])
    with left, st.container(border=True, height="stretch", key="by_product"):
        _products(page)
    with right, st.container(border=True, height="stretch", key="new_words"):
        draw_words(page)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch", key="odd_reviews"):
        draw_odd(page)
    with right, st.container(border=True, height="stretch", key="buying_again"):
        _again(page)


def _cards(page: Opened) -> None:
    draw_figure_cards(page, CARDS, key="review_cards")
    if page.staff.may(May.SET_GOALS):
        _targets(page)


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _course_of(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return rating_course(_mart, scope)


def _course(page: Opened) -> None:
    st.header("How customers rate", anchor=False)
    found = _course_of(page.scope, page.version, page.mart)
    unit = "week" if page.scope.period.days <= BY_WEEK else "month"
    if found.empty:
        st.caption("No review in these days.")
        return
    st.caption(f"Average of each {unit}; bars: 95% interval. Few reviews make a wide one.")
    frame = found.assign(day=[pd.Timestamp(day_of(int(day))) for day in found["start_day"]])
    frame = frame[["day", "mean", "low", "high", "n"]]
    st.vega_lite_chart(frame, rating_spec(unit), alt=describe(frame, unit), key="rating_chart")


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _products_of(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return by_product(_mart, scope)


@st.fragment
def _products(page: Opened) -> None:
    st.header("Product by product", anchor=False)
    found = _products_of(page.scope, page.version, page.mart)
    if found.empty:
        st.caption("No review in these days.")
        return
    st.caption("The most unhappy reviews first. Choose a row to see its reviews.")
    shown = pd.DataFrame(
        {
            "Product": found["product"].astype(str),
            "Reviews": found["n"].astype("int64"),
            "Average": found["mean"],
            "Negative": 100 * found["negative_share"],
            "Interval": [
                f"{100 * low:.0f}–{100 * high:.0f}%" for low, high in zip(found["low"], found["high"], strict=True)
            ],
            "In time": 100 * found["in_time_share"],
        }
    )
    columns = {
        "Product": st.column_config.TextColumn(width="medium"),
        "Reviews": st.column_config.NumberColumn(format="%,d"),
        "Average": st.column_config.NumberColumn(format="%.2f"),
        "Negative": st.column_config.NumberColumn(format="%.0f%%", help="1 or 2 stars, of its reviews."),
        "Interval": st.column_config.TextColumn(help="95% interval of the negative share."),
        "In time": st.column_config.NumberColumn(format="%.0f%%", help="Answered within target, of those due."),
    }
    picked = pick(shown, alt="Products by their unhappy reviews", columns=columns, key="review_products")
    download("Download (CSV)", "reviews_by_product", lambda: found, key="csv_review_products")
    if picked is not None:
        name = str(found["product"].iloc[picked])
        scope = Scope(period=page.scope.period, as_of=page.scope.as_of, filters=(("product", name),))
        open_figure("average_rating", scope, label=f"Reviews of {name}")


@st.cache_data(ttl="1h", max_entries=20, show_spinner=False)
def _strata(scope: Scope, version: int, _mart: Mart) -> pd.DataFrame:
    return again_strata(_mart, scope)


def _again(page: Opened) -> None:
    """Answered and unanswered reviewers compared, like with like; never as a cause."""
    st.header("Answered, and buying again", anchor=False)
    period = Period(page.as_of - _FOLLOWED, page.as_of)
    found = _strata(Scope(period=period, as_of=page.as_of), page.version, page.mart)
    st.caption(
        f"Customers' first reviews of the last two years; a reply within {LANDMARK} days against none by then; "
        f"an order in the {AGAIN_WITHIN} days after that. Compared within the same stars, first or repeat purchase "
        "and quarter."
    )
    try:
        result = mantel_haenszel(found)
    except NotEnoughData:
        st.markdown("Not enough reviews yet that were followed for so long.")
        return
    sums = found[["exposed_cases", "exposed", "unexposed_cases", "unexposed"]].sum()
    points, low, high = (f"{100 * value:+.1f}" for value in (result.risk_difference, result.low, result.high))
    if result.low <= 0 <= result.high:
        words = "A reply goes neither with more nor with fewer orders, as far as these reviews can tell"
    else:
        words = f"A reply goes with {'more' if result.risk_difference > 0 else 'fewer'} orders"
    st.markdown(plain(f"{words}: {points} points, 95% interval {low} to {high}."))
    a, n1, b, n0 = (int(sums[name]) for name in ("exposed_cases", "exposed", "unexposed_cases", "unexposed"))
    crude = f"{100 * result.crude_risk_difference:+.1f}"
    st.caption(
        plain(
            f"{a:,} of {n1:,} answered and {b:,} of {n0:,} others bought again: unadjusted {crude} points. "
            f"{result.n:,} of {n1 + n0:,} have somebody alike on the other side ({result.overlap:.0%})."
        )
    )
    if result.is_thin:
        st.markdown(
            ":orange[:material/warning:] Fewer than 80% can be compared: this speaks of a minority of the customers."
        )
    if b and n0 and n1 and result.risk_difference and not result.low <= 0 <= result.high:
        base = b / n0
        ratio = max(1e-6, base + result.risk_difference) / base
        st.caption(
            f"E-value {e_value(ratio):.2f}: an unseen cause would have to go that strongly with both, as a risk ratio, "
            "to explain it away. This is no proof of an effect: only a holdout would be."
        )
    download("The strata (CSV)", "reviews_buying_again", lambda: found, key="csv_again")


def _targets(page: Opened) -> None:
    """What is promised, and changing it."""
    with reading(order_database(settings())) as connection:
        kept = read_promises(connection).targets
    usual, negative = kept["review"], kept["negative_review"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Promised: a reply within {usual.minutes / 60:g} hours, {negative.minutes / 60:g} for 1–2 stars.")
        with st.popover("Change", icon=":material/timer:"), st.form("review_targets", border=False):
            hours = st.number_input("Hours for 3–5 stars", 1, 672, max(1, usual.minutes // 60), key="target_usual")
            fewer = st.number_input(
                "Hours for 1–2 stars", 1, 672, max(1, negative.minutes // 60), key="target_negative"
            )
            if st.form_submit_button("Save"):
                _save_targets(page, {"review": (int(hours), usual), "negative_review": (int(fewer), negative)})


def _save_targets(page: Opened, wanted: dict[str, tuple[int, Target]]) -> None:
    try:
        with writing(order_database(settings())) as connection:
            for work, (hours, seen) in wanted.items():
                if hours * 60 != seen.minutes:
                    set_target(connection, page.staff, work, hours * 60, version=seen.version, at=now())
    except EncoreError as refused:
        st.error(str(refused))
        return
    st.success("Saved. The figures follow at the next refresh.")
