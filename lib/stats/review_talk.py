"""What reviews talk about: topics, words that are new in bad ones, and words that do not fit their stars."""

from collections import Counter

import pandas as pd

from lib.stats.text_model import cross_fitted
from lib.stats.topics import labels, topics_of
from lib.stats.word_odds import FEWEST, NOTABLE, word_odds
from lib.stats.words import texts_by_word, words_of

# So many stars or fewer are bad, so many or more are good.
BAD, GOOD = 2, 4
# The words say the contrary of the stars when they are this sure of it.
SURE = 0.9


def with_topics(reviews: pd.DataFrame) -> pd.DataFrame:
    """A row per review and topic: ``review_id``, ``rating``, ``topic``; a topic named by a person stands alone.

    Args:
        reviews: ``review_id``, ``rating``, ``language``, ``text``, ``topic`` (empty: by its words).
    """
    rows = [
        (row.review_id, row.rating, topic)
        for row in reviews.itertuples()
        for topic in ([row.topic] if row.topic else topics_of(str(row.text), str(row.language)))
    ]
    return pd.DataFrame(rows, columns=["review_id", "rating", "topic"])


def topic_table(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """How often each topic is spoken of, the one with the most unhappy reviews first.

    Args:
        now, before: what ``with_topics`` gives for the period and for the days compared with.
    Returns:
        ``topic``, ``label``, ``reviews``, ``negative``, ``before`` (negative ones then).
    """
    many = Counter(now["topic"])
    bad, earlier = (Counter(part.loc[part["rating"] <= BAD, "topic"]) for part in (now, before))
    named = labels()
    rows = [(topic, named.get(topic, topic), many[topic], bad[topic], earlier[topic]) for topic in many]
    rows.sort(key=lambda row: (-row[3], -row[2], row[1]))
    return pd.DataFrame(rows, columns=["topic", "label", "reviews", "negative", "before"])


def new_words(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Words that unhappy reviews of the period hold more often than earlier unhappy ones.

    All reviews of both times are the prior: a word that is common in praise too needs more to be named.

    Args:
        now, before: reviews with ``rating`` and ``text``.
    Returns:
        ``word``, ``first`` (unhappy reviews now that hold it), ``second`` (earlier ones), ``z``; those that stand in
        at least 3 and are beyond 1.96, the most striking first.
    Raises:
        NotEnoughData: no unhappy review with words now, or none before.
    """
    first, second = (texts_by_word(part.loc[part["rating"] <= BAD, "text"]) for part in (now, before))
    common = texts_by_word([*now["text"], *before["text"]])
    words = sorted(first | second)
    counts = pd.DataFrame(
        {
            "word": words,
            "first": [first[word] for word in words],
            "second": [second[word] for word in words],
            "all": [common[word] for word in words],
        }
    )
    # As heavy as a tenth of what is compared: enough to calm rare words, too little to silence new ones.
    weight = max(10.0, float(counts["first"].sum() + counts["second"].sum()) / 10)
    found = word_odds(counts, prior_weight=weight)
    notable = found[(found["first"] >= FEWEST) & (found["z"] > NOTABLE)]
    return notable[["word", "first", "second", "z"]].reset_index(drop=True)


def holding(reviews: pd.DataFrame, word: str) -> pd.DataFrame:
    """The unhappy reviews that hold a word."""
    bad = reviews[reviews["rating"] <= BAD]
    return bad[[word in words_of(str(text)) for text in bad["text"]]]


def mismatches(reviews: pd.DataFrame) -> pd.DataFrame:
    """Reviews whose words say the contrary of their stars; learned from the shop's own reviews with 1-2 and 4-5 stars.

    Args:
        reviews: ``rating``, ``text`` and whatever else should be kept.
    Returns:
        the rows in question with ``unhappy`` (probability by words alone), the surest first.
    Raises:
        NotEnoughData: fewer than 200 reviews with words, or fewer than 20 of either kind.
    """
    clear = reviews[(reviews["rating"] <= BAD) | (reviews["rating"] >= GOOD)].reset_index(drop=True)
    unhappy = cross_fitted([str(text) for text in clear["text"]], [bool(bad) for bad in clear["rating"] <= BAD])
    judged = clear.assign(unhappy=unhappy)
    is_bad = judged["rating"] <= BAD
    odd = (is_bad & (judged["unhappy"] < 1 - SURE)) | (~is_bad & (judged["unhappy"] > SURE))
    sure = judged["unhappy"].where(~is_bad, 1 - judged["unhappy"])
    return judged[odd].assign(_sure=sure[odd]).sort_values("_sure", ascending=False).drop(columns="_sure")
