"""What a new offer begins as: its kind's usual moment and reward, and words that are true for any shop."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lib.offer import Code, Content, Pays, Plan
from lib.periods import start_of_day, store_day
from lib.workflows.offer_content import LETTER
from lib.workflows.offer_terms import Terms

WORDS = Path(__file__).with_suffix(".toml")
# Eight weeks: long enough for eight weekly looks, short enough to be judged.
USUAL_DAYS = 56


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def starter_content(kind: str, languages: Sequence[str]) -> tuple[Content, ...]:
    """The words of a kind in the store's languages, as far as Encore has them; English where it has none."""
    told = _words()[kind]
    spoken = [language for language in languages if language in told] or ["en"]
    return tuple(
        Content(
            language=language,
            subject=told[language]["subject"],
            text=str(told[language]["text"]).strip(),
            html=LETTER,
        )
        for language in spoken
    )


def starter(kind: str, *, languages: Sequence[str], zone: ZoneInfo, at: datetime) -> Terms:
    """A draft of a kind. What only the shop can know (costs, links) is left open and asked for before the start."""
    plan = replace(Plan(kind=kind).of_kind(kind), content=starter_content(kind, languages))
    reward = plan.reward
    if reward.pays is Pays.PERCENT:
        reward = replace(reward, depth=0.1)
    if reward.pays in {Pays.PERCENT, Pays.AMOUNT, Pays.SHIPPING}:
        plan = replace(plan, code=Code(prefix="AGAIN"))
    plan = replace(plan, reward=reward)
    ends_at = start_of_day(store_day(at, zone) + timedelta(days=USUAL_DAYS), zone)
    return Terms(name=str(_words()[kind]["name"]), plan=plan, ends_at=ends_at)
