"""The report's key images as small pictures for the panel.

``write_previews`` runs beside the engine, which has the decoders; the panel only shows files.
They are the pages of the Secondary Capture objects, not a rendering of the PDF.
"""

from pathlib import Path

PAGES = "key-image-*.dcm"
WIDTH_PIXELS = 400


def write_previews(folder: Path) -> None:
    """Write key-image-NN.png beside each key-image-NN.dcm, no wider than the panel."""
    from PIL import Image
    from pydicom import dcmread

    for page in sorted(folder.glob(PAGES)):
        picture = Image.fromarray(dcmread(page).pixel_array)
        height = round(picture.height * WIDTH_PIXELS / picture.width)
        picture.resize((WIDTH_PIXELS, height)).save(page.with_suffix(".png"))


def pictures_of(report: str) -> list[str]:
    """Files of the pictures beside a report, in order; none without a report."""
    if not report:
        return []
    return [str(page) for page in sorted(Path(report).parent.glob("key-image-*.png"))]
