"""What an order of a customer is worth: her own average, drawn towards everybody's while she has few orders."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from lib.errors import NotEnoughData
from lib.stats.bgnbd import ENOUGH_REPEATERS

Vector = npt.NDArray[np.float64]

STRONG_CORRELATION = 0.3
# Searched over p, q and p·v/q (near the mean): unlike v it hardly moves with p and q, so far fewer steps are needed.
LOWEST, HIGHEST = np.log([1e-2, 1e-2, 1e-3]), np.log([1e4, 1e4, 1e3])
STARTS = np.log([[6.0, 4.0, 0.8], [1.5, 2.0, 0.5]])


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaGamma:
    """A fitted model; ``v`` is in the unit of the values.

    ``correlation`` is that of value and frequency among repeat customers: the model assumes about none.
    ``left_out`` counts repeat customers whose average is not above zero (all refunded).
    """

    p: float
    q: float
    v: float
    log_likelihood: float
    customers: int
    left_out: int
    correlation: float

    @property
    def mean_value(self) -> float:
        """The value expected of an order of a customer of whom nothing is known: p·v/(q-1)."""
        return self.p * self.v / (self.q - 1)

    @property
    def warning(self) -> str:
        """What to say beside the figures, or nothing."""
        if abs(self.correlation) <= STRONG_CORRELATION:
            return ""
        return (
            f"Order value and frequency go together (correlation {self.correlation:+.2f}); "
            "the model takes them as independent, so worth is off for the most frequent buyers."
        )

    def expected_value(self, x: npt.ArrayLike, value: npt.ArrayLike) -> Vector:
        """The value expected of the next order: p(v + x·m)/(p·x + q - 1).

        Args:
            x: repeat occasions of each customer or group.
            value: their mean value per repeat occasion; not read where x is 0 or it is NaN or not above zero.
        """
        times, mean = np.asarray(x, dtype=np.float64), np.asarray(value, dtype=np.float64)
        is_known = (times > 0) & (mean > 0)
        known_times = np.where(is_known, times, 0.0)
        total = known_times * np.where(is_known, mean, 0.0)
        return np.asarray(self.p * (self.v + total) / (self.p * known_times + self.q - 1))


def fit(values: pd.DataFrame) -> GammaGamma:
    """Fit the Gamma-Gamma model of order values by weighted maximum likelihood.

    f(m | x) = G(px+q)/(G(px)G(q)) · v^q · m^(px-1) · x^(px) / (v + x·m)^(px+q), over customers with x >= 1: orders
    of a customer vary about her own mean (gamma, shape p), the means between customers (inverse gamma, q and v).
    Assumes that how much does not depend on how often; see ``correlation``.

    Args:
        values: rows of ``x`` (repeat occasions; rows with 0 are not read), ``value`` (mean value per repeat occasion
            of *each* customer of the row, in any one unit of money), ``n`` (customers). Customers may share a row
            only when their values are nearly alike: averaging unlike ones hides how they differ (q 3.5 for a true
            3.0). Values rounded to 5 % (round(ln(value)·20)) move no parameter by more than 0.1 %: a million
            customers are then some thousand rows.
    Raises:
        NotEnoughData: fewer than 100 repeat customers, q <= 1 (no finite mean) or a parameter at its bound.
    References:
        Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value"; Colombo & Jiang (1999).
    """
    repeat = values["x"].to_numpy(dtype=np.float64) > 0
    x, value, n = (values[column].to_numpy(dtype=np.float64)[repeat] for column in ("x", "value", "n"))
    usable = value > 0
    left_out = int(n[~usable].sum())
    x, value, n = x[usable], value[usable], n[usable]
    customers = float(n.sum())
    if customers < ENOUGH_REPEATERS:
        raise NotEnoughData(f"The value model needs {ENOUGH_REPEATERS} repeat customers; there are {customers:.0f}.")
    scale = float(np.average(value, weights=n))
    mean = value / scale
    times, place = np.unique(x, return_inverse=True)
    n_by_x = np.bincount(place, weights=n)
    log_mean = np.log(mean)
    sum_log_mean = np.bincount(place, weights=n * log_mean)
    fixed = float(n @ -log_mean)

    def loss(log_parameters: Vector) -> tuple[float, Vector]:
        p, q, middle = np.exp(log_parameters)
        v = middle * q / p
        px = p * times
        below = v + x * mean
        log_below, shape = np.log(below), px[place] + q
        by_x = special.gammaln(px + q) - special.gammaln(px) - special.gammaln(q) + q * np.log(v) + px * np.log(times)
        likelihood = n_by_x @ by_x + px @ sum_log_mean + fixed - n @ (shape * log_below)
        both = special.digamma(px + q)
        by_p = (
            n_by_x @ (times * (both - special.digamma(px) + np.log(times))) + times @ sum_log_mean - n @ (x * log_below)
        )
        by_q = n_by_x @ (both - special.digamma(q) + np.log(v)) - n @ log_below
        by_v = customers * q / v - n @ (shape / below)
        gradient = np.array([by_p * p - by_v * v, by_q * q + by_v * v, by_v * v])
        return -float(likelihood) / customers, -gradient / customers

    bounds = list(zip(LOWEST.tolist(), HIGHEST.tolist(), strict=True))
    found = [
        optimize.minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
        )
        for start in STARTS
    ]
    best = min(found, key=lambda result: float(result.fun))
    p, q, middle = np.exp(best.x).tolist()
    for name, at, lowest, highest in zip(("p", "q", "p·v/q"), best.x, LOWEST, HIGHEST, strict=True):
        if not lowest + 1e-3 < at < highest - 1e-3:
            raise NotEnoughData(f"The value model cannot be fitted: {name} runs to {np.exp(at):.3g}.")
    if q <= 1:
        raise NotEnoughData(f"The value model has no mean here: values are too uneven (q = {q:.2f}, not above 1).")
    return GammaGamma(
        p=p,
        q=q,
        v=middle * q / p * scale,
        log_likelihood=-float(best.fun) * customers - customers * float(np.log(scale)),
        customers=int(customers),
        left_out=left_out,
        correlation=_correlation(x, value, n),
    )


def _correlation(x: Vector, y: Vector, n: Vector) -> float:
    away_x, away_y = x - np.average(x, weights=n), y - np.average(y, weights=n)
    spread = float(n @ away_x**2) * float(n @ away_y**2)
    return float(n @ (away_x * away_y)) / spread**0.5 if spread > 0 else 0.0
