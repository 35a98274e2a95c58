"""How many people answer so that few wait long: the Erlang C queue (M/M/c).

Assumes that tickets arrive at random at a steady rate within the hour, that handling times are exponential,
that everybody serves one at a time from one queue and nobody gives up. Real peaks within an hour make waits
longer than it says: it is a lower bound for staffing, not a promise.
"""

import math
from dataclasses import dataclass

from lib.errors import NotEnoughData

# Beyond this many people an hour's plan is no plan.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Queue:
    """What a number of people achieves.

    ``waits`` is the chance that a ticket waits at all, ``within`` the share answered within the target,
    ``mean_wait`` in seconds, ``busy`` the share of their time that people work. Without enough people the queue
    grows without end: ``within`` is 0, ``waits`` 1 and ``mean_wait`` infinite.
    """

    people: int
    waits: float
    within: float
    mean_wait: float
    busy: float


def erlang_b(load: float, people: int) -> float:
    """The chance that all are busy in a system without a queue, by the stable recursion.

    B(0) = 1; B(c) = a B(c-1) / (c + a B(c-1)), with a the load in Erlangs.

    References:
        Erlang (1917); recursion as in Cooper, Introduction to Queueing Theory (1981), ch. 3.
    """
    blocked = 1.0
    for c in range(1, people + 1):
        blocked = load * blocked / (c + load * blocked)
    return blocked


def erlang_c(load: float, people: int) -> float:
    """The chance that a ticket waits: C = c B / (c - a (1 - B)); 1 when the load is not below the people.

    References:
        Erlang (1917); Cooper (1981), ch. 3.
    """
    if people <= load:
        return 1.0
    blocked = erlang_b(load, people)
    return people * blocked / (people - load * (1 - blocked))


def staffed(arrivals_per_hour: float, handling_seconds: float, people: int, target_seconds: float) -> Queue:
    """What so many people achieve.

    Share within target T: W = 1 - C exp(-(c - a) T / h), with h the mean handling time and a = arrivals × h.

    Raises:
        NotEnoughData: no handling time is known.
    """
    load = _load(arrivals_per_hour, handling_seconds)
    if load == 0:
        return Queue(people, 0.0, 1.0, 0.0, 0.0)
    if people <= load:
        return Queue(people, 1.0, 0.0, math.inf, 1.0)
    waits = erlang_c(load, people)
    spare = people - load
    within = 1 - waits * math.exp(-spare * target_seconds / handling_seconds)
    return Queue(people, waits, within, waits * handling_seconds / spare, load / people)


def people_needed(
    arrivals_per_hour: float, handling_seconds: float, target_seconds: float, *, share: float = 0.9
) -> Queue:
    """The fewest people with whom at least ``share`` of tickets are answered within the target.

    Raises:
        NotEnoughData: no handling time is known, or no number of people is enough.
    """
    load = _load(arrivals_per_hour, handling_seconds)
    if not 0 < share < 1:
        raise ValueError("the share lies between 0 and 1")
    for people in range(math.floor(load) + (1 if load else 0), _MOST):
        found = staffed(arrivals_per_hour, handling_seconds, people, target_seconds)
        if found.within >= share:
            return found
    raise NotEnoughData("No number of people answers so many tickets so fast.")


def _load(arrivals_per_hour: float, handling_seconds: float) -> float:
    """The load in Erlangs: arrivals × handling time."""
    if not (math.isfinite(handling_seconds) and handling_seconds > 0):
        raise NotEnoughData("No handling time is known yet: it needs tickets that were answered and closed.")
    if not (math.isfinite(arrivals_per_hour) and arrivals_per_hour >= 0):
        raise ValueError("arrivals are a number from 0 on")
    return arrivals_per_hour * handling_seconds / 3600
