"""The truth beside the study."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine.demo.anatomy import Phantom
from engine.demo.truth import load_truth, save_truth, truth_of
from engine.errors import InputError


def test_a_saved_truth_comes_back_whole(phantom: Phantom, tmp_path: Path) -> None:
    truth = truth_of(phantom, "1.2.3")
    save_truth(truth, tmp_path / "truth.npz")
    again = load_truth(tmp_path / "truth.npz")
    assert np.array_equal(again.liver, truth.liver)
    assert np.array_equal(again.lesion_labels, truth.lesion_labels)
    masks = {"liver": truth.liver, "lesion_labels": truth.lesion_labels}
    assert dataclasses.replace(again, **masks) == truth


def test_lesions_are_described_in_patient_space(phantom: Phantom) -> None:
    for true, grown in zip(truth_of(phantom, "1").lesions, phantom.lesions, strict=True):
        assert true.center_mm == pytest.approx(grown.center_mm, abs=0.25 * true.diameter_mm)
        assert true.volume_ml == pytest.approx(grown.volume_ml)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_truth_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "truth.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"truth\.npz is not a truth file"):
        load_truth(path)


def test_another_format_is_refused_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", description='{"format": "x"}', liver=0, lesion_labels=0)
    with pytest.raises(InputError, match="found x"):
        load_truth(tmp_path / "t.npz")
