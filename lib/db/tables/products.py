"""What is sold."""

from sqlalchemy import BigInteger, Column, String, Table

from lib.db.tables.columns import flag, imported, key, metadata, money, short, words

products = Table(
    "products",
    metadata,
    key("product_id"),
    *imported(),
    short("handle", index=True),
    short("sku", index=True),
    short("name", nullable=False, index=True),
    short("parent_name"),
    short("category"),
    short("vendor"),
    Column("currency", String(3)),
    money("price_minor", nullable=True),
    money("cost_minor", nullable=True),
    Column("stock", BigInteger),
    flag("is_goods", default=True),
    flag("is_active", default=True),
    words("tags"),
)
