"""A wrong side is the worst defect: letters and pixels agree with the patient, not the storage.

The judge shares nothing with what draws. A bright ball is put into the volume once to the left
(behind, above) and once to the right (before, below) of a lesion. Between the two pictures its
spot must move towards the letter that is printed on that side: in the PDF by Poppler's pixels
and Poppler's words, in the Secondary Capture by its pixels with and without each letter.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from engine.reporting.drawing import draw_scene
from engine.reporting.fonts import REGULAR, register_pdf_fonts
from engine.reporting.key_images import lesion_close_up, lesion_scenes, open_viewer
from engine.reporting.pdf_scene import SceneFlowable
from engine.reporting.scene import Scene
from tests.phantoms.analysis_result import cached_result
from tests.phantoms.conformance import run_program
from tests.phantoms.report_patient import ORIENTATIONS

AWAY_MM, RADIUS_MM = 20.0, 8.0
WAYS = {"L": (1, 0, 0), "P": (0, 1, 0), "H": (0, 0, 1)}
OPPOSITE = {"L": "R", "P": "A", "H": "F"}
PAGE = (300, 300)

Spots = NDArray[np.float64]


@cache
def voxels_mm(orientation: str) -> Spots:
    """Patient positions of all voxels."""
    grid = cached_result(orientation).reference.geometry
    return grid.to_patient(np.argwhere(np.ones(grid.shape, bool)).astype(float))


@cache
def scenes_with_ball(orientation: str, letter: str, sign: int) -> tuple[Scene, ...]:
    """Every picture of lesion 1, with a ball on one side of it; nothing else is as bright."""
    result = cached_result(orientation)
    volume, lesion = result.reference, result.findings.lesions[0]
    grid = volume.geometry
    ends = np.array(lesion.long_axis.ends_mm)
    hu = np.minimum(volume.voxels_hu, 120).astype(np.int16)
    points = voxels_mm(orientation)
    for middle in (ends.mean(0), np.array(lesion.centroid_mm)):  # the two planes that are shown
        center = middle + sign * AWAY_MM * np.array(WAYS[letter])
        near = np.linalg.norm(points - center, axis=1) < RADIUS_MM
        hu[near.reshape(grid.shape)] = 3000
    viewer = open_viewer(replace(volume, voxels_hu=hu), result.findings)
    plain = [*lesion_scenes(viewer, lesion), lesion_close_up(viewer, lesion)]
    return tuple(replace(scene, outlines=(), lines=(), markers=()) for scene in plain)


def movement(there: Spots, back: Spots) -> Spots:
    """From the ball's spot in one picture to its spot in the other, (x, y) in pixels."""
    spots = []
    for difference in (there - back, back - there):
        rows, columns = np.nonzero(difference > 60)
        assert rows.size
        spots.append(np.array([columns.mean(), rows.mean()]))
    return spots[0] - spots[1]


def shown_ways(scene: Scene) -> list[str]:
    """The patient axes that a picture's plane mainly runs along."""
    mainly = {text[0] for text in scene.letters}
    return [way for way in WAYS if way in mainly]


def compare(letter: str, moved: Spots, places: dict[str, Spots]) -> None:
    """The ball moves from the opposite letter towards its own, and along no other line."""
    towards = next(at for text, at in places.items() if text[0] == letter)
    away = next(at for text, at in places.items() if text[0] == OPPOSITE[letter])
    axis = (towards - away) / np.linalg.norm(towards - away)
    assert moved @ axis > 0.9 * np.linalg.norm(moved) > 0


def pdf_places(scene: Scene, folder: Path) -> tuple[Spots, dict[str, Spots]]:
    """Pixels and letters of a one-picture PDF, both found by Poppler, in points."""
    register_pdf_fonts()
    path = folder / "scene.pdf"
    canvas = Canvas(str(path), pagesize=PAGE, initialFontName=REGULAR)
    SceneFlowable(scene, PAGE[0] - 20, PAGE[1] - 20).drawOn(canvas, 10, 10)
    canvas.save()
    words = folder / "words.html"
    run_program("pdftotext", "-bbox", str(path), str(words))
    found = re.findall(
        r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([LRAPHF]+)<',
        words.read_text(),
    )
    places = {
        text: np.array([float(x0) + float(x1), float(y0) + float(y1)]) / 2
        for x0, y0, x1, y1, text in found
    }
    run_program("pdftoppm", "-r", "72", "-singlefile", "-gray", str(path), str(folder / "page"))
    return np.asarray(Image.open(folder / "page.pgm"), float), places


def capture_places(scene: Scene) -> tuple[Spots, dict[str, Spots]]:
    """Pixels and letters of a Secondary Capture's picture."""
    box = (600, 600)
    bare = np.asarray(draw_scene(replace(scene, letters=("", "", "", "")), box)).astype(int)
    places = {}
    for side, text in enumerate(scene.letters):
        alone = tuple(text if i == side else "" for i in range(4))
        drawn = np.asarray(draw_scene(replace(scene, letters=alone), box)).astype(int)
        rows, columns = np.nonzero(np.abs(drawn - bare).max(-1) > 60)
        places[text] = np.array([columns.mean(), rows.mean()])
    return bare.min(-1).astype(float), places


@pytest.mark.peer
@pytest.mark.parametrize("letter", WAYS)
@pytest.mark.parametrize("orientation", ["axial", "coronal reversed", "oblique"])
def test_the_pdf_prints_each_letter_on_the_patient_s_own_side(
    orientation: str, letter: str, tmp_path: Path
) -> None:
    check(orientation, letter, lambda scene: pdf_places(scene, tmp_path))


@pytest.mark.parametrize("letter", WAYS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_the_capture_burns_each_letter_on_the_patient_s_own_side(
    orientation: str, letter: str
) -> None:
    check(orientation, letter, capture_places)


def check(
    orientation: str, letter: str, look: Callable[[Scene], tuple[Spots, dict[str, Spots]]]
) -> None:
    pairs = zip(
        scenes_with_ball(orientation, letter, 1),
        scenes_with_ball(orientation, letter, -1),
        strict=True,
    )
    compared = 0
    for there, back in pairs:
        if letter not in shown_ways(there):
            continue
        assert there.letters == back.letters
        (pixels, places), (others, _) = look(there), look(back)
        compare(letter, movement(pixels, others), places)
        compared += 1
    assert compared >= 2


def test_swapped_letters_would_be_seen() -> None:
    """The judge is no rubber stamp: left and right exchanged, it objects."""
    there = scenes_with_ball("axial", "L", 1)[0]
    back = scenes_with_ball("axial", "L", -1)[0]
    left, right, top, bottom = there.letters
    lying = replace(there, letters=(right, left, top, bottom))
    (pixels, places), (others, _) = capture_places(lying), capture_places(back)
    moved = movement(pixels, others)
    with pytest.raises(AssertionError):
        compare("L", moved, places)
