"""Who has a piece of work open at this moment, and what each has begun to write about it.

A subject is named by its kind and key, such as ``("review", 17)``. Neither leaves an entry in the log.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.db.tables.desk import drafts, work_locks
from lib.db.tables.staff import staff
from lib.errors import InvalidInput
from lib.staff import May, Staff

# A lock runs out by itself after this; whoever still has the thing open renews it in time.
LOCK_FOR = timedelta(seconds=90)
LONGEST_DRAFT = 20_000


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


def _draft_of(by: Staff, subject: str, subject_id: int) -> Any:
    draft = drafts.c
    return and_(draft.subject == subject, draft.subject_id == subject_id, draft.author_id == (by.staff_id or 0))
