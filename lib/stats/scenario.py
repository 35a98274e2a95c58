"""A what-if as its sliders stand; with the measured ground it becomes an offer and its baseline."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from lib.audience import Audience
from lib.errors import InvalidInput, NotEnoughData
from lib.offer import Moment, Pays, Plan
from lib.offer import Reward as Given
from lib.stats import rewards
from lib.stats.ground import Ground
from lib.stats.waiting import Waiting, waiting
from lib.stats.what_if import Offer

FORM = 1
NO_MARGIN = "No cost of goods is known, so no margin is. Set the margin yourself."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything a reader can move; amounts in minor units of the store's currency.

    ``moment``, ``delay_days`` after it, to ``audience`` (called ``group`` on the screen), started over ``run_days``.
    ``reach``: share of them that can be contacted; ``holdout``: share of these that gets nothing. ``margin`` null:
    as measured. ``contact_cost_minor`` may be a fraction of a cent.
    """

    moment: Moment = Moment.DELIVERED
    group: str = "Everyone"
    audience: Audience = field(default_factory=Audience)
    reward: Given = field(default_factory=lambda: Given(pays=Pays.PERCENT, depth=0.1))
    delay_days: int = 14
    run_days: int = 90
    reach: float = 1.0
    holdout: float = 0.5
    contact_cost_minor: float = 0.0
    margin: float | None = None

    def __post_init__(self) -> None:
        given = self.reward
        shares = (self.reach, self.holdout, given.depth, 0.0 if self.margin is None else self.margin)
        amounts = (given.face_minor, given.cost_minor, given.points, given.point_minor, given.minimum_basket_minor)
        if not all(0 <= share <= 1 for share in shares) or min(*amounts, self.contact_cost_minor, self.delay_days) < 0:
            raise InvalidInput("Shares lie between 0 and 100 %, amounts and days are not below 0.")
        if given.expiry_days < 1 or self.run_days < 1:
            raise InvalidInput("An offer runs and can be used for at least a day.")

    def with_size(self, size: float) -> Self:
        """The same with another size of its reward: a depth, an amount or points; see :func:`size_of`."""
        given = self.reward
        match given.pays:
            case Pays.PERCENT:
                changed = replace(given, depth=size)
            case Pays.AMOUNT:
                changed = replace(given, face_minor=round(size))
            case Pays.POINTS:
                changed = replace(given, points=round(size))
            case _:
                changed = given
        return replace(self, reward=changed)

    def to_json(self) -> dict[str, Any]:
        """As kept with a saved what-if."""
        return asdict(self) | {"audience": self.audience.to_json(), "form": FORM}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read one back.

        Raises:
            InvalidInput: it is none.
        """
        if kept.get("form") != FORM:
            raise InvalidInput("This what-if was kept in another form and cannot be opened.")
        try:
            told = {name: value for name, value in kept.items() if name != "form"}
            return cls(
                **told
                | {
                    "moment": Moment(kept["moment"]),
                    "audience": Audience.from_json(kept["audience"]),
                    "reward": Given(**kept["reward"] | {"pays": Pays(kept["reward"]["pays"])}),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("This what-if is damaged and cannot be opened.") from error

    @classmethod
    def of_plan(cls, plan: Plan, *, group: str, holdout: float, run_days: int) -> Self:
        """An offer's plan as a what-if."""
        return cls(
            moment=plan.moment,
            group=group,
            audience=plan.audience,
            reward=plan.reward,
            delay_days=plan.delay_days,
            run_days=run_days,
            holdout=holdout,
            contact_cost_minor=plan.contact_cost_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """A scenario on its ground: what :func:`lib.stats.what_if.what_if` needs."""

    offer: Offer
    waiting: Waiting


def worked(scenario: Scenario, ground: Ground) -> Worked:
    """Put a scenario on its ground.

    Raises:
        NotEnoughData: nobody was followed so long, nobody bought, or no margin is known.
    """
    baseline = waiting(ground.spells, delay=scenario.delay_days, expiry=scenario.reward.expiry_days)
    return Worked(offer=offer_on(scenario, ground), waiting=baseline)


def offer_on(scenario: Scenario, ground: Ground) -> Offer:
    """The offer alone; see :func:`worked`."""
    margin = ground.margin if scenario.margin is None else scenario.margin
    if margin is None:
        raise NotEnoughData(NO_MARGIN)
    basket, qualifying = ground.basket(scenario.reward.minimum_basket_minor)
    return Offer(
        customers=ground.per_day * scenario.run_days,
        basket=basket,
        margin=margin,
        reward=reward_of(scenario.reward, basket, points_kept=ground.points_kept),
        contact_cost=scenario.contact_cost_minor,
        reach=scenario.reach,
        holdout=scenario.holdout,
        qualifying_share=qualifying,
    )


def reward_of(given: Given, basket: float, *, points_kept: float = 1.0) -> rewards.Reward:
    """What a reward of a plan costs on a basket, and how large it looks."""
    match given.pays:
        case Pays.PERCENT:
            return rewards.percent_off(min(given.depth, rewards.DEEPEST), basket)
        case Pays.AMOUNT:
            return rewards.amount_off(given.face_minor, basket)
        case Pays.SHIPPING:
            return rewards.free_shipping(given.face_minor, basket, real_cost=given.cost_minor)
        case Pays.GIFT:
            return rewards.gift(given.face_minor, basket, real_cost=given.cost_minor)
        case Pays.POINTS:
            return rewards.points(given.points, basket, value=given.point_minor / 100, redeemed_share=points_kept)
        case _:
            return rewards.no_reward()


def size_of(given: Given) -> float:
    """How large a reward is on its own scale: a depth, minor units, points; 0 where it has one size only."""
    match given.pays:
        case Pays.PERCENT:
            return given.depth
        case Pays.AMOUNT:
            return float(given.face_minor)
        case Pays.POINTS:
            return float(given.points)
        case _:
            return 0.0


def sizes_to_try(given: Given, basket: float) -> list[float]:
    """The sizes that a scan tries, the present one among them; only one where the reward has no scale."""
    match given.pays:
        case Pays.PERCENT:
            tried = [step / 100 for step in (0, 2.5, 5, 7.5, 10, 12.5, 15, 20, 25, 30, 40)]
        case Pays.AMOUNT:
            step = _round_step(basket / 30)
            tried = [step * n for n in range(11)]
        case Pays.POINTS:
            step = _round_step(max(basket / max(given.point_minor / 100, 1e-9) / 30, 1.0))
            tried = [step * n for n in range(11)]
        case _:
            return [0.0]
    return sorted({*tried, size_of(given)})


def _round_step(about: float) -> float:
    """A round number near another: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** max(len(str(int(max(about, 1.0)))) - 1, 0)
    return next((power * n for n in (1.0, 2.0, 5.0) if power * n >= about), power * 10)


def reward_on(scenario: Scenario, ground: Ground) -> Callable[[float, float], rewards.Reward]:
    """(size, basket) to the reward, for :func:`lib.stats.best_offer.profit_over`."""
    return lambda size, basket: reward_of(scenario.with_size(size).reward, basket, points_kept=ground.points_kept)
