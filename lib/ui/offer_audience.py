"""The audience of one offer: the builder over its plan, checked against the contact rules as this offer meets them."""

from dataclasses import replace

import streamlit as st

from lib.ui.audience import Sent, draw_audience
from lib.ui.audience_members import draw_members
from lib.ui.live import open_house
from lib.ui.offer_edit import Editing


def draw_offer_audience(one: Editing) -> None:
    """Build whom the offer is for; who is in it, and what would hold each back."""
    plan = one.terms.plan
    sent = Sent(kind=plan.kind, channel=plan.channel, pays=plan.reward.pays, offer_id=one.offer.offer_id)
    key = f"{one.key}_audience"
    built = draw_audience(one.store, plan.audience, key, sent=sent, may=one.may)
    if built != plan.audience:
        one.terms = replace(one.terms, plan=replace(plan, audience=built))
    house = open_house()
    if house.mart is None or house.is_empty:
        return
    with st.container(border=True, gap="small", key=f"{key}_members"):
        st.markdown("**Who is in it**")
        st.caption("When each is due depends on the moment and the delay of the plan; the dry run names them by day.")
        draw_members(one.store, house.mart, built, sent, key=key, name=one.offer.name)
