"""The small line of a card, drawn here: a chart engine at work for each would be the largest cost of a page."""

from collections.abc import Sequence
from html import escape
from math import isnan
from typing import Literal, TypeAlias
from urllib.parse import quote

import streamlit as st

Tone: TypeAlias = Literal["good", "bad", "plain"]

# The drawing's own units; it is stretched to the width of its card.
WIDTH, HEIGHT, MARGIN = 200.0, 46.0, 3.0


def drawing(values: Sequence[float], tone: Tone, words: str) -> str:
    """The line as HTML: a box of a colour, seen through the line, because Streamlit lets no SVG through.

    Args:
        values: one number per day or week; NaN is a gap.
        tone: ``good``, ``bad`` or ``plain``, as the step beside it is.
        words: what the line shows, for people who do not see it.
    """
    told = escape(words)
    colour = themed({"good": "greenColor", "bad": "redColor", "plain": "grayTextColor"}[tone])
    mask = f"url(&quot;data:image/svg+xml,{quote(shape(values))}&quot;) 0 0 / 100% 100% no-repeat"
    return (
        f'<div role="img" aria-label="{told}" title="{told}" '
        f'style="height:3.3rem;background:{colour};mask:{mask}"></div>'
    )


def shape(values: Sequence[float]) -> str:
    """The line as SVG, stretched to whatever box it is put in; a day between two gaps is a dot."""
    known = [value for value in values if not isnan(value)]
    low, high = min(known), max(known)
    step = WIDTH / max(1, len(values) - 1)
    height = (HEIGHT - 2 * MARGIN) / ((high - low) or 1.0)
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if isnan(value):
            runs.append([])
        else:
            runs[-1].append((place * step, HEIGHT - MARGIN - (value - low) * height))
    marks = "".join(_run(run) for run in runs if run)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" '
        'fill="none" stroke="#000" stroke-width="1.75" stroke-linejoin="round" stroke-linecap="round">'
        f"{marks}</svg>"
    )


def _run(points: list[tuple[float, float]]) -> str:
    """The days between two gaps: their line and what lies below it."""
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    if len(points) == 1:
        # A line without length has round ends: a dot that stretching does not distort.
        return f'<polyline points="{line} {line}" stroke-width="3.5" vector-effect="non-scaling-stroke"/>'
    below = f"{points[-1][0]:.1f},{HEIGHT:g} {points[0][0]:.1f},{HEIGHT:g}"
    return (
        f'<polygon points="{line} {below}" fill="#000" fill-opacity="0.12" stroke="none"/>'
        f'<polyline points="{line}" vector-effect="non-scaling-stroke"/>'
    )


def themed(name: str) -> str:
    """A colour of the theme in both appearances: the page tells the browser which one it is in."""
    light, dark = (str(st.get_option(f"theme.{appearance}.{name}")) for appearance in ("light", "dark"))
    return f"light-dark({light}, {dark})"
