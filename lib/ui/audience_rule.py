"""One rule of an audience on the screen: its field, what is asked, and what it leaves."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.audience import FIELDS, Ask, Field, Rule
from lib.errors import InvalidInput
from lib.metrics import audience as metric
from lib.metrics.definition import Mart
from lib.money import exponent, to_major, to_minor

IS, IS_NOT = "is", "is not"
YES, NO = "Yes", "No"
# How the values that Encore itself names are written.
_WRITTEN = {"new": "New", "active": "Active", "due": "Due", "at_risk": "At risk", "lapsed": "Lapsed"}
HELP = {
    "lifecycle": "By how long this store's customers take to come back. New: one purchase, waiting no longer than half "
    "of those who come back; active: the same with two or more; due: longer than half; at risk: longer than 80%; "
    "lapsed: longer than 95%.",
    "recency_score": "5: the last purchase is among the most recent fifth. One-time buyers are compared among "
    "themselves.",
    "frequency_score": "5: among the fifth that bought most often, of those who bought twice or more. One-time buyers "
    "have none.",
    "monetary_score": "5: among the fifth with the highest net sales. One-time buyers are compared among themselves.",
    "spent": "Goods less discounts and refunds, without tax, of all her orders.",
    "rating": "In her last review, or an answer with stars.",
    "has_consent": "As of the last refresh. It is asked once more before anything is sent.",
}


def draw_rule(mart: Mart | None, currency: str, kept: Mapping[str, Any], key: str) -> Rule | None:
    """Draw one rule's controls; gives the rule as it stands in them, or nothing while it is not finished."""
    field = FIELDS[str(kept["field"])]
    match field.ask:
        case Ask.YES:
            rule = _yes(field, kept, key)
        case Ask.ONE_OF:
            rule = _one_of(mart, field, kept, key)
        case Ask.MONEY:
            rule = _money(field, kept, currency, key)
        case _:
            rule = _range(field, kept, key)
    if rule is None:
        return None
    try:
        return rule.checked()
    except InvalidInput as wrong:
        st.caption(f":orange[:material/edit:] {wrong}")
        return None


def _yes(field: Field, kept: Mapping[str, Any], key: str) -> Rule:
    answer = st.segmented_control(
        field.label,
        [YES, NO],
        default=NO if kept.get("is_not") else YES,
        required=True,
        key=f"{key}_yes",
        label_visibility="collapsed",
    )
    return Rule(field=field.name, is_not=answer == NO)


def _turned(field: Field, kept: Mapping[str, Any], key: str) -> bool:
    words = (IS, IS_NOT) if field.ask is not Ask.ONE_OF else ("any of", "none of")
    answer = st.segmented_control(
        f"{field.label}: how",
        words,
        default=words[1] if kept.get("is_not") else words[0],
        required=True,
        key=f"{key}_not",
        label_visibility="collapsed",
        width="content",
    )
    return answer == words[1]


def _one_of(mart: Mart | None, field: Field, kept: Mapping[str, Any], key: str) -> Rule:
    chosen = [str(value) for value in kept.get("any_of", ())]
    known = metric.options(mart, field.name) if mart is not None else list(field.values)
    options = [*known, *(value for value in chosen if value not in known)]
    is_not = _turned(field, kept, key)
    values = st.multiselect(
        field.label,
        options,
        default=chosen,
        format_func=lambda value: _WRITTEN.get(value, value) if field.values else value,
        key=f"{key}_values",
        label_visibility="collapsed",
        placeholder="Choose one or more",
    )
    return Rule(field=field.name, any_of=tuple(values), is_not=is_not)


def _range(field: Field, kept: Mapping[str, Any], key: str) -> Rule:
    is_not = _turned(field, kept, key)
    left, right = st.columns(2)
    ends = [
        column.number_input(
            words,
            min_value=field.least,
            max_value=field.most,
            value=kept.get(name),
            step=1,
            placeholder="any",
            key=f"{key}_{name}",
        )
        for column, words, name in ((left, "From", "least"), (right, "To", "most"))
    ]
    return Rule(field=field.name, least=_whole(ends[0]), most=_whole(ends[1]), is_not=is_not)


def _money(field: Field, kept: Mapping[str, Any], currency: str, key: str) -> Rule:
    is_not = _turned(field, kept, key)
    left, right = st.columns(2)
    places = exponent(currency)
    ends: list[int | None] = []
    for column, words, name in ((left, "From", "least"), (right, "To", "most")):
        shown = kept.get(name)
        value = column.number_input(
            f"{words} ({currency})",
            value=None if shown is None else float(to_major(int(shown), currency)),
            step=10.0,
            format=f"%.{places}f",
            placeholder="any",
            key=f"{key}_{name}",
        )
        ends.append(None if value is None else to_minor(f"{value:.{places}f}", currency))
    return Rule(field=field.name, least=ends[0], most=ends[1], is_not=is_not)


def _whole(value: float | int | None) -> int | None:
    return None if value is None else int(value)
