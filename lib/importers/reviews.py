"""Reviews: the exports of Judge.me, Loox and Yotpo (CSV), told apart by their columns.

A review without a key of its own is known by product, reviewer and day, so that a second export of it
is the same review.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from lib.errors import UnknownFormat
from lib.importers.cells import cell, yes
from lib.importers.dates import DateReader, date_reader
from lib.importers.records import CustomerRecord, ReadContext, Rejected, ReplyRecord, ReviewRecord
from lib.importers.rows import Row, Rows, read_rows
from lib.importers.source_file import SourceFile

_SCORE = re.compile(r"([0-9])(?:[.,]0*)?(?:\s*/\s*5|\s*out of 5|\s*stars?)?", re.IGNORECASE)
# The star of emoji is a star, and what asks for its colours is nothing.
_PLAIN = str.maketrans({"⭐": "★", "\ufe0f": None, " ": None})
STATES = {
    "ok": "published",
    "published": "published",
    "active": "published",
    "approved": "published",
    "true": "published",
    "not-yet": "pending",
    "pending": "pending",
    "unpublished": "unpublished",
    "inactive": "unpublished",
    "hidden": "unpublished",
    "spam": "spam",
}


@dataclass(frozen=True, slots=True)
class ReviewExport:
    """Where one platform's export writes what."""

    platform: str
    rating: str
    written_at: str
    body: str
    email: str
    needed: tuple[str, ...]
    external_id: str = ""
    title: str = ""
    state: str = ""
    names: tuple[str, ...] = ()
    product_id: str = ""
    product_handle: str = ""
    product_name: str = ""
    reply: str = ""
    replied_at: str = ""
    verified: str = ""


EXPORTS = (
    ReviewExport(
        platform="Judge.me",
        needed=("body", "rating", "review_date", "reviewer_email"),
        external_id="metaobject_handle",
        rating="rating",
        written_at="review_date",
        title="title",
        body="body",
        state="curated",
        email="reviewer_email",
        names=("reviewer_name",),
        product_id="product_id",
        product_handle="product_handle",
        reply="reply",
        replied_at="reply_date",
    ),
    ReviewExport(
        platform="Loox",
        needed=("rating", "review", "date", "productId"),
        external_id="id",
        rating="rating",
        written_at="date",
        body="review",
        state="status",
        email="email",
        names=("full_name", "nickname"),
        product_id="productId",
        product_handle="handle",
        verified="verified_purchase",
    ),
    ReviewExport(
        platform="Yotpo",
        needed=("Review Score", "Review Content", "Date"),
        rating="Review Score",
        written_at="Date",
        title="Review Title",
        body="Review Content",
        email="Email",
        names=("Display Name",),
        product_id="Product ID",
        product_name="Product Title",
        verified="Verified Purchase",
    ),
)


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[ReviewRecord | Rejected]:
    """Yield one record per review.

    Raises:
        UnknownFormat: a file is none of the three exports.
        AmbiguousDates: dates that can be read in two ways.
    """
    for file in files:
        yield from _read_file(file, context)


def export_of(header: Sequence[str]) -> ReviewExport | None:
    """Which platform's export a header is of, or None."""
    known = {name.casefold() for name in header}
    return next((e for e in EXPORTS if all(name.casefold() in known for name in e.needed)), None)


def _read_file(file: SourceFile, context: ReadContext) -> Iterator[ReviewRecord | Rejected]:
    rows = read_rows(file)
    export = export_of(rows.header)
    if export is None:
        raise UnknownFormat(
            f"{file.name} is no review export of Judge.me, Loox or Yotpo. Its columns: {', '.join(rows.header[:12])}. "
            "Any other table can be imported with `import table`."
        )
    written = _dates(file, export.written_at, context)
    replied = _dates(file, export.replied_at, context) if rows.has(export.replied_at) else written
    for row in rows:
        try:
            if row.problem:
                raise ValueError(row.problem)
            yield replace(_review(rows, row, export, written, replied), origin=rows.origin(row))
        except ValueError as error:
            yield rows.rejected(row, "review", str(error), external_id=_key_of(rows, row, export))


def _dates(file: SourceFile, column: str, context: ReadContext) -> DateReader:
    rows = read_rows(file)
    place = rows.column(column)
    return date_reader((row.values[place] for row in rows), context, column=column, file=file.name)


def _review(rows: Rows, row: Row, export: ReviewExport, written: DateReader, replied: DateReader) -> ReviewRecord:
    def get(column: str) -> str | None:
        return cell(rows, row, column) if column else None

    score, at = get(export.rating), get(export.written_at)
    if score is None or at is None:
        raise ValueError("a review without stars or without a day")
    stars = _stars(score)
    written_at = written.at(at)
    email = get(export.email)
    name = next((text for column in export.names if (text := get(column))), None)
    reply, reply_at = get(export.reply), get(export.replied_at)
    state = (get(export.state) or "published").lower()
    return ReviewRecord(
        external_id=_key_of(rows, row, export),
        rating=stars,
        written_at=written_at,
        title=get(export.title),
        body=get(export.body),
        reviewer_name=name,
        customer=CustomerRecord(email=email, name=name, is_guest=True) if email else None,
        product_id=get(export.product_id),
        product_handle=get(export.product_handle),
        product_name=get(export.product_name),
        state=STATES.get(state, "pending"),
        is_verified=yes(get(export.verified)),
        reply=ReplyRecord(reply, max(replied.at(reply_at), written_at) if reply_at else None) if reply else None,
    )


def _stars(score: str) -> int:
    """A number of stars: ``5``, ``5.0``, ``4/5``, ``4 stars``, ``★★★★☆``.

    Raises:
        ValueError: not 1, 2, 3, 4 or 5 stars.
    """
    drawn = score.translate(_PLAIN)
    if drawn and not drawn.strip("★☆"):
        stars = drawn.count("★")
    else:
        written = _SCORE.fullmatch(score.strip())
        stars = int(written[1]) if written else 0
    if not 1 <= stars <= 5:
        raise ValueError(f"rating {score[:40]!r} is not 1, 2, 3, 4 or 5 stars")
    return stars


def _key_of(rows: Rows, row: Row, export: ReviewExport) -> str:
    """The review's own key; for one that brings none, the same for the same product, reviewer, day and text."""

    def first(*columns: str) -> str:
        return next((text for column in columns if column and (text := cell(rows, row, column))), "")

    product = first(export.product_id, export.product_handle, export.product_name)
    parts = (product, first(export.email, *export.names), first(export.written_at), first(export.body))
    return first(export.external_id) or blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
