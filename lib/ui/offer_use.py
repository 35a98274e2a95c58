"""Redemption, told apart and called what it is; and the limits that pause an offer."""

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.metrics.offer_guardrails import Limit, limits, spent_so_far
from lib.metrics.offer_reading import Reading
from lib.settings import settings
from lib.ui.access import Desk
from lib.ui.live import House
from lib.ui.offer_verdict import money
from lib.ui.tables import table
from lib.ui.text import plain
from lib.workflows.offer_trials import SentOffer, complaints_of


def draw_use(desk: Desk, house: House, tested: SentOffer, found: Reading) -> None:
    """How far it came, and how near its limits."""
    left, right = st.columns([1, 1], gap="small")
    with left, st.container(border=True, key="offer_use", height="stretch"):
        _draw_redemption(found, house.currency)
    with right, st.container(border=True, key="offer_guardrails", height="stretch"):
        _draw_guardrails(house, tested)


def _draw_redemption(found: Reading, currency: str) -> None:
    st.subheader("Redeemed: use, not effect", anchor=False)
    arm = found.counts.treated
    steps = [
        ("Assigned to get it", arm.assigned),
        ("Held back by a rule after all", arm.held_back),
        ("Sent", arm.sent),
        ("Opened, as far as known", arm.opened),
        ("Window over", arm.mature),
        ("Of these bought", arm.bought),
        ("Of these redeemed it", arm.redeemed),
    ]
    table(
        pd.DataFrame(steps, columns=["Step", "Customers"]),
        alt="How far the offer came",
        columns={"Customers": st.column_config.NumberColumn(format="%,d")},
        key="offer_use_table",
    )
    st.caption(plain(_use_words(found, currency)))


def _use_words(found: Reading, currency: str) -> str:
    arm, held = found.counts.treated, found.counts.holdout
    words = ["Who redeems may have bought anyway: redemption is not uplift."]
    effect = found.read.effects.get("bought") if found.read is not None else None
    if arm.bought and effect is not None:
        anyway = effect.holdout * arm.mature
        words.append(
            f"Of the {arm.bought:,} who got it and bought, about {anyway:,.0f} would have bought without it, as those "
            "held out did."
        )
    if arm.discount_minor:
        words.append(f"The discounts redeemed came to {money(arm.discount_minor, currency)}; net sales have them off.")
    if held.redeemed:
        words.append(
            f"{held.redeemed:,} held out used it too: the code got about, so the effect looks smaller than it is."
        )
    return " ".join(words)


def _draw_guardrails(house: House, tested: SentOffer) -> None:
    st.subheader("Limits", anchor=False)
    if tested.plan is None or house.mart is None:
        st.caption("This offer was not planned in Encore: it has no limits here.")
        return
    with reading(order_database(settings())) as connection:
        complaints = complaints_of(connection, tested.offer_id)
    spent = spent_so_far(house.mart, tested.trial, tested.plan)
    found = limits(spent, tested.plan.guardrails, complaints=complaints)
    if not found:
        st.caption("No limit was set. Under Plan: margin floor, budget, refunds, complaints.")
        return
    rows = [
        (limit.label, _shown(limit, limit.limit, house), _shown(limit, limit.now, house), limit.state)
        for limit in found
    ]
    table(pd.DataFrame(rows, columns=["Limit", "At", "Now", "State"]), alt="Limits of the offer", key="offer_limits")
    st.caption(
        "Of everybody treated so far, windows over or not. Crossing one pauses the offer and puts it on the list for "
        "the day; with too few cases nothing is judged."
    )


def _shown(limit: Limit, value: float | None, house: House) -> str:
    if value is None:
        return "–"
    return money(value, house.currency) if limit.is_money else f"{value * 100:.1f}%".replace("-", "−")
