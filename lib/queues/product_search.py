"""Find products by words of their name, and name those that are chosen."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from lib.db.tables.products import products

# So many are shown; a longer word finds fewer.
MOST_FOUND = 50


def find_products(connection: Connection, words: str, *, most: int = MOST_FOUND) -> dict[int, str]:
    """Products that are sold now and whose name holds all the words, by name; without words the first of them."""
    one = products.c
    wanted = [
        func.lower(one.name).contains(word.lower(), autoescape=True) for word in words.replace("\x00", "").split()[:8]
    ]
    rows = connection.execute(
        select(one.product_id, one.name)
        .where(one.is_active, one.is_goods, *wanted)
        .order_by(one.name, one.product_id)
        .limit(most)
    )
    return {row.product_id: row.name for row in rows}


def names_of(connection: Connection, product_ids: Collection[int]) -> dict[int, str]:
    """What products are called."""
    one = products.c
    rows = connection.execute(select(one.product_id, one.name).where(one.product_id.in_(product_ids)))
    return {row.product_id: row.name for row in rows}
