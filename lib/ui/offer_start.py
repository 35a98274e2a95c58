"""Before an offer starts: what its result could show, and a dry run of who would get what and why others would not."""

from datetime import datetime

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.jobs.offer_dry_run import BEFORE, GETS, KEPT_OUT, NOT_NOW, Tried, dry_run
from lib.jobs.snapshot import newest
from lib.privacy import mask_email, mask_name
from lib.settings import settings
from lib.staff import May
from lib.stats.power import EVEN, holdout_penalty
from lib.ui.access import Desk
from lib.ui.live import open_house
from lib.ui.tables import download, table
from lib.ui.text import clock, plain
from lib.workflows.offer_forecast import Forecast, forecast
from lib.workflows.offer_going import Going, as_it_goes
from lib.workflows.offer_values import recipients_of

# So many customers are shown; the file has all of them.
SHOWN = 200
_OUTCOMES = {GETS: "Would get it", KEPT_OUT: "Held out", NOT_NOW: "Not now", BEFORE: "Had it before"}


def draw_start(desk: Desk, offer_id: int) -> None:
    """What can be detected, and the dry run, as of this moment."""
    desk.staff.must(May.PLAN_OFFERS)
    if open_house().mart is None:
        st.caption("The figures are being prepared. Come back in a moment.")
        return
    at = now()
    with reading(order_database(settings())) as connection:
        going = as_it_goes(connection, offer_id)
    if going.unasked:
        st.info(plain(going.unasked), icon=":material/info:")
        return
    mart = newest(settings())
    tried = _tried(offer_id, going.version, going.number, int(mart.version), at.strftime("%Y-%m-%d %H"), going)
    with st.container(border=True, key="offer_power"):
        _draw_power(desk, going, tried, at)
    with st.container(border=True, key="offer_dry_run"):
        _draw_dry_run(desk, going, tried)


@st.cache_data(ttl="10m", max_entries=20, show_spinner="Asking the rules …")
def _tried(offer_id: int, version: int, number: int, mart_version: int, hour: str, _going: Going) -> Tried:
    with reading(order_database(settings())) as connection:
        return dry_run(connection, newest(settings()), settings(), _going, at=now())


@st.fragment
def _draw_power(desk: Desk, going: Going, tried: Tried, at: datetime) -> None:
    st.subheader("What the result could show", anchor=False)
    hoped = st.number_input(
        "Hoped for: so many percent more buyers",
        min_value=1,
        max_value=500,
        value=20,
        step=5,
        key=f"offer_hoped_{going.offer_id}",
        width=300,
    )
    told = forecast(
        newest(settings()),
        going,
        desk.store,
        due=len(tried.rows),
        drawn=tried.count(GETS) + tried.count(KEPT_OUT),
        held=tried.count(NOT_NOW),
        at=at,
        hoped_uplift=float(hoped) / 100,
    )
    for words in power_words(told, going.holdout_share, going.window_days, float(hoped) / 100):
        st.markdown(plain(words))


def power_words(told: Forecast, holdout: float, window_days: int, hoped: float) -> list[str]:
    """What can be detected and what to change when it is too little, in sentences."""
    stock = f"{told.standing:,} customers are due already, and about" if told.standing else "About"
    words = [
        f"{stock} {told.per_day:,.1f} a day reach the moment. In {told.days} days, after the contact rules let "
        f"{told.allowed * 100:.0f} % of them through, about {told.customers:,} are drawn."
    ]
    if not holdout:
        words.append("Without a holdout nothing can be said about its effect, however many get it.")
        return words
    if told.baseline is None or told.found is None:
        words.append(f"What could be found cannot be told: {told.why_not}")
        return words
    found = told.found
    words.append(
        f"Without any offer {told.baseline * 100:.1f} % of such customers buy within the {window_days} days of the "
        "window."
    )
    if found.share is None or found.uplift is None:
        words.append("With so few customers not even everybody buying would be told from chance.")
    else:
        words.append(
            f"An effect is found 4 times out of 5 when at least {found.share * 100:.1f} % of the treated buy: "
            f"{found.uplift * 100:.0f} % more than without it ({told.looks} weekly looks, 5 % error)."
        )
    if found.hoped_needs is not None and found.is_in_reach:
        words.append(f"The hoped-for {hoped * 100:.0f} % more needs {found.hoped_needs:,} customers: within reach.")
    elif found.hoped_needs is not None:
        chance = f"; the chance to find it is {found.hoped_power * 100:.0f} %" if found.hoped_power is not None else ""
        words.append(
            f"The hoped-for {hoped * 100:.0f} % more needs {found.hoped_needs:,} customers: out of reach{chance}."
        )
        words.append(_advice(told, holdout))
    if holdout != EVEN:
        words.append(
            f"A {holdout * 100:.0f} % holdout needs {holdout_penalty(holdout):.1f} × the customers of an even split. "
            "An even split is the usual choice for a new offer."
        )
    return words


def _advice(told: Forecast, holdout: float) -> str:
    found = told.found
    assert found is not None  # asked by power_words
    if holdout != EVEN and found.even_split_helps:
        return "What to change: set the holdout to 50 %. With an even split these customers are enough."
    longer = found.times_longer
    if longer is None:
        return "What to change: let it run longer, or widen the audience."
    even = "" if holdout == EVEN else " with an even split"
    return (
        f"What to change: let it run {longer:.1f} times as long{even}, widen the audience by as much, measure over a "
        "longer window, or give something that moves more."
    )


def _draw_dry_run(desk: Desk, going: Going, tried: Tried) -> None:
    st.subheader("Dry run: who would get it now", anchor=False)
    st.caption("As if it went out at this moment. Nothing is written down or sent.")
    if tried.why:
        st.warning(plain(f"It would not go out: {tried.why}"), icon=":material/block:")
    with st.grid(4, min_column_width=150, gap="small", key="offer_dry_counts"):
        for outcome, label in _OUTCOMES.items():
            st.metric(label, f"{tried.count(outcome):,}", border=True)
    if tried.rows.empty:
        st.caption("Nobody is due at this moment.")
        return
    if tried.held:
        reasons = pd.DataFrame(tried.held.most_common(), columns=["Why not now", "Customers"])
        table(
            reasons,
            alt="How many each contact rule holds back",
            columns={"Customers": st.column_config.NumberColumn(format="%,d")},
            key="offer_dry_reasons",
        )
    table(
        _people(desk, going, tried.rows.head(SHOWN)),
        alt="Who would get what, and why the others would not",
        columns={"Why": st.column_config.TextColumn(width="medium")},
        key="offer_dry_rows",
    )
    if len(tried.rows) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(tried.rows):,}; the file has all of them.")
    download(
        "Download all",
        f"offer-{going.offer_id}-dry-run",
        lambda: _people(desk, going, tried.rows),
        key="offer_dry_file",
    )


def _people(desk: Desk, going: Going, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a dry run with names, as far as the reader may see them."""
    about = {int(one): None for one in rows["customer_id"]}
    with reading(order_database(settings())) as connection:
        people = recipients_of(connection, going.plan, about, language="en")
    may_see = desk.staff.may(May.SEE_PERSONAL_DATA)
    zone, today = desk.store.zone, desk.store.today()
    names, mails = {}, {}
    for key, one in people.items():
        names[key] = one.name if may_see else mask_name(one.name)
        mails[key] = one.email if may_see else mask_email(one.email)
    return pd.DataFrame(
        {
            "Customer": rows["customer_id"],
            "Name": [names.get(int(one)) for one in rows["customer_id"]],
            "E-mail": [mails.get(int(one)) for one in rows["customer_id"]],
            "Outcome": [_OUTCOMES[one] for one in rows["outcome"]],
            "Why": rows["reason"],
            "Code": rows["code"],
            "Would leave": [
                None if pd.isna(one) else clock(pd.Timestamp(one).to_pydatetime(), zone, today)
                for one in rows["send_at"]
            ],
        }
    )
