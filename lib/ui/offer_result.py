"""The result of one offer: the verdict to repeat, what it rests on, and the one click that follows from it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lib.charts.experiment import describe_looks, looks_spec
from lib.db.engine import order_database, reading
from lib.db.tables.columns import now
from lib.metrics.offer_reading import Reading, read_offer
from lib.metrics.offer_result import Trial
from lib.periods import day_index, day_of
from lib.settings import settings
from lib.staff import May
from lib.stats.verdict import Call
from lib.ui.access import Desk
from lib.ui.desk import act
from lib.ui.live import House, open_house
from lib.ui.offer_measures import draw_measures
from lib.ui.offer_segments import draw_segments
from lib.ui.offer_use import draw_use
from lib.ui.offer_verdict import ICONS, Pace, headline, signed
from lib.ui.tables import table
from lib.ui.text import plain
from lib.workflows.offer_decisions import LONGEST_REASON, SMALL_HOLDOUT, Decision, decide, doubt_of
from lib.workflows.offer_looks import looks_of
from lib.workflows.offer_trials import SentOffer, one_tested

# A band over more than so much of all customers says nothing yet.
WIDEST = 0.6
_DECIDED = {"keep": "It was kept", "stop": "It was stopped", "roll_out": "It was rolled out to everyone but a few"}


def draw_result(desk: Desk, offer_id: int) -> None:
    """The result of one offer, or why there is none yet."""
    desk.staff.must(May.SEE_FIGURES)
    house = open_house()
    with reading(order_database(settings())) as connection:
        tested = one_tested(connection, offer_id, desk.store.zone)
        looks = looks_of(connection, offer_id) if tested is not None else {}
    if tested is None:
        st.caption("There is a result once the offer has been started and its first customers were followed.")
        return
    if house.mart is None:
        st.caption("The figures are being prepared. Come back in a moment.")
        return
    found = reading_of(house, tested, tested.trial)
    pace = Pace(customers=found.counts.assigned, days=max(found.days, 1))
    _draw_head(desk, house, tested, found, pace)
    if found.read is not None:
        draw_measures(found, pace, house.currency)
    if found.read is not None and len(found.read.plan.looks) > 1:
        left, right = st.columns([1.7, 1], gap="small")
        with left, st.container(border=True, key="offer_course", height="stretch"):
            _draw_course(found)
        with right, st.container(border=True, key="offer_looks", height="stretch"):
            _draw_looks(found, looks)
    draw_segments(house, tested, found)
    draw_use(desk, house, tested, found)
    if tested.since_roll_out is not None:
        _draw_since(house, tested, tested.since_roll_out)


def reading_of(house: House, tested: SentOffer, trial: Trial) -> Reading:
    """The offer's result as of this morning, worked out once per day and version of the mart."""
    if house.mart is None:
        raise ValueError("there are no figures to read from")
    today = day_index(house.store.today())
    return _reading(trial, today, tested.is_over, int(house.mart.version), house.store.name, house)


@st.cache_data(ttl="1h", max_entries=100, show_spinner=False)
def _reading(trial: Trial, today: int, is_over: bool, version: int, place: str, _house: House) -> Reading:
    assert _house.mart is not None  # asked by reading_of
    return read_offer(_house.mart, trial, today=today, is_over=is_over)


def _draw_head(desk: Desk, house: House, tested: SentOffer, found: Reading, pace: Pace) -> None:
    with st.container(border=True, key="offer_verdict"):
        if found.read is None:
            st.header("No effect can be read", anchor=False)
            st.write(plain(found.why_not))
            call = Call.TOO_EARLY
        else:
            call, sentence, basis = headline(found.read, pace, house.currency)
            st.header(f"{ICONS[call]} {plain(sentence)}", anchor=False)
            st.write(plain(basis))
            st.caption(plain(_split(found)))
        if tested.decision:
            st.write(f"{_DECIDED[tested.decision]}. Its history says by whom and when.")
            if tested.doubt:
                st.caption(plain(f"Decided although the result did not carry it. Known then: {tested.doubt}"))
        if desk.staff.may(May.PLAN_OFFERS):
            _draw_decisions(desk, tested, found, call)


def _split(found: Reading) -> str:
    """The sample-ratio check, in words."""
    counts, share = found.counts, found.trial.holdout_share
    planned = f"{(1 - share) * 100:.0f} : {share * 100:.0f}"
    sizes = f"{counts.treated.assigned:,} with the offer, {counts.holdout.assigned:,} held out"
    left = f" {counts.left_out:,} test customers are left out." if counts.left_out else ""
    split = found.read.split if found.read is not None else None
    if split is None:
        return f"{sizes}; too few to check the split of {planned}.{left}"
    if split.blocks:
        return f"{sizes}. Planned was {planned}: a split this far off comes by chance once in {1 / split.p:,.0f} times."
    return f"The split is as planned ({planned}): {sizes} (p = {split.p:.2f}).{left}"


def _draw_decisions(desk: Desk, tested: SentOffer, found: Reading, call: Call) -> None:
    """Keep, roll out, stop: one click where the result carries it; else what is lost, and a reason, come first."""
    best = {Call.KEEP: "roll_out", Call.STOP: "stop"}.get(call)
    share = f"{SMALL_HOLDOUT * 100:.0f} %"
    kinds = (
        (Decision.ROLL_OUT, "Roll out", f"From now on everyone but {share} gets it.", ":material/rocket_launch:"),
        (Decision.KEEP, "Keep as it is", "It goes on with the same holdout.", ":material/check:"),
        (Decision.STOP, "Stop", "Nobody new gets it; who was assigned is measured to the end.", ":material/block:"),
    )
    with st.container(horizontal=True, gap="small"):
        for decision, label, words, icon in kinds:
            is_done = tested.decision == decision or (decision is Decision.STOP and tested.status == "stopped")
            done = f"{label}: done. {words}"
            doubt = "" if is_done else doubt_of(found, decision)
            if doubt:
                with st.popover(label, icon=icon, key=f"doubt_{decision}"):
                    _draw_doubt(desk, tested, found, decision, words=(label, words, doubt))
                continue
            st.button(
                label,
                help=words,
                icon=icon,
                key=f"decide_{decision}",
                type="primary" if decision == best and not is_done else "secondary",
                disabled=is_done,
                on_click=partial(_press, desk, tested, found, decision, done),
            )


def _draw_doubt(
    desk: Desk, tested: SentOffer, found: Reading, decision: Decision, *, words: tuple[str, str, str]
) -> None:
    """What is lost by deciding now, and the reason that goes into the log with it."""
    label, means, doubt = words
    st.write(plain(doubt))
    key = f"although_{decision}_{tested.version}"
    st.text_input("Why decide now all the same", max_chars=LONGEST_REASON, key=key)
    st.caption("The reason goes into the log, with what is known at this moment.")
    st.button(
        f"{label} anyway",
        icon=":material/warning:",
        key=f"decide_{decision}",
        on_click=partial(_press, desk, tested, found, decision, f"{label}: done. {means}", although_key=key),
    )


def _press(
    desk: Desk, tested: SentOffer, found: Reading, decision: Decision, done: str, *, although_key: str = ""
) -> None:
    although = str(st.session_state.get(although_key, "")) if although_key else ""
    act(
        lambda c: decide(c, desk.staff, found, decision, version=tested.version, at=now(), although=although),
        done,
    )


def _draw_course(found: Reading) -> None:
    st.subheader("Day by day", anchor=False)
    if found.read is None or len(found.read.course) < 2:
        st.caption("Drawn once the windows of the first customers are over and some of them bought.")
        return
    frame = found.read.course
    # The first few customers' band is so wide that nothing else could be read beside it.
    readable = frame[frame["high"] - frame["low"] <= WIDEST]
    frame = (readable if len(readable) > 1 else frame).copy()
    frame["day"] = [day_of(int(day)).isoformat() for day in frame["day"]]
    last = found.read.course.iloc[-1]
    written = f"{signed(last['difference'])} buyers per 1,000 ({signed(last['low'])} to {signed(last['high'])})"
    st.caption(
        "More buyers with the offer than without, as a share of customers. The pale band is safe to peek at every "
        "day; the bars are the planned looks, where a verdict may be spoken."
    )
    st.vega_lite_chart(frame, looks_spec("share", ""), alt=describe_looks(frame, written), key="offer_course_chart")


def _draw_looks(found: Reading, kept: Mapping[int, Mapping[str, Any]]) -> None:
    """Every planned look with what was said on it, and those to come."""
    st.subheader("Planned looks", anchor=False)
    assert found.read is not None  # the caller asked
    plan = found.read.plan
    rows: dict[str, list[Any]] = {"Look": [], "Day": [], "Followed": [], "Said": []}
    for number, day in enumerate(plan.looks, start=1):
        look = next((one for one in found.read.looks if one.number == number), None)
        said = kept.get(number)
        call = said["call"] if said else None
        if call is None and look is not None:
            call = "too early" if look.verdict is None else str(look.verdict.call)
        mature = said["mature"] if said else look.mature if look is not None else None
        rows["Look"].append(number)
        rows["Day"].append(day_of(day))
        rows["Followed"].append(mature)
        rows["Said"].append((call or "to come").capitalize())
    table(
        pd.DataFrame(rows),
        alt="Planned looks",
        columns={
            "Look": st.column_config.NumberColumn(width=50),
            "Day": st.column_config.DateColumn(format="D MMM YYYY"),
            "Followed": st.column_config.NumberColumn(format="%,d", help="Customers whose window was over."),
        },
        key="offer_looks_table",
    )
    st.caption("What was said on a look stays, whatever is refunded or imported later.")


def _draw_since(house: House, tested: SentOffer, trial: Trial) -> None:
    """After a roll-out: the customers since, against their own small holdout."""
    with st.container(border=True, key="offer_since"):
        st.subheader("Since it was rolled out", anchor=False)
        found = reading_of(house, tested, trial)
        if found.read is None or "bought" not in found.read.effects:
            many = f"{found.counts.treated.assigned:,} with the offer and {found.counts.holdout.assigned:,} held out"
            st.caption(f"{many} so far. The first can be compared once their windows are over and some of them bought.")
            return
        effect = found.read.effects["bought"]
        st.write(
            f"{signed(effect.difference)} buyers per 1,000 customers ({signed(effect.low)} to {signed(effect.high)}), "
            f"from {effect.sizes[0]:,} with the offer and {effect.sizes[1]:,} held out. "
            "Watched, not judged: a small holdout takes long."
        )
