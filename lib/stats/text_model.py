"""What the words alone say: happy or unhappy, learned from labelled texts, with a probability that holds.

Naive-Bayes log-count ratios give each word a weight; the sum of a text's weights is its score; Platt's sigmoid,
fitted on scores of texts that the weights were not learned from, turns a score into a probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit

from lib.errors import NotEnoughData
from lib.stats.words import words_of

# Fewer labelled texts, or fewer of either kind, teach nothing reliable.
FEWEST = 200
FEWEST_OF_A_KIND = 20
FOLDS = 5
# A word that stands in fewer texts than this is left out.
_FEWEST_TEXTS = 2
_ROUNDS = 100

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """P(positive | score) = 1 / (1 + exp(slope · score + shift))."""

    slope: float
    shift: float

    def probability(self, score: Floats) -> Floats:
        found: Floats = expit(-(self.slope * score + self.shift))
        return found


def cross_fitted(texts: Sequence[str], labels: Sequence[bool]) -> Floats:
    """For each text the probability that it is of the kind labelled true, by words alone.

    Every text is judged by weights that were learned without it (in turn, each fifth of the texts).

    Args:
        texts: the words.
        labels: of the kind or not; as many.
    Returns:
        probabilities, 0 to 1.
    Raises:
        NotEnoughData: fewer than 200 labelled texts, or fewer than 20 of a kind.
    References:
        Wang & Manning (2012), aclanthology.org/P12-2018 (log-count ratios of words held or not, with the counts
        raised by one); Platt (1999), with the Newton method of Lin, Lin & Weng (2007), doi:10.1007/s10994-007-5018-6.
    """
    truth = np.asarray(labels, dtype=bool)
    if len(texts) < FEWEST or min(truth.sum(), (~truth).sum()) < FEWEST_OF_A_KIND:
        raise NotEnoughData(
            f"Words can be learned from at least {FEWEST} labelled texts, {FEWEST_OF_A_KIND} of each kind; "
            f"there are {len(texts)}, {int(min(truth.sum(), (~truth).sum()))} of the rarer."
        )
    held = _matrix(texts)
    # The folds follow the order of the texts, so that the answer is the same each time.
    fold = np.arange(len(texts)) % FOLDS
    scores = np.empty(len(texts))
    for part in range(FOLDS):
        learned, judged = fold != part, fold == part
        scores[judged] = held[judged] @ log_count_ratio(held[learned], truth[learned])
    return platt(scores, truth).probability(scores)


def log_count_ratio(held: sparse.csr_array, truth: npt.NDArray[np.bool_]) -> Floats:
    """The weight of each word: log((p / |p|) / (q / |q|)), p and q the texts of each kind that hold it, plus one."""
    p = 1.0 + np.asarray(held[truth].sum(axis=0)).ravel()
    q = 1.0 + np.asarray(held[~truth].sum(axis=0)).ravel()
    found: Floats = np.log((p / p.sum()) / (q / q.sum()))
    return found


def platt(scores: Floats, truth: npt.NDArray[np.bool_]) -> Sigmoid:
    """Fit the sigmoid by maximum likelihood; targets are drawn in a little, so that no probability is 0 or 1."""
    positive, negative = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))
    slope, shift = 0.0, float(np.log((negative + 1) / (positive + 1)))

    def loss(a: float, b: float) -> float:
        f = a * scores + b
        return float(np.sum(target * f + np.logaddexp(0.0, -f)))

    current = loss(slope, shift)
    for _ in range(_ROUNDS):
        f = slope * scores + shift
        p = expit(-f)
        spread = p * (1 - p)
        gradient = np.array([np.sum(scores * (target - p)), np.sum(target - p)])
        if np.abs(gradient).max() < 1e-7:
            break
        curve = np.array(
            [[np.sum(scores**2 * spread), np.sum(scores * spread)], [np.sum(scores * spread), np.sum(spread)]]
        ) + 1e-12 * np.eye(2)
        step = -np.linalg.solve(curve, gradient)
        size = 1.0
        while size > 1e-10:
            tried = loss(slope + size * step[0], shift + size * step[1])
            if tried < current + 1e-4 * size * float(gradient @ step):
                break
            size /= 2
        else:
            break
        slope, shift, current = slope + size * float(step[0]), shift + size * float(step[1]), tried
    return Sigmoid(slope, shift)


def _matrix(texts: Sequence[str]) -> sparse.csr_array:
    """Texts by words: 1 where a text holds a word."""
    held = [words_of(text) for text in texts]
    number: dict[str, int] = {}
    for words in held:
        for word in words:
            number[word] = number.get(word, 0) + 1
    column = {word: place for place, word in enumerate(sorted(w for w, n in number.items() if n >= _FEWEST_TEXTS))}
    rows = [row for row, words in enumerate(held) for word in words if word in column]
    columns = [column[word] for words in held for word in words if word in column]
    ones = np.ones(len(rows))
    return sparse.csr_array((ones, (rows, columns)), shape=(len(texts), max(1, len(column))))
