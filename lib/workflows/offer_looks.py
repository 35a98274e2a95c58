"""Looks at an offer's result, written down as they were told: later refunds and imports do not change what was said."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from lib.db import audit
from lib.db.tables.offers import offer_looks
from lib.metrics.offer_reading import Reading
from lib.periods import day_of
from lib.staff import ENCORE
from lib.stats.experiment import Effect
from lib.stats.read_out import Look


def note_looks(conn: Connection, reading: Reading, *, at: datetime) -> list[Look]:
    """Write down the planned looks that have come and were not written down yet; returns those.

    A look that was missed, because Encore did not run that day, is taken from who was mature on its day.
    """
    if reading.read is None:
        return []
    offer_id = reading.trial.offer_id
    kept = set(conn.scalars(select(offer_looks.c.number).where(offer_looks.c.offer_id == offer_id)))
    fresh = []
    for look in reading.read.looks:
        if look.number in kept:
            continue
        result = _of_look(look, reading)
        values = {"offer_id": offer_id, "number": look.number, "looked_day": day_of(look.day), "result": result}
        try:
            with conn.begin_nested():
                conn.execute(insert(offer_looks).values(**values, looked_at=at, updated_at=at))
        except IntegrityError:
            # Another process was quicker, with the same look.
            continue
        told = {"look": look.number, "call": result["call"], "mature": look.mature}
        audit.record(conn, ENCORE, "offer.looked_at", f"offer:{offer_id}", at=at, after=told)
        fresh.append(look)
    return fresh


def looks_of(conn: Connection, offer_id: int) -> dict[int, Mapping[str, Any]]:
    """What was told on each look, by its number, with the day it was for and the instant it was written down."""
    one = offer_looks.c
    rows = conn.execute(
        select(one.number, one.looked_day, one.looked_at, one.result)
        .where(one.offer_id == offer_id)
        .order_by(one.number)
    )
    return {row.number: {**row.result, "looked_day": row.looked_day, "looked_at": row.looked_at} for row in rows}


def told_of(reading: Reading) -> dict[str, Any]:
    """The whole reading in figures, as JSON: what was known when somebody decided."""
    read, found = reading.read, reading.counts
    told: dict[str, Any] = {
        "today": reading.today,
        "window_days": reading.trial.window_days,
        "holdout_share": reading.trial.holdout_share,
        "first_day": reading.trial.first_day,
        "last_day": reading.trial.last_day,
        "assigned": [found.treated.assigned, found.holdout.assigned],
        "mature": [found.treated.mature, found.holdout.mature],
    }
    if read is None:
        return told | {"call": None, "why_not": reading.why_not}
    standing = read.standing
    return told | {
        "call": None if standing is None else str(standing.call),
        "low": None if standing is None else _finite(standing.low),
        "high": None if standing is None else _finite(standing.high),
        "split_p": None if read.split is None else read.split.p,
        "effects": {name: _of_effect(effect) for name, effect in read.effects.items()},
    }


def _of_look(look: Look, reading: Reading) -> dict[str, Any]:
    verdict = look.verdict
    told: dict[str, Any] = {"mature": look.mature, "window_days": reading.trial.window_days}
    if verdict is None:
        return told | {"call": "too early"}
    return told | {
        "call": str(verdict.call),
        "low": _finite(verdict.low),
        "high": _finite(verdict.high),
        "bound": None if verdict.bound is None else _finite(verdict.bound),
        "bought": _of_effect(verdict.effect),
    }


def _of_effect(effect: Effect) -> dict[str, Any]:
    return {
        "treated": effect.treated,
        "holdout": effect.holdout,
        "difference": effect.difference,
        "se": effect.se,
        "low": effect.low,
        "high": effect.high,
        "gain": effect.gain,
        "sizes": list(effect.sizes),
        "buyers": list(effect.buyers),
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity: a look that may spend nothing yet has no bound."""
    return value if abs(value) < 1e12 else None
