"""The lot: who gets an offer and who is held out, drawn from a salt and the customer's number alone.

The same salt and customer always give the same side, on any machine and in any order, so that a second run or one
after a crash draws what the first one drew. Another salt draws independently of it.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

# Numbers of so many bits are exact in a float, and as fine as a lot ever needs.
_BITS = 53


def position(salt: str, customer_id: int) -> float:
    """Where a customer falls between 0 and 1: the first 53 bits of BLAKE2b keyed with the salt.

    Under a salt that nobody chose for its outcome, positions are uniform, and those of two salts independent.

    Raises:
        ValueError: without a salt everybody could work out the lot of every offer.
    """
    return _at(_key(salt), customer_id)


def positions(salt: str, customer_ids: Iterable[int]) -> npt.NDArray[np.float64]:
    """:func:`position` of many customers, in their order."""
    key = _key(salt)
    return np.fromiter((_at(key, customer_id) for customer_id in customer_ids), dtype=np.float64)


def is_held_out(salt: str, customer_id: int, share: float) -> bool:
    """Whether a customer falls into a holdout of this share.

    Whoever is held out at a small share also is at a larger one: changing the share moves only those between.

    Args:
        share: 0 holds nobody out.
    Raises:
        ValueError: no share from 0 to below 1, or no salt.
    """
    if not 0 <= share < 1:
        raise ValueError(f"a holdout of {share}")
    return share > 0 and position(salt, customer_id) < share


def held_out(salt: str, customer_ids: Iterable[int], share: float) -> npt.NDArray[np.bool_]:
    """:func:`is_held_out` of many customers, in their order."""
    if not 0 <= share < 1:
        raise ValueError(f"a holdout of {share}")
    if not share:
        return np.zeros(sum(1 for _ in customer_ids), dtype=bool)
    return positions(salt, customer_ids) < share


def _key(salt: str) -> bytes:
    if not salt:
        raise ValueError("a lot needs a salt")
    # A key of BLAKE2b has at most 64 bytes; a longer salt is taken whole.
    return blake2b(salt.encode(), digest_size=32).digest()


def _at(key: bytes, customer_id: int) -> float:
    drawn = blake2b(customer_id.to_bytes(8, "big", signed=True), key=key, digest_size=8).digest()
    return float((int.from_bytes(drawn, "big") >> (64 - _BITS)) / (1 << _BITS))
