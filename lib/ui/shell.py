"""The frame around every page: navigation, whose store it is, how fresh, and the choice of days."""

import streamlit as st

from lib.metrics.definition import Unit
from lib.settings import ROOT, settings
from lib.ui.access import freshness, show_error
from lib.ui.cached import figure, slices
from lib.ui.choices import Choice, choose
from lib.ui.live import House, missing_orders, open_house
from lib.ui.places import IMPORTS, PAGES
from lib.ui.text import of_days, plain, written

STATIC = ROOT / "lib" / "ui" / "static"

NAVIGATION = (
    ("Today", ":material/sunny:", "What needs you, and how the shop is doing."),
    ("Repeat", ":material/replay:", "Do they come back, when, and after what?"),
    ("Imports", ":material/upload:", "Bring your shop's orders in, and see what could not be read."),
)


def main() -> None:
    """Draw the frame, then the page in it."""
    # Before the navigation: a page's own icon would be fetched from outside as the browser's.
    st.set_page_config(page_title="Encore", page_icon=STATIC / "mark.svg", layout="wide")
    page = st.navigation(
        [
            st.Page(PAGES / f"{name.lower()}.py", title=name, icon=icon, default=name == "Today", help=words)
            for name, icon, words in NAVIGATION
        ],
        expanded=True,
    )
    st.logo(STATIC / "logo.svg", icon_image=STATIC / "mark.svg", size="medium")
    try:
        house = open_house()
        _sidebar(house)
        choice = _header(page.title, house)
        _marks(page.title, house, choice)
        page.run()
    except Exception as error:
        show_error(error)


def _sidebar(house: House) -> None:
    with st.sidebar, st.container(gap="xsmall"):
        st.text(house.store.name)
        st.caption("For you alone: the app answers to this computer only. Accounts come later.")


def _header(title: str, house: House) -> Choice | None:
    if house.mart is None or house.is_empty or title == "Imports":
        st.title(title, anchor=False)
        st.caption(freshness(house))
        return None
    left, right = st.columns([1, 1.35], vertical_alignment="bottom")
    with right:
        choice = choose(house.store.today(), slices(house.mart, "channel"))
    with left, st.container(gap=None):
        st.title(title, anchor=False)
        st.caption(plain(choice.words() if title == "Today" else of_days(choice.period, year=_afar(choice))))
    return choice


def _afar(choice: Choice) -> bool | None:
    return choice.period.end.year != choice.today.year or None


def _marks(title: str, house: House, choice: Choice | None) -> None:
    """What every reader must know before the figures: freshness, invented data, missing orders."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="marks"):
        if choice is not None:
            st.caption(freshness(house), width="content")
        if house.store.is_demo:
            st.badge("Demo store: invented data", icon=":material/science:", color="orange")
            if title != "Imports":
                st.page_link(IMPORTS, label="Replace it with your shop", icon=":material/arrow_forward:")
    if choice is None or house.mart is None:
        return
    gone = missing_orders(settings().database_url, choice.period.start, choice.period.end)
    if not gone.orders:
        return
    many = f"{gone.orders:,} order is" if gone.orders == 1 else f"{gone.orders:,} orders are"
    text = f"{many} missing from these figures"
    net = figure(house.mart, "net_sales", choice.scope(choice.period.end))
    if gone.amount_minor and net.value is not None and net.value + gone.amount_minor > 0:
        text += f", about {written(gone.amount_minor / (net.value + gone.amount_minor), Unit.SHARE, '')} of net sales"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="missing"):
        st.markdown(f":orange[:material/warning:] {text}: an import could not read them.", width="content")
        st.page_link(IMPORTS, label="See and correct them", icon=":material/arrow_forward:")


main()
