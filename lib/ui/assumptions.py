"""The assumptions of a what-if: shown in words, changed, reset, and called what they are."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log1p
from typing import Any

import streamlit as st

from lib.stats.assumptions import Assumptions, Beta
from lib.stats.intervals import normal_quantile
from lib.stats.what_if import LEVEL

_Z = normal_quantile(LEVEL)
KEYS = (
    *("if_a_contact", "if_a_contact_sd", "if_a_pull", "if_a_pull_sd", "if_a_differ", "if_a_forward"),
    *("if_a_forward_of", "if_a_anyway", "if_a_anyway_of", "if_a_new"),
)


def set_assumptions(assumptions: Assumptions) -> None:
    """Put the editor where a kept what-if has it, or back to what Encore assumes or has learned."""
    st.session_state.update(_values(assumptions))


def _values(known: Assumptions) -> dict[str, float]:
    forward, anyway = known.pulled_forward, known.redeemed_anyway
    return dict(
        zip(
            KEYS,
            (
                *(round(known.contact, 4), round(known.contact_sd, 4), round(known.pull, 4), round(known.pull_sd, 4)),
                *(round(known.offer_sd, 4), round(forward.yes, 2), round(forward.yes + forward.no, 2)),
                *(round(anyway.yes, 2), round(anyway.yes + anyway.no, 2), round(100 * known.redeemed_new, 1)),
            ),
            strict=True,
        )
    )


def edited(known: Assumptions) -> Assumptions:
    """Draw the editor, and answer the assumptions as they stand in it.

    Args:
        known: what Encore assumes, or has learned from the store's own offers.
    """
    whose = "Learned from your own offers" if not known.is_assumed else "Nobody has measured these in your store yet"
    st.caption(f"{whose}; change what you know better. None of the starting values has a published source.")
    start = _values(known)
    found = {
        **_pair("The message itself", ("if_a_contact", "if_a_contact_sd"), start, (-2.0, 2.0), _reminded),
        **_pair("Pull of the reward", ("if_a_pull", "if_a_pull_sd"), start, (0.0, 10.0), _pulled),
        **_one(
            "How offers differ (±)", "if_a_differ", start, 2.0, "Two offers with the same reward still differ so much."
        ),
        **_cases("Added orders that would have come later", ("if_a_forward", "if_a_forward_of"), start),
        **_cases("Would-be buyers who redeem", ("if_a_anyway", "if_a_anyway_of"), start),
        **_one("Added buyers who redeem, %", "if_a_new", start, 100.0, "Those whom the offer brings."),
    }
    st.button(
        "Reset to what Encore knows",
        icon=":material/restart_alt:",
        on_click=set_assumptions,
        args=(known,),
        key="if_a_reset",
    )
    if found == start:
        return known
    return _read(known, found, start)


def _read(known: Assumptions, found: dict[str, float], start: dict[str, float]) -> Assumptions:
    forward, of_forward, anyway, of_anyway = (found[key] for key in KEYS[5:9])
    # What is not touched keeps what was learned to the last digit.
    told = {key: found[key] for key in KEYS[:5] if found[key] != start[key]}
    is_as_sure = not {"if_a_contact_sd", "if_a_pull_sd"} & told.keys()
    return replace(
        known,
        contact=told.get("if_a_contact", known.contact),
        contact_sd=told.get("if_a_contact_sd", known.contact_sd),
        pull=told.get("if_a_pull", known.pull),
        pull_sd=told.get("if_a_pull_sd", known.pull_sd),
        offer_sd=told.get("if_a_differ", known.offer_sd),
        covariance=known.covariance if is_as_sure else 0.0,
        pulled_forward=_beta(forward, of_forward),
        redeemed_anyway=_beta(anyway, of_anyway),
        redeemed_new=found["if_a_new"] / 100,
    )


def _beta(yes: float, of: float) -> Beta:
    """So many of so many cases; none and all are brought a little inside, since nobody is that sure."""
    return Beta(max(yes, 0.01), max(of - yes, 0.01))


def _reminded(mean: float, sd: float) -> str:
    low, high = (exp(mean + step * sd) - 1 for step in (-_Z, _Z))
    return f"Being written to changes the rate of buying by {exp(mean) - 1:+.0%} ({low:+.0%} to {high:+.0%})."


def _pulled(mean: float, sd: float) -> str:
    v = -log1p(-0.1)
    low, high = (exp(max(mean + step * sd, 0.0) * v) - 1 for step in (-_Z, _Z))
    return f"10% off adds {exp(mean * v) - 1:+.0%} to that rate ({low:+.0%} to {high:+.0%})."


def _pair(
    label: str,
    keys: tuple[str, str],
    start: dict[str, float],
    ends: tuple[float, float],
    told: Callable[[float, float], str],
) -> dict[str, float]:
    """A mean and how sure one is of it, on the logarithmic scale, told in percent."""
    left, right = st.columns(2)
    mean = _number(left, label, keys[0], start, ends)
    sd = _number(right, "give or take (±)", keys[1], start, (0.01, 3.0))
    st.caption(told(mean, sd))
    return {keys[0]: mean, keys[1]: sd}


def _cases(label: str, keys: tuple[str, str], start: dict[str, float]) -> dict[str, float]:
    """A share, told as so many of so many cases: the more cases, the surer."""
    left, right = st.columns(2)
    of = _number(right, "of so many cases", keys[1], start, (1.0, 10_000.0), step=1.0)
    yes = min(_number(left, label, keys[0], start, (0.0, 10_000.0), step=1.0), of)
    share = _beta(yes, of)
    st.caption(f"{share.mean:.0%} ({share.quantile(0.05):.0%} to {share.quantile(0.95):.0%}). More cases: surer.")
    return {keys[0]: yes, keys[1]: of}


def _one(label: str, key: str, start: dict[str, float], most: float, help_: str) -> dict[str, float]:
    found = _number(st, label, key, start, (0.0, most), step=1.0 if most > 10 else 0.05, help_=help_)
    return {key: found}


def _number(
    where: Any,
    label: str,
    key: str,
    start: dict[str, float],
    ends: tuple[float, float],
    *,
    step: float = 0.05,
    help_: str | None = None,
) -> float:
    found = where.number_input(
        label,
        min_value=ends[0],
        max_value=ends[1],
        value=float(min(max(start[key], ends[0]), ends[1])),
        step=step,
        format="%g",
        key=key,
        bind="query-params",
        help=help_,
    )
    return start[key] if found is None else float(found)
