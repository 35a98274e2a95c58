"""A real Shopify admin export of a developer's test store: 51 orders, 121 rows. It may not ship."""

import csv
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from lib.importers.files import source_files
from lib.importers.records import OrderRecord, ReadContext
from lib.importers.shopify import read


def test_every_order_reconciles_with_the_file_to_the_cent(real_data: Callable[[str], Path]) -> None:
    file = real_data("shopify/export_csv/orders_export_devstore_scrubbed.csv")
    context = ReadContext(time_zone="Asia/Kolkata")
    records = [record for record in read(source_files([file], context), context) if isinstance(record, OrderRecord)]
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    printed = defaultdict(list)
    for line in rows:
        printed[line["Name"]].append(line)

    assert (len(records), sum(len(record.items) for record in records)) == (51, 121)
    for record in records:
        block = printed[record.number]
        head = block[0]
        assert [item.unit_price_minor * item.quantity for item in record.items] == [
            int(Decimal(line["Lineitem price"]) * int(line["Lineitem quantity"]) * 100) for line in block
        ]
        assert record.gross_minor - record.discount_minor == int(Decimal(head["Subtotal"]) * 100)
        assert record.shipping_minor == int(Decimal(head["Shipping"]) * 100)
        assert record.tax_minor == int(Decimal(head["Taxes"]) * 100)
        assert record.total_minor == int(Decimal(head["Total"]) * 100)
        assert record.fees_minor == 0
