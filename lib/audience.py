"""Who an offer is for: rules that must all hold, kept as JSON, checked, and told in words.

What a rule is asked of is lib/metrics/audience.py (the mart) and lib/outbox (consent and contact rules, live).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from lib.errors import InvalidInput


class Ask(StrEnum):
    """How a field is asked."""

    ONE_OF = "one of"  # any of some values
    RANGE = "from … to"  # whole numbers, both ends included
    MONEY = "amount from … to"  # minor units of the store's currency, both ends included
    YES = "yes or no"


LIFECYCLES = ("new", "active", "due", "at_risk", "lapsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that is known of a customer; ``values`` empty: the store's own are offered."""

    name: str
    label: str
    ask: Ask
    group: str
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None


_FIELDS = (
    Field(name="lifecycle", label="Lifecycle", ask=Ask.ONE_OF, group="Buying", values=LIFECYCLES),
    Field(name="purchases", label="Purchases so far", ask=Ask.RANGE, group="Buying", least=0),
    Field(name="days_since_last", label="Days since the last purchase", ask=Ask.RANGE, group="Buying", least=0),
    Field(name="days_since_first", label="Days since the first purchase", ask=Ask.RANGE, group="Buying", least=0),
    Field(name="spent", label="Net sales so far", ask=Ask.MONEY, group="Buying"),
    Field(name="recency_score", label="Recency score", ask=Ask.RANGE, group="Buying", least=1, most=5),
    Field(name="frequency_score", label="Frequency score", ask=Ask.RANGE, group="Buying", least=1, most=5),
    Field(name="monetary_score", label="Monetary score", ask=Ask.RANGE, group="Buying", least=1, most=5),
    Field(name="bought_category", label="Has bought from category", ask=Ask.ONE_OF, group="Goods"),
    Field(name="bought_product", label="Has bought product", ask=Ask.ONE_OF, group="Goods"),
    Field(name="country", label="Country of the last order", ask=Ask.ONE_OF, group="Last order"),
    Field(name="channel", label="Channel of the last order", ask=Ask.ONE_OF, group="Last order"),
    Field(name="device", label="Device of the last order", ask=Ask.ONE_OF, group="Last order"),
    Field(name="payment_method", label="Payment of the last order", ask=Ask.ONE_OF, group="Last order"),
    Field(name="delivery_type", label="Delivery of the last order", ask=Ask.ONE_OF, group="Last order"),
    Field(name="was_late", label="Last order came late", ask=Ask.YES, group="Care"),
    Field(name="rating", label="Last rating given", ask=Ask.RANGE, group="Care", least=1, most=5),
    Field(name="has_open_ticket", label="Has an open ticket", ask=Ask.YES, group="Care"),
    Field(name="has_open_return", label="Has an open return", ask=Ask.YES, group="Care"),
    Field(name="is_member", label="Is in the loyalty programme", ask=Ask.YES, group="Person"),
    Field(name="has_consent", label="Agreed to e-mail", ask=Ask.YES, group="Person"),
    Field(name="language", label="Language", ask=Ask.ONE_OF, group="Person"),
)
FIELDS: Mapping[str, Field] = {field.name: field for field in _FIELDS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One condition. ``any_of`` for ONE_OF, ``least`` and ``most`` for numbers (null: open), neither for YES.

    ``is_not`` turns it round. A customer of whom the field is not known meets neither the rule nor its opposite,
    except where it says yes or no: there what is not known is no.
    """

    field: str
    any_of: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    is_not: bool = False

    def checked(self) -> Self:
        """The same rule.

        Raises:
            InvalidInput: no such field, no values, or a range that ends before it begins.
        """
        field = FIELDS.get(self.field)
        if field is None:
            raise InvalidInput(f"There is no field called {self.field!r}.")
        is_range = field.ask in {Ask.RANGE, Ask.MONEY}
        if field.ask is Ask.ONE_OF and not self.any_of:
            raise InvalidInput(f"{field.label}: choose at least one.")
        if field.values and not set(self.any_of) <= set(field.values):
            raise InvalidInput(f"{field.label} is one of {', '.join(field.values)}.")
        if is_range and self.least is None and self.most is None:
            raise InvalidInput(f"{field.label}: say from where or up to where.")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise InvalidInput(f"{field.label}: the range ends before it begins.")
        if (self.any_of and field.ask is not Ask.ONE_OF) or (
            not is_range and not (self.least is None and self.most is None)
        ):
            raise InvalidInput(f"{field.label} is asked as {field.ask}.")
        return self

    def words(self, money: Mapping[int, str] | None = None) -> str:
        """The rule as a manager would say it; ``money``: how the amounts in it are written."""
        field = FIELDS[self.field]
        no = "not " if self.is_not else ""
        match field.ask:
            case Ask.YES:
                return f"{no}{field.label.lower()}" if not no else f"not: {field.label.lower()}"
            case Ask.ONE_OF:
                return f"{field.label.lower()} {no or 'is '}{' or '.join(v.replace('_', ' ') for v in self.any_of)}"
        written = {n: (money or {}).get(n, str(n)) for n in (self.least, self.most) if n is not None}
        if self.least is not None and self.least == self.most:
            told = written[self.least]
        elif self.most is None:
            told = f"{written[self.least or 0]} or more"
        elif self.least is None:
            told = f"at most {written[self.most]}"
        else:
            told = f"{written[self.least]} to {written[self.most]}"
        return f"{field.label.lower()} {no}{told}"

    def to_json(self) -> dict[str, Any]:
        """As kept in the order database; what is not set is left out."""
        told: dict[str, Any] = {"field": self.field}
        if self.any_of:
            told["any_of"] = list(self.any_of)
        for name in ("least", "most"):
            if getattr(self, name) is not None:
                told[name] = getattr(self, name)
        return told | ({"is_not": True} if self.is_not else {})

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Read one back.

        Raises:
            InvalidInput: it is no rule.
        """
        try:
            return cls(
                field=str(kept["field"]),
                any_of=tuple(str(value) for value in kept.get("any_of", ())),
                least=_whole(kept.get("least")),
                most=_whole(kept.get("most")),
                is_not=bool(kept.get("is_not", False)),
            ).checked()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput(f"{kept!r} is no rule of an audience.") from error


@dataclass(frozen=True, slots=True)
class Audience:
    """Rules that must all hold; none: everybody who ever bought."""

    rules: tuple[Rule, ...] = ()

    def to_json(self) -> list[dict[str, Any]]:
        """As kept in the order database."""
        return [rule.to_json() for rule in self.rules]

    @classmethod
    def from_json(cls, kept: object) -> Self:
        """Read one back.

        Raises:
            InvalidInput: it is no list of rules.
        """
        if not isinstance(kept, list):
            raise InvalidInput("An audience is a list of rules.")
        return cls(tuple(Rule.from_json(rule) for rule in kept))


def _whole(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{value!r} is no whole number")
    return value
