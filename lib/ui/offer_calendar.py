"""The calendar of offers: what goes out when, what is measured until when, and which days come next."""

from collections import Counter
from datetime import date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from lib.charts.offer_calendar import COLUMNS, calendar_spec, describe
from lib.db.engine import order_database, reading
from lib.errors import EncoreError
from lib.periods import store_day
from lib.queues.offers import Offer, offer_list
from lib.settings import settings
from lib.staff import May
from lib.ui.access import show_error
from lib.ui.calendar import marked_days
from lib.ui.live import House, open_house
from lib.ui.offer_terms import STATUSES
from lib.ui.places import OFFERS
from lib.ui.text import one_line, plain
from lib.ui.visit import reader

_SPANS = {"Three months": (31, 92), "A year": (183, 366), "All": (100_000, 100_000)}
_ROLES = {"running": "accent", "paused": "attention", "approved": "blue", "draft": "muted"}
# What is done with is shown, but no longer stands out.
_OVER = "muted"
_MOST_COMING = 12
_Coming = tuple[date, str, Offer | None]


@st.fragment
def draw_calendar() -> None:
    """The offers on a line of days, and the days that come."""
    try:
        reader().must(May.SEE_FIGURES)
        _draw(open_house())
    except EncoreError as error:
        show_error(error)


def _draw(house: House) -> None:
    today = house.store.today()
    with reading(order_database(settings())) as connection:
        found = offer_list(connection)
    span = st.segmented_control(
        "Span", list(_SPANS), default="Three months", required=True, key="calendar_span", label_visibility="collapsed"
    )
    before, after = _SPANS[str(span)]
    shown = [one for one in found if _touches(one, house, today, before, after)]
    frame = calendar_frame(shown, house, today)
    if frame.empty:
        with st.container(border=True):
            st.markdown("**No offer in these months.**")
            st.caption("An offer stands here from its first day on, a draft once it has a last day.")
    else:
        with st.container(border=True, key="offers_calendar"):
            st.caption("The wide bar: it goes out. The narrow one: its result is still measured. Dashed: today.")
            st.vega_lite_chart(frame, calendar_spec(len(frame)), alt=describe(frame), key=f"calendar_{span}")
    _coming(house, found, today)


def calendar_frame(found: list[Offer], house: House, today: date) -> pd.DataFrame:
    """A row for each offer with days, the first to begin first; see ``COLUMNS`` of the chart."""
    rows, seen = [], Counter[str]()
    for one in found:
        days = _days(one, house, today)
        if days is None:
            continue
        starts, ends = days
        name = one.name if len(one.name) <= 40 else one.name[:39].rstrip() + "…"
        seen[name] += 1
        last = ends - timedelta(days=1)
        rows.append(
            {
                "name": name if seen[name] == 1 else f"{name} (no. {one.offer_id})",
                "status": STATUSES[one.status][0],
                "starts": _at(starts),
                "ends": _at(ends),
                "until": _at(ends + timedelta(days=one.window_days)),
                "role": _ROLES.get(one.status, _OVER),
                "days": f"{starts:%-d %b %Y} – {last:%-d %b %Y}, measured {one.window_days} days",
                "today": _at(today, 12),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("starts", ignore_index=True, kind="stable")


def _days(one: Offer, house: House, today: date) -> tuple[date, date] | None:
    """The first day and the day after the last; null where there are none. What has no first day begins today."""
    if one.ends_at is None:
        return None
    ends = store_day(one.ends_at - timedelta(microseconds=1), house.store.zone) + timedelta(days=1)
    if one.starts_at is None:
        return (today, ends) if ends > today and not one.is_over else None
    return store_day(one.starts_at, house.store.zone), ends


def _touches(one: Offer, house: House, today: date, before: int, after: int) -> bool:
    days = _days(one, house, today)
    if days is None:
        return False
    until = days[1] + timedelta(days=one.window_days)
    return (until - today).days >= -before and (days[0] - today).days <= after


def _coming(house: House, found: list[Offer], today: date) -> None:
    """What happens next, day by day: offers, holidays and the store's own notes."""
    coming: list[_Coming] = []
    for one in found:
        days = _days(one, house, today)
        if days is None or one.is_over:
            continue
        if one.starts_at is not None and days[0] > today:
            coming.append((days[0], "first day", one))
        coming.append((days[1] - timedelta(days=1), "last day", one))
        if one.status in {"running", "paused"}:
            coming.append((days[1] + timedelta(days=one.window_days), "all of it measured", one))
    end = today + timedelta(days=_SPANS["Three months"][1])
    coming += [(day, words, None) for day, words in marked_days(house.store.country, today, end).items()]
    with st.container(border=True, gap="xsmall", key="offers_coming"):
        st.markdown("**What comes**")
        ahead = sorted((day for day in coming if day[0] >= today), key=lambda one: (one[0], one[1]))
        if not ahead:
            st.caption("Nothing in sight.")
        for day, words, offer in ahead[:_MOST_COMING]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f":gray[{day:%a %-d %b %Y}]", width=150)
                if offer is None:
                    st.markdown(plain(words))
                else:
                    query = {"offer": str(offer.offer_id)}
                    st.page_link(OFFERS, label=f"{one_line(offer.name, 60)}: {words}", query_params=query)


def _at(day: date, hour: int = 0) -> datetime:
    return datetime.combine(day, time(hour))
