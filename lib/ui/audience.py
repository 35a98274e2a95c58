"""The audience builder: rules that must all hold, with a live count of whom they leave and whom a message may reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lib.audience import FIELDS, Audience, Rule
from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.metrics.audience import Funnel
from lib.offer import Channel, Pays
from lib.queues.audiences import SavedAudience, saved_audiences
from lib.settings import settings
from lib.ui.audience_reach import draw_reach, funnel_of
from lib.ui.audience_rule import HELP, draw_rule
from lib.ui.live import open_house
from lib.ui.text import one_line, plain

ADD = "Add a rule"
# An offer with more rules than these is nobody's segment.
MOST_RULES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is to be sent to the audience, so that the contact rules can be asked."""

    kind: str
    channel: Channel = Channel.EMAIL
    pays: Pays | None = None
    offer_id: int | None = None


def draw_audience(store: Store, audience: Audience, key: str, *, sent: Sent, may: bool = True) -> Audience:
    """The builder; gives the audience as it stands in it. Rules that are not finished are not in it.

    Args:
        audience: what it begins with, until the reader changes something; another ``key`` begins anew.
        sent: what the audience is to get.
        may: false shows it only.
    """
    house = open_house()
    drafts: list[dict[str, Any]] = st.session_state.setdefault(
        f"{key}_rules", [{"id": place} | rule.to_json() for place, rule in enumerate(audience.rules)]
    )
    left, right = st.columns([1.35, 1], gap="medium")
    with left:
        rules, slots = _rules(store, drafts, key, may=may)
        if may:
            _add(drafts, key)
    built = Audience(tuple(rule for rule in rules if rule is not None)) if may else audience
    if house.mart is None or house.is_empty:
        right.info("Counts appear with the first orders. The rules can be written before.")
        return built
    found = funnel_of(house.mart, built, store.today())
    _tell(found, rules, slots)
    with right:
        draw_reach(store, house.mart, built, found, sent, key=key)
    return built


def _rules(store: Store, drafts: list[dict[str, Any]], key: str, *, may: bool) -> tuple[list[Rule | None], list[Any]]:
    mart = open_house().mart
    rules: list[Rule | None] = []
    slots: list[Any] = []
    if not drafts:
        st.caption("No rule yet: everybody who ever bought, except who was erased.")
    for kept in drafts:
        field, rule_key = FIELDS[str(kept["field"])], f"{key}_{kept['id']}"
        with st.container(border=True, gap="small", key=f"{rule_key}_card"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{plain(field.label)}**", help=HELP.get(field.name), width="stretch")
                slot = st.container(width="content")
                if may:
                    st.button(
                        "Remove",
                        icon=":material/close:",
                        type="tertiary",
                        key=f"{rule_key}_remove",
                        help=f"Remove the rule on {field.label.lower()}",
                        on_click=_remove,
                        args=(key, kept["id"]),
                    )
            if may:
                rules.append(draw_rule(mart, store.currency or "EUR", kept, rule_key))
            else:
                rules.append(Rule.from_json(kept))
                st.markdown(plain(Rule.from_json(kept).words()))
            slots.append(slot)
    return rules, slots


def _tell(found: Funnel, rules: list[Rule | None], slots: list[Any]) -> None:
    """Beside each rule, how many it leaves of those before it."""
    steps = iter(found.steps)
    for rule, slot in zip(rules, slots, strict=True):
        if rule is not None:
            step = next(steps)
            with slot:
                st.caption(f"leaves {step.left:,}")


def _add(drafts: list[dict[str, Any]], key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        names = list(FIELDS)
        st.selectbox(
            ADD,
            names,
            index=None,
            format_func=lambda name: f"{FIELDS[name].group}: {FIELDS[name].label}",
            placeholder="Choose what to ask",
            key=f"{key}_add",
            on_change=_added,
            args=(key,),
            disabled=len(drafts) >= MOST_RULES,
            width="stretch",
        )
        saved = _saved()
        if saved:
            st.selectbox(
                "Begin with a segment",
                [one.audience_id for one in saved],
                index=None,
                format_func=lambda wanted: next(one_line(one.name, 60) for one in saved if one.audience_id == wanted),
                placeholder="Its rules replace these",
                key=f"{key}_segment",
                on_change=_take,
                args=(key, {one.audience_id: one.audience for one in saved}),
                width="stretch",
            )


def _saved() -> list[SavedAudience]:
    with reading(order_database(settings())) as connection:
        return saved_audiences(connection)


def _added(key: str) -> None:
    name = st.session_state[f"{key}_add"]
    if name in FIELDS:
        drafts = st.session_state[f"{key}_rules"]
        drafts.append({"id": 1 + max((int(one["id"]) for one in drafts), default=-1), "field": name})
    st.session_state[f"{key}_add"] = None


def _take(key: str, saved: Mapping[int, Audience]) -> None:
    chosen = saved.get(st.session_state[f"{key}_segment"] or -1)
    if chosen is not None:
        first = 1 + max((int(one["id"]) for one in st.session_state[f"{key}_rules"]), default=-1)
        st.session_state[f"{key}_rules"] = [
            {"id": first + place} | rule.to_json() for place, rule in enumerate(chosen.rules)
        ]
    st.session_state[f"{key}_segment"] = None


def _remove(key: str, rule_id: int) -> None:
    st.session_state[f"{key}_rules"] = [one for one in st.session_state[f"{key}_rules"] if one["id"] != rule_id]
