"""Settings are complete, checked, and refuse what makes no sense by name."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

import lib.settings
from lib.errors import SettingsError
from lib.settings import ROOT, SETTINGS, chosen, read_settings


def test_nothing_set_is_a_complete_setting() -> None:
    given = read_settings({})
    assert given.data_dir == ROOT / "data" / "local"
    assert given.database_url == f"sqlite:///{ROOT / 'data' / 'local' / 'order.db'}"
    assert given.mart_dir == ROOT / "data" / "local" / "mart"
    assert (given.address, given.port, given.refresh_minutes) == ("127.0.0.1", 8501, 5.0)


def test_an_empty_setting_is_the_default() -> None:
    assert read_settings({setting.name: "" for setting in SETTINGS}) == read_settings({})


def test_every_setting_says_what_it_does() -> None:
    assert [s.name for s in SETTINGS if not s.help.endswith(".") or not s.name.startswith("ENCORE_")] == []
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize("written", ["postgresql://me@127.0.0.1/shop", "postgres://me@127.0.0.1/shop"])
def test_postgresql_is_spoken_to_by_psycopg(written: str) -> None:
    url = read_settings({"ENCORE_DATABASE_URL": written}).database_url
    assert url == "postgresql+psycopg://me@127.0.0.1/shop"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENCORE_PORT", "http"),
        ("ENCORE_PORT", "-1"),
        ("ENCORE_PORT", "65536"),
        ("ENCORE_PORT", "8501.5"),
        ("ENCORE_UPLOAD_LIMIT_MB", "inf"),
        ("ENCORE_MEMORY_LIMIT_MB", "nan"),
        ("ENCORE_REFRESH_MINUTES", "often"),
        ("ENCORE_STORE_TIME_ZONE", "Berlin"),
        ("ENCORE_STORE_TIME_ZONE", "../../etc/passwd"),
        ("ENCORE_STORE_CURRENCY", "EURO"),
        ("ENCORE_DATABASE_URL", "mysql://127.0.0.1/shop"),
        ("ENCORE_MART_URL", "sqlite:///mart.db"),
        ("ENCORE_DATABSE_URL", "sqlite:///order.db"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_currency_and_country_may_be_written_small() -> None:
    given = read_settings({"ENCORE_STORE_CURRENCY": "eur", "ENCORE_STORE_COUNTRY": "de"})
    assert (given.store_currency, given.store_country) == ("EUR", "DE")


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lib.settings, "dotenv_values", dotenv_values)
    (tmp_path / ".env").write_text("ENCORE_PORT=9001\nENCORE_ADDRESS=127.0.0.2\nOTHER=1\n")
    monkeypatch.setattr(lib.settings, "ROOT", tmp_path)
    monkeypatch.setenv("ENCORE_PORT", "9002")
    written = chosen()
    assert (written["ENCORE_PORT"], written["ENCORE_ADDRESS"]) == ("9002", "127.0.0.2")
    assert "OTHER" not in written
