"""Materials of the phantom and their attenuation in each contrast phase."""

from dataclasses import dataclass
from enum import IntEnum

from engine.values.identity import ContrastPhase


class Tissue(IntEnum):
    """Values of the phantom's label map."""

    AIR = 0
    SKIN = 1
    SUBCUTANEOUS_FAT = 2
    VISCERAL_FAT = 3
    MUSCLE = 4
    DIAPHRAGM = 5
    LUNG = 6
    LUNG_VESSEL = 7
    HEART = 8
    MYOCARDIUM = 9
    CORTICAL_BONE = 10
    TRABECULAR_BONE = 11
    DISK = 12
    CARTILAGE = 13
    SPINAL_CANAL = 14
    AORTA = 15
    CAVA = 16
    INFRARENAL_CAVA = 17
    PORTAL_VEIN = 18
    HEPATIC_VEIN = 19
    ARTERY = 20
    LIVER = 21
    CYST = 22
    SPLEEN = 23
    RENAL_CORTEX = 24
    RENAL_MEDULLA = 25
    RENAL_PELVIS = 26
    ADRENAL = 27
    PANCREAS = 28
    GALLBLADDER = 29
    STOMACH_WALL = 30
    BOWEL_WALL = 31
    FLUID = 32
    FECES = 33
    GAS = 34
    ESOPHAGUS = 35
    COUCH_SHELL = 36
    COUCH_FOAM = 37
    MESENTERIC_VEIN = 38
    ORAL_CONTRAST = 39
    TUMOR = 60


LIVER_ORGAN = frozenset({Tissue.LIVER, Tissue.CYST, Tissue.TUMOR})
FIRST_LESION_MATERIAL = 64
MATERIALS_PER_LESION = 3


class LesionPart(IntEnum):
    """Parts of a lesion; material = FIRST_LESION_MATERIAL + 3 × (number - 1) + part."""

    VIABLE = 0
    CAPSULE = 1
    NECROSIS = 2


def lesion_material(number: int, part: LesionPart) -> int:
    """Material value of one part of lesion ``number`` (from 1)."""
    return FIRST_LESION_MATERIAL + MATERIALS_PER_LESION * (number - 1) + part


@dataclass(frozen=True, slots=True)
class Attenuation:
    """Mean HU per phase, and the standard deviation of the tissue's own texture.

    Attributes:
        non_contrast, late_arterial, portal_venous, delayed: Mean HU of an adult at
            120 kVp with a standard intravenous dose. Typical of clinical liver CT;
            chosen for the phantom, not taken from one study.
        fine_sd, coarse_sd: Texture in HU at about 3 mm and about 12 mm.
    """

    non_contrast: float
    late_arterial: float
    portal_venous: float
    delayed: float
    fine_sd: float = 0.0
    coarse_sd: float = 0.0

    def mean_hu(self, phase: ContrastPhase) -> float:
        """Mean HU in a phase; KeyError for the unknown phase."""
        return {
            ContrastPhase.NON_CONTRAST: self.non_contrast,
            ContrastPhase.LATE_ARTERIAL: self.late_arterial,
            ContrastPhase.PORTAL_VENOUS: self.portal_venous,
            ContrastPhase.DELAYED: self.delayed,
        }[phase]


def _still(mean_hu: float, fine_sd: float = 0.0, coarse_sd: float = 0.0) -> Attenuation:
    return Attenuation(mean_hu, mean_hu, mean_hu, mean_hu, fine_sd, coarse_sd)


ATTENUATION: dict[Tissue, Attenuation] = {
    Tissue.AIR: _still(-1000),
    Tissue.SKIN: Attenuation(10, 20, 30, 30, 6, 6),
    Tissue.SUBCUTANEOUS_FAT: _still(-106, 4, 5),
    Tissue.VISCERAL_FAT: Attenuation(-102, -100, -97, -98, 7, 7),
    Tissue.MUSCLE: Attenuation(50, 55, 61, 62, 10, 9),
    Tissue.DIAPHRAGM: Attenuation(50, 56, 64, 64, 4, 4),
    Tissue.LUNG: Attenuation(-865, -860, -855, -857, 14, 25),
    Tissue.LUNG_VESSEL: Attenuation(20, 120, 90, 70),
    Tissue.HEART: Attenuation(42, 185, 148, 118, 2, 3),
    Tissue.MYOCARDIUM: Attenuation(45, 95, 108, 96, 4, 4),
    Tissue.CORTICAL_BONE: _still(560, 40, 60),
    Tissue.TRABECULAR_BONE: Attenuation(165, 170, 180, 176, 34, 22),
    Tissue.DISK: Attenuation(78, 80, 84, 86, 5, 6),
    Tissue.CARTILAGE: Attenuation(95, 97, 100, 100, 18, 14),
    Tissue.SPINAL_CANAL: Attenuation(24, 27, 32, 32, 4, 6),
    Tissue.AORTA: Attenuation(42, 295, 158, 120, 1, 2),
    Tissue.CAVA: Attenuation(42, 98, 146, 118, 2, 6),
    Tissue.INFRARENAL_CAVA: Attenuation(42, 52, 112, 112, 2, 6),
    Tissue.PORTAL_VEIN: Attenuation(42, 122, 172, 126, 1, 2),
    Tissue.HEPATIC_VEIN: Attenuation(42, 66, 164, 124, 1, 2),
    Tissue.ARTERY: Attenuation(42, 275, 150, 116, 1, 2),
    Tissue.LIVER: Attenuation(57, 74, 112, 94, 3.0, 2.5),
    Tissue.CYST: _still(5, 1, 1),
    Tissue.SPLEEN: Attenuation(48, 112, 119, 96, 2.5, 2.5),
    Tissue.RENAL_CORTEX: Attenuation(33, 172, 188, 158, 4, 5),
    Tissue.RENAL_MEDULLA: Attenuation(30, 72, 158, 166, 5, 8),
    Tissue.RENAL_PELVIS: Attenuation(4, 6, 18, 210, 2, 12),
    Tissue.ADRENAL: Attenuation(28, 72, 82, 62, 3, 3),
    Tissue.PANCREAS: Attenuation(40, 104, 94, 76, 12, 9),
    Tissue.GALLBLADDER: Attenuation(9, 9, 10, 10, 1, 1),
    Tissue.STOMACH_WALL: Attenuation(38, 72, 88, 78, 6, 6),
    Tissue.BOWEL_WALL: Attenuation(36, 78, 92, 78, 7, 7),
    Tissue.FLUID: Attenuation(14, 15, 17, 18, 5, 6),
    Tissue.FECES: _still(8, 75, 60),
    Tissue.GAS: _still(-985, 2, 2),
    Tissue.ESOPHAGUS: Attenuation(36, 58, 72, 68, 6, 6),
    Tissue.COUCH_SHELL: _still(60, 5, 5),
    Tissue.COUCH_FOAM: _still(-945, 4, 4),
    Tissue.ORAL_CONTRAST: _still(235, 15, 25),
    Tissue.MESENTERIC_VEIN: Attenuation(42, 105, 165, 124, 1, 2),
}

ARTERIAL_SPLEEN_COARSE_SD = 20.0
