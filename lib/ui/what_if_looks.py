"""What lies behind a what-if: which assumptions matter, depth and delay as a map, what would have to be true."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from lib.charts import depth_delay, tornado
from lib.errors import NotEnoughData
from lib.metrics.definition import Unit
from lib.money import exponent
from lib.offer import Pays
from lib.stats.best_offer import Audience, Guardrails
from lib.stats.ground import Ground
from lib.stats.required import Needed, what_would_have_to_be_true
from lib.stats.scenario import Scenario, offer_on, size_of, sizes_to_try
from lib.stats.sensitivity import tornado as swings_of
from lib.stats.waiting import Waiting, waiting_by_delay
from lib.ui.chart import draw_chart
from lib.ui.tables import download, table
from lib.ui.text import symbol_of, written
from lib.ui.what_if_answer import Answer
from lib.ui.what_if_words import ASSUMPTIONS, LEVERS, money, reward_words, whole

DELAYS = (0, 3, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180)


def draw_tornado(answer: Answer, currency: str) -> None:
    """How far the profit moves with each assumption."""
    st.caption("The profit when one assumption at a time goes to an end of its 90% range, the others in the middle.")
    found = swings_of(answer.worked.offer, answer.worked.waiting, answer.assumptions)
    if found.empty:
        st.caption("Nobody gets the offer, so nothing matters.")
        return
    frame = tornado_frame(found, answer.worked.offer.v, currency)
    swings = [whole(value, currency) for value in found["swing"]]
    draw_chart(
        frame,
        tornado.tornado_spec(symbol_of(currency), len(frame)),
        alt="How far each assumption moves the profit",
        words=tornado.describe(frame, swings),
        key="if_tornado",
    )


def tornado_frame(found: pd.DataFrame, v: float, currency: str) -> pd.DataFrame:
    """What :func:`lib.stats.sensitivity.tornado` gives as the chart's columns: labels, whole units, written ends."""
    unit = 10 ** exponent(currency)
    return pd.DataFrame(
        {
            "label": [ASSUMPTIONS[name] for name in found["assumption"]],
            **{name: found[name] / unit for name in ("at_low", "at_middle", "at_high")},
            **{
                text: [_end(name, value, v) for name, value in zip(found["assumption"], found[end], strict=True)]
                for text, end in (("low_text", "low_value"), ("high_text", "high_value"))
            },
        }
    )


def _end(name: str, value: float, v: float) -> str:
    """An end of an assumption's range, as it acts on this offer."""
    if name in {"pulled_forward", "redeemed_anyway"}:
        return f"{value:.0%}"
    if name == "baseline":
        return f"{value:.1%}"
    rate = float(np.expm1(value * v if name == "pull" else value))
    return f"{rate:+.0%}".replace("-", "−")


def delays_to_try(ground: Ground, scenario: Scenario) -> dict[int, Waiting]:
    """The baseline of every delay that the ground carries, the present one among them."""
    expiry = scenario.reward.expiry_days
    wanted = sorted({day for day in DELAYS if day + expiry <= ground.longest} | {scenario.delay_days})
    found: dict[int, Waiting] = {}
    try:
        return waiting_by_delay(ground.spells, wanted, expiry=expiry)
    except NotEnoughData:
        for delay in wanted:
            try:
                found |= waiting_by_delay(ground.spells, [delay], expiry=expiry)
            except NotEnoughData:
                continue
    return found


def candidate(name: str, scenario: Scenario, ground: Ground) -> Audience:
    """A group as the scan wants it."""
    return Audience(name=name, offer=offer_on(scenario, ground), waiting=delays_to_try(ground, scenario))


def size_words(scenario: Scenario, size: float, currency: str) -> str:
    """A size of the reward on the map's axis: ``10%``, ``€5.00``, ``200 points``."""
    match scenario.reward.pays:
        case Pays.PERCENT:
            return f"{100 * size:g}%"
        case Pays.AMOUNT:
            return money(size, currency)
        case Pays.POINTS:
            return f"{size:,.0f}"
        case _:
            return reward_words(scenario.reward, currency)


def map_frame(cells: pd.DataFrame, scenario: Scenario, limits: Guardrails, currency: str) -> pd.DataFrame:
    """The cells of one group as the columns of the map; the best is the highest that keeps to the guardrails."""
    sizes = sorted(cells["depth"].unique(), reverse=True)
    cells = cells.sort_values(["depth", "delay"], ascending=[False, True], ignore_index=True)
    state = [_broken(row, limits) for row in cells.itertuples()]
    is_kept = np.array([words == depth_delay.KEPT for words in state])
    gains = cells["profit"].where(is_kept & (cells["profit"] > 0))
    best = int(gains.argmax()) if gains.notna().any() else -1
    now = (cells["depth"] == size_of(scenario.reward)) & (cells["delay"] == scenario.delay_days)
    return pd.DataFrame(
        {
            "depth": [size_words(scenario, size, currency) for size in cells["depth"]],
            "delay": cells["delay"],
            "profit": cells["profit"] / 10 ** exponent(currency),
            "written": [whole(value, currency) for value in cells["profit"]],
            "chance": cells["chance"],
            "state": state,
            "is_best": np.arange(len(cells)) == best,
            "is_now": now,
        }
    ).assign(sizes=len(sizes))


def _broken(row: object, limits: Guardrails) -> str:
    """Which guardrail a cell breaks first."""
    if limits.margin_floor is not None and row.margin_left < limits.margin_floor:  # type: ignore[attr-defined]  # a row of the cells
        return "Below the margin floor"
    if limits.budget is not None and row.spent > limits.budget:  # type: ignore[attr-defined]  # a row of the cells
        return "Over the budget"
    if limits.chance is not None and row.chance < limits.chance:  # type: ignore[attr-defined]  # a row of the cells
        return "Too unlikely to earn"
    return depth_delay.KEPT


def draw_map(frame: pd.DataFrame, *, key: str) -> None:
    """The map over depth and delay."""
    sizes = int(frame["sizes"].iloc[0])
    draw_chart(
        frame.drop(columns="sizes"),
        depth_delay.depth_delay_spec(frame["delay"].nunique(), sizes),
        alt="Expected profit by depth and delay",
        words=depth_delay.describe(frame),
        key=key,
    )
    st.caption("Expected profit. :material/crop_square: best that keeps to the guardrails · dashed: the sliders now")


def wished(answer: Answer, currency: str) -> None:
    """What each lever alone would have to be for a wished profit."""
    unit = 10 ** exponent(currency)
    wish = st.number_input(
        f"Wished profit over the run ({symbol_of(currency).strip()})",
        value=1_000.0,
        step=100.0,
        format="%.0f",
        key="if_wish",
        bind="query-params",
        width=260,
    )
    needed = what_would_have_to_be_true(
        answer.worked.offer, answer.worked.waiting, answer.assumptions, (wish or 0.0) * unit
    )
    if not needed:
        st.caption("Nobody gets the offer: no lever brings a profit.")
        return
    frame = wish_frame(needed, currency)
    st.caption("Each lever alone, all else staying as it is expected; “no value” means that this lever cannot do it.")
    table(frame, alt="What would have to be true for the wished profit", key="if_wish_table")
    download("Download (CSV)", "what_would_have_to_be_true", lambda: frame, key="csv_if_wish")


def wish_frame(needed: Sequence[Needed], currency: str) -> pd.DataFrame:
    """One row per lever, in words."""
    return pd.DataFrame(
        {
            "Lever": [LEVERS[one.lever] for one in needed],
            "Expected": [_lever(one, one.now, currency) for one in needed],
            "Needed": [_needed(one, currency) for one in needed],
            "How likely": [None if one.chance is None else f"{one.chance:.0%}" for one in needed],
        }
    )


def _needed(one: Needed, currency: str) -> str:
    if one.needed is None:
        return "no value"
    return f"{'at least' if one.at_least else 'at most'} {_lever(one, one.needed, currency)}"


def _lever(one: Needed, value: float, currency: str) -> str:
    if one.lever in {"basket", "reward_cost", "contact_cost"}:
        return written(value, Unit.MONEY, currency, exact=True)
    if one.lever == "customers":
        return f"{value:,.0f}"
    return f"{value:+.1%}".replace("-", "−") if one.lever == "uplift" else f"{value:.1%}"


def scan_sizes(scenario: Scenario, ground: Ground) -> list[float]:
    """The sizes of the reward to try on a ground."""
    basket, _ = ground.basket(scenario.reward.minimum_basket_minor)
    return sizes_to_try(scenario.reward, basket)
