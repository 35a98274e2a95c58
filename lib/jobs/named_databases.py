"""Databases that somebody names on the Imports page: read by this machine's own user, and never written to.

As with paths, a page takes an address only where nobody but that user can reach the app: whoever names an address
has the app knock at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pandas as pd

from lib.db.store import Store
from lib.errors import ImportRefused
from lib.importers.records import ReadContext
from lib.importers.sql import SqlReading, read_sql
from lib.importers.sql_mapping import load_sql_mapping
from lib.importers.sql_source import PASSWORD, source_url
from lib.importers.sql_source import shown as without_secrets
from lib.jobs.named_paths import is_own, takes_paths
from lib.jobs.previews import frame_of
from lib.settings import Settings

# The mappings of SELECTs that ship, as people choose them.
READY: Mapping[str, str] = {
    "woocommerce_hpos": "WooCommerce, its own tables (HPOS)",
    "vendure": "Vendure, its own tables",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDatabase:
    """A database's address, the mapping to read it by, and its user's password, which is kept nowhere."""

    address: str
    mapping: Path
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        return without_secrets(source_url(self.address, self.secrets))


def named_database(settings: Settings, address: str, password: str, mapping: Path) -> NamedDatabase:
    """The database that somebody named.

    Raises:
        ImportRefused: others can reach the app, or it is Encore's own database.
        SourceUnavailable: no address of a database that can be read.
        MappingInvalid: the mapping is none.
    """
    if not takes_paths(settings):
        raise ImportRefused(
            "Others can reach this app, so its page opens no database. Import it on its machine, by command:"
            " python -m lib import sql ADDRESS --mapping FILE."
        )
    named = NamedDatabase(address=address.strip(), mapping=mapping, secrets={PASSWORD: password} if password else {})
    url = source_url(named.address, named.secrets)
    is_file = url.get_backend_name() == "sqlite" and url.database
    if (is_file and is_own(settings, Path(url.database or "").expanduser().resolve())) or (
        url.render_as_string(hide_password=False).split("?")[0] == settings.database_url.split("?")[0]
    ):
        raise ImportRefused("This is Encore's own database. Name your shop's.")
    load_sql_mapping(mapping)
    return named


def preview_database(settings: Settings, store: Store, named: NamedDatabase, *, rows: int = 10) -> pd.DataFrame:
    """The first records as they are understood, as ``previews.preview`` shows them.

    Raises:
        SourceUnavailable: it cannot be opened or read.
        MappingInvalid: a SELECT answers with what is no field.
    """
    context = ReadContext(time_zone=store.time_zone, currency=store.currency, secrets=dict(named.secrets))
    reading: SqlReading = read_sql(named.address, load_sql_mapping(named.mapping), {}, context)
    records = iter(reading)
    try:
        return frame_of(list(islice(records, rows)))
    finally:
        # Ends the transaction on the shop's database.
        getattr(records, "close", lambda: None)()
