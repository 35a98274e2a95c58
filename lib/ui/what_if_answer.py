"""What a what-if answers: first what it needs, then what it would bring with its ranges, then the draws."""

from dataclasses import dataclass

import streamlit as st

from lib.charts import what_if as chart
from lib.money import exponent
from lib.stats.assumptions import Assumptions
from lib.stats.scenario import Scenario, Worked
from lib.stats.what_if import Range, WhatIf
from lib.ui.chart import draw_chart
from lib.ui.text import symbol_of
from lib.ui.what_if_words import count, count_range, headline, markdown_of, money_range, source_words, whole

_PAYS = "How many more must buy for it to cost nothing. Needs no assumption, and takes the worst case."
_PROFIT = "The middle of the draws, and the range that holds 90 of 100. What is pulled forward counts as lost."
_CHANCE = "In how many of 4,000 draws of the assumptions the profit is above zero."
_GIVEN = "Rewards redeemed by customers who would have bought without the offer."
_PULLED = "Orders among the added ones that would have come later without the offer."
_COSTS = "All that rewards and contacts cost over the run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A scenario worked out: what the parts of the screen draw."""

    scenario: Scenario
    worked: Worked
    assumptions: Assumptions
    result: WhatIf


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """The ranges of an answer, each worked out once; money in minor units."""

    orders: Range
    net_sales: Range
    profit: Range
    in_window: Range
    given: Range
    pulled_forward: Range
    spent: Range

    @classmethod
    def of(cls, result: WhatIf) -> "Ranges":
        return cls(**{name: Range.of(getattr(result, name)) for name in cls.__slots__})


def draw_first_cards(answer: Answer, ranges: Ranges, currency: str) -> None:
    """What it needs, and what it would bring: the four figures that decide."""
    result, found = answer.result, answer.result.break_even
    pays = "never" if found.never_pays else f"+{found.uplift or 0:.1%}"
    buyers = (
        "not even if all buy" if found.never_pays else f"{answer.worked.waiting.bought:.1%} → {found.share or 0:.1%}"
    )
    profit, orders = ranges.profit, ranges.orders
    with st.grid(4, min_column_width=150, key="if_cards"):
        _card("Pays from", pays, buyers, _PAYS)
        _card("Profit", whole(profit.middle, currency), money_range(profit, currency), _PROFIT)
        _card(
            "Chance of profit",
            f"{result.chance:.0%}",
            f"{(result.profit > 0).sum():,} of {len(result.profit):,}",
            _CHANCE,
        )
        _card("Added orders", count(orders.middle, orders), count_range(orders), "Orders that would not have come.")


def draw_more_cards(ranges: Ranges, currency: str) -> None:
    """Where the profit goes and comes from."""
    net, given, pulled, spent = ranges.net_sales, ranges.given, ranges.pulled_forward, ranges.spent
    with st.grid(4, min_column_width=130, key="if_more_cards"):
        _card(
            "Net sales", whole(net.middle, currency), money_range(net, currency), "Added, less what rewards take off."
        )
        _card("Given anyway", whole(given.middle, currency), money_range(given, currency), _GIVEN)
        _card("Pulled forward", count(pulled.middle, pulled), count_range(pulled), _PULLED)
        _card("Costs", whole(spent.middle, currency), money_range(spent, currency), _COSTS)


def _card(label: str, value: str, under: str, help_: str) -> None:
    st.metric(
        label,
        value,
        under or None,
        delta_color="off",
        delta_arrow="off",
        help=help_,
        border=True,
        height="stretch",
    )


def draw_headline(answer: Answer, currency: str, *, is_edited: bool) -> None:
    """What is tried and what it needs, in words; and whether the rest is assumed or learned."""
    st.markdown(f"{markdown_of(answer.scenario, currency)}. {source_words(answer.assumptions, is_edited=is_edited)}")
    st.markdown(headline(answer.worked, answer.result))
    at_risk = answer.worked.waiting.at_risk
    if at_risk is not None and at_risk < 50:
        st.caption(f":orange[:material/warning:] Small sample: {at_risk:,} were followed that long. Read it with care.")


def draw_profit(answer: Answer, ranges: Ranges, currency: str) -> None:
    """The draws of the profit: how much lies below zero and above."""
    st.header("Profit over the run", anchor=False)
    if answer.result.contacted <= 0:
        st.caption("Nobody gets the offer: there is no profit to draw.")
        return
    bins = chart.profit_bins(answer.result.profit / 10 ** exponent(currency))
    profit = ranges.profit
    told = (whole(profit.low, currency), whole(profit.middle, currency), whole(profit.high, currency))
    draw_chart(
        bins,
        chart.profit_spec(symbol_of(currency)),
        alt="Profit over the run: how likely each amount is",
        words=chart.describe_profit(answer.result.chance, told),
        key="if_profit",
    )
    window = money_range(ranges.in_window, currency).replace("−", "−\u2060")
    st.caption(
        f"A read-out at the end of the window cannot see what was pulled forward: it should show {window}. "
        "That is what this forecast will be scored against."
    )
