"""Secrets of the people who work here, sealed at rest: under a key that lies beside the database, never in it.

Whoever gets hold of the database or of a dump alone cannot make anybody's codes. The key is ENCORE_SECRET_KEY, or a
file of the data folder that is made when first needed and that its owner alone may read. Backups do not hold it.
"""

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from lib.settings import Settings

FILE = "secret.key"
# What was stored before secrets were sealed has no such beginning.
_SEALED = "sealed:"


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens; ``given`` is a key of the settings, else the one in ``file`` serves."""

    file: Path
    given: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "Vault":
        """As the settings say."""
        return cls(settings.data_dir / FILE, settings.secret_key)

    def seal(self, secret: str) -> str:
        """What may lie in the database."""
        return _SEALED + Fernet(self._key() or self._new_key()).encrypt(secret.encode()).decode()

    def opened(self, stored: str | None) -> str | None:
        """The secret; null when there is none, or when its key is not here."""
        if stored is None or not stored.startswith(_SEALED):
            return stored
        key = self._key()
        try:
            return None if key is None else Fernet(key).decrypt(stored.removeprefix(_SEALED).encode()).decode()
        except InvalidToken:
            return None

    @staticmethod
    def is_sealed(stored: str) -> bool:
        """Whether it was sealed, here or elsewhere."""
        return stored.startswith(_SEALED)

    def _key(self) -> bytes | None:
        if self.given:
            return base64.urlsafe_b64encode(hashlib.sha256(b"encore: secrets at rest:" + self.given.encode()).digest())
        try:
            return self.file.read_bytes()
        except FileNotFoundError:
            return None

    def _new_key(self) -> bytes:
        """Make the file, whole or not at all; of two processes that make it at once, both use the first one's."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self.file.with_name(f"{self.file.name}.{os.getpid()}.{os.urandom(4).hex()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(Fernet.generate_key())
            written.flush()
            os.fsync(written.fileno())
        try:
            os.link(draft, self.file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return self.file.read_bytes()
