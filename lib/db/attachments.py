"""Files that came with mails: in the data folder, named by their own hash, readable by their owner alone.

Nothing in that folder has a name or an ending that anything would run, and a file twice is there once.
"""

import hashlib
import os
import re
import zipfile
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection, select

from lib.db.engine import private_folder
from lib.db.tables.tickets import attachments

_HASH = re.compile(r"[0-9a-f]{64}")
# Where they lie in a backup.
_MEMBERS = "attachments/"


def folder_of(data_dir: Path) -> Path:
    """Where attachments are kept."""
    return data_dir / "attachments"


def keep(data_dir: Path, content: bytes) -> str:
    """Keep a file and return its SHA-256. It is there whole or not at all."""
    name = hashlib.sha256(content).hexdigest()
    path = private_folder(folder_of(data_dir)) / name
    if path.exists():
        return name
    temporary = path.with_name(f".{name}.{uuid4().hex[:8]}")
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return name


def content_of(data_dir: Path, sha256: str) -> bytes | None:
    """The bytes of a kept file; null when it is gone."""
    if not _HASH.fullmatch(sha256):
        raise ValueError("not the name of a kept file")
    try:
        return (folder_of(data_dir) / sha256).read_bytes()
    except FileNotFoundError:
        return None


def save_files(archive: zipfile.ZipFile, connection: Connection, data_dir: Path) -> int:
    """Put every kept file that a message names into a backup, under its hash; returns how many."""
    saved = 0
    for sha256 in sorted(_named(connection)):
        path = folder_of(data_dir) / sha256
        if path.exists():
            archive.write(path, f"{_MEMBERS}{sha256}")
            saved += 1
    return saved


def damaged_file(archive: zipfile.ZipFile) -> str | None:
    """The first file of a backup whose content is not what its name says; null when all are sound."""
    for name in archive.namelist():
        if name.startswith(_MEMBERS):
            with archive.open(name) as member:
                found = hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]  # it can be read
            if f"{_MEMBERS}{found}" != name:
                return name
    return None


def bring_back_files(path: Path, connection: Connection, data_dir: Path) -> int:
    """Keep the files of a backup that the restored messages name, and no others; returns how many."""
    brought = 0
    with zipfile.ZipFile(path) as archive:
        there = set(archive.namelist())
        for sha256 in _named(connection):
            if f"{_MEMBERS}{sha256}" in there and keep(data_dir, archive.read(f"{_MEMBERS}{sha256}")) == sha256:
                brought += 1
    return brought


def _named(connection: Connection) -> set[str]:
    found = connection.scalars(select(attachments.c.sha256).where(attachments.c.refusal.is_(None)).distinct())
    return {sha256 for sha256 in found if _HASH.fullmatch(sha256)}


def forget_unnamed(connection: Connection, data_dir: Path, hashes: list[str]) -> int:
    """Delete the files of these hashes that no message names any more; returns how many. After the rows are gone."""
    kept = set(
        connection.scalars(
            select(attachments.c.sha256).where(attachments.c.sha256.in_(hashes), attachments.c.refusal.is_(None))
        )
    )
    gone = 0
    for sha256 in set(hashes) - kept:
        path = folder_of(data_dir) / sha256
        if _HASH.fullmatch(sha256) and path.exists():
            path.unlink()
            gone += 1
    return gone
