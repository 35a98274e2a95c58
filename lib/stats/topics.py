"""What a text is about: topics by keywords, per language.

Stars are the sentiment; the words say the subject. A topic is found when one of its keywords stands in the text,
whole or, where it ends in ``*``, as the beginning of a word. Simple on purpose: a merchant can read the list
(``topics.toml``), and a person may always say otherwise.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

KEYWORDS = Path(__file__).with_suffix(".toml")
# A text longer than this is judged by its beginning.
LONGEST = 20_000


@cache
def labels() -> dict[str, str]:
    """Every topic and what it is called."""
    return {key: str(entry["label"]) for key, entry in _table().items()}


def topics_of(text: str, language: str = "") -> list[str]:
    """The topics of a text in the order of the list; of an unknown language, by the words of all."""
    held = text[:LONGEST]
    return [topic for topic, pattern in _patterns(language[:2].lower()).items() if pattern.search(held)]


@cache
def _patterns(language: str) -> dict[str, re.Pattern[str]]:
    found = {}
    for topic, entry in _table().items():
        known = [key for key in entry if key != "label"]
        words = [word for key in known if key == language or language not in known for word in entry[key]]
        alternatives = "|".join(
            re.escape(word.removesuffix("*")).replace(r"\ ", r"\s+") + ("" if word.endswith("*") else r"\b")
            for word in words
        )
        found[topic] = re.compile(rf"\b(?:{alternatives})", re.IGNORECASE)
    return found


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(KEYWORDS.read_text(encoding="utf-8"))
