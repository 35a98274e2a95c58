"""Laws of the import, on whatever a file may hold."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from lib.db.engine import open_engine, reading
from lib.db.tables.orders import order_items, orders
from lib.db.tables.store import import_runs, rejected_rows
from lib.errors import ImportRefused
from lib.importers.conversion import convert_order, converted_parts
from lib.importers.files import read_rows, source_files
from lib.importers.load import load
from lib.importers.records import CustomerRecord, ItemRecord, OrderRecord, ReadContext, Record, Rejected
from lib.importers.runs import start
from lib.importers.shopify import read
from lib.money import convert
from lib.settings import read_settings

CONTEXT = ReadContext(time_zone="Europe/Berlin", currency="EUR")
HEADER = (
    "Name,Email,Financial Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem price"
)
relaxed = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

cell = st.one_of(
    st.sampled_from(["", "#1", "#2", "ann@example.com", "EUR", "USD", "10.00", "0", "-1", "paid", "1", "2999-01-01 1"]),
    st.sampled_from(["2025-03-01 10:00:00 +0000", '"', "\x00", "a\nb", "=1+1", "1e309", "9" * 30, "٣", "\u2028"]),
    st.text(max_size=12),
)
row = st.lists(cell, min_size=0, max_size=14).map(",".join)
sound = st.integers(1, 5).map(
    lambda n: f"#{n},ann@example.com,paid,EUR,10.00,0.00,0.00,10.00,2025-03-0{n} 10:00:00 +0000,1,Soap,10.00"
)


@pytest.fixture
def url(tmp_path: Path, sqlite_template: Path) -> str:
    copyfile(sqlite_template, tmp_path / "order.db")
    return f"sqlite:///{tmp_path / 'order.db'}"


@relaxed
@given(lines=st.lists(st.one_of(row, sound), max_size=20), sign=st.sampled_from(["\n", "\r\n"]))
def test_whatever_a_file_holds_every_record_is_stored_unchanged_or_rejected(
    tmp_path: Path, url: str, lines: list[str], sign: str
) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes((HEADER + sign + sign.join(lines)).encode("utf-8", "surrogatepass"))
    chosen = read_settings({"ENCORE_DATABASE_URL": url, "ENCORE_STORE_CURRENCY": "EUR"})
    engine = open_engine(url)
    seen: list[tuple[int | None, int | None]] = []
    for _ in range(2):
        yielded: list[Record | Rejected] = []
        try:
            yielded = list(read(source_files([path], CONTEXT), CONTEXT))
        except ImportRefused:
            return
        run = start(engine, "shopify", ["orders.csv"])
        report = load(engine, "shopify", iter(yielded), run=run, settings=chosen, batch=3)
        assert report.read == len(yielded) == report.stored + report.unchanged + report.rejected
        with reading(engine) as connection:
            kept = connection.execute(
                select(import_runs.c.read_count, import_runs.c.status).where(import_runs.c.import_run_id == run.run_id)
            ).one()
            seen.append(
                (
                    connection.scalar(select(func.count()).select_from(orders)),
                    connection.scalar(select(func.count()).select_from(rejected_rows)),
                )
            )
        assert tuple(kept) == (len(yielded), "finished")
    # The second time nothing more was stored, and nothing was put aside twice.
    assert seen[0] == seen[1]


@relaxed
@given(
    content=st.binary(max_size=400), header=st.sampled_from([b"a,b,c\n", b"a;b\n", b"\xff\xfea\x00,\x00b\x00\n\x00"])
)
def test_no_bytes_make_the_rows_of_a_file_fail_and_every_row_has_the_headers_width(
    tmp_path: Path, content: bytes, header: bytes
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(header + content)
    try:
        (file,) = source_files([path], CONTEXT)
        rows = read_rows(file)
    except ImportRefused:
        return
    last = 0
    for each in rows:
        assert len(each.values) == len(rows.header)
        assert each.line > last
        last = each.line


rates = st.decimals(Decimal("0.0001"), Decimal(10_000), places=6)
places = st.sampled_from(["EUR", "JPY", "KWD", "USD"])


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=12), rates, places, places)
def test_converted_parts_add_up_to_the_converted_total_and_each_is_within_one_unit(
    parts: list[int], rate: Decimal, source: str, target: str
) -> None:
    if source == target:
        return
    total = convert(sum(parts), rate, source=source, target=target)
    converted = converted_parts(parts, rate, total, source=source, target=target)
    assert sum(converted) == (total if any(parts) else 0)
    for part, made in zip(parts, converted, strict=True):
        assert abs(made - convert(part, rate, source=source, target=target)) <= 1
        assert made == 0 or part != 0


lines = st.lists(st.tuples(st.integers(0, 99_999), st.integers(0, 100), st.integers(1, 9)), min_size=1, max_size=8)


@given(lines, st.integers(0, 5_000), st.integers(0, 9_000), rates, places)
def test_an_order_still_adds_up_in_any_currency(
    lines: list[tuple[int, int, int]], shipping: int, tax: int, rate: Decimal, target: str
) -> None:
    items = tuple(ItemRecord(f"I{n}", q, p, p * q, p * q * d // 100) for n, (p, d, q) in enumerate(lines))
    gross, discount = sum(i.gross_minor for i in items), sum(i.discount_minor for i in items)
    made = convert_order(
        OrderRecord(
            "1",
            "1",
            datetime(2025, 1, 1, tzinfo=UTC),
            "CHF",
            gross,
            gross - discount + shipping + tax,
            discount,
            shipping,
            tax,
            items=items,
        ),
        rate,
        target,
    )
    assert made.gross_minor - made.discount_minor + made.shipping_minor + made.tax_minor + made.fees_minor == (
        made.total_minor
    )
    assert made.total_minor == convert(gross - discount + shipping + tax, rate, source="CHF", target=target)
    assert 0 <= made.discount_minor <= made.gross_minor
    assert sum(i.gross_minor for i in made.items) == made.gross_minor
    assert sum(i.discount_minor for i in made.items) == made.discount_minor
    assert all(i.gross_minor >= 0 and i.discount_minor >= 0 for i in made.items)


people = st.lists(
    st.tuples(st.sampled_from(["", "c1", "c2", "c3"]), st.sampled_from([None, "a@x.de", "b@x.de", "A@x.de "])),
    min_size=1,
    max_size=8,
)


@relaxed
@given(named=people, batch=st.integers(1, 8))
def test_orders_share_a_customer_exactly_when_a_chain_of_keys_and_addresses_joins_them(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, named: list[tuple[str, str | None]], batch: int
) -> None:
    file = tmp_path_factory.mktemp("people") / "order.db"
    copyfile(sqlite_template, file)
    engine = open_engine(f"sqlite:///{file}")
    chosen = read_settings({"ENCORE_DATABASE_URL": f"sqlite:///{file}", "ENCORE_STORE_CURRENCY": "EUR"})
    bought = [
        OrderRecord(
            str(n),
            str(n),
            datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=n),
            "EUR",
            500,
            500,
            customer=CustomerRecord(key, email),
            items=(ItemRecord("Soap", 1, 500, 500),),
        )
        for n, (key, email) in enumerate(named)
    ]
    load(engine, "shopify", iter(bought), run=start(engine, "shopify", []), settings=chosen, batch=batch)
    with reading(engine) as connection:
        rows = connection.execute(select(orders.c.external_id, orders.c.customer_id))
        found = {row.external_id: row.customer_id for row in rows}
        assert connection.scalar(select(func.count()).select_from(order_items)) == len(named)
    groups: list[set[str]] = []
    owner: list[set[str]] = []
    for key, email in named:
        mine = {part for part in (key, (email or "").strip().lower()) if part}
        touching = [group for group in groups if group & mine]
        for group in touching:
            mine |= group
            groups.remove(group)
        groups.append(mine)
    for key, email in named:
        mine = {part for part in (key, (email or "").strip().lower()) if part}
        owner.append(next((group for group in groups if group & mine), set()))
    for n, one in enumerate(owner):
        assert (found[str(n)] is None) == (not one)
        for m, other in enumerate(owner):
            if one and other:
                assert (found[str(n)] == found[str(m)]) == (one is other)
