"""How large an audience is, whom a message may reach of it, what holds the others back, and who gets other offers."""

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from lib.audience import Audience
from lib.db.engine import order_database, reading
from lib.db.store import Store
from lib.db.tables.columns import now
from lib.jobs.reach import Reach, message_of, reach
from lib.metrics import audience as metric
from lib.metrics.audience import Funnel
from lib.metrics.definition import Mart
from lib.queues.audiences import offers_out
from lib.settings import settings
from lib.ui.tables import table
from lib.ui.text import ago, one_line

if TYPE_CHECKING:
    from lib.ui.audience import Sent


def funnel_of(mart: Mart, audience: Audience, as_of: date) -> Funnel:
    """What each rule leaves; the mart keeps its answers, so that a rerun asks nothing."""
    return metric.funnel(mart, audience, as_of)


def reach_of(mart: Mart, audience: Audience, as_of: date, sent: "Sent") -> Reach:
    """Whom a message may reach now."""
    message = message_of(
        mart, as_of, kind=sent.kind, at=now(), channel=sent.channel, pays=sent.pays, offer_id=sent.offer_id
    )
    return reach(settings(), mart, audience, as_of, message)


def draw_reach(store: Store, mart: Mart, audience: Audience, found: Funnel, sent: "Sent", *, key: str) -> None:
    """The count, the contact rules and the overlaps, as a card."""
    today = store.today()
    with st.container(border=True, gap="small", key=f"{key}_reach"):
        share = f"{100 * found.count / found.everyone:.0f}% of" if found.everyone else "of"
        st.metric("Customers in this audience", f"{found.count:,}")
        st.caption(f"{share} {found.everyone:,} who ever bought · figures {_as_of(mart)}")
        if not found.count:
            st.info("Nobody meets all of these rules. Remove or widen one.")
            return
        _held(reach_of(mart, audience, today, sent))
        _overlaps(mart, audience, found.count, today, sent)


def _held(told: Reach) -> None:
    st.markdown(f"**{told.free:,} may be contacted now**")
    if not told.held:
        st.caption("No contact rule holds anybody back.")
        return
    frame = pd.DataFrame(
        [(one.words, one.customers) for one in told.held], columns=["Held back, by the first reason", "Customers"]
    )
    table(
        frame,
        alt="Held back: " + ", ".join(f"{one.words} {one.customers:,}" for one in told.held),
        columns={"Customers": st.column_config.NumberColumn(format="localized", width="small")},
    )
    st.caption("The rules are asked again, live, before anything is sent. Quiet hours only delay.")


def _overlaps(mart: Mart, audience: Audience, count: int, today: date, sent: "Sent") -> None:
    with reading(order_database(settings())) as connection:
        others = offers_out(connection, but=sent.offer_id)
    if not others:
        st.caption("No other offer is approved, running or paused: nothing to overlap with.")
        return
    shared = metric.overlaps(mart, audience, [one.plan.audience for one in others], today)
    frame = pd.DataFrame(
        [
            (one_line_plain(one.name), one.plan.priority, customers, 100 * customers / count)
            for one, customers in zip(others, shared, strict=True)
        ],
        columns=["Also in the audience of", "Priority", "Customers", "Share"],
    )
    table(
        frame,
        alt="Overlap with other offers",
        columns={
            "Priority": st.column_config.NumberColumn(
                width="small", help="Of two due on one day the lower goes first."
            ),
            "Customers": st.column_config.NumberColumn(format="localized", width="small"),
            "Share": st.column_config.NumberColumn(format="%.0f %%", width="small"),
        },
    )


def one_line_plain(words: str) -> str:
    """Words of a cell: a table shows them as they are."""
    return " ".join(words.split())[:120]


def _as_of(mart: Mart) -> str:
    return one_line(f"refreshed {ago(mart.about.refreshed_at, now())}", 60)
