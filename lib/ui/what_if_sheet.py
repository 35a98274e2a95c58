"""A what-if to hand on: the same figures as a table for a spreadsheet, and as a page of paper."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from lib.charts.what_if import profit_bins
from lib.money import exponent, to_major
from lib.stats.assumptions import Assumptions, Beta
from lib.stats.sensitivity import tornado
from lib.stats.what_if import Range
from lib.ui.pdf import ACCENT, BAD, INK, LINE, MARGIN, MUTED, WIDTH, Sheet
from lib.ui.what_if_answer import Answer, Ranges
from lib.ui.what_if_looks import tornado_frame
from lib.ui.what_if_words import count, count_range, money_range, scenario_words, whole

_MONEY = {
    "profit": "Profit",
    "net_sales": "Net sales",
    "in_window": "Profit within the window",
    "given": "Given to who would have bought anyway",
    "spent": "Costs of rewards and contacts",
}
_COUNTS = {"orders": "Added orders", "pulled_forward": "Orders pulled forward"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above and below the page: whose it is, by whom, of which day, and where it can be opened."""

    name: str
    store: str
    author: str
    day: date
    link: str = ""


def rows(answer: Answer, ranges: Ranges, currency: str) -> pd.DataFrame:
    """Everything that went in and came out, one row each, in whole units of money: for a file."""
    told: list[tuple[str, str, object, object, object]] = []
    found = answer.result.break_even
    told.append(("answer", "Break-even uplift (share)", found.uplift, None, None))
    told.append(("answer", "Chance of a profit (share)", answer.result.chance, None, None))
    told.append(("answer", "Customers who get it", answer.result.contacted, None, None))
    for name, label in _COUNTS.items():
        one: Range = getattr(ranges, name)
        told.append(("answer", label, one.middle, one.low, one.high))
    for name, label in _MONEY.items():
        one = getattr(ranges, name)
        low, middle, high = (to_major(round(v), currency) for v in (one.low, one.middle, one.high))
        told.append(("answer", f"{label} ({currency})", middle, low, high))
    told += [("setting", label, value, None, None) for label, value in settings_told(answer, currency)]
    told += [("measured", label, value, None, None) for label, value in measured_told(answer, currency)]
    told += [("assumption", *one) for one in assumptions_told(answer.assumptions)]
    return pd.DataFrame(told, columns=["kind", "what", "value", "low (5%)", "high (95%)"])


def settings_told(answer: Answer, currency: str) -> list[tuple[str, str]]:
    """How the sliders stand, in words."""
    scenario = answer.scenario
    margin = "as measured" if scenario.margin is None else f"{scenario.margin:.1%}"
    return [
        ("Offer", scenario_words(scenario, currency)),
        ("Audience", scenario.group),
        ("Started over", f"{scenario.run_days} days"),
        ("Reach", f"{scenario.reach:.0%}"),
        ("Holdout", f"{scenario.holdout:.0%}"),
        ("Cost of one contact", f"{scenario.contact_cost_minor / 10 ** exponent(currency):g} {currency}"),
        ("Gross margin", margin),
    ]


def measured_told(answer: Answer, currency: str) -> list[tuple[str, str]]:
    """What it stands on, in words."""
    offer, waiting = answer.worked.offer, answer.worked.waiting
    return [
        ("Customers in the run", f"{offer.customers:,.0f}"),
        ("Still waiting when it goes out", f"{waiting.still:.1%}"),
        ("Buy without it while it is valid", f"{waiting.bought:.2%}"),
        (
            "Mean basket of who qualifies",
            f"{to_major(round(offer.basket), currency):,.{exponent(currency)}f} {currency}",
        ),
        ("Baskets that qualify", f"{offer.qualifying_share:.1%}"),
        ("Gross margin used", f"{offer.margin:.1%}"),
    ]


def assumptions_told(known: Assumptions) -> list[tuple[str, float, float, float]]:
    """Each assumption with its middle and 90 % range."""

    def normal(label: str, mean: float, sd: float) -> tuple[str, float, float, float]:
        return label, mean, mean - 1.645 * sd, mean + 1.645 * sd

    def share(label: str, one: Beta) -> tuple[str, float, float, float]:
        return label, one.mean, one.quantile(0.05), one.quantile(0.95)

    return [
        normal("The message itself (log of the rate)", known.contact, known.contact_sd),
        ("Pull of the reward", known.pull, float(known.pull_quantile(0.05)), float(known.pull_quantile(0.95))),
        normal("How offers differ (log of the rate)", 0.0, known.offer_sd),
        share("Added orders that would have come later (share)", known.pulled_forward),
        share("Would-be buyers who redeem (share)", known.redeemed_anyway),
        ("Added buyers who redeem (share)", known.redeemed_new, known.redeemed_new, known.redeemed_new),
    ]


def paper(answer: Answer, ranges: Ranges, currency: str, heading: Heading, words: str, source: str) -> bytes:
    """The page: what is tried, what it needs, what it would bring, the draws, what matters, what was put in.

    Args:
        words: the headline without markup.
        source: whether it is assumed or learned.
    """
    sheet = Sheet(title=f"What-if: {heading.name}")
    sheet.y += 12
    sheet.text(heading.store, MARGIN, sheet.y, size=9, colour=MUTED)
    sheet.right(f"What-if of {heading.day:%-d %B %Y}", WIDTH - MARGIN, sheet.y, size=9, colour=MUTED)
    sheet.y += 8
    sheet.paragraph(heading.name, size=18, bold=True)
    sheet.y += 4
    sheet.paragraph(f"{scenario_words(answer.scenario, currency)}.", size=11)
    sheet.paragraph(words, size=11, bold=True)
    sheet.paragraph(source, size=9.5, colour=MUTED)
    sheet.heading("What it would bring")
    lines = [("Chance of a profit", f"{answer.result.chance:.0%}", "")]
    lines += [
        (label, whole(getattr(ranges, name).middle, currency), money_range(getattr(ranges, name), currency))
        for name, label in _MONEY.items()
    ]
    for name, label in _COUNTS.items():
        one: Range = getattr(ranges, name)
        lines.append((label, count(one.middle, one), count_range(one)))
    sheet.table([(a, b, c and f"90%: {c}") for a, b, c in lines], places=(0.0, 0.5, 0.68))
    _bars(sheet, answer, currency)
    _swings(sheet, answer, currency)
    sheet.heading("What it stands on")
    told = settings_told(answer, currency)[1:-1] + measured_told(answer, currency)
    half = (len(told) + 1) // 2
    pairs = zip(told[:half], [*told[half:], ("", "")], strict=False)
    sheet.table([(*one, *other) for one, other in pairs], places=(0.0, 0.22, 0.47, 0.82), faint=(0, 2))
    sheet.heading("Assumptions")
    sheet.table(
        [(a, f"{b:.3g}", f"{c:.3g} to {d:.3g}") for a, b, c, d in assumptions_told(answer.assumptions)],
        places=(0.0, 0.62, 0.76),
    )
    sheet.y += 10
    author = f"By {heading.author}. " if heading.author else ""
    sheet.paragraph(f"{author}{heading.link}".strip(), size=8.5, colour=MUTED)
    return sheet.to_bytes()


def _bars(sheet: Sheet, answer: Answer, currency: str) -> None:
    if answer.result.contacted <= 0:
        return
    sheet.room(150)
    sheet.heading("Profit over the run, 4,000 draws")
    bins = profit_bins(answer.result.profit / 10 ** exponent(currency))
    bars = bins[bins["share"].notna()]
    low, high, top = float(bars["from"].min()), float(bars["to"].max()), float(bars["share"].max())
    across, tall = WIDTH - 2 * MARGIN, 70.0
    foot = sheet.y + 8 + tall
    for start, end, share in zip(bars["from"], bars["to"], bars["share"], strict=True):
        x = MARGIN + (start - low) / (high - low) * across
        wide = max((end - start) / (high - low) * across - 0.8, 0.4)
        sheet.box(x, foot - share / top * tall, wide, share / top * tall, BAD if end <= 1e-6 else ACCENT)
    sheet.box(MARGIN, foot, across, 0.6, INK)
    unit = 10 ** exponent(currency)
    sheet.text(whole(low * unit, currency), MARGIN, foot + 11, size=8, colour=MUTED)
    sheet.right(whole(high * unit, currency), WIDTH - MARGIN, foot + 11, size=8, colour=MUTED)
    if low < 0 < high:
        x = MARGIN - low / (high - low) * across
        sheet.box(x, foot - tall - 3, 0.8, tall + 3, INK)
        if 0.08 < -low / (high - low) < 0.92:
            sheet.text(whole(0, currency).split(".")[0], x - 6, foot + 11, size=8, colour=MUTED)
    sheet.y = foot + 14


def _swings(sheet: Sheet, answer: Answer, currency: str) -> None:
    found = tornado(answer.worked.offer, answer.worked.waiting, answer.assumptions)
    if found.empty:
        return
    sheet.room(40 + 15 * len(found))
    sheet.heading("What matters most")
    frame = tornado_frame(found, answer.worked.offer.v, currency)
    low, high = ([float(value) for value in frame[name]] for name in ("at_low", "at_high"))
    least, most = min(*low, *high), max(*low, *high)
    start, across = MARGIN + 195, WIDTH - 2 * MARGIN - 250
    told = zip(frame["label"], low, high, frame["low_text"], frame["high_text"], strict=True)
    for label, at_low, at_high, low_text, high_text in told:
        sheet.y += 14
        first, last = sorted([(at_low, str(low_text)), (at_high, str(high_text))])
        x, end = (start + (value - least) / max(most - least, 1e-9) * across for value, _ in (first, last))
        sheet.text(str(label), MARGIN, sheet.y, size=9, colour=MUTED)
        sheet.box(x, sheet.y - 8, max(end - x, 1.0), 8, ACCENT)
        sheet.right(first[1], x - 4, sheet.y, size=8)
        sheet.text(last[1], end + 4, sheet.y, size=8)
    sheet.y += 4
    sheet.box(MARGIN, sheet.y, WIDTH - 2 * MARGIN, 0.5, LINE)
