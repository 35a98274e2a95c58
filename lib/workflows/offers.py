"""What staff do to an offer: plan it, change it by new versions, have it approved, start, pause and stop it.

``draft`` → ``approved`` → ``running`` ⇄ ``paused`` → ``stopped`` or ``finished``. The version that goes out is
``approved_number``: a change to a running offer is written down and waits until it is approved. What the result
rests on (holdout, window, days) is fixed by the start. Nothing is deleted; what is dropped was stopped.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection

from lib.db import audit
from lib.errors import InvalidInput, NotAllowed
from lib.offer import Code
from lib.staff import May, Staff
from lib.workflows.drafts import drop_draft
from lib.workflows.offer_approval import approval_limit, needs_second_person
from lib.workflows.offer_rows import (
    add_version,
    authors,
    change,
    columns,
    insert_offer,
    locked,
    newest,
    sharing_code,
    subject,
)
from lib.workflows.offer_terms import Terms, checked, most_it_may_cost, problems

_LIVE = ("approved", "running", "paused")
_OVER = ("stopped", "finished")


def create_offer(conn: Connection, by: Staff, terms: Terms, *, at: datetime) -> int:
    """Write down a new draft and return its key.

    Raises:
        NotAllowed: the role may not.
        InvalidInput: something in it is impossible; an unfinished draft may be kept.
    """
    by.must(May.PLAN_OFFERS)
    kept = checked(terms)
    offer_id = insert_offer(conn, kept, at=at)
    add_version(conn, by, offer_id, 1, kept, at)
    told = {"name": kept.name, "kind": kept.plan.kind}
    audit.record(conn, by, "offer.planned", subject(offer_id), at=at, after=told)
    return offer_id


def change_offer(conn: Connection, by: Staff, offer_id: int, terms: Terms, *, version: int, at: datetime) -> int:
    """Write down the next version and return its number; the very same terms again add none.

    A draft takes the new version at once, an approved offer becomes a draft again, and one that runs keeps sending
    the version that was approved until the new one is.

    Raises:
        NotAllowed: the role may not.
        Conflict: somebody changed it since ``version``.
        InvalidInput: something in it is impossible, it is over, or it runs and what its result rests on would change.
    """
    by.must(May.PLAN_OFFERS)
    kept = checked(terms)
    row = locked(conn, offer_id, version)
    if row["status"] in _OVER:
        raise InvalidInput("This offer is over. Copy it to go on with it.")
    last = newest(conn, offer_id)
    before = Terms.from_json(last["settings"], row)
    if before.to_json() == kept.to_json():
        return int(last["number"])
    if kept.plan.kind != before.plan.kind and row["approved_number"] is not None:
        raise InvalidInput("The kind stays once it was approved. Copy the offer and choose the kind there.")
    is_out = row["status"] in {"running", "paused"}
    if is_out and _measured(before) != _measured(kept):
        raise InvalidInput(
            "Holdout, window and days stay as they were at the start, or its result would say nothing. "
            "Stop it, or copy it to try others."
        )
    number = int(last["number"]) + 1
    add_version(conn, by, offer_id, number, kept, at)
    state = {} if is_out else {"status": "draft", "approved_number": None, "approved_by_id": None, "approved_at": None}
    told = {"name": kept.name} if is_out else columns(kept)
    change(conn, offer_id, at, **told, **state)
    drop_draft(conn, by, "offer", offer_id)
    audit.record(
        conn,
        by,
        "offer.changed",
        subject(offer_id),
        at=at,
        before=_differing(before, kept) | {"version": last["number"]},
        after=_differing(kept, before) | {"version": number},
    )
    return number


def copy_offer(conn: Connection, by: Staff, offer_id: int, *, name: str, at: datetime) -> int:
    """Begin a new draft from the newest version of another offer, without its days and its shared code.

    Two offers with one code could not be told apart by what was redeemed.
    """
    by.must(May.PLAN_OFFERS)
    last = newest(conn, offer_id)
    terms = Terms.from_json(last["settings"], last)
    code = Code(prefix=terms.plan.code.prefix, uses_per_customer=terms.plan.code.uses_per_customer)
    made = Terms(
        name=name,
        plan=replace(terms.plan, code=code),
        window_days=terms.window_days,
        holdout_share=terms.holdout_share,
    )
    key = create_offer(conn, by, made, at=at)
    audit.record(conn, by, "offer.copied", subject(key), at=at, after={"from": offer_id})
    return key


def approve_offer(conn: Connection, by: Staff, offer_id: int, *, version: int, at: datetime) -> int:
    """Let the newest version go out and return its number.

    Up to the owner's cost limit whoever plans offers may approve; above it an owner who did not write it.

    Raises:
        NotAllowed: the role may not, or a second person must.
        Conflict: somebody changed it since ``version``.
        InvalidInput: something stands in the way of a start, or nothing waits for approval.
    """
    by.must(May.PLAN_OFFERS)
    row = locked(conn, offer_id, version)
    if row["status"] not in {"draft", "running", "paused"}:
        raise InvalidInput("Nothing here waits for approval.")
    last = newest(conn, offer_id)
    if last["number"] == row["approved_number"]:
        raise InvalidInput("This version is approved already.")
    terms = Terms.from_json(last["settings"], row)
    if found := problems(terms, at=at):
        raise InvalidInput(f"Not ready yet. {found[0]}")
    if other := sharing_code(conn, offer_id, terms.plan.code.shared):
        raise InvalidInput(f"The code {terms.plan.code.shared} is used by “{other}” as well. Choose another one.")
    if needs_second_person(terms, approval_limit(conn)):
        by.must(May.APPROVE_OFFERS)
        if by.staff_id in authors(conn, offer_id, after=row["approved_number"] or 0):
            raise NotAllowed(
                "This may cost more than the limit: somebody else must approve it, an owner who did not write it. "
                "Or set a budget within the limit."
            )
    state = "approved" if row["status"] == "draft" else row["status"]
    change(conn, offer_id, at, status=state, approved_number=last["number"], approved_by_id=by.staff_id, approved_at=at)
    told = {"version": last["number"], "may_cost_minor": most_it_may_cost(terms.plan)}
    audit.record(conn, by, "offer.approved", subject(offer_id), at=at, after=told)
    return int(last["number"])


def start_offer(conn: Connection, by: Staff, offer_id: int, *, version: int, at: datetime) -> None:
    """Let an approved offer go out, from its first day on; the weekly looks at its result are planned here.

    Raises:
        NotAllowed: the role may not.
        Conflict: somebody changed it since ``version``.
        InvalidInput: it is not approved, or its last day is past.
    """
    by.must(May.PLAN_OFFERS)
    row = locked(conn, offer_id, version)
    if row["status"] != "approved":
        raise InvalidInput("Only an approved offer can be started.")
    if row["ends_at"] is None or row["ends_at"] <= at:
        raise InvalidInput("Its last day is past: set a later one and have it approved.")
    starts_at = max(row["starts_at"] or at, at)
    looks = max(1, ceil((row["ends_at"] - starts_at) / timedelta(days=7)))
    change(conn, offer_id, at, status="running", starts_at=starts_at, planned_looks=looks, pause_reason=None)
    told = {"status": "running", "version": row["approved_number"], "looks": looks}
    audit.record(conn, by, "offer.started", subject(offer_id), at=at, before={"status": "approved"}, after=told)


def pause_offer(conn: Connection, by: Staff, offer_id: int, reason: str, *, version: int, at: datetime) -> None:
    """Let nobody new get it until it is resumed; those assigned stay in their arm and are measured on."""
    words = " ".join(reason.split())[:400]
    if not words:
        raise InvalidInput("Say why it pauses: whoever looks at it next wants to know.")
    _turn(conn, by, offer_id, "paused", ("running",), "offer.paused", version=version, at=at, reason=words)


def resume_offer(conn: Connection, by: Staff, offer_id: int, *, version: int, at: datetime) -> None:
    """Let a paused offer go on."""
    _turn(conn, by, offer_id, "running", ("paused",), "offer.resumed", version=version, at=at)


def stop_offer(conn: Connection, by: Staff, offer_id: int, *, version: int, at: datetime) -> None:
    """End it for good: a draft is dropped, one that runs reaches nobody any more; what happened stays readable."""
    _turn(conn, by, offer_id, "stopped", ("draft", *_LIVE), "offer.stopped", version=version, at=at)


def finish_offer(conn: Connection, by: Staff, offer_id: int, *, version: int, at: datetime) -> None:
    """Close one whose last day is over."""
    _turn(conn, by, offer_id, "finished", ("running", "paused"), "offer.finished", version=version, at=at)


def _turn(
    conn: Connection,
    by: Staff,
    offer_id: int,
    status: str,
    allowed: tuple[str, ...],
    action: str,
    *,
    version: int,
    at: datetime,
    reason: str | None = None,
) -> None:
    by.must(May.PLAN_OFFERS)
    row = locked(conn, offer_id, version)
    if row["status"] not in allowed:
        raise InvalidInput(f"This offer is {row['status']}: that cannot be done now.")
    change(conn, offer_id, at, status=status, pause_reason=reason)
    told = {"status": status} | ({"reason": reason} if reason else {})
    audit.record(conn, by, action, subject(offer_id), at=at, before={"status": row["status"]}, after=told)


def _measured(terms: Terms) -> tuple[object, ...]:
    return terms.holdout_share, terms.window_days, terms.starts_at, terms.ends_at


def _differing(one: Terms, other: Terms) -> dict[str, Any]:
    """What of one is not as in the other, for the log; what it says is told by its version, not copied here."""

    def flat(terms: Terms) -> Mapping[str, Any]:
        told = terms.to_json()
        return {**told.pop("terms"), **{key: value for key, value in told.items() if key != "content"}}

    mine, theirs = flat(one), flat(other)
    return {key: value for key, value in mine.items() if value != theirs[key]}
