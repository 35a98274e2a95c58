"""What an offer says: filled in for one customer, as plain text and as HTML, with links that can be counted.

Variables are those of :data:`VARIABLES`, written ``{first_name}`` or ``{first_name|there}``. Filling is one pass: words
that come from customers are never read as variables, and in HTML they are escaped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from lib.offer import KINDS, Channel, Content, Pays, Plan
from lib.workflows.offer_html import cleaned, letter, strange_html
from lib.workflows.templates import fill

VARIABLES: dict[str, str] = {
    "first_name": "the customer's first name",
    "store": "your store's name",
    "order": "the number of the last order",
    "product": "the product it is about, else the last one bought",
    "products": "the products it recommends, one a line",
    "reward": "what is given, such as 10 % off",
    "minimum": "from what basket on",
    "code": "the code to type at the checkout",
    "expires": "the last day on which it is valid",
    "link": "the offer's link, counted",
    "tracking": "where the parcel can be followed",
    "unsubscribe": "where no more offers can be asked for",
}
# The words of an HTML part that is made from the text; empty: plain text alone.
LETTER = "letter"
_FOOTER = {
    "en": "You get this because you bought from {store}. No more offers: {unsubscribe}",
    "de": "Sie erhalten dies, weil Sie bei {store} bestellt haben. Keine Angebote mehr: {unsubscribe}",
    "fr": "Vous recevez ceci parce que vous avez acheté chez {store}. Plus d'offres : {unsubscribe}",
    "es": "Recibe esto porque compró en {store}. No más ofertas: {unsubscribe}",
    "it": "Riceve questo perché ha acquistato da {store}. Nessuna offerta in più: {unsubscribe}",
    "nl": "U krijgt dit omdat u bij {store} heeft gekocht. Geen aanbiedingen meer: {unsubscribe}",
    "pt": "Recebe isto porque comprou em {store}. Sem mais ofertas: {unsubscribe}",
}
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_NAMED = re.compile(r"\{([a-z_]+)(?:\|[^{}|]*)?\}")
_ADVERTISING = (Channel.EMAIL,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What leaves for one customer. ``html`` is empty for plain text alone; ``missing``: variables nobody knows."""

    subject: str
    text: str
    html: str
    language: str
    missing: tuple[str, ...] = ()


def content_for(plan: Plan, language: str) -> Content | None:
    """What is said to somebody who reads ``language``: that language, else its base, else the first one written."""
    by = {one.language.lower(): one for one in plan.content}
    wanted = language.lower()
    return by.get(wanted) or by.get(wanted.split("-")[0]) or next(iter(plan.content), None)


def render(plan: Plan, values: Mapping[str, str], language: str, *, campaign: str = "") -> Rendered:
    """Fill an offer in for one customer.

    Advertising by mail always says how to get no more of it: where the text does not, a last line does.

    Args:
        values: by variable; what is not known falls back to its own words or leaves a gap.
        campaign: what links are counted under where the plan names nothing, such as the offer's name.

    Raises:
        ValueError: the offer says nothing in any language.
    """
    content = content_for(plan, language)
    if content is None:
        raise ValueError("an offer without words")
    counted = dict(values)
    tags = utm_tags(plan, campaign)
    counted["link"] = with_tags(values.get("link") or plan.link, tags)
    text = _tagged(with_footer(plan, content), tags)
    subject, body = fill(content.subject, counted), fill(text, counted)
    html = ""
    if content.html:
        form = letter(text, title=content.subject) if content.html == LETTER else cleaned(content.html)
        if content.html != LETTER and must_unsubscribe(plan) and "unsubscribe" not in names(form):
            form += letter(_footer(content.language), title="", whole=False)
        escaped = {name: escape(value) for name, value in counted.items()}
        escaped["products"] = escaped.get("products", "").replace("\n", "<br>")
        html = fill(_tagged_html(form, tags), escaped).text
    return Rendered(
        subject=" ".join(subject.text.split()),
        text=body.text.strip() + "\n",
        html=html,
        language=content.language,
        missing=tuple(dict.fromkeys((*subject.missing, *body.missing))),
    )


def must_unsubscribe(plan: Plan) -> bool:
    """Whether it is advertising by mail: all but what is about her own parcel."""
    kind = KINDS.get(plan.kind)
    return plan.channel in _ADVERTISING and not (kind is not None and kind.is_service)


def with_footer(plan: Plan, content: Content) -> str:
    """The text with its last line, where advertising needs one that it has not."""
    if not must_unsubscribe(plan) or "unsubscribe" in names(content.text):
        return content.text
    return f"{content.text}\n\n{_footer(content.language)}"


def utm_tags(plan: Plan, campaign: str) -> tuple[tuple[str, str], ...]:
    """What links of an offer carry, so that the shop's own statistics know where a visit came from."""
    medium = {Channel.PARCEL: "parcel"}.get(plan.channel, "email")
    named = slug(plan.campaign or campaign or plan.kind)
    return (("utm_source", "encore"), ("utm_medium", medium), ("utm_campaign", named), ("utm_content", plan.kind))


def with_tags(address: str, tags: tuple[tuple[str, str], ...]) -> str:
    """An address with the tags that it does not carry yet; anchors stay at the end.

    >>> with_tags("https://your-shop.example/a?x=1#top", (("utm_source", "encore"),))
    'https://your-shop.example/a?x=1&utm_source=encore#top'
    """
    if not address.startswith(("http://", "https://")):
        return address
    base, hash_sign, anchor = address.partition("#")
    held = {piece.partition("=")[0] for piece in base.partition("?")[2].split("&")}
    new = "&".join(f"{name}={value}" for name, value in tags if name not in held)
    if not new:
        return address
    joint = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{joint}{new}{hash_sign}{anchor}"


def slug(words: str) -> str:
    """Words as a tag: ``10 % off, again`` is ``10-off-again``."""
    folded = words.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:80] or "offer"


def names(text: str) -> set[str]:
    """The variables that a text asks for."""
    return {found.group(1) for found in _NAMED.finditer(text)}


def strange_variables(text: str) -> list[str]:
    """What stands in braces and is no variable, such as ``{frist_name}``."""
    known = {found.group(0) for found in _NAMED.finditer(text) if found.group(1) in VARIABLES}
    return [one for one in dict.fromkeys(re.findall(r"\{[^{}\n]*\}?", text)) if one not in known]


def content_problems(plan: Plan) -> list[str]:
    """What of the words stands in the way of a start."""
    found: list[str] = []
    everything = set().union(*(names(f"{one.subject}\n{one.text}") for one in plan.content))
    if "link" in everything and not plan.link:
        found.append("The words name a link: say where it leads.")
    if "code" in everything and not (plan.code.shared or plan.code.prefix):
        found.append("The words name a code, but the offer has none.")
    for one in plan.content:
        where = f"In {one.language}: "
        own = one.html if one.html != LETTER else ""
        strange = strange_variables(f"{one.subject}\n{one.text}\n{own}")
        found.extend(f"{where}{name} is no variable." for name in strange[:3])
        if not one.text.strip():
            found.append(f"{where}write what it says, or take the language out.")
        found.extend(f"{where}{tag} may not stand in a mail. Take it out." for tag in strange_html(own)[:3])
        asked = names(f"{one.subject}\n{one.text}")
        if plan.reward.pays in {Pays.PERCENT, Pays.AMOUNT} and "code" not in asked and plan.channel is Channel.EMAIL:
            found.append(f"{where}it never tells the code: put {{code}} where it belongs.")
    return found


def _footer(language: str) -> str:
    return _FOOTER.get(language.lower().split("-")[0], _FOOTER["en"])


def _tagged(text: str, tags: tuple[tuple[str, str], ...]) -> str:
    def one(found: re.Match[str]) -> str:
        address = found.group(0)
        end = address.rstrip(".,;:!?)")
        return with_tags(end, tags) + address[len(end) :]

    return _ADDRESS.sub(one, text)


def _tagged_html(form: str, tags: tuple[tuple[str, str], ...]) -> str:
    def one(found: re.Match[str]) -> str:
        plain = found.group(2).replace("&amp;", "&")
        return f"{found.group(1)}{escape(with_tags(plain, tags), quote=True)}{found.group(3)}"

    return re.sub(r'(href=")(https?://[^"]+)(")', one, form)
