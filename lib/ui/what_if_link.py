"""A scenario as a short text for an address, so that scenarios kept side by side are in the link too."""

import base64
import binascii
import json
import zlib

from lib.errors import InvalidInput
from lib.stats.scenario import Scenario

# An address that holds more is no work of this page.
LONGEST = 1_000
LARGEST = 4_000


def as_code(scenario: Scenario) -> str:
    """The scenario as letters that an address may hold."""
    told = json.dumps(scenario.to_json(), separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(zlib.compress(told.encode(), 9)).decode().rstrip("=")


def from_code(code: str) -> Scenario | None:
    """Read one back; null where it is none."""
    if len(code) > LONGEST:
        return None
    try:
        packed = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
        opened = zlib.decompressobj()
        told = opened.decompress(packed, LARGEST)
        kept = json.loads(told.decode())
    except (binascii.Error, zlib.error, ValueError):
        return None
    if not isinstance(kept, dict):
        return None
    try:
        return Scenario.from_json(kept)
    except InvalidInput:
        return None
