"""The fifteen p-values of Benjamini & Hochberg (1995)."""

import numpy as np
import pytest

from lib.stats.multiple import benjamini_hochberg

P = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]


def test_four_of_the_fifteen_stand_at_5_percent_as_in_the_paper() -> None:
    q = benjamini_hochberg(P)
    assert (q <= 0.05).sum() == 4
    assert q[:4] == pytest.approx([0.0015, 0.003, 0.0095, 0.035625])
    assert q[5] == pytest.approx(0.0298 * 15 / 7)


def test_order_does_not_matter_and_what_was_not_asked_does_not_count() -> None:
    turned = benjamini_hochberg([*P[::-1], np.nan])
    assert turned[:-1][::-1] == pytest.approx(benjamini_hochberg(P))
    assert np.isnan(turned[-1])
    assert benjamini_hochberg([]).size == 0
