"""Keeping a what-if and finding it again: saved with its author, assumptions, range and due date."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.periods import start_of_day
from lib.queues.what_ifs import SavedWhatIf, offers_to_foretell, saved_what_if, saved_what_ifs
from lib.settings import settings
from lib.staff import May
from lib.stats.forecast import Forecast
from lib.stats.what_if import Range
from lib.ui.access import Opened, show_error
from lib.ui.desk import act
from lib.ui.places import WHAT_IF
from lib.ui.tables import download, pick
from lib.ui.text import MISSING, plain
from lib.ui.visit import base_of_page
from lib.ui.what_if_words import money_range, short_words, whole
from lib.workflows.what_ifs import save_what_if

PARAMETER = "saved"
NO_OFFER = "No offer yet"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """A saved what-if that is open: what was saved, and what it is worked out from."""

    saved: SavedWhatIf
    forecast: Forecast


def opened() -> Kept | None:
    """The saved what-if that the address names, if there is one; what is none is told and passed over."""
    number = st.query_params.get(PARAMETER, "")
    if not number.isdecimal() or len(number) > 15:
        return None
    try:
        found = _read(settings().database_url, int(number))
        if found is None:
            st.warning("There is no what-if under this link any more.", icon=":material/link_off:")
            return None
        return Kept(saved=found, forecast=Forecast.from_json(found.scenario, found.assumptions))
    except EncoreError as error:
        st.warning(str(error), icon=":material/link_off:")
        return None


# A saved what-if changes only when it is scored.
@st.cache_data(ttl=60, max_entries=40, show_spinner=False)
def _read(url: str, number: int) -> SavedWhatIf | None:
    with reading(order_database(settings())) as connection:
        return saved_what_if(connection, number)


def link_of(number: int) -> str:
    """The address that shows a saved what-if again."""
    return f"{base_of_page()}/what_if?{PARAMETER}={number}"


def draw_banner(page: Opened, kept: Kept) -> None:
    """Whose what-if is open, and the way back to today's figures."""
    saved = kept.saved
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="if_kept_banner"):
        author = f" by {saved.author}" if saved.author else ""
        due = f"; due {_day(page, saved.due_at)}" if saved.due_at else ""
        st.markdown(
            f":material/bookmark: **{plain(saved.name)}**, saved{plain(author)} on "
            f"{_day(page, saved.created_at)}{due}. It stands on the figures and assumptions of then.",
            width="stretch",
        )
        st.button("Use today's figures", on_click=_leave, key="if_leave", width="content")


def _leave() -> None:
    st.query_params.pop(PARAMETER, None)


def _day(page: Opened, at: datetime | None) -> str:
    return MISSING if at is None else f"{at.astimezone(page.house.store.zone):%-d %b %Y}"


def save_button(page: Opened, forecast: Forecast) -> None:
    """Open the dialog that keeps it; only for those who plan offers."""
    if not page.staff.may(May.PLAN_OFFERS):
        return
    if st.button("Save", icon=":material/bookmark_add:", key="if_save"):
        st.dialog("Save this what-if")(_save)(page, forecast)


def _save(page: Opened, forecast: Forecast) -> None:
    try:
        _draw_save(page, forecast)
    except Exception as error:
        show_error(error)


def _draw_save(page: Opened, forecast: Forecast) -> None:
    scenario = forecast.scenario
    name = st.text_input("Name", value=short_words(scenario, page.currency), max_chars=120, key="if_save_name")
    days = scenario.run_days + scenario.reward.expiry_days
    with reading(order_database(settings())) as connection:
        offers = offers_to_foretell(connection)
    labels = {NO_OFFER: None} | {f"{name_} (#{key})": key for key, name_ in offers.items()}
    offer = st.selectbox(
        "Foretells the offer",
        list(labels),
        key="if_save_offer",
        help="When that offer's window closes, this forecast is set against what was measured.",
    )
    due = st.date_input(
        "Due",
        page.today + timedelta(days=days),
        min_value=page.today + timedelta(days=1),
        max_value=page.today + timedelta(days=1500),
        format="DD/MM/YYYY",
        key="if_save_due",
        help=f"When the outcome is known: {scenario.run_days} days of starts and {scenario.reward.expiry_days} to buy.",
    )
    if st.button("Save", type="primary", key="if_save_now"):
        at, made = now(), list[int]()
        is_done = act(
            lambda connection: made.append(
                save_what_if(
                    connection,
                    page.staff,
                    name,
                    forecast,
                    due_at=start_of_day(due, page.house.store.zone),
                    offer_id=labels.get(offer or NO_OFFER),
                    at=at,
                )
            ),
            "Saved. Its address shows the same screen to everybody, also when the figures have moved on.",
        )
        if is_done:
            st.query_params[PARAMETER] = str(made[0])
        st.rerun()


@st.fragment
def draw_saved(page: Opened) -> None:
    """All that were saved, newest first; choosing one opens it."""
    with reading(order_database(settings())) as connection:
        found = saved_what_ifs(connection)
    if not found:
        st.caption("Nothing saved yet. Move the sliders and save what you want to find again, or be held to.")
        return
    st.caption("Choose one to open it as it was: with the figures and assumptions of its day.")
    frame = saved_frame(page, found)
    place = pick(frame, alt="Saved what-ifs", key="if_saved_table")
    download("Download (CSV)", "what_ifs", lambda: frame, key="csv_if_saved")
    if place is not None:
        if found[place].is_open:
            st.switch_page(WHAT_IF, query_params={PARAMETER: str(found[place].what_if_id)})
        st.info("This one was not worked out on this page: there are no sliders to show.", icon=":material/info:")


def saved_frame(page: Opened, found: list[SavedWhatIf]) -> pd.DataFrame:
    """One row each, in words."""
    currency = page.currency
    return pd.DataFrame(
        {
            "What-if": [one.name for one in found],
            "Saved": [_day(page, one.created_at) for one in found],
            "By": [one.author or MISSING for one in found],
            "Profit foretold": [_profit(one.forecast, currency) for one in found],
            "Chance": [f"{one.forecast['chance']:.0%}" if one.is_open else MISSING for one in found],
            "Offer": [one.offer or MISSING for one in found],
            "Due": [_day(page, one.due_at) for one in found],
            "Outcome": [_outcome(one) for one in found],
        }
    )


def _profit(forecast: Mapping[str, Any], currency: str) -> str:
    if "profit" not in forecast:
        return MISSING
    profit = Range(**forecast["profit"])
    return f"{whole(profit.middle, currency)} ({money_range(profit, currency)})"


def _outcome(one: SavedWhatIf) -> str:
    if not one.is_scored:
        return "due" if one.due_at is not None and one.due_at <= now() else "not due yet"
    held = (one.actual or {}).get("held")
    return "scored" if held is None else "the range held" if held else "outside the range"
