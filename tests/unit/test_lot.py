"""The lot falls the same way whenever it is drawn, evenly, and without regard to any other lot."""

import subprocess
import sys
from math import sqrt

import numpy as np
import pytest
from scipy import stats

from lib.settings import ROOT
from lib.stats.lot import held_out, is_held_out, position, positions

MANY = range(1, 200_001)


def test_a_customer_always_falls_on_the_same_place_whoever_draws() -> None:
    told = "from lib.stats.lot import position; print(repr(position('salt', 17)), repr(position('salt', 18)))"
    other = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    # Written down: a release that draws otherwise would move customers of running offers to the other arm.
    assert other.stdout.split() == ["0.0699321935167353", "0.552990687179467"]
    assert (position("salt", 17), position("salt", 18)) == (0.0699321935167353, 0.552990687179467)


def test_many_are_drawn_as_each_alone() -> None:
    few = [3, 1, 2, 10**12]
    assert list(positions("salt", few)) == [position("salt", one) for one in few]
    assert list(held_out("salt", few, 0.5)) == [is_held_out("salt", one, 0.5) for one in few]


def test_the_places_are_spread_evenly() -> None:
    counts = np.histogram(positions("an offer", MANY), bins=100, range=(0, 1))[0]
    assert stats.chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_a_holdout_has_its_share(share: float) -> None:
    n = len(MANY)
    found = int(held_out("an offer", MANY, share).sum())
    assert abs(found - n * share) < 3.3 * sqrt(n * share * (1 - share))


def test_two_offers_draw_independently() -> None:
    one, other = held_out("first offer", MANY, 0.5), held_out("second offer", MANY, 0.3)
    table = [
        [int((one & other).sum()), int((one & ~other).sum())],
        [int((~one & other).sum()), int((~one & ~other).sum())],
    ]
    assert stats.chi2_contingency(table).pvalue > 0.001
    assert abs(np.corrcoef(positions("first offer", MANY), positions("second offer", MANY))[0, 1]) < 0.008


def test_neighbours_do_not_follow_each_other() -> None:
    drawn = positions("an offer", MANY)
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 0.008


def test_a_smaller_holdout_lies_within_a_larger_one() -> None:
    small, large = held_out("an offer", MANY, 0.05), held_out("an offer", MANY, 0.5)
    assert not (small & ~large).any()


def test_no_holdout_holds_nobody_out() -> None:
    assert not held_out("an offer", MANY, 0).any()
    assert not is_held_out("an offer", 1, 0)


def test_a_lot_without_salt_or_with_an_impossible_share_is_refused() -> None:
    with pytest.raises(ValueError, match="salt"):
        position("", 1)
    for share in (-0.1, 1, 2):
        with pytest.raises(ValueError, match="holdout"):
            held_out("an offer", [1], share)
