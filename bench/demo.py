"""How fast a demo store is made, and how much memory it takes.

Run: ``python -m bench.demo [--orders N …]``. Each size is made in a process and a folder of its own; prints
one line of JSON per size: seconds of wall clock and of processor, peak memory, bytes of the database.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from lib.demo.build import make_demo
from lib.settings import read_settings


def measure(orders: int) -> dict[str, float]:
    """Make a store of about ``orders`` orders in this process."""
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = make_demo(read_settings({"ENCORE_DATA_DIR": folder}), orders=orders)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "orders": report.orders,
            "customers": report.customers,
            "seconds": round(seconds, 1),
            "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_mb": round(used.ru_maxrss / 1024),
            "database_mb": round((Path(folder) / "order.db").stat().st_size / 1e6),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, nargs="+", default=[60_000, 1_000_000])
    parser.add_argument("--here", action="store_true", help="measure in this very process")
    args = parser.parse_args()
    for orders in args.orders:
        if args.here:
            print(json.dumps(measure(orders)), flush=True)
        else:
            subprocess.run([sys.executable, "-m", "bench.demo", "--here", "--orders", str(orders)], check=True)


if __name__ == "__main__":
    main()
