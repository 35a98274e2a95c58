"""Reviews and the replies they already have."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select

from lib.db.tables.reviews import review_replies, reviews
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, clip, fingerprint
from lib.importers.forgotten import forgotten, without_words
from lib.importers.load_people import resolve
from lib.importers.load_products import Shelf, shelf
from lib.importers.mention import mentioned
from lib.importers.records import ReviewRecord
from lib.importers.stored import orders_anywhere, stored_keys, upsert
from lib.importers.writer import instant

STATES: Final = ("published", "pending", "spam", "unpublished")
# What staff set (owner, snoozed until, done, tags) is not among these: an import leaves it alone.
FACTS: Final = (
    "product_id",
    "customer_id",
    "order_id",
    "rating",
    "title",
    "body",
    "language",
    "reviewer_name",
    "written_at",
    "state",
    "is_verified",
    "is_survey",
)


def load_reviews(batch: Batch, records: Sequence[ReviewRecord]) -> list[Outcome]:
    """Store reviews; their product and order are found in whatever shop they were imported from."""
    outcomes: list[Outcome] = [STORED] * len(records)
    stored = stored_keys(batch, reviews, (record.external_id for record in records))
    kept: list[tuple[int, ReviewRecord, str]] = []
    for position, record in enumerate(records):
        written = fingerprint(record)
        if reason := bad_review(batch, record):
            outcomes[position] = Refused(reason)
        elif stored.get(record.external_id, (0, ""))[1] == written:
            outcomes[position] = UNCHANGED
        else:
            kept.append((position, record, written))
    known_orders = orders_anywhere(batch, (record.order_id for _, record, _ in kept))
    buyers = {position: known_orders.get(record.order_id or "", (0, None))[1] for position, record, _ in kept}
    gone = forgotten(batch, reviews, {position: record for position, record, _ in kept}, buyers)
    kept = [(place, without_words(record) if place in gone else record, written) for place, record, written in kept]
    mentions = {
        position: mentioned(record.customer, record.written_at) for position, record, _ in kept if record.customer
    }
    resolve(batch, list(mentions.values()))
    named = {clip(record.product_name) or "" for _, record, _ in kept if record.product_name}
    known = shelf(
        batch,
        {record.product_id for _, record, _ in kept if record.product_id},
        {record.product_sku for _, record, _ in kept if record.product_sku},
        named,
        {record.product_handle for _, record, _ in kept if record.product_handle},
        named,
    )
    rows: list[tuple[str, str, tuple[Any, ...]]] = []
    for position, record, written in kept:
        order_id, buyer = known_orders.get(record.order_id or "", (None, None))
        mention = mentions.get(position)
        values = (
            _product(known, record),
            gone.get(position, mention.customer_id if mention and mention.customer_id else buyer),
            order_id,
            record.rating,
            clip(record.title),
            record.body or None,
            clip(record.language, 10),
            clip(record.reviewer_name),
            instant(record.written_at),
            record.state,
            record.is_verified,
            record.is_survey,
        )
        rows.append((record.external_id, written, values))
    written_rows = upsert(batch, reviews, FACTS, rows)
    _replies(batch, [(key, record) for (key, _, _), (_, record, _) in zip(written_rows, kept, strict=True)])
    return outcomes


def bad_review(batch: Batch, record: ReviewRecord) -> str:
    """Why a review cannot be stored; empty when it can."""
    reason = bad_key(record.external_id, "review") or batch.bad_instant(record.written_at, "date of the review")
    if not 1 <= record.rating <= 5:
        return reason or f"A review has 1 to 5 stars, this one has {record.rating}."
    if record.state not in STATES:
        return reason or f"The review's state {record.state!r} is unknown."
    return reason


def _product(known: Shelf, record: ReviewRecord) -> int | None:
    row = known.find(record.product_id, record.product_sku, None)
    if row is None and record.product_handle:
        row = known.by_handle.get(record.product_handle)
    if row is None and record.product_name:
        # People review the product, whichever of its variants they have.
        called = clip(record.product_name) or ""
        row = known.by_name.get(called) or known.by_parent.get(called)
    return row["product_id"] if row else None


def _replies(batch: Batch, written: Sequence[tuple[int, ReviewRecord]]) -> None:
    """Add the replies that the platform shows; a reply is never changed, a new wording is a new revision."""
    replied = {key: record.reply for key, record in written if record.reply and record.reply.body.strip()}
    if not replied:
        return
    reply = review_replies.c
    last = dict[int, tuple[int, str]]()
    rows = batch.connection.execute(
        select(reply.review_id, reply.revision, reply.body)
        .where(batch.writer.among(reply.review_id, replied), ~reply.is_draft)
        .order_by(reply.review_id, reply.revision)
    )
    for review_id, revision, body in rows:
        last[review_id] = (revision, body)
    top = {
        row[0]: row[1]
        for row in batch.connection.execute(
            select(reply.review_id, func.max(reply.revision))
            .where(batch.writer.among(reply.review_id, replied))
            .group_by(reply.review_id)
        )
    }
    new = [(key, given) for key, given in replied.items() if last.get(key, (0, ""))[1] != given.body.strip()]
    batch.writer.insert(
        review_replies,
        ("review_id", "revision", "body", "is_draft", "replied_at", "updated_at"),
        [
            (key, top.get(key, 0) + 1, given.body.strip(), False, instant(given.replied_at), batch.stamp)
            for key, given in new
        ],
    )
    # Where the platform does not say when, it was by now.
    batch.writer.update(
        reviews,
        ("answered_at", "updated_at"),
        [(instant(given.replied_at or batch.at), batch.stamp, key) for key, given in new],
    )
