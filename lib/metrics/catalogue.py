"""All figures by key, in the order in which they are listed."""

from difflib import get_close_matches

from lib.errors import UnknownFigure
from lib.metrics import carts, delivery, loyalty, questions, repeat, returns, reviews, sales, surveys, tickets
from lib.metrics.definition import ALL_DIMENSIONS, AnyMetric, Scope

# Splits by time: each piece of the period is asked for by itself.
CALENDAR = ("day", "week", "month")

AREAS: dict[str, tuple[AnyMetric, ...]] = {
    "Sales": sales.METRICS,
    "Repeat": repeat.METRICS,
    "Delivery": delivery.METRICS,
    "Returns": returns.METRICS,
    "Reviews": reviews.METRICS,
    "Support": tickets.METRICS,
    "Carts": carts.METRICS,
    "Feedback": surveys.METRICS,
    "Community": questions.METRICS,
    "Loyalty": loyalty.METRICS,
}
METRICS: dict[str, AnyMetric] = {metric.key: metric for area in AREAS.values() for metric in area}


def find(key: str) -> AnyMetric:
    """The metric of that key.

    Raises:
        UnknownFigure: none, naming those that are spelt alike.
    """
    if key in METRICS:
        return METRICS[key]
    close = get_close_matches(key, METRICS, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(close)}?" if close else ""
    raise UnknownFigure(f"No figure is called {key!r}.{hint} `python -m lib figures` lists them.")


def with_checked(key: str, scope: Scope) -> AnyMetric:
    """The metric of that key, which knows all the dimensions of the question.

    Raises:
        UnknownFigure: no such key, or a dimension that it cannot be split or filtered by.
    """
    metric = find(key)
    wanted = [name for name, _ in scope.filters]
    if scope.by and scope.by not in CALENDAR:
        wanted.append(scope.by)
    for name in wanted:
        if name in metric.dimensions:
            continue
        known = dict.fromkeys((*ALL_DIMENSIONS, *metric.dimensions, *CALENDAR))
        close = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(close)}?" if name not in known and close else ""
        possible = ", ".join(metric.dimensions) or "no dimension"
        raise UnknownFigure(f"{metric.label} cannot be split or filtered by {name!r}, only by {possible}.{hint}")
    return metric
