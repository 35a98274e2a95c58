"""How fast and how large an import is: a made-up Shopify export of N orders, read and stored.

Part of the table of ``python -m bench``. Alone: ``python -m bench.imports [--orders 100000]
[--database sqlite:///…] [--file FILE]``. Prints one line of JSON: seconds of wall clock and of processor, peak
memory, and rows per second; a second import of the same file shows what finding everything unchanged costs.
"""

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.table import Row, Shop
from lib.db.engine import open_engine
from lib.db.migrate import migrate
from lib.jobs.imports import run_import
from lib.settings import read_settings

COLUMNS = [
    column.strip()
    for column in """
Name, Email, Financial Status, Paid at, Fulfillment Status, Fulfilled at, Accepts Marketing, Currency,
Subtotal, Shipping, Taxes, Total, Discount Code, Discount Amount, Shipping Method, Created at, Lineitem
quantity, Lineitem name, Lineitem price, Lineitem compare at price, Lineitem sku, Lineitem requires shipping,
Lineitem taxable, Lineitem fulfillment status, Billing Name, Billing Street, Billing Address1, Billing
Address2, Billing Company, Billing City, Billing Zip, Billing Province, Billing Country, Billing Phone,
Shipping Name, Shipping Street, Shipping Address1, Shipping Address2, Shipping Company, Shipping City,
Shipping Zip, Shipping Province, Shipping Country, Shipping Phone, Notes, Note Attributes, Cancelled at,
Payment Method, Payment Reference, Refunded Amount, Vendor, Outstanding Balance, Employee, Location, Device
ID, Id, Tags, Risk Level, Source, Lineitem discount, Tax 1 Name, Tax 1 Value, Phone
""".replace("\n", " ").split(",")
]
BOTH = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
CITIES = ("Berlin", "Hamburg", "München", "Köln", "Leipzig", "Wien", "Zürich", "Paris")


def write_export(path: Path, orders: int, seed: int = 7) -> int:
    """Write an export of ``orders`` orders, newest first, about 2.5 lines each; returns its rows."""
    chance = random.Random(seed)
    place = {name: index for index, name in enumerate(COLUMNS)}
    products = [
        (f"Product {n:04d} - {chance.choice('SML')}", f"SKU-{n:05d}", chance.randrange(500, 9_000))
        for n in range(4_000)
    ]
    newest = datetime(2026, 1, 31, 20, tzinfo=UTC)
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for number in range(orders, 0, -1):
            person = int(orders * 0.45 * chance.random() ** 1.6)
            city = CITIES[person % len(CITIES)]
            created = newest - timedelta(seconds=(orders - number) * 78 + chance.randrange(60))
            lines = [
                (chance.choice(products), chance.choice((1, 1, 1, 2, 3)))
                for _ in range(chance.choice((1, 1, 2, 3, 3, 5)))
            ]
            subtotal = sum(product[2] * quantity for product, quantity in lines)
            discount = subtotal // 10 if number % 6 == 0 else 0
            shipping = 0 if subtotal > 5_000 else 490
            total = subtotal - discount + shipping
            tax = round(total * 0.19 / 1.19)
            first = True
            for (name, sku, price), quantity in lines:
                row = [""] * len(COLUMNS)
                values = {
                    "Name": f"#{number + 1000}",
                    "Email": f"person{person}@example.com",
                    "Created at": f"{created:%Y-%m-%d %H:%M:%S} +0000",
                    "Lineitem quantity": str(quantity),
                    "Lineitem name": name,
                    "Lineitem price": _money(price),
                    "Lineitem sku": sku,
                    "Lineitem requires shipping": "true",
                    "Lineitem taxable": "true",
                    "Lineitem fulfillment status": "fulfilled",
                    "Vendor": "House",
                    "Lineitem discount": "0.00",
                }
                if first:
                    address = {
                        "Name": f"Person {person}",
                        "Street": f"Street {person % 300}",
                        "Address1": f"Street {person % 300}",
                        "City": city,
                        "Zip": f"'{10_000 + person % 80_000}",
                        "Country": "DE",
                    }
                    values |= {
                        f"{kind} {name}": value for kind in ("Billing", "Shipping") for name, value in address.items()
                    }
                    values |= {
                        "Financial Status": "paid",
                        "Paid at": f"{created:%Y-%m-%d %H:%M:%S} +0000",
                        "Fulfillment Status": "fulfilled",
                        "Fulfilled at": f"{created + timedelta(days=1):%Y-%m-%d %H:%M:%S} +0000",
                        "Accepts Marketing": "yes" if person % 3 else "no",
                        "Currency": "EUR",
                        "Subtotal": _money(subtotal - discount),
                        "Shipping": _money(shipping),
                        "Taxes": _money(tax),
                        "Total": _money(total),
                        "Discount Code": "TEN" if discount else "",
                        "Discount Amount": _money(discount),
                        "Payment Method": "Shopify Payments",
                        "Refunded Amount": _money(total if number % 40 == 0 else 0),
                        "Outstanding Balance": "0.00",
                        "Id": str(5_000_000_000_000 + number),
                        "Risk Level": "Low",
                        "Source": "web",
                        "Tax 1 Name": "DE MwSt 19%",
                        "Tax 1 Value": _money(tax),
                    }
                    first = False
                for column, value in values.items():
                    row[place[column]] = value
                writer.writerow(row)
                rows += 1
    return rows


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def measure(path: Path, database_url: str, folder: Path, *, source: str = "shopify") -> dict[str, float | int | str]:
    """Import a file once and say what it took."""
    settings = read_settings(
        {"ENCORE_DATA_DIR": str(folder), "ENCORE_DATABASE_URL": database_url, "ENCORE_STORE_TIME_ZONE": "Europe/Berlin"}
    )
    engine = open_engine(settings.database_url)
    migrate(engine)
    wall, processor = time.perf_counter(), _processor_seconds()
    report = run_import(settings, source, [path])
    wall, processor = time.perf_counter() - wall, _processor_seconds() - processor
    return {
        "work": f"import of {report.read:,} {source} orders",
        "database": engine.dialect.name,
        "read": report.read,
        "stored": report.stored,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "seconds": round(wall, 1),
        "processor_seconds": round(processor, 1),
        "peak_mb": sum(resource.getrusage(who).ru_maxrss for who in BOTH) // 1024,
        "per_second": round(report.read / wall),
    }


def _processor_seconds() -> float:
    """What this process has used, and those that it started to read and that have ended."""
    used = [resource.getrusage(who) for who in BOTH]
    return sum(each.ru_utime + each.ru_stime for each in used)


def rows(shop: Shop) -> Iterator[Row]:
    """The import of as many orders into an empty store, and again, each in a process of its own."""
    command = [sys.executable, "-m", "bench.imports", "--orders", str(shop.orders)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, again = (json.loads(line) for line in done.stdout.splitlines())
    large = shop.orders == 1_000_000
    for told, work, target in ((first, "import of a Shopify CSV", 180 if large else None), (again, "  again", None)):
        yield Row(
            work=work,
            orders=shop.orders,
            median=told["seconds"],
            unit="s",
            target=target,
            note=f"processor {told['processor_seconds']:.0f} s, {told['unchanged']:,} unchanged",
        )
    for told, work in ((first, "import of a Shopify CSV, peak memory"), (again, "  again, peak memory")):
        yield Row(work=work, orders=shop.orders, median=told["peak_mb"], unit="MB", target=600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--database", default="", help="an order database to import into; default: a new SQLite file")
    parser.add_argument("--file", type=Path, help="import this file instead of a made-up one")
    parser.add_argument("--source", default="shopify")
    parser.add_argument("--times", type=int, default=2, help="how often the file is imported")
    args = parser.parse_args()
    with TemporaryDirectory(prefix="encore-bench-") as name:
        folder = Path(name)
        path = args.file or folder / "orders_export.csv"
        if args.file is None:
            rows = write_export(path, args.orders)
            print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB", file=sys.stderr)
        url = args.database or f"sqlite:///{folder / 'order.db'}"
        if args.times == 1:
            print(json.dumps(measure(path, url, folder, source=args.source)), flush=True)
            return
        # Each in a process of its own: what one has left in memory is not the other's.
        again = [sys.executable, "-m", "bench.imports", "--file", path, "--database", url, "--source", args.source]
        for _ in range(args.times):
            subprocess.run([*again, "--times", "1"], check=True)


if __name__ == "__main__":
    main()
