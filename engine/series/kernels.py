"""Tell soft-tissue reconstruction kernels from lung and bone ones by their names.

Convolution Kernel is free text (PS3.3 C.8.2.1). The names below are those of the large
vendors: Siemens B/H/I/Br/Bf/Bl/Hr + number (50 and more are sharp), GE words, Philips single
letters, Canon FC numbers (FC30–FC39, FC50 and above are bone and lung).
"""

import re

SIEMENS = re.compile(r"(?:B|H|I|BR|BF|BV|BL|HR|HF|QR|BP|D|U|V|T)\s?(\d{2})[A-Z]{0,2}")
SIEMENS_SHARP = 50
CANON = re.compile(r"FC\s?(\d{2})")
CANON_SHARP = (range(30, 40), range(50, 100))
SHARP_WORDS = re.compile(r"\b(LUNG|BONE(PLUS)?|EDGE|ULTRA|DETAIL|SHARP|YA|YB|YC|YD|D|E|L)\b")


def is_soft_tissue(kernel: str) -> bool:
    """Tell whether a kernel is not known to be sharp; an unstated kernel passes."""
    name = kernel.upper().split("\\")[0].strip()
    siemens, canon = SIEMENS.fullmatch(name), CANON.match(name)
    if siemens:
        return int(siemens[1]) < SIEMENS_SHARP
    if canon:
        return not any(int(canon[1]) in sharp for sharp in CANON_SHARP)
    return not SHARP_WORDS.search(name)
