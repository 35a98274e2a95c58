"""How easy a text is to read, and what is said about an offer's words."""

import pytest

from lib.offer import KINDS, Content
from lib.stats.reading import Scale, reading_ease, sentences_in, words_in
from lib.workflows.offer_plainness import jargon_in, plainness, spoken
from lib.workflows.offer_starters import starter_content


@pytest.mark.parametrize(
    ("text", "score"),
    [
        # Both are told with these scores wherever the formula is explained.
        ("The cat sat on the mat.", 116.145),
        ("The Australian platypus is seemingly a hybrid of a mammal and reptilian creature.", 37.455),
    ],
)
def test_english_gets_the_published_reading_ease(text: str, score: float) -> None:
    found = reading_ease(text, "en-GB")
    assert found is not None
    assert (found.scale, round(found.score, 3)) == (Scale.FLESCH, score)


def test_german_gets_amstads_formula() -> None:
    # 3 words of 3 syllables: 180 - 3 - 58.5; then 4 words of 3 + 5 + 1 + 7 syllables: 180 - 4 - 58.5 · 16 / 4.
    easy, hard = (
        reading_ease("Der Hund bellt.", "de"),
        reading_ease("Unsere Lieferbedingung kennt Ausnahmeregelungen", "de"),
    )
    assert easy is not None and hard is not None
    assert (easy.scale, easy.score, easy.level, easy.is_plain) == (Scale.AMSTAD, 118.5, "very easy", True)
    assert (hard.score, hard.level, hard.is_plain) == (-58.0, "very hard", False)


def test_other_languages_get_lix() -> None:
    # 5 words in one sentence, 1 of more than 6 letters: 5 + 20.
    found = reading_ease("Hei på deg, kjære kundevenn.", "nb")
    assert found is not None
    assert (found.scale, found.score, found.level, found.is_plain) == (Scale.LIX, 25.0, "very easy", True)


def test_no_words_are_not_judged() -> None:
    assert reading_ease("123 … !", "en") is None
    assert plainness(Content(language="en", subject="", text="")).ease is None


def test_lines_and_signs_end_sentences_and_numbers_do_not() -> None:
    assert sentences_in("Hello Ann,\n\nIt costs 3.50 today. Really?") == ["Hello Ann,", "It costs 3.50 today", "Really"]
    assert words_in("Don't, it's 10 % wein-rot") == ["Don't", "it's", "wein-rot"]


def test_variables_are_read_as_examples_and_addresses_are_not_read() -> None:
    assert spoken("Hi {first_name|you}, {reward}: https://x.test/a {code} {link}") == "Hi you, 10 % off:"


def test_what_is_not_plain_is_said() -> None:
    long = " ".join(["word"] * 30)
    found = plainness(
        Content(language="en", subject="x" * 60, text=f"ACT NOW!! Please UTILISE it prior to May. {long}.")
    )
    told = " ".join(found.advice)
    for part in ("60 characters", "30 words", "“UTILISE”: plainer is use", "“prior to”: plainer is before", "shouting"):
        assert part in told
    assert "exclamation mark" in told
    assert not found.is_plain


def test_jargon_is_whole_words_in_the_order_of_the_text() -> None:
    assert jargon_in("Deal? Bezüglich ideale", "de-AT") == [("Deal", "Angebot"), ("Bezüglich", "zu, wegen")]
    assert jargon_in("exclusive", "fr") == []


@pytest.mark.parametrize("kind", KINDS)
def test_encores_own_words_are_plain(kind: str) -> None:
    for one in starter_content(kind, ["en", "de"]):
        found = plainness(one)
        assert found.advice == (), one.language
        assert found.ease is not None and found.ease.is_plain
