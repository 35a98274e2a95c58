"""What the store's own offers taught, for the what-if and its scoreboard: read once, told in words."""

from math import exp

import pandas as pd
import streamlit as st

from lib.db.engine import order_database, reading
from lib.metrics.learned import Learned, Lesson, Taught, learned
from lib.periods import day_index
from lib.settings import settings
from lib.stats.assumptions import Assumptions
from lib.stats.learning import Measured
from lib.ui.access import Opened
from lib.ui.tables import table
from lib.ui.text import MISSING, one_line, plain
from lib.workflows.offer_trials import all_tested

# What a reward that looks like a tenth of the basket pulls: the same for all, to compare before and after.
TENTH = 0.10536
# A share whose error is larger says nothing.
WIDEST = 0.5


def learned_by(page: Opened) -> Learned:
    """The assumptions with everything that finished offers taught, as of this morning."""
    return _learned(settings().database_url, day_index(page.today), page.version, page)


# An offer that was just stopped or finished teaches a few minutes later.
@st.cache_data(ttl="5m", max_entries=8, show_spinner=False)
def _learned(url: str, today: int, version: int, _page: Opened) -> Learned:
    with reading(order_database(settings())) as connection:
        sent = all_tested(connection, _page.house.store.zone)
    offers = [Taught(trial=one.trial, plan=one.plan, is_over=one.is_over) for one in sent if one.plan is not None]
    return learned(_page.mart, offers, today=today)


def draw_learned(found: Learned) -> None:
    """Which offers taught what, and how the assumptions moved."""
    st.subheader("What your offers taught", anchor=False)
    if not found.lessons:
        st.caption("Nothing yet: the first offer with a holdout whose windows are over teaches the next what-if.")
        _left_out(found)
        return
    st.caption(plain(_moved(Assumptions(), found.assumptions)))
    table(
        _lessons(found.lessons),
        alt="What each finished offer taught",
        columns={
            "Answer": st.column_config.TextColumn(
                help="How many times as often the treated bought, day by day; 95% range."
            ),
            "Reward": st.column_config.NumberColumn(format="%.1f%%", help="What it looks worth, of a mean basket."),
            "Redeemed anyway": st.column_config.TextColumn(help="Of those who would have bought without it; ± 1 SE."),
            "Came forward": st.column_config.TextColumn(help="Of the added orders, missing afterwards; ± 1 SE."),
        },
        key="learned_table",
    )
    _left_out(found)


def _lessons(lessons: tuple[Lesson, ...]) -> pd.DataFrame:
    rows = []
    for one in lessons:
        low, high = (exp(one.effect.log_hr + side * 1.96 * one.effect.se) for side in (-1, 1))
        rows.append(
            {
                "Offer": one_line(one.name, 60).replace("\\", ""),
                "Answer": f"×{exp(one.effect.log_hr):.2f} ({low:.2f} to {high:.2f})",
                "Reward": 100 * (1 - exp(-one.effect.v)),
                "Redeemed anyway": _share(one.redeemed_anyway),
                "Came forward": _share(one.pulled_forward),
                "Bought with it": f"{one.treated[1]:,} of {one.treated[0]:,}",
                "Held out": f"{one.holdout[1]:,} of {one.holdout[0]:,}",
            }
        )
    return pd.DataFrame(rows)


def _share(found: Measured | None) -> str:
    """A share with its error; one that could as well be none as all of them is not told."""
    if found is None:
        return MISSING
    if found.se > WIDEST:
        return "Too few to tell"
    return f"{found.share * 100:.0f}% ± {found.se * 100:.0f}".replace("-", "−")


def _moved(before: Assumptions, after: Assumptions) -> str:
    """Prior and posterior in words: a message alone, a reward of a tenth, and the two shares."""

    def pulled(known: Assumptions) -> str:
        middle = known.contact + known.pull * TENTH
        sd = (known.contact_sd**2 + (known.pull_sd * TENTH) ** 2 + 2 * known.covariance * TENTH) ** 0.5
        return f"×{exp(middle):.2f} ({exp(middle - 1.645 * sd):.2f} to {exp(middle + 1.645 * sd):.2f})"

    def alone(known: Assumptions) -> str:
        low, high = (exp(known.contact + side * 1.645 * known.contact_sd) for side in (-1, 1))
        return f"×{exp(known.contact):.2f} ({low:.2f} to {high:.2f})"

    anyway, forward = (
        [f"{getattr(known, name).mean * 100:.0f}%" for known in (before, after)]
        for name in ("redeemed_anyway", "pulled_forward")
    )
    return (
        f"From {after.learned_from} finished offer{'' if after.learned_from == 1 else 's'}, each by how well it was "
        f"measured, whatever it showed. A message alone: {alone(before)} assumed, now {alone(after)}. With a reward "
        f"that looks like a tenth of the basket: {pulled(before)} assumed, now {pulled(after)}. Would-be buyers who "
        f"redeem: {anyway[0]} assumed, now {anyway[1]}. Added orders that come forward: {forward[0]} assumed, now "
        f"{forward[1]}."
    )


def _left_out(found: Learned) -> None:
    for name, why in found.left_out:
        st.caption(f"{one_line(name, 60)}: {plain(why)}")


def learned_words(found: Learned) -> str:
    """From which offers the assumptions come, for the what-if's own screen; plain text, empty without any."""
    names = [f"“{name}”" for name in found.names]
    if not names:
        return ""
    shown = names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"]
    return f"Learned from {', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else f"Learned from {shown[0]}"
