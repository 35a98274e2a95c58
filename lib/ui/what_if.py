"""What-if: sliders on one side, the answer on the other, while they move."""

from collections.abc import Mapping
from datetime import date

import streamlit as st

from lib.errors import NotEnoughData
from lib.metrics.definition import Mart
from lib.metrics.what_if_input import Group, grounds
from lib.metrics.what_if_moments import LOOKED_AT
from lib.offer import Moment
from lib.stats.assumptions import Assumptions
from lib.stats.ground import Ground
from lib.stats.scenario import worked
from lib.stats.what_if import what_if
from lib.ui.access import Opened, show_error
from lib.ui.assumptions import edited
from lib.ui.what_if_answer import Answer, Ranges, draw_first_cards, draw_headline, draw_more_cards, draw_profit
from lib.ui.what_if_best import draw_best, draw_depth_delay
from lib.ui.what_if_controls import MOMENTS, choose_group, choose_moment, draw_controls, of_audience
from lib.ui.what_if_looks import draw_tornado, wished

LOOKS = ("What matters most", "Depth and delay", "Best offer", "Wished profit")
Grounds = Mapping[str, tuple[Group, Ground]]


@st.cache_resource(ttl="1h", max_entries=12, show_spinner=False)
def _grounds(moment: Moment, as_of: date, version: int, place: str, _mart: Mart) -> Grounds:
    """The measured grounds of a moment: read-only, so that one object serves every reader."""
    return grounds(_mart, moment, as_of)


@st.fragment
def draw_offer(page: Opened) -> None:
    """An offer: what can be moved, and the answer."""
    try:
        _draw(page)
    except Exception as error:
        show_error(error)


def _draw(page: Opened) -> None:
    head = st.container(key="if_head")
    left, right = st.columns([1, 1.9])
    with left, st.container(border=True, key="if_sliders"):
        moment = choose_moment(is_kept=False)
        known = _grounds(MOMENTS[moment], page.today, page.version, str(page.house.store.name), page.mart)
        group, ground = known[choose_group(list(known), is_kept=False)]
        scenario = draw_controls(of_audience(group.name, group.audience, moment), ground, page.currency)
        with st.popover("Assumptions", icon=":material/help:", width="stretch"):
            base = Assumptions()
            assumptions = edited(base)
        _basis(ground)
    try:
        put = worked(scenario, ground)
    except NotEnoughData as missing:
        with head:
            st.info(str(missing), icon=":material/hourglass_empty:")
        return
    answer = Answer(
        scenario=scenario,
        worked=put,
        assumptions=assumptions,
        result=what_if(put.offer, put.waiting, assumptions),
    )
    ranges = Ranges.of(answer.result)
    with head:
        draw_headline(answer, page.currency, is_edited=assumptions != base)
        draw_first_cards(answer, ranges, page.currency)
    with right:
        draw_more_cards(ranges, page.currency)
        with st.container(border=True, key="if_answer"):
            draw_profit(answer, ranges, page.currency)
        with st.container(border=True, key="if_looks"):
            _look(answer, ground, known, page.currency)


def _look(answer: Answer, ground: Ground, known: Grounds, currency: str) -> None:
    tabs = st.tabs(LOOKS, key="if_look", on_change="rerun", bind="query-params")
    for name, tab in zip(LOOKS, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            match name:
                case "What matters most":
                    draw_tornado(answer, currency)
                case "Depth and delay":
                    draw_depth_delay(answer, ground, currency)
                case "Best offer":
                    draw_best(answer, known, currency)
                case _:
                    wished(answer, currency)


def _basis(ground: Ground) -> None:
    """What the baseline was measured from."""
    st.caption(
        f"Measured: {ground.starts:,} times a customer reached this moment in the last {LOOKED_AT // 365} years, "
        f"{ground.per_day:,.1f} a day in the last one; followed for up to {ground.longest:,} days."
    )
