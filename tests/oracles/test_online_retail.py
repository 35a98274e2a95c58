"""UCI Online Retail (CC BY 4.0): the file's published figures, and Encore's own way from each to the next."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib.importers.files import source_files
from lib.importers.online_retail import read
from lib.importers.records import OrderRecord, ReadContext, RefundRecord, Rejected
from lib.settings import ROOT

SAMPLE = ROOT / "data" / "samples" / "online_retail_2010-12-01_02.csv"


@dataclass
class Sums:
    """What all records of a file come to, in pence."""

    orders: Counter[str] = field(default_factory=Counter)
    refunds: Counter[str] = field(default_factory=Counter)
    money: Counter[str | tuple[str, str]] = field(default_factory=Counter)
    customers: set[str] = field(default_factory=set)
    buyers: set[str] = field(default_factory=set)
    valid_buyers: set[str] = field(default_factory=set)
    countries: set[str] = field(default_factory=set)
    rejected: int = 0


def add_up(path: Path) -> Sums:
    context = ReadContext(time_zone="Europe/London")
    sums = Sums()
    for record in read(source_files([path], context), context):
        if isinstance(record, Rejected):
            sums.rejected += 1
            continue
        known = record.customer.external_id if record.customer else ""
        if known:
            sums.customers.add(known)
        if isinstance(record, OrderRecord):
            sums.countries.add(record.country or record.region or "")
            who = "known" if known else "unknown"
            sums.orders["all"] += 1
            sums.orders["zero value"] += record.total_minor == 0
            sums.orders["of fees or postage only"] += record.gross_minor == 0 < record.total_minor
            sums.orders["valid, " + who] += record.gross_minor > 0
            if known and record.gross_minor > 0:
                sums.valid_buyers.add(known)
            if record.total_minor > 0:
                sums.orders[who] += 1
                if known:
                    sums.buyers.add(known)
            sums.money["goods", who] += record.gross_minor
            sums.money["shipping", who] += record.shipping_minor
            sums.money["fees", who] += record.fees_minor
        else:
            assert isinstance(record, RefundRecord)
            sums.refunds[record.external_id[0]] += 1
            sums.money["goods refunded"] += record.goods_minor
            sums.money["shipping refunded"] += record.shipping_minor
            sums.money["fees refunded"] += record.fees_minor
    return sums


@pytest.fixture(scope="module")
def sums(real_data: Callable[[str], Path]) -> Sums:
    return add_up(real_data("online_retail/online_retail_2010_2011.csv.gz"))


def test_every_invoice_customer_and_country_is_there_and_nothing_is_rejected(sums: Sums) -> None:
    assert sums.orders["all"] + sums.refunds.total() == 25_900
    assert sums.refunds == {"C": 3_836, "A": 3}
    assert (len(sums.customers), len(sums.countries), sums.rejected) == (4_372, 38, 0)


def test_the_money_of_all_rows_is_accounted_for_to_the_penny(sums: Sums) -> None:
    money = sums.money
    sold = sum(value for kind, value in money.items() if isinstance(kind, tuple))
    refunded = money["goods refunded"] + money["shipping refunded"] + money["fees refunded"]
    assert sold - refunded == 9_747_747_93


def test_the_usual_subset_of_known_customers_is_reproduced(sums: Sums) -> None:
    """Customer known, not cancelled, quantity and price above zero."""
    known = sum(sums.money[kind, "known"] for kind in ("goods", "shipping", "fees"))
    assert (sums.orders["known"], len(sums.buyers), known) == (18_532, 4_338, 8_911_407_90)


def test_encores_own_orders_and_net_sales_differ_by_these_amounts(sums: Sums) -> None:
    """The bridge of docs/how-encore-counts.md."""
    money = sums.money
    both = {kind: money[kind, "known"] + money[kind, "unknown"] for kind in ("goods", "shipping", "fees")}
    assert both == {"goods": 10_271_433_06, "shipping": 291_401_65, "fees": 92_787_77}
    assert money["goods refunded"] == 478_724_18
    assert money["shipping refunded"] == 11_939_53
    assert money["fees refunded"] == 417_210_84
    assert both["goods"] - money["goods refunded"] == 9_792_708_88
    assert sums.orders["all"] == 22_061
    assert sums.orders["zero value"] == 2_102
    assert sums.orders["known"] + sums.orders["unknown"] == 19_959
    assert sums.orders["of fees or postage only"] == 186
    assert (sums.orders["valid, known"], sums.orders["valid, unknown"], len(sums.valid_buyers)) == (
        18_402,
        1_371,
        4_334,
    )


def test_the_document_states_these_amounts(sums: Sums) -> None:
    text = (ROOT / "docs" / "how-encore-counts.md").read_text(encoding="utf-8")
    money = sums.money
    both = {kind: money[kind, "known"] + money[kind, "unknown"] for kind in ("goods", "shipping", "fees")}
    stated = [
        both["goods"],
        money["goods refunded"],
        both["goods"] - money["goods refunded"],
        both["shipping"] - money["shipping refunded"],
        money["fees refunded"] - both["fees"],
        9_747_747_93,
        money["goods", "unknown"],
        money["goods", "known"],
        money["shipping", "known"],
        money["fees", "known"],
        8_911_407_90,
    ]
    missing = [amount for pence in stated if (amount := f"{pence / 100:,.2f}") not in text]
    assert missing == []


def test_two_whole_days_that_ship_with_encore_are_accounted_for() -> None:
    sums = add_up(SAMPLE)
    sold = sum(value for kind, value in sums.money.items() if isinstance(kind, tuple))
    refunded = sum(sums.money[f"{kind} refunded"] for kind in ("goods", "shipping", "fees"))
    assert sums.rejected == 0
    assert (sums.orders["all"], sums.refunds["C"], len(sums.customers)) == (281, 29, 206)
    assert sold - refunded == 104_842_84
