"""docs/metrics.md: the catalogue for people, generated."""

from lib.metrics.catalogue import AREAS
from lib.metrics.definition import AnyMetric, Worked

_HEAD = """# What each figure means

Written from the catalogue (`lib/metrics`) by `make docs`; a test fails when it is out of date.

Valid orders only. A day is the store's day; a period is half-open, and nothing on or after the as-of day is
known. A ratio is sum over sum; over nothing it has no value. Money excludes tax. `python -m lib figures KEY`
prints any of them with its numerator, denominator, number of cases, and what was left out and why.
Besides its dimensions every figure but the cohorts and the lifetime model can be split by day, week and month.
"""


def metrics_document() -> str:
    """The text of docs/metrics.md."""
    parts = [_HEAD]
    for area, metrics in AREAS.items():
        parts.append(f"\n## {area}\n")
        parts.extend(_section(metric) for metric in metrics)
    return "".join(parts)


def _section(metric: AnyMetric) -> str:
    lines = [
        f"\n### {metric.label}\n",
        f"`{metric.key}` · {metric.unit}",
        f" · good is {metric.good_is}" if metric.good_is else "",
        f"\n\n{metric.meaning}\n\n",
        f"- Formula: {metric.formula}\n",
    ]
    if not isinstance(metric, Worked) and metric.left_out:
        lines.append(f"- Left out and counted: {', '.join(reason for reason, _ in metric.left_out)}\n")
    lines.append(f"- Split or filtered by: {', '.join(metric.dimensions) or 'nothing'}\n")
    if metric.note:
        lines.append(f"- {metric.note}\n")
    return "".join(lines)
