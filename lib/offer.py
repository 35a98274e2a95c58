"""What an offer is: its kind, when it goes out, what it rewards, what it says, and its limits; kept as JSON.

A running offer is one version of a plan. Changing it makes the next version; those assigned before keep theirs.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from lib.audience import Audience
from lib.errors import InvalidInput


class Moment(StrEnum):
    """The places on the journey that an offer can start from; ``delay_days`` counts store days after it."""

    ORDERED = "ordered"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    LATE = "late"  # the promised day passed without delivery
    LAST_ORDER = "last_order"  # no purchase since
    NEXT_DUE = "next_due"  # when the product is used up, by its own curve
    CART_LEFT = "cart_left"


class Channel(StrEnum):
    """How it reaches the customer."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    FILE = "file"  # an audience file for another tool
    PARCEL = "parcel"  # a packing list: what goes into the parcel


class Pays(StrEnum):
    """What a kind rewards with; each has its own cost (lib/stats/rewards.py)."""

    NOTHING = "nothing"
    PERCENT = "percent"
    AMOUNT = "amount"
    SHIPPING = "shipping"
    GIFT = "gift"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of offer. ``pays``: the rewards it may carry, the usual one first.

    ``is_service``: a message about her own order, which needs no consent to advertising.
    """

    name: str
    label: str
    icon: str
    pays: tuple[Pays, ...]
    moment: Moment
    delay_days: int
    channels: tuple[Channel, ...] = (Channel.EMAIL, Channel.WEBHOOK, Channel.FILE)
    is_service: bool = False


_ANY = (Pays.NOTHING, Pays.PERCENT, Pays.AMOUNT, Pays.SHIPPING, Pays.POINTS)
_CUTS = (Pays.PERCENT, Pays.AMOUNT)
_KINDS = (
    Kind(name="coupon", label="Coupon", icon="🏷️", pays=_CUTS, moment=Moment.DELIVERED, delay_days=14),
    Kind(
        name="free_shipping",
        label="Free shipping",
        icon="🚚",
        pays=(Pays.SHIPPING,),
        moment=Moment.DELIVERED,
        delay_days=14,
    ),
    Kind(
        name="gift",
        label="Gift or sample in the parcel",
        icon="🎁",
        pays=(Pays.GIFT,),
        moment=Moment.ORDERED,
        delay_days=0,
        channels=(Channel.PARCEL, Channel.EMAIL, Channel.WEBHOOK, Channel.FILE),
    ),
    Kind(
        name="points",
        label="Loyalty points or tier invitation",
        icon="⭐",
        pays=(Pays.POINTS, Pays.NOTHING),
        moment=Moment.DELIVERED,
        delay_days=7,
    ),
    Kind(
        name="complementary",
        label="Complementary products",
        icon="🧩",
        pays=_ANY,
        moment=Moment.DELIVERED,
        delay_days=10,
    ),
    Kind(
        name="guide",
        label="How-to guide",
        icon="📘",
        pays=(Pays.NOTHING,),
        moment=Moment.DELIVERED,
        delay_days=1,
    ),
    Kind(
        name="replenishment",
        label="Replenishment reminder",
        icon="🔁",
        pays=_ANY,
        moment=Moment.NEXT_DUE,
        delay_days=0,
    ),
    Kind(
        name="tracking_notice",
        label="Tracking and delay notice",
        icon="📦",
        pays=(Pays.NOTHING,),
        moment=Moment.LATE,
        delay_days=0,
        is_service=True,
    ),
    Kind(
        name="review_request",
        label="Review request",
        icon="✍️",
        pays=(Pays.NOTHING,),
        moment=Moment.DELIVERED,
        delay_days=10,
    ),
    Kind(name="survey", label="Survey", icon="📋", pays=(Pays.NOTHING,), moment=Moment.DELIVERED, delay_days=5),
    Kind(
        name="share",
        label="Share or refer a friend",
        icon="💬",
        pays=_ANY,
        moment=Moment.DELIVERED,
        delay_days=14,
    ),
    Kind(
        name="app_invitation",
        label="App invitation",
        icon="📱",
        pays=_ANY,
        moment=Moment.DELIVERED,
        delay_days=7,
    ),
    Kind(
        name="community_invitation",
        label="Community invitation",
        icon="👥",
        pays=(Pays.NOTHING,),
        moment=Moment.DELIVERED,
        delay_days=7,
    ),
    Kind(name="cart_nudge", label="Abandoned-cart nudge", icon="🛒", pays=_ANY, moment=Moment.CART_LEFT, delay_days=1),
    Kind(name="win_back", label="Win-back", icon="👋", pays=_ANY, moment=Moment.LAST_ORDER, delay_days=120),
)
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What is given, as its kind needs it; amounts in minor units of the store's currency.

    ``depth``: the share off (percent). ``face_minor``: an amount off, the shipping she would have paid, or what a
    gift is worth to her. ``cost_minor``: what a gift or a free parcel costs the store. ``point_minor``: what 100
    points are worth.
    """

    pays: Pays = Pays.NOTHING
    depth: float = 0.0
    face_minor: int = 0
    cost_minor: int = 0
    points: int = 0
    point_minor: int = 0
    minimum_basket_minor: int = 0
    expiry_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The coupon's code: ``shared`` by all, or one of its own per customer that begins with ``prefix``."""

    shared: str = ""
    prefix: str = ""
    uses_per_customer: int = 1

    @property
    def is_unique(self) -> bool:
        return not self.shared and bool(self.prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What it says in one language. ``html`` empty: plain text only."""

    language: str
    subject: str
    text: str
    html: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """Crossing one pauses the offer; null: no such limit. Shares are of the treated (refunds: of their net sales)."""

    margin_floor: float | None = None
    budget_minor: int | None = None
    refund_rate: float | None = None
    complaint_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One version of an offer, whole. ``product_ids``: what it is about, recommends or reminds of."""

    kind: str
    audience: Audience = field(default_factory=Audience)
    moment: Moment = Moment.DELIVERED
    delay_days: int = 14
    channel: Channel = Channel.EMAIL
    reward: Reward = field(default_factory=Reward)
    code: Code = field(default_factory=Code)
    content: tuple[Content, ...] = ()
    product_ids: tuple[int, ...] = ()
    link: str = ""
    campaign: str = ""  # utm_campaign; empty: made from the name
    contact_cost_minor: int = 0
    # Of two offers that are due for one customer the lower number goes first.
    priority: int = 100
    guardrails: Guardrails = field(default_factory=Guardrails)

    def to_json(self) -> dict[str, Any]:
        """As kept in offer_versions.settings."""
        return asdict(self) | {"audience": self.audience.to_json(), "form": 1}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read one back.

        Raises:
            InvalidInput: it was not written by Encore (a coupon imported from the shop), or is damaged.
        """
        if kept.get("form") != 1:
            raise InvalidInput("This offer was not planned in Encore: it is context, and cannot be changed here.")
        try:
            told = {one.name: kept[one.name] for one in fields(cls) if one.name in kept}
            return cls(
                **told
                | {
                    "audience": Audience.from_json(kept.get("audience", [])),
                    "moment": Moment(kept["moment"]),
                    "channel": Channel(kept["channel"]),
                    "reward": Reward(**kept["reward"] | {"pays": Pays(kept["reward"]["pays"])}),
                    "code": Code(**kept["code"]),
                    "content": tuple(Content(**one) for one in kept["content"]),
                    "product_ids": tuple(int(one) for one in kept["product_ids"]),
                    "guardrails": Guardrails(**kept["guardrails"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("This offer's plan is damaged and cannot be read.") from error

    def problems(self, *, window_days: int, holdout_share: float) -> list[str]:
        """What stands in the way of a start, in words; a draft may be saved with problems, an approval may not."""
        kind, found = KINDS.get(self.kind), []
        if kind is None:
            return [f"There is no kind of offer called {self.kind!r}."]
        reward = self.reward
        if reward.pays not in kind.pays:
            found.append(f"{kind.label} cannot reward with {reward.pays}.")
        if self.channel not in kind.channels:
            found.append(f"{kind.label} cannot go by {self.channel}.")
        if reward.pays is Pays.PERCENT and not 0 < reward.depth <= 0.95:
            found.append("Say how many percent off, from 1 to 95.")
        if reward.pays in {Pays.AMOUNT, Pays.SHIPPING, Pays.GIFT} and reward.face_minor <= 0:
            found.append("Say what the reward is worth to the customer.")
        if reward.pays in {Pays.SHIPPING, Pays.GIFT} and reward.cost_minor <= 0:
            found.append("Say what the reward costs you: without it the result would flatter.")
        if reward.pays is Pays.POINTS and (reward.points <= 0 or reward.point_minor <= 0):
            found.append("Say how many points, and what 100 points are worth.")
        if reward.pays in {Pays.PERCENT, Pays.AMOUNT} and not (self.code.shared or self.code.prefix):
            found.append("A coupon needs a code: one for all, or one for each customer.")
        if not 0 <= self.delay_days <= 730:
            found.append("The delay is 0 to 730 days.")
        if not 1 <= reward.expiry_days <= 365 or not 1 <= window_days <= 365:
            found.append("Expiry and outcome window are 1 to 365 days.")
        if reward.pays is not Pays.NOTHING and reward.expiry_days > window_days:
            found.append("The reward is valid longer than its result is measured: make the window at least as long.")
        if not 0 <= holdout_share <= 0.9:
            found.append("The holdout is 0 to 90 % of the audience.")
        if self.channel in {Channel.EMAIL, Channel.WEBHOOK} and not any(one.text.strip() for one in self.content):
            found.append("Write what it says.")
        if self.channel is Channel.EMAIL and any(not one.subject.strip() for one in self.content):
            found.append("Each language needs a subject.")
        return found

    def of_kind(self, name: str) -> Self:
        """The same plan as another kind, with that kind's usual reward, moment and delay."""
        kind = KINDS[name]
        return replace(
            self,
            kind=name,
            moment=kind.moment,
            delay_days=kind.delay_days,
            channel=kind.channels[0],
            reward=replace(self.reward, pays=kind.pays[0]),
        )
