"""Offers: how fast a slider answers, and whether ranges and verdicts keep their word over 2,000 simulated offers."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import count

from scipy.stats import binom

from bench.simulated_offers import Found, Held, Wrong, nothing_works, ranges, something_works
from bench.table import Row, Shop, median_ms
from lib.jobs.refresh import refresh
from lib.mart.about import read_pointer
from lib.mart.snapshot import current, forget
from lib.metrics.what_if_input import EVERYONE, Group, grounds
from lib.offer import Moment
from lib.periods import day_of
from lib.stats.assumptions import Assumptions
from lib.stats.best_offer import Audience, Guardrails, best_offer, profit_over
from lib.stats.ground import Ground
from lib.stats.required import what_would_have_to_be_true
from lib.stats.rewards import percent_off
from lib.stats.scenario import Scenario, offer_on, reward_on, worked
from lib.stats.sensitivity import tornado
from lib.stats.sequential import spending_bounds
from lib.stats.waiting import Waiting, waiting_by_delay
from lib.stats.what_if import Offer, Range, what_if

OFFERS = 2_000
SLIDER, SCAN = 100.0, 1_000.0
RUNS = 15
DEPTHS = [step / 100 for step in range(0, 40, 2)]
OFFER = Offer(customers=100_000, basket=60.0, margin=0.5, reward=percent_off(0.1, 60.0), contact_cost=0.02, holdout=0.5)


def _audience(number: int) -> Audience:
    """A group whose baskets and baseline are its own, with twelve delays to try."""
    waits = {
        delay: Waiting(delay=delay, expiry=30, still=0.95 - delay / 200, bought=0.06 + delay / 1000, se_log=0.02)
        for delay in range(0, 60, 5)
    }
    return Audience(name=f"audience {number}", offer=replace(OFFER, basket=40.0 + 5 * number), waiting=waits)


def rows(shop: Shop) -> Iterator[Row]:
    """First on the store's own ground; the rest reads no store: the grouped tables are as small for every size."""
    yield from _on_ground(shop)
    waiting = Waiting(delay=14, expiry=30, still=0.9, bought=0.1, se_log=0.03)
    moves = count()

    def slider() -> None:
        depth = 0.05 + next(moves) * 1e-4
        offer = replace(OFFER, reward=percent_off(depth, OFFER.basket))
        result = what_if(offer, waiting, Assumptions())
        for values in (result.orders, result.net_sales, result.profit, result.given, result.pulled_forward):
            Range.of(values)
        tornado(offer, waiting, Assumptions())
        what_would_have_to_be_true(offer, waiting, Assumptions(), 1_000.0)
        profit_over([_audience(4)], DEPTHS, percent_off, Assumptions())

    def assumption() -> None:
        what_if(OFFER, waiting, Assumptions(contact=0.1 + next(moves) * 1e-4))

    audiences = [_audience(number) for number in range(10)]

    def scan() -> None:
        best_offer(audiences, DEPTHS, percent_off, Assumptions(), Guardrails(margin_floor=0.2, budget=20_000))

    def row(work: str, ms: float, target: float | None = None, note: str = "") -> Row:
        return Row(work=work, orders=shop.orders, median=ms, unit="ms", runs=RUNS, target=target, note=note)

    yield row("What-if: a slider moves, everything on the screen", median_ms(slider, RUNS), SLIDER, "4,000 draws")
    yield row("What-if: an assumption moves", median_ms(assumption, RUNS), SLIDER)
    cells = f"{len(audiences) * len(DEPTHS) * 12:,} cells"
    yield row("What-if: the best of audience × depth × delay", median_ms(scan, RUNS), SCAN, cells)
    alphas = count()

    def bounds() -> None:
        spending_bounds([week / 8 for week in range(1, 9)], alpha=0.05 + next(alphas) * 1e-9)

    yield row("Read-out: the bounds of eight weekly looks", median_ms(bounds, RUNS))
    yield from _simulated(shop)


def _on_ground(shop: Shop) -> Iterator[Row]:
    """The ground of all groups, read once per moment and version; then sliders and search upon it."""
    if read_pointer(shop.settings.mart_dir) is None:
        refresh(shop.settings)
    mart = current(shop.settings.mart_dir)
    today = day_of(int(mart.about.last_day or 0) + 1)
    known: dict[str, tuple[Group, Ground]] = {}

    def read() -> None:
        forget()
        known.update(grounds(mart, Moment.DELIVERED, today))

    def row(work: str, ms: float, runs: int, target: float | None = None, note: str = "") -> Row:
        return Row(work=work, orders=shop.orders, median=ms, unit="ms", runs=runs, target=target, note=note)

    first = median_ms(read, 3)
    customers = f"{mart.about.customers:,} customers, {len(known)} audiences"
    yield row("What-if: a moment's ground, read for the first time", first, 3, note=customers)
    _, everyone = known[EVERYONE]
    moves = count()

    def slider() -> None:
        scenario = Scenario().with_size(0.05 + next(moves) * 1e-4)
        put = worked(scenario, everyone)
        result = what_if(put.offer, put.waiting, Assumptions())
        for name in ("orders", "net_sales", "profit", "in_window", "given", "pulled_forward", "spent"):
            Range.of(getattr(result, name))
        tornado(put.offer, put.waiting, Assumptions())

    def search() -> None:
        depths = [0.0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4]
        candidates = [
            Audience(
                name=group.name,
                offer=offer_on(Scenario(), ground),
                waiting=waiting_by_delay(ground.spells, [0, 3, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180], expiry=30),
            )
            for group, ground in known.values()
        ]
        best_offer(candidates, depths, reward_on(Scenario(), everyone), Assumptions(), Guardrails(margin_floor=0.2))

    yield row("What-if: a slider moves on the store's ground", median_ms(slider, RUNS), RUNS, SLIDER)
    cells = f"{len(known) * 132:,} cells"
    yield row("What-if: the best offer on the store's ground", median_ms(search, 5), 5, SCAN, cells)


def _simulated(shop: Shop) -> Iterator[Row]:
    held, wrong, found = _ranges(), _nothing(), _something()

    def row(work: str, share: float, promised: float, *, is_limit: bool = False) -> Row:
        """A share of errors; missed when it is above the 99 % interval around what was promised."""
        low, high = binom.interval(0.99, OFFERS, promised)
        low = 0 if is_limit else low
        note = f"{OFFERS:,} offers; 99 % of chance {100 * low / OFFERS:.2f} to {100 * high / OFFERS:.2f} %"
        if share * OFFERS < low:
            note += ": TOO FEW"
        target = round(100 * float(high) / OFFERS, 2)
        return Row(work=work, orders=shop.orders, median=100 * share, unit="%", target=target, note=note)

    for name, hits in held.held.items():
        yield row(f"Simulated: 90 % ranges that missed, {name}", 1 - hits / held.n, 0.1)
    yield row("Simulated: wrong verdicts, weekly looks, who bought", wrong.verdict_bought / wrong.n, 0.05)
    yield row("Simulated: wrong verdicts, weekly looks, net sales", wrong.verdict_net_sales / wrong.n, 0.05)
    yield row("Simulated: peeking daily, who bought", wrong.peek_bought / wrong.n, 0.05, is_limit=True)
    yield row("Simulated: peeking daily, net sales", wrong.peek_net_sales / wrong.n, 0.05, is_limit=True)
    yield row("Simulated: effects planned for with 80 % power, not found", 1 - found.kept / found.n, 0.2)
    yield row("Simulated: ranges at the verdict that missed", 1 - found.held / found.n, 0.05, is_limit=True)


@cache
def _ranges() -> Held:
    return ranges(OFFERS, seed=21)


@cache
def _nothing() -> Wrong:
    return nothing_works(OFFERS, seed=22)


@cache
def _something() -> Found:
    return something_works(OFFERS, seed=23)
