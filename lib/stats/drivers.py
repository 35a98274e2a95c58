"""What moved a total: its difference between two periods, split into parts that add up to it exactly."""

from collections.abc import Mapping
from itertools import combinations
from math import factorial, floor

import numpy as np
import numpy.typing as npt
import pandas as pd

Vector = npt.NDArray[np.float64]

CUSTOMERS, ORDERS_PER_CUSTOMER, AVERAGE_ORDER_VALUE, UNKNOWN = (
    "customers",
    "orders_per_customer",
    "average_order_value",
    "unknown_customers",
)


def shapley(
    before: Mapping[str, float], after: Mapping[str, float], *, added: tuple[str, ...] = ()
) -> dict[str, float]:
    """Split the difference of two products over their factors, as the Shapley value does.

    The total is the product of the factors plus the terms in ``added``. A factor's part is the mean, over every
    order in which the factors could have changed, of the change that its own step makes. So the parts add up to
    the difference, no order is preferred, a factor that did not change gets 0, and zeros and negatives are safe
    (nothing is divided). It says what moved arithmetically, not what caused it.

    Args:
        before: each factor (and added term) in the first period.
        after: the same in the second.
        added: the names that are added to the product instead of multiplied into it.
    Returns:
        each name's part, in the unit of the product, in the order of ``before``.
    Raises:
        ValueError: the two periods name different factors, or a value is missing.
    References:
        Shapley (1953); Shorrocks (2013), doi:10.1007/s10888-011-9214-z.
    """
    if before.keys() != after.keys():
        raise ValueError(f"different factors: {sorted(before.keys() ^ after.keys())}")
    if not all(np.isfinite([*before.values(), *after.values()])):
        raise ValueError("a factor is missing")
    factors = [name for name in before if name not in added]
    return {
        name: float(after[name] - before[name])
        if name in added
        else float(
            _part([np.array(before[f]) for f in factors], [np.array(after[f]) for f in factors], factors.index(name))
        )
        for name in before
    }


def sales_drivers(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Split a difference of net sales into customers, orders per customer, average order value, unknown customers.

    Net sales of known customers are customers × (orders/customers) × (net/orders). Sales that belong to no known
    customer cannot be so divided: they are one part of their own. Where a period has no customers (or no orders)
    its ratio does not exist: it takes the other period's, so the whole move is laid on the count. Refunds without
    any order in the period (net without orders) are added to the part of the average order value.

    Args:
        before: ``customers``, ``orders``, ``net`` (of known customers) and ``unknown_net``; money in any one unit.
        after: the same of the second period.
    Returns:
        the parts ``customers``, ``orders_per_customer``, ``average_order_value``, ``unknown_customers``, in the
        unit of the money. They add up to (net + unknown_net) after less before.
    """
    orders_each = _ratios(before["orders"], before["customers"], after["orders"], after["customers"])
    value_each = _ratios(before["net"], before["orders"], after["net"], after["orders"])
    parts = shapley(
        {CUSTOMERS: before["customers"], ORDERS_PER_CUSTOMER: orders_each[0], AVERAGE_ORDER_VALUE: value_each[0]},
        {CUSTOMERS: after["customers"], ORDERS_PER_CUSTOMER: orders_each[1], AVERAGE_ORDER_VALUE: value_each[1]},
    )
    stray = (0.0 if after["orders"] else after["net"]) - (0.0 if before["orders"] else before["net"])
    parts[AVERAGE_ORDER_VALUE] += stray
    parts[UNKNOWN] = float(after["unknown_net"] - before["unknown_net"])
    return parts


def mix_and_rate(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Split a difference of amounts, segment by segment: more in all, a shifted mix, or another rate.

    A segment's amount is V·m·r: volume of the whole store, the segment's share of it, amount per unit of volume.
    Each segment's difference is split by :func:`shapley` over these three; ``other`` is amount without volume
    (refunds of a segment that sold nothing in the period). Every row adds up to its change, and the column
    ``mix`` over all segments says what shifting between segments did. Segments may overlap in customers but not
    in volume.

    Args:
        before: rows of ``segment``, ``volume`` (orders, units …), ``amount``; a segment at most once.
        after: the same of the second period; segments may come and go.
    Returns:
        one row per segment: ``segment``, ``before``, ``after``, ``change``, ``volume``, ``mix``, ``rate``,
        ``other`` (all in the unit of the amount), largest absolute change first.
    Raises:
        ValueError: a segment appears twice in one period.
    """
    for frame in (before, after):
        if frame["segment"].duplicated().any():
            raise ValueError("a segment appears twice")
    both = before.merge(after, on="segment", how="outer", suffixes=("_before", "_after"))
    volume0, volume1, amount0, amount1 = (
        both[column].fillna(0).to_numpy(dtype=np.float64)
        for column in ("volume_before", "volume_after", "amount_before", "amount_after")
    )
    total0, total1 = volume0.sum(), volume1.sum()
    share0, share1 = _ratio_columns(volume0, np.full_like(volume0, total0), volume1, np.full_like(volume1, total1))
    rate0, rate1 = _ratio_columns(amount0, volume0, amount1, volume1)
    first = [np.full_like(volume0, total0), share0, rate0]
    second = [np.full_like(volume1, total1), share1, rate1]
    split = pd.DataFrame(
        {
            "segment": both["segment"],
            "before": amount0,
            "after": amount1,
            "change": amount1 - amount0,
            "volume": _part(first, second, 0),
            "mix": _part(first, second, 1),
            "rate": _part(first, second, 2),
            "other": np.where(volume1 == 0, amount1, 0.0) - np.where(volume0 == 0, amount0, 0.0),
        }
    )
    order = np.argsort(-np.abs(split["change"].to_numpy()), kind="stable")
    return split.iloc[order].reset_index(drop=True)


def whole_parts(parts: Mapping[str, float], total: int) -> dict[str, int]:
    """Round parts to whole minor units so that they add up to ``total`` exactly (largest remainder).

    Args:
        parts: what adds up to the total but for rounding.
        total: in minor units.
    Returns:
        each part in minor units, less than one from what it was.
    Raises:
        ValueError: the parts do not add up to the total, by more than rounding explains.
    """
    floors = {name: floor(part) for name, part in parts.items()}
    missing = total - sum(floors.values())
    if not 0 <= missing <= len(parts):
        raise ValueError(f"the parts add up to {sum(parts.values())}, not to {total}")
    nearest = sorted(parts, key=lambda name: floors[name] - parts[name])
    return {name: floors[name] + (name in nearest[:missing]) for name in parts}


def _part(before: list[Vector], after: list[Vector], own: int) -> Vector:
    others = [index for index in range(len(before)) if index != own]
    part = (after[own] - before[own]) * 0
    for size in range(len(others) + 1):
        weight = factorial(size) * factorial(len(others) - size) / factorial(len(before))
        for moved in combinations(others, size):
            product = after[own] - before[own]
            for index in others:
                product = product * (after[index] if index in moved else before[index])
            part = part + product * weight
    return part


def _ratios(top0: float, bottom0: float, top1: float, bottom1: float) -> tuple[float, float]:
    first = top0 / bottom0 if bottom0 else None
    second = top1 / bottom1 if bottom1 else None
    if first is None:
        return second or 0.0, second or 0.0
    return first, first if second is None else second


def _ratio_columns(top0: Vector, bottom0: Vector, top1: Vector, bottom1: Vector) -> tuple[Vector, Vector]:
    first = np.divide(top0, bottom0, out=np.zeros_like(top0), where=bottom0 != 0)
    second = np.divide(top1, bottom1, out=np.zeros_like(top1), where=bottom1 != 0)
    return np.where(bottom0 != 0, first, second), np.where(bottom1 != 0, second, first)
