"""Questions of how something is done: each says that a guide is missing, or that nobody found it.

Found by the way they are asked (``how_to.toml``), in English and German; simple on purpose, so that a merchant can
read the list. ``…`` stands for up to four words, ``*`` for any ending.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

import pandas as pd

PATTERNS = Path(__file__).with_suffix(".toml")
# A text longer than this is judged by its beginning.
LONGEST = 2_000
UNKNOWN = "No product known"


def asks_how(text: str) -> bool:
    """Whether somebody asks how a thing is done."""
    return bool(_pattern().search(text[:LONGEST]))


def missing_guides(questions: pd.DataFrame) -> pd.DataFrame:
    """How many asked how to do something with each product, the most first; what names no product comes last.

    Args:
        questions: ``product`` (empty: unknown), ``text``, ``asked_at``.
    Returns:
        ``product``, ``n`` (questions that ask how), ``asked`` (all questions), ``share`` (n ÷ asked), ``latest``
        (when somebody asked last); products that nobody asked it of are left out.
    """
    columns = ["product", "n", "asked", "share", "latest"]
    named = questions.assign(
        product=questions["product"].replace("", UNKNOWN), how=[asks_how(str(text)) for text in questions["text"]]
    )
    asking = named[named["how"]]
    if asking.empty:
        return pd.DataFrame(columns=columns)
    found = asking.groupby("product", as_index=False).agg(n=("how", "size"), latest=("asked_at", "max"))
    found["asked"] = found["product"].map(named["product"].value_counts()).astype("int64")
    found["share"] = found["n"] / found["asked"]
    found["is_unknown"] = found["product"] == UNKNOWN
    found = found.sort_values(["is_unknown", "n", "product"], ascending=[True, False, True], ignore_index=True)
    return found[columns]


@cache
def _pattern() -> re.Pattern[str]:
    lists = tomllib.loads(PATTERNS.read_text(encoding="utf-8")).values()
    return re.compile("|".join(_one(words) for phrases in lists for words in phrases), re.IGNORECASE)


def _one(phrase: str) -> str:
    ending = "" if phrase.endswith("*") else r"\b"
    parts = [
        r"(?:\S+\s+){1,4}?" if word == "…" else re.escape(word) + r"\s+" for word in phrase.removesuffix("*").split()
    ]
    return r"\b" + "".join(parts).removesuffix(r"\s+") + ending
