"""How often customers buy until they silently stop: BG/NBD and MBG/NBD, fitted to a grouped table.

While a customer is active she buys at random at her own rate, which differs between customers (gamma: r, alpha);
after each purchase she stops for good with her own chance, which differs too (beta: a, b). BG/NBD lets her stop
after repeat purchases only, so a one-time buyer counts as active for ever; MBG/NBD lets her stop after the first.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from lib.errors import NotEnoughData

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

ENOUGH_CUSTOMERS, ENOUGH_REPEATERS, ENOUGH_WEEKS = 500, 100, 26.0
NAMES = ("r", "alpha", "a", "b")
# Beyond these a parameter has run away: the data do not hold what it is about (a below 0.01: nobody seems to stop).
LOWEST = np.log([1e-3, 1e-2, 1e-2, 1e-2])
HIGHEST = np.log([1e2, 1e4, 1e2, 1e4])
STARTS = np.log([[0.3, 5.0, 0.8, 2.5], [1.0, 30.0, 0.2, 0.8]])


class Model(StrEnum):
    """Who can stop: after repeat purchases only (BG), or after the first as well (MBG)."""

    BG = "BG/NBD"
    MBG = "MBG/NBD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """A fitted model. ``alpha`` is in weeks; ``customers``, ``repeaters`` and ``weeks`` say what it was fitted to."""

    model: Model
    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    customers: int
    repeaters: int
    weeks: float

    def chance_active(self, groups: pd.DataFrame) -> Vector:
        """The chance that a customer of each group still buys: 1 / (1 + dead/alive likelihood).

        Args:
            groups: rows of ``x`` (repeat occasions), ``t_x`` (weeks from first to last), ``t`` (weeks since first).
        Returns:
            one chance per row. Under BG/NBD it is 1 for every one-time buyer: use MBG/NBD to show it.
        """
        return np.asarray(special.expit(-_dead_over_alive(_Grouped(groups), self._log_parameters(), self.model)))

    def expected_orders(self, groups: pd.DataFrame, weeks: float) -> Vector:
        """The purchase occasions expected of a customer of each group in the next ``weeks`` weeks.

        E[Y(w)] = P(active)·(c/(a-1))·[1 - (1-z)^(a-1)·2F1(c-r, a-1; c+x; z)], z = w/(alpha+t+w), with
        c = a+b-1+x for BG and a+b+x for MBG (in the formula's 2F1 first argument c is taken at x = 0). This is the
        published form after Euler's transformation, in which no argument grows with x, so it stays accurate for
        the heaviest buyers. ``x = t_x = t = 0`` asks for a new customer.

        Args:
            groups: rows of ``x``, ``t_x``, ``t``.
            weeks: how far ahead.
        References:
            Fader, Hardie & Lee (2005), doi:10.1287/mksc.1040.0098, equation 10; Batislam, Denizel & Filiztekin (2007).
        """
        x, place_x = np.unique(groups["x"].to_numpy(dtype=np.float64), return_inverse=True)
        t, place_t = np.unique(groups["t"].to_numpy(dtype=np.float64), return_inverse=True)
        cells, place = np.unique(place_x * len(t) + place_t, return_inverse=True)
        each_x, each_t = x[cells // len(t)], t[cells % len(t)]
        a = self.a if abs(self.a - 1) > 1e-6 else 1 + 2e-6  # 0/0 in the closed form; the limit is smooth
        c = a + self.b - (1 if self.model is Model.BG else 0)
        c = c if abs(c) > 1e-6 else 2e-6
        z = weeks / (self.alpha + each_t + weeks)
        if_active = (c + each_x) / (a - 1) * (1 - (1 - z) ** (a - 1) * special.hyp2f1(c - self.r, a - 1, c + each_x, z))
        return np.asarray(if_active[place] * self.chance_active(groups))

    def _log_parameters(self) -> Vector:
        return np.log([self.r, self.alpha, self.a, self.b])


def fit(groups: pd.DataFrame, *, model: Model = Model.MBG) -> Buying:
    """Fit a model by weighted maximum likelihood with analytic gradients, from two starts.

    BG/NBD, per customer: L = A1·A2·(A3 + 1[x>0]·A4), A1 = G(r+x)/G(r)·alpha^r, A2 = G(a+b)G(b+x)/(G(b)G(a+b+x)),
    A3 = (alpha+t)^-(r+x), A4 = a/(b+x-1)·(alpha+t_x)^-(r+x); MBG/NBD likewise with a+b+x+1, A3·(b+x) and a for
    every x. Assumes steady buying rates (no season) and that nobody who stopped starts again.

    Args:
        groups: rows of ``x`` (repeat occasions), ``t_x`` (weeks from the first to the last purchase day), ``t``
            (weeks from the first to the last known day, (as_of_day - 1 - first_day)/7) and ``n`` (customers).
            Steps of a day; :func:`coarsen` makes them weeks.
        model: which of the two.
    Raises:
        NotEnoughData: fewer than 500 customers, 100 repeaters or 26 weeks, or a parameter ran to its bound.
        ValueError: rows that cannot be (t_x after t, repeat purchases below 0).
    References:
        Fader, Hardie & Lee (2005), doi:10.1287/mksc.1040.0098; Batislam, Denizel & Filiztekin (2007),
        doi:10.1016/j.ijresmar.2006.12.005.
    """
    table = _Grouped(groups)
    customers, repeaters = int(table.n.sum()), int(table.n[table.x[table.place_x] > 0].sum())
    weeks = float(table.t.max()) if len(table.t) else 0.0
    if customers < ENOUGH_CUSTOMERS:
        raise NotEnoughData(f"The lifetime model needs {ENOUGH_CUSTOMERS} customers; there are {customers}.")
    if repeaters < ENOUGH_REPEATERS:
        raise NotEnoughData(f"The lifetime model needs {ENOUGH_REPEATERS} repeat customers; there are {repeaters}.")
    if weeks < ENOUGH_WEEKS:
        raise NotEnoughData(f"The lifetime model needs {ENOUGH_WEEKS:.0f} weeks of orders; there are {weeks:.1f}.")
    best = min((_minimise(table, start, model) for start in STARTS), key=lambda found: float(found.fun))
    for name, value, lowest, highest in zip(NAMES, best.x, LOWEST, HIGHEST, strict=True):
        if not lowest + 1e-3 < value < highest - 1e-3:
            raise NotEnoughData(
                f"The lifetime model ({model}) cannot be fitted: {name} runs to {np.exp(value):.3g}. "
                "The orders so far do not tell buying rate and stopping apart; more months will."
            )
    r, alpha, a, b = np.exp(best.x).tolist()
    return Buying(
        model=model,
        r=r,
        alpha=alpha,
        a=a,
        b=b,
        log_likelihood=-float(best.fun) * customers,
        customers=customers,
        repeaters=repeaters,
        weeks=weeks,
    )


def coarsen(groups: pd.DataFrame, *, weeks: float = 1.0) -> pd.DataFrame:
    """Round ``t_x`` and ``t`` to whole steps and add up equal rows: fewer groups, a faster fit.

    The error is the rounding's, at most half a step each way: on the CDNOW sample whole weeks move r, alpha, a and
    b by less than 2.5 % and the orders expected of all customers by less than 0.6 %; on stores with 2½ years of
    orders by less than 0.5 % and 0.1 %. 200 thousand daily groups fit in about half a second even so.

    Args:
        groups: rows of ``x``, ``t_x``, ``t`` and columns that add up (``n``, ``later`` …).
        weeks: the step.
    """
    steps = {name: np.rint(groups[name].to_numpy(dtype=np.float64) / weeks).astype(np.int64) for name in ("t_x", "t")}
    steps["x"] = groups["x"].to_numpy(dtype=np.int64)
    # Three whole numbers in one: sorting those is several times faster than grouping by three columns.
    span_t_x, span_t = (int(steps[name].max(initial=0)) + 1 for name in ("t_x", "t"))
    packed, place = np.unique((steps["x"] * span_t_x + steps["t_x"]) * span_t + steps["t"], return_inverse=True)
    found = {
        "x": packed // (span_t_x * span_t),
        "t_x": packed // span_t % span_t_x * weeks,
        "t": packed % span_t * weeks,
    }
    for name in groups.columns.difference(["x", "t_x", "t"], sort=False):
        values = groups[name].to_numpy()
        found[name] = np.bincount(place, weights=values, minlength=len(packed)).astype(values.dtype)
    return pd.DataFrame(found)


def log_likelihood(groups: pd.DataFrame, log_parameters: npt.ArrayLike, *, model: Model) -> tuple[float, Vector]:
    """The weighted log-likelihood at (log r, log alpha, log a, log b), and its gradient there."""
    return _log_likelihood(_Grouped(groups), np.asarray(log_parameters, dtype=np.float64), model)


class _Grouped:
    """The groups with their few distinct x, t_x and t apart, so that logarithms are taken once for each."""

    def __init__(self, groups: pd.DataFrame) -> None:
        x = groups["x"].to_numpy(dtype=np.float64)
        t_x = groups["t_x"].to_numpy(dtype=np.float64)
        t = groups["t"].to_numpy(dtype=np.float64)
        if not bool(((x >= 0) & (t_x >= 0) & (t_x <= t + 1e-9)).all()):
            raise ValueError("each row needs x >= 0 and 0 <= t_x <= t")
        self.n: Vector = groups["n"].to_numpy(dtype=np.float64) if "n" in groups else np.ones(len(x))
        self.x, self.place_x = np.unique(x, return_inverse=True)
        self.t_x, self.place_t_x = np.unique(t_x, return_inverse=True)
        self.t, self.place_t = np.unique(t, return_inverse=True)
        self.n_by_x = np.bincount(self.place_x, weights=self.n, minlength=len(self.x)).astype(np.float64)


def _dead_over_alive(table: _Grouped, log_parameters: Vector, model: Model) -> Vector:
    """Log of the likelihood of having stopped over that of being active, per group."""
    r, alpha, a, b = np.exp(log_parameters)
    stopped = _stopping(table.x, a, b, model)
    log_t, log_t_x = np.log(alpha + table.t)[table.place_t], np.log(alpha + table.t_x)[table.place_t_x]
    return np.asarray(stopped[table.place_x] + (r + table.x)[table.place_x] * (log_t - log_t_x))


def _stopping(x: Vector, a: float, b: float, model: Model) -> Vector:
    if model is Model.MBG:
        return np.asarray(np.log(a) - np.log(b + x))
    return np.where(x > 0, np.log(a) - np.log(np.where(x > 0, b + x - 1, 1.0)), -np.inf)


def _log_likelihood(table: _Grouped, log_parameters: Vector, model: Model) -> tuple[float, Vector]:
    r, alpha, a, b = np.exp(log_parameters)
    x, n, n_by_x, place_x = table.x, table.n, table.n_by_x, table.place_x
    first = 1.0 if model is Model.MBG else 0.0
    log_t = np.log(alpha + table.t)[table.place_t]
    log_t_x = np.log(alpha + table.t_x)[table.place_t_x]
    rate = (r + x)[place_x]
    odds = _stopping(x, a, b, model)[place_x] + rate * (log_t - log_t_x)
    small = np.exp(-np.abs(odds))
    dead = n * np.where(odds >= 0, 1.0, small) / (1 + small)
    alive = n - dead
    by_x = (
        special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
        + special.gammaln(a + b) - special.gammaln(a + b + x + first)
        + special.gammaln(b + x + first) - special.gammaln(b)
    )  # fmt: skip
    value = float(n_by_x @ by_x - n @ (rate * log_t) + n @ (np.maximum(odds, 0.0) + np.log1p(small)))

    dead_by_x = np.bincount(place_x, weights=dead, minlength=len(x))
    all_dead = float(dead.sum())
    by_r = n_by_x @ (special.digamma(r + x) - special.digamma(r) + np.log(alpha)) - alive @ log_t - dead @ log_t_x
    inverse_t, inverse_t_x = (1 / (alpha + table.t))[table.place_t], (1 / (alpha + table.t_x))[table.place_t_x]
    by_alpha = n_by_x.sum() * r / alpha - (alive * rate) @ inverse_t - (dead * rate) @ inverse_t_x
    both = special.digamma(a + b) - special.digamma(a + b + x + first)
    by_a = n_by_x @ both + all_dead / a
    below = b + x if model is Model.MBG else np.where(x > 0, b + x - 1, 1.0)
    by_b = n_by_x @ (both + special.digamma(b + x + first) - special.digamma(b)) - dead_by_x @ (1 / below)
    return value, np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])


def _minimise(table: _Grouped, start: Vector, model: Model) -> optimize.OptimizeResult:
    customers = float(table.n.sum())

    def loss(log_parameters: Vector) -> tuple[float, Vector]:
        value, gradient = _log_likelihood(table, log_parameters, model)
        return -value / customers, -gradient / customers

    return optimize.minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(LOWEST.tolist(), HIGHEST.tolist(), strict=True)),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-7},
    )
