"""What-ifs that are kept: saved with author, assumptions, range and due date; scored when the outcome is known."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from lib.db import audit
from lib.db.tables.offers import offers, what_ifs
from lib.errors import Conflict, InvalidInput
from lib.staff import ENCORE, May, Staff
from lib.stats.forecast import Forecast, assumptions_to
from lib.stats.scoring import Score

LONGEST_NAME = 120


def save_what_if(
    conn: Connection,
    by: Staff,
    name: str,
    forecast: Forecast,
    *,
    due_at: datetime,
    offer_id: int | None = None,
    at: datetime,
) -> int:
    """Keep a what-if; the answer is worked out here, not taken from the screen. Returns its key.

    Args:
        due_at: when the outcome will be known.
        offer_id: the offer that it foretells, if there is one.
    Raises:
        InvalidInput: no name, or a due date that has passed.
        NotEnoughData: the ground does not carry it.
    """
    by.must(May.PLAN_OFFERS)
    title = " ".join(name.split())[:LONGEST_NAME]
    if not title:
        raise InvalidInput("Give it a name, so that it can be found again.")
    if due_at <= at:
        raise InvalidInput("It is due in the future: when the last ones have had their time to buy.")
    if (
        offer_id is not None
        and conn.execute(select(offers.c.offer_id).where(offers.c.offer_id == offer_id)).first() is None
    ):
        raise InvalidInput("There is no such offer any more.")
    told = forecast.told()
    key = conn.execute(
        insert(what_ifs).values(
            name=title,
            author_id=by.staff_id,
            offer_id=offer_id,
            scenario=forecast.to_json(),
            assumptions=assumptions_to(forecast.assumptions),
            forecast=told,
            created_at=at,
            due_at=due_at,
            updated_at=at,
        )
    ).inserted_primary_key
    what_if_id = int((key or (0,))[0])
    after = {"name": title, "due_at": due_at.isoformat(), "offer_id": offer_id, "profit": told["profit"]}
    audit.record(conn, by, "what_if.saved", f"what_if:{what_if_id}", at=at, after=after)
    return what_if_id


def score_what_if(
    conn: Connection, what_if_id: int, *, actual: float, se: float, customers: int, at: datetime
) -> Score:
    """Set a what-if against what was measured; done by Encore when the offer's outcome window has closed.

    Args:
        actual: profit per assigned customer within the window, treatment less holdout, in minor units.
        se: its standard error.
        customers: who were assigned and mature.
    Raises:
        InvalidInput: there is no such what-if, or it was not worked out in Encore.
        Conflict: it was scored already: what was said then stays.
    """
    row = conn.execute(select(what_ifs).where(what_ifs.c.what_if_id == what_if_id).with_for_update()).mappings().first()
    if row is None:
        raise InvalidInput("There is no such what-if.")
    if row["is_scored"]:
        raise Conflict("This what-if was scored already.")
    found = Forecast.from_json(row["scenario"], row["assumptions"]).scored(actual, se=se)
    told = {
        "profit_per_customer": actual,
        "se": se,
        "customers": customers,
        "low": found.low,
        "middle": found.middle,
        "high": found.high,
        "held": found.held,
        "surprise": found.surprise,
        "loss": found.loss,
        "scored_at": at.isoformat(),
    }
    conn.execute(
        update(what_ifs).where(what_ifs.c.what_if_id == what_if_id).values(actual=told, is_scored=True, updated_at=at)
    )
    audit.record(conn, ENCORE, "what_if.scored", f"what_if:{what_if_id}", at=at, after=told)
    return found
