"""The `hepatocast` command: one module per command; each parses, calls, prints."""

import os

# OpenBLAS reads this when numpy is first imported. Our matrix products are thin; measured on
# two busy cores, its threads waiting for each other made one of 0.6 s take up to 86 s.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
