"""The frame around every page: navigation, whose store it is, how fresh, and the choice of days."""

from dataclasses import dataclass

import streamlit as st

from lib.errors import NotSignedIn
from lib.metrics.definition import Unit
from lib.settings import ROOT, settings
from lib.staff import May, Staff
from lib.ui.access import freshness, show_error
from lib.ui.cached import figure, slices
from lib.ui.chart import STYLE as CHART_STYLE
from lib.ui.choices import Choice, choose
from lib.ui.live import House, missing_orders, open_house
from lib.ui.places import IMPORTS, PAGES
from lib.ui.text import of_days, plain, written
from lib.ui.visit import reader
from lib.ui.whose import draw_whose, say_signed_out

STATIC = ROOT / "lib" / "ui" / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One page as the navigation knows it.

    ``may``: what a reader must be allowed to open it. ``has_period``: whether it shows figures of chosen days.
    ``has_marks``: whether it says how fresh the orders are and whose they are.
    ``in_menu``: whether the navigation lists it for those who may open it.
    """

    title: str
    icon: str
    words: str
    may: May
    has_period: bool = False
    has_marks: bool = True
    in_menu: bool = True

    @property
    def file(self) -> str:
        return f"{self.title.lower().replace(' ', '_').replace('-', '_')}.py"


# A strong button is bright in the dark appearance: white on it could not be read by everybody.
_STRONG = """[data-testid=stBaseButton-primary]:not(:disabled),
[data-testid=stBaseButton-primary]:not(:disabled) :is(p, span, kbd),
[data-testid=stMenuButtonButton][kind=primary]:not(:disabled),
[data-testid=stMenuButtonButton][kind=primary]:not(:disabled) :is(p, span) {
  color: light-dark(#ffffff, #06120e) !important;
}"""
STYLE = f"<style>{_STRONG}\n{CHART_STYLE}</style>"

NAVIGATION = (
    Screen(
        title="Today",
        icon=":material/sunny:",
        words="What needs you, and how the shop is doing.",
        may=May.SEE_FIGURES,
        has_period=True,
    ),
    Screen(
        title="Repeat",
        icon=":material/replay:",
        words="Do they come back, when, and after what?",
        may=May.SEE_FIGURES,
        has_period=True,
    ),
    Screen(
        title="To do",
        icon=":material/checklist:",
        words="One list for the day, each customer once, what is due first.",
        may=May.SEE_QUEUE,
    ),
    Screen(
        title="Offers",
        icon=":material/redeem:",
        words="What customers get after a purchase: plan it, start it with a holdout, read the honest result.",
        may=May.SEE_FIGURES,
    ),
    Screen(
        title="Audiences",
        icon=":material/groups:",
        words="Segments of customers, how large they are, and the contact rules that hold for all offers.",
        may=May.PLAN_OFFERS,
    ),
    Screen(
        title="Reviews",
        icon=":material/reviews:",
        words="Answer what customers wrote, the unhappy first.",
        may=May.SEE_QUEUE,
    ),
    Screen(
        title="Tickets",
        icon=":material/support_agent:",
        words="Answer who waits, the most overdue first.",
        may=May.SEE_QUEUE,
    ),
    Screen(
        title="Customers",
        icon=":material/person_search:",
        words="Find a person and read their story; who is new, active, due, at risk or lapsed.",
        may=May.SEE_FIGURES,
    ),
    Screen(
        title="What-if",
        icon=":material/tune:",
        words="Move the sliders: what would an offer earn, and how sure is that?",
        may=May.SEE_FIGURES,
    ),
    Screen(
        title="Outbox",
        icon=":material/outbox:",
        words="What leaves the house by mail and webhook, what did not and why, and the mailbox.",
        may=May.SEE_QUEUE,
    ),
    Screen(
        title="Imports",
        icon=":material/upload:",
        words="Bring your shop's orders in, and see what could not be read.",
        may=May.IMPORT,
    ),
    Screen(
        title="Staff",
        icon=":material/group:",
        words="Who works here, and what they may do.",
        may=May.MANAGE_STAFF,
        has_marks=False,
    ),
    Screen(
        title="Audit",
        icon=":material/history:",
        words="Who did what, and when.",
        may=May.SEE_AUDIT,
        has_marks=False,
    ),
    Screen(
        title="My account",
        icon=":material/account_circle:",
        words="Your name, your password, and where you are signed in.",
        may=May.SEE_FIGURES,
        has_marks=False,
        in_menu=False,
    ),
)


def main() -> None:
    """Draw the frame, then the page in it."""
    # Before the navigation: a page's own icon would be fetched from outside as the browser's.
    st.set_page_config(page_title="Encore", page_icon=STATIC / "mark.svg", layout="wide")
    st.html(STYLE)
    try:
        staff = reader()
    except NotSignedIn as over:
        say_signed_out(over)
        return
    except Exception as error:
        show_error(error)
        return
    pages = {screen.title: _page(screen, staff) for screen in NAVIGATION}
    page = st.navigation(list(pages.values()), expanded=True)
    st.logo(STATIC / "logo.svg", icon_image=STATIC / "mark.svg", size="medium")
    screen = next(screen for screen in NAVIGATION if screen.title == page.title)
    try:
        house = open_house()
        draw_whose(house.store.name)
        # A page asks again; asked here, so that nothing of it is drawn for those who may not open it.
        staff.must(screen.may)
        choice = _header(screen, house)
        if screen.has_marks:
            _marks(screen, house, choice, may_import=staff.may(May.IMPORT))
        page.run()
    except Exception as error:
        show_error(error)


def _page(screen: Screen, staff: Staff) -> st.Page:
    """A page that the reader may not open stays known, so that its address is refused in words."""
    return st.Page(
        PAGES / screen.file,
        title=screen.title,
        icon=screen.icon,
        default=screen is NAVIGATION[0],
        help=screen.words,
        visibility="visible" if screen.in_menu and staff.may(screen.may) else "hidden",
    )


def _header(screen: Screen, house: House) -> Choice | None:
    if house.mart is None or house.is_empty or not screen.has_period:
        st.title(screen.title, anchor=False)
        if screen.has_marks:
            st.caption(freshness(house))
        return None
    left, right = st.columns([1, 1.35], vertical_alignment="bottom")
    with right:
        choice = choose(house.store.today(), slices(house.mart, "channel"))
    with left, st.container(gap=None):
        st.title(screen.title, anchor=False)
        st.caption(plain(choice.words() if screen is NAVIGATION[0] else of_days(choice.period, year=_afar(choice))))
    return choice


def _afar(choice: Choice) -> bool | None:
    return choice.period.end.year != choice.today.year or None


def _marks(screen: Screen, house: House, choice: Choice | None, *, may_import: bool) -> None:
    """What every reader must know before the figures: freshness, invented data, missing orders."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="marks"):
        if choice is not None:
            st.caption(freshness(house), width="content")
        if house.store.is_demo:
            st.badge("Demo store: invented data", icon=":material/science:", color="orange")
            if may_import and screen.title != "Imports":
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
        if may_import:
            st.page_link(IMPORTS, label="See and correct them", icon=":material/arrow_forward:")


main()
