"""Laws that hold for every figure: parts add up, both routes agree, the rows behind are the figure."""

import csv
import io
import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copyfile

import pandas as pd
import pytest
from sqlalchemy import select, update

from lib.cli import figures as command
from lib.cli.main import main
from lib.db.engine import open_engine, writing
from lib.db.store import Store
from lib.db.tables.orders import orders
from lib.jobs.refresh import refresh
from lib.mart.schema import DIMENSIONS, fact_item
from lib.mart.snapshot import Snapshot, current
from lib.metrics import measure, sales
from lib.metrics.bridge import bridge
from lib.metrics.catalogue import METRICS
from lib.metrics.definition import Age, Combined, Metric, Ratio, Scope, Worked
from lib.metrics.read import dailies, figures, rows, slices
from lib.periods import Period, day_index
from lib.settings import read_settings
from tests.property.test_mart import Shop, bring

STORE = Store("A store", "Europe/Berlin", "EUR", "DE", ("en",), False)
END = date(2026, 3, 1)
PERIOD = Period(date(2025, 9, 1), END)
ADDITIVE = [
    key
    for key, metric in METRICS.items()
    if isinstance(metric, Combined)
    or (isinstance(metric, Metric) and metric.distinct is None and metric.day is not None)
    if key not in ("new_and_returning_customers",)
]


@pytest.fixture(scope="module", params=range(2))
def mart(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A shop in which people did things at random for half a year."""
    folder = tmp_path_factory.mktemp(f"laws{request.param}")
    copyfile(sqlite_template, folder / "order.db")
    url = f"sqlite:///{folder / 'order.db'}"
    at = datetime(2026, 2, 26, 12, tzinfo=UTC)
    with writing(open_engine(url)) as connection:
        shop = Shop(connection, at, random.Random(request.param))
        for _ in range(12):
            shop.new_customer()
            shop.new_product()
        shop.live(400)
    bring(folder / "mart", url, at + timedelta(days=1), full=True)
    return current(folder / "mart")


@pytest.fixture
def from_facts(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        yield patch


def ask(
    period: Period = PERIOD, as_of: date = END, where: tuple[tuple[str, str], ...] = (), by: str | None = None
) -> Scope:
    return Scope(period=period, as_of=as_of, filters=where, by=by)


def can(key: str, *dimensions: str) -> bool:
    return all(name in METRICS[key].dimensions for name in dimensions)


def test_two_halves_of_a_period_add_up(mart: Snapshot) -> None:
    middle = date(2025, 12, 13)
    whole, first, second = (
        figures(mart, ADDITIVE, ask(period))
        for period in (PERIOD, Period(PERIOD.start, middle), Period(middle, PERIOD.end))
    )
    assert any(figure.value for figure in whole)
    for figure, one, other in zip(whole, first, second, strict=True):
        assert figure.value == (one.value or 0) + (other.value or 0), figure.key


def test_days_add_up_to_the_period(mart: Snapshot) -> None:
    table = dailies(mart, ADDITIVE, ask())
    for figure in figures(mart, ADDITIVE, ask()):
        assert round(float(table[figure.key].sum())) == figure.value, figure.key


@pytest.mark.parametrize("dimension", [name for name in DIMENSIONS if name != "category"])
def test_slices_add_up_to_all(mart: Snapshot, dimension: str) -> None:
    keys = [key for key in ADDITIVE if can(key, dimension)]
    parts = figures(mart, keys, ask(by=dimension))
    for figure in figures(mart, keys, ask()):
        assert figure.value == sum(part.value or 0 for part in parts if part.key == figure.key), figure.key


@pytest.mark.parametrize("dimension", ["category", "product"])
def test_goods_of_all_categories_and_products_add_up_to_all(mart: Snapshot, dimension: str) -> None:
    keys = ["gross_sales", "discounts", "refunds", "net_sales", "units", "gross_margin"]
    parts = figures(mart, keys, ask(by=dimension))
    for figure in figures(mart, keys, ask()):
        assert figure.value == sum(part.value or 0 for part in parts if part.key == figure.key), figure.key


@pytest.mark.parametrize("as_of", [END, date(2026, 1, 5)])
@pytest.mark.parametrize("dimension", [None, *DIMENSIONS])
def test_prepared_sums_and_facts_give_the_same_figures(
    mart: Snapshot, dimension: str | None, as_of: date, from_facts: pytest.MonkeyPatch
) -> None:
    scopes = [ask(as_of=as_of, by=dimension)]
    if dimension:
        scopes.append(ask(as_of=as_of, where=((dimension, slices(mart, dimension)[0]),)))
    keys = [k for k, m in METRICS.items() if not isinstance(m, Worked) and (dimension is None or can(k, dimension))]
    prepared = [figures(mart, keys, scope) for scope in scopes]
    from_facts.setattr(measure, "_is_prepared", lambda *_, **__: False)
    assert prepared == [figures(mart, keys, scope) for scope in scopes]


@pytest.mark.parametrize("dimension", [None, *DIMENSIONS])
def test_prepared_sums_and_facts_give_the_same_days(
    mart: Snapshot, dimension: str | None, from_facts: pytest.MonkeyPatch
) -> None:
    where = ((dimension, slices(mart, dimension)[0]),) if dimension else ()
    scopes = [ask(where=where), ask(as_of=date(2026, 1, 5), where=where)]
    keys = [
        k for k, m in METRICS.items() if not isinstance(m, Worked | Age) and (dimension is None or can(k, dimension))
    ]
    prepared = [dailies(mart, keys, scope) for scope in scopes]
    from_facts.setattr(measure, "_is_prepared", lambda *_, **__: False)
    for scope, frame in zip(scopes, prepared, strict=True):
        pd.testing.assert_frame_equal(frame, dailies(mart, keys, scope))


def test_the_bridge_is_the_same_from_prepared_sums_and_from_facts(
    mart: Snapshot, from_facts: pytest.MonkeyPatch
) -> None:
    scopes = [ask(), ask(where=(("channel", "web"),))]
    prepared = [bridge(mart, scope) for scope in scopes]
    from_facts.setattr(measure, "_is_prepared", lambda *_, **__: False)
    for scope, frame in zip(scopes, prepared, strict=True):
        pd.testing.assert_frame_equal(frame, bridge(mart, scope))


@pytest.mark.parametrize("dimension", [None, "channel", "country", "category", "device"])
def test_best_sellers_are_those_of_the_order_lines(mart: Snapshot, dimension: str | None) -> None:
    where = ((dimension, slices(mart, dimension)[0]),) if dimension else ()
    middle = date(2025, 12, 1)
    found = sales.best_sellers(
        mart, ask(Period(middle, END), where=where), ask(Period(date(2025, 9, 1), middle), where=where), limit=5
    )
    lines = mart.frame(select(fact_item).where(fact_item.c.is_valid))
    lines = lines[lines["day"].between(day_index(date(2025, 9, 1)), day_index(END) - 1)]
    for name, piece in where:
        lines = lines[lines[name] == piece]
    lines["product_id"] = lines["product_id"].fillna(-1)  # a line whose product is unknown has its name only
    is_now = lines["day"] >= day_index(middle)
    by_product = lines[is_now].groupby(["product_id", "product"], dropna=False)
    expected = by_product.agg(
        orders=("order_id", "nunique"), units=("quantity", "sum"), net_minor=("net_minor", "sum")
    ).reset_index()
    earlier = lines[~is_now].groupby(["product_id", "product"], dropna=False)["net_minor"].sum()
    expected = expected.sort_values(["net_minor", "product"], ascending=[False, True]).head(5)
    columns = ["product", "orders", "units", "net_minor"]
    assert found[columns].to_dict("records") == expected[columns].to_dict("records")
    before = [earlier.get((row.product_id, row.product), 0) for row in expected.itertuples()]
    assert found["net_before_minor"].tolist() == before


@pytest.mark.parametrize("key", [key for key in METRICS if not key.startswith(("cohort", "lifetime_"))])
def test_the_rows_behind_a_figure_add_up_to_it(mart: Snapshot, key: str) -> None:
    for where in ((), (("channel", "web"), ("country", "DE")), (("category", "a"),)):
        if not can(key, *(name for name, _ in where)):
            continue
        scope = ask(where=where)
        metric = METRICS[key]
        figure = figures(mart, [key], scope)[0]
        behind = rows(mart, key, scope, limit=None)
        assert len(behind.frame) == behind.total_rows
        if isinstance(metric, Metric | Combined | Ratio | Worked):
            # A figure that is not known, such as a margin without any cost, has no rows.
            known = 0 if figure.numerator is None and behind.frame.empty else figure.numerator
            assert behind.total_value == known
            assert int(behind.frame["amount"].sum()) == known
        if isinstance(metric, Ratio | Worked):
            assert rows(mart, key, scope, part="denominator").total_value == figure.denominator
        if figure.left_out:
            left_out = rows(mart, key, scope, part="left_out")
            assert left_out.total_value == left_out.total_rows == sum(figure.left_out.values())


def test_pages_of_rows_are_all_rows_once(mart: Snapshot) -> None:
    pages = [rows(mart, "net_sales", ask(), offset=offset, limit=30) for offset in range(0, 300, 30)]
    found = [tuple(row) for page in pages for row in page.frame[["what", "row_id"]].itertuples(index=False)]
    assert len(found) == len(set(found)) == pages[0].total_rows


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_segments_and_drivers_add_up_to_net_sales(mart: Snapshot, dimension: str) -> None:
    net = figures(mart, ["net_sales"], ask())[0].value
    assert sales.segment_totals(mart, ask(), dimension)["amount"].sum() == net
    totals = sales.driver_totals(mart, ask())
    assert totals["net"] + totals["unknown_net"] == net


def test_each_total_of_the_bridge_is_the_one_before_and_the_differences_between(mart: Snapshot) -> None:
    running = 0
    for line in bridge(mart, ask()).to_dict("records"):
        if line["kind"] == "total" and line["line"] != "ours":
            assert line["amount_minor"] == running
        running = line["amount_minor"] if line["kind"] == "total" else running + line["amount_minor"]


def test_what_is_known_of_an_early_day_does_not_change_with_what_came_later(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """Orders placed after the as-of day change nothing that is told as of it."""
    at = datetime(2026, 2, 26, 12, tzinfo=UTC)
    copyfile(sqlite_template, tmp_path / "order.db")
    url = f"sqlite:///{tmp_path / 'order.db'}"
    with writing(open_engine(url)) as connection:
        shop = Shop(connection, at, random.Random(9))
        for _ in range(12):
            shop.new_customer()
            shop.new_product()
        for _ in range(150):
            shop.new_order()
    keys = ["net_sales", "customers", "returning_share_of_customers", "repeat_within_30", "lifetime_repeaters"]
    keys += ["cohort_retention", "one_time_share_of_sales", "time_to_second_order"]
    scope = ask(Period(date(2025, 8, 1), date(2025, 12, 1)), as_of=date(2025, 12, 1))
    bring(tmp_path / "mart", url, at, full=True)
    told = [(f.key, f.slice, f.value, f.numerator) for f in figures(current(tmp_path / "mart"), keys, scope)]
    with writing(open_engine(url)) as connection:
        late = orders.c.placed_at >= datetime(2025, 12, 1, tzinfo=UTC) - timedelta(hours=1)
        connection.execute(update(orders).where(late).values(is_test=True))
    bring(tmp_path / "mart", url, at + timedelta(hours=1), full=True)
    assert told == [(f.key, f.slice, f.value, f.numerator) for f in figures(current(tmp_path / "mart"), keys, scope)]


def test_the_command_prints_the_same_figures_as_json_and_as_csv(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copyfile(sqlite_template, tmp_path / "order.db")
    settings = read_settings({"ENCORE_DATA_DIR": str(tmp_path), "ENCORE_STORE_TIME_ZONE": "Europe/Berlin"})
    with writing(open_engine(settings.database_url)) as connection:
        shop = Shop(connection, datetime.now(UTC) - timedelta(days=2), random.Random(5))
        for _ in range(12):
            shop.new_customer()
            shop.new_product()
        shop.live(200)
    monkeypatch.setattr(command, "settings", lambda: settings)
    asked = ["figures", "net_sales", "average_order_value", "repeat_within_90", "customers", "--by", "channel"]
    assert main([*asked, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {row["key"] for row in printed} == set(asked[1:5])
    assert main([*asked, "--csv", "--no-refresh"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["value"] for row in table] == ["" if row["value"] is None else str(row["value"]) for row in printed]
    refresh(settings)
    net = figures(
        current(settings.mart_dir),
        ["net_sales"],
        Scope(
            period=Period(date.fromisoformat(printed[0]["from"]), date.fromisoformat(printed[0]["to"])),
            as_of=date.fromisoformat(printed[0]["as_of"]),
        ),
    )[0]
    total = sum(row["value"] for row in printed if row["key"] == "net_sales")
    assert round(total * 100) == net.value
