"""Which lines of an order a refund undoes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib.importers.batch import clip
from lib.importers.load_products import Shelf
from lib.importers.records import RefundItemRecord, RefundRecord


@dataclass(slots=True)
class Line:
    """A line of a stored order, as a refund may name it; ``net_minor`` is its gross less its discount."""

    order_item_id: int
    product_id: int | None
    external_id: str | None
    source_product: str | None
    sku: str | None
    name: str
    kind: str
    quantity: int
    net_minor: int


@dataclass(slots=True)
class Purchase:
    """A stored order that a refund is set against."""

    order_id: int
    customer_id: int | None
    rate: str
    lines: list[Line]
    currency: str = ""
    # What was charged for goods, shipping, tax and fees.
    charged: tuple[int, int, int, int] = (0, 0, 0, 0)


# order_id, order_item_id, product_id, name, quantity, goods_minor
Item = tuple[int | None, int | None, int | None, str | None, int, int]


def undone(refund: RefundRecord, purchase: Purchase) -> RefundRecord:
    """A refund of a bare amount that is all of its order gives back the order's own parts, not goods alone."""
    is_bare = not refund.items and refund.goods_minor == refund.total_minor
    if not is_bare or refund.total_minor != sum(purchase.charged) or purchase.charged[0] < 0:
        return refund
    goods, shipping, tax, fees = purchase.charged
    return replace(refund, goods_minor=goods, shipping_minor=shipping, tax_minor=tax, fees_minor=fees)


def items_within(refund: RefundRecord, purchase: Purchase) -> list[Item]:
    """The items of a refund whose order is known, each with the line it undoes where one fits."""
    goods = [line for line in purchase.lines if line.kind == "goods"]
    if not refund.items:
        if refund.goods_minor == 0:
            return []
        if refund.goods_minor == sum(line.net_minor for line in goods):
            # All of it went back.
            return [
                (purchase.order_id, line.order_item_id, line.product_id, line.name, line.quantity, line.net_minor)
                for line in goods
                if line.net_minor or line.quantity
            ]
        only = goods[0] if len(goods) == 1 else None
        return [
            (
                purchase.order_id,
                only.order_item_id if only else None,
                only.product_id if only else None,
                only.name if only else None,
                0,
                refund.goods_minor,
            )
        ]
    items: list[Item] = []
    for item in refund.items:
        line = _line_of(item, purchase.lines)
        items.append(
            (
                purchase.order_id,
                line.order_item_id if line else None,
                line.product_id if line else None,
                clip(item.name),
                item.quantity,
                item.goods_minor,
            )
        )
    return _completed(refund, items, purchase.order_id)


def _completed(refund: RefundRecord, items: list[Item], order_id: int | None) -> list[Item]:
    """What no item accounts for becomes an item of its own, so that items always add up."""
    rest = refund.goods_minor - sum(item[5] for item in items)
    return [*items, (order_id, None, None, None, 0, rest)] if rest else items


def _line_of(item: RefundItemRecord, lines: Sequence[Line]) -> Line | None:
    if item.item_external_id is not None:
        for line in lines:
            if line.external_id == item.item_external_id:
                return line
    if item.product_id is not None:
        for line in lines:
            if line.source_product == item.product_id:
                return line
    if item.sku is not None:
        for line in lines:
            if line.sku == item.sku:
                return line
    for line in lines:
        if line.name == clip(item.name) and (item.sku is None or line.sku is None):
            return line
    return None


def items_alone(refund: RefundRecord, known: Shelf) -> list[Item]:
    """The items of a refund without an order."""
    items: list[Item] = []
    for item in refund.items:
        product = known.find(item.product_id, clip(item.sku), clip(item.name))
        key = product["product_id"] if product else None
        items.append((None, None, key, clip(item.name), item.quantity, item.goods_minor))
    return _completed(refund, items, None)
