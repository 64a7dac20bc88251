"""A decoder that crashes takes its own process down, not the engine's."""

import os
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import get_frame
from pydicom.uid import JPEGLosslessSV1

from engine.series.isolation import PackedFrame, decode_with_gdcm, start_processes
from tests.phantoms.dicom_series import ct_series, gradient_hu, read_back


def _packed() -> PackedFrame:
    dataset = read_back(ct_series(gradient_hu(1))[0], syntax=JPEGLosslessSV1)
    return PackedFrame(
        transfer_syntax_uid=JPEGLosslessSV1,
        rows=16,
        columns=20,
        bits_stored=16,
        signed=False,
        codestream=get_frame(dataset.PixelData, 0, number_of_frames=1),
    )


def test_a_frame_is_decoded_in_another_process() -> None:
    with start_processes() as pool:
        values = pool.submit(decode_with_gdcm, _packed()).result()
    np.testing.assert_array_equal(values, gradient_hu(1)[0].astype(int) + 1024)


def test_a_crash_reaches_us_as_an_error() -> None:
    with start_processes() as pool, pytest.raises(BrokenProcessPool):
        pool.submit(os.abort).result()


SUICIDE = """
import os
import subprocess
import sys
from engine.series.isolation import start_processes
if __name__ == "__main__":
    print(start_processes().submit(os.getpid).result(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_no_decoder_outlives_an_engine_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "suicide.py"
    script.write_text(SUICIDE)
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, timeout=30, check=False
    )  # times out as long as anybody holds the standard output
    assert done.returncode == -9
    assert int(done.stdout) > 0
