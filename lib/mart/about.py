"""What a snapshot is, and the pointer that says which one is current.

The pointer is one small file, replaced atomically. It repeats the snapshot's own description, so that a
refresh that finds nothing new, or a changed store name, renews the pointer alone.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

POINTER = "current.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a snapshot is: the fields of the mart's table ``snapshot``. Instants are aware, in UTC.

    ``first_day`` and ``last_day`` are those of orders; ``fresh_to_at`` is the latest order's instant.
    """

    version: int
    schema_version: int
    store_name: str
    time_zone: str
    currency: str
    country: str | None
    built_how: str
    is_demo: bool
    refreshed_at: datetime
    watermark_at: datetime
    fresh_to_at: datetime | None
    first_day: int | None
    last_day: int | None
    orders: int
    customers: int
    full_bytes: int

    def values(self) -> dict[str, Any]:
        """The row for the table ``snapshot``: instants without a zone."""
        return {
            key: value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
            for key, value in asdict(self).items()
        }

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=lambda at: at.isoformat(), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`as_json` wrote.

        Raises:
            ValueError: the text is not a description of this form.
        """
        kept = json.loads(text)
        names = {field.name for field in fields(cls)}
        if not isinstance(kept, dict) or set(kept) != names:
            raise ValueError("not a snapshot's description")
        for key in ("refreshed_at", "watermark_at", "fresh_to_at"):
            kept[key] = None if kept[key] is None else datetime.fromisoformat(kept[key])
        return cls(**kept)


def snapshot_file(mart_dir: Path, version: int) -> Path:
    """The file of a version."""
    return mart_dir / f"mart-{version}.duckdb"


def read_pointer(mart_dir: Path) -> About | None:
    """The newest published snapshot, or ``None`` when there is none (or one of an older form)."""
    try:
        about = About.from_json((mart_dir / POINTER).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return about if snapshot_file(mart_dir, about.version).exists() else None


def write_pointer(mart_dir: Path, about: About) -> None:
    """Make a snapshot the current one, atomically and durably; only its owner may read the file."""
    fresh = mart_dir / f"{POINTER}.{os.getpid()}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(about.as_json())
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(mart_dir / POINTER)
    _sync_folder(mart_dir)


def publish(mart_dir: Path, work: Path, about: About) -> None:
    """Turn a finished working file into the current snapshot and remove what nobody needs any more."""
    work.chmod(0o600)
    with work.open("rb") as done:
        os.fsync(done.fileno())
    work.replace(snapshot_file(mart_dir, about.version))
    write_pointer(mart_dir, about)
    clean(mart_dir)


def clean(mart_dir: Path) -> None:
    """Remove left-over working files and all snapshots but the last two.

    For the holder of the lease only. A reader that still has an old file open keeps reading it.
    """
    about = read_pointer(mart_dir)
    keep = {snapshot_file(mart_dir, about.version - back).name for back in (0, 1)} if about else set()
    for file in mart_dir.iterdir():
        is_left_over = file.name.startswith(("work-", "stage-", "spill-")) or file.name.endswith((".new", ".wal"))
        is_snapshot = file.name.startswith("mart-") and file.name.endswith(".duckdb")
        if is_left_over or (is_snapshot and file.name not in keep):
            _remove(file)


def _remove(path: Path) -> None:
    if path.is_dir():
        for inner in path.iterdir():
            _remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
