"""An audience is kept, checked and told in words."""

import json

import pytest

from lib.audience import Audience, Rule
from lib.errors import InvalidInput


def test_an_audience_comes_back_from_json_as_it_went() -> None:
    audience = Audience(
        (
            Rule(field="purchases", least=1, most=1),
            Rule(field="country", any_of=("DE", "AT"), is_not=True),
            Rule(field="has_open_ticket", is_not=True),
        )
    )
    assert Audience.from_json(json.loads(json.dumps(audience.to_json()))) == audience


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(field="purchases", least=1, most=1), "purchases so far 1"),
        (Rule(field="purchases", least=2), "purchases so far 2 or more"),
        (Rule(field="days_since_last", least=20, most=75, is_not=True), "days since the last purchase not 20 to 75"),
        (Rule(field="lifecycle", any_of=("at_risk", "lapsed")), "lifecycle is at risk or lapsed"),
        (Rule(field="has_open_ticket", is_not=True), "not: has an open ticket"),
    ],
)
def test_a_rule_is_told_in_words(rule: Rule, words: str) -> None:
    assert rule.checked().words() == words


def test_amounts_are_told_as_money() -> None:
    assert Rule(field="spent", least=5_000).words({5_000: "€50.00"}) == "net sales so far €50.00 or more"


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"field": "shoe_size", "least": 1},
        {"field": "country"},
        {"field": "purchases"},
        {"field": "purchases", "least": 3, "most": 2},
        {"field": "purchases", "least": "3"},
        {"field": "purchases", "any_of": ["3"]},
        {"field": "lifecycle", "any_of": ["rich"]},
        {"field": "has_consent", "least": 1},
        "purchases",
        None,
    ],
)
def test_what_is_no_rule_is_refused(kept: object) -> None:
    with pytest.raises(InvalidInput):
        Audience.from_json([kept])


def test_what_is_no_list_is_no_audience() -> None:
    with pytest.raises(InvalidInput):
        Audience.from_json({"purchases": "exactly one"})
