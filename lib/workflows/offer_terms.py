"""What staff may set of an offer, checked before it is written, and what stands in the way of its start."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lib.errors import InvalidInput
from lib.offer import KINDS, Code, Content, Pays, Plan
from lib.workflows.offer_content import content_problems

LONGEST_NAME = 100
LONGEST_SUBJECT = 200
LONGEST_TEXT = 8_000
# A plan with all its languages; more is no letter any more.
LONGEST_PLAN = 60_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,39}")
_PREFIX = re.compile(r"[A-Z0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """An offer as staff set it: its plan, its days, and how it is measured.

    ``ends_at``: nobody new gets it from then on; the result of each is measured ``window_days`` from the day on
    which the lot was drawn for her.
    """

    name: str
    plan: Plan
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    window_days: int = 30
    holdout_share: float = 0.5

    def to_json(self) -> dict[str, Any]:
        """As kept in ``offer_versions.settings``: the plan, and beside it the rest, so that versions compare whole."""
        rest = {
            "name": self.name,
            "starts_at": self.starts_at.isoformat() if self.starts_at else None,
            "ends_at": self.ends_at.isoformat() if self.ends_at else None,
            "window_days": self.window_days,
            "holdout_share": self.holdout_share,
        }
        # Through JSON, so that what is compared with what was kept is of the same kinds.
        told: dict[str, Any] = json.loads(json.dumps(self.plan.to_json() | {"terms": rest}))
        return told

    @classmethod
    def from_json(cls, kept: Mapping[str, Any], row: Mapping[str, Any]) -> "Terms":
        """Read one back; what stands on the offer's ``row`` alone is taken from there.

        Raises:
            InvalidInput: it was not written by Encore, or is damaged.
        """
        plan = Plan.from_json(kept)
        try:
            rest = kept.get("terms") or row
            return cls(
                name=str(rest["name"]),
                plan=plan,
                starts_at=_instant(rest["starts_at"]),
                ends_at=_instant(rest["ends_at"]),
                window_days=int(rest["window_days"]),
                holdout_share=float(rest["holdout_share"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("This offer's plan is damaged and cannot be read.") from error


def checked(terms: Terms) -> Terms:
    """The same terms, tidied; a draft may be unfinished, but nothing in it may be impossible.

    Raises:
        InvalidInput: says what to change.
    """
    name = " ".join(_CONTROL.sub(" ", terms.name).split())
    plan = terms.plan
    if not name:
        raise InvalidInput("Give the offer a name.")
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"The name has at most {LONGEST_NAME} characters.")
    if plan.kind not in KINDS:
        raise InvalidInput(f"There is no kind of offer called {plan.kind!r}.")
    if not 1 <= terms.window_days <= 365:
        raise InvalidInput("The outcome window is 1 to 365 days.")
    if not 0 <= terms.holdout_share <= 0.9:
        raise InvalidInput("The holdout is 0 to 90 % of the audience.")
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        raise InvalidInput("The last day comes before the first.")
    if not 0 <= plan.delay_days <= 730:
        raise InvalidInput("The delay is 0 to 730 days.")
    _check_reward(plan)
    _check_guardrails(plan)
    tidy = replace(plan, code=_checked_code(plan.code), content=_checked_content(plan.content), link=plan.link.strip())
    if tidy.link and not re.fullmatch(r"https?://[^\s<>\"']{3,1000}", tidy.link):
        raise InvalidInput("The link is a whole web address such as https://your-shop.example/again.")
    done = replace(terms, name=name, plan=tidy)
    if len(json.dumps(done.to_json())) > LONGEST_PLAN:
        raise InvalidInput(f"The whole offer has at most {LONGEST_PLAN:,} characters. Shorten what it says.")
    return done


def problems(terms: Terms, *, at: datetime) -> list[str]:
    """What stands in the way of a start, in words; none: it can be approved."""
    plan = terms.plan
    found = plan.problems(window_days=terms.window_days, holdout_share=terms.holdout_share)
    if terms.ends_at is None:
        found.append("Set a last day: the result is judged when it is over. What works is then rolled out.")
    elif terms.ends_at <= at:
        found.append("The last day is past: set a later one.")
    found.extend(content_problems(plan))
    return found


def most_it_may_cost(plan: Plan) -> int | None:
    """What the offer can cost in all, in minor units: 0 where nothing is given, its budget, null without a limit.

    An offer without a budget reaches whoever comes: nobody can say beforehand what it will cost.
    """
    if plan.reward.pays is Pays.NOTHING and not plan.contact_cost_minor:
        return 0
    return plan.guardrails.budget_minor


def _check_reward(plan: Plan) -> None:
    reward = plan.reward
    amounts = (
        reward.face_minor,
        reward.cost_minor,
        reward.points,
        reward.point_minor,
        reward.minimum_basket_minor,
        plan.contact_cost_minor,
    )
    if any(amount < 0 or amount > 10**12 for amount in amounts):
        raise InvalidInput("Amounts and points are 0 or more.")
    if not 0 <= reward.depth <= 0.95:
        raise InvalidInput("The discount is 0 to 95 %.")
    if not 1 <= reward.expiry_days <= 365:
        raise InvalidInput("A reward is valid for 1 to 365 days.")
    if not 1 <= plan.priority <= 1000:
        raise InvalidInput("The priority is 1 (first) to 1,000 (last).")


def _check_guardrails(plan: Plan) -> None:
    rails = plan.guardrails
    for share in (rails.margin_floor, rails.refund_rate, rails.complaint_rate):
        if share is not None and not 0 <= share <= 1:
            raise InvalidInput("A guardrail that is a share is 0 to 100 %.")
    if rails.budget_minor is not None and rails.budget_minor <= 0:
        raise InvalidInput("The budget is more than nothing; leave it empty for no limit.")


def _checked_code(code: Code) -> Code:
    shared, prefix = code.shared.strip().upper(), code.prefix.strip().upper()
    if shared and not _CODE.fullmatch(shared):
        raise InvalidInput("A code has 2 to 40 letters and digits, such as AGAIN10.")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise InvalidInput("A code begins with 1 to 12 letters and digits, such as AGAIN.")
    if not 1 <= code.uses_per_customer <= 100:
        raise InvalidInput("Each customer may use the code 1 to 100 times.")
    return replace(code, shared=shared, prefix=prefix)


def _checked_content(content: tuple[Content, ...]) -> tuple[Content, ...]:
    done = []
    for one in content:
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})?", one.language):
            raise InvalidInput("A language is told by its code, such as en or de.")
        subject = " ".join(_CONTROL.sub(" ", one.subject).split())
        text = _CONTROL.sub("", one.text.replace("\r\n", "\n")).strip()
        html = _CONTROL.sub("", one.html).strip()
        if len(subject) > LONGEST_SUBJECT or len(text) > LONGEST_TEXT or len(html) > 2 * LONGEST_TEXT:
            raise InvalidInput(f"A subject has at most {LONGEST_SUBJECT} characters, a text {LONGEST_TEXT:,}.")
        done.append(replace(one, subject=subject, text=text, html=html))
    if len({one.language for one in done}) < len(done):
        raise InvalidInput("Each language is written once.")
    return tuple(done)


def _instant(kept: object) -> datetime | None:
    return kept if kept is None or isinstance(kept, datetime) else datetime.fromisoformat(str(kept))
