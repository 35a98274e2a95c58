"""Support: how fast a person answers, what waits, and how long it takes. Placed by the day of opening."""

from sqlalchemy import ColumnElement, and_, not_, or_

from lib.mart.schema import fact_ticket
from lib.metrics.definition import Age, AnyMetric, Metric, Ratio, Spread, Unit
from lib.metrics.measure import AS_OF_AT

_ticket = fact_ticket.c

COUNTS = and_(_ticket.status.not_in(("spam", "merged")), not_(_ticket.is_started_by_us))
DUE = _ticket.due_at <= AS_OF_AT
IN_TIME = _ticket.first_response_at <= _ticket.due_at
ANSWERED = _ticket.first_response_at < AS_OF_AT
_UNANSWERED = or_(_ticket.first_response_at.is_(None), _ticket.first_response_at >= AS_OF_AT)
_OPEN = or_(_ticket.closed_at.is_(None), _ticket.closed_at >= AS_OF_AT)
CLOSED = _ticket.closed_at < AS_OF_AT


def _count(key: str, label: str, meaning: str, *where: ColumnElement[bool]) -> Metric:
    return Metric(key=key, label=label, unit=Unit.COUNT, meaning=meaning, over=fact_ticket, where=and_(*where))


_LEFT_OUT = (
    ("spam", _count("spam_tickets", "Spam", "Tickets marked as spam.", _ticket.status == "spam")),
    (
        "started by us",
        _count(
            "tickets_started_by_us",
            "Started by us",
            "Tickets that the store itself began.",
            _ticket.status.not_in(("spam", "merged")),
            _ticket.is_started_by_us,
        ),
    ),
    (
        "merged into another",
        _count("merged_tickets", "Merged", "Tickets read as one with another.", _ticket.status == "merged"),
    ),
)
_NO_ANSWER = (
    "not answered yet",
    _count("tickets_not_answered", "Not answered", "Tickets without a reply by a person.", COUNTS, _UNANSWERED),
)
TICKETS = Metric(
    key="tickets",
    label="Tickets",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Tickets that customers opened in the period, without spam.",
    over=fact_ticket,
    where=COUNTS,
    left_out=_LEFT_OUT,
)
ANSWERED_TICKETS = _count("answered_tickets", "Answered tickets", "Tickets answered by a person.", COUNTS, ANSWERED)
_QUANTILES = (("median", "median", 0.5), ("p90", "90 % quantile", 0.9))
_FROM_TO = "From the customer's first message to the first public reply by a person"
FIRST_RESPONSE = tuple(
    Spread(
        key=f"first_response_{suffix}",
        label=f"First response, {named}",
        unit=Unit.SECONDS,
        good_is="down",
        meaning=f"{_FROM_TO}: {named}.",
        over=fact_ticket,
        amount=_ticket.seconds_to_response,
        at=at,
        cases=ANSWERED_TICKETS,
        left_out=(*_LEFT_OUT, _NO_ANSWER),
        note="Calendar clock: nights and weekends count.",
    )
    for suffix, named, at in _QUANTILES
)
OPEN_RESPONSE = tuple(
    Spread(
        key=f"first_response_open_hours_{suffix}",
        label=f"First response in open hours, {named}",
        unit=Unit.SECONDS,
        good_is="down",
        meaning=f"{_FROM_TO}, counting only the hours in which the store is open: {named}.",
        over=fact_ticket,
        amount=_ticket.open_seconds_to_response,
        at=at,
        cases=ANSWERED_TICKETS,
        left_out=(*_LEFT_OUT, _NO_ANSWER),
        note="Business clock: a message of the night, answered before the store opens, counts 0 seconds.",
    )
    for suffix, named, at in _QUANTILES
)
# Seconds up to which a first response falls into each step of the distribution.
STEPS = ((300, "0–5 m"), (3600, "5 m–1 h"), (14400, "1–4 h"), (28800, "4–8 h"), (86400, "8–24 h"), (None, "24 h+"))


def _responses() -> tuple[Metric, ...]:
    found, lowest = [], None
    for highest, named in STEPS:
        seconds = _ticket.seconds_to_response
        steps = [COUNTS, ANSWERED]
        if lowest is not None:
            steps.append(seconds > lowest)
        if highest is not None:
            steps.append(seconds <= highest)
        key = f"first_response_up_to_{highest}_s" if highest else f"first_response_over_{lowest}_s"
        found.append(_count(key, f"First response in {named}", f"Tickets first answered in {named}.", *steps))
        lowest = highest
    return tuple(found)


FIRST_RESPONSE_STEPS = _responses()
TICKETS_WITHIN_TARGET = Ratio(
    key="answered_within_target",
    label="Answered within target",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Tickets first answered within their channel's target (5 minutes for chat, 1 hour otherwise, unless the "
    "store set others) divided by all tickets whose target time has passed; unanswered is a miss.",
    top=_count("tickets_in_time", "Tickets answered in time", "Tickets answered in time.", COUNTS, DUE, IN_TIME),
    bottom=_count("tickets_due", "Tickets whose target has passed", "Tickets whose time has passed.", COUNTS, DUE),
    left_out=(
        *_LEFT_OUT,
        (
            "target not passed",
            _count("tickets_not_due", "Not due yet", "Tickets whose target has not passed.", COUNTS, not_(DUE)),
        ),
    ),
    has_interval=True,
)
WAITING = Metric(
    key="tickets_waiting",
    label="Tickets waiting",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Tickets opened before the as-of day that were open and without a reply by a person, whatever the period.",
    over=fact_ticket,
    where=and_(COUNTS, _UNANSWERED, _OPEN),
    day=None,
)
OPEN_NOW = Metric(
    key="open_tickets",
    label="Open tickets",
    unit=Unit.COUNT,
    good_is="down",
    meaning="Tickets opened before the as-of day that were not closed by then, whatever the period.",
    over=fact_ticket,
    where=and_(COUNTS, _OPEN),
    day=None,
    note="A ticket that was opened again counts as open since it first came in.",
)
OLDEST_WAITING = Age(
    key="oldest_waiting_ticket",
    label="Oldest waiting ticket",
    unit=Unit.HOURS,
    good_is="down",
    meaning="How long the oldest ticket without a reply has waited at the as-of day.",
    over=fact_ticket,
    since=_ticket.opened_at,
    cases=WAITING,
)
CLOSED_TICKETS = _count("closed_tickets", "Closed tickets", "Tickets of the period that are closed.", COUNTS, CLOSED)
RESOLUTION = tuple(
    Spread(
        key=f"resolution_time_{suffix}",
        label=f"Resolution time, {named}",
        unit=Unit.SECONDS,
        good_is="down",
        meaning=f"From the opening to the last close: {named}.",
        over=fact_ticket,
        amount=_ticket.seconds_to_close,
        at=at,
        cases=CLOSED_TICKETS,
        left_out=(
            *_LEFT_OUT,
            ("not closed yet", _count("tickets_open", "Open", "Tickets not closed.", COUNTS, _OPEN)),
        ),
        note="Calendar clock, less the time that waited for the customer. What an import brings says nothing of such "
        "times, so its tickets count whole.",
    )
    for suffix, named, at in _QUANTILES
)
REOPENED_SHARE = Ratio(
    key="reopened_share",
    label="Reopened share",
    unit=Unit.SHARE,
    good_is="down",
    meaning="Tickets that were opened again after a close divided by tickets, as known at the last refresh.",
    top=_count("reopened_tickets", "Reopened tickets", "Tickets opened again.", COUNTS, _ticket.is_reopened),
    bottom=TICKETS,
    left_out=_LEFT_OUT,
    has_interval=True,
)
CSAT = Ratio(
    key="csat",
    label="Satisfied with support (CSAT)",
    unit=Unit.SHARE,
    good_is="up",
    meaning="Tickets rated 4 or 5 of 5 by the customer divided by rated tickets.",
    top=_count("satisfied_tickets", "Satisfied", "Tickets rated 4 or 5.", COUNTS, _ticket.satisfaction >= 4),
    bottom=_count(
        "rated_tickets", "Rated tickets", "Tickets with a rating.", COUNTS, _ticket.satisfaction.is_not(None)
    ),
    left_out=(
        *_LEFT_OUT,
        (
            "not rated",
            _count("unrated_tickets", "Not rated", "Tickets without a rating.", COUNTS, _ticket.satisfaction.is_(None)),
        ),
    ),
    has_interval=True,
    note="Ratings are as known at the last refresh.",
)

METRICS: tuple[AnyMetric, ...] = (
    TICKETS,
    *FIRST_RESPONSE,
    *OPEN_RESPONSE,
    *FIRST_RESPONSE_STEPS,
    TICKETS_WITHIN_TARGET,
    WAITING,
    OPEN_NOW,
    OLDEST_WAITING,
    *RESOLUTION,
    REOPENED_SHARE,
    CSAT,
)
