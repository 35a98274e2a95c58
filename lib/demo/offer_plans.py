"""The plans of the demo store's past offers: what each gave, to whom, and what it said."""

from lib.audience import Audience, Rule
from lib.demo import behaviour as b
from lib.demo.catalogue import CATEGORIES
from lib.demo.offers import Offer
from lib.offer import Code, Content, Guardrails, Moment, Pays, Plan, Reward

# What a message costs, in cents: the tool that sends it.
CONTACT_MINOR = 2
_REWARDS = {
    "free-shipping": Reward(pays=Pays.SHIPPING, face_minor=490, cost_minor=420),
    "regulars": Reward(pays=Pays.SHIPPING, face_minor=490, cost_minor=420),
    "gift-candle": Reward(pays=Pays.GIFT, face_minor=900, cost_minor=310),
    "double-points": Reward(pays=Pays.POINTS, points=200, point_minor=100),
    "second-order-gift": Reward(pays=Pays.GIFT, face_minor=1200, cost_minor=420),
}
_WORDS = {
    "again10": "Thank you for your first order. With this code your second one is 10 % cheaper.",
    "free-shipping": "Your next parcel is on us. The code takes off what it would cost.",
    "win-back-spring": "It has been a while. Here is 15 % off, should you need something for spring.",
    "gift-candle": "Order again this month and find a small candle in your parcel.",
    "care-guide": "Linen gets softer with every wash. Here is how to wash, dry and iron it.",
    "coffee-refill": "Your coffee may be running low. With this code the next bag is 5 % cheaper.",
    "double-points": "This month every order earns twice the points.",
    "win-back-autumn": "The evenings get longer. Come back with 10 % off.",
    "app-invitation": "Order again in two taps: everything you bought is in our app.",
    "second-order-gift": "With your second order comes a mug from our own kiln.",
    "regulars": "You come back often, so your next parcel travels free.",
    "refill-soap": "Send us back the empty bottle and refill it for less.",
}


def plan_of(offer: Offer) -> Plan:
    """The plan that an offer of the demo store followed."""
    since = Rule(field="days_since_last", least=offer.since_low, most=offer.since_high)
    bought = Rule(field="purchases", least=1 if offer.is_second else 2, most=1 if offer.is_second else None)
    rules = [bought, since]
    if offer.category >= 0:
        rules.append(Rule(field="bought_category", any_of=(CATEGORIES[offer.category].name,)))
    reward = _REWARDS.get(offer.key, Reward())
    if offer.depth:
        reward = Reward(pays=Pays.PERCENT, depth=offer.depth, expiry_days=min(30, offer.window))
    code = b.CODES[offer.code] if offer.code >= 0 else ""
    text = _WORDS[offer.key] + ("\n\nYour code: {code}" if code else "")
    return Plan(
        kind=offer.kind,
        audience=Audience(tuple(rules)),
        moment=Moment.LAST_ORDER,
        delay_days=offer.since_low,
        reward=reward,
        code=Code(shared=code),
        content=(Content(language="en", subject=offer.name, text=f"{text}\n\n{{unsubscribe}}"),),
        contact_cost_minor=CONTACT_MINOR,
        guardrails=Guardrails(margin_floor=0.2, refund_rate=0.25, complaint_rate=0.02),
    )
