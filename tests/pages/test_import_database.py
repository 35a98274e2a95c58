"""Imports: a shop's own database is named, looked into, and said how to read again."""

from pathlib import Path

from tests.pages.conftest import Open
from tests.vendure_shop import vendure_shop


def test_a_database_is_looked_into_before_it_is_imported(open_page: Open, tmp_path: Path) -> None:
    file = vendure_shop(tmp_path / "shop" / "vendure.sqlite")
    at = open_page("empty", "imports")
    at.segmented_control(key="import_how").set_value("Database").run()
    assert not at.exception and len(at.error) == 0
    at.selectbox(key="database_mapping").set_value("Vendure, its own tables")
    at.text_input(key="database_address").set_value(f"sqlite:///{file}")
    next(button for button in at.button if button.label == "Look into it").click().run()
    assert not at.exception and len(at.error) == 0
    assert list(at.dataframe[0].value["Kind"])[:3] == ["product", "customer", "order"]
    assert at.code[0].value == f"python -m lib import sql 'sqlite:///{file}' --mapping vendure"
    assert at.button(key="import_start").label == "Import"


def test_a_database_that_is_not_there_is_named_and_nothing_starts(open_page: Open, tmp_path: Path) -> None:
    at = open_page("empty", "imports")
    at.segmented_control(key="import_how").set_value("Database").run()
    at.text_input(key="database_address").set_value(f"sqlite:///{tmp_path}/gone.db")
    next(button for button in at.button if button.label == "Look into it").click().run()
    assert [error.value for error in at.error] == ["There is no database file gone.db."]
    assert not [button for button in at.button if button.key == "import_start"]
