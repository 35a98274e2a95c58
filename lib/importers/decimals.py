"""Which sign parts the decimals in a file's amounts: a point as shops write it, or a spreadsheet's comma."""

from collections.abc import Sequence
from itertools import islice

from lib.importers.amounts import decimal_sign
from lib.importers.rows import read_rows
from lib.importers.source_file import SourceFile

# So many rows tell how a file writes its decimals.
SEEN_ROWS = 1_000


def decimals_of(file: SourceFile, columns: Sequence[str]) -> str:
    """The sign before the decimals in a file's amounts: a point, unless commas are proved.

    ``columns``: those that hold amounts; one that the file does not have is passed over.
    """
    rows = read_rows(file)
    places = [rows.column(name) for name in columns if rows.has(name)]
    try:
        return decimal_sign(row.values[place] for row in islice(rows, SEEN_ROWS) for place in places) or "."
    except ValueError:
        # Both are there: rows that write them otherwise are put aside, each by itself.
        return "."
