"""Laws of what moved a total: the parts add up, no factor is preferred, rounding loses nothing."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.stats.drivers import mix_and_rate, sales_drivers, shapley, whole_parts

amount = st.integers(-10_000_000, 10_000_000)
count = st.integers(0, 5_000)
factors = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=4)


def product(values: list[float]) -> float:
    result = 1.0
    for value in values:
        result *= value
    return result


@settings(deadline=None)  # a busy machine is no failure
@given(factors)
def test_the_parts_add_up_to_the_difference(pairs: list[tuple[float, float]]) -> None:
    before = {str(index): pair[0] for index, pair in enumerate(pairs)}
    after = {str(index): pair[1] for index, pair in enumerate(pairs)}
    difference = product([pair[1] for pair in pairs]) - product([pair[0] for pair in pairs])
    scale = product([max(abs(pair[0]), abs(pair[1]), 1.0) for pair in pairs])
    assert sum(shapley(before, after).values()) == pytest.approx(difference, abs=1e-12 * scale)


@settings(deadline=None)  # a busy machine is no failure
@given(factors)
def test_no_factor_is_preferred_and_going_back_undoes_going_forth(pairs: list[tuple[float, float]]) -> None:
    before = {str(index): pair[0] for index, pair in enumerate(pairs)}
    after = {str(index): pair[1] for index, pair in enumerate(pairs)}
    scale = product([max(abs(pair[0]), abs(pair[1]), 1.0) for pair in pairs])
    parts = shapley(before, after)
    turned = shapley(dict(reversed(before.items())), dict(reversed(after.items())))
    back = shapley(after, before)
    for name, part in parts.items():
        assert turned[name] == pytest.approx(part, abs=1e-12 * scale)
        assert back[name] == pytest.approx(-part, abs=1e-12 * scale)
        if before[name] == after[name]:
            assert part == 0


@settings(deadline=None)  # a busy machine is no failure
@given(customers=st.tuples(count, count), more=st.tuples(count, count), net=st.tuples(amount, amount), unknown=amount)
def test_sales_drivers_add_up_to_the_cent_with_empty_periods_and_refunds_alone(
    customers: tuple[int, int], more: tuple[int, int], net: tuple[int, int], unknown: int
) -> None:
    before, after = (
        {
            "customers": customers[period],
            "orders": customers[period] + more[period] if customers[period] else 0,
            "net": net[period],
            "unknown_net": unknown * period,
        }
        for period in (0, 1)
    )
    total = net[1] - net[0] + unknown
    parts = sales_drivers(before, after)
    assert sum(parts.values()) == pytest.approx(total, abs=1e-4)
    cents = whole_parts(parts, total)
    assert sum(cents.values()) == total
    assert all(abs(cents[name] - parts[name]) < 1.001 for name in parts)


def test_a_first_period_without_customers_lays_all_on_customers() -> None:
    parts = sales_drivers(
        {"customers": 0, "orders": 0, "net": 0, "unknown_net": 500},
        {"customers": 10, "orders": 15, "net": 30_000, "unknown_net": 200},
    )
    assert parts == pytest.approx(
        {"customers": 30_000, "orders_per_customer": 0, "average_order_value": 0, "unknown_customers": -300}
    )


segments = st.dictionaries(st.sampled_from("abcdef"), st.tuples(count, amount), max_size=6)


def frame(rows: dict[str, tuple[int, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [(name, volume, value) for name, (volume, value) in rows.items()], columns=["segment", "volume", "amount"]
    )


@settings(deadline=None)  # a busy machine is no failure
@given(before=segments, after=segments)
def test_every_segment_adds_up_to_its_change_and_all_to_the_difference(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> None:
    split = mix_and_rate(frame(before), frame(after))
    assert set(split["segment"]) == before.keys() | after.keys()
    parts = split[["volume", "mix", "rate", "other"]].sum(axis=1)
    assert parts.tolist() == pytest.approx(split["change"].tolist(), abs=1e-4)
    difference = sum(value for _, value in after.values()) - sum(value for _, value in before.values())
    assert split["change"].sum() == pytest.approx(difference, abs=1e-4)


def test_a_shift_to_the_cheaper_channel_is_mix_and_a_lower_price_is_rate() -> None:
    shifted = mix_and_rate(
        frame({"web": (50, 5_000), "market": (50, 2_500)}), frame({"web": (30, 3_000), "market": (70, 3_500)})
    )
    assert shifted["mix"].sum() == pytest.approx(-1_000)
    assert shifted["rate"].abs().sum() + shifted["volume"].abs().sum() == pytest.approx(0, abs=1e-9)
    cheaper = mix_and_rate(frame({"web": (50, 5_000)}), frame({"web": (50, 4_000)}))
    assert cheaper["rate"].tolist() == pytest.approx([-1_000])


def test_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="different factors"):
        shapley({"a": 1}, {"b": 1})
    with pytest.raises(ValueError, match="missing"):
        shapley({"a": 1}, {"a": float("nan")})
    with pytest.raises(ValueError, match="not to 9"):
        whole_parts({"a": 1.0, "b": 2.0}, 9)
