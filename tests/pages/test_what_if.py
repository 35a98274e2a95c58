"""The what-if: its sliders, its answer, and what it says when it cannot answer."""

import pytest

from tests.pages.conftest import Open
from tests.pages.test_pages import texts


def cards(at: object) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}  # type: ignore[attr-defined]  # an AppTest


def test_the_break_even_comes_first_and_the_rest_is_called_assumed(open_page: Open) -> None:
    at = open_page("demo", "what_if")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    assert "It pays when" in words
    assert "This needs no assumption" in words
    assert "Driven by assumptions" in words
    assert list(cards(at))[:4] == ["Pays from", "Profit", "Chance of profit", "Added orders"]


def test_a_deeper_reward_needs_more_buyers(open_page: Open) -> None:
    at = open_page("demo", "what_if")
    before = float(cards(at)["Pays from"].strip("+%"))
    at.slider(key="if_percent").set_value(20.0).run()
    assert not at.exception
    assert float(cards(at)["Pays from"].strip("+%")) > before
    at.slider(key="if_percent").set_value(80.0).run()
    assert cards(at)["Pays from"] == "never"
    assert "It never pays" in texts(at)


def test_the_url_holds_the_sliders(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_percent="25", if_delay="30", if_group="After the first order")
    assert "25% off, 30 days after the delivery, valid 30 days; After the first order" in texts(at)


def test_a_url_that_makes_no_sense_shows_the_usual_sliders(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_percent="<b>", if_moment="never", if_group="x", if_delay="-5", if_reach="900")
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert cards(at) == cards(open_page("demo", "what_if"))


@pytest.mark.parametrize("reward", ["Amount off", "Free shipping", "Gift", "Points", "No reward"])
@pytest.mark.parametrize("look", ["What matters most", "Depth and delay", "Best offer", "Wished profit"])
def test_every_reward_has_every_look(open_page: Open, reward: str, look: str) -> None:
    at = open_page("demo", "what_if", if_reward=reward, if_look=look)
    assert not at.exception
    assert [error.value for error in at.error] == []


@pytest.mark.parametrize("moment", ["Shipped", "Ordered", "Late", "Cart left"])
def test_every_moment_answers_or_says_why_not(open_page: Open, moment: str) -> None:
    at = open_page("demo", "what_if", if_moment=moment)
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert len(at.metric) == 8 or len(at.info) == 1


def test_days_that_nobody_was_followed_for_are_refused_in_words(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_delay="180", if_expiry="90", if_moment="Late")
    assert not at.exception
    assert "shorter delay or expiry" in "".join(info.value for info in at.info) or len(at.metric) == 8


def test_an_edited_assumption_is_called_ones_own_and_can_be_reset(open_page: Open) -> None:
    at = open_page("demo", "what_if")
    before = cards(at)["Profit"]
    at.number_input(key="if_a_contact").set_value(0.4).run()
    assert "Your own assumptions" in texts(at)
    assert cards(at)["Profit"] != before
    at.button(key="if_a_reset").click().run()
    assert cards(at)["Profit"] == before
    assert "Driven by assumptions" in texts(at)


def test_a_store_of_one_order_says_what_is_missing(open_page: Open) -> None:
    at = open_page("single", "what_if")
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert len(at.info) == 1


def test_a_store_without_orders_says_what_to_do(open_page: Open) -> None:
    assert "No orders yet" in texts(open_page("empty", "what_if"))


def test_the_best_offer_can_be_put_on_the_sliders(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_look="Best offer", if_percent="30")
    use = [button for button in at.button if button.key == "if_use_best"]
    assert len(use) == 1
    use[0].click().run()
    assert not at.exception
    assert at.slider(key="if_percent").value in (0.0, 2.5, 5.0, 7.5, 10.0, 12.5)
    assert float(cards(at)["Chance of profit"].strip("%")) > 50
