"""All offers: the journey they stand on, the list, and the owner's cost limit."""

import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.errors import EncoreError
from lib.money import exponent, format_money, to_minor
from lib.queues.offers import Offer, offer_list
from lib.settings import settings
from lib.staff import May, Staff
from lib.ui.access import show_error
from lib.ui.desk import act, told
from lib.ui.live import House, open_house
from lib.ui.offer_journey import draw_journey
from lib.ui.offer_new import new_offer_button
from lib.ui.offer_terms import ICONS, STATUSES, days_words, given, when
from lib.ui.places import OFFERS
from lib.ui.text import one_line, plain
from lib.ui.visit import reader
from lib.workflows.offer_approval import approval_limit, set_approval_limit

# What the list can be narrowed to.
_VIEWS = {
    "Open": ("draft", "approved", "running", "paused"),
    "Drafts": ("draft",),
    "Running": ("running", "paused"),
    "Over": ("stopped", "finished"),
    "All": (),
}
_A_PAGE = 20


def draw_offers() -> None:
    """The journey and the list."""
    try:
        staff, house = reader(), open_house()
        staff.must(May.SEE_FIGURES)
        _draw(staff, house)
    except EncoreError as error:
        show_error(error)


def _draw(staff: Staff, house: House) -> None:
    told()
    may = staff.may(May.PLAN_OFFERS)
    with reading(order_database(settings())) as connection:
        found = offer_list(connection)
        limit = approval_limit(connection)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="offers_bar"):
        st.markdown("**From the order to the next one**", width="stretch")
        if may:
            new_offer_button(house.store)
    with st.container(border=True, key="offers_journey"):
        draw_journey(house, found, may=may)
    _list(house, found)
    _limit(staff, house, limit)


@st.fragment
def _list(house: House, found: list[Offer]) -> None:
    st.markdown("**All offers**")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        view = st.segmented_control(
            "Show",
            list(_VIEWS),
            default="Open" if any(not one.is_over for one in found) else "All",
            format_func=lambda name: f"{name} · {len(_of(found, name)):,}",
            required=True,
            key="offers_view",
            label_visibility="collapsed",
            width="content",
        )
        asked = st.text_input(
            "Find", placeholder="Find by name or kind", key="offers_find", label_visibility="collapsed", width=220
        )
    words = asked.casefold().split()
    shown = [one for one in _of(found, str(view)) if all(word in _said(one) for word in words)]
    if not shown:
        with st.container(border=True):
            st.markdown("**No offer here.**" if found else "**No offer yet.**")
            st.caption(
                "Begin one at a station of the line above: what fits there is offered."
                if not found
                else "Choose another view, or other words."
            )
        return
    page = 1
    if len(shown) > _A_PAGE:
        page = st.pagination(-(-len(shown) // _A_PAGE), key="offers_page")
    for one in shown[(page - 1) * _A_PAGE : page * _A_PAGE]:
        _line(house, one)


def _line(house: House, one: Offer) -> None:
    name, color = STATUSES[one.status]
    plan, zone, currency = one.plan, house.store.zone, house.store.currency or "EUR"
    with st.container(border=True, gap=None, key=f"offer_line_{one.offer_id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            label = f"{ICONS[one.kind]} **{one_line(one.name, 80)}**"
            st.page_link(OFFERS, label=label, query_params={"offer": str(one.offer_id)})
            st.badge(name, color=color)  # type: ignore[arg-type]  # the names of STATUSES are colours of badges
            if one.waits and one.status != "draft":
                st.badge(f"Version {one.number} waits for approval", color="orange")
        parts = [one.label, days_words(one.starts_at, one.ends_at, zone)]
        if plan is not None:
            parts[1:1] = [when(plan), f"gives {given(plan.reward, currency)}"]
        parts.append(f"holdout {one.holdout_share * 100:g} %")
        if one.pause_reason:
            parts.append(one.pause_reason)
        st.caption(one_line(" · ".join(parts), 220))


def _limit(staff: Staff, house: House, limit: int | None) -> None:
    currency = house.store.currency or "EUR"
    said = f"above {format_money(limit, currency)}" if limit is not None else "never"
    with st.expander(plain(f"A second person must approve: {said}"), icon=":material/verified_user:"):
        st.caption(
            "What an offer may cost is its budget. One without a budget may cost any amount, so above a limit a second "
            "person, an owner who did not write it, must always approve it. What gives nothing and costs nothing never "
            "needs one."
        )
        if not staff.may(May.APPROVE_OFFERS):
            st.caption("An owner sets the limit.")
            return
        digits = exponent(currency)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            value = st.number_input(
                f"Cost limit, {currency}",
                0.0,
                10.0**9,
                limit / 10**digits if limit is not None else None,
                key=f"approval_limit_{limit}",
                width=200,
                placeholder="none",
            )
            if st.button("Set the limit", key="set_approval_limit"):
                minor = to_minor(f"{value:.{digits}f}", currency) if value is not None else None
                act(lambda c: set_approval_limit(c, staff, minor, at=now()), "The limit is set.")
                st.rerun()


def _of(found: list[Offer], view: str) -> list[Offer]:
    wanted = _VIEWS[view]
    return [one for one in found if not wanted or one.status in wanted]


def _said(one: Offer) -> str:
    return f"{one.name} {one.label} {STATUSES[one.status][0]}".casefold()
