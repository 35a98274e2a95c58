"""The newest snapshot of the mart, for screens."""

from lib.mart.snapshot import Snapshot, current
from lib.settings import Settings


def newest(settings: Settings) -> Snapshot:
    """The newest published snapshot.

    Raises:
        MartUnavailable: none is published yet.
    """
    return current(settings.mart_dir)
