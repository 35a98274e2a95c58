"""The expected range on a real store: UCI Online Retail, day by day (skipped where the data is absent)."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lib.stats.expected_range import expected_range

FILE = Path(os.environ.get("ENCORE_TEST_DATA", "../shared/data")) / "online_retail" / "online_retail_2010_2011.csv.gz"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="Online Retail is not here: set ENCORE_TEST_DATA")

SATURDAY = 2  # days since 1970-01-01 that leave 2 when divided by 7; the store is shut on them


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    lines = pd.read_csv(FILE, usecols=["InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice"], dtype={"InvoiceNo": str})
    lines["day"] = (pd.to_datetime(lines["InvoiceDate"]) - pd.Timestamp("1970-01-01")).dt.days
    return lines


def daily(lines: pd.DataFrame, totals: "pd.Series[float]") -> tuple[pd.DataFrame, set[int]]:
    """Every day but the last, which is not whole, and the days other than Saturdays on which the store was shut."""
    days = np.arange(lines["day"].min(), lines["day"].max())
    shut = set(days.tolist()) - set(lines["day"])
    return pd.DataFrame({"day": days, "value": totals.reindex(days).fillna(0.0).to_numpy()}), {
        day for day in shut if day % 7 != SATURDAY
    }


def test_5_0_percent_of_the_days_of_net_sales_lie_outside_the_95_percent_range(lines: pd.DataFrame) -> None:
    net = (lines["Quantity"] * lines["UnitPrice"]).groupby(lines["day"]).sum()
    series, shut = daily(lines, net)
    frame = expected_range(series, kind="money", holidays=shut).dropna(subset="p")
    assert len(frame) == 282
    assert frame["is_outside"].mean() == pytest.approx(0.0496, abs=0.011)
    assert frame["is_alert"].sum() <= 4


def test_2_to_6_percent_of_the_days_of_orders_lie_outside_it(lines: pd.DataFrame) -> None:
    sold = lines[(lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)]
    series, shut = daily(lines, sold.groupby("day")["InvoiceNo"].nunique().astype(float))
    frame = expected_range(series, kind="count", holidays=shut).dropna(subset="p")
    assert 0.01 <= frame["is_outside"].mean() <= 0.06
