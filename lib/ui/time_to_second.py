"""Time to the second order, drawn: the Kaplan–Meier curve, for everyone or split by the first purchase."""

import pandas as pd
import streamlit as st

from lib.charts import survival
from lib.charts.theme import MOST_SERIES
from lib.errors import NotEnoughData
from lib.metrics import second_order
from lib.metrics.catalogue import find
from lib.metrics.definition import Scope
from lib.stats.survival import kaplan_meier, log_rank, worth_showing
from lib.ui.access import Opened
from lib.ui.chart import draw_chart
from lib.ui.drill_down import of_figure, open_accounts, open_button, open_figure
from lib.ui.tables import download

FIGURE = "time_to_second_order"
SPLITS = {
    "Everyone": None,
    "First product category": "category",
    "First product": "product",
    "Channel": "channel",
    "Country": "country",
    "Discount on the first order": "discount",
    "First delivery late or on time": "delivery",
}
ENOUGH = 50
EVERYONE = "All customers"


@st.cache_data(ttl="1h", max_entries=60, show_spinner=False)
def _curves(scope: Scope, by: str | None, version: int, _page: Opened) -> tuple[pd.DataFrame, int, str]:
    """The curves worth showing, how many slices are not shown, and what the log-rank test says of those shown."""
    groups = second_order.spells(_page.mart, scope, by)
    parts: list[pd.DataFrame] = []
    shown: dict[str, pd.DataFrame] = {}
    for name, rows in groups.items():
        curve = worth_showing(kaplan_meier(rows), at_risk=ENOUGH)
        if curve.empty or len(shown) == MOST_SERIES:
            continue
        label = EVERYONE if by is None else str(name)
        shown[label] = rows
        start = pd.DataFrame({"day": [0], "survival": [1.0], "low": [1.0], "high": [1.0], "at_risk": [_size(rows)]})
        part = pd.concat([start, curve[["day", "survival", "low", "high", "at_risk"]]], ignore_index=True)
        parts.append(part.assign(slice=label))
    if not parts:
        return pd.DataFrame(columns=["day", "returned", "low", "high", "at_risk", "slice"]), len(groups), ""
    frame = pd.concat(parts, ignore_index=True)
    turned = frame.assign(returned=1 - frame["survival"], low=1 - frame["high"], high=1 - frame["low"])
    verdict = ""
    if len(shown) > 1:
        try:
            verdict = _verdict(log_rank(shown).p, len(shown))
        except NotEnoughData as refused:
            verdict = str(refused)
    return turned.drop(columns="survival"), len(groups) - len(shown), verdict


def _size(rows: pd.DataFrame) -> int:
    return int(rows["events"].sum() + rows["censored"].sum())


def _verdict(p: float, slices: int) -> str:
    size = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if p < 0.05:
        return f"The {slices} groups come back differently ({size}, log-rank)."
    return f"No difference between the {slices} groups beyond chance ({size}, log-rank)."


@st.fragment
def draw_survival(page: Opened, scope: Scope) -> None:
    """When customers come back, for everyone or split by their first purchase."""
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    left.header("When they come back", anchor=False)
    with right:
        chosen = st.selectbox("Split by", list(SPLITS), key="survival_split", label_visibility="collapsed")
    by = SPLITS.get(chosen)
    frame, hidden, verdict = _curves(scope, by, page.version, page)
    if frame.empty:
        st.caption(
            f"Too few customers: a curve is drawn while at least {ENOUGH} are still being followed. "
            "It appears by itself as first orders come in; a longer choice of first orders may help."
        )
        return
    slices = tuple(dict.fromkeys(frame["slice"]))
    half = survival.half_back(frame) if by is None else None
    st.caption(
        "Share that has placed a second order, by day since the first (Kaplan–Meier), with its 95% interval."
        + ("" if half is None else f" Half are back after {half} days.")
    )
    draw_chart(
        survival.labelled(frame),
        survival.survival_spec(slices, half),
        alt="Share with a second order, by day since the first",
        words=survival.describe(frame),
        key=f"survival_chart_{len(slices)}",
    )
    notes = [f"Drawn while at least {ENOUGH} customers are still at risk."]
    if verdict:
        notes.insert(0, verdict)
    if hidden:
        notes.append(f"{hidden} smaller group{'' if hidden == 1 else 's'} not shown.")
    if by is not None:
        notes.append("Groups differ in more than this: a difference is no proof of a cause.")
    st.caption(" ".join(notes))
    name = f"{FIGURE}{'' if by is None else '_by_' + by}"
    with st.container(horizontal=True, vertical_alignment="center"):
        _open(scope, by, slices)
        download("Download (CSV)", name, lambda: frame, key="csv_survival")


def _open(scope: Scope, by: str | None, slices: tuple[str, ...]) -> None:
    """The way to the definition, the customers counted and those left out; of a split, of each curve."""
    if by is None:
        if open_button("open_survival", "What the curve means, who is counted, and the customers behind it"):
            open_figure(FIGURE, scope)
        return
    if open_button("open_survival", "Choose a curve: what it means, who is counted, and the customers behind it"):
        curves = {
            piece: of_figure(
                FIGURE, Scope(period=scope.period, as_of=scope.as_of, filters=(*_other(scope, by), (by, piece)))
            )
            for piece in slices
        }
        open_accounts(find(FIGURE).label, curves, key="survival", asked="Curve")


def _other(scope: Scope, by: str) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in scope.filters if pair[0] != by)
