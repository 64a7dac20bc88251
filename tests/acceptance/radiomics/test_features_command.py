"""`hepatocast features` on real lesions of ../shared: tables, stability, refusals (issue 4)."""

import csv
import tomllib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from engine.cli.main import main

CASE = Path(__file__).parents[4] / "shared" / "data" / "ct" / "train" / "lits_001"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def crop(folder: Path) -> tuple[Path, Path]:
    """The part of the case around three lesions, as NIfTI."""
    image, labels = (sitk.ReadImage(str(CASE / n)) for n in ("ct.nii.gz", "label.nii.gz"))
    tumor = sitk.GetArrayFromImage(labels) == 2
    where = np.argwhere(tumor)
    low, high = where.min(axis=0), where.max(axis=0) + 1
    start, size = low[::-1].tolist(), (high - low)[::-1].tolist()
    paths = folder / "ct.nii.gz", folder / "label.nii.gz"
    for source, path in zip((image, labels), paths, strict=True):
        sitk.WriteImage(sitk.RegionOfInterest(source, size, start), str(path))
    return paths


def test_real_lesions_give_tables_and_icc_with_intervals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve lesions of a LiTS case, three perturbations each."""
    image, mask = crop(tmp_path)
    out = tmp_path / "out"
    command = ["features", str(image), "--mask", str(mask), "--split", "2", "--perturb", "3"]
    assert main([*command, "--out", str(out)]) == 0
    assert "features are stable" in capsys.readouterr().out
    wide = rows(out / "features-wide.csv")
    assert [row["region"] for row in wide] == ["label 1", *(f"lesion {n}" for n in range(1, 13))]
    stability = rows(out / "stability.csv")
    volume = next(row for row in stability if row["name"] == "Volume (mesh)")
    assert 0.9 < float(volume["lower"]) < float(volume["icc"]) < float(volume["upper"]) <= 1
    assert (volume["regions"], volume["repeats"]) == ("12.0", "3.0")
    listed = tomllib.loads((out / "stable_features.toml").read_text("utf-8"))["stable_features"]
    assert listed["features"] == [row["feature"] for row in stability if row["stable"] == "yes"]
    assert len(listed["settings_sha256"]) == 64


def test_a_mask_shifted_against_the_image_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half a voxel is enough."""
    image, mask = crop(tmp_path)
    labels = sitk.ReadImage(str(mask))
    labels.SetOrigin([o + 0.6 for o in labels.GetOrigin()])
    sitk.WriteImage(labels, str(mask))
    out = tmp_path / "out"
    assert main(["features", str(image), "--mask", str(mask), "--out", str(out)]) == 2
    assert "lies on another grid" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_leave_reasons(tmp_path: Path, bad: float) -> None:
    """In the region: every feature is missing and says why; the other regions are measured."""
    image, mask = crop(tmp_path)
    voxels = sitk.ReadImage(str(image), sitk.sitkFloat64)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(mask)))
    array = sitk.GetArrayFromImage(voxels)
    array[tuple(np.argwhere(labels == 2)[0])] = bad
    damaged = sitk.GetImageFromArray(array)
    damaged.CopyInformation(voxels)
    path = tmp_path / "damaged.nrrd"
    sitk.WriteImage(damaged, str(path))
    out = tmp_path / "out"
    assert main(["features", str(path), "--mask", str(mask), "--out", str(out)]) == 0
    table = [row for row in rows(out / "features.csv") if row["region"] == "label 2"]
    assert len(table) > 100
    assert all(row["value"] == "" and "finite" in row["reason"] for row in table)


def test_one_region_has_no_icc_and_says_what_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never an ICC from a single row."""
    image, mask = crop(tmp_path)
    labels = sitk.ReadImage(str(mask))
    sitk.WriteImage(labels == 2, str(mask))
    out = tmp_path / "out"
    command = ["features", str(image), "--mask", str(mask), "--perturb", "2", "--out", str(out)]
    assert main(command) == 2
    assert "at least 2 regions" in capsys.readouterr().err


def test_the_segmenters_bottleneck_describes_real_lesions_and_is_kept(tmp_path: Path) -> None:
    """Twelve lesions, three poolings; the second run reads the cache and says the same."""
    image, mask = crop(tmp_path)
    tables = []
    for out in (tmp_path / "one", tmp_path / "two"):
        command = ["features", str(image), "--mask", str(mask), "--split", "2", "--deep"]
        command += ["--deep-cache", str(tmp_path / "cache"), "--out", str(out)]
        assert main(command) == 0
        tables.append((out / "features.csv").read_bytes())
    assert tables[0] == tables[1]
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 12
    deep = [row for row in rows(out / "features.csv") if row["family"] == "Deep features"]
    assert {row["aggregation"] for row in deep} == {"mask mean", "mask max", "global mean"}
    assert {row["region"] for row in deep} == {f"lesion {n}" for n in range(1, 13)}
    assert all(np.isfinite(float(row["value"])) for row in deep)
    means = {row["value"] for row in deep if row["name"] == "bottleneck 0000"}
    assert len(means) > 12
