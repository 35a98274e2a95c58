"""Conditions over any number of keys, in one parameter: databases take only so many."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, ColumnElement, Connection, String, any_, bindparam, func, select


def among(connection: Connection, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """``column IN values``, for any number of whole numbers or texts."""
    return among_on(column, sorted(values), is_sqlite=connection.dialect.name == "sqlite")


def among_on(column: Column[Any], values: list[Any], *, is_sqlite: bool) -> ColumnElement[bool]:
    """The same where the database is known already."""
    if is_sqlite:
        listed = func.json_each(bindparam(None, json.dumps(values), type_=String)).table_valued("value")
        return column.in_(select(listed.c.value))
    kind = String() if isinstance(column.type, String) else BigInteger()
    return column == any_(bindparam(None, values, type_=ARRAY(kind)))
