"""How good were the forecasts? Each what-if against what came, and how often its range held."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lib.errors import NotEnoughData
from lib.stats.assumptions import SEED
from lib.stats.intervals import Interval, wilson
from lib.stats.what_if import LEVEL, Range

Vector = npt.NDArray[np.float64]


def measurable(draws: Vector, *, se: float) -> Range:
    """The range in which the *measured* result should fall: the forecast's draws and the noise of measuring.

    A read-out differs from the truth by chance; a forecast of the truth alone would be blamed for that. The draws
    of a saved what-if come back from its assumptions, the standard error from the read-out.

    Args:
        draws: of a :class:`lib.stats.what_if.WhatIf` (``in_window`` for what a read-out at the window's end shows).
        se: of the measured result, in the same unit and for as many customers.
    """
    return Range.of(_measured(draws, se))


def _measured(draws: Vector, se: float) -> Vector:
    return draws + se * np.random.default_rng(SEED + 1).standard_normal(len(draws))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One forecast against what came. ``surprise`` is where the actual fell among the draws: .5 in the middle."""

    low: float
    middle: float
    high: float
    actual: float
    held: bool
    surprise: float
    loss: float


def score(draws: Vector, actual: float, *, se: float, level: float = LEVEL) -> Score:
    """Score a forecast.

    ``loss`` is the interval score (high - low) + 2/α·(low - y)₊ + 2/α·(y - high)₊: small for a narrow range that
    held; nobody gains by naming a wide one.

    References:
        Gneiting & Raftery (2007), doi:10.1198/016214506000001437, section 6.2.
    """
    noisy = _measured(draws, se)
    expected = Range.of(noisy, level)
    missed = max(expected.low - actual, actual - expected.high, 0.0)
    return Score(
        low=expected.low,
        middle=expected.middle,
        high=expected.high,
        actual=actual,
        held=expected.low <= actual <= expected.high,
        surprise=float((noisy < actual).mean()),
        loss=expected.high - expected.low + 2 / (1 - level) * missed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoreboard:
    """All scored what-ifs together.

    ``share`` of the ranges held, ``low`` to ``high`` (Wilson, 95 %) is what that share could as well be, ``promised``
    what it should be. ``is_as_promised`` is false only when the promise lies outside. ``bias`` is the mean of actual
    less forecast: above 0 when offers do better than foretold.
    """

    n: int
    held: int
    share: float
    low: float
    high: float
    promised: float
    bias: float

    @property
    def is_as_promised(self) -> bool:
        return self.low <= self.promised <= self.high


def scoreboard(scores: Sequence[Score], *, promised: float = LEVEL) -> Scoreboard:
    """Put the scores together.

    Raises:
        NotEnoughData: no what-if has been scored yet.
    References:
        Wilson (1927), doi:10.2307/2276774.
    """
    if not scores:
        raise NotEnoughData("No what-if has come due yet, so none is scored.")
    held = sum(one.held for one in scores)
    interval: Interval = wilson(held, len(scores))
    return Scoreboard(
        n=len(scores),
        held=held,
        share=held / len(scores),
        low=interval[0],
        high=interval[1],
        promised=promised,
        bias=sum(one.actual - one.middle for one in scores) / len(scores),
    )
