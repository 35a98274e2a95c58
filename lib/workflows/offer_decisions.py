"""What staff decide on an offer's result: keep it, roll it out to everyone but a few, or stop it. Each is one click.

Keeping or rolling out spends money on a belief: while the result does not carry it, whoever decides is told what is
lost and says why now. Stopping needs no reason: who was assigned is measured to the end whatever is decided.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select, update

from lib.db import audit
from lib.db.tables.offers import offer_looks, offer_versions, offers
from lib.errors import Conflict, InvalidInput
from lib.metrics.offer_reading import Reading
from lib.offer import Plan
from lib.periods import day_of
from lib.staff import May, Staff
from lib.stats.read_out import ReadOut
from lib.stats.verdict import Call
from lib.workflows.offer_looks import told_of
from lib.workflows.offer_trials import AT_DECISION, RAN

# Held out of an offer that was rolled out, so that its effect can still be followed.
SMALL_HOLDOUT = 0.05
LEAST_HOLDOUT, MOST_HOLDOUT = 0.01, 0.5
LONGEST_REASON = 400
# At its end a trial has said what it could: that the difference is not known is a result, and staff's to weigh.
_SAID = (Call.KEEP, Call.NO_DIFFERENCE, Call.TOO_FEW)


class Decision(StrEnum):
    """What was decided."""

    KEEP = "keep"
    STOP = "stop"
    ROLL_OUT = "roll_out"


_LOST = {
    Decision.ROLL_OUT: (
        "Rolling it out now ends the trial with the customers it has: nobody joins it any more, so a small effect may "
        "never be found, and from now on nearly everyone gets something that may not pay."
    ),
    Decision.KEEP: (
        "Keeping it now takes its last day away: it goes on costing after the day on which it would have been judged."
    ),
}


def doubt_of(reading: Reading, decision: Decision) -> str:
    """What is lost by deciding so now, in sentences; empty where the result carries it, or where it needs none."""
    if decision is Decision.STOP:
        return ""
    read = reading.read
    if read is None:
        return f"No effect can be read. {reading.why_not} It would go on with nothing to say whether it pays."
    call = None if read.standing is None else read.standing.call
    if call is Call.BLOCKED or (read.split is not None and read.split.blocks):
        return "The two groups are not as large as planned, so nothing here tells whether it pays."
    if call is Call.STOP:
        return "The verdict is to stop it: fewer buy with it, or it costs more than it brings. It would go on doing so."
    return "" if call in _SAID else f"{_so_far(reading, read)} {_LOST[decision]}"


def _so_far(reading: Reading, read: ReadOut) -> str:
    following, end = read.plan.next_look(read.today), read.plan.end
    followed = f"{reading.counts.mature:,} of {reading.counts.assigned:,} customers were followed to the end"
    if following is None:
        return f"There is no verdict: {followed}, and nothing could be compared."
    when = f"the next look is on {day_of(following):%-d %b %Y}"
    if following != end:
        when += f", the last on {day_of(end):%-d %b %Y}"
    return f"There is no verdict yet: {followed}; {when}."


def decide(
    conn: Connection,
    by: Staff,
    reading: Reading,
    decision: Decision,
    *,
    version: int,
    at: datetime,
    holdout_share: float = SMALL_HOLDOUT,
    although: str = "",
) -> None:
    """Decide on an offer, with what was known of its result kept beside the decision.

    Keep: it goes on as it is, its holdout too. Roll out: from now on everyone but a small holdout gets it; who was
    held out before stays held out. Stop: nobody new gets it; who was assigned is measured to the end.

    Args:
        reading: of its result, as shown to who decides.
        version: of the offer as seen.
        holdout_share: held out from now on, when it is rolled out.
        although: why it is decided all the same, where ``doubt_of`` says that the result does not carry it.
    Raises:
        NotAllowed: the role may not.
        Conflict: somebody changed the offer since ``version``.
        InvalidInput: it never went out, was decided so already, cannot go on, or there is a doubt and no reason.
    """
    by.must(May.PLAN_OFFERS)
    offer_id = reading.trial.offer_id
    row = conn.execute(select(offers).where(offers.c.offer_id == offer_id).with_for_update()).mappings().first()
    if row is None or row["version"] != version:
        raise Conflict("Somebody changed this offer meanwhile. Look at it again.")
    if row["status"] not in RAN:
        raise InvalidInput("This offer never went out: there is no result to decide on.")
    if row["decision"] == decision:
        raise InvalidInput("That was decided already.")
    doubt, why = doubt_of(reading, decision), " ".join(although.split())[:LONGEST_REASON]
    if doubt and not why:
        raise InvalidInput(f"{doubt} Say why it is decided now all the same.")
    values: dict[str, Any] = {"decision": str(decision), "decided_by_id": by.staff_id, "decided_at": at}
    if decision is Decision.STOP:
        values["status"] = "stopped"
    else:
        _must_go_on(conn, dict(row))
        values |= {"status": "running", "ends_at": None, "pause_reason": None}
    if decision is Decision.ROLL_OUT:
        if not LEAST_HOLDOUT <= holdout_share <= MOST_HOLDOUT:
            raise InvalidInput("Hold out 1 to 50 % of the customers, so that its effect can still be followed.")
        values["holdout_share"] = holdout_share
    # After a roll-out the split of before is known from here alone.
    told = told_of(reading) | ({"rolled_out_on": reading.today} if decision is Decision.ROLL_OUT else {})
    told |= {"doubt": doubt} if doubt else {}
    _note(conn, offer_id, told, reading.today, at)
    conn.execute(
        update(offers).where(offers.c.offer_id == offer_id).values(**values, version=version + 1, updated_at=at)
    )
    names = ("status", "decision", "holdout_share")
    known = {name: told.get(name) for name in ("call", "assigned", "mature", "low", "high")}
    audit.record(
        conn,
        by,
        f"offer.{_PAST[decision]}",
        f"offer:{offer_id}",
        at=at,
        before={name: row[name] for name in names},
        after={name: values.get(name, row[name]) for name in names}
        | known
        | ({"doubt": doubt, "although": why} if doubt else {}),
    )


_PAST = {Decision.KEEP: "kept", Decision.STOP: "stopped", Decision.ROLL_OUT: "rolled_out"}


def _must_go_on(conn: Connection, row: Mapping[str, Any]) -> None:
    """Refuse what cannot be sent any more: nothing was approved, or it was not planned in Encore."""
    one = offer_versions.c
    settings = conn.scalar(
        select(one.settings).where(one.offer_id == row["offer_id"], one.number == row["approved_number"])
    )
    if settings is None or not row["salt"]:
        raise InvalidInput("Nothing of this offer is approved to go out. Copy it, have the copy approved and start it.")
    Plan.from_json(settings)


def _note(conn: Connection, offer_id: int, told: dict[str, Any], today: int, at: datetime) -> None:
    one = offer_looks.c
    before = conn.execute(
        select(one.result).where(one.offer_id == offer_id, one.number == AT_DECISION).with_for_update()
    ).first()
    values = {"looked_day": day_of(today), "looked_at": at, "updated_at": at}
    if before is None:
        conn.execute(insert(offer_looks).values(offer_id=offer_id, number=AT_DECISION, result=told, **values))
        return
    # The trial is the one that was planned before the first decision.
    names = ("holdout_share", "first_day", "last_day", "rolled_out_on")
    planned = {name: before.result[name] for name in names if name in before.result}
    conn.execute(
        update(offer_looks)
        .where(one.offer_id == offer_id, one.number == AT_DECISION)
        .values(result=told | planned, **values)
    )
