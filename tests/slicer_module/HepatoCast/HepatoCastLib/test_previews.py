"""The panel's pictures are the key images of the result, in their order."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image
from pydicom import dcmread


def test_each_picture_shows_its_own_page(
    stand: SimpleNamespace, recorded: Path, tmp_path: Path
) -> None:
    from HepatoCastLib.previews import pictures_of, write_previews

    folder = tmp_path / "result"
    shutil.copytree(recorded, folder)
    write_previews(folder)
    pictures = pictures_of(str(folder / "report.pdf"))
    pages = sorted(folder.glob("key-image-*.dcm"))
    assert [Path(p).stem for p in pictures] == [page.stem for page in pages]
    for picture, page in zip(pictures, pages, strict=True):
        with Image.open(picture) as shown:
            small = np.asarray(shown, float)
        whole = dcmread(page).pixel_array.astype(float)
        assert small.shape[1] == 400
        assert small.shape[0] == round(400 * whole.shape[0] / whole.shape[1])
        assert np.allclose(small.mean((0, 1)), whole.mean((0, 1)), atol=0.5)


def test_without_a_report_there_are_no_pictures(stand: SimpleNamespace, tmp_path: Path) -> None:
    from HepatoCastLib.previews import pictures_of

    assert pictures_of("") == []
    assert pictures_of(str(tmp_path / "report.pdf")) == []
