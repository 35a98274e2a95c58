"""What the demo store's customers write in reviews, and what it replies; the words are in sentences.toml.

A review is an opening, what it is about, at times a second thought, and a close. Banks are by language,
then by mood (bad: 1-2 stars, fair: 3, good: 4-5), topic, group of goods or category.
"""

import tomllib
from pathlib import Path

Bank = dict[str, dict[str, list[str]]]

_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

TITLES: Bank = _WORDS["titles"]
OPENINGS: Bank = _WORDS["openings"]
TOPICS: Bank = _WORDS["topics"]
# What is wrong with the goods themselves: consumable, textile, lamp, other.
QUALITY: Bank = _WORDS["quality"]
# What is good about them, by category.
PRAISE: Bank = _WORDS["praise"]
CLOSES: Bank = _WORDS["closes"]
# Replies of the store, to thank and to put right.
THANKS: dict[str, list[str]] = _WORDS["thanks"]
SORRY: Bank = _WORDS["sorry"]
