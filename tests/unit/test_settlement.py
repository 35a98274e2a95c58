import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.importers.settlement import DoesNotAddUp, PrintedLine, PrintedOrder, settle, share_of_goods


def lines(*amounts: int) -> list[PrintedLine]:
    return [PrintedLine(amount) for amount in amounts]


def test_tax_on_top_leaves_prices_as_they_are() -> None:
    order = settle(PrintedOrder(lines(10000, 5000), total=18850, subtotal=15000, shipping=1000, tax=2850))
    assert (order.gross, order.discount, order.shipping, order.tax, order.fees) == (15000, 0, 1000, 2850, 0)
    assert not order.is_tax_included


def test_included_tax_is_taken_out_of_goods_and_shipping() -> None:
    order = settle(PrintedOrder(lines(11900), total=13090, subtotal=11900, shipping=1190, tax=2090))
    assert order.is_tax_included
    assert (order.gross, order.shipping, order.tax) == (10000, 1000, 2090)


def test_a_subtotal_after_the_discount_and_one_before_it_give_the_same_order() -> None:
    after = settle(PrintedOrder(lines(6000, 4000), total=9500, subtotal=9000, discount=1000, shipping=500))
    before = settle(PrintedOrder(lines(6000, 4000), total=9500, subtotal=10000, discount=1000, shipping=500))
    assert after == before
    assert [line.discount for line in after.lines] == [600, 400]


def test_a_code_for_free_shipping_lowers_shipping_and_not_the_goods() -> None:
    order = settle(PrintedOrder(lines(5000), total=5000, subtotal=5000, discount=490, shipping=490))
    assert (order.discount, order.shipping, order.shipping_discount) == (0, 0, 490)


def test_a_discount_of_a_line_stays_on_that_line() -> None:
    printed = PrintedOrder([PrintedLine(6000, discount=600), PrintedLine(4000)], total=9400, subtotal=9400)
    assert [line.discount for line in settle(printed).lines] == [600, 0]


def test_a_tip_becomes_a_fee() -> None:
    assert settle(PrintedOrder(lines(5000), total=5700, subtotal=5000, tax=500)).fees == 200


def test_a_gift_card_is_no_sale_of_goods() -> None:
    order = settle(PrintedOrder([PrintedLine(5000, is_goods=False), PrintedLine(2000)], total=7000, subtotal=7000))
    assert (order.gross, order.fees) == (2000, 5000)


def test_sums_that_meet_in_no_way_are_refused_with_their_numbers() -> None:
    with pytest.raises(DoesNotAddUp, match="does not meet total 4000"):
        settle(PrintedOrder(lines(5000), total=4000, subtotal=5000))


@given(
    amounts=st.lists(st.integers(1, 100_000), min_size=1, max_size=6),
    cut=st.integers(0, 100),
    shipping=st.integers(0, 2_000),
    rate=st.sampled_from([0, 5, 7, 19, 25]),
    included=st.booleans(),
)
def test_whatever_is_printed_the_settled_order_adds_up(
    amounts: list[int], cut: int, shipping: int, rate: int, included: bool
) -> None:
    goods = sum(amounts)
    discount = goods * cut // 100
    due = goods - discount + shipping
    tax = due * rate // (100 + rate) if included else due * rate // 100
    total = due if included else due + tax
    order = settle(
        PrintedOrder(
            lines(*amounts), total=total, subtotal=goods - discount, discount=discount, shipping=shipping, tax=tax
        )
    )
    assert order.gross - order.discount + order.shipping + order.tax + order.fees == total
    assert sum(line.gross for line in order.lines) == order.gross
    assert sum(line.discount for line in order.lines) == order.discount
    assert all(0 <= line.discount <= line.gross for line in order.lines)
    assert order.fees == 0


def test_a_refund_fills_goods_first_and_an_excess_stays_with_the_last_part() -> None:
    assert share_of_goods(70, [50, 30]) == [50, 20]
    assert share_of_goods(100, [50, 30]) == [50, 50]
