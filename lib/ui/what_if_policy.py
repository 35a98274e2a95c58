"""What if parcels came on time more often, or returns were easier? From measured relations, which need be no causes."""

from datetime import date

import streamlit as st

from lib.errors import NotEnoughData
from lib.metrics.definition import Mart
from lib.metrics.policy_input import LANDMARK, UNTIL, WITHIN, Measured, lateness, returning
from lib.metrics.what_if_input import EVERYONE
from lib.money import exponent
from lib.offer import Moment
from lib.settings import settings
from lib.stats.adjust import e_value
from lib.stats.assumptions import Beta
from lib.stats.policy import Change, PolicyWhatIf, Relation, delivery_change, policy_what_if
from lib.ui.access import Opened, show_error
from lib.ui.text import symbol_of
from lib.ui.what_if_grounds import grounds_of
from lib.ui.what_if_words import count, count_range, money_range, whole

_UNKNOWN = ":orange-badge[:material/help: How much of it is cause is assumed]"


@st.fragment
def draw_policies(page: Opened) -> None:
    """Delivery and returns, each with its sliders and its answer."""
    left, right = st.columns(2)
    for where, key, draw in ((left, "if_delivery", _draw_delivery), (right, "if_returns", _draw_returns)):
        with where, st.container(border=True, key=key):
            try:
                draw(page)
            except NotEnoughData as missing:
                st.caption(str(missing))
            except Exception as error:
                show_error(error)


@st.cache_resource(ttl="1h", max_entries=8, show_spinner=False)
def _measured(place: str, version: int, what: str, as_of: date, _mart: Mart) -> Measured:
    return lateness(_mart, as_of) if what == "lateness" else returning(_mart, as_of)


def _read(page: Opened, what: str) -> Measured:
    return _measured(str(settings().mart_dir), page.version, what, page.today, page.mart)


def _order_profit(page: Opened) -> float:
    """What a repeat order earns, in minor units: the mean basket × its margin."""
    _, ground = grounds_of(page, Moment.DELIVERED)[EVERYONE]
    basket, _ = ground.basket()
    if ground.margin is None:
        raise NotEnoughData("No cost of goods is known, so nobody can say what a repeat order earns.")
    return basket * ground.margin


def _draw_delivery(page: Opened) -> None:
    st.header("A faster or more reliable carrier", anchor=False)
    found = _read(page, "lateness")
    _say_relation(found, "whose parcel came late", "whose came on time", f"within {WITHIN} days of it")
    then = st.slider(
        "Late with the new carrier",
        0.0,
        100.0,
        round(50 * found.share, 1),
        0.1,
        format="%g%%",
        key="if_late_then",
        bind="query-params",
        help=f"Today {found.share:.1%} of {found.a_year:,} parcels a year. The carrier's promise, or better a trial.",
    )
    more = _cost("It takes more for a parcel", "if_parcel_more", 0.2, page.currency)
    change = delivery_change(
        parcels=found.a_year,
        late_now=found.share,
        late_then=then / 100,
        order_profit=_order_profit(page),
        cost_per_parcel=more,
    )
    _answer(page, found, change, f"late {found.share:.1%} → {then / 100:.1%}", key="if_cause_late")


def _draw_returns(page: Opened) -> None:
    st.header("Easier returns", anchor=False)
    found = _read(page, "returning")
    _say_relation(
        found,
        f"who sent something back by day {LANDMARK}",
        "who kept everything",
        f"from then to day {UNTIL}",
    )
    then = st.slider(
        "Orders with a return afterwards",
        0.0,
        100.0,
        round(120 * found.share, 1),
        0.1,
        format="%g%%",
        key="if_return_then",
        bind="query-params",
        help=f"Today {found.share:.1%} of {found.a_year:,} orders a year. Free returns and longer windows bring more: "
        "how many more is yours to say.",
    )
    one = _cost("A return costs you", "if_return_cost", 8.0, page.currency)
    label = _cost("Label you pay from now on", "if_label", 5.0, page.currency)
    extra = found.a_year * (then / 100 - found.share) * one
    change = Change(
        customers=found.a_year,
        share_now=found.share,
        share_then=then / 100,
        order_profit=_order_profit(page),
        cost=extra + found.a_year * then / 100 * label,
    )
    _answer(page, found, change, f"returned {found.share:.1%} → {then / 100:.1%}", key="if_cause_return")
    st.caption(
        "Who paid for a return is not recorded, so no relation of free returns themselves is measured. For a longer "
        "window without free labels set the label to nothing."
    )


def _cost(label: str, key: str, start: float, currency: str) -> float:
    found = st.number_input(
        f"{label} ({symbol_of(currency).strip()})", value=start, step=0.1, format="%g", key=key, bind="query-params"
    )
    return float(found or 0.0) * float(10 ** exponent(currency))


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace("-", "−")


def _say_relation(found: Measured, exposed: str, others: str, when: str) -> None:
    one = found.relation
    points = 100 * one.risk_difference
    word = "fewer" if points < 0 else "more"
    st.markdown(
        f"Of customers {exposed}, **{abs(points):.1f} points {word}** buy again {when} than of those {others}: "
        f"{_points(one.risk_difference)} ({_points(one.low)} to {_points(one.high)}), like compared with like; "
        f"{_points(one.crude_risk_difference)} as they stand."
    )
    notes = [f"{one.n:,} orders compared."]
    base = found.unexposed_share
    if base > 0 and base + one.risk_difference > 0:
        strength = e_value((base + one.risk_difference) / base)
        notes.append(f"An unseen common cause {strength:.1f} times as strong on both sides would explain it away.")
    if one.is_thin:
        notes.append(f"Only {one.overlap:.0%} have somebody to be compared with: read it with care.")
    st.caption(" ".join(notes))


def _answer(page: Opened, found: Measured, change: Change, moved: str, *, key: str) -> None:
    share = st.slider(
        "Of the relation that is cause",
        5,
        95,
        40,
        5,
        format="%d%%",
        key=key,
        bind="query-params",
        help="An assumption: nobody has measured it. Only a trial by lot can.",
    )
    one = found.relation
    relation = Relation(difference=one.risk_difference, low=one.low, high=one.high, n=one.n)
    result = policy_what_if(relation, change, cause=Beta(share / 20, (100 - share) / 20))
    if not result.is_clear:
        st.markdown(":orange[:material/warning:] **The relation may be chance.** Nothing follows from it for sure.")
    st.markdown(f"**{pays_words(result)}**")
    with st.grid(2, min_column_width=140):
        profit, repeat = result.profit, result.repeat
        _card("Profit a year", whole(profit.middle, page.currency), money_range(profit, page.currency))
        _card("Repeat orders", count(repeat.middle, repeat), count_range(repeat))
        everything = result.profit_if_all
        _card("If all were cause", whole(everything.middle, page.currency), money_range(everything, page.currency))
        _card("Chance of profit", f"{result.chance:.0%}", f"costs {whole(change.cost, page.currency)} a year")
    st.markdown(f"{_UNKNOWN} {moved}")


def _card(label: str, value: str, under: str) -> None:
    st.metric(label, value, under, delta_color="off", delta_arrow="off", border=True, height="stretch")


def pays_words(result: PolicyWhatIf) -> str:
    """For which part of the relation being cause the change pays; this needs no assumption but the measurement."""
    if result.pays_between is None:
        return "It never pays, even if all of the relation were cause."
    low, high = result.pays_between
    if low <= 0 and high >= 1:
        return "It pays whatever part of the relation is cause."
    return (
        f"It pays if at least {low:.0%} of the relation is cause."
        if high >= 1
        else f"It pays if at most {high:.0%} of the relation is cause."
    )
