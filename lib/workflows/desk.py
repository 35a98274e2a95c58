"""What staff do to any piece of work: give it away, put it off, tag it, finish it.

A subject is named by its kind and key, such as ``("review", 17)``. Reviews and tickets carry their owner,
snooze and version themselves; what comes from imports alone (a parcel, an order) gets a row of ``work_items``
when somebody first touches it, and has version 0 until then.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.desk import work_items
from lib.db.tables.reviews import reviews
from lib.db.tables.staff import audit_log, staff
from lib.db.tables.tickets import tickets
from lib.errors import Conflict, InvalidInput
from lib.staff import May, Staff

# So many at once, at most: each leaves an entry in the log.
MOST_AT_ONCE = 200
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
    "answered": "answered",
    "noted": "wrote a note to",
    "heard": "wrote down what the customer said to",
    "closed": "closed",
    "waits": "set to wait for the customer",
    "marked_spam": "marked as spam",
    "prioritised": "changed the priority of",
    "sorted": "changed the topic of",
    "linked": "changed the links of",
    "merged": "merged",
    "parted": "took the merge back of",
    "split": "split",
}


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
    hold(conn, subject, versions)
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
    hold(conn, subject, keys)
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


def hold(conn: Connection, subject: str, keys: Collection[int]) -> None:
    """Hold several reviews or tickets until the transaction ends, always in the order of their keys.

    Whoever changes more than one holds all of them first: an entry in the log makes others take turns, and two who
    wait for a row and for the log crosswise would wait for ever.
    """
    home = _HOMES[subject]
    key = home.c[f"{subject}_id"]
    conn.execute(select(key).where(key.in_(keys)).order_by(key).with_for_update()).all()


def locked(
    conn: Connection, subject: str, subject_id: int, *, version: int | None, at: datetime
) -> dict[str, Any] | None:
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
    return {str(name): row[name] for name in row} if row else None


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
