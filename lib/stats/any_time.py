"""A band that is safe to peek at, every day, as often as one likes."""

from math import e, log, sqrt

from scipy import special

from lib.errors import NotEnoughData
from lib.stats.intervals import Interval


def any_time_half_width(*, n: float, se: float, planned_n: float, level: float = 0.95) -> float:
    """Half the width of an asymptotic confidence sequence around an estimate after ``n`` customers.

    se·sqrt((s + 1)/s · log((s + 1)/α²)) with s = n·ρ², the boundary of a normal mixture. The one number ρ is set so
    that the band is narrowest at ``planned_n``: s = -W₋₁(-α²/e) - 1 there (8.2 at 95 %, where the band is
    1.55 times as wide as an interval that may be looked at once).

    The true value stays inside for all looks together in at least ``level`` of the offers, once enough customers
    have come for the first look to be near normal. Looking twice, or always, costs nothing; stopping at any time
    is allowed.

    Args:
        n: customers so far (all arms), increasing with time.
        se: of the estimate now; it must fall as 1/sqrt(n) in the long run.
        planned_n: customers at which the band should be narrowest. Fixed before the start.
        level: of confidence over all looks.
    Returns:
        half the width, in the unit of ``se``.
    Raises:
        NotEnoughData: no customers.
    References:
        Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), arXiv:2103.06476, theorem 2.2 and appendix B.2;
        Robbins (1970), doi:10.1214/aoms/1177696786.
    """
    if n <= 0 or planned_n <= 0:
        raise NotEnoughData("A band to peek at needs customers, and a number that is planned.")
    alpha = 1 - level
    narrowest = -float(special.lambertw(-(alpha**2) / e, k=-1).real) - 1
    s = narrowest * n / planned_n
    return se * sqrt((s + 1) / s * log((s + 1) / alpha**2))


def any_time_band(estimate: float, *, n: float, se: float, planned_n: float, level: float = 0.95) -> Interval:
    """Low and high of :func:`any_time_half_width` around an estimate."""
    half = any_time_half_width(n=n, se=se, planned_n=planned_n, level=level)
    return estimate - half, estimate + half
