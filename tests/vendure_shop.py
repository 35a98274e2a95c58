"""A Vendure shop's own database, as an SQLite file."""

from pathlib import Path

from sqlalchemy import create_engine

TABLES = Path(__file__).parent / "unit" / "shop_tables"


def vendure_shop(file: Path) -> Path:
    """Make the file, with two orders of one customer."""
    file.parent.mkdir(parents=True)
    engine = create_engine(f"sqlite:///{file}")
    script = "\n".join((TABLES / name).read_text(encoding="utf-8") for name in ("vendure.sql", "vendure_orders.sql"))
    with engine.begin() as connection:
        for line in script.splitlines():
            if line.strip() and not line.startswith("--"):
                statement = line.replace(" AUTO", " integer PRIMARY KEY AUTOINCREMENT").replace("TIMESTAMP", "datetime")
                connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()
    return file
