"""Files handed over: kept under harmless names, readable by their owner only, swept when old."""

import io
import os
import stat
import time

import pytest

from lib.errors import MappingInvalid
from lib.jobs import uploads
from lib.settings import Settings


@pytest.mark.parametrize("name", ["../../x.csv", "/etc/x.csv", "..\\x.csv", ".x.csv", "x.csv"])
def test_an_upload_stays_in_its_folder(settings: Settings, name: str) -> None:
    token = uploads.new_token()
    path = uploads.keep_upload(settings, token, name, io.BytesIO(b"a,b\n"))
    assert path == settings.data_dir / "uploads" / token / "x.csv"
    assert path.read_bytes() == b"a,b\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_token_that_is_none_is_refused(settings: Settings) -> None:
    with pytest.raises(ValueError, match="not a token"):
        uploads.keep_upload(settings, "../x", "a.csv", io.BytesIO(b""))
    assert not settings.data_dir.exists()


def test_old_uploads_are_swept_and_new_ones_stay(settings: Settings) -> None:
    old = uploads.keep_upload(settings, uploads.new_token(), "old.csv", io.BytesIO(b""))
    os.utime(old.parent, (time.time() - 2 * uploads.KEPT_SECONDS,) * 2)
    new = uploads.keep_upload(settings, uploads.new_token(), "new.csv", io.BytesIO(b""))
    assert not old.exists()
    assert new.exists()


def test_a_mapping_is_kept_under_its_name_and_found_again(settings: Settings) -> None:
    uploads.save_mapping(settings, "my orders", 'kind = "orders"\n')
    assert uploads.saved_mappings(settings) == ["my orders"]
    assert uploads.mapping_path(settings, "my orders").read_text(encoding="utf-8") == 'kind = "orders"\n'
    with pytest.raises(MappingInvalid):
        uploads.save_mapping(settings, "../", "x")
    assert uploads.saved_mappings(settings) == ["my orders"]
