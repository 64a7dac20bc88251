"""The series a model gets, and one reason for every other."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import NoEligibleSeriesError
from engine.series.input import scan_study
from engine.series.selection import Selection, select_series
from engine.values.identity import ContrastPhase
from engine.values.model import InputCriteria
from tests.phantoms.abdomen import ORGANS, SPACING_MM, abdomen_hu
from tests.phantoms.dicom_series import SeriesPlan, ct_series, gradient_hu, uid, write_series

CRITERIA = InputCriteria()
TALL = gradient_hu(30)
PLAN = SeriesPlan(description="portal venous")


def _write(folder: Path, plan: SeriesPlan, voxels: np.ndarray = TALL) -> None:
    write_series(ct_series(voxels, plan), folder, prefix=plan.series.replace(" ", "-"))


def _select(folder: Path, criteria: InputCriteria = CRITERIA) -> Selection:
    return select_series(scan_study(folder), criteria)


def _chosen(selection: Selection) -> str:
    return selection.reference.group.series.series_instance_uid


def test_the_phase_the_criteria_name_first_wins(tmp_path: Path) -> None:
    for number, (phase, organs) in enumerate(ORGANS.items(), start=1):
        plan = SeriesPlan(
            series=phase.value,
            number=number,
            description=phase.value,
            spacing_mm=SPACING_MM,
            attributes={"AcquisitionTime": f"1015{10 * number:02d}"},
        )
        _write(tmp_path, plan, abdomen_hu(organs))
    selection = _select(tmp_path)
    assert selection.reference.phase is ContrastPhase.PORTAL_VENOUS
    assert [p.phase for p in selection.phases] == [
        ContrastPhase.LATE_ARTERIAL,
        ContrastPhase.DELAYED,
        ContrastPhase.NON_CONTRAST,
    ]
    assert [d.role for d in selection.decisions] == ["reference", "phase", "phase", "phase"]
    arterial_first = replace(CRITERIA, phases=(ContrastPhase.LATE_ARTERIAL,))
    assert _select(tmp_path, arterial_first).reference.phase is ContrastPhase.LATE_ARTERIAL


def test_soft_tissue_comes_before_a_sharp_kernel(tmp_path: Path) -> None:
    _write(tmp_path, replace(PLAN, series="sharp", attributes={"ConvolutionKernel": "B70f"}))
    _write(tmp_path, replace(PLAN, series="soft", number=2))
    assert _chosen(_select(tmp_path)) == uid(PLAN.study, "soft")


def test_original_comes_before_derived(tmp_path: Path) -> None:
    derived = {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}
    _write(tmp_path, replace(PLAN, series="derived", attributes=derived))
    _write(tmp_path, replace(PLAN, series="original", number=2))
    assert _chosen(_select(tmp_path)) == uid(PLAN.study, "original")


def test_larger_coverage_comes_before_thinner_slices(tmp_path: Path) -> None:
    _write(tmp_path, replace(PLAN, series="thin"), gradient_hu(40)[:26])
    _write(tmp_path, replace(PLAN, series="tall", number=2, spacing_mm=(4.0, 0.8, 0.7)))
    assert _chosen(_select(tmp_path)) == uid(PLAN.study, "tall")


def test_thinner_slices_win_at_equal_coverage(tmp_path: Path) -> None:
    _write(tmp_path, replace(PLAN, series="thick", spacing_mm=(5.0, 0.8, 0.7)), gradient_hu(20))
    _write(tmp_path, replace(PLAN, series="thin", number=2), gradient_hu(40))
    selection = _select(tmp_path)
    assert _chosen(selection) == uid(PLAN.study, "thin")
    assert selection.decisions[1].reason == "another portal venous series was preferred"


@pytest.mark.parametrize(
    ("plan", "slices", "reason"),
    [
        (replace(PLAN, spacing_mm=(7.5, 0.8, 0.7)), 30, "slice spacing 7.50 mm, at most 5 mm"),
        (PLAN, 8, "8 slices, at least 10 are needed"),
        (PLAN, 12, "covers 30 mm, at least 60 mm are needed"),
        (replace(PLAN, attributes={"Modality": "MR"}), 30, "Modality is MR, CT is needed"),
        (
            replace(PLAN, attributes={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
            30,
            "localizer",
        ),
        (replace(PLAN, attributes={"PixelSpacing": None}), 30, "image 1 of 30: PixelSpacing"),
    ],
)
def test_when_nothing_fits_every_series_has_its_reason(
    tmp_path: Path, plan: SeriesPlan, slices: int, reason: str
) -> None:
    _write(tmp_path, plan, gradient_hu(slices))
    with pytest.raises(NoEligibleSeriesError) as caught:
        _select(tmp_path)
    (refusal,) = caught.value.refusals
    assert refusal.series_instance_uid == uid(PLAN.study, PLAN.series)
    assert refusal.reason.startswith(reason)


def test_a_phase_the_criteria_do_not_accept_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, PLAN)
    criteria = replace(CRITERIA, phases=(ContrastPhase.LATE_ARTERIAL,))
    with pytest.raises(NoEligibleSeriesError, match=r"phase portal venous .* is not accepted"):
        _select(tmp_path, criteria)


def test_a_stack_that_cannot_be_assembled_is_not_chosen(tmp_path: Path) -> None:
    datasets = ct_series(gradient_hu(60), replace(PLAN, series="torn"))
    write_series(datasets[:20] + datasets[25:], tmp_path, prefix="torn")
    _write(tmp_path, replace(PLAN, series="whole", number=2))
    selection = _select(tmp_path)
    assert _chosen(selection) == uid(PLAN.study, "whole")
    assert "Slices are missing" in selection.decisions[1].reason


def test_reasons_never_name_the_patient(tmp_path: Path) -> None:
    _write(tmp_path, replace(PLAN, attributes={"Modality": "MR"}))
    with pytest.raises(NoEligibleSeriesError) as caught:
        _select(tmp_path)
    assert "Secret" not in str(caught.value)
    assert "P-1" not in str(caught.value)
