"""``python -m lib``: Encore for people at a terminal and for cron."""

import sys

from lib.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
