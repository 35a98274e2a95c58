"""Campaigns of before Encore, without a holdout: kept as context, never as evidence of an effect."""

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select, update

from lib.db import audit
from lib.db.tables.offers import OFFER_KINDS, offer_versions, offers
from lib.errors import InvalidInput
from lib.money import to_minor
from lib.periods import start_of_day
from lib.staff import May, Staff

SOURCE = "campaigns"
# Columns of the file; those after ``ends`` may be empty or missing.
COLUMNS = ("name", "starts", "ends", "kind", "recipients", "opened", "redeemed", "orders", "net_sales", "note")
_NEEDED = COLUMNS[:3]
_COUNTS = ("recipients", "opened", "redeemed", "orders")
MOST_ROWS, MOST_CHARACTERS = 2_000, 1_000_000
LONGEST_NAME, LONGEST_NOTE = 100, 400
_EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One past campaign as its file told it; null: not said. ``net_minor`` in the store's currency."""

    name: str
    starts: date
    ends: date
    kind: str
    recipients: int | None = None
    opened: int | None = None
    redeemed: int | None = None
    orders: int | None = None
    net_minor: int | None = None
    note: str = ""

    @property
    def external_id(self) -> str:
        """The same name from the same day on is the same campaign."""
        return hashlib.sha256(f"{self.name.casefold()}|{self.starts.isoformat()}".encode()).hexdigest()[:24]

    def to_json(self) -> dict[str, Any]:
        """As kept in offer_versions.settings, beside which no plan stands."""
        told = {name: getattr(self, name) for name in self.__slots__}
        return {"context": told | {"starts": self.starts.isoformat(), "ends": self.ends.isoformat()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a file's rows: ``rejected`` holds the line and the reason. The parts add up to the rows."""

    stored: int
    unchanged: int
    rejected: tuple[tuple[int, str], ...]


def import_campaigns(conn: Connection, by: Staff, text: str, *, currency: str, zone: ZoneInfo, at: datetime) -> Taken:
    """Take the campaigns of a CSV file; taking it twice takes it once, a corrected row becomes the next version.

    Raises:
        NotAllowed: the role may not import.
        InvalidInput: the file as a whole cannot be read; nothing was written.
    """
    by.must(May.IMPORT)
    stored = unchanged = 0
    rejected: list[tuple[int, str]] = []
    for line, row in _rows(text):
        try:
            campaign = _campaign(row, currency)
        except ValueError as refusal:
            rejected.append((line, str(refusal)))
            continue
        if _store(conn, campaign, by, zone, at):
            stored += 1
        else:
            unchanged += 1
    told = {"stored": stored, "unchanged": unchanged, "rejected": len(rejected)}
    audit.record(conn, by, "campaigns.imported", "offers:context", at=at, after=told)
    return Taken(stored=stored, unchanged=unchanged, rejected=tuple(rejected))


def past_campaigns(conn: Connection) -> list[dict[str, Any]]:
    """What was told of each, latest first: the fields of :class:`Campaign`."""
    one, version = offers.c, offer_versions.c
    newest = (
        select(version.offer_id, func.max(version.number).label("number")).group_by(version.offer_id).subquery("newest")
    )
    rows = conn.execute(
        select(version.settings)
        .join(offers, one.offer_id == version.offer_id)
        .join(newest, (newest.c.offer_id == version.offer_id) & (newest.c.number == version.number))
        .where(one.source == SOURCE)
        .order_by(one.starts_at.desc(), one.offer_id.desc())
    )
    return [dict(row.settings["context"]) for row in rows if "context" in row.settings]


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """The rows of the file with their lines."""
    body = text.removeprefix("\ufeff")
    if len(body) > MOST_CHARACTERS:
        raise InvalidInput("This file is too large for a list of campaigns.")
    head = body.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(body), delimiter=";" if head.count(";") > head.count(",") else ",")
    names = [(name or "").strip().casefold().replace(" ", "_") for name in reader.fieldnames or ()]
    if missing := [name for name in _NEEDED if name not in names]:
        raise InvalidInput(f"The file needs the columns {', '.join(_NEEDED)}; there is no {missing[0]}.")
    reader.fieldnames = names
    found = []
    try:
        for row in reader:
            found.append((reader.line_num, {name: str(value or "").strip() for name, value in row.items() if name}))
            if len(found) > MOST_ROWS:
                raise InvalidInput(f"At most {MOST_ROWS:,} campaigns at a time.")
    except csv.Error as error:
        raise InvalidInput("This is no CSV file.") from error
    return found


def _campaign(row: dict[str, str], currency: str) -> Campaign:
    """Read one row.

    Raises:
        ValueError: with the reason in words.
    """
    name = " ".join(row["name"].split())
    if not name or len(name) > LONGEST_NAME:
        raise ValueError(f"a name of 1 to {LONGEST_NAME} characters is needed")
    starts, ends = (_day(row[column], column) for column in ("starts", "ends"))
    if ends < starts:
        raise ValueError("it ends before it starts")
    kind = row.get("kind", "").casefold().replace(" ", "_").replace("-", "_") or "coupon"
    if kind not in OFFER_KINDS:
        raise ValueError(f"there is no kind {kind!r}; kinds are {', '.join(OFFER_KINDS)}")
    counts = {column: _count(row.get(column, ""), column) for column in _COUNTS}
    sales = row.get("net_sales", "")
    try:
        net = to_minor(sales, currency) if sales else None
    except ValueError as error:
        raise ValueError("net_sales is an amount such as 1234.50, without signs or thousands") from error
    if net is not None and abs(net) > 10**15:
        raise ValueError("net_sales is too large")
    return Campaign(
        name=name, starts=starts, ends=ends, kind=kind, net_minor=net, note=row.get("note", "")[:LONGEST_NOTE], **counts
    )


def _day(text: str, column: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{column} is a day such as 2025-03-31") from error
    if not _EARLIEST <= day <= date(2100, 1, 1):
        raise ValueError(f"{column} lies far outside of anything")
    return day


def _count(text: str, column: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise ValueError(f"{column} is a whole number")
    return int(text)


def _store(conn: Connection, campaign: Campaign, by: Staff, zone: ZoneInfo, at: datetime) -> bool:
    """Write it, or its next version; false when it is there as it is."""
    settings = campaign.to_json()
    fingerprint = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:32]
    one = offers.c
    known = conn.execute(
        select(one.offer_id, one.fingerprint)
        .where(one.source == SOURCE, one.external_id == campaign.external_id)
        .with_for_update()
    ).first()
    values = {
        "name": campaign.name,
        "kind": campaign.kind,
        "starts_at": start_of_day(campaign.starts, zone),
        "ends_at": start_of_day(campaign.ends + timedelta(days=1), zone),
        "fingerprint": fingerprint,
        "updated_at": at,
    }
    if known is None:
        fixed = {"source": SOURCE, "external_id": campaign.external_id, "status": "finished", "holdout_share": 0.0}
        (offer_id,) = conn.execute(insert(offers).values(**values, **fixed)).inserted_primary_key or (0,)
        number = 1
    elif known.fingerprint == fingerprint:
        return False
    else:
        offer_id = known.offer_id
        conn.execute(update(offers).where(one.offer_id == offer_id).values(**values, version=one.version + 1))
        last = select(func.max(offer_versions.c.number)).where(offer_versions.c.offer_id == offer_id)
        number = int(conn.scalar(last) or 0) + 1
    told = {"offer_id": offer_id, "number": number, "settings": settings, "author_id": by.staff_id}
    conn.execute(insert(offer_versions).values(**told, created_at=at, updated_at=at))
    return True
