"""Erlang C against published and independently computed numbers."""

import math

import pytest

from lib.errors import NotEnoughData
from lib.stats.erlang import erlang_b, erlang_c, people_needed, staffed


def test_erlang_c_matches_the_call_centre_worked_example() -> None:
    # 360 calls in 30 minutes of 4 minutes each, 55 agents: load 48, C 0.239, wait 8.2 s, 84.5 % within 15 s
    # (Mitan Ltd., "Call Centre Maths").
    found = staffed(720, 240, 55, 15)
    assert erlang_c(48, 55) == pytest.approx(0.239, abs=5e-4)
    assert found.mean_wait == pytest.approx(8.2, abs=0.05)
    assert found.within == pytest.approx(0.845, abs=1e-3)
    assert found.busy == pytest.approx(48 / 55)


def test_erlang_b_matches_its_closed_form() -> None:
    load, people = 7.5, 9
    closed = (load**people / math.factorial(people)) / sum(load**k / math.factorial(k) for k in range(people + 1))
    assert erlang_b(load, people) == pytest.approx(closed, rel=1e-12)


def test_one_person_is_the_m_m_1_queue() -> None:
    # M/M/1: the chance of waiting is the load, the mean wait is h a / (1 - a).
    found = staffed(30, 60, 1, 0)
    assert found.waits == pytest.approx(0.5)
    assert found.mean_wait == pytest.approx(60 * 0.5 / 0.5)
    assert found.within == pytest.approx(0.5)


def test_the_number_of_people_is_the_smallest_that_suffices() -> None:
    found = people_needed(720, 240, 15, share=0.84)
    assert found.people == 55
    assert staffed(720, 240, 54, 15).within < 0.84


def test_too_few_people_never_catch_up() -> None:
    found = staffed(60, 120, 2, 300)
    assert (found.within, found.waits, found.mean_wait) == (0.0, 1.0, math.inf)


def test_an_hour_without_tickets_needs_nobody() -> None:
    assert people_needed(0, 300, 300).people == 0


def test_without_a_handling_time_it_refuses() -> None:
    with pytest.raises(NotEnoughData, match="handling time"):
        people_needed(10, 0, 300)
