"""Exchange rates, and coupons as past offers."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import func, insert, select

from lib.db.tables.offers import offer_versions, offers
from lib.db.tables.orders import exchange_rates
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, clip, fingerprint
from lib.importers.records import CouponRecord, RateRecord
from lib.importers.stored import upsert
from lib.importers.writer import instant
from lib.money import currencies

LARGEST_RATE: Final = Decimal(10) ** 9


def load_rates(batch: Batch, records: Sequence[RateRecord]) -> list[Outcome]:
    """Store rates; orders imported from now on are converted by them."""
    rate = exchange_rates.c
    wanted = {record.currency for record in records}
    rows = batch.connection.execute(select(exchange_rates).where(batch.writer.among(rate.currency, wanted)))
    stored = {(row.currency, row.target, row.valid_from): row for row in rows}
    outcomes: list[Outcome] = []
    new: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for record in records:
        if reason := bad_rate(batch, record):
            outcomes.append(Refused(reason))
            continue
        row = stored.get((record.currency, record.target, record.valid_from.isoformat()))
        written = f"{record.rate:.10f}"
        if row is None:
            new.append((record.currency, record.target, record.valid_from.isoformat(), written, batch.stamp))
        elif f"{Decimal(row.rate):.10f}" != written:
            changed.append((written, batch.stamp, row.exchange_rate_id))
        else:
            outcomes.append(UNCHANGED)
            continue
        outcomes.append(STORED)
    batch.writer.insert(exchange_rates, ("currency", "target", "valid_from", "rate", "updated_at"), new)
    batch.writer.update(exchange_rates, ("rate", "updated_at"), changed)
    return outcomes


def bad_rate(batch: Batch, record: RateRecord) -> str:
    """Why a rate cannot be stored; empty when it can."""
    for code in (record.currency, record.target):
        if code not in currencies():
            return f"{code!r} is no currency."
    if record.currency == record.target:
        return f"A rate from {record.currency} to itself says nothing."
    if not Decimal("1e-9") <= record.rate <= LARGEST_RATE:
        return f"The rate {record.rate} cannot be right."
    if record.valid_from < date(1990, 1, 1):
        return f"The day {record.valid_from} lies before 1990."
    return ""


def bad_coupon(batch: Batch, record: CouponRecord) -> str:
    """Why a coupon cannot be stored; empty when it can."""
    return bad_key(record.external_id, "coupon") or batch.bad_instant(record.created_at, "date of the coupon")


def load_coupons(batch: Batch, records: Sequence[CouponRecord]) -> list[Outcome]:
    """Store the shop's coupons as offers: context, and never evidence of an effect."""
    outcomes: list[Outcome] = [STORED] * len(records)
    positions: list[int] = []
    rows: list[tuple[str, str, tuple[Any, ...]]] = []
    kept: list[CouponRecord] = []
    for position, record in enumerate(records):
        if reason := bad_coupon(batch, record):
            outcomes[position] = Refused(reason)
            continue
        kind = "free_shipping" if "shipping" in record.kind else "coupon"
        values = (
            clip(record.code) or record.external_id,
            kind,
            "finished" if record.expires_at is not None and record.expires_at <= batch.at else "running",
            instant(record.created_at),
            instant(record.expires_at),
            # Nobody was held out of it, so that nothing can be concluded from it.
            0.0,
        )
        rows.append((record.external_id, fingerprint(values, record), values))
        kept.append(record)
        positions.append(position)
    columns = ("name", "kind", "status", "starts_at", "ends_at", "holdout_share")
    written = upsert(batch, offers, columns, rows)
    for position, record, (key, _, is_written) in zip(positions, kept, written, strict=True):
        outcomes[position] = STORED if is_written else UNCHANGED
        if not is_written:
            continue
        last = batch.connection.scalar(
            select(func.max(offer_versions.c.number)).where(offer_versions.c.offer_id == key)
        )
        batch.connection.execute(
            insert(offer_versions).values(
                offer_id=key,
                number=(last or 0) + 1,
                settings={
                    "code": record.code,
                    "kind": record.kind,
                    "amount": str(record.amount),
                    "used_count": record.used_count,
                },
                created_at=batch.at,
            )
        )
    return outcomes
