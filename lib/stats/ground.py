"""What a what-if stands on, as measured: how customers of a group buy again without any offer, and for how much."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from lib.errors import InvalidInput, NotEnoughData

# A range of days still counts as followed while so many customers are at risk at its end.
ENOUGH_FOLLOWED = 50
FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """The measured part of a what-if for one group and one moment; money in minor units.

    ``spells``: ``day`` since the moment, ``events``, ``censored`` (see :mod:`lib.stats.survival`). ``baskets``: the
    orders that followed, by their value at the till: ``value_minor`` (lower edge), ``orders``, ``net_minor`` (less
    what was refunded). ``margin``: gross margin of these as a share, of ``costed_share`` of their net sales; null
    when no cost is known. ``per_day``: customers who reach the moment on a day of the last year. ``points_kept``:
    share of loyalty points that do not expire.
    """

    spells: pd.DataFrame
    baskets: pd.DataFrame
    per_day: float
    margin: float | None = None
    costed_share: float = 0.0
    points_kept: float = 1.0

    @property
    def starts(self) -> int:
        """How many times the moment was reached in the days that were looked at."""
        return int(self.spells["events"].sum() + self.spells["censored"].sum())

    @property
    def longest(self) -> int:
        """The last day to which enough customers were followed; 0 when none were."""
        if self.spells.empty:
            return 0
        by_day = self.spells.sort_values("day", ascending=False)
        at_risk = (by_day["events"] + by_day["censored"]).cumsum()
        followed = by_day["day"][at_risk >= ENOUGH_FOLLOWED]
        return int(followed.max()) if len(followed) else 0

    def basket(self, minimum_minor: int = 0) -> tuple[float, float]:
        """The mean net sales of an order that reaches a minimum, and the share of orders that do.

        Raises:
            NotEnoughData: no order followed, or none reaches the minimum.
        """
        found = self.baskets
        reach = found["value_minor"] >= minimum_minor
        orders, all_orders = int(found["orders"][reach].sum()), int(found["orders"].sum())
        if not all_orders:
            raise NotEnoughData("Nobody of this group has bought again yet, so nothing is known of what they spend.")
        if not orders:
            raise NotEnoughData("No order of this group reaches that minimum basket. Lower it.")
        mean = float(found["net_minor"][reach].sum()) / orders
        if mean <= 0:
            raise NotEnoughData("The orders of this group were all refunded: there is nothing to reckon with.")
        return mean, orders / all_orders

    def to_json(self) -> dict[str, Any]:
        """As kept with a saved what-if, so that it can be worked out again when the figures have moved on."""
        return {
            "form": FORM,
            "spells": {name: [int(v) for v in self.spells[name]] for name in ("day", "events", "censored")},
            "baskets": {name: [int(v) for v in self.baskets[name]] for name in ("value_minor", "orders", "net_minor")},
            "per_day": self.per_day,
            "margin": self.margin,
            "costed_share": self.costed_share,
            "points_kept": self.points_kept,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read one back.

        Raises:
            InvalidInput: it is none.
        """
        if kept.get("form") != FORM:
            raise InvalidInput("This what-if was kept in another form and cannot be opened.")
        try:
            return cls(
                spells=_whole(kept["spells"]),
                baskets=_whole(kept["baskets"]),
                per_day=float(kept["per_day"]),
                margin=None if kept["margin"] is None else float(kept["margin"]),
                costed_share=float(kept["costed_share"]),
                points_kept=float(kept["points_kept"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("This what-if is damaged and cannot be opened.") from error


def _whole(kept: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame({str(name): np.asarray(values, dtype=np.int64) for name, values in kept.items()})
