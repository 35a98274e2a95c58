"""From sums per day and arm to what may be said of an offer: the split, each measure, the looks, the standing verdict.

One measure was named before the start and is judged: who bought. Profit decides between keep and stop once there is a
difference (ADR 12). Net sales and profit are judged beside it, on the same looks, each at half the error: the two
together are wrong as seldom as the one, and what is said of them decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

import numpy as np
import numpy.typing as npt
import pandas as pd

from lib.errors import NotEnoughData
from lib.stats.any_time import any_time_band
from lib.stats.experiment import ArmSums, Effect, SampleRatio, conversion, cuped, sample_ratio, welch
from lib.stats.segment_effects import SegmentEffects, by_segment
from lib.stats.verdict import WEEK, Call, LookPlan, Verdict, judge, weekly_looks

MEASURES = ("bought", "orders", "net", "profit")
BESIDE = ("net", "profit")
COURSE = ("day", "difference", "low", "high", "look_low", "look_high")
_FINAL = (Call.KEEP, Call.STOP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was to be said on one planned look. ``verdict`` null: nothing could be compared yet."""

    number: int
    day: int
    mature: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOut:
    """What may be said on the morning of ``today``.

    ``effects`` by measure, as far as they can be computed; ``why_not`` says why one cannot. Net sales and profit are
    adjusted for spending before the offer where that explains anything (``gain``). ``ranges`` are those that may be
    shown: until the planned end the bands that are safe to peek at. ``looks`` are those up to today;
    ``standing`` is the verdict that holds: of the first look that decided, else of the end, else
    today's. ``beside`` is the same of net sales and profit, as far as they can be compared: keep means more with the
    offer, stop less.
    """

    today: int
    plan: LookPlan
    split: SampleRatio | None
    effects: dict[str, Effect]
    ranges: dict[str, tuple[float, float]]
    why_not: dict[str, str]
    looks: tuple[Look, ...]
    standing: Verdict | None
    decided_on: int | None
    course: pd.DataFrame
    beside: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """The planned end has come: every customer's window is over."""
        return self.today >= self.plan.end


def plan_of(
    *, first_day: int, last_day: int, window_days: int, assigned_by_day: pd.Series, is_over: bool = False
) -> LookPlan:
    """The plan of looks, from the days on which customers are assigned.

    How many will be mature at the end is not known before it; it only says where the band to peek at is narrowest.
    It is taken from the first week's pace: from numbers assigned and never from what they did.

    Args:
        assigned_by_day: assigned customers of both arms, by store day.
        is_over: nobody is assigned any more: their number is known.
    """
    span = last_day - first_day + 1
    first_week = float(assigned_by_day[assigned_by_day.index < first_day + WEEK].sum())
    planned = float(assigned_by_day.sum()) if is_over or span <= WEEK else first_week * span / WEEK
    return weekly_looks(
        first_day=first_day, last_day=last_day, outcome_days=window_days, customers=max(1, round(planned))
    )


def arms(frame: pd.DataFrame, measure: str) -> tuple[ArmSums, ArmSums]:
    """The sums of a measure over all rows of a frame of :func:`lib.metrics.offer_result.sums`: treated, holdout."""
    y = ("buyers", "buyers", "buyers_x") if measure == "bought" else (measure, f"{measure}_m", f"{measure}_x")
    # Asked for every morning of a trial: arrays, because a frame takes ten times as long.
    values = np.stack([frame[name].to_numpy(np.float64) for name in (*y, "x", "xx", "n", "buyers")])
    is_treated = frame["is_treated"].to_numpy(np.bool_)
    return _arm(values[:, is_treated].sum(axis=1)), _arm(values[:, ~is_treated].sum(axis=1))


def _arm(sums: npt.NDArray[np.float64]) -> ArmSums:
    y, yy, xy, x, xx, n, buyers = (float(one) for one in sums)
    return ArmSums(n=int(n), y=y, yy=yy, x=x, xx=xx, xy=xy, buyers=int(buyers))


def effect_of(frame: pd.DataFrame, measure: str, level: float = 0.95) -> Effect:
    """Treatment less holdout of one measure; money with spending before taken out, where that explains anything.

    Raises:
        NotEnoughData: too few customers or nothing varies.
    """
    treated, holdout = arms(frame, measure)
    if measure == "bought":
        return conversion(treated, holdout, level)
    plain = welch(treated, holdout, level)
    try:
        adjusted = cuped(treated, holdout, level)
    except NotEnoughData:
        return plain
    return adjusted if (adjusted.gain or 0) > 0 else plain


def read_out(
    frame: pd.DataFrame, *, plan: LookPlan, window_days: int, today: int, assigned: Sequence[int], holdout_share: float
) -> ReadOut:
    """Work out everything that may be said today.

    Args:
        frame: :func:`lib.metrics.offer_result.sums` by day, of who is mature today.
        plan: of the looks.
        window_days: how long each customer is followed.
        today: a store day; who was assigned on ``day`` is mature when day + window_days < today.
        assigned: all assigned customers, treated and holdout, mature or not.
        holdout_share: as planned.
    """
    frame = frame.sort_values("day", kind="stable")
    effects: dict[str, Effect] = {}
    why_not: dict[str, str] = {}
    measures = [name for name in MEASURES if name == "bought" or name in frame]
    for measure in measures:
        try:
            effects[measure] = effect_of(frame, measure)
        except NotEnoughData as missing:
            why_not[measure] = str(missing)
    ranges = {name: _shown(effect, plan, today) for name, effect in effects.items()}
    split = None
    try:
        split = sample_ratio(assigned, (1 - holdout_share, holdout_share))
    except (NotEnoughData, ValueError) as missing:
        why_not["split"] = str(missing)
    looks = _looks(frame, plan, window_days, today, split)
    decided = next((look for look in looks if look.verdict is not None and look.verdict.call in _FINAL), None)
    standing = decided.verdict if decided is not None else None
    if standing is None and looks and today >= plan.end:
        standing = looks[-1].verdict
    if standing is None and split is not None and "bought" in effects:
        standing = _judged(frame, plan, window_days, today, split)
    if standing is not None and standing.effect == effects.get("bought"):
        # The judged measure has one range, that of its verdict.
        ranges["bought"] = (standing.low, standing.high)
    return ReadOut(
        today=today,
        plan=plan,
        split=split,
        effects=effects,
        ranges=ranges,
        why_not=why_not,
        looks=looks,
        standing=standing,
        decided_on=decided.day if decided is not None else None,
        course=_course(frame, plan, window_days, today, looks),
        beside={} if split is None else _beside(frame, plan, window_days, today, split),
    )


def _shown(effect: Effect, plan: LookPlan, today: int) -> tuple[float, float]:
    """The plain interval at the planned end; before, whoever looks again and again needs a wider one."""
    if today >= plan.end:
        return effect.low, effect.high
    return any_time_band(effect.difference, n=effect.n, se=effect.se, planned_n=plan.customers, level=1 - plan.alpha)


def _until(frame: pd.DataFrame, window_days: int, today: int) -> pd.DataFrame:
    """The rows of who was mature on an earlier morning, of a frame in the order of its days."""
    return frame.iloc[: int(np.searchsorted(frame["day"].to_numpy(), today - window_days))]


def _judged(frame: pd.DataFrame, plan: LookPlan, window_days: int, today: int, split: SampleRatio) -> Verdict | None:
    """What :func:`lib.stats.verdict.judge` says on a day; null where nothing can be compared."""
    mature = _until(frame, window_days, today)
    taken = [day for day in plan.looks if day <= today]
    try:
        effect = effect_of(mature, "bought")
    except NotEnoughData:
        return None
    profit = None
    if "profit" in mature:
        try:
            profit = effect_of(mature, "profit").difference
        except NotEnoughData:
            profit = None
    return judge(
        effect,
        split=split,
        plan=plan,
        matured=[int(_until(frame, window_days, day)["n"].sum()) for day in taken],
        today=today,
        is_money=False,
        profit=profit,
    )


def _beside(
    frame: pd.DataFrame, plan: LookPlan, window_days: int, today: int, split: SampleRatio
) -> dict[str, Verdict]:
    """What is to be said of net sales and profit: of the first look that decided, else of the end or today."""
    strict = replace(plan, alpha=plan.alpha / len(BESIDE))
    found: dict[str, Verdict] = {}
    for measure in (name for name in BESIDE if name in frame):
        for day in (*(look for look in plan.looks if look <= today), min(today, plan.end)):
            mature = _until(frame, window_days, day)
            try:
                effect = effect_of(mature, measure)
            except NotEnoughData:
                continue
            found[measure] = judge(
                effect,
                split=split,
                plan=strict,
                matured=[int(_until(frame, window_days, look)["n"].sum()) for look in plan.looks if look <= day],
                today=day,
                is_money=True,
            )
            if found[measure].call in _FINAL:
                break
    return found


def _looks(
    frame: pd.DataFrame, plan: LookPlan, window_days: int, today: int, split: SampleRatio | None
) -> tuple[Look, ...]:
    found = []
    for number, day in enumerate((day for day in plan.looks if day <= today), start=1):
        verdict = None if split is None else _judged(frame, plan, window_days, day, split)
        mature = int(_until(frame, window_days, day)["n"].sum())
        found.append(Look(number=number, day=day, mature=mature, verdict=verdict))
    return tuple(found)


def _course(frame: pd.DataFrame, plan: LookPlan, window_days: int, today: int, looks: Sequence[Look]) -> pd.DataFrame:
    """The difference in who bought, morning by morning, in the band that is safe to peek at."""
    by_look = {look.day: look.verdict for look in looks if look.verdict is not None}
    rows = []
    for day in range(plan.begins + 1, min(today, plan.end) + 1):
        mature = _until(frame, window_days, day)
        try:
            effect = effect_of(mature, "bought")
        except NotEnoughData:
            continue
        low, high = any_time_band(
            effect.difference, n=effect.n, se=effect.se, planned_n=plan.customers, level=1 - plan.alpha
        )
        verdict = by_look.get(day)
        shown = (verdict.low, verdict.high) if verdict is not None and verdict.bound is not None else (nan, nan)
        # A look so early that nothing may be spent yet has no range.
        shown = shown if all(abs(limit) < 1 for limit in shown) else (nan, nan)
        rows.append((day, effect.difference, low, high, *shown))
    return pd.DataFrame(rows, columns=list(COURSE))


def segments(frame: pd.DataFrame, measure: str = "bought") -> SegmentEffects:
    """The effect in each segment of a frame of :func:`lib.metrics.offer_result.sums` by segment, corrected.

    Raises:
        NotEnoughData: no segment can be compared.
    """
    parts = {str(name): arms(rows, measure) for name, rows in frame.groupby("segment", sort=False)}
    ordered = dict(sorted(parts.items(), key=lambda item: -(item[1][0].n + item[1][1].n)))
    return by_segment(ordered, is_share=measure == "bought")
