"""What an import did, counted so that it always adds up."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(slots=True)
class Tally:
    """Records of one kind: ``read = stored + unchanged + rejected``."""

    read: int = 0
    stored: int = 0
    unchanged: int = 0
    rejected: int = 0


@dataclass
class ImportReport:
    """The outcome of one import; ``first_day`` and ``last_day`` are store days of the orders read.

    ``is_dry_run``: nothing was written, and ``stored`` counts what would have been stored or found
    unchanged. ``replaced_demo``: the demo store was removed first, so the mart must be built in full.
    """

    source: str
    run_id: int | None = None
    files: list[str] = field(default_factory=list)
    kinds: dict[str, Tally] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    first_day: date | None = None
    last_day: date | None = None
    is_dry_run: bool = False
    replaced_demo: bool = False
    message: str = ""
    # Records of erased people: stored without anything personal, or not at all.
    forgotten: int = 0

    def _sum(self, name: str) -> int:
        return sum(getattr(tally, name) for tally in self.kinds.values())

    @property
    def read(self) -> int:
        return self._sum("read")

    @property
    def stored(self) -> int:
        return self._sum("stored")

    @property
    def unchanged(self) -> int:
        return self._sum("unchanged")

    @property
    def rejected(self) -> int:
        return self._sum("rejected")

    @property
    def about_forgotten(self) -> str:
        """What came of erased people, in a sentence; empty when nothing did."""
        if not self.forgotten:
            return ""
        came = "1 record is" if self.forgotten == 1 else f"{self.forgotten:,} records are"
        return f"{came} of people who were erased: nothing personal of them was stored."

    def count(self, kind: str, outcome: str, reason: str = "") -> None:
        """Count one record; ``outcome`` is stored, unchanged or rejected."""
        tally = self.kinds.setdefault(kind, Tally())
        tally.read += 1
        if outcome == "stored":
            tally.stored += 1
        elif outcome == "unchanged":
            tally.unchanged += 1
        else:
            tally.rejected += 1
            # Reasons name amounts and days, so that a file full of errors has as many; the first will do.
            if reason in self.reasons or len(self.reasons) < 200:
                self.reasons[reason] += 1

    def add(self, other: "ImportReport") -> None:
        """Count what another report counts, too."""
        self.forgotten += other.forgotten
        for kind, tally in other.kinds.items():
            mine = self.kinds.setdefault(kind, Tally())
            mine.read += tally.read
            mine.stored += tally.stored
            mine.unchanged += tally.unchanged
            mine.rejected += tally.rejected
        for reason, count in other.reasons.items():
            if reason in self.reasons or len(self.reasons) < 200:
                self.reasons[reason] += count
        for day in (other.first_day, other.last_day):
            self.see_day(day)

    def see_day(self, day: date | None) -> None:
        """Widen the days covered."""
        if day is not None:
            self.first_day = day if self.first_day is None else min(self.first_day, day)
            self.last_day = day if self.last_day is None else max(self.last_day, day)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json`` and the import run's own row."""
        return {
            "source": self.source,
            "run_id": self.run_id,
            "files": self.files,
            "read": self.read,
            "stored": self.stored,
            "unchanged": self.unchanged,
            "rejected": self.rejected,
            "kinds": {
                kind: {
                    "read": tally.read,
                    "stored": tally.stored,
                    "unchanged": tally.unchanged,
                    "rejected": tally.rejected,
                }
                for kind, tally in self.kinds.items()
            },
            "reasons": dict(self.reasons.most_common(20)),
            "first_day": self.first_day.isoformat() if self.first_day else None,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "is_dry_run": self.is_dry_run,
            "replaced_demo": self.replaced_demo,
            "message": self.message,
            "forgotten": self.forgotten,
        }
