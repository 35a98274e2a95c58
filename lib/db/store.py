"""The one row that says whose shop this is."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from lib.db.tables.columns import now
from lib.db.tables.store import store
from lib.periods import store_day
from lib.settings import Settings

# Monday first; None: closed. Hours are the store's own clock.
BUSINESS_HOURS = [["09:00", "18:00"]] * 5 + [None, None]


@dataclass(frozen=True)
class Store:
    """The store as it is in force: what the settings name wins over what is stored.

    ``currency`` is empty until a setting or the first order decides it.
    """

    name: str
    time_zone: str
    currency: str
    country: str
    languages: tuple[str, ...]
    is_demo: bool

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def today(self, at: datetime | None = None) -> date:
        """The store's day at an instant, by default at this one."""
        return store_day(at or now(), self.zone)


def read_store(connection: Connection, settings: Settings) -> Store:
    """Read the store; before anything is stored, the settings and their fallbacks alone."""
    row = connection.execute(select(store)).mappings().first()
    kept = dict(row) if row else {}
    return Store(
        name=settings.store_name or kept.get("name") or "My store",
        time_zone=settings.store_time_zone or kept.get("time_zone") or "UTC",
        currency=settings.store_currency or kept.get("currency") or "",
        country=settings.store_country or kept.get("country") or "",
        languages=tuple(kept.get("languages") or ("en",)),
        is_demo=bool(kept.get("is_demo")),
    )


def write_store(connection: Connection, kept: Store) -> None:
    """Store the one row, new or changed."""
    values = {
        "name": kept.name,
        "time_zone": kept.time_zone,
        "currency": kept.currency or None,
        "country": kept.country or None,
        "languages": list(kept.languages),
        "is_demo": kept.is_demo,
        "updated_at": now(),
    }
    changed = connection.execute(
        update(store).where(store.c.store_id == 1).values(**values, version=store.c.version + 1)
    )
    if changed.rowcount == 0:
        connection.execute(insert(store).values(store_id=1, business_hours=BUSINESS_HOURS, **values))
