"""What is in an order, and which discount code was used."""

import numpy as np

from lib.demo import behaviour as b
from lib.demo.calendar import Calendar
from lib.demo.catalogue import CATEGORIES, catalogue
from lib.demo.columns import Column

WIDTH = len(b.LINES_SHARE)


def baskets(
    rng: np.random.Generator,
    calendar: Calendar,
    home: Column,
    day: Column,
    *,
    is_first: bool,
    wanted: Column | None,
) -> tuple[Column, Column]:
    """Draw products and quantities, around the customer's home category (-1: none).

    Products (position, -1: none) and quantities, the most valuable line first; shapes (n, WIDTH)."""
    goods = catalogue()
    n = len(day)
    month_share = np.array([c.share * np.array(c.months) for c in CATEGORIES]).T
    months = calendar.month[day]
    products = np.full((n, WIDTH), -1, dtype=np.int64)
    lines = b.pick(rng, b.LINES_SHARE, n) + 1
    shelf = pick_shelf = b.pick_by_row(rng, month_share, months)
    if not is_first:
        stays = (home >= 0) & (rng.random(n) < b.STAYS_WITH_CATEGORY)
        shelf = pick_shelf = np.where(stays, home, shelf)
    on_shelf = np.zeros((len(CATEGORIES), len(goods)))
    on_shelf[goods.category, np.arange(len(goods))] = goods.weight
    for line in range(WIDTH):
        has = np.flatnonzero(lines > line)
        if line:
            pick_shelf = b.pick_by_row(rng, month_share, months[has])
            near = rng.random(len(has)) < 0.35
            pick_shelf = np.where(near, shelf[has], pick_shelf)
        drawn = _on_shelf(rng, on_shelf, pick_shelf[: len(has)])
        if line == 1:
            partner = goods.partner[products[has, 0]]
            drawn = np.where((partner >= 0) & (rng.random(len(has)) < b.PARTNER_SHARE), partner, drawn)
        products[has, line] = drawn
    if wanted is not None:
        products[:, 0] = np.where(wanted >= 0, wanted, products[:, 0])
    for line in range(1, WIDTH):
        twice = (products[:, :line] == products[:, line : line + 1]).any(axis=1)
        products[twice, line] = -1
    many = goods.used_up[products] > 0
    quantities = np.where(
        many, b.pick(rng, (0.72, 0.21, 0.07), n * WIDTH).reshape(n, WIDTH), rng.random((n, WIDTH)) < 0.06
    ).astype(np.int64) + (products >= 0)
    quantities[products < 0] = 0
    value = np.where(products >= 0, goods.price[products] * quantities, 0)
    order = np.argsort(-value, axis=1, kind="stable")
    return np.take_along_axis(products, order, axis=1), np.take_along_axis(quantities, order, axis=1)


def _on_shelf(rng: np.random.Generator, on_shelf: Column, shelf: Column) -> Column:
    found = np.zeros(len(shelf), dtype=np.int64)
    for number in range(len(on_shelf)):
        here = np.flatnonzero(shelf == number)
        found[here] = b.pick(rng, on_shelf[number], len(here))
    return found


def codes(rng: np.random.Generator, calendar: Calendar, day: Column, channel: Column, *, is_first: bool) -> Column:
    """Which discount code was used, -1: none."""
    n = len(day)
    share = b.FIRST_DISCOUNT_SHARE if is_first else b.LATER_DISCOUNT_SHARE
    ordinary = b.pick(rng, (0.72, 0.14, 0.14) if is_first else (0.0, 0.55, 0.45), n)
    later = np.array([0, 1, 4])[ordinary]
    spring = (calendar.month[day] == 3) & (rng.random(n) < 0.4)
    later = np.where(spring, 2, later)
    code = np.where(rng.random(n) < share, later, -1)
    black = calendar.is_black_friday[day] & (rng.random(n) < 0.55)
    code = np.where(black, 3, code)
    return np.where(channel >= 2, -1, code)
