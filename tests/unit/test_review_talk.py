"""What reviews talk about: topics, words, and a model of words that is right about what it was not shown."""

import math

import numpy as np
import pandas as pd
import pytest

from lib.errors import NotEnoughData
from lib.stats.review_talk import holding, mismatches, new_words, topic_table, with_topics
from lib.stats.text_model import cross_fitted, platt
from lib.stats.topics import topics_of
from lib.stats.word_odds import word_odds
from lib.stats.words import words_of


@pytest.mark.parametrize(
    ("text", "language", "topics"),
    [
        ("It arrived broken, and far too late.", "en", ["late", "damaged", "delivery"]),
        ("Kam zu spät und war beschädigt", "de", ["late", "damaged"]),
        ("Das Größenetikett war falsch", "de", ["wrong_item", "size"]),
        ("Lovely", "en", []),
        # A word inside another is none: "late" in "chocolate".
        ("Chocolate", "en", []),
        # Of an unknown language the words of all count.
        ("beschädigt", "fr", ["damaged"]),
        ("x" * 1_000_000, "en", []),
    ],
)
def test_topics_are_found_by_whole_words_and_beginnings(text: str, language: str, topics: list[str]) -> None:
    assert topics_of(text, language) == topics


def test_words_are_counted_once_a_text_without_those_that_say_nothing() -> None:
    assert words_of("The handle, THE Handle is loose! 123 <b>") == {"handle", "loose"}


def test_log_odds_are_those_of_the_formula() -> None:
    counts = pd.DataFrame({"word": ["lid", "mug"], "first": [8, 2], "second": [1, 9], "all": [10, 30]})
    found = word_odds(counts, prior_weight=4.0)
    # Monroe et al., equation 16, by hand: a = 4 · 10/40 = 1, n1 = 10, n2 = 10.
    delta = math.log(9 / (14 - 9)) - math.log(2 / (14 - 2))
    assert found["word"].tolist() == ["lid", "mug"]
    assert found["log_odds"].tolist()[0] == pytest.approx(delta)
    assert found["z"].tolist()[0] == pytest.approx(delta / math.sqrt(1 / 9 + 1 / 2))


def test_turning_the_sides_turns_the_sign_and_a_stronger_prior_says_less() -> None:
    counts = pd.DataFrame({"word": ["a", "b", "c"], "first": [9, 1, 4], "second": [2, 8, 4], "all": [12, 10, 9]})
    there = word_odds(counts, prior_weight=10.0).set_index("word")["z"]
    back = word_odds(counts.rename(columns={"first": "second", "second": "first"}), prior_weight=10.0).set_index(
        "word"
    )["z"]
    assert there.to_dict() == pytest.approx((-back).to_dict())
    strong = word_odds(counts, prior_weight=1e6).set_index("word")["z"]
    assert abs(strong.to_dict()["a"]) < abs(there.to_dict()["a"]) / 10


def test_words_without_a_side_to_compare_are_refused() -> None:
    with pytest.raises(NotEnoughData):
        word_odds(pd.DataFrame({"word": ["a"], "first": [0], "second": [3], "all": [3]}), prior_weight=1.0)


def _reviews(*rows: tuple[int, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(n, rating, "en", text, "") for n, (rating, text) in enumerate(rows, 1)],
        columns=["review_id", "rating", "language", "text", "topic"],
    )


def test_a_new_complaint_is_named_and_its_reviews_open() -> None:
    now = _reviews(*[(1, "the hinge squeaks")] * 12, *[(5, "lovely colour")] * 30)
    before = _reviews(*[(1, "came late")] * 12, *[(5, "lovely colour")] * 30)
    found = new_words(now, before)
    assert set(found["word"]) == {"hinge", "squeaks"}
    assert found["first"].tolist() == [12, 12]
    assert len(holding(now, "hinge")) == 12


def test_topics_are_counted_by_unhappy_reviews_and_a_persons_word_stands_alone() -> None:
    now = _reviews((1, "broken"), (5, "well packed"), (2, "broken and late"))
    now.loc[1, "topic"] = "gift"
    table = topic_table(with_topics(now), with_topics(_reviews((1, "late"))))
    assert table[["topic", "reviews", "negative", "before"]].to_numpy().tolist() == [
        ["damaged", 2, 2, 0],
        ["late", 1, 1, 1],
        ["gift", 1, 0, 0],
    ]


def test_too_few_labelled_texts_teach_nothing() -> None:
    with pytest.raises(NotEnoughData, match="200 labelled"):
        cross_fitted(["good"] * 199, [True] * 100 + [False] * 99)
    with pytest.raises(NotEnoughData, match="20 of each"):
        cross_fitted(["good"] * 300, [True] * 281 + [False] * 19)


def test_the_sigmoid_is_the_one_of_maximum_likelihood() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(0, 2, 4_000)
    truth = rng.random(4_000) < 1 / (1 + np.exp(-(1.5 * scores - 0.5)))
    found = platt(scores, truth)
    assert found.slope == pytest.approx(-1.5, abs=0.15)
    assert found.shift == pytest.approx(0.5, abs=0.15)
    # At the maximum the mean of the probabilities is that of the targets.
    assert found.probability(scores).mean() == pytest.approx(truth.mean(), abs=2e-3)


def test_a_slip_of_the_stars_is_found_and_nothing_else() -> None:
    happy = [f"wonderful lovely soft gift number{n % 7}" for n in range(150)]
    sad = [f"broken ugly late parcel number{n % 7}" for n in range(150)]
    rows = [
        *((5, text) for text in happy),
        *((1, text) for text in sad),
        (1, "wonderful lovely soft"),
        (5, "ugly broken"),
    ]
    found = mismatches(_reviews(*rows))
    assert sorted(found["review_id"]) == [301, 302]
    assert found.loc[found["review_id"] == 302, "unhappy"].tolist()[0] > 0.9
