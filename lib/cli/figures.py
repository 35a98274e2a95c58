"""Print figures, with what they count and what they leave out."""

import argparse
import csv
import json
import math
import sys
from datetime import date
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from lib.db.tables.columns import now
from lib.errors import RefreshBusy, UnknownFigure
from lib.jobs.refresh import refresh
from lib.mart.snapshot import Snapshot, current
from lib.metrics.catalogue import AREAS, find
from lib.metrics.definition import Figure, Scope, Unit
from lib.metrics.read import figures
from lib.money import exponent, format_money
from lib.periods import Period, day_of, store_day
from lib.settings import settings

# How long to wait for another refresh before reading what is there.
WAIT_SECONDS = 120.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.epilog = (
        "Without KEY the figures are listed. A period is FROM up to, not including, TO; what happened on the "
        "as-of day or later is not known. Money is in whole units of the store's currency."
    )
    parser.add_argument("keys", nargs="*", metavar="KEY", help="figures, such as net_sales repeat_within_90")
    parser.add_argument("--from", dest="start", type=_day, metavar="DAY", help="first day; default: the first order's")
    parser.add_argument("--to", dest="end", type=_day, metavar="DAY", help="end, itself excluded; default: today")
    parser.add_argument("--as-of", dest="as_of", type=_day, metavar="DAY", help="know only what is before; default: TO")
    parser.add_argument("--by", metavar="DIMENSION", help="one figure per slice, such as channel, country, month")
    parser.add_argument(
        "--where", action="append", default=[], metavar="DIM=SLICE", help="only this slice; several must all hold"
    )
    parser.add_argument("--no-refresh", action="store_true", help="read the mart as it is")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a JSON array, one object per figure and slice")
    form.add_argument("--csv", action="store_true", help="print CSV, one row per figure and slice")


def run(args: argparse.Namespace) -> int:
    """Print what was asked for.

    Raises:
        UnknownFigure: a key, dimension or filter that does not exist, or a period that ends before it starts.
        MartUnavailable: there is nothing to read yet.
    """
    if not args.keys:
        _list(sys.stdout, as_json=args.json, as_csv=args.csv)
        return 0
    for key in args.keys:
        find(key)
    filters = tuple(_filter(text) for text in args.where)
    if not args.no_refresh:
        try:
            refresh(settings(), wait_seconds=WAIT_SECONDS)
        except RefreshBusy:
            print("Another refresh is running; these figures are from the one before.", file=sys.stderr)
    mart = current(settings().mart_dir)
    scope = _scope(mart, args, filters)
    found = figures(mart, args.keys, scope)
    objects = [as_object(figure, mart.about.currency) for figure in found]
    if args.json:
        json.dump(objects, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
        print()
    elif args.csv:
        _write_csv(objects, sys.stdout)
    else:
        _write_table(found, scope, mart.about.currency, sys.stdout)
    return 0


def as_object(figure: Figure, currency: str) -> dict[str, Any]:
    """A figure as it is printed: money in whole units, never NaN."""
    top, bottom = find(figure.key).parts
    printed = figure.as_json()
    units = {"value": figure.unit, "low": figure.unit, "high": figure.unit, "numerator": top, "denominator": bottom}
    for name, unit in units.items():
        printed[name] = _number(printed[name], unit, currency)
    printed["currency"] = currency if Unit.MONEY in (figure.unit, top, bottom) else None
    return printed


def _number(value: float | int | None, unit: Unit, currency: str) -> float | int | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if unit is not Unit.MONEY:
        return value
    places = exponent(currency)
    return round(float(value) / float(10**places), places if isinstance(value, int) else places + 6)


def safe_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2025-12-31") from None


def _filter(text: str) -> tuple[str, str]:
    dimension, equals, piece = text.partition("=")
    if not equals or not dimension:
        raise UnknownFigure(f"--where {text!r} is no filter; write it as channel=web.")
    return dimension.strip(), piece


def _scope(mart: Snapshot, args: argparse.Namespace, filters: tuple[tuple[str, str], ...]) -> Scope:
    today = store_day(now(), ZoneInfo(mart.about.time_zone))
    end = args.end or args.as_of or today
    first = end if mart.about.first_day is None else day_of(mart.about.first_day)
    start = args.start or min(first, end)
    if end < start:
        raise UnknownFigure(f"The period ends ({end}) before it starts ({start}).")
    return Scope(period=Period(start, end), as_of=args.as_of or end, filters=filters, by=args.by)


def _list(out: TextIO, *, as_json: bool, as_csv: bool) -> None:
    rows = [
        {
            "key": metric.key,
            "label": metric.label,
            "unit": str(metric.unit),
            "area": area,
            "meaning": metric.meaning,
            "formula": metric.formula,
            "dimensions": list(metric.dimensions),
        }
        for area, metrics in AREAS.items()
        for metric in metrics
    ]
    if as_json:
        json.dump(rows, out, indent=2, ensure_ascii=False)
        out.write("\n")
    elif as_csv:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows([" ".join(v) if isinstance(v, list) else v for v in row.values()] for row in rows)
    else:
        width = max(len(str(row["key"])) for row in rows)
        area = ""
        for row in rows:
            if row["area"] != area:
                area = str(row["area"])
                out.write(f"\n{area}\n")
            out.write(f"  {row['key']!s:{width}}  {row['unit']!s:8} {row['label']}: {row['meaning']}\n")


def _write_csv(objects: list[dict[str, Any]], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(objects[0] if objects else _columns())
    for row in objects:
        listed = {name: "; ".join(f"{k}: {v}" for k, v in row[name].items()) for name in ("left_out", "beside")}
        cells = {**row, **listed}
        writer.writerow([safe_cell("" if cell is None else cell) for cell in cells.values()])


def _columns() -> list[str]:
    """The header of the CSV when there is nothing to print."""
    day = date(1970, 1, 1)
    empty = Figure(key="", value=None, unit=Unit.COUNT, definition="", period=Period(day, day), as_of=day)
    return [*empty.as_json(), "currency"]


def _write_table(found: list[Figure], scope: Scope, currency: str, out: TextIO) -> None:
    out.write(f"{scope.period.start} up to {scope.period.end}, as known before {scope.as_of}\n")
    rows = [
        (
            find(figure.key).label,
            figure.slice,
            _for_people(figure, currency),
            "" if figure.n is None else f"n {figure.n:,}" + (" (small sample)" if figure.is_small_sample else ""),
            ", ".join(f"{count:,} {reason}" for reason, count in figure.left_out.items()),
        )
        for figure in found
    ]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(5)]
    for row in rows:
        left = f"  left out: {row[4]}" if row[4] else ""
        out.write(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:{widths[3]}}{left}\n")


def _for_people(figure: Figure, currency: str) -> str:
    if figure.value is None:
        return "no data"
    match figure.unit:
        case Unit.MONEY:
            text = format_money(figure.value, currency)
        case Unit.SHARE:
            text = f"{100 * figure.value:.2f} %"
        case Unit.COUNT | Unit.POINTS:
            text = f"{figure.value:,.0f}"
        case Unit.DAYS | Unit.HOURS:
            text = f"{figure.value:,.2f} {figure.unit}"
        case Unit.SECONDS:
            text = f"{figure.value:,.0f} seconds"
        case _:
            text = f"{figure.value:,.2f}"
    if figure.low is not None and figure.high is not None and figure.unit is Unit.SHARE:
        text += f" ({100 * figure.low:.2f} to {100 * figure.high:.2f})"
    return text
