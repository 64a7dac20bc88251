"""Issue 6, must show 4: the demo's PDF with its curve, the SR with the risk and its interval.

The SR is read with pydicom alone and held against result.json; the curve is looked for in the
pixels of the page as Poppler draws it.
"""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from tests.phantoms.conformance import pdf_text, run_program
from tests.phantoms.demo_run import Demo

pytestmark = pytest.mark.peer

CURVE_RGB = (15, 110, 102)
HORIZONS = (12, 24, 36, 60)


@pytest.fixture(scope="module")
def predictions(demo: Demo) -> list[dict]:
    assert demo.code == 0, demo.printed
    return json.loads((demo.result / "result.json").read_text())["predictions"]


def items(parent: Dataset, meaning: str) -> list[Dataset]:
    return [
        item
        for item in parent.get("ContentSequence", [])
        if "ConceptNameCodeSequence" in item
        and item.ConceptNameCodeSequence[0].CodeMeaning == meaning
    ]


def number(item: Dataset) -> float:
    return float(item.MeasuredValueSequence[0].NumericValue)


def text(parent: Dataset, meaning: str) -> str:
    (item,) = items(parent, meaning)
    return str(item.TextValue)


def test_the_sr_encodes_each_risk_with_interval_horizon_and_model(
    demo: Demo, predictions: list[dict]
) -> None:
    report = pydicom.dcmread(demo.result / "sr.dcm")
    (derived,) = items(report, "Derived Imaging Measurements")
    encoded = {}
    for item in items(derived, "Predicted event-free probability"):
        horizon = number(items(item, "Time horizon of the prediction")[0])
        key = (text(item, "Algorithm Name"), text(item, "Algorithm Version"), horizon)
        bounds = [number(items(item, f"{end} bound of the interval")[0]) for end in
                  ("Lower", "Upper")]  # fmt: skip
        assert text(item, "Kind of interval").startswith("95 % bootstrap")
        encoded[key] = (text(item, "Predicted outcome"), number(item), *bounds)
    assert len(predictions) == 2
    for told in predictions:
        name, version = told["package"].split(" ")
        for place, month in enumerate(told["times_months"]):
            outcome, value, low, high = encoded[name, version, month]
            assert outcome == told["outcome"]
            expected = [100 * told[key][place] for key in ("survival", "lower", "upper")]
            assert [value, low, high] == pytest.approx(expected, abs=1e-6)
            assert low <= value <= high


def test_the_pdf_tells_each_horizon_with_its_interval(demo: Demo, predictions: list[dict]) -> None:
    told = " ".join(pdf_text((demo.result / "report.pdf").read_bytes()).split())
    for prediction in predictions:
        assert prediction["outcome"] in told
        for month in HORIZONS:
            place = prediction["times_months"].index(month)
            value, low, high = (prediction[k][place] for k in ("survival", "lower", "upper"))
            assert f"{month} {value:.0%} {low:.0%} to {high:.0%}" in told
        for limit in prediction["limits"]:
            assert " ".join(limit.split()[:4]) in told


def test_the_page_shows_the_curve_where_the_numbers_put_it(
    demo: Demo, predictions: list[dict], tmp_path: Path
) -> None:
    """From the axis labels' places, the curve's pixels give back the survival."""
    pdf = demo.result / "report.pdf"
    pages = pdf_text(pdf.read_bytes()).split("\f")
    for prediction in predictions:
        number_of_page = next(
            i for i, page in enumerate(pages, 1)
            if prediction["outcome"] in page and "months after resection" in page
        )  # fmt: skip
        words = tmp_path / "words.html"
        where = ("-f", str(number_of_page), "-l", str(number_of_page))
        run_program("pdftotext", "-bbox", *where, str(pdf), str(words))
        found = re.findall(
            r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">([^<]+)<',
            words.read_text(),
        )
        middle = {w: ((float(a) + float(c)) / 2, (float(b) + float(d)) / 2)
                  for a, b, c, d, w in reversed(found)}  # fmt: skip
        run_program("pdftoppm", "-r", "144", "-singlefile", *where, "-png", str(pdf),
                    str(tmp_path / "page"))  # fmt: skip
        pixels = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
        green = np.abs(pixels - CURVE_RGB).max(-1) < 40
        bottom, top = middle["0%"][1], middle["100%"][1]
        axis_y = next(
            float(word[1])
            for word, after in pairwise(found)
            if (word[4], after[4]) == ("months", "after")
        )
        labels = {
            int(w): (float(a) + float(c)) / 2
            for a, b, c, _, w in found
            if w.isdigit() and abs(float(b) - axis_y) < 14 and float(b) < axis_y
        }
        for month in (12, 24, 36, 48):
            column = green[int(2 * top) : int(2 * bottom) + 2, round(2 * labels[month])]
            row = float(np.flatnonzero(column).mean()) / 2
            read = 1 - row / (bottom - top)
            expected = prediction["survival"][prediction["times_months"].index(month)]
            assert read == pytest.approx(expected, abs=0.03)
