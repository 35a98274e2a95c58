"""An import that is started from a screen: who may, and what is noted."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from lib.db.engine import reading
from lib.db.tables.staff import audit_log
from lib.db.tables.store import import_runs
from lib.errors import NotAllowed
from lib.jobs import rejections, started
from lib.settings import Settings
from lib.staff import Role, Staff

VERA = Staff(staff_id=None, name="Vera", role=Role.VIEWER)


def test_whoever_may_not_import_starts_nothing(database: Engine, settings: Settings, tmp_path: Path) -> None:
    for _ in range(2):  # a refusal keeps nobody else from importing
        with pytest.raises(NotAllowed, match="may not import"):
            started.start_import(settings, "shopify", [tmp_path / "orders.csv"], by=VERA)
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(import_runs)) == 0
        assert connection.scalar(select(func.count()).select_from(audit_log)) == 0


def test_whoever_may_not_import_dismisses_nothing(database: Engine, settings: Settings) -> None:
    with pytest.raises(NotAllowed):
        rejections.dismiss(settings, VERA, [1])
    with reading(database) as connection:
        assert connection.scalar(select(func.count()).select_from(audit_log)) == 0
