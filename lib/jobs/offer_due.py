"""Who is due for an offer today: the moment on the journey, the delay after it, and the audience, from the mart."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from lib.metrics.audience import is_in
from lib.metrics.definition import Mart
from lib.metrics.moments import STANDING, reached
from lib.offer import Plan
from lib.periods import day_index, day_of, store_day
from lib.workflows.offer_going import Going

# Who was due on a day on which nothing ran, or whom a rule held back, is asked again for so many days. Then the
# moment is past: what was meant for the second week after a delivery says little in the fourth.
ASKED_AGAIN = timedelta(days=7)
COLUMNS = ("customer_id", "day", "order_id")


def due(mart: Mart, going: Going, *, at: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """The customers whose day has come, in the order of their numbers.

    Returns:
        ``customer_id``, ``day`` (the store day on which it came), ``order_id`` (what it is about; null: no order).
    """
    today = store_day(at, zone)
    start = store_day(going.starts_at, zone) if going.starts_at is not None else today
    first = max(min(start, today), today - ASKED_AGAIN)
    return come_due(mart, going.plan, first=day_index(first), last=day_index(today), today=day_index(today))


def come_due(mart: Mart, plan: Plan, *, first: int, last: int, today: int) -> pd.DataFrame:
    """The customers whose day lies between two store days, both included; a standing moment holds from its day on."""
    delay = plan.delay_days
    since = None if plan.moment in STANDING else first - delay
    statement = reached(plan, first=since, last=last - delay, today=today)
    found = mart.frame(statement)
    if plan.audience.rules and len(found):
        held = is_in(mart, plan.audience, found["customer_id"].tolist(), day_of(today))
        found = found[found["customer_id"].isin(held)].copy()
    found["day"] = found["day"].astype("int64") + delay
    found["order_id"] = found["order_id"].astype("Int64")
    return found.sort_values("customer_id", ignore_index=True)[list(COLUMNS)]
