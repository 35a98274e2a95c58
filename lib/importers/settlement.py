"""Work out what an order's printed amounts mean, so that they add up without tax.

Exports print line prices, a subtotal, discounts, shipping, tax and a total, but not whether prices
include tax, nor whether the subtotal is before or after discounts. The sums themselves tell: only one
reading makes them meet the printed total. Where none does, the order cannot be trusted.

Its values are not frozen, for the reason that records are not (see lib.importers.records).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lib.money import allocate

# Exports round each line; a difference of up to this many minor units is rounding, and becomes a fee.
ROUNDING = 2


class DoesNotAddUp(ValueError):
    """No reading of the printed amounts meets the printed total."""


@dataclass(slots=True)
class PrintedLine:
    """A line as printed: ``amount`` is price × quantity; ``discount`` is what the line itself was lowered by."""

    amount: int
    discount: int = 0
    is_goods: bool = True
    is_taxable: bool = True


@dataclass(slots=True)
class PrintedOrder:
    """An order's amounts as printed, in minor units; ``None`` where the export has no such column."""

    lines: Sequence[PrintedLine]
    total: int
    subtotal: int | None = None
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    duties: int = 0
    is_shipping_taxed: bool = True


@dataclass(slots=True)
class SettledLine:
    """A line without tax: ``gross - discount`` is what the goods cost the customer."""

    gross: int
    discount: int
    tax: int


@dataclass(slots=True)
class Settlement:
    """An order without tax: ``gross - discount + shipping + tax + fees = total``, lines adding up to it."""

    lines: tuple[SettledLine, ...]
    gross: int
    discount: int
    shipping: int
    tax: int
    fees: int
    total: int
    is_tax_included: bool
    shipping_discount: int


def settle(printed: PrintedOrder) -> Settlement:
    """Find the reading that meets the printed total.

    Tried in this order, to the cent and then within rounding: the subtotal is after discounts; what it
    does not explain of them lowered the shipping; the subtotal is before them. In each, tax comes on top,
    or is included. What is left over and positive is a fee (tips, surcharges).

    Raises:
        DoesNotAddUp: no reading meets the total; its text shows the sums.
    """
    amount = sum(line.amount for line in printed.lines)
    own = sum(line.discount for line in printed.lines)
    subtotal = amount - printed.discount if printed.subtotal is None else printed.subtotal
    readings: list[tuple[int, int]] = [(subtotal, printed.shipping)]
    over = printed.discount - (amount - subtotal)
    if 0 < over <= printed.shipping:
        readings.append((subtotal, printed.shipping - over))
    if printed.discount and subtotal >= printed.discount:
        readings.append((subtotal - printed.discount, printed.shipping))
    for tolerance in (0, ROUNDING):
        for goods, shipping in readings:
            if goods > amount + tolerance or goods < 0:
                continue
            rest = printed.total - goods - shipping - printed.duties
            for included, left in ((False, rest - printed.tax), (True, rest)):
                if abs(left) <= tolerance and (not included or printed.tax):
                    return _settled(printed, amount, own, goods, shipping, left, is_tax_included=included)
    goods, shipping = readings[0]
    tip = printed.total - goods - shipping - printed.duties - printed.tax
    if 0 <= goods <= amount and tip > 0:
        return _settled(printed, amount, own, goods, shipping, tip, is_tax_included=False)
    raise DoesNotAddUp(
        f"lines {amount} - discount {printed.discount} (subtotal {subtotal}) + shipping {printed.shipping}"
        f" + tax {printed.tax} + duties {printed.duties} does not meet total {printed.total} (minor units)"
    )


def _settled(
    printed: PrintedOrder, amount: int, own: int, goods: int, shipping: int, left: int, *, is_tax_included: bool
) -> Settlement:
    """Spread discount and tax over the lines, and take the tax out where prices include it."""
    lines = printed.lines
    discount = max(amount - goods, 0)
    left += min(amount - goods, 0)  # a subtotal above the lines by rounding
    own_discounts = [line.discount for line in lines] if own <= discount else [0] * len(lines)
    weights = [line.amount - lowered for line, lowered in zip(lines, own_discounts, strict=True)]
    shared = allocate(discount - sum(own_discounts), weights)
    discounts = [mine + share for mine, share in zip(own_discounts, shared, strict=True)]
    paid = [line.amount - lowered for line, lowered in zip(lines, discounts, strict=True)]
    taxed = [max(value, 0) if line.is_taxable else 0 for line, value in zip(lines, paid, strict=True)]
    on_shipping = shipping if printed.is_shipping_taxed else 0
    if not sum(taxed) + on_shipping:
        taxed = [max(value, 0) for value in paid]
    taxes = allocate(printed.tax, [*taxed, on_shipping]) if sum(taxed) + on_shipping else [0] * (len(lines) + 1)
    net_shipping = shipping - (taxes[-1] if is_tax_included else 0)
    settled = [
        _without_tax(line.amount, lowered, tax if is_tax_included else 0, tax)
        for line, lowered, tax in zip(lines, discounts, taxes[:-1], strict=True)
    ]
    gross = sum(s.gross for line, s in zip(lines, settled, strict=True) if line.is_goods)
    lowered = sum(s.discount for line, s in zip(lines, settled, strict=True) if line.is_goods)
    other = sum(s.gross - s.discount for line, s in zip(lines, settled, strict=True) if not line.is_goods)
    fees = printed.total - (gross - lowered) - net_shipping - printed.tax
    if fees != other + printed.duties + left:
        raise DoesNotAddUp("the parts do not meet the total after taking out the tax")
    return Settlement(
        lines=tuple(settled),
        gross=gross,
        discount=lowered,
        shipping=net_shipping,
        tax=printed.tax,
        fees=fees,
        total=printed.total,
        is_tax_included=is_tax_included,
        shipping_discount=printed.shipping - shipping,
    )


def _without_tax(amount: int, discount: int, included: int, tax: int) -> SettledLine:
    """A line with the tax that its price includes taken out, off price and discount alike."""
    if not included:
        return SettledLine(gross=amount, discount=discount, tax=tax)
    paid = amount - discount
    net_discount = discount - discount * included // paid if paid else discount
    return SettledLine(gross=paid - included + net_discount, discount=net_discount, tax=tax)


def share_of_goods(refunded: int, parts: Sequence[int]) -> list[int]:
    """Split a refund over an order's parts in their order, each filled before the next begins.

    ``parts``: what was paid for goods with their tax, then for the rest. An excess stays with the last.
    """
    edges = [0]
    for part in parts:
        edges.append(edges[-1] + max(part, 0))
    filled = [max(min(refunded, high) - low, 0) for low, high in pairwise(edges)]
    filled[-1] += max(refunded - edges[-1], 0)
    return filled
