"""The sliders of a what-if: what can be moved, kept in the URL under names of its own, and read back unmistrusted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from lib.audience import Audience
from lib.metrics.what_if_input import EVERYONE
from lib.money import exponent
from lib.offer import Moment, Pays
from lib.offer import Reward as Given
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario
from lib.ui.text import MISSING, symbol_of

# The labels are the values: they stand in the URL, so they stay as they are.
MOMENTS: Mapping[str, Moment] = {
    "Delivered": Moment.DELIVERED,
    "Shipped": Moment.SHIPPED,
    "Ordered": Moment.ORDERED,
    "Late": Moment.LATE,
    "Cart left": Moment.CART_LEFT,
}
# Moments that are measured by another one's days, since they leave no trace of their own.
STANDS_FOR = {Moment.PACKED: "Ordered", Moment.LAST_ORDER: "Ordered", Moment.NEXT_DUE: "Delivered"}
REWARDS: Mapping[str, Pays] = {
    "Percent off": Pays.PERCENT,
    "Amount off": Pays.AMOUNT,
    "Free shipping": Pays.SHIPPING,
    "Gift": Pays.GIFT,
    "Points": Pays.POINTS,
    "No reward": Pays.NOTHING,
}
AFTER = {
    "Delivered": "the delivery",
    "Shipped": "the parcel left",
    "Ordered": "the order",
    "Late": "the promised day passed",
    "Cart left": "the cart was left",
}
# What the sliders begin with; percentages as people read them.
_PERCENT, _DELAY, _EXPIRY, _RUN, _REACH, _HOLDOUT = 10.0, 14, 30, 90, 100, 50
LONGEST_DELAY, LONGEST_EXPIRY = 180, 90


def moment_label(moment: Moment) -> str:
    """The label under which a moment is measured."""
    found = next((label for label, known in MOMENTS.items() if known is moment), None)
    return found or STANDS_FOR[moment]


def set_controls(scenario: Scenario, currency: str) -> None:
    """Put every slider where a scenario has it; from a callback, or before the sliders are drawn."""
    given, unit = scenario.reward, _unit(currency)
    state = st.session_state
    state["if_moment"] = moment_label(scenario.moment)
    state["if_group"] = scenario.group
    state["if_reward"] = next(label for label, pays in REWARDS.items() if pays is given.pays)
    state["if_percent"] = round(200 * given.depth) / 2
    for key, minor in (
        ("if_amount", given.face_minor),
        ("if_cost", given.cost_minor),
        ("if_point", given.point_minor),
        ("if_minimum", given.minimum_basket_minor),
        ("if_contact_cost", scenario.contact_cost_minor),
    ):
        state[key] = float(minor) / unit
    state["if_points"] = given.points
    state["if_delay"], state["if_expiry"] = scenario.delay_days, given.expiry_days
    state["if_run"] = scenario.run_days
    state["if_reach"], state["if_holdout"] = round(100 * scenario.reach), round(100 * scenario.holdout)
    state["if_margin"] = None if scenario.margin is None else round(100 * scenario.margin, 1)


def choose_group(groups: Sequence[str], *, is_kept: bool) -> str:
    """Whom it goes to; of a kept what-if the group is part of what was measured, and stays."""
    if st.session_state.get("if_group") not in groups:
        st.session_state.pop("if_group", None)
    found = st.selectbox(
        "Audience",
        groups,
        key="if_group",
        bind="query-params",
        disabled=is_kept,
        help="As customers stood at that moment. Groups with too few purchases to show a curve are not listed.",
    )
    return str(found or EVERYONE)


def choose_moment(*, is_kept: bool) -> str:
    """What it starts from."""
    found = st.selectbox(
        "Starts from",
        list(MOMENTS),
        key="if_moment",
        bind="query-params",
        disabled=is_kept,
        help="The day that the delay counts from, and from which it was measured how customers buy again.",
    )
    return found if found in MOMENTS else "Delivered"


def draw_controls(scenario: Scenario, ground: Ground, currency: str) -> Scenario:
    """Draw the sliders of the offer, and answer how they stand.

    Args:
        scenario: with its moment and audience, which are chosen before the ground is known.
        ground: what the sliders are scaled by.
    """
    given = _reward(scenario.reward, ground, currency)
    minimum = _amount("Minimum basket", "if_minimum", ground, currency, most=2.0, start=0.0)
    delay = st.slider(
        "Delay",
        0,
        _up_to("if_delay", LONGEST_DELAY),
        _DELAY,
        format="%d days",
        key="if_delay",
        bind="query-params",
    )
    expiry = st.slider(
        "Valid for",
        1,
        _up_to("if_expiry", LONGEST_EXPIRY),
        _EXPIRY,
        format="%d days",
        key="if_expiry",
        bind="query-params",
        help="How long the reward can be used; the result is counted over the same days.",
    )
    left, right = st.columns(2)
    reach = left.slider(
        "Reach",
        0,
        100,
        _REACH,
        format="%d%%",
        key="if_reach",
        bind="query-params",
        help="How many of them you can write to: those who agreed, and whom no contact rule holds back.",
    )
    holdout = right.slider(
        "Holdout",
        0,
        90,
        _HOLDOUT,
        format="%d%%",
        key="if_holdout",
        bind="query-params",
        help="They get nothing, so that the effect can be measured. An even split finds it soonest.",
    )
    with st.expander("Run, costs and margin", key="if_more", icon=":material/tune:"):
        run, contact, margin = _more(ground, currency)
    return replace(
        scenario,
        reward=replace(given, minimum_basket_minor=minimum, expiry_days=int(expiry)),
        delay_days=int(delay),
        run_days=run,
        reach=reach / 100,
        holdout=holdout / 100,
        contact_cost_minor=contact,
        margin=margin,
    )


def _more(ground: Ground, currency: str) -> tuple[int, float, float | None]:
    run = st.slider(
        "Started over",
        7,
        365,
        _RUN,
        format="%d days",
        key="if_run",
        bind="query-params",
        help="For how many days customers who reach the moment get it. All totals are of these.",
    )
    contact = st.number_input(
        f"Cost of one contact ({symbol_of(currency).strip()})",
        min_value=0.0,
        value=0.0,
        step=0.01,
        format="%.3f",
        key="if_contact_cost",
        bind="query-params",
        help="What sending one message costs you.",
    )
    measured = MISSING if ground.margin is None else f"{100 * ground.margin:.1f} as measured"
    margin = st.number_input(
        "Gross margin, %",
        min_value=0.0,
        max_value=100.0,
        value=None,
        step=0.5,
        format="%.1f",
        key="if_margin",
        bind="query-params",
        placeholder=measured,
        help="Empty: as measured, from the lines whose cost is known.",
    )
    if ground.margin is not None and ground.costed_share < 0.999:
        st.caption(f"The cost is known for {ground.costed_share:.0%} of these net sales.")
    return int(run), float(contact or 0.0) * _unit(currency), None if margin is None else margin / 100


def _reward(given: Given, ground: Ground, currency: str) -> Given:
    label = st.selectbox("Reward", list(REWARDS), key="if_reward", bind="query-params")
    pays = REWARDS.get(label, Pays.PERCENT)
    given = replace(given, pays=pays)
    match pays:
        case Pays.PERCENT:
            depth = st.slider("Depth", 0.0, 95.0, _PERCENT, 0.5, format="%g%%", key="if_percent", bind="query-params")
            return replace(given, depth=depth / 100)
        case Pays.AMOUNT:
            return replace(given, face_minor=_amount("Amount off", "if_amount", ground, currency, most=0.6, start=0.1))
        case Pays.SHIPPING | Pays.GIFT:
            worth = "Shipping the customer would pay" if pays is Pays.SHIPPING else "Worth to the customer"
            cost = "A parcel costs you" if pays is Pays.SHIPPING else "It costs you"
            return replace(
                given,
                face_minor=_amount(worth, "if_amount", ground, currency, most=0.6, start=0.1),
                cost_minor=_amount(cost, "if_cost", ground, currency, most=0.6, start=0.1),
            )
        case Pays.POINTS:
            count = st.number_input("Points", min_value=0, value=200, step=50, key="if_points", bind="query-params")
            worth_minor = _amount("100 points are worth", "if_point", ground, currency, most=0.2, start=0.02)
            return replace(given, points=int(count or 0), point_minor=worth_minor)
        case _:
            return given


def _amount(label: str, key: str, ground: Ground, currency: str, *, most: float, start: float) -> int:
    """A slider of money in round steps, from nothing to so many mean baskets; minor units."""
    unit = _unit(currency)
    step = money_step(ground, currency)
    highest = max(round(most * _mean(ground) / unit / step), 10) * step
    kept = st.session_state.get(key)
    if isinstance(kept, (int, float)) and kept > highest:
        # A scenario from elsewhere may lie beyond this store's scale.
        highest = float(kept)
    found = st.slider(
        label,
        0.0,
        float(highest),
        float(round(start * _mean(ground) / unit / step) * step),
        float(step),
        format=f"{symbol_of(currency)}%.{0 if step >= 1 else exponent(currency)}f",
        key=key,
        bind="query-params",
    )
    return round(float(found) * unit)


def money_step(ground: Ground, currency: str) -> float:
    """A round step of amounts for baskets of this size, in whole units: 0.5 for baskets of about 60."""
    mean = _mean(ground) / _unit(currency)
    power = 1.0
    while power * 200 < mean:
        power *= 10
    return next(step for step in (power / 2, power, power * 2, power * 5) if step * 200 >= mean)


def _up_to(key: str, usual: int) -> int:
    """The end of a slider of days: beyond the usual where an offer or a link already is."""
    kept = st.session_state.get(key)
    return max(usual, min(kept, 730)) if isinstance(kept, int) else usual


def _mean(ground: Ground) -> float:
    orders = int(ground.baskets["orders"].sum())
    net = float(ground.baskets["net_minor"].sum())
    return max(net / orders, 1.0) if orders else 5_000.0


def of_audience(group: str, audience: Audience, moment: str) -> Scenario:
    """The scenario before its sliders: what it starts from and whom it goes to."""
    return Scenario(moment=MOMENTS[moment], group=group, audience=audience)


def _unit(currency: str) -> int:
    return int(10 ** exponent(currency))
