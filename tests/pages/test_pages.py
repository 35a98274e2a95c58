"""Every page of every store: it opens, says whose data it shows, and never shows a bare error."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from lib.db.engine import order_database, writing
from lib.db.tables.columns import now
from lib.db.tables.store import import_runs, rejected_rows
from lib.settings import Settings, read_settings
from lib.ui.text import plain
from tests.pages.conftest import Open

PAGES = ("", "repeat", "imports", "outbox")


def texts(at: AppTest) -> str:
    """All words of a page."""
    kinds = (
        at.title,
        at.header,
        at.subheader,
        at.markdown,
        at.caption,
        at.text,
        at.html,
        at.error,
        at.warning,
        at.info,
    )
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_every_page_opens_on_every_store(open_page: Open, store: str, page: str) -> None:
    at = open_page(store, page)
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert at.title[0].value == {"": "Today", "repeat": "Repeat", "imports": "Imports", "outbox": "Outbox"}[page]


@pytest.mark.parametrize("page", PAGES)
def test_the_demo_store_is_marked_on_every_page(open_page: Open, page: str) -> None:
    assert "Demo store: invented data" in texts(open_page("demo", page))
    assert "invented data" not in texts(open_page("single", page))


@pytest.mark.parametrize("page", PAGES)
def test_freshness_is_on_every_page(open_page: Open, page: str) -> None:
    assert "refreshed" in texts(open_page("demo", page))


@pytest.mark.parametrize("page", ["", "repeat"])
def test_a_store_without_orders_says_what_to_do(open_page: Open, page: str) -> None:
    words = texts(open_page("empty", page))
    assert "No orders yet" in words
    assert "Import your shop's export" in words


def test_a_single_order_is_a_small_sample(open_page: Open) -> None:
    at = open_page("single")
    assert "Small sample: 1 case" in texts(at)
    assert {metric.label: metric.value for metric in at.metric}["Net sales"] == "€25.00"


def test_the_period_in_the_url_is_the_period_of_the_page(open_page: Open) -> None:
    week, quarter = open_page("demo", period="7d"), open_page("demo", period="90d")
    sales = [{m.label: m.value for m in at.metric}["Net sales"] for at in (week, quarter)]
    assert sales[0] != sales[1]


def test_a_url_that_makes_no_sense_shows_the_usual_period(open_page: Open) -> None:
    odd = open_page("demo", period="<script>", compare="nobody", channel="' OR 1=1")
    usual = open_page("demo")
    assert not odd.exception
    assert [m.value for m in odd.metric] == [m.value for m in usual.metric]


def test_a_comparison_of_none_shows_no_change(open_page: Open) -> None:
    at = open_page("demo", compare="None")
    assert not at.exception
    assert all(not metric.delta for metric in at.metric)


def test_a_channel_narrows_the_figures(open_page: Open) -> None:
    whole = open_page("demo")
    channel = next(box for box in whole.selectbox if box.label == "Channel")
    name = str(channel.options[1])
    part = open_page("demo", channel=name)
    orders = [int({m.label: m.value for m in at.metric}["Orders"].replace(",", "")) for at in (whole, part)]
    assert 0 < orders[1] < orders[0]


def test_words_from_data_are_not_read_as_markup() -> None:
    assert plain("a *b* [c](x) <i> $1$ :red[x]") == r"a \*b\* \[c\]\(x\) \<i\> \$1\$ \:red\[x\]"


def test_addresses_in_words_from_data_become_no_links() -> None:
    # Markdown makes links of bare addresses, escaped or not: a sign without width keeps them from being one.
    assert plain("ann@shop.test http://x.test www.x.test") == (
        "ann@\u2060shop\\.test http\\://\u2060x\\.test www\u2060\\.x\\.test"
    )


def test_orders_that_an_import_could_not_read_are_told_of(
    stores: dict[str, Settings], tmp_path: Path, open_page: Open
) -> None:
    data = tmp_path / "data"
    shutil.copytree(stores["single"].data_dir, data)
    spoilt = read_settings({"ENCORE_DATA_DIR": str(data)})
    at = now()
    with writing(order_database(spoilt)) as connection:
        connection.execute(
            insert(import_runs).values(
                import_run_id=1, source="shopify", paths="o.csv", started_at=at, heartbeat_at=at, counts={}
            )
        )
        connection.execute(
            insert(rejected_rows).values(
                import_run_id=1,
                source="shopify",
                kind="order",
                file="o.csv",
                line=2,
                external_id="#9",
                reason="31 April is no day",
                text="=cmd",
                fingerprint="9",
                amount_minor=2500,
                created_at=at,
            )
        )
    page = open_page(data)
    assert "1 order is missing from these figures, about 50.0% of net sales" in texts(page)
    assert "1 row could not be trusted" in texts(open_page(data, "imports"))
