"""Bought, net sales and profit per assigned customer, with the offer against the holdout."""

import pandas as pd
import streamlit as st

from lib.metrics.offer_reading import Reading
from lib.stats.experiment import Effect
from lib.stats.read_out import ReadOut
from lib.stats.verdict import ENOUGH_BUYERS, Call
from lib.ui.offer_verdict import Pace, money, signed
from lib.ui.tables import download
from lib.ui.text import plain

_LABELS = {"bought": "Bought", "orders": "Orders", "net": "Net sales", "profit": "Profit"}
# Below this, spending before explains nothing worth a word.
LEAST_GAIN = 0.005


def draw_measures(found: Reading, pace: Pace, currency: str) -> None:
    """A card for each measure, and what they rest on."""
    read = found.read
    assert read is not None  # the caller asked
    with st.grid(3, min_column_width=210, gap="small", key="offer_measures"):
        for measure in ("bought", "net", "profit"):
            with st.container(border=True, height="stretch", gap="xsmall", key=f"measure_{measure}"):
                effect = read.effects.get(measure)
                if effect is None:
                    why = read.why_not.get(measure, "No product of these orders has a known cost.")
                    st.metric(_LABELS[measure], "–")
                    st.caption(plain(why))
                else:
                    _draw_card(measure, effect, read.ranges[measure], currency, is_over=read.is_over)
                    if said := beside(read, measure):
                        st.caption(plain(said))
    st.caption(plain(_notes(found)))
    with st.container(horizontal=True):
        download(
            "Download (CSV)", f"offer_{found.trial.offer_id}_result", lambda: _frame(found), key="csv_offer_result"
        )


def _draw_card(measure: str, effect: Effect, limits: tuple[float, float], currency: str, *, is_over: bool) -> None:
    low, high = limits
    if measure == "bought":
        value, unit = signed(effect.difference), "buyers per 1,000 customers"
        span = f"{signed(low)} to {signed(high)}"
        sides = f"{effect.treated * 100:.1f}% with the offer, {effect.holdout * 100:.1f}% without"
    else:
        value, unit = money(effect.difference, currency, plus=True), "per assigned customer"
        span = f"{money(low, currency, plus=True)} to {money(high, currency, plus=True)}"
        sides = f"{money(effect.treated, currency)} with the offer, {money(effect.holdout, currency)} without"
    st.metric(_LABELS[measure], value, help=_HELP[measure])
    kind = "range" if is_over else "range so far, safe to peek at"
    st.caption(plain(f"{unit}; {kind} {span}"))
    st.caption(plain(f"{sides}.{_gain(effect)}{_thin(measure, effect)}"))


_HELP = {
    "bought": "Customers with at least one valid order in their window. This is the measure that is judged.",
    "net": "Net sales in the window per assigned customer, who bought nothing included, less refunds of these orders.",
    "profit": "Gross margin in the window less what rewards and contacts really cost, per assigned customer.",
}


def beside(read: ReadOut, measure: str) -> str:
    """What is to be said of net sales or profit, which are judged beside who bought; empty where nothing is."""
    verdict = read.beside.get(measure)
    return _BESIDE.get(verdict.call, "") if verdict is not None else ""


_BESIDE = {
    Call.KEEP: "Judged beside it: more with the offer, beyond chance.",
    Call.STOP: "Judged beside it: less with the offer, beyond chance.",
    Call.NO_DIFFERENCE: "Judged beside it: not told from chance.",
    Call.TOO_EARLY: "Judged beside it: too early.",
    Call.TOO_FEW: "Judged beside it: too few bought.",
}


def _gain(effect: Effect) -> str:
    if effect.gain is None or effect.gain < LEAST_GAIN:
        return ""
    more = effect.gain / (1 - effect.gain)
    return (
        f" Spending before explains {effect.gain * 100:.1f}% of the noise and is taken out: worth {more * 100:.1f}% "
        "more customers."
    )


def _thin(measure: str, effect: Effect) -> str:
    if measure == "bought" or min(effect.buyers) >= ENOUGH_BUYERS:
        return ""
    return f" Few buyers ({min(effect.buyers):,} in the smaller group): money needs {ENOUGH_BUYERS} to be near normal."


def _notes(found: Reading) -> str:
    counts, trial = found.counts, found.trial
    waiting = counts.assigned - counts.mature
    parts = [
        f"Per assigned customer, whether the message reached her or not; {trial.window_days} days from being assigned; "
        "refunds of these orders set against them. Who bought decides; net sales and profit are judged beside it, each "
        "at half the error, and decide nothing on their own."
    ]
    if waiting:
        parts.append(f"{counts.mature:,} customers' windows are over; {waiting:,} are still followed and not counted.")
    if found.costed_share is not None and found.costed_share < 0.995 and found.margin is not None:
        parts.append(
            f"{found.costed_share * 100:.0f}% of net sales have a known cost; the rest is taken to earn "
            f"{found.margin * 100:.0f}%, as the year's others."
        )
    if trial.costs.is_every_order:
        parts.append("Without a code every treated buyer is taken to have had the reward: the worst case.")
    return " ".join(parts)


def _frame(found: Reading) -> pd.DataFrame:
    """The measures as a table of exact numbers: shares as shares, money in minor units."""
    effects = found.read.effects if found.read is not None else {}
    rows = [
        {
            "measure": _LABELS[name],
            "unit": {"bought": "share of customers", "orders": "per customer"}.get(name, "minor units per customer"),
            "with_offer": effect.treated,
            "holdout": effect.holdout,
            "difference": effect.difference,
            "low_95": effect.low,
            "high_95": effect.high,
            "standard_error": effect.se,
            "variance_explained_before": effect.gain,
            "customers_with_offer": effect.sizes[0],
            "customers_holdout": effect.sizes[1],
            "buyers_with_offer": effect.buyers[0],
            "buyers_holdout": effect.buyers[1],
        }
        for name, effect in effects.items()
    ]
    return pd.DataFrame(rows)
