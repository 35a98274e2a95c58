"""Many questions at once: which of the small p-values still mean something."""

import numpy as np
import numpy.typing as npt


def benjamini_hochberg(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Adjust p-values so that, calling all with q <= s, at most a share s of the calls is false on average.

    q_(i) = min over j >= i of p_(j)·m/j. Holds for independent or positively dependent questions.

    Args:
        p: p-values, one per question; NaN was not asked and does not count.
    Returns:
        q-values in the same order; NaN where p is.
    References:
        Benjamini & Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    asked = np.flatnonzero(~np.isnan(values))
    order = asked[np.argsort(values[asked], kind="stable")]
    scaled = values[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
