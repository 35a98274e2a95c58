"""An offer's terms in words: when it goes out, what it gives, what one version changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from lib.audience import FIELDS, Ask, Audience
from lib.errors import InvalidInput
from lib.money import format_money
from lib.offer import KINDS, Channel, Moment, Pays, Plan, Reward
from lib.workflows.offer_terms import Terms

# A link to an offer is a link to the very page it stands on, which Streamlit paints as chosen and cuts.
LINK_STYLE = """<style>
:is([class*=st-key-offer_line_], [class*=st-key-on_line_], .st-key-offers_coming) [data-testid=stPageLink-NavLink] {
  background: transparent; padding-left: 0;
}
[class*=st-key-on_line_] [data-testid=stPageLink-NavLink] :is(span, div, p) { white-space: normal; overflow: visible; }
</style>"""
ICONS: Mapping[str, str] = {
    "coupon": ":material/sell:",
    "free_shipping": ":material/local_shipping:",
    "gift": ":material/redeem:",
    "points": ":material/stars:",
    "complementary": ":material/extension:",
    "guide": ":material/menu_book:",
    "replenishment": ":material/autorenew:",
    "tracking_notice": ":material/package_2:",
    "review_request": ":material/reviews:",
    "survey": ":material/ballot:",
    "share": ":material/share:",
    "app_invitation": ":material/smartphone:",
    "community_invitation": ":material/groups:",
    "cart_nudge": ":material/shopping_cart:",
    "win_back": ":material/waving_hand:",
}
CHANNELS: Mapping[Channel, str] = {
    Channel.EMAIL: "E-mail",
    Channel.WEBHOOK: "Webhook to another tool",
    Channel.FILE: "Audience file for another tool",
    Channel.PARCEL: "Note in the parcel",
}
PAYS: Mapping[Pays, str] = {
    Pays.NOTHING: "Nothing",
    Pays.PERCENT: "Percent off",
    Pays.AMOUNT: "An amount off",
    Pays.SHIPPING: "Free shipping",
    Pays.GIFT: "A gift",
    Pays.POINTS: "Points",
}
MOMENTS: Mapping[Moment, str] = {
    Moment.ORDERED: "the order",
    Moment.PACKED: "packing",
    Moment.SHIPPED: "shipping",
    Moment.DELIVERED: "delivery",
    Moment.LATE: "the promised day passed",
    Moment.LAST_ORDER: "the last order",
    Moment.NEXT_DUE: "the next order is due",
    Moment.CART_LEFT: "a cart was left",
}
STATUSES = {
    "draft": ("Draft", "gray"),
    "approved": ("Approved", "blue"),
    "running": ("Running", "green"),
    "paused": ("Paused", "orange"),
    "stopped": ("Stopped", "gray"),
    "finished": ("Finished", "gray"),
}


def when(plan: Plan) -> str:
    """When it goes out: ``14 days after delivery``, ``on the day of the order``."""
    moment, days = MOMENTS[plan.moment], plan.delay_days
    if plan.moment is Moment.NEXT_DUE and not days:
        return "when the next order is due"
    if not days:
        return f"on the day of {moment}" if plan.moment.value in _THINGS else f"as soon as {moment}"
    many = f"{days} day{'' if days == 1 else 's'}"
    return f"{many} after {moment}"


_THINGS = {"ordered", "packed", "shipped", "delivered", "last_order"}


def given(reward: Reward, currency: str) -> str:
    """What it gives: ``10 % off, from €30.00``, ``nothing``."""
    match reward.pays:
        case Pays.PERCENT:
            told = f"{reward.depth * 100:g} % off"
        case Pays.AMOUNT:
            told = f"{format_money(reward.face_minor, currency)} off"
        case Pays.SHIPPING:
            told = "free shipping"
        case Pays.GIFT:
            told = "a gift"
        case Pays.POINTS:
            told = f"{reward.points:,} points"
        case _:
            return "nothing"
    if reward.minimum_basket_minor:
        told += f", from {format_money(reward.minimum_basket_minor, currency)}"
    return told


def audience_words(audience: Audience, currency: str) -> str:
    """Whom it is for, in one line."""
    if not audience.rules:
        return "everybody whom the moment reaches"
    asked = {n for rule in audience.rules for n in (rule.least, rule.most) if n is not None}
    money = {n: format_money(n, currency) for n in asked}
    return "; ".join(rule.words(money if FIELDS[rule.field].ask is Ask.MONEY else None) for rule in audience.rules)


def day_words(at: datetime | None, zone: ZoneInfo) -> str:
    """A day as the store counts it."""
    return f"{at.astimezone(zone):%-d %b %Y}" if at else "not set"


def last_day_words(ends_at: datetime | None, zone: ZoneInfo) -> str:
    """The last day of something that is over at an instant."""
    return day_words(ends_at - timedelta(microseconds=1) if ends_at else None, zone)


def days_words(starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> str:
    """The days of an offer: ``until 18 Jan 2027``, ``10 Nov 2026 – 9 Dec 2026``, ``no days set``."""
    if ends_at is None:
        return f"from {day_words(starts_at, zone)}" if starts_at else "no days set"
    first, last = day_words(starts_at, zone), last_day_words(ends_at, zone)
    if starts_at is None:
        return f"until {last}"
    return f"on {last}" if first == last else f"{first} – {last}"


def summary(terms: Terms, currency: str, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Everything an offer is, by name, in the order in which it is told; what versions are compared by."""
    plan = terms.plan
    rails, reward = plan.guardrails, plan.reward
    told = [
        ("Name", terms.name),
        ("Kind", KINDS[plan.kind].label),
        ("Goes out", when(plan)),
        ("By", CHANNELS[plan.channel]),
        ("Audience", audience_words(plan.audience, currency)),
        ("Gives", given(reward, currency)),
        ("Worth to the customer", _money(reward.face_minor, currency) if reward.pays in _FACE else ""),
        ("Costs you", _money(reward.cost_minor, currency) if reward.pays in _COST else ""),
        ("100 points are worth", _money(reward.point_minor, currency) if reward.pays is Pays.POINTS else ""),
        ("Valid for", f"{reward.expiry_days} days" if reward.pays is not Pays.NOTHING else ""),
        ("Code", _code(plan)),
        ("Link", plan.link),
        ("Counted as", plan.campaign),
        ("A contact costs", _money(plan.contact_cost_minor, currency)),
        ("Priority", str(plan.priority)),
        ("About products", ", ".join(f"no. {one}" for one in plan.product_ids)),
        ("First day", day_words(terms.starts_at, zone)),
        ("Last day", last_day_words(terms.ends_at, zone)),
        ("Outcome window", f"{terms.window_days} days"),
        ("Holdout", f"{terms.holdout_share * 100:g} %"),
        ("Margin floor", _share(rails.margin_floor)),
        ("Budget", _money(rails.budget_minor or 0, currency)),
        ("Most refunds", _share(rails.refund_rate)),
        ("Most complaints", _share(rails.complaint_rate)),
    ]
    for one in plan.content:
        told += [
            (f"Subject ({one.language})", one.subject),
            (f"Text ({one.language})", one.text),
            (f"HTML ({one.language})", one.html),
        ]
    return told


def difference(before: Terms, after: Terms, currency: str, zone: ZoneInfo) -> list[tuple[str, str, str]]:
    """What one version changed: name, before, after; empty: something that was not set."""
    old, new = dict(summary(before, currency, zone)), dict(summary(after, currency, zone))
    pairs = [(name, old.get(name, ""), new.get(name, "")) for name in dict.fromkeys((*old, *new))]
    return [pair for pair in pairs if pair[1] != pair[2]]


def terms_of(settings: Mapping[str, Any], row: Mapping[str, Any]) -> Terms | None:
    """The terms in a version's settings; null where it was not planned in Encore."""
    try:
        return Terms.from_json(settings, row)
    except InvalidInput:
        return None


_FACE = {Pays.SHIPPING, Pays.GIFT}
_COST = {Pays.SHIPPING, Pays.GIFT}


def _money(minor: int, currency: str) -> str:
    return format_money(minor, currency) if minor else ""


def _share(share: float | None) -> str:
    return f"{share * 100:g} %" if share is not None else ""


def _code(plan: Plan) -> str:
    if plan.code.shared:
        told = f"{plan.code.shared}, the same for all"
    elif plan.code.prefix:
        told = f"{plan.code.prefix}-…, one for each customer"
    else:
        return ""
    uses = plan.code.uses_per_customer
    return f"{told}, {'once' if uses == 1 else f'{uses} times'} per customer"
