"""Numbering what was drawn: decisions, voxels claimed twice, pieces."""

import numpy as np
import pytest

from engine.correction.drawn import Box, Drawn, DrawnLesion, bounded, decide, number_lesions
from engine.errors import CorrectionError
from engine.values.revision import Decision
from tests.phantoms.report_patient import make_grid

GRID = make_grid("axial", 31.0)


def lesion(name: str, box: Box, uid: str = "") -> DrawnLesion:
    shape = tuple(span.stop - span.start for span in box)
    return DrawnLesion(name=name, tracking_uid=uid, box=box, mask=np.ones(shape, bool))


def drawn(*lesions: DrawnLesion, liver: bool = True) -> Drawn:
    return Drawn(liver=np.full(GRID.shape, liver), liver_tracking_uid="", lesions=lesions)


LARGE = lesion("Lesion 1", (slice(0, 4), slice(0, 4), slice(0, 4)), "1.1")
SMALL = lesion("Lesion 2", (slice(3, 5), slice(3, 5), slice(3, 5)), "1.2")


def test_a_voxel_drawn_twice_belongs_to_the_smaller_lesion() -> None:
    labels, numbered, notes = number_lesions(drawn(LARGE, SMALL), GRID)
    assert labels[3, 3, 3] == 2
    assert int(numbered[0].mask.sum()) == 63
    assert notes[0].startswith("1 voxel(s) were drawn as part of more than one lesion")


def test_a_rejected_lesion_is_not_numbered_and_the_rest_closes_up() -> None:
    labels, numbered, _ = number_lesions(decide(drawn(LARGE, SMALL), (), ("1",)), GRID)
    assert [one.name for one in numbered] == ["Lesion 2"]
    assert sorted(np.unique(labels)) == [0, 1]


@pytest.mark.parametrize("word", ["2", "Lesion 2", "1.2"])
def test_a_lesion_answers_to_number_name_and_uid(word: str) -> None:
    decided = decide(drawn(LARGE, SMALL), ("all",), (word,))
    assert [one.decision for one in decided.lesions] == [Decision.ACCEPTED, Decision.REJECTED]


def test_an_unknown_lesion_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CorrectionError, match="no lesion '7'; it holds: Lesion 1, Lesion 2"):
        decide(drawn(LARGE, SMALL), ("7",), ())


def test_yes_and_no_at_once_is_refused() -> None:
    with pytest.raises(CorrectionError, match="Lesion 1 is accepted and rejected"):
        decide(drawn(LARGE), ("1",), ("Lesion 1",))


def test_a_lesion_wholly_under_another_is_refused() -> None:
    twin = lesion("Lesion 3", SMALL.box)
    with pytest.raises(CorrectionError, match="Lesion 2 lies wholly under smaller lesions"):
        number_lesions(drawn(SMALL, twin), GRID)


def test_pieces_and_overhang_are_told() -> None:
    mask = np.zeros((1, 1, 3), bool)
    mask[0, 0, [0, 2]] = True
    split = DrawnLesion(
        name="Lesion 1", tracking_uid="", box=(slice(0, 1), slice(0, 1), slice(0, 3)), mask=mask
    )
    _, _, notes = number_lesions(drawn(split, liver=False), GRID)
    assert "Lesion 1 consists of 2 separate pieces" in notes[0]
    assert f"reach {2 * GRID.spacing.voxel_ml:.2f} mL beyond the drawn liver" in notes[1]


def test_an_empty_mask_has_no_box() -> None:
    assert bounded(np.zeros((2, 2, 2), bool)) is None
