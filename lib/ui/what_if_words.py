"""A what-if in words: what is offered to whom, what it needs, and what each assumption is called."""

from lib.metrics.definition import Unit
from lib.offer import Pays
from lib.offer import Reward as Given
from lib.stats.assumptions import Assumptions
from lib.stats.scenario import Scenario, Worked, size_of
from lib.stats.what_if import Range, WhatIf
from lib.ui.text import plain, unbroken, written
from lib.ui.what_if_controls import AFTER, moment_label

ASSUMPTIONS = {
    "contact": "The message itself",
    "pull": "Pull of the reward",
    "offer_noise": "How offers differ",
    "pulled_forward": "Pulled forward",
    "redeemed_anyway": "Would-be buyers redeem",
    "baseline": "Buy without it",
}
LEVERS = {
    "uplift": "More buyers",
    "customers": "Customers who reach the moment",
    "margin": "Gross margin",
    "basket": "Mean basket",
    "reward_cost": "Cost of the reward",
    "contact_cost": "Cost of one contact",
    "redeemed_anyway": "Would-be buyers who redeem",
    "pulled_forward": "Added orders pulled forward",
}


def money(value: float | None, currency: str) -> str:
    """Minor units as people read an amount; small ones with their cents."""
    return written(value, Unit.MONEY, currency)


def whole(value: float | None, currency: str) -> str:
    """Minor units without cents, for ranges in which they say nothing."""
    if value is None or value != value:
        return written(None, Unit.MONEY, currency)
    text = written(value, Unit.MONEY, currency)
    return text.split(".")[0] if abs(value) >= 1000 and "." in text else text


def money_range(found: Range, currency: str) -> str:
    """``−€387 to €399``."""
    return unbroken(f"{whole(found.low, currency)} to {whole(found.high, currency)}")


def count_range(found: Range) -> str:
    """``−12 to 140``; few are told with a decimal."""
    form = ",.0f" if max(abs(found.low), abs(found.high)) >= 20 else ",.1f"
    return unbroken(f"{_signed(found.low, form)} to {_signed(found.high, form)}")


def count(value: float, like: Range) -> str:
    """A middle, told as finely as its range."""
    form = ",.0f" if max(abs(like.low), abs(like.high)) >= 20 else ",.1f"
    return _signed(value, form)


def _signed(value: float, form: str) -> str:
    """A number with a true minus; what is written as zero has none."""
    text = f"{value:{form}}"
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", "−")


def reward_words(given: Given, currency: str) -> str:
    """``10% off``, ``€5.00 off``, ``Free shipping``, ``A gift worth €6.00``, ``200 points``, ``No reward``."""
    if given.pays in {Pays.PERCENT, Pays.AMOUNT, Pays.POINTS} and not size_of(given):
        return "No reward"
    match given.pays:
        case Pays.PERCENT:
            return f"{100 * given.depth:g}% off"
        case Pays.AMOUNT:
            return f"{money(given.face_minor, currency)} off"
        case Pays.SHIPPING:
            return "Free shipping"
        case Pays.GIFT:
            return f"A gift worth {money(given.face_minor, currency)}"
        case Pays.POINTS:
            return f"{given.points:,} points"
        case _:
            return "No reward"


def scenario_words(scenario: Scenario, currency: str) -> str:
    """What is offered, when and to whom, in one sentence without its full stop."""
    given = scenario.reward
    days = f"{scenario.delay_days} day{'' if scenario.delay_days == 1 else 's'}"
    after = AFTER[moment_label(scenario.moment)]
    text = f"{reward_words(given, currency)}, {days} after {after}, valid {given.expiry_days} days"
    if given.minimum_basket_minor:
        text += f", from {money(given.minimum_basket_minor, currency)}"
    return text if not scenario.audience.rules else f"{text}; {scenario.group}"


def short_words(scenario: Scenario, currency: str) -> str:
    """The same as a short label: ``10% off · day 14``."""
    text = f"{reward_words(scenario.reward, currency)} · day {scenario.delay_days}"
    if scenario.reward.minimum_basket_minor:
        text += f" · from {money(scenario.reward.minimum_basket_minor, currency)}"
    return text if not scenario.audience.rules else f"{text} · {scenario.group}"


def headline(worked: Worked, result: WhatIf) -> str:
    """What must happen for it to pay, which needs no assumption; Markdown."""
    p0, found = worked.waiting.bought, result.break_even
    if found.uplift is None:
        return "**It never pays**: the reward costs as much as an order brings, or more."
    if found.share is None or found.share > 1:
        return f"**It never pays**: even if everybody bought, and {p0:.1%} buy without it."
    if found.uplift == 0:
        return f"**It costs nothing**, so any added order is a gain. {p0:.1%} buy in those days without it."
    if result.contacted <= 0:
        return "**Nobody gets it** as the sliders stand."
    more = result.contacted * p0 * found.uplift
    return (
        f"**It pays when {found.share:.1%} buy instead of {p0:.1%}**: {more:,.0f} more orders among the "
        f"{result.contacted:,.0f} who get it. This needs no assumption, and takes the worst case: everybody redeems."
    )


def source_words(assumptions: Assumptions, *, is_edited: bool) -> str:
    """Where the rest comes from; Markdown."""
    if is_edited:
        return ":orange-badge[:material/edit: Your own assumptions]"
    if assumptions.is_assumed:
        return ":orange-badge[:material/help: Driven by assumptions]"
    n = assumptions.learned_from
    return (
        f":green-badge[:material/school: Learned from {n} of your offers]"
        if n > 1
        else (":green-badge[:material/school: Learned from one of your offers]")
    )


def label_of(scenario: Scenario, currency: str, letter: str) -> str:
    """How a scenario is called beside others; plain text."""
    return f"{letter}: {short_words(scenario, currency)}"


def markdown_of(scenario: Scenario, currency: str) -> str:
    """The sentence with the names of groups kept from being read as markup."""
    return plain(scenario_words(scenario, currency))
