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
    # The made-up store's finished offers have taught it.
    assert "of your offers" in words
    assert "Learned from “" in words
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
    assert "Your own assumptions" not in texts(at)


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


def test_four_scenarios_stand_side_by_side(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_look="Side by side")
    for depth in (5.0, 15.0, 25.0):
        at.slider(key="if_percent").set_value(depth).run()
        at.button(key="if_keep").click().run()
    at.slider(key="if_percent").set_value(30.0).run()
    assert not at.exception
    shown = at.dataframe[0].value
    assert list(shown["Scenario"]) == [
        "Now: 30% off · day 14",
        "A: 5% off · day 14",
        "B: 15% off · day 14",
        "C: 25% off · day 14",
    ]
    assert at.button(key="if_keep").disabled
    at.button(key="if_use_0").click().run()
    assert at.slider(key="if_percent").value == 5.0
    at.button(key="if_drop_1").click().run()
    assert list(at.dataframe[0].value["Scenario"])[1:] == ["A: 5% off · day 14", "B: 25% off · day 14"]


def test_a_strange_scenario_in_the_address_is_passed_over(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_look="Side by side", beside="' OR 1=1")
    assert not at.exception
    assert len(at.dataframe[0].value) == 1


@pytest.mark.parametrize("number", ["999", "x", "-1", "9" * 40])
def test_a_link_to_nothing_says_so_or_is_passed_over(open_page: Open, number: str) -> None:
    at = open_page("demo", "what_if", saved=number)
    assert not at.exception
    assert [error.value for error in at.error] == []
    assert len(at.metric) == 8
    assert len(at.warning) == (1 if number == "999" else 0)


def test_a_store_that_saved_nothing_says_how_to(open_page: Open) -> None:
    at = open_page("single", "what_if", if_view="Saved")
    assert not at.exception
    assert "Nothing saved yet" in texts(at)


def test_the_scoreboard_sets_forecasts_against_what_came(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_view="Scoreboard")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    assert "Forecast against actual" in words
    assert "What your offers taught" in words
    assert "Context, never evidence" in words


def test_a_store_without_offers_has_an_empty_scoreboard(open_page: Open) -> None:
    at = open_page("single", "what_if", if_view="Scoreboard")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    assert "has come due yet, so none is scored" in words
    assert "Nothing yet" in words


def test_delivery_and_returns_say_how_much_must_be_cause(open_page: Open) -> None:
    at = open_page("demo", "what_if", if_view="Delivery and returns")
    assert not at.exception
    assert [error.value for error in at.error] == []
    words = texts(at)
    assert words.count("like compared with like") == 2
    assert words.count("How much of it is cause is assumed") == 2
    assert "of the relation" in words
    before = [metric.value for metric in at.metric if metric.label == "Profit a year"]
    at.slider(key="if_late_then").set_value(0.0).run()
    after = [metric.value for metric in at.metric if metric.label == "Profit a year"]
    assert after[0] != before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize("store", ["single", "empty"])
def test_delivery_and_returns_of_hardly_any_orders_say_what_is_missing(open_page: Open, store: str) -> None:
    at = open_page(store, "what_if", if_view="Delivery and returns")
    assert not at.exception
    assert [error.value for error in at.error] == []
