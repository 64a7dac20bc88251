"""The phase is decided when header and pixels agree, and left unknown when they do not."""

from pathlib import Path

import pytest

from engine.series.grouping import SeriesGroup, group_series
from engine.series.input import scan_study
from engine.series.landmarks import Landmarks
from engine.series.phase import PhaseDecision, decide_phases, phases_possible
from engine.values.identity import ContrastPhase
from tests.phantoms.abdomen import ORGANS, SPACING_MM, OrganHu, abdomen_hu
from tests.phantoms.dicom_series import SeriesPlan, ct_series, write_series

PHASES = list(ORGANS)


def _groups(folder: Path, *series: tuple[OrganHu, str, str]) -> list[SeriesGroup]:
    """Write one series per (organs, description, acquisition time) and group them."""
    for index, (organs, description, time) in enumerate(series, start=1):
        plan = SeriesPlan(
            series=f"series {index}",
            number=index,
            description=description,
            spacing_mm=SPACING_MM,
            attributes={"AcquisitionTime": time},
        )
        write_series(ct_series(abdomen_hu(organs, seed=index), plan), folder, prefix=f"S{index}-")
    grouping = group_series(scan_study(folder))
    return sorted(grouping.groups, key=lambda g: g.series.series_number or 0)


def _decide(folder: Path, *series: tuple[OrganHu, str, str]) -> tuple[PhaseDecision, ...]:
    return decide_phases(_groups(folder, *series))


@pytest.mark.parametrize("phase", PHASES)
def test_header_and_pixels_that_agree_decide(tmp_path: Path, phase: ContrastPhase) -> None:
    (decision,) = _decide(tmp_path, (ORGANS[phase], phase.value, "101500"))
    assert decision.phase is phase
    assert decision.reason == "header, confirmed by pixels"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (ContrastPhase.PORTAL_VENOUS, ContrastPhase.LATE_ARTERIAL),
        (ContrastPhase.LATE_ARTERIAL, ContrastPhase.PORTAL_VENOUS),
        (ContrastPhase.NON_CONTRAST, ContrastPhase.PORTAL_VENOUS),
        (ContrastPhase.DELAYED, ContrastPhase.NON_CONTRAST),
    ],
)
def test_header_and_pixels_that_disagree_leave_the_phase_unknown(
    tmp_path: Path, said: ContrastPhase, shown: ContrastPhase
) -> None:
    (decision,) = _decide(tmp_path, (ORGANS[shown], said.value, "101500"))
    assert decision.phase is ContrastPhase.UNKNOWN
    assert decision.reason == f"header says {said.value}, pixels exclude it"
    assert decision.evidence["aorta HU"] is None or decision.evidence["aorta HU"]


@pytest.mark.parametrize(
    "phase",
    [ContrastPhase.NON_CONTRAST, ContrastPhase.LATE_ARTERIAL, ContrastPhase.PORTAL_VENOUS],
)
def test_clear_pixels_decide_when_the_header_is_silent(
    tmp_path: Path, phase: ContrastPhase
) -> None:
    (decision,) = _decide(tmp_path, (ORGANS[phase], "Abdomen", "101500"))
    assert decision.phase is phase


def test_unclear_pixels_decide_nothing_when_the_header_is_silent(tmp_path: Path) -> None:
    organs = OrganHu(aorta=125, liver=95, spleen=100, kidney=170)
    (decision,) = _decide(tmp_path, (organs, "Abdomen", "101500"))
    assert decision.phase is ContrastPhase.UNKNOWN


def test_the_order_of_acquisition_resolves_what_pixels_leave_open(tmp_path: Path) -> None:
    unclear = OrganHu(aorta=125, liver=95, spleen=100, kidney=170)
    decisions = _decide(
        tmp_path,
        (ORGANS[ContrastPhase.PORTAL_VENOUS], "portal venous", "101500"),
        (unclear, "Abdomen", "101830"),
    )
    assert [d.phase for d in decisions] == [ContrastPhase.PORTAL_VENOUS, ContrastPhase.DELAYED]
    assert decisions[1].reason == "pixels and order of acquisition"


def test_a_contradictory_header_is_not_overruled_by_pixels(tmp_path: Path) -> None:
    organs = ORGANS[ContrastPhase.PORTAL_VENOUS]
    (decision,) = _decide(tmp_path, (organs, "arterial + portal", "101500"))
    assert decision.phase is ContrastPhase.UNKNOWN


def _landmarks(aorta_hu: float | None, kidney_hu: float | None = None) -> Landmarks:
    return Landmarks(
        aorta_hu=aorta_hu,
        aorta_slices=20,
        liver_hu=80.0,
        liver_ml=1200.0,
        left_organ_hu=None,
        kidney_hu=kidney_hu,
        has_spine=True,
    )


def test_bright_kidneys_contradict_a_native_scan() -> None:
    assert ContrastPhase.NON_CONTRAST in phases_possible(_landmarks(60), kvp=120)
    assert ContrastPhase.NON_CONTRAST not in phases_possible(_landmarks(60, 160), kvp=120)


def test_at_low_tube_voltage_only_native_is_told_from_enhanced() -> None:
    enhanced = frozenset(PHASES) - {ContrastPhase.NON_CONTRAST}
    assert phases_possible(_landmarks(260, 160), kvp=80) == enhanced


def test_unmeasured_pixels_leave_everything_possible() -> None:
    nothing = Landmarks(
        aorta_hu=None,
        aorta_slices=0,
        liver_hu=None,
        liver_ml=0.0,
        left_organ_hu=None,
        kidney_hu=None,
        has_spine=False,
    )
    assert phases_possible(nothing, kvp=None) == frozenset(PHASES)
