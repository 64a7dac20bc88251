"""Pictures and PDF out of result objects, for the browser."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread

from dicom_node.errors import NodeError

MAXIMUM_PREVIEW_PIXELS = 1200


def render_png(path: Path) -> bytes:
    """The first frame of a Secondary Capture as PNG.

    Raises:
        NodeError: No picture in it.
    """
    dataset = dcmread(path)
    try:
        pixels = dataset.pixel_array
    except (AttributeError, ValueError, NotImplementedError, RuntimeError) as error:
        raise NodeError(f"{path.name} holds no picture") from error
    if dataset.get("NumberOfFrames", 1) and int(dataset.get("NumberOfFrames", 1)) > 1:
        pixels = pixels[0]
    if pixels.dtype != np.uint8:
        low, high = float(pixels.min()), float(pixels.max())
        pixels = ((pixels - low) / max(high - low, 1.0) * 255.0).astype(np.uint8)
    image = Image.fromarray(pixels)
    image.thumbnail((MAXIMUM_PREVIEW_PIXELS, MAXIMUM_PREVIEW_PIXELS))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def extract_pdf(path: Path) -> bytes:
    """The document of an Encapsulated PDF.

    Raises:
        NodeError: Not a PDF.
    """
    document = bytes(dcmread(path).get("EncapsulatedDocument", b""))
    if not document.startswith(b"%PDF"):
        raise NodeError(f"{path.name} holds no PDF")
    return document.rstrip(b"\0")
