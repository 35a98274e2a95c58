"""An order's record as plain tuples, which cross to another process several times as cheaply; opened where needed."""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from lib.importers.records import (
    AddressRecord,
    ConsentRecord,
    CustomerRecord,
    DiscountRecord,
    ItemRecord,
    OrderRecord,
    Origin,
)

Packed = tuple[Any, ...]


def _values(kind: type, *apart: str) -> Callable[[Any], tuple[Any, ...]]:
    """What reads all fields of a record but those that are packed apart."""
    return attrgetter(*(field.name for field in fields(kind) if field.name not in apart))


_APART: Final = ("customer", "items", "discounts", "origin")
_PERSON_APART: Final = ("addresses", "consents", "origin")
_ORDER_FIELDS: Final = tuple(field.name for field in fields(OrderRecord) if field.name not in _APART)
_PERSON_FIELDS: Final = tuple(field.name for field in fields(CustomerRecord) if field.name not in _PERSON_APART)
_order = _values(OrderRecord, *_APART)
_item = _values(ItemRecord)
_discount = _values(DiscountRecord)
_person = _values(CustomerRecord, *_PERSON_APART)
_address = _values(AddressRecord)
_consent = _values(ConsentRecord)
_origin = _values(Origin)


def pack(order: OrderRecord) -> Packed:
    """The record as tuples of plain values; refunds and parcels, of which there are few, stay records."""
    person, origin = order.customer, order.origin
    return (
        _order(order),
        None
        if person is None
        else (_person(person), [_address(each) for each in person.addresses], [_consent(c) for c in person.consents]),
        [_item(each) for each in order.items],
        [_discount(each) for each in order.discounts],
        None if origin is None else _origin(origin),
    )


def unpack(packed: Packed) -> OrderRecord:
    """The record again, equal to what was packed."""
    values, person, items, discounts, origin = packed
    return OrderRecord(
        **dict(zip(_ORDER_FIELDS, values, strict=True)),
        customer=None if person is None else _customer(*person),
        items=tuple(ItemRecord(*each) for each in items),
        discounts=tuple(DiscountRecord(*each) for each in discounts),
        origin=None if origin is None else Origin(*origin),
    )


def _customer(
    values: tuple[Any, ...], addresses: list[tuple[Any, ...]], consents: list[tuple[Any, ...]]
) -> CustomerRecord:
    return CustomerRecord(
        **dict(zip(_PERSON_FIELDS, values, strict=True)),
        addresses=tuple(AddressRecord(*each) for each in addresses),
        consents=tuple(ConsentRecord(*each) for each in consents),
    )
