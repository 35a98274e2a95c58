"""A what-if as it is kept: sliders, measured ground and assumptions, from which the same answer comes again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lib.errors import InvalidInput, NotEnoughData
from lib.stats.assumptions import Assumptions, Beta
from lib.stats.ground import Ground
from lib.stats.scenario import Scenario, worked
from lib.stats.scoring import Score, score
from lib.stats.what_if import Range, WhatIf, what_if

Vector = npt.NDArray[np.float64]
# What is told of each forecast, with its 90 % range; money in minor units.
TOLD = ("orders", "net_sales", "profit", "in_window", "given", "pulled_forward", "spent")
FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """All that a what-if is worked out from."""

    scenario: Scenario
    ground: Ground
    assumptions: Assumptions

    def result(self) -> WhatIf:
        """Work it out: the draws are the same each time.

        Raises:
            NotEnoughData: the ground does not carry it.
        """
        put = worked(self.scenario, self.ground)
        return what_if(put.offer, put.waiting, self.assumptions)

    def told(self) -> dict[str, Any]:
        """What is kept of the answer, to be read without working it out again."""
        put = worked(self.scenario, self.ground)
        found = what_if(put.offer, put.waiting, self.assumptions)
        return {
            "form": FORM,
            "contacted": found.contacted,
            "buy_anyway": put.waiting.bought,
            "break_even": found.break_even.uplift,
            "chance": found.chance,
            **{name: asdict(Range.of(getattr(found, name))) for name in TOLD},
        }

    def per_customer(self) -> Vector:
        """Draws of the profit within the outcome window for each customer who gets it, in minor units.

        That is what a read-out measures: treatment less holdout, per assigned customer.

        Raises:
            NotEnoughData: nobody gets it, or the ground does not carry it.
        """
        found = self.result()
        if found.contacted <= 0:
            raise NotEnoughData("Nobody gets this offer, so there is nothing to score.")
        return np.asarray(found.in_window / found.contacted)

    def scored(self, actual: float, *, se: float) -> Score:
        """The forecast against what was measured, both per customer in minor units."""
        return score(self.per_customer(), actual, se=se)

    def to_json(self) -> dict[str, Any]:
        """Sliders and ground, as kept in what_ifs.scenario; the assumptions have a column of their own."""
        return {"form": FORM, "sliders": self.scenario.to_json(), "ground": self.ground.to_json()}

    @classmethod
    def from_json(cls, kept: object, assumptions: object) -> Self:
        """Read one back.

        Raises:
            InvalidInput: it was not worked out in Encore, or is damaged.
        """
        if not isinstance(kept, Mapping) or kept.get("form") != FORM or not isinstance(assumptions, Mapping):
            raise InvalidInput("This what-if was not worked out on this page, and cannot be opened.")
        return cls(
            scenario=Scenario.from_json(kept.get("sliders") or {}),
            ground=Ground.from_json(kept.get("ground") or {}),
            assumptions=assumptions_from(assumptions),
        )


def assumptions_to(assumptions: Assumptions) -> dict[str, Any]:
    """As kept in what_ifs.assumptions."""
    return asdict(assumptions) | {"form": FORM}


def assumptions_from(kept: Mapping[str, Any]) -> Assumptions:
    """Read them back.

    Raises:
        InvalidInput: they are none.
    """
    try:
        told = {name: value for name, value in kept.items() if name != "form"}
        shares = {name: Beta(**told[name]) for name in ("pulled_forward", "redeemed_anyway")}
        return Assumptions(**told | shares)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput("The assumptions of this what-if are damaged.") from error
