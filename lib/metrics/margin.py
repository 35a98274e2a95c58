"""Gross margin, of the lines whose cost is known."""

from sqlalchemy import and_, func

from lib.mart.schema import by_day, fact_item
from lib.metrics.definition import Combined, Metric, Ratio, Unit

_line = fact_item.c

LINES = Metric(
    key="lines",
    label="Lines",
    unit=Unit.COUNT,
    meaning="Lines of goods of valid orders.",
    over=fact_item,
    where=_line.is_valid,
)
COSTED_LINES = Metric(
    key="lines_with_cost",
    label="Lines with a known cost",
    unit=Unit.COUNT,
    meaning="Lines of goods of valid orders whose cost is known.",
    over=fact_item,
    where=and_(_line.is_valid, _line.cost_minor.is_not(None)),
)
_UNCOSTED = (
    "cost unknown",
    Metric(
        key="lines_without_cost",
        label="Lines without a known cost",
        unit=Unit.COUNT,
        meaning="Lines of goods of valid orders whose cost is not known.",
        over=fact_item,
        where=and_(_line.is_valid, _line.cost_minor.is_(None)),
    ),
)
COSTED_SHARE = Ratio(
    key="costed_share",
    label="Share of lines with a known cost",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Lines whose cost is known divided by all lines of goods.",
    top=COSTED_LINES,
    bottom=LINES,
)
_COST_NOTE = "Only lines whose cost is known; refunds are set against their order and known as of the last refresh."


def _costed(key: str, label: str, meaning: str, column: str) -> Metric:
    amount = _line.net_minor if column == "costed_net_minor" else func.coalesce(_line.cost_minor, 0)
    return Metric(
        key=key,
        label=label,
        unit=Unit.MONEY,
        meaning=meaning,
        over=fact_item,
        amount=amount,
        where=and_(_line.is_valid, _line.cost_minor.is_not(None)),
        prepared=func.sum(by_day.c[column]),
        cases=COSTED_LINES,
        note=_COST_NOTE,
    )


COSTED_NET_SALES = _costed(
    "costed_net_sales",
    "Net sales with a known cost",
    "Net sales (behaviour) of the lines whose cost is known.",
    "costed_net_minor",
)
COST_OF_GOODS = _costed("cost_of_goods", "Cost of goods", "Cost of the lines whose cost is known.", "cost_minor")
GROSS_MARGIN = Combined(
    key="gross_margin",
    label="Gross margin",
    unit=Unit.MONEY,
    good_is="up",
    meaning="Net sales (behaviour) less cost of goods, of the lines whose cost is known.",
    terms=((1, COSTED_NET_SALES), (-1, COST_OF_GOODS)),
    cases=COSTED_LINES,
    left_out=(_UNCOSTED,),
    is_unknown_without_cases=True,
    note=_COST_NOTE,
)
GROSS_MARGIN_SHARE = Ratio(
    key="gross_margin_share",
    label="Gross margin, share of net sales",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Gross margin divided by net sales, both of the lines whose cost is known.",
    top=GROSS_MARGIN,
    bottom=COSTED_NET_SALES,
    cases=COSTED_LINES,
    left_out=(_UNCOSTED,),
    note=_COST_NOTE,
)
