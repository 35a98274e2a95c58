"""The demo store's surveys (NPS, satisfaction) and the questions that people ask about products."""

import numpy as np
from sqlalchemy import Connection

from lib.db.bulk import bulk_insert
from lib.db.tables.surveys import answers, questions, survey_answers, surveys
from lib.demo import behaviour as b
from lib.demo import letters
from lib.demo.catalogue import catalogue
from lib.demo.columns import FIRST_NUMBER, NEVER, Column, days_later, objects, or_none
from lib.demo.regret import Aftermath
from lib.demo.sales import Sales

SENT_SHARE = 0.12
ANSWERED_SHARE = 0.27
# Scores 0 to 10: ordinary, late, regretted.
NPS = (
    (0.01, 0.005, 0.01, 0.015, 0.02, 0.05, 0.06, 0.13, 0.21, 0.22, 0.27),
    (0.06, 0.04, 0.06, 0.08, 0.08, 0.12, 0.13, 0.16, 0.13, 0.08, 0.06),
    (0.20, 0.12, 0.12, 0.12, 0.10, 0.12, 0.09, 0.06, 0.04, 0.02, 0.01),
)
# Satisfaction 1 to 5, likewise.
CSAT = ((0.02, 0.03, 0.10, 0.33, 0.52), (0.16, 0.20, 0.26, 0.24, 0.14), (0.46, 0.26, 0.16, 0.08, 0.04))
QUESTION_SHARE = 0.006


def write_feedback(
    connection: Connection, rng: np.random.Generator, sales: Sales, after: Aftermath, people: dict[str, Column]
) -> None:
    """Write two surveys with what was sent and answered, and product questions with most of their answers."""
    orders, calendar = sales.orders, sales.calendar
    bulk_insert(
        connection,
        surveys,
        {
            "survey_id": [1, 2],
            "source": ["demo"] * 2,
            "external_id": ["nps", "csat-delivery"],
            "fingerprint": ["demo"] * 2,
            "kind": ["nps", "csat"],
            "name": ["Would you recommend us?", "How was your delivery?"],
            "question": [
                "How likely are you to recommend Harbour & Home to a friend (0 to 10)?",
                "How satisfied are you with the delivery (1 to 5)?",
            ],
        },
    )
    n = len(after.is_regretted)
    arrived = orders["arrived_at"][:n]
    can = sales.is_valid[:n] & (orders["who"][:n] >= 0) & ~np.isnat(arrived)
    rows = np.flatnonzero(can & (rng.random(n) < SENT_SHARE))
    m = len(rows)
    kind = rng.integers(0, 2, m)
    sent = arrived[rows] + np.where(kind == 0, days_later(14, 15, rng, m), days_later(1, 2, rng, m))
    mood = np.where(after.is_regretted[rows], 2, np.where(orders["is_late"][rows], 1, 0))
    keep = np.flatnonzero(sent < calendar.now)
    keep = keep[np.argsort(sent[keep], kind="stable")]
    rows, kind, sent, mood = rows[keep], kind[keep], sent[keep], mood[keep]
    m = len(rows)
    # Who is angry answers a little more often.
    answers_it = rng.random(m) < np.array([ANSWERED_SHARE, 0.33, 0.38])[mood]
    answered = sent + (rng.exponential(1.1, m) * 86400e6).astype("m8[us]")
    answered = np.where(answers_it & (answered < calendar.now), answered, NEVER)
    has = ~np.isnat(answered)
    nps = b.pick_by_row(rng, np.array(NPS), mood)
    csat = b.pick_by_row(rng, np.array(CSAT), mood) + 1
    score = np.where(kind == 0, nps, csat)
    level = np.where(kind == 0, np.where(nps <= 6, 0, np.where(nps <= 8, 1, 2)), np.clip(csat - 2, 0, 2))
    german = people["language"][orders["who"][rows]] == "de"
    drawn = rng.random(m)
    comments = []
    for i in range(m):
        bank = letters.SURVEY_COMMENTS["de" if german[i] else "en"][("bad", "fair", "good")[level[i]]]
        comments.append(bank[int(drawn[i] * len(bank))])
    bulk_insert(
        connection,
        survey_answers,
        {
            "survey_answer_id": np.arange(1, m + 1),
            "source": ["demo"] * m,
            "external_id": objects([f"SV-{FIRST_NUMBER + i}" for i in range(1, m + 1)]),
            "fingerprint": ["demo"] * m,
            "survey_id": kind + 1,
            "customer_id": orders["who"][rows] + 1,
            "order_id": rows + 1,
            "sent_at": sent,
            "answered_at": answered,
            "score": np.ma.masked_array(score, mask=~has),
            "comment": or_none(has & (rng.random(m) < 0.4), objects(comments)),
        },
    )
    _write_questions(connection, rng, sales, people)


def _write_questions(connection: Connection, rng: np.random.Generator, sales: Sales, people: dict[str, Column]) -> None:
    calendar, goods = sales.calendar, catalogue()
    m = max(8, round(len(sales) * QUESTION_SHARE))
    asked = np.sort(calendar.at(rng.integers(5, calendar.days, m), rng.beta(4, 3, m)))
    # Somebody asked yesterday.
    asked[-1] = calendar.now - np.timedelta64(7, "h")
    who = rng.integers(0, sales.lived, m)
    product = b.pick(rng, goods.weight, m)
    wait = (rng.exponential(0.8, m) * 86400e6).astype("m8[us]") + np.timedelta64(20, "m")
    answered = np.where((asked + wait < calendar.now) & (rng.random(m) < 0.9), asked + wait, NEVER)
    german = people["language"][who] == "de"
    texts = []
    for i in range(m):
        bank = letters.QUESTIONS["de" if german[i] else "en"]
        question, answer = bank[int(rng.random() * len(bank))]
        texts.append((question.format(p=goods.name[product[i]].split(",")[0]), answer))
    keys = np.arange(1, m + 1)
    bulk_insert(
        connection,
        questions,
        {
            "question_id": keys,
            "source": ["demo"] * m,
            "external_id": objects([f"Q-{FIRST_NUMBER + i}" for i in keys]),
            "fingerprint": ["demo"] * m,
            "product_id": product + 1,
            "customer_id": who + 1,
            "asked_at": asked,
            "answered_at": answered,
            "body": objects([t[0] for t in texts]),
        },
    )
    has = np.flatnonzero(~np.isnat(answered))
    bulk_insert(
        connection,
        answers,
        {
            "question_id": keys[has],
            "answered_at": answered[has],
            "body": objects([t[1] for t in texts])[has],
        },
    )
