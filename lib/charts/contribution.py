"""What added to a change and what took away from it: one bar per cause."""

from functools import cache

import altair as alt
import pandas as pd

from lib.charts.theme import Spec, finished, money_expression, painted, role, role_of

COLUMNS = ("label", "amount")


@cache
def contribution_spec(symbol: str, bars: int) -> Spec:
    """The chart of a frame with ``COLUMNS``: names and signed amounts in whole units, in the order given."""
    base = painted().transform_calculate(
        role="datum.amount < 0 ? 'bad' : 'accent'",
        written=f"(datum.amount >= 0.5 ? '+' : '') + {money_expression(symbol, 'datum.amount', pattern='.3~s')}",
        exact=f"(datum.amount > 0 ? '+' : '') + {money_expression(symbol, 'datum.amount', pattern=',.2f')}",
        # A word stands outside its bar, on the side where the bar ends.
        rise="datum.amount >= 0 ? datum.amount : null",
        fall="datum.amount < 0 ? datum.amount : null",
    )
    y = alt.Y(
        "label:N", sort=None, axis=alt.Axis(title=None, labelLimit=130, labelPadding=10, grid=False, labelFlush=False)
    )
    x = alt.X("amount:Q", axis=None, scale=alt.Scale(padding=62))
    tooltip = [alt.Tooltip("label:N", title="Cause"), alt.Tooltip("exact:N", title="Effect")]
    bar = base.mark_bar(cornerRadiusEnd=3, height={"band": 0.62}).encode(
        x=x, y=y, color=role_of("role"), tooltip=tooltip
    )
    rise = base.mark_text(align="left", dx=6, fontSize=12).encode(
        x=alt.X("rise:Q"), y=y, text="written:N", color=role("ink")
    )
    fall = base.mark_text(align="right", dx=-6, fontSize=12).encode(
        x=alt.X("fall:Q"), y=y, text="written:N", color=role("ink")
    )
    return finished(alt.layer(bar, rise, fall), max(120, 46 * bars))


def describe(frame: pd.DataFrame, written: list[str]) -> str:
    """What the chart shows, in words; ``written`` are the amounts as people read them."""
    causes = "; ".join(f"{label} {amount}" for label, amount in zip(frame["label"], written, strict=True))
    return f"What moved net sales: {causes}."
