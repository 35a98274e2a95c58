"""The key that seals secrets: made once, for its owner alone, the same for every process."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib.db.vault import FILE, Vault
from lib.settings import Settings


def test_the_key_is_made_when_first_needed_and_only_its_owner_reads_it(settings: Settings) -> None:
    vault = Vault.of(settings)
    assert vault.opened("sealed:abc") is None
    assert not vault.file.exists()
    sealed = vault.seal("ABC")
    assert vault.file == settings.data_dir / FILE
    assert stat.S_IMODE(vault.file.stat().st_mode) == 0o600
    assert Vault.of(settings).opened(sealed) == "ABC"
    assert [file.name for file in settings.data_dir.glob("secret*")] == [FILE]


def test_many_who_make_the_key_at_once_share_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda n: Vault(tmp_path / "new" / FILE).seal(str(n)), range(24)))
    here = Vault(tmp_path / "new" / FILE)
    assert [here.opened(one) for one in sealed] == [str(n) for n in range(24)]


def test_a_key_of_the_settings_wins_and_leaves_no_file(tmp_path: Path) -> None:
    vault = Vault(tmp_path / FILE, "sixteen characters or more")
    assert vault.opened(vault.seal("ABC")) == "ABC"
    assert not vault.file.exists()
    assert Vault(tmp_path / FILE, "another of sixteen and more").opened(vault.seal("ABC")) is None


def test_what_was_never_sealed_is_what_it_is(tmp_path: Path) -> None:
    vault = Vault(tmp_path / FILE)
    assert (vault.opened(None), vault.opened("ABC"), vault.is_sealed("ABC")) == (None, "ABC", False)
    assert vault.opened("sealed:no token at all") is None
