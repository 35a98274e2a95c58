"""Days that are not like others: public holidays, and the store's own notes."""

from datetime import date, timedelta
from functools import cache

import holidays
import streamlit as st

from lib.db.engine import order_database, reading
from lib.periods import day_index
from lib.queues.day import current_goals, notes
from lib.settings import settings


@cache
def _holidays_of(country: str, year: int) -> dict[date, str]:
    try:
        return dict(holidays.country_holidays(country, years=year, language="en_US").items())
    except NotImplementedError:
        return {}


def holidays_between(country: str, start: date, end: date) -> dict[date, str]:
    """The public holidays of a country in ``[start, end)``, by name; none for an unknown country."""
    if not country:
        return {}
    found = {}
    for year in range(start.year, end.year + 1):
        found.update({day: name for day, name in _holidays_of(country, year).items() if start <= day < end})
    return found


@st.cache_data(ttl=60, max_entries=100, show_spinner=False)
def notes_between(url: str, start: date, end: date) -> list[tuple[date, date, str, bool]]:
    """The store's own notes that touch ``[start, end)``: first day, end, words, whether the days were unusual."""
    with reading(order_database(settings())) as connection:
        return notes(connection, start, end)


@st.cache_data(ttl=60, max_entries=10, show_spinner=False)
def goals_on(url: str, today: date) -> list[tuple[str, date, date, int]]:
    """The goals that run on a day: figure, first day, end, target."""
    with reading(order_database(settings())) as connection:
        return current_goals(connection, today)


def marked_days(country: str, start: date, end: date) -> dict[date, str]:
    """What to note on each day of ``[start, end)``: holidays and the first day of each note."""
    marks = dict(holidays_between(country, start, end))
    for first, _, words, _ in notes_between(settings().database_url, start, end):
        day = max(first, start)
        marks[day] = f"{marks[day]}; {words}" if day in marks else words
    return marks


def skipped_days(country: str, start: date, end: date) -> set[int]:
    """Days that the expected range must not learn from: holidays, and days noted as unusual."""
    days = {day_index(day) for day in holidays_between(country, start, end)}
    for first, after, _, is_unusual in notes_between(settings().database_url, start, end):
        if is_unusual:
            day = max(first, start)
            while day < min(after, end):
                days.add(day_index(day))
                day += timedelta(days=1)
    return days
