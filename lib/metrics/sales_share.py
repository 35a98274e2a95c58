"""Who brings the sales, opened: one-time, repeat and unknown customers, each with the orders behind its share."""

from lib.errors import UnknownFigure
from lib.metrics.account import REFUNDS_KNOWN_NOW, Account, Number, counted_in, left_out_of
from lib.metrics.definition import Mart, Metric, Scope, Unit
from lib.metrics.drill import behind_terms, terms_of
from lib.metrics.orders import LEFT_OUT_ORDERS
from lib.metrics.repeat import KNOWN_SALES, ONE_TIME_SALES, REPEAT_SALES, UNKNOWN_SALES, one_time_share

KINDS: dict[str, Metric] = {"one-time": ONE_TIME_SALES, "repeat": REPEAT_SALES, "unknown": UNKNOWN_SALES}
NAMES = {"one-time": "Customers with one purchase", "repeat": "Repeat customers", "unknown": "Unknown customers"}


def share_account(mart: Mart, scope: Scope, kind: str) -> Account:
    """A kind of customers' share of all net sales, as :func:`lib.metrics.repeat.one_time_share` has it.

    Raises:
        UnknownFigure: no such kind.
    """
    if kind not in KINDS:
        raise UnknownFigure(f"No kind of customers is called {kind!r}; there are {', '.join(KINDS)}.")
    scope = Scope(period=scope.period, as_of=scope.as_of, filters=scope.filters)
    found = one_time_share(mart, scope).set_index("kind")
    metric = KINDS[kind]
    whole, own, orders = int(found["net_minor"].sum()), int(found["net_minor"][kind]), int(found["orders"][kind])
    left_out, out = left_out_of(mart, LEFT_OUT_ORDERS, scope)
    everyone = [*terms_of(KNOWN_SALES, scope), *terms_of(UNKNOWN_SALES, scope)]
    return Account(
        key=f"sales_of_{kind.replace('-', '_')}_customers",
        label=NAMES[kind],
        period=scope.period,
        value=own / whole if whole else None,
        unit=Unit.SHARE,
        meaning=f"{metric.meaning} Divided by the net sales of all orders of these days, of known and unknown "
        "customers.",
        formula=f"{metric.label} ÷ net sales of all customers",
        counted=f"{counted_in(scope)}. {REFUNDS_KNOWN_NOW}",
        worked="{own} ÷ {whole}" if whole else "",
        numbers=(
            Number(name="own", label=metric.label, value=own, unit=Unit.MONEY),
            Number(name="whole", label="Net sales of all customers", value=whole, unit=Unit.MONEY),
            Number(name="orders", label="Orders", value=orders, unit=Unit.COUNT),
        ),
        n=orders,
        left_out=left_out,
        parts={
            metric.label: behind_terms(mart, terms_of(metric, scope), Unit.MONEY),
            "Net sales of all customers": behind_terms(mart, everyone, Unit.MONEY),
            **out,
        },
    )
