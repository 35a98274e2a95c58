"""The plan of an offer: when it goes out, what it gives and costs, how it is measured, and its limits."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lib.money import exponent, to_minor
from lib.offer import KINDS, Channel, Code, Guardrails, Moment, Pays, Plan, Reward
from lib.ui.offer_cost import draw_cost
from lib.ui.offer_edit import Editing
from lib.ui.offer_products import draw_products
from lib.ui.offer_terms import CHANNELS, PAYS, when
from lib.ui.text import plain
from lib.workflows.offer_terms import LONGEST_NAME, Terms

_MOMENTS = {
    Moment.ORDERED: "The order was accepted",
    Moment.PACKED: "It was packed",
    Moment.SHIPPED: "It was shipped",
    Moment.DELIVERED: "It was delivered",
    Moment.LATE: "It is late",
    Moment.NEXT_DUE: "The next order is due",
    Moment.LAST_ORDER: "The last order",
    Moment.CART_LEFT: "A cart was left",
}


def draw_plan(one: Editing) -> None:
    """The fields of the plan; what they say becomes ``one.terms``."""
    terms = one.terms
    is_out = one.offer.status in {"running", "paused"}
    with st.container(border=True, gap="small", key="offer_what"):
        st.markdown("**What it is**")
        name = st.text_input("Name", terms.name, max_chars=LONGEST_NAME, key=f"{one.key}_name", disabled=not one.may)
        plan = _moment(one, terms.plan)
    with st.container(border=True, gap="small", key="offer_gives"):
        st.markdown("**What it gives**")
        plan = _reward(one, plan)
        # Filled in when all the terms are known.
        cost = st.container(gap="xsmall", key="offer_cost")
    with st.container(border=True, gap="small", key="offer_measured"):
        st.markdown("**How it is measured**")
        measured = _measured(one, terms, frozen=is_out or not one.may)
    with st.container(border=True, gap="small", key="offer_rails"):
        st.markdown("**Guardrails**")
        st.caption("Crossing one pauses the offer and puts it into the list for the day. Empty: no such limit.")
        plan = _guardrails(one, plan)
    one.terms = replace(measured, name=name, plan=plan)
    with cost:
        draw_cost(one)


def _moment(one: Editing, plan: Plan) -> Plan:
    kind, key = KINDS[plan.kind], one.key
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        moments = list(_MOMENTS)
        moment = st.selectbox(
            "Counted from",
            moments,
            index=moments.index(plan.moment),
            format_func=lambda m: _MOMENTS[m],
            key=f"{key}_moment",
            width=220,
            disabled=not one.may,
        )
        days = st.number_input(
            "Days after it", 0, 730, plan.delay_days, key=f"{key}_delay", width=140, disabled=not one.may
        )
        channel = st.selectbox(
            "By",
            list(kind.channels),
            index=kind.channels.index(plan.channel) if plan.channel in kind.channels else 0,
            format_func=lambda c: CHANNELS[c],
            key=f"{key}_channel",
            width=230,
            disabled=not one.may,
        )
    moved = replace(
        plan,
        moment=Moment(moment),
        delay_days=int(days),
        channel=Channel(channel),
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        link = st.text_input(
            "Link",
            plan.link,
            max_chars=1000,
            placeholder="https://your-shop.example/again",
            key=f"{key}_link",
            disabled=not one.may,
        )
        campaign = st.text_input(
            "Counted as",
            plan.campaign,
            max_chars=80,
            placeholder="the offer's name",
            key=f"{key}_campaign",
            width=220,
            disabled=not one.may,
            help="The campaign under which your shop's statistics count its visits (utm_campaign).",
        )
    is_service = ". A message about her own order: it needs no consent to advertising" if kind.is_service else ""
    st.caption(plain(f"{kind.label}: goes out {when(moved)}{is_service}."))
    products = draw_products(one, moved)
    return replace(moved, link=link.strip(), campaign=campaign.strip(), product_ids=products)


def _reward(one: Editing, plan: Plan) -> Plan:
    kind, key, reward, off = KINDS[plan.kind], one.key, plan.reward, not one.may
    pays = reward.pays
    if len(kind.pays) > 1:
        pays = Pays(
            st.segmented_control(
                "Reward",
                list(kind.pays),
                default=reward.pays if reward.pays in kind.pays else kind.pays[0],
                format_func=lambda p: PAYS[p],
                required=True,
                key=f"{key}_pays",
                disabled=off,
            )
            or reward.pays
        )
    made = replace(reward, pays=pays)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        made = _of_kind(one, made)
        if pays is not Pays.NOTHING:
            least = _amount(one, "From a basket of", made.minimum_basket_minor, "minimum")
            valid = st.number_input(
                "Valid for days", 1, 365, made.expiry_days, key=f"{key}_expiry", width=150, disabled=off
            )
            made = replace(made, minimum_basket_minor=least, expiry_days=int(valid))
        contact = _amount(
            one, "A contact costs", plan.contact_cost_minor, "contact", help_="What one message costs you."
        )
    code = _code(one, plan.code, made) if pays in {Pays.PERCENT, Pays.AMOUNT, Pays.SHIPPING} else plan.code
    return replace(plan, reward=made, code=code, contact_cost_minor=contact)


def _of_kind(one: Editing, reward: Reward) -> Reward:
    """The fields that this kind of reward needs, and no others."""
    key, off = one.key, not one.may
    match reward.pays:
        case Pays.PERCENT:
            percent = st.number_input(
                "Percent off", 0.0, 95.0, round(reward.depth * 100, 2), 1.0, key=f"{key}_depth", width=150, disabled=off
            )
            return replace(reward, depth=round(percent / 100, 6))
        case Pays.AMOUNT:
            return replace(reward, face_minor=_amount(one, "Amount off", reward.face_minor, "face"))
        case Pays.SHIPPING:
            face = _amount(one, "Shipping she would pay", reward.face_minor, "face")
            cost = _amount(one, "What the parcel costs you", reward.cost_minor, "cost")
            return replace(reward, face_minor=face, cost_minor=cost)
        case Pays.GIFT:
            face = _amount(one, "Worth to the customer", reward.face_minor, "face")
            cost = _amount(one, "What the gift costs you", reward.cost_minor, "cost")
            return replace(reward, face_minor=face, cost_minor=cost)
        case Pays.POINTS:
            points = st.number_input("Points", 0, 10**7, reward.points, key=f"{key}_points", width=150, disabled=off)
            worth = _amount(one, "100 points are worth", reward.point_minor, "point")
            return replace(reward, points=int(points), point_minor=worth)
        case _:
            return reward


def _code(one: Editing, code: Code, reward: Reward) -> Code:
    key, off = one.key, not one.may
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        ways = ["One for each customer", "The same for all"]
        way = st.segmented_control(
            "Code", ways, default=ways[1] if code.shared else ways[0], required=True, key=f"{key}_way", disabled=off
        )
        if way == ways[1]:
            shared = st.text_input("The code", code.shared, max_chars=40, key=f"{key}_shared", width=180, disabled=off)
            kept = replace(code, shared=shared.strip().upper())
        else:
            begins = st.text_input(
                "Begins with", code.prefix, max_chars=12, key=f"{key}_prefix", width=150, disabled=off
            )
            kept = replace(code, shared="", prefix=begins.strip().upper())
        uses = st.number_input(
            "Uses per customer", 1, 100, code.uses_per_customer, key=f"{key}_uses", width=170, disabled=off
        )
    if reward.pays is Pays.SHIPPING and not (kept.shared or kept.prefix):
        st.caption("Without a code your shop must give free shipping by itself.")
    elif kept.shared:
        st.caption("Anybody can pass a shared code on: the holdout may use it too, and the result looks smaller.")
    return replace(kept, uses_per_customer=int(uses))


def _measured(one: Editing, terms: Terms, *, frozen: bool) -> Terms:
    key, zone = one.key, one.store.zone
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        first = st.date_input(
            "First day",
            _day(terms.starts_at, one),
            key=f"{key}_starts",
            width=160,
            disabled=frozen,
            format="YYYY-MM-DD",
        )
        last = st.date_input(
            "Last day", _last(terms.ends_at, one), key=f"{key}_ends", width=160, disabled=frozen, format="YYYY-MM-DD"
        )
        window = st.number_input(
            "Outcome window, days", 1, 365, terms.window_days, key=f"{key}_window", width=190, disabled=frozen
        )
        holdout = st.number_input(
            "Holdout, %", 0, 90, round(terms.holdout_share * 100), key=f"{key}_holdout", width=150, disabled=frozen
        )
    if frozen and one.may:
        st.caption("Fixed since the start: the result rests on it.")
    elif not holdout:
        st.caption("Without a holdout nobody will know whether it worked.")
    else:
        st.caption(
            "The holdout gets nothing and is measured beside the others. An even split tells most with the fewest "
            "customers; 10 % needs 2.8 times as many."
        )
    if frozen:
        return terms
    return replace(
        terms,
        starts_at=_kept(terms.starts_at, _day(terms.starts_at, one), first, zone),
        # Whoever says a last day means it whole.
        ends_at=_kept(terms.ends_at, _last(terms.ends_at, one), last, zone, days=1),
        window_days=int(window),
        holdout_share=terms.holdout_share if round(terms.holdout_share * 100) == holdout else holdout / 100,
    )


def _guardrails(one: Editing, plan: Plan) -> Plan:
    rails, key, off = plan.guardrails, one.key, not one.may

    def share(label: str, value: float | None, name: str, help_: str) -> float | None:
        found = st.number_input(
            label,
            0.0,
            100.0,
            round(value * 100, 4) if value is not None else None,
            step=0.1 if name == "complaints" else 1.0,
            key=f"{key}_{name}",
            width=170,
            disabled=off,
            help=help_,
        )
        return round(found / 100, 6) if found is not None else None

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        digits = exponent(one.currency)
        budget = st.number_input(
            f"Budget, {one.currency}",
            0.0,
            10.0**9,
            rails.budget_minor / 10**digits if rails.budget_minor else None,
            key=f"{key}_budget",
            width=170,
            disabled=off,
            help="All that rewards and contacts may cost together.",
        )
        kept = Guardrails(
            budget_minor=to_minor(f"{budget:.{digits}f}", one.currency) or None if budget else None,
            margin_floor=share(
                "Margin at least, %", rails.margin_floor, "margin", "Gross margin of the treated after the reward."
            ),
            refund_rate=share(
                "Refunds at most, %", rails.refund_rate, "refunds", "Refunds of the treated, of their net sales."
            ),
            complaint_rate=share(
                "Complaints at most, %",
                rails.complaint_rate,
                "complaints",
                "Who complains or unsubscribes, of those written to. Mail services frown from 0.1 % complaints on.",
            ),
        )
        priority = st.number_input(
            "Priority",
            1,
            1000,
            plan.priority,
            key=f"{key}_priority",
            width=130,
            disabled=off,
            help="Of two offers due for one customer the lower number goes first.",
        )
    return replace(plan, guardrails=kept, priority=int(priority))


def _amount(one: Editing, label: str, minor: int, name: str, *, help_: str | None = None) -> int:
    digits = exponent(one.currency)
    value = st.number_input(
        f"{label}, {one.currency}",
        0.0,
        10.0**9,
        minor / 10**digits,
        step=float(max(1, 10**digits // 100)) if digits == 0 else 0.5,
        format=f"%.{digits}f",
        key=f"{one.key}_{name}",
        width=210,
        disabled=not one.may,
        help=help_,
    )
    return to_minor(f"{value:.{digits}f}", one.currency)


def _kept(
    before: datetime | None, shown: date | None, chosen: object, zone: ZoneInfo, *, days: int = 0
) -> datetime | None:
    """The instant as it was where its day was not changed, else the beginning of the chosen day."""
    if not isinstance(chosen, date):
        return None
    return before if chosen == shown else datetime.combine(chosen + timedelta(days=days), time.min, tzinfo=zone)


def _day(at: datetime | None, one: Editing) -> date | None:
    return at.astimezone(one.store.zone).date() if at else None


def _last(at: datetime | None, one: Editing) -> date | None:
    """The last whole day before the end."""
    return (at - timedelta(microseconds=1)).astimezone(one.store.zone).date() if at else None
