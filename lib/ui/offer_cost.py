"""What an offer's reward costs on the store's own baskets, and from what on it pays: no assumption needed."""

import json
from datetime import date

import streamlit as st

from lib.audience import Audience
from lib.db.tables.columns import now
from lib.errors import NotEnoughData
from lib.metrics.definition import Mart, Unit
from lib.metrics.what_if_input import ground
from lib.offer import Moment, Pays
from lib.periods import store_day
from lib.stats.assumptions import Assumptions
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario, worked
from lib.stats.what_if import what_if
from lib.ui.live import open_house
from lib.ui.offer_edit import Editing
from lib.ui.places import WHAT_IF
from lib.ui.text import plain, written
from lib.ui.what_if_link import as_code
from lib.ui.what_if_words import headline

# Without days set: as long as a new offer runs.
_USUAL_DAYS = 56


@st.cache_resource(ttl="1h", max_entries=40, show_spinner=False)
def _ground(moment: Moment, rules: str, as_of: date, version: int, place: str, _mart: Mart) -> Ground:
    """The measured ground of an audience: read-only, so that one object serves every reader."""
    return ground(_mart, Audience.from_json(json.loads(rules)), moment, as_of)


def draw_cost(one: Editing) -> None:
    """The cost of one redemption and the break-even, as the plan stands."""
    house = open_house()
    if house.mart is None or house.is_empty:
        st.caption("What it costs on your baskets is shown once there are orders.")
        return
    terms = one.terms
    today = house.store.today()
    first = terms.starts_at or now()
    days = (store_day(terms.ends_at, one.store.zone) - store_day(first, one.store.zone)).days if terms.ends_at else 0
    scenario = Scenario.of_plan(
        terms.plan, group="Everyone", holdout=terms.holdout_share, run_days=days if days > 0 else _USUAL_DAYS
    )
    rules = json.dumps(terms.plan.audience.to_json())
    found = _ground(terms.plan.moment, rules, today, int(house.mart.version), house.store.name, house.mart)
    try:
        put = worked(scenario, found)
    except NotEnoughData as missing:
        st.caption(plain(str(missing)))
        return
    offer, money = put.offer, one.currency

    def amount(minor: float) -> str:
        return written(minor, Unit.MONEY, money)

    if terms.plan.reward.pays is not Pays.NOTHING:
        left = offer.gain - offer.reward.cost
        told = (
            f"A redemption costs you {amount(offer.reward.cost)} of an order of {amount(offer.basket)}, on which you "
            f"earn {amount(offer.gain)}: {amount(left)} are left. It looks like {offer.reward.depth:.0%} off."
        )
        st.markdown(plain(told))
        if scenario.reward.minimum_basket_minor:
            st.caption(plain(f"{offer.qualifying_share:.0%} of such orders reach the minimum basket."))
    st.markdown(headline(put, what_if(offer, put.waiting, Assumptions())))
    told = f"From how customers bought again within {scenario.reward.expiry_days} days of this moment"
    st.caption(plain(f"{told}, and from the cost of goods of {found.costed_share:.0%} of their sales."))
    # There it stands beside the sliders.
    query = {"beside": as_code(scenario)}
    st.page_link(WHAT_IF, label="Try other terms in What-if", icon=":material/tune:", query_params=query)
