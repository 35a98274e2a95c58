"""How easy a text is to read: published formulas over words, sentences and syllables."""

import re
from dataclasses import dataclass
from enum import StrEnum

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
# A sentence ends with its sign before a space, or with its line.
_END = re.compile(r"[.!?…]+(?=\s|$)|\n+")
_ENGLISH_VOWELS = re.compile(r"[aeiouy]+")
_GERMAN_VOWELS = re.compile(r"[aeiouyäöü]+")
# Endings whose e is heard, or belongs to a group of vowels anyway.
_SPOKEN_E = ("le", "ee", "ie", "oe", "ye")
_SPOKEN_ES = ("ses", "zes", "xes", "ches", "shes", "ges", "ces", "ees", "ies", "oes")
# Words of more letters than this are long, for LIX.
_LONG = 6


class Scale(StrEnum):
    """Which formula it is."""

    FLESCH = "Flesch reading ease"
    AMSTAD = "Flesch reading ease for German (Amstad)"
    LIX = "LIX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ease:
    """How easy a text is. ``score``: on its scale; of Flesch and Amstad higher is easier, of LIX lower is."""

    scale: Scale
    score: float
    words: int
    sentences: int
    level: str
    is_plain: bool


def reading_ease(text: str, language: str) -> Ease | None:
    """Judge a text; null without any words.

    English: 206.835 - 1.015·(words/sentences) - 84.6·(syllables/words). German: 180 - (words/sentences) -
    58.5·(syllables/words). Other languages, where no formula of Flesch's kind is ours: LIX, words/sentences +
    100·(words of more than 6 letters)/words. Plain is what most grown-ups read easily: 60 or more, LIX below 40.
    Syllables are counted as groups of vowels, in English without a silent e at the end.

    References:
        Flesch (1948), doi:10.1037/h0057532; Amstad (1978), Wie verständlich sind unsere Zeitungen?, University of
        Zurich; Björnsson (1968), Läsbarhet.
    """
    found = words_in(text)
    if not found:
        return None
    sentences = max(1, len(sentences_in(text)))
    base = language.lower().split("-")[0]
    length = len(found) / sentences
    if base == "en":
        score = 206.835 - 1.015 * length - 84.6 * sum(map(_english_syllables, found)) / len(found)
        scale = Scale.FLESCH
    elif base == "de":
        score = 180 - length - 58.5 * sum(map(_german_syllables, found)) / len(found)
        scale = Scale.AMSTAD
    else:
        score = length + 100 * sum(len(word) > _LONG for word in found) / len(found)
        scale = Scale.LIX
    return Ease(
        scale=scale,
        score=score,
        words=len(found),
        sentences=sentences,
        level=_level(scale, score),
        is_plain=score < 40 if scale is Scale.LIX else score >= 60,
    )


def words_in(text: str) -> list[str]:
    """The words of a text; numbers are none."""
    return _WORD.findall(text)


def sentences_in(text: str) -> list[str]:
    """The sentences of a text; a line of its own is one, whatever it ends with."""
    return [piece.strip() for piece in _END.split(text) if _WORD.search(piece)]


def _english_syllables(word: str) -> int:
    small = word.lower()
    count = len(_ENGLISH_VOWELS.findall(small))
    silent_e = small.endswith("e") and not small.endswith(_SPOKEN_E)
    silent_es = small.endswith("es") and not small.endswith(_SPOKEN_ES)
    silent_ed = small.endswith("ed") and not small.endswith(("ted", "ded"))
    if silent_e or silent_es or silent_ed:
        count -= 1
    return max(1, count)


def _german_syllables(word: str) -> int:
    return max(1, len(_GERMAN_VOWELS.findall(word.lower())))


def _level(scale: Scale, score: float) -> str:
    if scale is Scale.LIX:
        steps = ((30, "very easy"), (40, "easy"), (50, "fairly hard"), (60, "hard"))
        return next((name for most, name in steps if score < most), "very hard")
    steps = ((80, "very easy"), (60, "easy"), (50, "fairly hard"), (30, "hard"))
    return next((name for least, name in steps if score >= least), "very hard")
