"""What staff do to any piece of work: take it for a moment, save a draft, give it away, put it off, finish it.

A subject is named by its kind and key, such as ``("review", 17)``. Reviews and tickets carry their owner,
snooze and version themselves; what comes from imports alone (a parcel, an order) gets a row of ``work_items``
when somebody first touches it, and has version 0 until then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.desk import drafts, work_items, work_locks
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log, staff
from lib.db.tables.tickets import tickets
from lib.errors import Conflict, InvalidInput
from lib.staff import May, Staff

# A lock runs out by itself after this; whoever still has the thing open renews it in time.
LOCK_FOR = timedelta(seconds=90)
# So many at once, at most: each leaves an entry in the log.
MOST_AT_ONCE = 200
LONGEST_DRAFT = 20_000
LONGEST_TAG = 40
_HOMES: dict[str, Table] = {"review": reviews, "ticket": tickets}
# What the log calls it, and what the second of two people is told.
_SAID = {
    "replied": "answered",
    "corrected": "corrected the reply to",
    "assigned": "changed the owner of",
    "snoozed": "put off",
    "done": "finished",
    "reopened": "opened again",
    "tagged": "changed the tags of",
    "shared": "made a text to share of",
    "ticketed": "opened a ticket for",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Somebody has a piece of work open. ``name`` is who, ``is_same_person``: it is the asker's other window."""

    name: str
    is_same_person: bool
    taken_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody began to write."""

    body: str
    is_public: bool
    saved_at: datetime


def take(
    conn: Connection, by: Staff, subject: str, subject_id: int, *, holder: str, at: datetime, force: bool = False
) -> Held | None:
    """Say that one is at it, or renew that; if somebody else is, change nothing and tell who.

    A soft lock keeps nobody from anything: it only tells the second person. It leaves no entry in the log.

    Args:
        holder: the browser window that asks; one person may have two.
        force: take it over from whoever has it.
    Returns:
        the other one who has it; null when it is the asker's now.
    """
    by.must(May.SEE_QUEUE)
    mine = {"staff_id": by.staff_id, "holder": holder, "expires_at": at + LOCK_FOR}
    lock = work_locks.c
    here = and_(lock.subject == subject, lock.subject_id == subject_id)
    row = conn.execute(select(work_locks).where(here).with_for_update()).mappings().first()
    if row is None:
        try:
            with conn.begin_nested():
                conn.execute(insert(work_locks).values(subject=subject, subject_id=subject_id, taken_at=at, **mine))
        except IntegrityError:
            return holding(conn, by, subject, subject_id, holder=holder, at=at)
        return None
    if row["holder"] != holder and row["expires_at"] > at and not force:
        return holding(conn, by, subject, subject_id, holder=holder, at=at)
    is_mine_still = row["holder"] == holder and row["expires_at"] > at
    conn.execute(update(work_locks).where(here).values(taken_at=row["taken_at"] if is_mine_still else at, **mine))
    return None


def holding(conn: Connection, by: Staff, subject: str, subject_id: int, *, holder: str, at: datetime) -> Held | None:
    """Who else has it open at this moment; null when nobody or the asker's own window."""
    lock = work_locks.c
    row = conn.execute(
        select(work_locks, staff.c.name)
        .outerjoin(staff, staff.c.staff_id == lock.staff_id)
        .where(lock.subject == subject, lock.subject_id == subject_id, lock.expires_at > at, lock.holder != holder)
    ).first()
    if row is None:
        return None
    is_same = row.staff_id == by.staff_id
    name = row.name or (by.name if is_same else "Somebody at this computer")
    return Held(name=name, is_same_person=is_same, taken_at=row.taken_at, expires_at=row.expires_at)


def release(conn: Connection, subject: str, subject_id: int, *, holder: str) -> None:
    """Let go of what this window has taken; whatever others have stays theirs."""
    lock = work_locks.c
    conn.execute(
        delete(work_locks).where(lock.subject == subject, lock.subject_id == subject_id, lock.holder == holder)
    )


def save_draft(
    conn: Connection, by: Staff, subject: str, subject_id: int, body: str, *, at: datetime, is_public: bool = True
) -> None:
    """Keep what is being typed, as it stands; empty words drop it."""
    by.must(May.SEE_QUEUE)
    if len(body) > LONGEST_DRAFT:
        raise InvalidInput(f"That is longer than {LONGEST_DRAFT:,} characters. Shorten it, or answer by e-mail.")
    if not body.strip():
        drop_draft(conn, by, subject, subject_id)
        return
    values = {"body": body.replace("\x00", ""), "is_public": is_public, "updated_at": at}
    changed = conn.execute(update(drafts).where(_draft_of(by, subject, subject_id)).values(**values))
    if not changed.rowcount:
        key = {"subject": subject, "subject_id": subject_id, "author_id": by.staff_id or 0}
        try:
            with conn.begin_nested():
                conn.execute(insert(drafts).values(**key, **values))
        except IntegrityError:
            conn.execute(update(drafts).where(_draft_of(by, subject, subject_id)).values(**values))


def read_draft(conn: Connection, by: Staff, subject: str, subject_id: int) -> Draft | None:
    """What this person began to write about it."""
    row = conn.execute(select(drafts).where(_draft_of(by, subject, subject_id))).mappings().first()
    return Draft(body=row["body"], is_public=row["is_public"], saved_at=row["updated_at"]) if row else None


def drop_draft(conn: Connection, by: Staff, subject: str, subject_id: int) -> None:
    """Forget it: it was sent, or emptied."""
    conn.execute(delete(drafts).where(_draft_of(by, subject, subject_id)))


def assign(
    conn: Connection, by: Staff, subject: str, subject_id: int, owner_id: int | None, *, version: int, at: datetime
) -> None:
    """Give it to somebody, or to nobody.

    Raises:
        Conflict: somebody changed it since ``version``; says who did what.
        InvalidInput: there is no such person at work.
    """
    by.must(May.WORK_QUEUE)
    name = _name_of(conn, owner_id)
    row = locked(conn, subject, subject_id, version=version, at=at)
    _change(conn, subject, subject_id, {"owner_id": owner_id})
    before = {"owner": _name_of(conn, row["owner_id"], must_work=False) if row else None}
    _record(conn, by, subject, subject_id, "assigned", at, before=before, after={"owner": name})


def assign_all(
    conn: Connection, by: Staff, subject: str, versions: Mapping[int, int], owner_id: int | None, *, at: datetime
) -> list[int]:
    """Give several to somebody; those that others changed meanwhile stay as they are and are returned."""
    _check_many(versions)
    return [
        key for key, version in sorted(versions.items()) if not _assigned(conn, by, subject, key, owner_id, version, at)
    ]


def snooze(
    conn: Connection, by: Staff, subject: str, subject_id: int, until: datetime | None, *, version: int, at: datetime
) -> None:
    """Put it off until a moment; null brings it back at once.

    Raises:
        Conflict: somebody changed it since ``version``.
        InvalidInput: the moment is past.
    """
    by.must(May.WORK_QUEUE)
    if until is not None and until <= at:
        raise InvalidInput("Choose a moment that is still to come.")
    row = locked(conn, subject, subject_id, version=version, at=at)
    _change(conn, subject, subject_id, {"snoozed_until": until})
    before = {"until": _written(row["snoozed_until"]) if row else None}
    _record(conn, by, subject, subject_id, "snoozed", at, before=before, after={"until": _written(until)})


def finish(
    conn: Connection, by: Staff, subject: str, subject_id: int, *, version: int, at: datetime, outcome: str = ""
) -> None:
    """Say that nothing is left to do; it leaves the list and stays on record. Tickets are closed, not finished.

    Raises:
        Conflict: somebody changed it since ``version``.
    """
    by.must(May.WORK_QUEUE)
    locked(conn, subject, subject_id, version=version, at=at)
    values: dict[str, Any] = {"done_at": at}
    if subject not in _HOMES:
        values |= {"done_by_id": by.staff_id, "outcome": outcome.strip()[:400] or None}
    _change(conn, subject, subject_id, values)
    _record(conn, by, subject, subject_id, "done", at, after={"outcome": outcome.strip()[:400]} if outcome else None)


def reopen(conn: Connection, by: Staff, subject: str, subject_id: int, *, version: int, at: datetime) -> None:
    """Take back that it is done."""
    by.must(May.WORK_QUEUE)
    locked(conn, subject, subject_id, version=version, at=at)
    _change(conn, subject, subject_id, {"done_at": None})
    _record(conn, by, subject, subject_id, "reopened", at)


def set_tags(
    conn: Connection, by: Staff, subject: str, subject_id: int, tags: Sequence[str], *, version: int, at: datetime
) -> None:
    """Replace the tags of a review or a ticket.

    Raises:
        Conflict: somebody changed it since ``version``.
        InvalidInput: a tag is too long or holds a comma.
    """
    by.must(May.WORK_QUEUE)
    wanted = [_tag(tag) for tag in tags]
    row = locked(conn, subject, subject_id, version=version, at=at)
    before = tags_of(row["tags"]) if row else []
    _change(conn, subject, subject_id, {"tags": ", ".join(dict.fromkeys(wanted)) or None})
    _record(conn, by, subject, subject_id, "tagged", at, before={"tags": before}, after={"tags": wanted})


def tag_all(conn: Connection, by: Staff, subject: str, keys: Sequence[int], tag: str, *, at: datetime) -> int:
    """Add one tag to several; adding loses nothing of others, so no version is asked. Returns how many changed."""
    by.must(May.WORK_QUEUE)
    _check_many(keys)
    wanted, count = _tag(tag), 0
    for key in sorted(keys):
        row = locked(conn, subject, key, version=None, at=at)
        before = tags_of(row["tags"]) if row else []
        if row is None or wanted in before:
            continue
        _change(conn, subject, key, {"tags": ", ".join([*before, wanted])})
        _record(conn, by, subject, key, "tagged", at, before={"tags": before}, after={"tags": [*before, wanted]})
        count += 1
    return count


def tags_of(text: str | None) -> list[str]:
    """The tags as they are stored, one by one."""
    return [tag.strip() for tag in (text or "").split(",") if tag.strip()]


def locked(conn: Connection, subject: str, subject_id: int, *, version: int | None, at: datetime) -> RowMapping | None:
    """The row that carries the work, held until the transaction ends; null when nobody touched it yet.

    Raises:
        Conflict: it is gone, or its version is another; says who did what.
    """
    home = _HOMES.get(subject, work_items)
    row = conn.execute(select(home).where(_at_home(subject, subject_id)).with_for_update()).mappings().first()
    if row is None and subject in _HOMES:
        raise Conflict(f"This {subject} is not there any more.")
    if version is not None and (row["version"] if row else 0) != version:
        raise Conflict(
            f"{who_did(conn, subject, subject_id, at)} Look at it again; nothing of yours was saved over it."
        )
    return row


def who_did(conn: Connection, subject: str, subject_id: int, at: datetime) -> str:
    """The last thing that was done to it: ``Ann answered this review 3 minutes ago.``"""
    entry = conn.execute(
        select(audit_log.c.actor, audit_log.c.action, audit_log.c.at)
        .where(audit_log.c.subject == f"{subject}:{subject_id}")
        .order_by(audit_log.c.audit_id.desc())
        .limit(1)
    ).first()
    if entry is None:
        return f"This {subject} was changed meanwhile."
    minutes = max(0, int((at - entry.at).total_seconds() // 60))
    when = "just now" if not minutes else f"{minutes} minute{'' if minutes == 1 else 's'} ago"
    if minutes >= 120:
        when = f"{minutes // 60} hours ago"
    verb = _SAID.get(entry.action.rpartition(".")[2], "changed")
    return f"{entry.actor} {verb} this {subject} {when}."


def _assigned(
    conn: Connection, by: Staff, subject: str, key: int, owner_id: int | None, version: int, at: datetime
) -> bool:
    try:
        assign(conn, by, subject, key, owner_id, version=version, at=at)
    except Conflict:
        return False
    return True


def _check_many(keys: Mapping[int, int] | Sequence[int]) -> None:
    if not keys:
        raise InvalidInput("Select at least one.")
    if len(keys) > MOST_AT_ONCE:
        raise InvalidInput(f"At most {MOST_AT_ONCE} at once.")


def _change(conn: Connection, subject: str, subject_id: int, values: Mapping[str, Any]) -> None:
    home = _HOMES.get(subject, work_items)
    changed = conn.execute(
        update(home).where(_at_home(subject, subject_id)).values(**values, version=home.c.version + 1)
    )
    if not changed.rowcount:
        # Two who touch it first at the same moment: the second fails on the key and is told.
        try:
            with conn.begin_nested():
                conn.execute(insert(work_items).values(subject=subject, subject_id=subject_id, **values))
        except IntegrityError as error:
            raise Conflict(f"Somebody else just changed this {subject}. Look at it again.") from error


def _at_home(subject: str, subject_id: int) -> Any:
    if subject in _HOMES:
        return _HOMES[subject].c[f"{subject}_id"] == subject_id
    return and_(work_items.c.subject == subject, work_items.c.subject_id == subject_id)


def _draft_of(by: Staff, subject: str, subject_id: int) -> Any:
    draft = drafts.c
    return and_(draft.subject == subject, draft.subject_id == subject_id, draft.author_id == (by.staff_id or 0))


def _name_of(conn: Connection, staff_id: int | None, *, must_work: bool = True) -> str | None:
    if staff_id is None:
        return None
    row = conn.execute(select(staff.c.name, staff.c.is_active).where(staff.c.staff_id == staff_id)).first()
    if row is None or (must_work and not row.is_active):
        raise InvalidInput("That person does not work here any more. Choose another.")
    return str(row.name)


def _tag(tag: str) -> str:
    words = " ".join(tag.replace("\x00", "").split())
    if not words or "," in words or len(words) > LONGEST_TAG:
        raise InvalidInput(f"A tag has 1 to {LONGEST_TAG} characters and no comma.")
    return words.lower()


def _record(
    conn: Connection,
    by: Staff,
    subject: str,
    subject_id: int,
    verb: str,
    at: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.record(conn, by, f"{subject}.{verb}", f"{subject}:{subject_id}", at=at, before=before, after=after)


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
