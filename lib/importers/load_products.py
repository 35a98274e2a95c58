"""Products: found by a source's key, by SKU, by handle, by name; made from an order's line when unknown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import and_, bindparam, or_, select, update

from lib.db.tables.orders import order_items
from lib.db.tables.products import products
from lib.importers.batch import STORED, UNCHANGED, Batch, Outcome, Refused, bad_key, clip, fingerprint
from lib.importers.conversion import NoRate
from lib.importers.prepared import NamedProduct
from lib.importers.records import ProductRecord
from lib.money import convert, currencies

FACTS: Final = (
    "handle",
    "sku",
    "name",
    "parent_name",
    "category",
    "vendor",
    "currency",
    "price_minor",
    "cost_minor",
    "stock",
    "is_goods",
    "is_active",
    "tags",
)
COLUMNS: Final = ("source", "external_id", "fingerprint", "updated_at", *FACTS)
KNOWN: Final = ("product_id", "source", "external_id", "fingerprint", *FACTS)


@dataclass(slots=True)
class Shelf:
    """The products that a batch may mean, by each way of naming them.

    A product of the batch's own source goes before another's, and an older one before a newer.
    """

    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_sku: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_name: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_handle: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_parent: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, row: dict[str, Any], source: str) -> None:
        if row["source"] == source:
            self.by_id.setdefault(row["external_id"], row)
        if row["sku"]:
            self.by_sku.setdefault(row["sku"], row)
        self.by_name.setdefault(row["name"], row)
        if row["handle"]:
            self.by_handle.setdefault(row["handle"], row)
        if row["parent_name"]:
            self.by_parent.setdefault(row["parent_name"], row)

    def find(self, product_id: str | None, sku: str | None, name: str | None) -> dict[str, Any] | None:
        if product_id and product_id in self.by_id:
            return self.by_id[product_id]
        if sku and sku in self.by_sku:
            return self.by_sku[sku]
        named = self.by_name.get(name) if name else None
        # A name alone is no proof where both have SKUs and these differ, or both have keys and these differ.
        if named is None or (sku and named["sku"] and named["sku"] != sku):
            return None
        return named


def shelf(
    batch: Batch,
    ids: Iterable[str],
    skus: Iterable[str],
    names: Iterable[str],
    handles: Iterable[str] = (),
    parents: Iterable[str] = (),
) -> Shelf:
    """Read every product that goes by one of these."""
    product = products.c
    named = (
        (product.external_id, set(ids)),
        (product.sku, set(skus)),
        (product.name, set(names)),
        (product.handle, set(handles)),
        (product.parent_name, set(parents)),
    )
    result = Shelf()
    ways = [
        and_(product.source == batch.source, batch.writer.among(column, values))
        if column is product.external_id
        else batch.writer.among(column, values)
        for column, values in named
        if values
    ]
    if not ways:
        return result
    # One question: most products go by more than one of their names.
    query = select(*(product[name] for name in KNOWN)).where(or_(*ways))
    rows = [dict(zip(KNOWN, row, strict=True)) for row in batch.connection.execute(query).all()]
    rows.sort(key=lambda row: (row["source"] != batch.source, row["product_id"]))
    for row in rows:
        result.put(row, batch.source)
    return result


def _values(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in COLUMNS)


def load_products(batch: Batch, records: Sequence[ProductRecord]) -> list[Outcome]:
    """Store products; one that an order's line made earlier is completed, not doubled."""
    known = shelf(
        batch,
        (record.external_id for record in records),
        (record.sku for record in records if record.sku),
        (record.name[:400].strip() for record in records),
    )
    outcomes: list[Outcome] = []
    new: list[dict[str, Any]] = []
    changed: dict[int, dict[str, Any]] = {}
    costed: list[int] = []
    for record in records:
        name = clip(record.name)
        reason = bad_product(batch, record)
        if reason or name is None:
            outcomes.append(Refused(reason))
            continue
        facts = _facts(record, name)
        written = fingerprint(facts)
        row = known.by_id.get(record.external_id) or _unclaimed(known, record, name, batch.source)
        if row is None:
            row = {
                "source": batch.source,
                "external_id": record.external_id,
                "fingerprint": written,
                "updated_at": batch.stamp,
                **facts,
            }
            new.append(row)
            known.put(row, batch.source)
            outcomes.append(STORED)
            continue
        if row["fingerprint"] == written:
            outcomes.append(UNCHANGED)
            continue
        if row["cost_minor"] is None and record.cost_minor is not None and "product_id" in row:
            costed.append(row["product_id"])
        row.update({key: value for key, value in facts.items() if value is not None})
        row.update(fingerprint=written, external_id=record.external_id, updated_at=batch.stamp)
        known.by_id[record.external_id] = row
        if "product_id" in row:
            changed[row["product_id"]] = row
        outcomes.append(STORED)
    batch.writer.insert(products, COLUMNS, [_values(row) for row in new])
    batch.writer.update(products, COLUMNS, [(*_values(row), key) for key, row in changed.items()])
    _cost_earlier_lines(batch, [changed[key] for key in costed])
    return outcomes


def bad_product(batch: Batch, record: ProductRecord) -> str:
    """Why a product cannot be stored; empty when it can."""
    if record.currency and record.currency not in currencies():
        return f"{record.currency!r} is no currency."
    return bad_key(record.external_id, "product") or ("" if clip(record.name) else "The product has no name.")


def _facts(record: ProductRecord, name: str) -> dict[str, Any]:
    return {
        "handle": clip(record.handle),
        "sku": clip(record.sku),
        "name": name,
        "parent_name": clip(record.parent_name),
        "category": clip(record.category),
        "vendor": clip(record.vendor),
        "currency": record.currency or None,
        "price_minor": record.price_minor,
        "cost_minor": record.cost_minor,
        "stock": record.stock,
        "is_goods": record.is_goods,
        "is_active": record.is_active,
        "tags": record.tags or None,
    }


def _unclaimed(known: Shelf, record: ProductRecord, name: str, source: str) -> dict[str, Any] | None:
    """The product that an order's line of this source made before any record told of it."""
    row = known.find(None, clip(record.sku), name)
    return row if row is not None and row["source"] == source and not row["fingerprint"] else None


def unit_cost(batch: Batch, row: dict[str, Any]) -> int | None:
    """What one piece costs in the store's currency; None when unknown or without a rate."""
    if row["cost_minor"] is None:
        return None
    currency = row["currency"] or batch.store.currency
    if currency == batch.store.currency:
        return int(row["cost_minor"])
    try:
        rate = batch.rates.rate(currency, batch.day(batch.at))
    except NoRate:
        return None
    return convert(row["cost_minor"], rate, source=currency, target=batch.store.currency)


def _cost_earlier_lines(batch: Batch, rows: Sequence[dict[str, Any]]) -> None:
    """Lines sold before the cost was known get it now."""
    costs = [
        {"the_product": row["product_id"], "the_cost": cost}
        for row in rows
        if (cost := unit_cost(batch, row)) is not None
    ]
    if not costs:
        return
    # A trigger counts a changed line as a change of its order.
    batch.connection.execute(
        update(order_items)
        .where(order_items.c.product_id == bindparam("the_product"), order_items.c.cost_minor.is_(None))
        .values(cost_minor=order_items.c.quantity * bindparam("the_cost")),
        costs,
    )


def products_of_lines(batch: Batch, lines: Sequence[NamedProduct]) -> list[dict[str, Any] | None]:
    """The product of each line, made when unknown; None for what is no product (shipping, fees, tips).

    Args:
        lines: what lines of orders say of their products.
    Returns:
        per line the product's row, with ``product_id``.
    """
    # Each once, in the order in which they are named: what is sold is sold many times.
    named = dict.fromkeys(line for line in lines if line[4] in ("goods", "gift_card"))
    known = shelf(
        batch,
        {product_id for product_id, *_ in named if product_id} | {_made_key(line) for line in named},
        {sku for _, sku, *_ in named if sku},
        {name for _, _, name, *_ in named if name},
    )
    new: list[dict[str, Any]] = []
    changed: dict[int, dict[str, Any]] = {}
    found: dict[NamedProduct, dict[str, Any] | None] = {
        line: _product_of(batch, known, line, new, changed) for line in named
    }
    if new:
        columns = ("product_id", *COLUMNS)
        for row, key in zip(new, batch.writer.next_keys(products, len(new)), strict=True):
            row["product_id"] = key
        batch.writer.insert(products, columns, [(row["product_id"], *_values(row)) for row in new])
    changed = {key: row for key, row in changed.items() if key}
    batch.writer.update(products, COLUMNS, [(*_values(row), key) for key, row in changed.items()])
    return [found.get(line) for line in lines]


def _product_of(
    batch: Batch,
    known: Shelf,
    line: NamedProduct,
    new: list[dict[str, Any]],
    changed: dict[int, dict[str, Any]],
) -> dict[str, Any]:
    product_id, sku, _, category, kind = line
    name = _name(line)
    made_key = _made_key(line)
    row = known.find(product_id, sku, name) or known.by_id.get(made_key)
    if row is None:
        row = {
            "source": batch.source,
            "external_id": made_key,
            "fingerprint": "",
            "updated_at": batch.stamp,
            **dict.fromkeys(FACTS),
            "sku": sku,
            "name": name,
            "category": category,
            "is_goods": kind == "goods",
            "is_active": True,
        }
        new.append(row)
        known.put(row, batch.source)
        return row
    filled = {
        key: value for key, value in (("sku", sku), ("category", category)) if value is not None and row[key] is None
    }
    if filled:
        row.update(filled, updated_at=batch.stamp)
        known.put(row, batch.source)
        if "product_id" in row:
            changed[row["product_id"]] = row
    return row


def _name(line: NamedProduct) -> str:
    product_id, sku, name, *_ = line
    return name or sku or clip(product_id) or "Unnamed product"


def _made_key(line: NamedProduct) -> str:
    """The key of a product that is known from lines alone."""
    product_id, sku, *_ = line
    return (product_id or (f"sku:{sku}" if sku else f"name:{_name(line)}"))[:400]
