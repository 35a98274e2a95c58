"""How rows are found by the beginning of what they are called: the expressions of the indexes, and the question."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, String, and_, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

# Compares signs by their number, whatever the language of a PostgreSQL server is; SQLite does so by itself.
BY_SIGN = "text_pattern_ops"
# No text that begins with some words comes after these words followed by it.
_LAST = "\U0010ffff"


class after_first_word(FunctionElement[str]):
    """A text without its first word, in small letters: where a surname begins; one word alone stays."""

    type = String()
    name = "after_first_word"
    inherit_cache = True


@compiles(after_first_word)
def _in_sqlite(element: Any, compiler: Any, **kept: Any) -> str:
    words = compiler.process(element.clauses, **kept)
    return f"lower(substr({words}, instr({words}, ' ') + 1))"


@compiles(after_first_word, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **kept: Any) -> str:
    words = compiler.process(element.clauses, **kept)
    return f"lower(substr({words}, strpos({words}, ' ') + 1))"


def folded(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A text in small letters; on SQLite those of other alphabets than the Latin one without accents stay."""
    return func.lower(column)


def begins(connection: Connection, what: ColumnElement[Any], words: str) -> ColumnElement[bool]:
    """Whether it begins with ``words``: asked so that an index of it, made with ``BY_SIGN``, is entered there."""
    if connection.dialect.name == "postgresql":
        return and_(what.op("~>=~")(words), what.op("~<~")(words + _LAST))
    return and_(what >= words, what < words + _LAST)
