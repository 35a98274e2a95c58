"""What a customer is worth: orders to come × value of an order, and how well that would have been foretold.

:mod:`lib.stats.bgnbd` says how often, :mod:`lib.stats.gamma_gamma` how much; here they meet, are tested against
what really came after a cut day, and are never shown without that test's ratio.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np
import pandas as pd

from lib.errors import NotEnoughData
from lib.stats import bgnbd, gamma_gamma
from lib.stats.bgnbd import Buying, Model
from lib.stats.gamma_gamma import GammaGamma


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Orders foretold on a cut day for the ``weeks`` after it, and how many came (``actual``).

    ``forecasts`` holds the models that could be fitted on the cut day, ``refused`` why the others could not.
    """

    weeks: float
    customers: int
    actual: float
    forecasts: Mapping[Model, float]
    refused: Mapping[Model, str]

    @property
    def better(self) -> Model:
        """The model whose forecast came closer (as a ratio); MBG/NBD when they tie or nothing came."""
        if not self.actual > 0:
            return Model.MBG if Model.MBG in self.forecasts else Model.BG
        return min(
            (model for model in (Model.MBG, Model.BG) if model in self.forecasts),
            key=lambda model: abs(log(self.forecasts[model] / self.actual)),
        )

    def ratio(self, model: Model | None = None) -> float | None:
        """Forecast ÷ actual of a model (the better one unless named): 1.10 foretold a tenth too many."""
        forecast = self.forecasts.get(model or self.better)
        return forecast / self.actual if forecast is not None and self.actual > 0 else None


def backtest(at_cut: pd.DataFrame, weeks: float) -> Backtest:
    """Fit both models on what was known on a cut day and compare with the purchases that came after it.

    Args:
        at_cut: the customers known on the cut day: ``x``, ``t_x``, ``t``, ``n`` as of that day, and ``later``: the
            purchase occasions of the whole row (all n customers) in the ``weeks`` after it.
        weeks: from the cut day to the as-of day.
    Raises:
        NotEnoughData: neither model can be fitted on the cut day.
    """
    if not weeks > 0:
        raise NotEnoughData("A backtest needs some weeks after its cut day; there are none.")
    forecasts: dict[Model, float] = {}
    refused: dict[Model, str] = {}
    n = at_cut["n"].to_numpy(dtype=np.float64)
    for model in (Model.MBG, Model.BG):
        try:
            fitted = bgnbd.fit(at_cut, model=model)
        except NotEnoughData as refusal:
            refused[model] = str(refusal)
        else:
            forecasts[model] = float(n @ fitted.expected_orders(at_cut, weeks))
    if not forecasts:
        raise NotEnoughData(f"No backtest: {refused[Model.MBG]}")
    actual = float(at_cut["later"].sum())
    return Backtest(weeks=weeks, customers=int(n.sum()), actual=actual, forecasts=forecasts, refused=refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeModel:
    """Who still buys (always MBG/NBD), how many orders will come (the model that backtests better), at what value."""

    active: Buying
    orders: Buying
    money: GammaGamma | None
    backtest: Backtest | None
    warnings: tuple[str, ...]

    def worth(self, groups: pd.DataFrame, weeks: float, *, margin: float | None = None) -> pd.DataFrame:
        """What a customer of each group will bring in the next ``weeks`` weeks.

        Orders and value are expected values of one customer of the row and multiply because the models take them as
        independent; money of later weeks is not discounted.

        Args:
            groups: rows of ``x``, ``t_x``, ``t``, ``n`` and, for worth, ``value`` (mean value per repeat occasion,
                in the unit that the value model was fitted in; not read where x is 0).
            weeks: how far ahead.
            margin: share of sales that is kept; without it worth is sales.
        Returns:
            the rows with ``chance_active``, ``orders``, ``order_value`` and ``worth`` (per customer; NaN without a
            value model). Sums over customers weigh by ``n``.
        """
        orders = self.orders.expected_orders(groups, weeks)
        unknown = np.full(len(groups), np.nan)
        value = unknown if self.money is None else self.money.expected_value(groups["x"], groups["value"])
        return groups.assign(
            chance_active=self.active.chance_active(groups),
            orders=orders,
            order_value=value,
            worth=orders * value * (1.0 if margin is None else margin),
        )


def fit(groups: pd.DataFrame, *, values: pd.DataFrame | None = None, tested: Backtest | None = None) -> LifetimeModel:
    """Fit the whole lifetime model.

    Args:
        groups: ``x``, ``t_x``, ``t``, ``n`` as of today (weeks); see :func:`lib.stats.bgnbd.fit`.
        values: ``x``, ``value``, ``n``; see :func:`lib.stats.gamma_gamma.fit`. Without it, or when it is refused
            (a warning says why), there are orders but no money.
        tested: of :func:`backtest`; chooses the model of the orders. Without it MBG/NBD, and a warning.
    Raises:
        NotEnoughData: fewer than 500 customers, 100 repeaters or 26 weeks, or MBG/NBD runs to a bound.
    """
    active = bgnbd.fit(groups, model=Model.MBG)
    orders, money, warnings = active, None, []
    if tested is None:
        warnings.append("Not backtested: too little is known if some of the history is held back.")
    elif tested.better is Model.BG:
        try:
            orders = bgnbd.fit(groups, model=Model.BG)
        except NotEnoughData as refusal:
            warnings.append(str(refusal))
    if values is not None:
        try:
            money = gamma_gamma.fit(values)
        except NotEnoughData as refusal:
            warnings.append(str(refusal))
        else:
            warnings.extend(filter(None, [money.warning]))
    return LifetimeModel(active=active, orders=orders, money=money, backtest=tested, warnings=tuple(warnings))
