"""For whom an offer worked, with a warning against fishing."""

import pandas as pd
import streamlit as st

from lib.charts.experiment import describe_effects, effects_spec
from lib.errors import NotEnoughData
from lib.metrics.offer_reading import Reading
from lib.metrics.offer_result import SEGMENTS, Trial, sums
from lib.stats.read_out import segments
from lib.stats.segment_effects import SegmentEffects
from lib.ui.access import show_error
from lib.ui.live import House
from lib.ui.offer_verdict import signed
from lib.ui.text import one_line, plain
from lib.workflows.offer_trials import SentOffer

# More segments than this are no picture any more; the largest are drawn.
MOST = 8
_DIFFER = 0.05
_PURCHASES = {"none": "No purchase", "1": "1 purchase", "2": "2 purchases", "3 or more": "3 or more purchases"}


def draw_segments(house: House, tested: SentOffer, found: Reading) -> None:
    """The difference in who bought, segment by segment, corrected for asking so often."""
    if found.read is None or "bought" not in found.read.effects:
        return
    with st.container(border=True, key="offer_segments"):
        _draw(house, tested.trial, found)


@st.fragment
def _draw(house: House, trial: Trial, found: Reading) -> None:
    try:
        st.subheader("For whom it worked", anchor=False)
        labels = {label: name for name, label in SEGMENTS.items()}
        chosen = st.segmented_control(
            "Customers by what was known before: purchases so far, or of the last order",
            list(labels),
            default=next(iter(labels)),
            required=True,
            key="offer_segment",
        )
        _draw_split(house, trial, found, labels[chosen or next(iter(labels))])
    except Exception as error:
        show_error(error)


def _draw_split(house: House, trial: Trial, found: Reading, name: str) -> None:
    assert house.mart is not None  # the caller asked
    try:
        split = segments(sums(house.mart, trial, found.today, found.margin, by=name))
    except NotEnoughData as missing:
        st.caption(plain(missing))
        return
    if len(split.rows) == 1:
        st.caption(plain(f"All customers are alike in this: {_named(name, str(split.rows['segment'].iloc[0]))}."))
        return
    frame = _frame(split, name)
    st.vega_lite_chart(
        frame, effects_spec("share", "", len(frame)), alt=describe_effects(frame), key=f"offer_segments_{name}"
    )
    st.caption(plain(_warning(split)))


def _named(name: str, segment: str) -> str:
    """What a segment is called; the words of the shop's own data on one line."""
    if name == "purchases_before":
        return _PURCHASES.get(segment, segment)
    return one_line(segment, 40).replace("\\", "")


def _frame(split: SegmentEffects, name: str) -> pd.DataFrame:
    rows = split.rows[split.rows["difference"].notna()].head(MOST)
    return pd.DataFrame(
        {
            "label": [_named(name, str(segment)) for segment in rows["segment"]],
            "difference": rows["difference"].astype(float),
            "low": rows["low"].astype(float),
            "high": rows["high"].astype(float),
            "treated": rows["treated"].astype(float),
            "holdout": rows["holdout"].astype(float),
            "stands_out": rows["stands_out"].astype(bool),
            "written": [f"{signed(value)} per 1,000" for value in rows["difference"]],
        }
    )


def _warning(split: SegmentEffects) -> str:
    """Whoever asks often enough finds something: what was corrected, and whether the segments differ at all."""
    many = len(split.rows)
    small = many - split.asked
    parts = [
        f"A look for ideas, not a verdict: {split.asked} groups were compared at once, and chance alone answers some. "
        "Filled in colour stands out after the correction for that (Benjamini–Hochberg, at most 5% false)."
    ]
    if split.differ_p is not None:
        parts.append(
            f"The segments differ from one another (p = {split.differ_p:.3f}): try the best of them in an offer of "
            "its own."
            if split.differ_p < _DIFFER
            else f"Nothing says that the effect differs between them (p = {split.differ_p:.2f})."
        )
    if split.asked > MOST:
        parts.append(f"The {MOST} largest are drawn.")
    if small:
        parts.append(f"{small} with too few customers are left out.")
    return " ".join(parts)
