"""What customers write to the demo store, in tickets, questions and surveys; the words are in letters.toml.

Banks are by language, then by topic.
"""

import tomllib
from pathlib import Path

from lib.demo.sentences import Bank

_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

TOPICS = (
    "where_is_my_order",
    "damaged",
    "wrong_item",
    "return",
    "quality",
    "how_to",
    "invoice",
    "discount_code",
    "change_order",
    "stock",
    "praise",
)
# Who answers.
STAFF = ("Jana", "Tariq", "Marlene", "Bo")

HELLO: dict[str, list[str]] = _WORDS["hello"]
BYE: dict[str, list[str]] = _WORDS["bye"]
SUBJECTS: Bank = _WORDS["subjects"]
ASKS: Bank = _WORDS["asks"]
ANSWERS: Bank = _WORDS["answers"]
AUTOMATIC: dict[str, str] = _WORDS["automatic"]
FOLLOW_UPS: dict[str, list[str]] = _WORDS["follow_ups"]
CLOSINGS: dict[str, list[str]] = _WORDS["closings"]
# Pairs of a question about a product and its answer.
QUESTIONS: dict[str, list[list[str]]] = _WORDS["questions"]
SURVEY_COMMENTS: Bank = _WORDS["survey_comments"]
