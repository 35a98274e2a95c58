"""The messages of those who are treated, ready for the outbox: filled in, with her own code and her own way out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lib.db.store import Store
from lib.offer import Channel
from lib.outbox.queue import EMAIL, WEBHOOK
from lib.outbox.quiet_hours import send_at
from lib.outbox.rules import ContactRules
from lib.outbox.unsubscribe import link
from lib.periods import store_day
from lib.workflows.offer_content import Rendered, content_for, must_unsubscribe, render
from lib.workflows.offer_going import Going
from lib.workflows.offer_values import Recipient, recipients_of, reward_values

ABOUT = "offer"
_BY = {Channel.EMAIL: EMAIL, Channel.WEBHOOK: WEBHOOK}
_LONGEST_SUBJECT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who writes, and what every message of a run shares. ``link_key``: what unsubscribe links are signed with."""

    store: Store
    rules: ContactRules
    link_key: bytes
    public_url: str
    at: datetime

    @property
    def language(self) -> str:
        return self.store.languages[0] if self.store.languages else "en"

    @property
    def zone(self) -> ZoneInfo:
        return self.store.zone


def idempotency_key(offer_id: int, customer_id: int) -> str:
    """What makes a second message of an offer to a customer the same as the first."""
    return f"offer:{offer_id}:customer:{customer_id}"


def messages_for(
    conn: Connection, going: Going, sender: Sender, about: Mapping[int, int | None], codes: Mapping[int, str]
) -> list[dict[str, Any]]:
    """One message for each treated customer, as ``enqueue_many`` takes it; none where the offer goes another way.

    Args:
        about: the treated, each with the order that it is about.
        codes: of those who have a code of their own.
    """
    channel = _BY.get(going.plan.channel)
    if channel is None:
        return []
    people = recipients_of(conn, going.plan, about, language=sender.language)
    return [_message(going, sender, channel, one, codes) for _, one in sorted(people.items())]


def letter_to(going: Going, sender: Sender, one: Recipient, code: str | None) -> Rendered:
    """What one customer reads; also the preview of a dry run."""
    values = dict(one.known)
    content = content_for(going.plan, one.language)
    language = content.language if content is not None else one.language
    last_day = store_day(sender.at, sender.zone) + timedelta(days=going.plan.reward.expiry_days)
    values |= reward_values(going.plan, sender.store.currency or "EUR", language, last_day)
    values["store"] = sender.store.name
    if code or going.plan.code.shared:
        values["code"] = code or going.plan.code.shared
    values["unsubscribe"] = link(sender.public_url, sender.link_key, one.customer_id, going.offer_id)
    return render(going.plan, values, one.language, campaign=going.name)


def _message(going: Going, sender: Sender, channel: str, one: Recipient, codes: Mapping[int, str]) -> dict[str, Any]:
    letter = letter_to(going, sender, one, codes.get(one.customer_id))
    way_out = link(sender.public_url, sender.link_key, one.customer_id, going.offer_id)
    shared: dict[str, Any] = {
        "idempotency_key": idempotency_key(going.offer_id, one.customer_id),
        "channel": channel,
        "about": ABOUT,
        "about_id": going.offer_id,
        "customer_id": one.customer_id,
        "offer_id": going.offer_id,
        "at": sender.at,
        "due_at": send_at(sender.at, one.country, sender.rules, sender.zone),
    }
    subject = letter.subject[:_LONGEST_SUBJECT] or going.name[:_LONGEST_SUBJECT]
    if channel == WEBHOOK:
        told = {
            "event": "offer",
            "offer": {"id": going.offer_id, "name": going.name, "kind": going.plan.kind, "version": going.number},
            "customer": {
                "id": one.customer_id,
                "email": one.email,
                "name": one.name,
                "language": one.language,
                "country": one.country,
            },
            "subject": subject,
            "text": letter.text,
            "html": letter.html,
            "code": codes.get(one.customer_id) or going.plan.code.shared or None,
            "unsubscribe": way_out,
        }
        return shared | {"recipient": None, "body": json.dumps(told, ensure_ascii=False), "extra": {"event": "offer"}}
    extra: dict[str, Any] = {"is_automatic": True}
    if one.name:
        extra["name"] = one.name
    if letter.html:
        extra["html"] = letter.html
    if must_unsubscribe(going.plan):
        extra["list_unsubscribe"] = way_out
    return shared | {"recipient": one.email, "subject": subject, "body": letter.text, "extra": extra}
