"""``python -m lib``: Encore for people at a terminal and for cron."""

import os
import sys

from lib.cli.main import main

if __name__ == "__main__":
    # Before numpy is loaded: its threads wait for one another over matrices of four numbers, many times longer
    # than the work takes, as soon as anything else runs on the machine.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
