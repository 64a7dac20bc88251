"""Compile the radiomics core in a source checkout: ``python -m engine.radiomics.build``.

Needs ``pip install ziglang``. An installed HepatoCast brings the compiled core along.
"""

import sys
from pathlib import Path

from engine.radiomics.compilation import compile_core, host_target


def main() -> None:
    """Compile for this machine, next to the sources."""
    for library in compile_core(Path(__file__).parent, host_target()):
        sys.stdout.write(f"{library.name}\n")


if __name__ == "__main__":
    main()
