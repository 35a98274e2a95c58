"""Whom an audience holds: exact numbers over a mart filled by hand."""

from collections.abc import Iterator
from datetime import date
from itertools import count as counting
from typing import Any

import pytest

from lib.audience import FIELDS, Ask, Audience, Rule
from lib.errors import InvalidInput
from lib.mart.schema import dim_customer, fact_item, fact_order, product_day
from lib.mart.snapshot import Snapshot
from lib.metrics import audience as metric
from lib.metrics.audience import Care, Step
from lib.periods import day_index
from lib.stats.rfm import Rank, score
from tests.mart_by_hand import MartByHand

TODAY = date(2026, 3, 10)
NOW = day_index(TODAY)
VERSIONS = counting(1)
PEOPLE: list[dict[str, Any]] = [
    {"customer_id": 1, "occasions": 1, "last_day": NOW - 5, "net_minor": 1_000, "last_country": "DE", "language": "de"},
    {
        "customer_id": 2,
        "occasions": 3,
        "last_day": NOW - 50,
        "net_minor": 9_000,
        "last_country": "AT",
        "language": "de",
    },
    {"customer_id": 3, "occasions": 2, "last_day": NOW - 400, "net_minor": -500, "last_country": None},
    {
        "customer_id": 4,
        "occasions": 1,
        "last_day": NOW - 9,
        "net_minor": 4_000,
        "last_country": "DE",
        "is_erased": True,
    },
    {"customer_id": 5, "occasions": 0},
]
FACTS: dict[int, dict[str, Any]] = {
    1: {"has_consent": True, "has_address": True, "last_is_late": True, "last_rating": 2, "has_open_ticket": True},
    2: {"has_consent": True, "has_address": True, "last_is_late": False, "last_rating": 5, "late_parcel_day": NOW - 3},
    3: {"has_consent": False, "has_address": True, "is_member": True, "late_parcel_day": NOW - 61},
    5: {"has_consent": True, "has_address": True},
}


@pytest.fixture
def mart() -> Iterator[Snapshot]:
    by_hand = MartByHand(next(VERSIONS))
    for person in PEOPLE:
        first = {"first_day": person["last_day"] - 10 * (person["occasions"] - 1)} if person["occasions"] else {}
        by_hand.add(dim_customer, [{**person, **first, **FACTS.get(person["customer_id"], {})}])
    lines = [
        (1, "Kitchen", "Mug"),
        (2, "Kitchen", "Bowl"),
        (2, "Tea", "Assam"),
        (3, "Tea", "Assam"),
        (5, "Tea", "Assam"),
    ]
    by_hand.add(
        fact_item,
        [
            {
                "order_item_id": place,
                "customer_id": who,
                "category": category,
                "product": product,
                "is_valid": who != 5,
            }
            for place, (who, category, product) in enumerate(lines)
        ],
    )
    by_hand.add(
        product_day,
        [
            {"dimension": "all", "slice": "all", "day": NOW, "product": product, "category": category, "orders": orders}
            for product, category, orders in (("Mug", "Kitchen", 1), ("Bowl", "Kitchen", 1), ("Assam", "Tea", 3))
        ],
    )
    yield by_hand.snapshot()


def held(mart: Snapshot, *rules: Rule) -> set[int]:
    return metric.is_in(mart, Audience(rules), range(10), TODAY)


def test_without_rules_it_is_everybody_who_bought_but_who_was_erased(mart: Snapshot) -> None:
    assert held(mart) == {1, 2, 3}
    assert metric.count(mart, Audience(), TODAY) == 3


@pytest.mark.parametrize(
    ("rule", "members", "others"),
    [
        (Rule(field="purchases", least=2), {2, 3}, {1}),
        (Rule(field="purchases", most=2), {1, 3}, {2}),
        (Rule(field="days_since_last", least=5, most=50), {1, 2}, {3}),
        (Rule(field="days_since_first", least=70), {2, 3}, {1}),
        (Rule(field="spent", least=0, most=1_000), {1}, {2, 3}),
        # Of whom it is not known meets neither the rule nor its opposite.
        (Rule(field="country", any_of=("DE", "CH")), {1}, {2}),
        (Rule(field="language", any_of=("de",)), {1, 2}, set()),
        (Rule(field="rating", most=3), {1}, {2}),
        # What is not known is no.
        (Rule(field="was_late"), {1}, {2, 3}),
        (Rule(field="has_open_ticket"), {1}, {2, 3}),
        (Rule(field="has_open_return"), set(), {1, 2, 3}),
        (Rule(field="is_member"), {3}, {1, 2}),
        (Rule(field="has_consent"), {1, 2}, {3}),
        (Rule(field="bought_category", any_of=("Tea",)), {2, 3}, {1}),
        (Rule(field="bought_category", any_of=("Tea", "Kitchen")), {1, 2, 3}, set()),
        (Rule(field="bought_product", any_of=("Mug", "Spoon")), {1}, {2, 3}),
        # Too few to be compared, and too few who came back: nobody can be told.
        (Rule(field="monetary_score", least=1), set(), set()),
        (Rule(field="lifecycle", any_of=("new", "lapsed")), set(), set()),
    ],
)
def test_a_rule_holds_whom_it_says_and_turned_round_the_others(
    mart: Snapshot, rule: Rule, members: set[int], others: set[int]
) -> None:
    assert held(mart, rule) == members
    turned = Rule(field=rule.field, any_of=rule.any_of, least=rule.least, most=rule.most, is_not=True)
    assert held(mart, turned) == others


def test_all_rules_must_hold_and_each_says_what_it_leaves(mart: Snapshot) -> None:
    rules = (Rule(field="has_consent"), Rule(field="purchases", least=2), Rule(field="country", any_of=("DE",)))
    found = metric.funnel(mart, Audience(rules), TODAY)
    assert found.everyone == 3
    assert found.steps == (
        Step(rule=rules[0], alone=2, left=2),
        Step(rule=rules[1], alone=2, left=1),
        Step(rule=rules[2], alone=1, left=0),
    )
    assert found.count == 0 == metric.count(mart, Audience(rules), TODAY)
    assert metric.funnel(mart, Audience(), TODAY).count == 3


def test_the_overlap_with_others_is_counted(mart: Snapshot) -> None:
    mine = Audience((Rule(field="has_consent"),))
    others = [Audience(), Audience((Rule(field="purchases", least=2),)), Audience((Rule(field="is_member"),))]
    assert metric.overlaps(mart, mine, others, TODAY) == [2, 1, 0]
    assert metric.overlaps(mart, mine, [], TODAY) == []


def test_members_come_batch_by_batch_in_the_order_of_their_keys(mart: Snapshot) -> None:
    batches = list(metric.members(mart, Audience(), TODAY, rows=2))
    assert [one for batch in batches for one in batch["customer_id"]] == [1, 2, 3]
    assert max(len(batch) for batch in batches) <= 2048  # the engine's own least
    first = batches[0].to_dict("records")[0]
    assert (first["purchases"], first["days_since_last"], first["net_minor"], first["country"]) == (1, 5, 1_000, "DE")
    assert list(metric.page(mart, Audience(), TODAY, offset=1, limit=1)["customer_id"]) == [1]


def test_what_speaks_against_a_message_is_told_of_groups_and_of_single_customers(mart: Snapshot) -> None:
    nothing = {"has_late_parcel": False, "has_open_ticket": False, "has_open_return": False, "is_due": False}
    asks = Care(has_address=True, has_consent=True, **nothing | {"has_open_ticket": True}, customers=1)
    waits = Care(has_address=True, has_consent=True, **nothing | {"has_late_parcel": True}, customers=1)
    # Her parcel was promised 61 days ago: nothing will be heard of it any more.
    silent = Care(has_address=True, has_consent=False, **nothing, customers=1)
    found = metric.care(mart, Audience(), TODAY)
    assert len(found) == 3 and all(one in found for one in (asks, waits, silent))
    assert metric.care_of(mart, Audience((Rule(field="purchases", least=2),)), [1, 2, 4], TODAY) == {2: waits}
    assert metric.care_of(mart, Audience(), [], TODAY) == {}


def test_the_values_to_choose_from_are_the_stores_own_the_most_frequent_first(mart: Snapshot) -> None:
    assert metric.options(mart, "bought_product") == ["Assam", "Bowl", "Mug"]
    assert metric.options(mart, "bought_category") == ["Tea", "Kitchen"]
    assert metric.options(mart, "country") == ["AT", "DE"]
    assert metric.options(mart, "lifecycle") == ["new", "active", "due", "at_risk", "lapsed"]
    assert metric.options(mart, "purchases") == []


def test_every_field_can_be_asked(mart: Snapshot) -> None:
    for field in FIELDS.values():
        match field.ask:
            case Ask.YES:
                rule = Rule(field=field.name)
            case Ask.ONE_OF:
                rule = Rule(field=field.name, any_of=(field.values or ("x",))[:1])
            case _:
                rule = Rule(field=field.name, least=1)
        assert metric.count(mart, Audience((rule,)), TODAY) <= 3
    with pytest.raises(InvalidInput):
        metric.count(mart, Audience((Rule(field="country"),)), TODAY)


def test_scores_are_those_of_the_statistic_for_every_customer() -> None:
    by_hand = MartByHand(next(VERSIONS))
    people = [
        {
            "customer_id": key,
            "occasions": 1 if key % 3 else 2 + key % 7,
            "last_day": NOW - (key * 37) % 90,
            "net_minor": (key * key * 13) % 500,
        }
        for key in range(1, 241)
    ]
    by_hand.add(dim_customer, people)
    mart = by_hand.snapshot()
    found: dict[int, list[int | None]] = {person["customer_id"]: [None, None, None] for person in people}
    for place, field in enumerate(("recency_score", "frequency_score", "monetary_score")):
        for value in range(1, 6):
            for one in metric.is_in(mart, Audience((Rule(field=field, least=value, most=value),)), found, TODAY):
                found[one][place] = value
    for person in people:
        group = [other for other in people if (other["occasions"] == 1) == (person["occasions"] == 1)]

        def rank(name: str, person: dict[str, int] = person, group: list[dict[str, int]] = group) -> Rank:
            values = [other[name] for other in group]
            worse = sum(value < person[name] for value in values)
            return Rank(worse=worse, level=values.count(person[name]), of=len(values))

        expected = score(rank("last_day"), rank("occasions") if person["occasions"] > 1 else None, rank("net_minor"))
        assert expected is not None
        assert found[person["customer_id"]] == [expected.recency, expected.frequency, expected.money]


def test_lifecycle_follows_how_long_this_stores_customers_take_to_come_back() -> None:
    by_hand = MartByHand(next(VERSIONS))
    # 100 came back 10 to 109 days after their first purchase, long ago; 100 never did.
    orders: list[dict[str, Any]] = []
    for key in range(1, 201):
        gap = 9 + key if key <= 100 else None
        for occasion, day in enumerate([NOW - 800, *([NOW - 800 + gap] if gap else [])], start=1):
            orders.append(
                {
                    "order_id": len(orders),
                    "customer_id": key,
                    "day": day,
                    "occasion": occasion,
                    "next_gap": gap if occasion == 1 else None,
                    "is_valid": True,
                    "is_first_of_day": True,
                }
            )
    by_hand.add(fact_order, orders)
    waiting = {1: 59, 2: 60, 3: 89, 4: 90, 5: 104, 6: 105}
    by_hand.add(
        dim_customer,
        [{"customer_id": key, "occasions": 1, "last_day": NOW - days} for key, days in waiting.items()],
    )
    mart = by_hand.snapshot()

    def at(*stages: str) -> set[int]:
        return metric.is_in(mart, Audience((Rule(field="lifecycle", any_of=stages),)), range(10), TODAY)

    assert metric.reorder_windows(mart, TODAY)[1] == (60, 89)
    assert {stage: at(stage) for stage in ("new", "due", "at_risk", "lapsed")} == {
        "new": {1},
        "due": {2, 3},
        "at_risk": {4, 5},
        "lapsed": {6},
    }
    assert at("new", "lapsed") == {1, 6}
    assert [one.is_due for one in metric.care_of(mart, Audience(), [1, 2, 3, 4], TODAY).values()] == [
        False,
        True,
        True,
        False,
    ]
