"""How every chart looks: one palette by role, so that one spec serves both appearances.

The theme hands its categorical colours to each chart in a fixed order (see .streamlit/config.toml). A mark
names the *role* of its colour, and the role's place in that order finds the colour of the appearance in use.
"""

from collections.abc import Mapping
from typing import Any, Literal

import altair as alt

ROLES = ("accent", "blue", "amber", "violet", "rose", "muted", "bad", "attention", "ink", "paper")
# How many slices get colours of their own.
MOST_SERIES = 5
Role = Literal["accent", "blue", "amber", "violet", "rose", "muted", "bad", "attention", "ink", "paper"]
Spec = dict[str, Any]

_SCALE = alt.Scale(domain=list(ROLES))


def painted() -> alt.Chart:
    """A chart to begin with, whose rows carry every role's name, so that a mark can take its colour."""
    return alt.Chart().transform_calculate(**{f"paint_{name}": f"'{name}'" for name in ROLES})


def role(name: Role) -> alt.Color:
    """The colour of a role, for the marks of a ``painted`` chart."""
    return role_of(f"paint_{name}")


def role_of(field: str) -> alt.Color:
    """The colour of the role that a column names."""
    return alt.Color(f"{field}:N", scale=_SCALE, legend=None)


def series(field: str, *, title: str | None = None, values: list[str] | None = None) -> alt.Color:
    """Colours for named slices, in their order, with a legend above the chart."""
    return alt.Color(
        f"{field}:N",
        sort=values,
        legend=alt.Legend(title=title, orient="top", direction="horizontal", columns=3, labelLimit=180, offset=4),
    )


def days_axis() -> alt.Axis:
    """An axis of days: ``3 Nov``, without overlaps."""
    return alt.Axis(
        title=None,
        labelExpr="timeFormat(datum.value, '%-d %b')",
        tickCount=6,
        labelPadding=8,
        labelSeparation=14,
    )


def money_expression(symbol: str, value: str = "datum.value", *, pattern: str = "~s") -> str:
    """A Vega expression that writes an amount with its currency: ``-€1.2k``."""
    quoted = symbol.replace("\\", "\\\\").replace("'", "\\'")
    # Below a thousand the short form would write a half as 500m.
    short = (
        f"abs({value}) < 1000 ? format(abs({value}), ',.0f') : replace(format(abs({value}), '{pattern}'), 'G', 'bn')"
    )
    number = short if "s" in pattern else f"format(abs({value}), '{pattern}')"
    # What is written as zero has no sign.
    least = 0.005 if ".2" in pattern else 0.5
    return f"({value} <= -{least} ? '−' : '') + '{quoted}' + ({number})"


def value_expression(kind: str, symbol: str, value: str = "datum.value", *, exact: bool = False) -> str:
    """A Vega expression that writes a value of a unit for people; ``cents`` is money of single customers."""
    if kind == "cents":
        return money_expression(symbol, value, pattern=",.2f")
    if kind == "money":
        return money_expression(symbol, value, pattern=",.0f" if exact else "~s")
    if kind == "share":
        return f"format({value}, '.1%')" if exact else f"format({value}, '~%')"
    short = f"(abs({value}) < 1000 ? format({value}, '~g') : format({value}, '~s'))"
    return f"format({value}, ',.0f')" if exact else short


Place = alt.X | alt.Y | Mapping[str, object]


def said(base: alt.Chart, field: str, *, x: Place, y: Place, dy: int) -> list[alt.Chart]:
    """Words over lines and bars: once in the colour of the paper, wider, so that nothing runs through them."""
    place = {"x": x, "y": y, "text": f"{field}:N"}
    under = base.mark_text(dy=dy, fontSize=12, strokeWidth=5, strokeJoin="round").encode(
        **place, stroke=role("paper"), color=role("paper")
    )
    return [under, base.mark_text(dy=dy, fontSize=12).encode(**place, color=role("ink"))]


def value_axis(kind: str, symbol: str, *, ticks: int = 5) -> alt.Axis:
    """An axis of values in the unit's short form."""
    return alt.Axis(title=None, labelExpr=value_expression(kind, symbol), tickCount=ticks, labelPadding=8)


def finished(chart: alt.LayerChart | alt.FacetChart | alt.Chart, height: int) -> Spec:
    """The spec of a chart without data, ready to be kept and drawn with any frame of its columns."""
    spec: Spec = chart.properties(height=height).to_dict()
    return _without_data(spec)


def _without_data(spec: Spec) -> Spec:
    kept = {key: value for key, value in spec.items() if key not in {"data", "datasets", "config", "$schema"}}
    if "layer" in kept:
        kept["layer"] = [_without_data(layer) for layer in kept["layer"]]
    return kept
