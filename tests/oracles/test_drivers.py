"""The worked example of what moved net sales."""

import pytest

from lib.stats.drivers import shapley


def test_a_tenth_more_customers_an_eleventh_fewer_orders_a_tenth_more_value_add_up_to_655() -> None:
    parts = shapley(
        {"customers": 100, "orders_per_customer": 1.2, "average_order_value": 50},
        {"customers": 110, "orders_per_customer": 1.1, "average_order_value": 55},
    )
    assert parts["customers"] == pytest.approx(603.33, abs=5e-3)
    assert parts["orders_per_customer"] == pytest.approx(-551.67, abs=5e-3)
    assert parts["average_order_value"] == pytest.approx(603.33, abs=5e-3)
    assert sum(parts.values()) == pytest.approx(655.0, abs=1e-9)
