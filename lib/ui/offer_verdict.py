"""What a manager can repeat of an offer's result: a sentence, and the sentence below it."""

from dataclasses import dataclass

from lib.money import format_money
from lib.periods import day_of
from lib.stats.read_out import ReadOut
from lib.stats.verdict import Call, Verdict

# A month, for money a month.
MONTH_DAYS = 30.4
# Assigned over fewer days than this, an offer has no pace by the month.
FEWEST_DAYS = 14
ICONS = {
    Call.KEEP: ":material/thumb_up:",
    Call.STOP: ":material/block:",
    Call.NO_DIFFERENCE: ":material/drag_handle:",
    Call.TOO_EARLY: ":material/hourglass_top:",
    Call.TOO_FEW: ":material/group_off:",
    Call.BLOCKED: ":material/warning:",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many customers an offer reaches: ``customers`` were assigned on ``days`` days."""

    customers: int
    days: int

    @property
    def is_monthly(self) -> bool:
        return self.days >= FEWEST_DAYS

    @property
    def reached(self) -> float:
        """Customers a month; all of them where there is no pace."""
        return self.customers / self.days * MONTH_DAYS if self.is_monthly else float(self.customers)


def headline(read: ReadOut, pace: Pace, currency: str) -> tuple[Call, str, str]:
    """The call, the sentence to repeat, and what it rests on."""
    verdict = read.standing
    if read.split is not None and read.split.blocks:
        return (
            Call.BLOCKED,
            "No verdict: the two groups are not as large as planned.",
            "A split like this is no chance. Something assigned, dropped or counted customers differently in the two "
            "groups, so whatever they bought does not tell of the offer. Find out what, and start it anew.",
        )
    if verdict is None:
        return Call.TOO_EARLY, _waits(read), "Nobody's outcome window is over yet, or nobody bought."
    match verdict.call:
        case Call.KEEP:
            return verdict.call, _keep(read, verdict, pace, currency), _basis(read, verdict) + _profit_doubt(read)
        case Call.STOP:
            return verdict.call, _stop(read, verdict, pace, currency), _basis(read, verdict)
        case Call.NO_DIFFERENCE:
            words = f"No difference found. From {per_thousand(verdict.low)} to {per_thousand(verdict.high)} "
            basis = _basis(read, verdict)
            return (
                verdict.call,
                f"{words}buyers per 1,000 customers all fit.",
                f"That is not “no effect”: it is not known. {basis}",
            )
        case Call.TOO_FEW:
            words = "Too few bought to say anything, and everybody's window is over."
            return verdict.call, words, "Next time a bigger audience, a longer window or an even split."
        case _:
            return Call.TOO_EARLY, _waits(read), _so_far(verdict)


def per_thousand(difference: float) -> str:
    """``41 more``, ``7 fewer``, ``as many``: buyers per 1,000 customers."""
    count = round(abs(difference) * 1000)
    return "as many" if count == 0 else f"{count:,} {'more' if difference > 0 else 'fewer'}"


def signed(difference: float) -> str:
    """``+41`` or ``−7`` per 1,000."""
    return f"{round(difference * 1000):+,}".replace("-", "−")


def money(minor: float, currency: str, *, plus: bool = False) -> str:
    """An amount with its sign; cents only where it is small."""
    text = format_money(round(minor), currency or "EUR", cents=abs(minor) < 100_00).replace("-", "−")
    # A sign and its amount stay on one line.
    return f"+\u2060{text}" if plus and minor > 0 else text


def profit_words(read: ReadOut, pace: Pace, currency: str) -> str:
    """``about €380 profit a month (€20 to €740)``; says so where costs are not known."""
    effect = read.effects.get("profit")
    if effect is None:
        return "profit not known: no product has a cost"
    times = pace.reached
    written = [money(times * value, currency) for value in (effect.difference, *read.ranges["profit"])]
    when = "a month" if pace.is_monthly else f"if all {pace.customers:,} had got it"
    kind = "profit" if effect.difference >= 0 else "loss"
    middle = written[0].removeprefix("−") if kind == "loss" else written[0]
    return f"about {middle} {kind} {when} ({written[1]} to {written[2]})"


def _keep(read: ReadOut, verdict: Verdict, pace: Pace, currency: str) -> str:
    profit = profit_words(read, pace, currency)
    return f"Keep it. It brings {_more(verdict)}, {profit}."


def _profit_doubt(read: ReadOut) -> str:
    """That more bought does not say that it earns more."""
    verdict = read.beside.get("profit")
    is_told = verdict is None or verdict.call is Call.KEEP
    return "" if is_told else " That more buy is beyond chance; that it earns more is not yet."


def _stop(read: ReadOut, verdict: Verdict, pace: Pace, currency: str) -> str:
    if verdict.effect.difference <= 0:
        return f"Stop it: fewer buy with it than without. {_more(verdict)}."
    profit = profit_words(read, pace, currency)
    return f"Stop it: it costs more than it brings. {_more(verdict)}, but {profit}."


def _more(verdict: Verdict) -> str:
    difference = verdict.effect.difference
    low, high = verdict.low, verdict.high
    if difference < 0:
        low, high = -high, -low
    span = f"({round(low * 1000):,} to {round(high * 1000):,})".replace("-", "−")
    return f"{per_thousand(difference)} buyers per 1,000 customers {span}"


def _waits(read: ReadOut) -> str:
    following = read.plan.next_look(read.today)
    if following is None:
        return "Nothing can be compared."
    days = following - read.today
    return f"Too early: {days} more day{'' if days == 1 else 's'}."


def _so_far(verdict: Verdict) -> str:
    when = f"The next look is on {day_of(verdict.next_look):%a %-d %b %Y}. " if verdict.next_look else ""
    kind = "safe to peek at" if verdict.is_peek else "the range of today's look"
    span = f"{signed(verdict.low)} to {signed(verdict.high)} buyers per 1,000, {kind}"
    return f"{when}So far {signed(verdict.effect.difference)} ({span}): this may still turn."


def _basis(read: ReadOut, verdict: Verdict) -> str:
    day = read.decided_on if read.decided_on is not None else read.plan.end
    number = next((look.number for look in read.looks if look.day == day), None)
    look = "At the planned end" if day == read.plan.end else f"At look {number} of {len(read.plan.looks)}"
    sizes = verdict.effect.sizes
    return (
        f"{look}, {day_of(day):%-d %b %Y}: {verdict.effect.treated * 100:.1f}% of {sizes[0]:,} with the offer bought, "
        f"{verdict.effect.holdout * 100:.1f}% of {sizes[1]:,} held out. The range holds for all looks together."
    )
