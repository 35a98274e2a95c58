"""``python -m bench``."""

import os
import sys

if __name__ == "__main__":
    # As python -m lib does, before numpy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bench.run import main

    sys.exit(main(sys.argv[1:]))
