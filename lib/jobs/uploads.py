"""Files handed over in the browser, and the mappings kept for them: private to their owner, swept when old."""

import os
import re
import secrets
import shutil
import time
from pathlib import Path
from typing import IO

from lib.db.engine import private_folder
from lib.errors import MappingInvalid
from lib.settings import Settings

# An upload is needed until its import is through; a day later it is swept.
KEPT_SECONDS = 24 * 3600
_UNSAFE = re.compile(r"[^\w.() -]+")


def safe_name(name: str) -> str:
    """A file name without a path, odd signs or a leading dot.

    >>> safe_name("../../etc/pass;wd.csv")
    'pass_wd.csv'
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return _UNSAFE.sub("_", last).lstrip(". ")[-120:] or "upload"


def keep_upload(settings: Settings, token: str, name: str, content: IO[bytes]) -> Path:
    """Store one file of an upload; the files of one upload share a token and so a folder."""
    if not re.fullmatch(r"[0-9a-f]{16}", token):
        raise ValueError("not a token")
    sweep(settings)
    folder = private_folder(private_folder(settings.data_dir / "uploads") / token)
    path = folder / safe_name(name)
    content.seek(0)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as kept:
        shutil.copyfileobj(content, kept, 1024 * 1024)
    return path


def new_token() -> str:
    """The name of a new upload."""
    return secrets.token_hex(8)


def sweep(settings: Settings) -> None:
    """Remove uploads that are older than a day."""
    folder = settings.data_dir / "uploads"
    if not folder.exists():
        return
    for upload in folder.iterdir():
        if upload.is_dir() and time.time() - upload.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(upload, ignore_errors=True)


def saved_mappings(settings: Settings) -> list[str]:
    """The names of the mappings that were saved."""
    folder = settings.data_dir / "mappings"
    return sorted(path.stem for path in folder.glob("*.toml")) if folder.exists() else []


def save_mapping(settings: Settings, name: str, toml: str) -> Path:
    """Keep a mapping under a name.

    Raises:
        MappingInvalid: the name has no letter or digit.
    """
    stem = safe_name(name).removesuffix(".toml").strip()
    if not any(sign.isalnum() for sign in name):
        raise MappingInvalid("Give the mapping a name with letters or digits.")
    path = private_folder(settings.data_dir / "mappings") / f"{stem}.toml"
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as kept:
        kept.write(toml)
    return path


def mapping_path(settings: Settings, name: str) -> Path:
    """Where the mapping of a name is kept."""
    return settings.data_dir / "mappings" / f"{safe_name(name)}.toml"
