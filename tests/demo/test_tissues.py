"""Attenuation table."""

import pytest

from engine.demo.parameters import MAXIMUM_LESIONS
from engine.demo.tissues import ATTENUATION, LesionPart, Tissue, lesion_material
from engine.values.identity import ContrastPhase


def test_every_tissue_but_the_tumor_has_an_attenuation() -> None:
    assert set(ATTENUATION) == set(Tissue) - {Tissue.TUMOR}


def test_lesion_materials_are_unique_and_no_tissues() -> None:
    numbers = range(1, MAXIMUM_LESIONS + 1)
    materials = [lesion_material(n, part) for n in numbers for part in LesionPart]
    assert len(set(materials)) == 3 * MAXIMUM_LESIONS
    assert max(Tissue) < min(materials)
    assert max(materials) < 256


@pytest.mark.parametrize(
    ("tissue", "brightest"),
    [
        (Tissue.AORTA, ContrastPhase.LATE_ARTERIAL),
        (Tissue.PANCREAS, ContrastPhase.LATE_ARTERIAL),
        (Tissue.LIVER, ContrastPhase.PORTAL_VENOUS),
        (Tissue.PORTAL_VEIN, ContrastPhase.PORTAL_VENOUS),
        (Tissue.RENAL_PELVIS, ContrastPhase.DELAYED),
    ],
)
def test_organs_peak_in_their_phase(tissue: Tissue, brightest: ContrastPhase) -> None:
    phases = [p for p in ContrastPhase if p is not ContrastPhase.UNKNOWN]
    assert max(phases, key=ATTENUATION[tissue].mean_hu) is brightest
