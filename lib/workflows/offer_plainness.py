"""Whether an offer says it plainly: length, sentences, jargon, shouting, and how easy it is to read.

Advice only: staff decide. What stands in the way of a start is lib/workflows/offer_content.py.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lib.offer import Content
from lib.stats.reading import Ease, reading_ease, sentences_in, words_in

JARGON = Path(__file__).with_suffix(".toml")
# What a phone shows of a subject.
LONGEST_SUBJECT = 50
# As the style guide of the British government says it: beyond 25 words people read a sentence twice.
LONGEST_SENTENCE = 25
LONGEST_TEXT = 150
_VARIABLE = re.compile(r"\{([a-z_]+)(?:\|([^{}|]*))?\}")
_ADDRESS = re.compile(r"https?://\S+|\{(?:link|tracking|unsubscribe|code)(?:\|[^{}]*)?\}")
# What stands in a variable's place while its words are judged: as long as what mostly stands there.
_EXAMPLES = {
    "first_name": "Anna",
    "store": "Shop",
    "order": "1042",
    "product": "mug",
    "products": "mug",
    "reward": "10 % off",
    "minimum": "30",
    "expires": "4 May",
}
_SHOUT = re.compile(r"\b[^\W\d_a-zß-öø-ÿ]{4,}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plainness:
    """What was found. ``ease`` is null without words; ``advice``: in words, the weightiest first."""

    ease: Ease | None
    advice: tuple[str, ...]

    @property
    def is_plain(self) -> bool:
        return not self.advice


def plainness(content: Content) -> Plainness:
    """Judge what is said in one language."""
    text = spoken(content.text)
    ease = reading_ease(text, content.language)
    advice: list[str] = []
    subject = spoken(content.subject)
    if len(subject) > LONGEST_SUBJECT:
        advice.append(f"The subject has about {len(subject)} characters; a phone shows {LONGEST_SUBJECT}.")
    if ease is not None and not ease.is_plain:
        advice.append(f"It is {ease.level} to read: shorter sentences and shorter words help.")
    for sentence in sentences_in(text):
        count = len(words_in(sentence))
        if count > LONGEST_SENTENCE:
            advice.append(f"A sentence of {count} words: “{_begin(sentence)}”. Make two of it.")
    if ease is not None and ease.words > LONGEST_TEXT:
        advice.append(f"{ease.words} words: most people read the first {LONGEST_TEXT}.")
    advice += [
        f"“{found}”: plainer is {instead}." for found, instead in jargon_in(f"{subject}\n{text}", content.language)
    ]
    if shouts := dict.fromkeys(_SHOUT.findall(f"{subject}\n{text}")):
        advice.append(f"In capitals: {', '.join(list(shouts)[:3])}. It reads as shouting.")
    if f"{subject}{text}".count("!") > 1:
        advice.append("One exclamation mark is enough.")
    return Plainness(ease=ease, advice=tuple(advice))


def spoken(text: str) -> str:
    """A text as it is read aloud: variables as examples, without addresses and codes."""
    without = _ADDRESS.sub(" ", text)
    return _VARIABLE.sub(lambda found: found.group(2) or _EXAMPLES.get(found.group(1), ""), without).strip()


def jargon_in(text: str, language: str) -> list[tuple[str, str]]:
    """The stumbling words of a text and plainer ones, in the order in which they stand."""
    listed = _jargon().get(language.lower().split("-")[0], {})
    found = []
    for word, instead in listed.items():
        hit = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
        if hit:
            found.append((hit.start(), hit.group(0), instead))
    return [(word, instead) for _, word, instead in sorted(found)]


@cache
def _jargon() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(JARGON.read_text(encoding="utf-8"))


def _begin(sentence: str) -> str:
    return " ".join(sentence.split()[:6]) + " …"
