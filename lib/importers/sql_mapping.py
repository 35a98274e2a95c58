"""A mapping of SELECTs: what to ask of somebody's database, and what its answers mean.

Each section (products, customers, orders, refunds, reviews, tickets, shipments) has a ``select`` whose columns
are named by Encore's fields (``fields.toml``), and ``watermark``: the one of its columns that says how far it
was read. The SELECT itself limits by ``:watermark`` and sorts by that column. ``orders`` and ``refunds`` may
have ``lines``: a second SELECT for the keys of a batch, limited by ``IN :keys``.

``${name}`` stands for a parameter (``[parameters]``, plain words only) or a fragment that databases write
differently (``[postgresql]``, ``[sqlite]``, ``[mysql]``).
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from lib.errors import MappingInvalid, SourceUnavailable

SHIPPED: Final = Path(__file__).with_name("mappings")
# In this order: what others name comes first.
SECTIONS: Final = ("products", "customers", "orders", "shipments", "refunds", "reviews", "tickets")
DIALECTS: Final = ("sqlite", "postgresql", "mysql")
WITH_LINES: Final = ("orders", "refunds")
_ENTRIES: Final = ("name", "zone", "overlap_seconds", "divide_amounts_by", "prices_include_tax", "parameters")
_PARTS: Final = {"select", "watermark", "lines", "start"}
_WORD: Final = re.compile(r"[A-Za-z0-9_]*")
_PLACE: Final = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Query:
    """One section: a SELECT, the SELECT of its lines, and the column that says how far it was read.

    ``start``: what the first reading compares with; needed where the watermark is no time, such as 0.
    """

    kind: str
    select: str
    watermark: str
    lines: str = ""
    start: str | int | None = None


@dataclass(frozen=True, slots=True)
class SqlMapping:
    """What to ask of a database.

    ``zone``: of its times that carry none; empty: the store's. ``overlap_seconds``: how much of what was read
    before is read again, for rows that were written late. ``divide_amounts_by``: 100 where amounts are hundredths.
    """

    name: str
    queries: tuple[Query, ...]
    zone: str = ""
    overlap_seconds: int = 300
    divide_amounts_by: int = 1
    prices_include_tax: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, dict[str, str]] = field(default_factory=dict)

    def statement(self, template: str, dialect: str) -> str:
        """A SELECT with its parameters and the dialect's fragments filled in.

        Raises:
            MappingInvalid: a name that neither parameters nor the dialect's fragments know.
        """
        known = {**self.parameters, **self.fragments.get(dialect, {})}

        def fill(found: re.Match[str]) -> str:
            if found[1] not in known:
                told = ", ".join(name for name in DIALECTS if found[1] in self.fragments.get(name, {}))
                raise MappingInvalid(
                    f"{self.name} does not say what ${{{found[1]}}} is for {dialect}"
                    + (f" (only for {told})." if told else ".")
                )
            return known[found[1]]

        return _PLACE.sub(fill, template)


def load_sql_mapping(path: Path, **parameters: str) -> SqlMapping:
    """Read a mapping from a TOML file, or a shipped one by its name; ``parameters`` replace its own.

    Raises:
        SourceUnavailable: there is no such file.
        MappingInvalid: it is no TOML, or says something that no such mapping says.
    """
    shipped = SHIPPED / f"{path.stem.replace('-', '_')}.toml"
    chosen = shipped if not path.exists() and path.parent == Path() and shipped.exists() else path
    try:
        text = chosen.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise SourceUnavailable(f"There is no mapping {path}. Name a TOML file, or one of {names}.") from error
    return sql_mapping(text, chosen.stem, **parameters)


def sql_mapping(text: str, name: str, **parameters: str) -> SqlMapping:
    """Read a mapping of SELECTs.

    Raises:
        MappingInvalid: as for ``load_sql_mapping``.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingInvalid(f"{name} is no valid TOML: {error}.") from error
    known = (*_ENTRIES, *DIALECTS, *SECTIONS)
    if unknown := sorted(told.keys() - set(known)):
        raise MappingInvalid(f"{name} says {unknown[0]!r}, which no mapping of SELECTs says: {', '.join(known)}.")
    given = {**told.get("parameters", {}), **parameters}
    for parameter, value in given.items():
        # They become part of the SELECT: a table's prefix, never more.
        if not isinstance(value, str) or not _WORD.fullmatch(value):
            raise MappingInvalid(f"The parameter {parameter} of {name} may hold letters, digits and _ only.")
    zone = str(told.get("zone", ""))
    try:
        ZoneInfo(zone or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise MappingInvalid(f"{name} says zone = {zone!r}; write one such as UTC or Europe/Berlin.") from error
    queries = tuple(_query(kind, told[kind], name) for kind in SECTIONS if kind in told)
    if not queries:
        raise MappingInvalid(f"{name} has no SELECT: write a section such as [orders] with select and watermark.")
    return SqlMapping(
        name=str(told.get("name", name)),
        queries=queries,
        zone=zone,
        overlap_seconds=_number(told, "overlap_seconds", 300, name),
        divide_amounts_by=_number(told, "divide_amounts_by", 1, name) or 1,
        prices_include_tax=told.get("prices_include_tax") is True,
        parameters=given,
        fragments={dialect: dict(told[dialect]) for dialect in DIALECTS if dialect in told},
    )


def _query(kind: str, told: Any, name: str) -> Query:
    if not isinstance(told, dict) or not {"select", "watermark"} <= told.keys() <= _PARTS:
        raise MappingInvalid(f"[{kind}] of {name} must hold select and watermark, and may hold lines and start.")
    start = told.get("start")
    if not isinstance(start, str | int | None):
        raise MappingInvalid(f"[{kind}] of {name} says start = {start!r}; write a number or a text.")
    query = Query(kind, _select(told["select"], kind, name), str(told["watermark"]), str(told.get("lines", "")), start)
    if ":watermark" not in query.select:
        raise MappingInvalid(f"The SELECT of [{kind}] of {name} must limit by :watermark, or it reads all every day.")
    if query.lines:
        if kind not in WITH_LINES:
            raise MappingInvalid(f"[{kind}] of {name} can have no lines; {' and '.join(WITH_LINES)} can.")
        if ":keys" not in _select(query.lines, kind, name):
            raise MappingInvalid(f"The lines of [{kind}] of {name} must be limited by IN :keys.")
    return query


def _select(text: object, kind: str, name: str) -> str:
    """A single SELECT. The connection is read-only besides; this says it before it is opened."""
    statement = str(text).strip().rstrip(";").strip()
    if not statement.upper().startswith(("SELECT", "WITH")) or ";" in statement:
        raise MappingInvalid(f"[{kind}] of {name} must hold one SELECT each, and nothing else.")
    return statement


def _number(told: dict[str, Any], entry: str, default: int, name: str) -> int:
    value = told.get(entry, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MappingInvalid(f"{name} says {entry} = {value!r}; write a whole number.")
    return value
