"""The same bits whatever the number of threads: a claim of the settings that travel with them."""

import hashlib
import os
import subprocess
import sys

PROGRAM = """
import hashlib, numpy as np
from tests.benchmarks.radiomics_peers import Region, measure_here
from tests.benchmarks.radiomics_robustness import normal_region
from dataclasses import replace
found = measure_here(replace(normal_region(), filtered=True))
print(len(found), hashlib.sha256(np.array(list(found.values())).tobytes()).hexdigest())
"""


def measure_with(threads: int) -> list[str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_one_thread_and_many_give_the_same_bits() -> None:
    """2,589 features, filters included."""
    one, many = measure_with(1), measure_with(4)
    assert one[0] == "2589"
    assert len(one[1]) == len(hashlib.sha256().hexdigest())
    assert one == many
