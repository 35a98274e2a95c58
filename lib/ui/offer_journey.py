"""The time after checkout as a line, and the store's offers on it."""

from html import escape

import streamlit as st

from lib.metrics.definition import Scope
from lib.offer import KINDS, Moment
from lib.periods import Period
from lib.queues.offers import Offer
from lib.ui.cached import figures
from lib.ui.live import House
from lib.ui.offer_new import begin_offer
from lib.ui.offer_terms import ICONS, STATUSES, when
from lib.ui.places import OFFERS
from lib.ui.sparkline import themed
from lib.ui.text import one_line

# The stations of the line, and what is asked for between them.
STATIONS = ("Cart left", "Accepted", "Packed", "Shipped", "Delivered", "Days after", "Next order due")
_AT = {
    Moment.CART_LEFT: "Cart left",
    Moment.ORDERED: "Accepted",
    Moment.PACKED: "Packed",
    Moment.SHIPPED: "Shipped",
    Moment.LATE: "Shipped",
    Moment.NEXT_DUE: "Next order due",
    Moment.LAST_ORDER: "Next order due",
}
# From so many days on it is no longer the arrival that is spoken of.
_SETTLED_AFTER = 2
_DAYS_LOOKED_AT = 180
# What is measured of the way to a station: the figure, and how it is told.
_MEASURED = {
    "Shipped": ("days_to_ship", "{} days after the order"),
    "Delivered": ("days_in_transit", "{} days on the way"),
    "Next order due": ("time_to_second_order_p25", "a quarter is back after {} days"),
}


def station_of(moment: Moment, delay_days: int) -> str:
    """Where on the line an offer stands."""
    if moment is Moment.DELIVERED:
        return "Delivered" if delay_days < _SETTLED_AFTER else "Days after"
    return _AT[moment]


def draw_journey(house: House, found: list[Offer], *, may: bool) -> None:
    """The line, each offer that is not over at its station, and how long the store takes between them."""
    at_station: dict[str, list[Offer]] = {name: [] for name in STATIONS}
    for offer in found:
        plan = offer.plan
        if plan is not None and not offer.is_over:
            at_station[station_of(plan.moment, plan.delay_days)].append(offer)
    told = _between(house)
    with st.grid(len(STATIONS), min_column_width=116, gap="small", key="journey"):
        for place, name in enumerate(STATIONS):
            with st.container(gap="xsmall", height="stretch", key=f"station_{place}"):
                st.html(_station(name, told.get(name, ""), is_first=place == 0, is_last=place == len(STATIONS) - 1))
                for offer in sorted(at_station[name], key=lambda one: one.plan.delay_days if one.plan else 0):
                    _offer(offer)
                if may:
                    _add(house, name, place)


def _offer(offer: Offer) -> None:
    plan = offer.plan
    assert plan is not None  # only planned ones are on the line
    with st.container(border=True, gap=None, key=f"on_line_{offer.offer_id}"):
        icon = ICONS[offer.kind]
        label = f"{icon} {one_line(offer.name, 40)}"
        st.page_link(OFFERS, label=label, query_params={"offer": str(offer.offer_id)})
        st.caption(one_line(f"{STATUSES[offer.status][0]}, {when(plan)}", 70))


def _add(house: House, station: str, place: int) -> None:
    kinds = [kind for kind in KINDS.values() if station_of(kind.moment, kind.delay_days) == station]
    if not kinds:
        kinds = [kind for kind in KINDS.values() if kind.moment in {Moment.ORDERED, Moment.DELIVERED}]
    labels = {f"{ICONS[kind.name]} {kind.label}": kind.name for kind in kinds}
    moment = {"Packed": Moment.PACKED, "Shipped": Moment.SHIPPED}.get(station)
    key = f"add_at_{place}"
    chosen = st.menu_button("Add", list(labels), icon=":material/add:", type="tertiary", key=key)
    if chosen:
        begin_offer(house.store, labels[chosen], moment=moment if labels[chosen] != "tracking_notice" else None)


def _station(name: str, words: str, *, is_first: bool, is_last: bool) -> str:
    accent = themed("primaryColor")
    line = "color-mix(in srgb, currentColor 30%, transparent)"
    left = "50%" if is_first else "0"
    right = "50%" if is_last else "-1rem"
    return (
        '<div style="text-align:center">'
        '<div style="position:relative;height:18px">'
        f'<div style="position:absolute;top:8px;left:{left};right:{right};height:2px;background:{line}"></div>'
        f'<div style="position:absolute;top:3px;left:calc(50% - 6px);width:12px;height:12px;border-radius:50%;'
        f'background:{accent}"></div></div>'
        f'<p style="margin:.25rem 0 0;font-weight:600">{escape(name)}</p>'
        f'<p style="margin:0;min-height:3em;line-height:1.5;font-size:.875rem;'
        f'color:color-mix(in srgb, currentColor 70%, transparent)">{escape(words)}</p></div>'
    )


def _between(house: House) -> dict[str, str]:
    """How long it takes to each station, as measured in the store; nothing where nothing was."""
    if house.mart is None or house.is_empty:
        return {}
    today = house.store.today()
    scope = Scope(period=Period.last(_DAYS_LOOKED_AT, before=today), as_of=today)
    found = figures(house.mart, [key for key, _ in _MEASURED.values()], scope)
    return {
        station: words.format(f"{value:.1f}".removesuffix(".0"))
        for station, (key, words) in _MEASURED.items()
        if (value := found[key].value) is not None
    }
