"""Every page of every store: it opens, says whose data it shows, and never shows a bare error."""

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui.text import plain
from tests.pages.conftest import Open

PAGES = ("", "repeat", "imports")


def texts(at: AppTest) -> str:
    """All words of a page."""
    kinds = (at.title, at.header, at.subheader, at.markdown, at.caption, at.text, at.error, at.warning, at.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("store", ["demo", "empty", "single"])
def test_every_page_opens_on_every_store(open_page: Open, store: str, page: str) -> None:
    at = open_page(store, page)
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert at.title[0].value == {"": "Today", "repeat": "Repeat", "imports": "Imports"}[page]


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
    assert plain("a *b* [c](http://x) <i> $1$ :red[x]") == (r"a \*b\* \[c\]\(http\://x\) \<i\> \$1\$ \:red\[x\]")
