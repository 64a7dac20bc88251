"""Slices become one volume in patient space, whatever order, orientation or encoding."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from engine.errors import InvalidGeometryError, PixelDataError
from engine.series.assembly import assemble_volume
from engine.series.grouping import group_series
from engine.series.input import scan_study
from engine.values.volume import Volume
from tests.phantoms.dicom_series import (
    SeriesPlan,
    ct_series,
    encapsulated,
    enhanced_ct,
    gradient_hu,
    uid,
    write_series,
    zip_folder,
)
from tests.phantoms.htj2k import codestreams

SHARED_DICOM = Path(__file__).parents[2] / ".." / "shared" / "data" / "ct" / "dicom"
TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    JPEGLSLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
)


def _assemble(path: Path) -> Volume:
    grouping = group_series(scan_study(path))
    assert grouping.refusals == ()
    (group,) = grouping.groups
    return assemble_volume(group)


def _assemble_datasets(datasets: list[Dataset], folder: Path, syntax: str | None = None) -> Volume:
    return _assemble(write_series(datasets, folder, syntax=syntax))


def _rotation(axis: int, degrees: float) -> NDArray[np.float64]:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = [a for a in range(3) if a != axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def _triple(vector: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in vector)
    return (x, y, z)


# order and orientation


def test_a_plain_series_keeps_every_voxel_and_its_grid(tmp_path: Path) -> None:
    voxels = gradient_hu()
    volume = _assemble_datasets(ct_series(voxels), tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, voxels)
    assert volume.geometry.spacing.as_tuple() == (2.5, 0.8, 0.7)
    assert volume.geometry.origin_mm == (-20.0, -30.0, 100.0)
    assert volume.geometry.slice_direction == (0.0, 0.0, 1.0)
    assert volume.is_source_grid
    assert volume.notes == ()


def test_file_order_and_instance_numbers_do_not_matter(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    numbers = list(range(1, 13))
    np.random.default_rng(5).shuffle(numbers)
    for dataset, number in zip(datasets, numbers, strict=True):
        dataset.InstanceNumber = number
    datasets = datasets[::-3] + datasets[-2::-3] + datasets[-3::-3]
    volume = _assemble_datasets(datasets, tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())


def test_a_stack_from_head_to_feet_is_sorted_along_its_normal(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(), SeriesPlan(step_mm=(0.0, 0.0, -2.5)))
    volume = _assemble_datasets(datasets, tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu()[::-1])
    assert volume.geometry.slice_direction == (0.0, 0.0, 1.0)
    assert volume.geometry.origin_mm == (-20.0, -30.0, 100.0 - 11 * 2.5)


@pytest.mark.parametrize(
    ("column", "row"),
    [
        ((1, 0, 0), (0, 1, 0)),
        ((-1, 0, 0), (0, -1, 0)),
        ((0, -1, 0), (1, 0, 0)),
        ((1, 0, 0), (0, 0, -1)),
        ((0, 1, 0), (0, 0, -1)),
        ((-1, 0, 0), (0, 1, 0)),
    ],
    ids=["axial", "prone", "turned", "coronal", "sagittal", "mirrored"],
)
def test_every_orientation_lands_where_the_headers_say(
    tmp_path: Path, column: tuple[float, ...], row: tuple[float, ...]
) -> None:
    plan = SeriesPlan(
        column_direction=_triple(np.array(column)), row_direction=_triple(np.array(row))
    )
    voxels = gradient_hu()
    volume = _assemble_datasets(ct_series(voxels, plan), tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, voxels)
    expected = np.array(plan.origin_mm) + 7 * plan.step
    expected += 3 * 0.8 * np.array(row) + 5 * 0.7 * np.array(column)
    np.testing.assert_allclose(volume.geometry.to_patient(np.array([7.0, 3, 5])), expected)
    assert np.linalg.det(volume.geometry.directions[:, ::-1]) == pytest.approx(1)


def test_an_oblique_stack_keeps_its_own_grid(tmp_path: Path) -> None:
    turn = _rotation(0, 23) @ _rotation(1, -11)
    plan = SeriesPlan(column_direction=_triple(turn[:, 0]), row_direction=_triple(turn[:, 1]))
    volume = _assemble_datasets(ct_series(gradient_hu(), plan), tmp_path)
    assert volume.is_source_grid
    np.testing.assert_allclose(volume.geometry.slice_direction, turn[:, 2], atol=1e-6)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())


# gantry tilt


def _tilted(degrees: float, slices: int = 16) -> tuple[list[Dataset], NDArray[np.float64]]:
    """A ball scanned with a tilted gantry: table moves along z, planes lean back."""
    turn = _rotation(0, degrees)
    plan = SeriesPlan(
        column_direction=_triple(turn[:, 0]),
        row_direction=_triple(turn[:, 1]),
        step_mm=(0.0, 0.0, 3.0),
        spacing_mm=(3.0, 1.0, 1.0),
        origin_mm=(-24.0, -24.0, 0.0),
    )
    center = np.array([1.3, 2.1, 23.7])
    voxels = np.empty((slices, 48, 48), np.int16)
    for k in range(slices):
        origin = np.array(plan.origin_mm) + k * plan.step
        r, c = np.indices((48, 48))
        place = origin + r[..., None] * turn[:, 1] + c[..., None] * turn[:, 0]
        distance = np.linalg.norm(place - center, axis=-1)
        voxels[k] = np.rint(np.clip((10 - distance) / 2 + 0.5, 0, 1) * 400)
    return ct_series(voxels, plan), center


@pytest.mark.parametrize("degrees", [-20.0, 7.0, 28.0])
def test_a_tilted_gantry_is_straightened(tmp_path: Path, degrees: float) -> None:
    """A ball scanned through leaning planes comes out where it was, and round."""
    datasets, center = _tilted(degrees)
    volume = _assemble_datasets(datasets, tmp_path)
    weight = np.clip(volume.voxels_hu.astype(float), 0, None)
    index = np.indices(volume.geometry.shape)
    places = volume.geometry.to_patient(np.moveaxis(index, 0, -1).astype(float))
    offset = places - (places * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
    centroid = (places * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum()
    spread = np.sqrt((offset**2 * weight[..., None]).sum(axis=(0, 1, 2)) / weight.sum())
    np.testing.assert_allclose(centroid, center, atol=0.1)
    assert spread.max() / spread.min() < 1.05
    assert not volume.is_source_grid
    assert f"gantry tilt of {abs(degrees):.1f}° straightened" in volume.notes
    assert all(len(sources) == 1 for sources in volume.slice_sources)


def test_more_tilt_than_a_gantry_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidGeometryError, match=r"35\.0° off their normal"):
        _assemble_datasets(_tilted(35)[0], tmp_path)


def test_slices_that_jump_sideways_are_refused(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    x, y, z = datasets[5].ImagePositionPatient
    datasets[5].ImagePositionPatient = [x + 4, y, z]
    with pytest.raises(InvalidGeometryError, match="drift sideways irregularly"):
        _assemble_datasets(datasets, tmp_path)


# spacing, missing and duplicate slices


def test_positions_rounded_to_a_tenth_are_regular(tmp_path: Path) -> None:
    """0.625 mm slices written as 0.6, 1.2, 1.9 … stay untouched."""
    datasets = ct_series(gradient_hu(20), SeriesPlan(spacing_mm=(0.625, 0.8, 0.7)))
    for dataset in datasets:
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, round(float(z), 1)]
    volume = _assemble_datasets(datasets, tmp_path)
    assert volume.is_source_grid
    assert volume.geometry.spacing.slice_mm == pytest.approx(0.625, abs=0.006)


def test_one_missing_slice_is_interpolated_from_its_neighbors(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    left_out = datasets.pop(6)
    volume = _assemble_datasets(datasets, tmp_path)
    expected = (gradient_hu()[5].astype(float) + gradient_hu()[7]) / 2
    np.testing.assert_allclose(volume.voxels_hu[6], expected, atol=0.51)
    np.testing.assert_array_equal(volume.voxels_hu[7:], gradient_hu()[7:])
    assert not volume.is_source_grid
    assert volume.notes == ("1 missing slices interpolated",)
    named = {reference.sop_instance_uid for reference in volume.slice_sources[6]}
    assert named == {datasets[5].SOPInstanceUID, datasets[6].SOPInstanceUID}
    assert left_out.SOPInstanceUID not in named


def test_a_gap_of_more_than_three_spacings_is_refused(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    with pytest.raises(InvalidGeometryError, match=r"gap of 10\.00 mm in a spacing of 2\.50"):
        _assemble_datasets(datasets[:5] + datasets[8:], tmp_path)


def test_a_gap_of_more_than_ten_millimeters_is_refused(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(), SeriesPlan(spacing_mm=(6.0, 0.8, 0.7)))
    with pytest.raises(InvalidGeometryError, match=r"gap of 12\.00 mm"):
        _assemble_datasets(datasets[:5] + datasets[6:], tmp_path)


def test_non_uniform_spacing_is_resampled_linearly(tmp_path: Path) -> None:
    """HU that grow with z grow with z on the regular grid, too."""
    heights = np.concatenate([np.arange(6) * 2.0, 10 + np.arange(1, 6) * 3.1])
    datasets = ct_series(np.zeros((11, 8, 8), np.int16))
    for dataset, height in zip(datasets, heights, strict=True):
        dataset.ImagePositionPatient = [0, 0, float(height)]
        dataset.PixelData = np.full((8, 8), round(1024 + 10 * height), "<u2").tobytes()
    volume = _assemble_datasets(datasets, tmp_path)
    spacing = volume.geometry.spacing.slice_mm
    assert spacing == pytest.approx(np.median(np.diff(heights)))
    expected = 10 * spacing * np.arange(volume.geometry.shape[0])
    np.testing.assert_allclose(volume.voxels_hu[:, 4, 4], expected, atol=1.01)
    assert any("non-uniform" in note for note in volume.notes)


def test_the_nearest_source_comes_first(tmp_path: Path) -> None:
    heights = [0.0, 2.0, 4.0, 6.0, 8.0, 10.5, 12.5, 15.0, 17.2]
    datasets = ct_series(np.zeros((9, 8, 8), np.int16))
    for dataset, height in zip(datasets, heights, strict=True):
        dataset.ImagePositionPatient = [0, 0, height]
    volume = _assemble_datasets(datasets, tmp_path)
    place = {d.SOPInstanceUID: h for d, h in zip(datasets, heights, strict=True)}
    for index, sources in enumerate(volume.slice_sources):
        gaps = [abs(place[s.sop_instance_uid] - 2.0 * index) for s in sources]
        assert gaps == sorted(gaps)


def test_a_slice_sent_twice_under_two_uids_is_dropped_once(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    twin = copy.deepcopy(datasets[4])
    twin.SOPInstanceUID = twin.file_meta.MediaStorageSOPInstanceUID = uid("twin")
    volume = _assemble_datasets([*datasets, twin], tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())
    assert volume.notes == ("1 duplicate slices dropped",)
    assert volume.is_source_grid


def test_two_different_slices_at_one_place_are_refused(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    other = ct_series(gradient_hu(seed=9), SeriesPlan(series="other"))[4]
    other.SeriesInstanceUID = datasets[0].SeriesInstanceUID
    with pytest.raises(InvalidGeometryError, match="lie at one place and differ"):
        _assemble_datasets([*datasets, other], tmp_path)


def test_one_slice_is_no_volume(tmp_path: Path) -> None:
    with pytest.raises(InvalidGeometryError, match="at least 2 slices"):
        _assemble_datasets(ct_series(gradient_hu(1)), tmp_path)


# multi-frame


@pytest.mark.parametrize("shared_planes", [True, False])
def test_enhanced_multi_frame_gives_the_same_volume(tmp_path: Path, shared_planes: bool) -> None:
    dataset = enhanced_ct(gradient_hu(), shared_planes=shared_planes)
    volume = _assemble_datasets([dataset], tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())
    assert volume.geometry.spacing.as_tuple() == (2.5, 0.8, 0.7)
    assert [s[0].frame_number for s in volume.slice_sources] == list(range(1, 13))
    assert len(volume.headers) == 1


def test_enhanced_frames_are_sorted_by_position(tmp_path: Path) -> None:
    dataset = enhanced_ct(gradient_hu(), SeriesPlan(step_mm=(0.0, 0.0, -2.5)))
    volume = _assemble_datasets([dataset], tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu()[::-1])
    assert volume.slice_sources[0][0].frame_number == 12


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless, DeflatedExplicitVRLittleEndian])
def test_compressed_enhanced_multi_frame_is_decoded(tmp_path: Path, syntax: str) -> None:
    volume = _assemble_datasets([enhanced_ct(gradient_hu())], tmp_path, syntax)
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())


# pixel values


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES, ids=lambda s: s.keyword)
@pytest.mark.parametrize("signed", [False, True])
def test_every_transfer_syntax_gives_the_same_voxels(
    tmp_path: Path, syntax: str, signed: bool
) -> None:
    voxels = gradient_hu(4, 64, 64)
    plan = SeriesPlan(signed=signed, intercept=0.0 if signed else -1024.0)
    volume = _assemble_datasets(ct_series(voxels, plan), tmp_path, syntax)
    np.testing.assert_array_equal(volume.voxels_hu, voxels)


def test_high_throughput_jpeg_2000_is_decoded(tmp_path: Path) -> None:
    voxels = gradient_hu(3, 64, 64)
    datasets = ct_series(voxels)
    for dataset, codestream in zip(datasets, codestreams(), strict=True):
        dataset.PixelData = encapsulated(codestream)
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
    np.testing.assert_array_equal(_assemble_datasets(datasets, tmp_path).voxels_hu, voxels)


def test_each_slice_has_its_own_rescale(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    expected = gradient_hu().astype(float)
    for index, dataset in enumerate(datasets):
        dataset.RescaleSlope = 0.5 + 0.25 * (index % 2)
        dataset.RescaleIntercept = -1000 + index
        stored = gradient_hu()[index].astype(float) + 1024
        expected[index] = np.rint(stored * dataset.RescaleSlope + dataset.RescaleIntercept)
    volume = _assemble_datasets(datasets, tmp_path)
    np.testing.assert_array_equal(volume.voxels_hu, np.clip(expected, -1024, None))


@pytest.mark.parametrize("bits_stored", [12, 13, 16])
def test_signed_values_are_sign_extended_from_their_stored_bits(
    tmp_path: Path, bits_stored: int
) -> None:
    plan = SeriesPlan(signed=True, intercept=0.0, bits_stored=bits_stored)
    volume = _assemble_datasets(ct_series(gradient_hu(), plan), tmp_path)
    assert volume.voxels_hu.min() < 0
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())


def test_bits_above_the_high_bit_are_no_pixels(tmp_path: Path) -> None:
    """Old scanners kept overlays there (PS3.5 8.1.2, retired)."""
    datasets = ct_series(gradient_hu(), SeriesPlan(bits_stored=12))
    for dataset in datasets:
        words = np.frombuffer(dataset.PixelData, "<u2") | np.uint16(0xA000)
        dataset.PixelData = words.tobytes()
    np.testing.assert_array_equal(_assemble_datasets(datasets, tmp_path).voxels_hu, gradient_hu())


def test_pixels_may_sit_in_the_upper_bits(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(), SeriesPlan(bits_stored=12))
    for dataset in datasets:
        words = np.frombuffer(dataset.PixelData, "<u2") << np.uint16(4)
        dataset.PixelData = words.tobytes()
        dataset.HighBit = 15
    np.testing.assert_array_equal(_assemble_datasets(datasets, tmp_path).voxels_hu, gradient_hu())


def test_unsigned_sixteen_bits_do_not_wrap(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(3))
    words = np.frombuffer(datasets[0].PixelData, "<u2").copy()
    words[0] = 65535
    datasets[0].PixelData = words.tobytes()
    assert _assemble_datasets(datasets, tmp_path).voxels_hu[0, 0, 0] == 32767


def test_padding_becomes_air(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(), SeriesPlan(signed=True, intercept=0.0))
    for dataset in datasets:
        dataset.add_new("PixelPaddingValue", "SS", -2000)
        words = np.frombuffer(dataset.PixelData, "<i2").copy()
        words[:3] = -2000
        dataset.PixelData = words.tobytes()
    volume = _assemble_datasets(datasets, tmp_path)
    assert (volume.voxels_hu[:, 0, :3] == -1024).all()
    np.testing.assert_array_equal(volume.voxels_hu[:, 1:], gradient_hu()[:, 1:])


def test_a_padding_value_with_the_wrong_sign_is_understood(tmp_path: Path) -> None:
    """63536 as US names the same 16 bits as −2000."""
    datasets = ct_series(gradient_hu(), SeriesPlan(signed=True, intercept=0.0))
    for dataset in datasets:
        dataset.add_new("PixelPaddingValue", "US", 63536)
        words = np.frombuffer(dataset.PixelData, "<i2").copy()
        words[0] = -2000
        dataset.PixelData = words.tobytes()
    assert (_assemble_datasets(datasets, tmp_path).voxels_hu[:, 0, 0] == -1024).all()


def test_a_padding_range_becomes_air(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(), SeriesPlan(bits_stored=16))
    for dataset in datasets:
        dataset.add_new("PixelPaddingValue", "US", 4000)
        dataset.add_new("PixelPaddingRangeLimit", "US", 4095)
        words = np.frombuffer(dataset.PixelData, "<u2").copy()
        words[:2] = (4000, 4095)
        words[2] = 3999
        dataset.PixelData = words.tobytes()
    volume = _assemble_datasets(datasets, tmp_path)
    assert (volume.voxels_hu[:, 0, :2] == -1024).all()
    assert (volume.voxels_hu[:, 0, 2] == 3999 - 1024).all()


# sizes


def test_headers_that_promise_more_pixels_than_there_are_bytes_are_refused(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    for dataset in datasets:
        dataset.Rows = dataset.Columns = 8000
    with pytest.raises(PixelDataError, match="promises"):
        _assemble_datasets(datasets, tmp_path)


def test_compressed_bombs_are_refused_before_decoding(tmp_path: Path) -> None:
    datasets = ct_series(np.zeros((4, 64, 64), np.int16))
    write_series(datasets, tmp_path, syntax=JPEGLSLossless)
    (group,) = group_series(scan_study(tmp_path)).groups
    grown = tuple(replace(plane, rows=8192, columns=8192) for plane in group.planes)
    with pytest.raises(PixelDataError, match=r"promises \d+ bytes"):
        assemble_volume(replace(group, planes=grown))


def test_a_truncated_slice_is_named(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu())
    write_series(datasets, tmp_path)
    file = tmp_path / "IM0003.dcm"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(PixelDataError, match=str(datasets[3].SOPInstanceUID)):
        _assemble(tmp_path)


def test_a_damaged_codestream_is_named(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(3, 64, 64))
    write_series(datasets, tmp_path, syntax=JPEGLSLossless)
    file = tmp_path / "IM0001.dcm"
    data = bytearray(file.read_bytes())
    data[-400:-20] = bytes(380)
    file.write_bytes(bytes(data))
    with pytest.raises(PixelDataError, match="cannot be decoded"):
        _assemble(tmp_path)


# what travels with the volume


def test_headers_come_in_slice_order_without_pixels(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(), SeriesPlan(step_mm=(0.0, 0.0, -2.5)))
    volume = _assemble_datasets(datasets, tmp_path)
    heights = [float(header.ImagePositionPatient[2]) for header in volume.headers]
    assert heights == sorted(heights)
    assert not any("PixelData" in header for header in volume.headers)
    named = [sources[0].sop_instance_uid for sources in volume.slice_sources]
    assert named == [header.SOPInstanceUID for header in volume.headers]


def test_a_zip_gives_the_same_volume_as_its_folder(tmp_path: Path) -> None:
    folder = write_series(ct_series(gradient_hu()), tmp_path / "study")
    volume = _assemble(zip_folder(folder, tmp_path / "study.zip"))
    np.testing.assert_array_equal(volume.voxels_hu, gradient_hu())


# real series


def test_the_real_series_with_window_zero_is_assembled() -> None:
    """3D-IRCADb 1: 129 slices of 1.6 mm, window center and width 0, HU −1024 to 1023."""
    volume = _assemble(SHARED_DICOM / "ircad_01.zip")
    assert volume.geometry.shape == (129, 512, 512)
    np.testing.assert_allclose(volume.geometry.spacing.as_tuple(), (1.6, 0.57, 0.57), atol=1e-5)
    assert (volume.voxels_hu.min(), volume.voxels_hu.max()) == (-1024, 1023)
    assert volume.is_source_grid
