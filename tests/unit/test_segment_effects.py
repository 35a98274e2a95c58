"""Effects by segment: corrected for asking often, and whether the segments differ at all."""

import numpy as np
import pytest

from lib.errors import NotEnoughData
from lib.stats.experiment import ArmSums, conversion
from lib.stats.segment_effects import COLUMNS, by_segment


def arms(treated: int, holdout: int, n: int = 1_000) -> tuple[ArmSums, ArmSums]:
    return ArmSums.of_buyers(n, treated), ArmSums.of_buyers(n, holdout)


def test_one_small_p_among_twenty_does_not_stand_out() -> None:
    segments = {f"segment {i}": arms(100, 100) for i in range(19)} | {"lucky": arms(131, 100)}
    found = by_segment(segments, is_share=True)
    lucky = found.rows.set_index("segment").loc["lucky"]
    assert lucky["p"] < 0.05 < lucky["q"]
    assert not found.rows["stands_out"].any()
    assert found.asked == 20
    alone = by_segment({"lucky": arms(131, 100)}, is_share=True)
    assert alone.rows["stands_out"].all()
    assert (alone.chi2, alone.differ_p, alone.df) == (None, None, 0)


def test_segments_that_answer_alike_do_not_differ_and_opposite_ones_do() -> None:
    alike = by_segment({"new": arms(150, 100), "old": arms(300, 250)}, is_share=True)
    assert alike.chi2 == pytest.approx(0, abs=1e-12)
    assert alike.differ_p == pytest.approx(1)
    opposite = by_segment({"new": arms(150, 100), "old": arms(100, 150)}, is_share=True)
    z = conversion(*arms(150, 100)).z
    assert opposite.chi2 == pytest.approx(2 * z * z)
    assert opposite.differ_p is not None
    assert opposite.differ_p < 1e-5


def test_a_segment_that_cannot_be_compared_is_listed_and_not_asked() -> None:
    found = by_segment({"some": arms(150, 100), "none": arms(0, 0), "empty": (arms(1, 1)[0], ArmSums(n=0, y=0, yy=0))})
    assert list(found.rows.columns) == list(COLUMNS)
    assert found.asked == 1
    assert found.rows["segment"].tolist() == ["some", "none", "empty"]
    assert np.isnan(found.rows["difference"][1:]).all()
    assert found.rows["stands_out"].tolist() == [True, False, False]
    with pytest.raises(NotEnoughData, match="No segment"):
        by_segment({"none": arms(0, 0)})
