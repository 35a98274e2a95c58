"""The scoreboard: every what-if that came due, against what its offer really brought."""

from typing import Any

import pandas as pd
import streamlit as st

from lib.charts.scoreboard import COLUMNS, describe, scoreboard_spec
from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.errors import NotEnoughData
from lib.queues.what_ifs import SavedWhatIf, saved_what_ifs
from lib.settings import settings
from lib.stats.scoring import Score, Scoreboard, scoreboard
from lib.ui.access import Opened
from lib.ui.learned import draw_learned, learned_by
from lib.ui.offer_verdict import money
from lib.ui.past_campaigns import draw_past_campaigns
from lib.ui.tables import download
from lib.ui.text import major, one_line, plain

# The latest are drawn; all count.
MOST_DRAWN = 15
_OF_SCORE = ("low", "middle", "high", "held", "surprise", "loss")


def draw_scoreboard(page: Opened) -> None:
    """How often the ranges held, what-if by what-if, and what the next one learned."""
    with reading(order_database(settings())) as connection:
        found = saved_what_ifs(connection)
    scored = [one for one in found if one.is_scored and one.actual and _OF_SCORE[0] in one.actual]
    with st.container(border=True, key="scoreboard"):
        _draw_scores(page, scored, found)
    with st.container(border=True, key="learned"):
        draw_learned(learned_by(page))
    draw_past_campaigns(page)


def _draw_scores(page: Opened, scored: list[SavedWhatIf], found: list[SavedWhatIf]) -> None:
    st.header("Forecast against actual", anchor=False)
    try:
        board = scoreboard([_score(one) for one in scored])
    except NotEnoughData as missing:
        st.caption(plain(missing))
        _draw_waiting(found)
        return
    st.markdown(_sentence(board, page.currency))
    frame = _frame(scored[:MOST_DRAWN], page.currency)
    st.vega_lite_chart(
        frame, scoreboard_spec("cents", page.symbol, len(frame)), alt=describe(frame), key="scoreboard_chart"
    )
    st.caption(
        "Profit in the outcome window per customer who got the offer: the range that was foretold, widened by the "
        "noise of measuring, and what was measured against the holdout. Nobody gains by naming a wide range: the loss "
        "in the file counts its width."
    )
    with st.container(horizontal=True):
        download("Download (CSV)", "scoreboard", lambda: _table(scored), key="csv_scoreboard")
    _draw_waiting(found)


def _score(one: SavedWhatIf) -> Score:
    told: dict[str, Any] = dict(one.actual or {})
    return Score(actual=told["profit_per_customer"], **{name: told[name] for name in _OF_SCORE})


def _sentence(board: Scoreboard, currency: str) -> str:
    """How often the ranges held, against what was promised; Markdown."""
    fits = (
        "as promised, as far as so few can tell"
        if board.is_as_promised
        else (
            "**less often than promised: the ranges are too narrow**" if board.share < board.promised else "more often"
        )
    )
    lean = "offers did better than foretold" if board.bias > 0 else "offers did worse than foretold"
    return (
        f"The range held in **{board.held} of {board.n}** what-ifs ({board.share * 100:.0f}%). Promised are "
        f"{board.promised * 100:.0f}%; {board.low * 100:.0f} to {board.high * 100:.0f}% would fit what was seen: "
        f"{fits}. On average {lean}, by {plain(money(abs(board.bias), currency))} a customer."
    )


def _frame(scored: list[SavedWhatIf], currency: str) -> pd.DataFrame:
    rows = []
    for one in scored:
        told = _score(one)
        values = [major(value, currency) for value in (told.low, told.middle, told.high, told.actual)]
        rows.append((one_line(one.name, 40).replace("\\", ""), *values, told.held))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _table(scored: list[SavedWhatIf]) -> pd.DataFrame:
    """Exact numbers, in minor units."""
    return pd.DataFrame(
        [
            {
                "what_if": one.name,
                "offer": one.offer,
                "author": one.author,
                "saved": one.created_at.date().isoformat(),
                "due": one.due_at.date().isoformat() if one.due_at else "",
                **{f"profit_per_customer_{name}": value for name, value in (one.actual or {}).items()},
            }
            for one in scored
        ]
    )


def _draw_waiting(found: list[SavedWhatIf]) -> None:
    """What is still to be scored, and what never can be."""
    at = now()
    waiting = [one for one in found if not one.is_scored and one.offer_id is not None]
    overdue = [one for one in waiting if one.due_at is not None and one.due_at <= at]
    free = sum(one.offer_id is None for one in found)
    parts = []
    if len(waiting) > len(overdue):
        parts.append(f"{len(waiting) - len(overdue)} not due yet.")
    if overdue:
        names = ", ".join(one.name for one in overdue[:3])
        parts.append(
            f"{len(overdue)} due but not to be scored yet ({names}): windows are not over, nobody was held out, or no "
            "cost is known."
        )
    if free:
        parts.append(f"{free} foretold no offer, so nothing can be set against {'it' if free == 1 else 'them'}.")
    if parts:
        st.caption(plain(" ".join(parts)))
