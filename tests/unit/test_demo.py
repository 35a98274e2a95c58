"""The demo store: the same for the same seed, whole, sound, and true to what it says of itself."""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import Engine, Table, func, select, text

from lib.cli.main import main
from lib.db.engine import open_engine, reading, writing
from lib.db.store import Store, read_store
from lib.db.tables.all import metadata
from lib.db.tables.carts import carts
from lib.db.tables.columns import now
from lib.db.tables.customers import customers
from lib.db.tables.loyalty import loyalty_entries
from lib.db.tables.offers import offer_assignments, outbox_messages
from lib.db.tables.orders import order_items, orders, refund_items, refunds
from lib.db.tables.reviews import reviews
from lib.db.tables.shipments import shipments
from lib.db.tables.store import annotations, import_runs
from lib.db.tables.tickets import ticket_messages, tickets
from lib.demo import build
from lib.demo.build import fill, make_demo
from lib.errors import Conflict
from lib.periods import start_of_day
from lib.settings import Settings, read_settings

END = date(2026, 3, 2)
BERLIN = ZoneInfo("Europe/Berlin")
# Bookkeeping of imports and refreshes, people, and what they did at their desk: a made-up shop has none of it.
EMPTY = {
    "import_runs", "rejected_rows", "watermarks", "refresh_locks", "deleted_rows",
    "staff", "staff_links", "sessions", "sign_in_attempts", "audit_log", "suppressions", "person_keys",
    "erasures", "audiences", "contact_events", "contact_rules", "offer_looks", "what_ifs",
    "templates", "template_versions", "targets", "drafts", "work_locks", "work_items", "review_shares",
    "customer_notes", "received_mails", "attachments",
}  # fmt: skip


def _rows(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    columns = [c for c in table.c if c.name != "updated_at"]
    with reading(engine) as connection:
        found = connection.execute(select(*columns).order_by(*table.primary_key.columns)).all()
    return [tuple(json.dumps(v) if isinstance(v, dict | list) else v for v in row) for row in found]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Settings]]:
    """A demo store of 1,500 orders."""
    chosen = read_settings({"ENCORE_DATA_DIR": str(tmp_path_factory.mktemp("small"))})
    make_demo(chosen, orders=1500, seed=3, end=END)
    yield open_engine(chosen.database_url), chosen


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, dict[str, Any]]]:
    """A demo store of 12,000 orders and its truth."""
    chosen = read_settings({"ENCORE_DATA_DIR": str(tmp_path_factory.mktemp("larger"))})
    report = make_demo(chosen, orders=12_000, seed=5, end=END)
    yield open_engine(chosen.database_url), json.loads(report.truth.read_text())


def test_the_same_seed_gives_the_same_rows_on_either_engine(
    database: Engine, settings: Settings, small: tuple[Engine, Settings]
) -> None:
    fill(database, settings, wanted=1500, seed=3, replace=False, end=END)
    for table in metadata.sorted_tables:
        if table.name != "store":
            assert _rows(database, table) == _rows(small[0], table), table.name


def test_another_seed_gives_another_store(tmp_path: Path, small: tuple[Engine, Settings]) -> None:
    chosen = read_settings({"ENCORE_DATA_DIR": str(tmp_path)})
    make_demo(chosen, orders=1500, seed=4, end=END)
    assert _rows(open_engine(chosen.database_url), orders) != _rows(small[0], orders)


def test_it_ends_yesterday_in_the_store_s_zone(tmp_path: Path) -> None:
    chosen = read_settings({"ENCORE_DATA_DIR": str(tmp_path), "ENCORE_STORE_TIME_ZONE": "America/Los_Angeles"})
    zone = ZoneInfo("America/Los_Angeles")
    today = datetime.now(zone).date()
    report = make_demo(chosen, orders=1500)
    with reading(open_engine(chosen.database_url)) as connection:
        last = connection.scalar(select(func.max(orders.c.placed_at)))
    assert last is not None
    assert report.last_day == today - timedelta(days=1)
    assert last.astimezone(zone).date() == report.last_day


def test_nothing_has_happened_after_its_end(small: tuple[Engine, Settings]) -> None:
    end = start_of_day(END, BERLIN)
    told_early = {"due_at", "valid_from", "snoozed_until", "ends_at", "updated_at"}
    with reading(small[0]) as connection:
        for table in metadata.sorted_tables:
            for column in table.c:
                if column.name.endswith("_at") and column.name not in told_early:
                    latest = connection.scalar(select(func.max(column)))
                    assert latest is None or latest <= end, f"{table.name}.{column.name}"


def test_every_table_of_a_shop_has_rows(larger: tuple[Engine, dict[str, Any]]) -> None:
    with reading(larger[0]) as connection:
        empty = {t.name for t in metadata.sorted_tables if not connection.scalar(select(func.count()).select_from(t))}
    assert empty == EMPTY


def test_it_is_marked_as_a_demo_and_its_people_are_made_up(small: tuple[Engine, Settings]) -> None:
    with reading(small[0]) as connection:
        kept = read_store(connection, small[1])
        real = connection.scalar(
            select(func.count()).select_from(customers).where(~customers.c.email.like("%@example.com"))
        )
        waiting = connection.scalar(
            select(func.count()).select_from(outbox_messages).where(outbox_messages.c.status.in_(("queued", "sending")))
        )
        sources = {
            source
            for table in metadata.sorted_tables
            if "source" in table.c and table.name != "customer_identities"
            for source in connection.scalars(select(table.c.source).distinct())
        }
    assert kept.is_demo
    assert (kept.currency, kept.country, kept.time_zone) == ("EUR", "DE", "Europe/Berlin")
    assert real == 0
    assert waiting == 0
    assert sources == {"demo"}


def test_orders_lines_and_refunds_add_up(small: tuple[Engine, Settings]) -> None:
    with small[0].connect() as connection:
        lines = (
            select(
                order_items.c.order_id,
                func.sum(order_items.c.gross_minor).label("gross"),
                func.sum(order_items.c.discount_minor).label("discount"),
                func.count().label("n"),
            )
            .group_by(order_items.c.order_id)
            .subquery()
        )
        joined = select(func.count()).select_from(orders.outerjoin(lines, lines.c.order_id == orders.c.order_id))
        assert (
            connection.scalar(
                joined.where(
                    (lines.c.n.is_(None))
                    | (lines.c.gross != orders.c.gross_minor)
                    | (lines.c.discount != orders.c.discount_minor)
                )
            )
            == 0
        )
        back = (
            select(refund_items.c.refund_id, func.sum(refund_items.c.goods_minor).label("goods"))
            .group_by(refund_items.c.refund_id)
            .subquery()
        )
        joined = select(func.count()).select_from(refunds.outerjoin(back, back.c.refund_id == refunds.c.refund_id))
        assert connection.scalar(joined.where((back.c.goods.is_(None)) | (back.c.goods != refunds.c.goods_minor))) == 0
        joined = select(func.count()).select_from(refunds.join(orders, orders.c.order_id == refunds.c.order_id))
        assert (
            connection.scalar(joined.where(refunds.c.goods_minor > orders.c.gross_minor - orders.c.discount_minor)) == 0
        )
        assert connection.scalar(joined.where(refunds.c.refunded_at < orders.c.placed_at)) == 0


def test_nobody_holds_fewer_points_than_none(small: tuple[Engine, Settings]) -> None:
    entries = pd.DataFrame(
        _rows(small[0], loyalty_entries), columns=[c.name for c in loyalty_entries.c if c.name != "updated_at"]
    )
    entries["points"] = entries["points"].where(entries["kind"] == "issued", -entries["points"])
    entries = entries.sort_values(["occurred_at", "points"], ascending=[True, False])
    assert entries.groupby("loyalty_member_id")["points"].cumsum().min() >= 0


def test_the_last_days_are_alive(larger: tuple[Engine, dict[str, Any]]) -> None:
    end = start_of_day(END, BERLIN)
    with reading(larger[0]) as connection:

        def count(table: Table, *where: Any) -> int:
            return connection.scalar(select(func.count()).select_from(table).where(*where)) or 0

        assert count(tickets, tickets.c.status == "open", tickets.c.first_response_at.is_(None)) > 0
        assert count(shipments, shipments.c.delivered_at.is_(None), shipments.c.promised_day < END) > 0
        assert count(orders, orders.c.payment_status == "pending", orders.c.placed_at > end - timedelta(days=5)) > 0
        assert count(reviews, reviews.c.answered_at.is_(None), reviews.c.written_at > end - timedelta(days=4)) > 0


def test_the_odd_orders_have_about_their_shares(larger: tuple[Engine, dict[str, Any]]) -> None:
    with reading(larger[0]) as connection:

        def share(*where: Any) -> float:
            found = connection.scalar(select(func.count()).select_from(orders).where(*where)) or 0
            return found / (connection.scalar(select(func.count()).select_from(orders)) or 1)

        assert share(orders.c.customer_id.is_(None)) == pytest.approx(0.04, abs=0.004)
        assert share(orders.c.cancelled_at.is_not(None)) == pytest.approx(0.019, abs=0.003)
        assert share(orders.c.payment_status.in_(("pending", "authorized"))) == pytest.approx(0.015, abs=0.006)
        assert share(orders.c.total_minor == 0) > 0.002
        assert share(orders.c.is_test) > 0
        known = connection.scalar(select(func.count(order_items.c.cost_minor))) or 0
        lines = connection.scalar(select(func.count()).select_from(order_items)) or 1
    assert known / lines == pytest.approx(0.93, abs=0.02)


def test_reviews_and_letters_are_seldom_alike(larger: tuple[Engine, dict[str, Any]]) -> None:
    with reading(larger[0]) as connection:
        bodies = [body for body in connection.scalars(select(reviews.c.body)) if body]
        letters = connection.scalars(select(ticket_messages.c.body).where(ticket_messages.c.author == "customer")).all()
        languages = set(connection.scalars(select(reviews.c.language)))
    assert len(set(bodies)) > 0.95 * len(bodies)
    assert len(set(letters)) > 0.85 * len(letters)
    assert languages == {"de", "en"}
    assert not any("{" in body for body in (*bodies, *letters))


def _first_orders(engine: Engine) -> pd.DataFrame:
    """One row per customer who bought: first store day, days to the second occasion, late or not."""
    valid = (
        orders.c.customer_id.is_not(None)
        & orders.c.cancelled_at.is_(None)
        & (orders.c.payment_status != "voided")
        & ~orders.c.is_test
        & (orders.c.gross_minor > orders.c.discount_minor)
    )
    with reading(engine) as connection:
        bought = pd.DataFrame(
            connection.execute(
                select(orders.c.order_id, orders.c.customer_id, orders.c.channel, orders.c.placed_at).where(valid)
            ).all()
        )
        parcels = pd.DataFrame(
            connection.execute(select(shipments.c.order_id, shipments.c.promised_day, shipments.c.delivered_at)).all()
        )
    bought["day"] = [at.astimezone(BERLIN).date() for at in bought["placed_at"]]
    bought = bought.sort_values("placed_at")
    first = bought.drop_duplicates("customer_id").set_index("customer_id")
    occasions = bought.drop_duplicates(["customer_id", "day"])
    second = occasions[occasions.groupby("customer_id").cumcount() == 1].set_index("customer_id")["day"]
    first["gap"] = (pd.to_datetime(second) - pd.to_datetime(first["day"])).dt.days
    parcels = parcels.dropna().drop_duplicates("order_id").set_index("order_id")
    arrived = [at.astimezone(BERLIN).date() for at in parcels["delivered_at"]]
    parcels["delivery"] = [
        "late" if a > p else "on time" for a, p in zip(arrived, parcels["promised_day"], strict=True)
    ]
    return first.join(parcels["delivery"], on="order_id")


def test_repeat_purchases_are_what_the_truth_expects(larger: tuple[Engine, dict[str, Any]]) -> None:
    engine, truth = larger
    first = _first_orders(engine)
    assert len(first) == truth["customers_who_bought"]
    for within in (30, 90, 365):
        mature = first[[day + timedelta(days=within) < END for day in first["day"]]]
        groups = {("all", "all"): mature}
        groups |= {("channel", str(name)): rows for name, rows in mature.groupby("channel")}
        for (dimension, name), rows in groups.items():
            expected = truth["repeat_within"][dimension][name][str(within)]
            assert len(rows) == expected["customers"]
            share = (rows["gap"] <= within).mean()
            assert abs(share - expected["share"]) < 4 * expected["standard_error"], (dimension, name, within)


def test_a_late_first_parcel_goes_with_fewer_second_orders(larger: tuple[Engine, dict[str, Any]]) -> None:
    engine, truth = larger
    first = _first_orders(engine)
    mature = first[[day + timedelta(days=90) < END for day in first["day"]]]
    expected = truth["repeat_within"]["delivery"]
    assert expected["late"]["90"]["share"] < expected["on time"]["90"]["share"]
    for name in ("late", "on time"):
        rows = mature[mature["delivery"] == name]
        assert len(rows) == expected[name]["90"]["customers"]
        share = (rows["gap"] <= 90).mean()
        assert abs(share - expected[name]["90"]["share"]) < 4 * expected[name]["90"]["standard_error"]


def test_carriers_are_as_late_as_the_truth_says(larger: tuple[Engine, dict[str, Any]]) -> None:
    engine, truth = larger
    with reading(engine) as connection:
        parcels = pd.DataFrame(
            connection.execute(
                select(shipments.c.carrier, shipments.c.promised_day, shipments.c.delivered_at, orders.c.placed_at)
                .join(orders, orders.c.order_id == shipments.c.order_id)
                .where(shipments.c.external_id.not_like("P-%-2"))
            ).all()
        ).dropna()
    parcels["placed_day"] = [at.astimezone(BERLIN).date() for at in parcels["placed_at"]]
    for name, expected in truth["carriers"].items():
        before = date.fromisoformat(expected["of_orders_before"])
        rows = parcels[(parcels["carrier"] == name) & (parcels["placed_day"] < before)]
        assert len(rows) == expected["parcels"]
        late = [
            a.astimezone(BERLIN).date() > p for a, p in zip(rows["delivered_at"], rows["promised_day"], strict=True)
        ]
        share = sum(late) / len(late)
        spread = (expected["expected_late_share"] * (1 - expected["expected_late_share"]) / len(late)) ** 0.5
        assert abs(share - expected["expected_late_share"]) < 4 * spread, name


def test_carts_come_back_as_often_as_their_segment_says(larger: tuple[Engine, dict[str, Any]]) -> None:
    engine, truth = larger
    with reading(engine) as connection:
        frame = pd.DataFrame(
            connection.execute(
                select(carts.c.device, carts.c.value_minor, carts.c.last_event_at, carts.c.ordered_at).where(
                    carts.c.contacted_at.is_(None)
                )
            ).all()
        )
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"], utc=True)
    frame["last_event_at"] = pd.to_datetime(frame["last_event_at"], utc=True)
    left = frame[~(frame["ordered_at"] - frame["last_event_at"] <= pd.Timedelta(minutes=60))]
    hour = left["last_event_at"].dt.tz_convert(BERLIN).dt.hour
    time = hour.map(lambda h: "night" if h < 7 else "day" if h < 17 else "evening" if h >= 18 else "between")
    value = pd.cut(left["value_minor"], [0, 3999, 8999, 10**9], labels=["below 40 €", "40 to 90 €", "above 90 €"])
    kinds = set()
    for segment in truth["carts"]["segments"]:
        rows = left[(left["device"] == segment["device"]) & (value == segment["value"]) & (time == segment["time"])]
        chance = segment["returns_unaided"]
        spread = (chance * (1 - chance) / max(len(rows), 1)) ** 0.5
        # Carts drawn to come back keep their chance only if an order was free for them: allow a little more.
        assert abs(rows["ordered_at"].notna().mean() - chance) < 4 * spread + 0.03 or len(rows) < 20, segment
        kinds.add(segment["kind"])
    assert kinds == {"returns anyway", "fence-sitter", "never"}


def test_offers_hold_out_whom_they_say_and_send_them_nothing(larger: tuple[Engine, dict[str, Any]]) -> None:
    engine, truth = larger
    assert len(truth["offers"]) >= 10
    by = (offer_assignments.c.offer_id, offer_assignments.c.arm)
    with reading(engine) as connection:
        arms = connection.execute(
            select(*by, func.count(), func.count(offer_assignments.c.sent_at)).group_by(*by)
        ).all()
    for offer_id, arm, n, sent in arms:
        assert n == truth["offers"][offer_id - 1][arm]
        assert sent == (n if arm == "treatment" else 0)


def test_some_unusual_days_were_noted_and_some_were_not(larger: tuple[Engine, dict[str, Any]]) -> None:
    engine, truth = larger
    with reading(engine) as connection:
        noted = set(connection.scalars(select(annotations.c.starts_day).where(annotations.c.is_unusual)))
    for event in truth["unusual_days"]:
        assert (date.fromisoformat(event["first"]) in noted) is event["is_annotated"]
    assert {event["is_annotated"] for event in truth["unusual_days"]} == {True, False}


def test_the_truth_is_for_its_owner_s_eyes_only(small: tuple[Engine, Settings]) -> None:
    assert stat.S_IMODE((small[1].data_dir / "demo_truth.json").stat().st_mode) == 0o600


def test_a_real_store_is_never_replaced(database: Engine, settings: Settings, store: Store) -> None:
    for replace in (False, True):
        with pytest.raises(Conflict, match="a shop of its own"):
            make_demo(settings, orders=1500, replace=replace)
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(orders)) == 0
        assert read_store(connection, settings).name == "Test store"


def test_orders_without_a_store_row_are_a_real_store_too(database: Engine, settings: Settings) -> None:
    values = {
        "source": "shopify", "external_id": "1", "fingerprint": "f", "number": "1", "currency": "EUR",
        "original_currency": "EUR", "placed_at": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    with writing(database) as connection:
        connection.execute(orders.insert().values(**values))
    with pytest.raises(Conflict):
        make_demo(settings, orders=1500, replace=True)


def test_rows_that_an_import_left_are_never_cleared(database: Engine, settings: Settings) -> None:
    run = {"source": "shopify", "paths": "a.csv", "status": "refused", "counts": {}}
    with writing(database) as connection:
        connection.execute(import_runs.insert().values(started_at=now(), heartbeat_at=now(), **run))
    with pytest.raises(Conflict):
        make_demo(settings, orders=1500, replace=True)
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(import_runs)) == 1


def test_a_demo_with_real_orders_in_it_is_not_replaced(database: Engine, settings: Settings) -> None:
    fill(database, settings, wanted=1500, seed=1, replace=False, end=END)
    with writing(database) as connection:
        connection.execute(orders.update().where(orders.c.order_id == 5).values(source="shopify"))
    before = _rows(database, orders)
    with pytest.raises(Conflict, match="a shop of its own"):
        fill(database, settings, wanted=1500, seed=1, replace=True, end=END)
    assert _rows(database, orders) == before


def test_a_demo_is_replaced_only_when_asked(database: Engine, settings: Settings) -> None:
    fill(database, settings, wanted=1500, seed=1, replace=False, end=END)
    before = _rows(database, orders)
    with pytest.raises(Conflict, match="--replace"):
        fill(database, settings, wanted=1500, seed=2, replace=False, end=END)
    assert _rows(database, orders) == before
    fill(database, settings, wanted=1500, seed=2, replace=True, end=END)
    assert _rows(database, orders) != before
    fill(database, settings, wanted=1500, seed=1, replace=True, end=END)
    assert _rows(database, orders) == before


def test_a_crash_in_the_middle_leaves_nothing(
    database: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(build, "write_tickets", fail)
    with pytest.raises(RuntimeError, match="the power went"):
        fill(database, settings, wanted=1500, seed=1, replace=False, end=END)
    with reading(database) as connection:
        for table in metadata.sorted_tables:
            assert connection.scalar(select(func.count()).select_from(table)) == 0, table.name
    assert not (settings.data_dir / "demo_truth.json").exists()
    monkeypatch.undo()
    fill(database, settings, wanted=1500, seed=1, replace=False, end=END)


def test_the_schema_after_is_the_schema_before(small: tuple[Engine, Settings]) -> None:
    with reading(small[0]) as connection:
        rows = connection.execute(text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'"))
        there = {(table, name) for table, name in rows}
    assert {(t.name, str(i.name)) for t in metadata.sorted_tables for i in t.indexes} <= there


def test_the_command_says_what_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENCORE_DATA_DIR", str(tmp_path / "data"))
    assert main(["demo", "--orders", "1500", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["orders"] == pytest.approx(1500, rel=0.2)
    assert Path(made["truth"]).exists()
    assert main(["demo", "--orders", "1500"]) == 2
    assert "--replace" in capsys.readouterr().err
    assert main(["demo", "--orders", "5"]) == 2
