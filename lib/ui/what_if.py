"""What-if: sliders on one side, the answer on the other, while they move."""

import re

import streamlit as st

from lib.errors import NotEnoughData
from lib.metrics.what_if_input import EVERYONE, Group
from lib.metrics.what_if_moments import LOOKED_AT
from lib.stats.assumptions import Assumptions
from lib.stats.forecast import Forecast
from lib.stats.ground import Ground
from lib.stats.scenario import worked
from lib.stats.what_if import what_if
from lib.ui.access import Opened, show_error
from lib.ui.assumptions import edited, set_assumptions
from lib.ui.learned import learned_by, learned_words
from lib.ui.tables import download, download_made
from lib.ui.text import plain
from lib.ui.what_if_answer import Answer, Ranges, draw_first_cards, draw_headline, draw_more_cards, draw_profit
from lib.ui.what_if_beside import draw_beside
from lib.ui.what_if_best import draw_best, draw_depth_delay
from lib.ui.what_if_controls import MOMENTS, choose_group, choose_moment, draw_controls, of_audience, set_controls
from lib.ui.what_if_grounds import Grounds, grounds_of
from lib.ui.what_if_looks import draw_tornado, wished
from lib.ui.what_if_saved import Kept, link_of, save_button
from lib.ui.what_if_sheet import Heading, paper, rows
from lib.ui.what_if_words import headline, short_words, source_words

LOOKS = ("What matters most", "Depth and delay", "Best offer", "Side by side", "Wished profit")
_MARKS = re.compile(r"\*\*|:\w+-badge\[(?::material/\w+: )?([^\]]*)\]")


def put_sliders(page: Opened, kept: Kept | None) -> None:
    """Put the sliders where a saved what-if has them, once when it is opened, and back when it is left."""
    now, before = None if kept is None else kept.saved.what_if_id, st.session_state.get("if_saved")
    if now == before:
        return
    st.session_state["if_saved"] = now
    if kept is not None:
        set_controls(kept.forecast.scenario, page.currency)
        set_assumptions(kept.forecast.assumptions)
    else:
        set_assumptions(learned_by(page).assumptions)


@st.fragment
def draw_offer(page: Opened, kept: Kept | None) -> None:
    """An offer: what can be moved, and the answer; on the ground of a saved what-if where one is open."""
    try:
        _draw(page, kept)
    except Exception as error:
        show_error(error)


def _draw(page: Opened, kept: Kept | None) -> None:
    head = st.container(key="if_head")
    left, right = st.columns([1, 1.9])
    taught = learned_by(page) if kept is None else None
    base = (
        taught.assumptions if taught is not None else kept.forecast.assumptions if kept is not None else Assumptions()
    )
    with left, st.container(border=True, key="if_sliders"):
        moment = choose_moment(is_kept=kept is not None)
        known = _grounds(page, moment, kept)
        group, ground = known[choose_group(list(known), is_kept=kept is not None)]
        scenario = draw_controls(of_audience(group.name, group.audience, moment), ground, page.currency)
        with st.popover("Assumptions", icon=":material/help:", width="stretch"):
            assumptions = edited(base)
            if taught is not None and taught.lessons:
                st.caption(plain(f"{learned_words(taught)}. The scoreboard says what each taught."))
        _basis(ground)
    try:
        put = worked(scenario, ground)
    except NotEnoughData as missing:
        with head:
            st.info(str(missing), icon=":material/hourglass_empty:")
        return
    result = what_if(put.offer, put.waiting, assumptions)
    answer = Answer(scenario=scenario, worked=put, assumptions=assumptions, result=result)
    ranges = Ranges.of(result)
    with head:
        draw_headline(answer, page.currency, is_edited=assumptions != base)
        draw_first_cards(answer, ranges, page.currency)
    with right:
        draw_more_cards(ranges, page.currency)
        with st.container(border=True, key="if_answer"):
            draw_profit(answer, ranges, page.currency)
        with st.container(border=True, key="if_looks"):
            _look(page, answer, ground, known)
    with left:
        _actions(page, answer, ranges, ground, kept, is_edited=assumptions != base)


def _grounds(page: Opened, moment: str, kept: Kept | None) -> Grounds:
    if kept is None:
        return grounds_of(page, MOMENTS[moment])
    scenario = kept.forecast.scenario
    group = Group(name=scenario.group or EVERYONE, audience=scenario.audience)
    return {group.name: (group, kept.forecast.ground)}


def _look(page: Opened, answer: Answer, ground: Ground, known: Grounds) -> None:
    tabs = st.tabs(LOOKS, key="if_look", on_change="rerun", bind="query-params")
    for name, tab in zip(LOOKS, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            match name:
                case "What matters most":
                    draw_tornado(answer, page.currency)
                case "Depth and delay":
                    draw_depth_delay(answer, ground, page.currency)
                case "Best offer":
                    draw_best(answer, known, page.currency)
                case "Side by side":
                    draw_beside(page, answer)
                case _:
                    wished(answer, page.currency)


def _actions(
    page: Opened, answer: Answer, ranges: Ranges, ground: Ground, kept: Kept | None, *, is_edited: bool
) -> None:
    """Keep it, or hand it on."""
    with st.container(horizontal=True, vertical_alignment="center", key="if_actions"):
        save_button(page, Forecast(scenario=answer.scenario, ground=ground, assumptions=answer.assumptions))
        download("CSV", "what_if", lambda: rows(answer, ranges, page.currency), key="csv_if")
        heading = Heading(
            name=short_words(answer.scenario, page.currency) if kept is None else kept.saved.name,
            store=page.house.store.name,
            author=page.staff.name if kept is None else kept.saved.author,
            day=page.today if kept is None else kept.saved.created_at.astimezone(page.house.store.zone).date(),
            link="" if kept is None else link_of(kept.saved.what_if_id),
        )
        words = _bare(headline(answer.worked, answer.result))
        source = _bare(source_words(answer.assumptions, is_edited=is_edited))
        download_made(
            "PDF",
            "what_if.pdf",
            "application/pdf",
            lambda: paper(answer, ranges, page.currency, heading, words, source),
            icon=":material/picture_as_pdf:",
            key="pdf_if",
        )


def _bare(words: str) -> str:
    """Our own Markdown as plain words."""
    return _MARKS.sub(lambda found: found.group(1) or "", words)


def _basis(ground: Ground) -> None:
    """What the baseline was measured from."""
    st.caption(
        f"Measured: {ground.starts:,} times a customer reached this moment in the last {LOOKED_AT // 365} years, "
        f"{ground.per_day:,.1f} a day in the last one; followed for up to {ground.longest:,} days."
    )
