"""A path that somebody names on the Imports page: exports are read, and nothing else on the machine."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lib.errors import ImportRefused, SourceUnavailable
from lib.importers.files import source_files
from lib.importers.records import ReadContext
from lib.jobs.named_paths import named_path, takes_paths
from lib.settings import Settings


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "exports" / "orders.csv"
    path.parent.mkdir()
    path.write_text("a,b\n", encoding="utf-8")
    return path


def test_an_export_and_its_folder_are_taken(settings: Settings, export: Path) -> None:
    assert named_path(settings, f"  {export} ") == export
    assert named_path(settings, str(export.parent)) == export.parent
    assert named_path(settings, str(export.parent / ".." / "exports" / "orders.csv")) == export


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_a_path_is_taken_where_the_app_listens_to_this_machine(settings: Settings, export: Path, address: str) -> None:
    assert named_path(replace(settings, address=address), str(export)) == export


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.7", "::", "shop.example"])
def test_no_path_is_taken_where_others_reach_the_app(settings: Settings, export: Path, address: str) -> None:
    others = replace(settings, address=address)
    assert not takes_paths(others)
    with pytest.raises(ImportRefused, match="Others can reach this app"):
        named_path(others, str(export))


def test_what_is_no_export_by_its_name_is_refused(settings: Settings, export: Path) -> None:
    for name in ("passwd", "id_rsa", "order.db", "page.html", "mine.toml"):
        path = export.with_name(name)
        path.write_text("a,b\n", encoding="utf-8")
        with pytest.raises(ImportRefused, match="is no export by its name"):
            named_path(settings, str(path))


def test_a_link_is_judged_by_what_it_leads_to(settings: Settings, export: Path) -> None:
    secret = export.with_name("secret")
    secret.write_text("a,b\n", encoding="utf-8")
    link = export.with_name("link.csv")
    link.symlink_to(secret)
    with pytest.raises(ImportRefused, match="secret is no export"):
        named_path(settings, str(link))


def test_hidden_places_are_refused(settings: Settings, tmp_path: Path) -> None:
    hidden = tmp_path / ".ssh" / "keys.csv"
    hidden.parent.mkdir()
    hidden.write_text("a,b\n", encoding="utf-8")
    for path in (hidden, hidden.parent):
        with pytest.raises(ImportRefused, match="hidden"):
            named_path(settings, str(path))


def test_encores_own_data_is_refused_but_for_uploads(settings: Settings) -> None:
    data = settings.data_dir
    for folder in ("mart", "uploads"):
        (data / folder).mkdir(parents=True)
        (data / folder / "x.csv").write_text("a,b\n", encoding="utf-8")
    for path in (data, data.parent, data / "mart", data / "mart" / "x.csv"):
        with pytest.raises(ImportRefused, match="Encore's own or the system's"):
            named_path(settings, str(path))
    assert named_path(settings, str(data / "uploads" / "x.csv")).name == "x.csv"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev", "/proc/self/environ", "/sys", "/proc/none.csv", "/"])
def test_the_systems_files_are_refused_whether_they_exist_or_not(settings: Settings, path: str) -> None:
    with pytest.raises(ImportRefused, match="the system's"):
        named_path(settings, path)


def test_what_is_not_there_or_no_file_is_said(settings: Settings, export: Path) -> None:
    with pytest.raises(SourceUnavailable, match="does not exist"):
        named_path(settings, str(export.with_name("none.csv")))
    with pytest.raises(SourceUnavailable, match="There is no file"):
        named_path(settings, "a\x00b.csv")


def test_a_pipe_is_refused_and_not_waited_for(settings: Settings, export: Path) -> None:
    pipe = export.with_name("pipe.csv")
    os.mkfifo(pipe)
    with pytest.raises(SourceUnavailable, match="neither a file nor a folder"):
        named_path(settings, str(pipe))
    with pytest.raises(SourceUnavailable, match="a device, a pipe or a socket"):
        source_files([pipe], ReadContext())
