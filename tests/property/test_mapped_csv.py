"""Laws of the table reader: the order of rows changes nothing, and what is not declared is never read two ways."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.importers.files import source_files
from lib.importers.mapped_csv import read_table
from lib.importers.mapping import Mapping
from lib.importers.records import OrderRecord, ReadContext, Rejected

CONTEXT = ReadContext(time_zone="Europe/Berlin", currency="EUR")
COLUMNS = ("order_id", "placed_at", "sku", "quantity", "unit_price", "shipping", "discount", "tax", "total")
BY_LINE = Mapping(kind="orders", columns={name: name for name in COLUMNS}, shape="line", currency="EUR")


@st.composite
def orders(draw: st.DrawFn) -> list[list[str]]:
    """Rows of a table of lines whose amounts meet, a few orders of a few lines each."""
    rows = []
    for number in range(draw(st.integers(1, 5))):
        lines = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 99_999)), min_size=1, max_size=4))
        goods = sum(quantity * price for quantity, price in lines)
        discount = draw(st.integers(0, goods))
        shipping, tax = draw(st.integers(0, 999)), draw(st.integers(0, 999))
        day = draw(st.dates(date(2020, 1, 1), date(2026, 1, 1))).isoformat()
        own = [f"{amount / 100:.2f}" for amount in (shipping, discount, tax, goods - discount + shipping + tax)]
        for place, (quantity, price) in enumerate(lines):
            rows.append([f"O{number}", day, f"S{place}", str(quantity), f"{price / 100:.2f}", *own])
    return rows


def read(rows: list[list[str]]) -> list[OrderRecord | Rejected]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        path.write_text("\n".join(",".join(row) for row in [list(COLUMNS), *rows]) + "\n", encoding="utf-8")
        records = list(read_table(source_files([path], CONTEXT), BY_LINE, CONTEXT))
    assert all(isinstance(record, OrderRecord | Rejected) for record in records)
    return [record for record in records if isinstance(record, OrderRecord | Rejected)]


def sums(record: OrderRecord | Rejected) -> tuple[object, ...]:
    assert isinstance(record, OrderRecord), record.reason
    items = sorted((item.sku or "", item.quantity, item.unit_price_minor) for item in record.items)
    return (record.external_id, record.placed_at, record.gross_minor, record.discount_minor, record.total_minor, items)


@settings(max_examples=60, deadline=None)
@given(orders(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_order(rows: list[list[str]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert sorted(map(sums, read(rows)), key=str) == sorted(map(sums, read(shuffled)), key=str)


@settings(max_examples=60, deadline=None)
@given(orders())
def test_every_order_adds_up_and_its_lines_too(rows: list[list[str]]) -> None:
    for record in read(rows):
        assert isinstance(record, OrderRecord), record.reason
        parts = (
            record.gross_minor - record.discount_minor + record.shipping_minor + record.tax_minor + record.fees_minor
        )
        assert parts == record.total_minor
        assert sum(item.gross_minor for item in record.items) == record.gross_minor
        assert sum(item.discount_minor for item in record.items) == record.discount_minor
        printed = next(row for row in rows if row[0] == record.external_id)
        assert f"{record.total_minor / 100:.2f}" == printed[-1]
