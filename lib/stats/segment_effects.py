"""For whom did the offer work? Effects by segment, with a warning against fishing."""

from dataclasses import dataclass

import pandas as pd
from scipy import special

from lib.errors import NotEnoughData
from lib.stats.experiment import ArmSums, Effect, conversion, welch
from lib.stats.multiple import benjamini_hochberg

# Of the segments that stand out, at most this share is chance, on average.
FALSE_SHARE = 0.05
COLUMNS = ("segment", "treated", "holdout", "difference", "low", "high", "p", "q", "stands_out", "buyers")
Arms = tuple[ArmSums, ArmSums]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEffects:
    """The effect in each segment, and whether the segments differ at all.

    ``rows`` holds ``COLUMNS``: means per assigned customer, their difference with its interval of a single question,
    p, q (Benjamini-Hochberg over the segments that could be compared) and whether q is at most 5 %. A segment that
    cannot be compared has NaN there. ``differ_p`` is small when the effect is not the same everywhere: only then is
    a difference *between* segments more than chance. Null with fewer than two segments.
    """

    rows: pd.DataFrame
    chi2: float | None
    df: int
    differ_p: float | None
    asked: int


def by_segment(segments: dict[str, Arms], *, is_share: bool = False, level: float = 0.95) -> SegmentEffects:
    """Compare treatment and holdout in each segment, corrected for asking so often.

    Homogeneity by Cochran's Q = Σ w(d - d̄)² with w = 1/se², on segments - 1 degrees of freedom. Segments must be
    fixed before the offer (what a customer does in it is no segment), and not overlap for Q to hold.

    Args:
        segments: per name the sums of the treated and of the holdout.
        is_share: compare who bought, else the mean of y.
        level: of confidence, for a single question.
    Raises:
        NotEnoughData: no segment can be compared.
    References:
        Benjamini & Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x; Cochran (1954), doi:10.2307/3001666.
    """
    effects: dict[str, Effect | None] = {}
    for name, (treated, holdout) in segments.items():
        try:
            effects[name] = (conversion if is_share else welch)(treated, holdout, level)
        except NotEnoughData:
            effects[name] = None
    known = [effect for effect in effects.values() if effect is not None]
    if not known:
        raise NotEnoughData("No segment has customers in both arms that can be compared.")
    rows = pd.DataFrame([_row(name, effect) for name, effect in effects.items()])
    rows["q"] = benjamini_hochberg(rows["p"])
    rows["stands_out"] = rows["q"] <= FALSE_SHARE
    weights = [1 / effect.se**2 for effect in known]
    pooled = sum(w * effect.difference for w, effect in zip(weights, known, strict=True)) / sum(weights)
    chi2 = sum(w * (effect.difference - pooled) ** 2 for w, effect in zip(weights, known, strict=True))
    df = len(known) - 1
    return SegmentEffects(
        rows=rows[list(COLUMNS)],
        chi2=chi2 if df else None,
        df=df,
        differ_p=float(special.chdtrc(df, chi2)) if df else None,
        asked=len(known),
    )


def _row(name: str, effect: Effect | None) -> dict[str, object]:
    row: dict[str, object] = {"segment": name, "buyers": 0 if effect is None else sum(effect.buyers)}
    for column in ("treated", "holdout", "difference", "low", "high", "p"):
        row[column] = float("nan") if effect is None else getattr(effect, column)
    return row
