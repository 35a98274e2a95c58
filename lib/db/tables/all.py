"""Every table, so that ``metadata`` is whole wherever this is imported."""

from lib.db.tables import (
    carts,
    customers,
    desk,
    loyalty,
    mail,
    offers,
    orders,
    products,
    returns,
    reviews,
    shipments,
    staff,
    store,
    surveys,
    tickets,
)
from lib.db.tables.columns import metadata

AREAS = (
    carts,
    customers,
    desk,
    desk,
    loyalty,
    mail,
    offers,
    orders,
    products,
    returns,
    reviews,
    shipments,
    staff,
    store,
    surveys,
    tickets,
)

__all__ = ["AREAS", "metadata"]
