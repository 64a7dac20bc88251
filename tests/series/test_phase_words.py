"""Series descriptions name a phase in the languages scanners are run in."""

import pytest
from pydicom.dataset import Dataset

from engine.series.phase_words import bolus_delay_s, phase_at, phases_named, time_of_day_s
from engine.values.identity import ContrastPhase

NATIVE = ContrastPhase.NON_CONTRAST
ARTERIAL = ContrastPhase.LATE_ARTERIAL
PORTAL = ContrastPhase.PORTAL_VENOUS
DELAYED = ContrastPhase.DELAYED


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        ("Nativ Oberbauch 3.0 B30f", NATIVE),
        ("Abdomen w/o contrast", NATIVE),
        ("ABDO SANS INJECTION", NATIVE),
        ("平扫", NATIVE),
        ("Late arterial 1.5mm", ARTERIAL),
        ("art_phase", ARTERIAL),
        ("Leber spätarteriell", ARTERIAL),
        ("temps artériel", ARTERIAL),
        ("fase arteriosa", ARTERIAL),
        ("动脉期", ARTERIAL),
        ("Abdomen 35s", ARTERIAL),
        ("Portal Venous Phase", PORTAL),
        ("Venös 1.0 B20f", PORTAL),
        ("temps portal", PORTAL),
        ("門脈相", PORTAL),
        ("Liver PVP 70 sec", PORTAL),
        ("Abdomen 70s", PORTAL),
        ("Delayed 5min", DELAYED),
        ("Spätphase", DELAYED),
        ("temps tardif", DELAYED),
        ("延迟期", DELAYED),
        ("Liver 3 min", DELAYED),
    ],
)
def test_a_description_names_its_phase(words: str, phase: ContrastPhase) -> None:
    assert phases_named(words) == (phase,)


@pytest.mark.parametrize(
    "words",
    [
        "Abdomen 1.25mm",
        "LIVER PARTIAL",
        "CT Abdomen with contrast",
        "Cartilage",
        "3 PHASE LIVER",
        "",
    ],
)
def test_other_words_name_none(words: str) -> None:
    assert phases_named(words) == ()


def test_two_phases_are_both_reported() -> None:
    assert phases_named("ART+PV") == (ARTERIAL, PORTAL)


@pytest.mark.parametrize(
    ("delay_s", "phase"), [(10, None), (36, ARTERIAL), (52, None), (72, PORTAL), (185, DELAYED)]
)
def test_delays_after_the_bolus(delay_s: float, phase: ContrastPhase | None) -> None:
    assert phase_at(delay_s) is phase


def test_the_delay_runs_from_bolus_to_acquisition() -> None:
    dataset = Dataset()
    dataset.ContrastBolusStartTime = "101520.5"
    dataset.AcquisitionTime = "101633"
    assert bolus_delay_s(dataset) == pytest.approx(72.5)


def test_a_bolus_after_the_scan_says_nothing() -> None:
    dataset = Dataset()
    dataset.ContrastBolusStartTime = "101520"
    dataset.AcquisitionTime = "101500"
    assert bolus_delay_s(dataset) is None


@pytest.mark.parametrize("value", ["", "10", "noon", "1015"])
def test_a_broken_time_is_none(value: str) -> None:
    assert time_of_day_s(value) is None
