"""Which words one kind of text uses more than another: log-odds with an informative Dirichlet prior."""

import numpy as np
import pandas as pd

from lib.errors import NotEnoughData

# A word must stand in so many texts of the first kind to be named at all.
FEWEST = 3
# 95 % of a normal distribution, one-sided after a correction would be stricter: this is a list to look at.
NOTABLE = 1.96


def word_odds(counts: pd.DataFrame, prior_weight: float) -> pd.DataFrame:
    """Compare the words of two kinds of text, each against what is common in all texts.

    delta = log((y1 + a) / (n1 + A - y1 - a)) - log((y2 + a) / (n2 + A - y2 - a)), with a = A · (share of the word in
    all texts) and A = ``prior_weight``; its variance is about 1/(y1 + a) + 1/(y2 + a), and z = delta / SD. The prior
    draws rare words to no difference, where a plain odds ratio would put them first. Words are taken as independent.

    Args:
        counts: a row per word: ``word``, ``first`` and ``second`` (texts of each kind that hold it), ``all`` (texts
            of any kind that hold it; at least first + second).
        prior_weight: how many words' weight the prior has.
    Returns:
        the rows with ``log_odds``, ``sd`` and ``z``, the most typical of the first kind first.
    Raises:
        NotEnoughData: a kind without a word.
    References:
        Monroe, Colaresi & Quinn (2008), doi:10.1093/pan/mpn018, equations 15, 16 and 20.
    """
    y1, y2, common = (counts[name].to_numpy(dtype=np.float64) for name in ("first", "second", "all"))
    n1, n2 = float(y1.sum()), float(y2.sum())
    if not n1 or not n2:
        raise NotEnoughData("Words can be compared only when both kinds of text have some.")
    a = prior_weight * common / common.sum()
    first = np.log((y1 + a) / (n1 + prior_weight - y1 - a))
    second = np.log((y2 + a) / (n2 + prior_weight - y2 - a))
    sd = np.sqrt(1 / (y1 + a) + 1 / (y2 + a))
    found = counts.assign(log_odds=first - second, sd=sd, z=(first - second) / sd)
    return found.sort_values(["z", "word"], ascending=[False, True], kind="stable").reset_index(drop=True)
