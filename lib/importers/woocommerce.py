"""WooCommerce: what its REST API (v3) gives as JSON, and its Analytics orders export (CSV).

JSON files hold an array, one object, or one object per line; each object is told apart by its fields:
orders, refunds, customers, products, product reviews and coupons may stand in one file.

In the API all line amounts exclude tax, also in shops whose prices include it. A refund names its order
in ``parent_id`` or in its ``up`` link; an order lists its refunds without their day, so a day from there
is marked as estimated until the refund itself is read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from json import dumps
from zoneinfo import ZoneInfo

import ijson

from lib.errors import UnknownFormat
from lib.importers.records import Origin, ReadContext, Record, Rejected
from lib.importers.source_file import SourceFile
from lib.importers.woocommerce_analytics import read_analytics
from lib.importers.woocommerce_fields import Thing, instant
from lib.importers.woocommerce_orders import order, refund
from lib.importers.woocommerce_shop import coupon, customer, product, review
from lib.money import currencies, to_minor

# Two fields that only this kind has together.
KINDS: tuple[tuple[str, str, Callable[[Thing, ReadContext], Record]], ...] = (
    ("line_items", "status", order),
    ("amount", "refunded_by", refund),
    ("discount_type", "code", coupon),
    ("reviewer_email", "rating", review),
    ("is_paying_customer", "email", customer),
    ("permalink", "sku", product),
)


def read(files: Sequence[SourceFile], context: ReadContext) -> Iterator[Record | Rejected]:
    """Yield the records of WooCommerce files; products first, so that orders find them, refunds last.

    Raises:
        UnknownFormat: a file is neither WooCommerce JSON nor its Analytics orders export.
    """
    for file in sorted(files, key=_turn):
        if file.name.lower().endswith((".csv", ".csv.gz")):
            yield from read_analytics(file, context)
        else:
            yield from read_json(file, context)


def _turn(file: SourceFile) -> tuple[bool, bool]:
    """When a file is read: what others name comes before them; the folder's name says nothing."""
    name = file.name.lower().rsplit("/", 1)[-1]
    return "refund" in name, "order" in name


def read_json(file: SourceFile, context: ReadContext) -> Iterator[Record | Rejected]:
    """Yield the records of one JSON file, object by object; memory does not grow with the file."""
    number = 0
    for number, thing in enumerate(_objects(file), start=1):
        yield _record(thing, number, file.name, context)
    if not number:
        raise UnknownFormat(f"{file.name} holds no WooCommerce objects. Save what the REST API v3 answers.")


def _objects(file: SourceFile) -> Iterator[Thing]:
    """Every object of the file: of its array, or standing one after another."""
    with file.open_binary() as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start not in (b"[", b"{"):
        raise UnknownFormat(f"{file.name} is not JSON. Save what the WooCommerce REST API v3 answers.")
    with file.open_binary() as stream:
        if stream.read(3) != b"\xef\xbb\xbf":
            stream.seek(0)
        try:
            for thing in ijson.items(stream, "item" if start == b"[" else "", multiple_values=True, use_float=False):
                if isinstance(thing, dict):
                    yield from _unwrapped(thing)
        except ijson.JSONError as error:
            raise UnknownFormat(f"{file.name} is not whole JSON: {error}. Export it again.") from error


def _unwrapped(thing: Thing) -> Iterator[Thing]:
    """An object, or those in the lists it wraps: ``{"orders": […]}``, ``{"create": […], "update": […]}``."""
    lists = [value for value in thing.values() if isinstance(value, list)]
    if not thing or "id" in thing or len(lists) != len(thing):
        yield thing
        return
    for each in lists:
        yield from (inner for inner in each if isinstance(inner, dict))


def _record(thing: Thing, number: int, file: str, context: ReadContext) -> Record | Rejected:
    """Tell what an object is and read it; ``number`` is its place in the file."""
    for one, other, read_it in KINDS:
        if one in thing and other in thing:
            try:
                return replace(read_it(thing, context), origin=_origin(thing, number, file))
            except ValueError as error:
                return _rejected(thing, read_it.__name__, number, file, str(error), context)
            except (LookupError, TypeError, AttributeError, ArithmeticError) as error:
                reason = f"a field is missing or not of its kind: {error}"
                return _rejected(thing, read_it.__name__, number, file, reason, context)
    reason = "not an order, refund, customer, product, review or coupon"
    return _rejected(thing, "object", number, file, reason, context)


def _origin(thing: Thing, number: int, file: str) -> Origin:
    return Origin(file, number, dumps(thing, ensure_ascii=False, default=str))


def _rejected(thing: Thing, kind: str, number: int, file: str, reason: str, context: ReadContext) -> Rejected:
    """Keep an object aside, with what is known of its day and worth."""
    day = amount = None
    try:
        at = instant(thing, "date_created", context)
        day = at.astimezone(ZoneInfo(context.time_zone)).date() if at else None
        if kind == "order" and thing.get("currency") in currencies():
            amount = to_minor(str(thing.get("total")), str(thing["currency"]))
    except (ValueError, TypeError):
        # What cannot be read is why it is put aside; its text keeps it.
        pass
    return Rejected(
        kind=kind,
        file=file,
        line=number,
        reason=reason,
        text=dumps(thing, default=str, ensure_ascii=False),
        external_id=str(thing.get("id", "")),
        placed_day=day,
        amount_minor=amount,
    )
