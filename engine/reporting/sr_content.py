"""Content items of structured reports as plain datasets (PS3.3 C.17.3).

Each function makes one item with its relationship to its parent, so that a tree reads in
code as it reads in the standard's templates.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code
from pydicom.valuerep import format_number_as_ds

from engine.coding import dicom
from engine.reporting.identity import code_item
from engine.values.identity import ImageReference

CONTAINS = "CONTAINS"
HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
HAS_ACQ_CONTEXT = "HAS ACQ CONTEXT"
HAS_PROPERTIES = "HAS PROPERTIES"
INFERRED_FROM = "INFERRED FROM"
SELECTED_FROM = "SELECTED FROM"
MAXIMUM_POINTS = 4000


def _item(
    value_type: str, name: Code | None, relationship: str | None, children: Iterable[Dataset]
) -> Dataset:
    item = Dataset()
    if relationship is not None:
        item.RelationshipType = relationship
    item.ValueType = value_type
    if name is not None:
        item.ConceptNameCodeSequence = [code_item(name)]
    if made := list(children):
        item.ContentSequence = made
    return item


def make_container(
    name: Code,
    children: Iterable[Dataset],
    *,
    relationship: str | None = CONTAINS,
    template: str | None = None,
) -> Dataset:
    """A heading over other items; ``template`` is a DCMR template identifier."""
    item = _item("CONTAINER", name, relationship, children)
    item.ContinuityOfContent = "SEPARATE"
    if template is not None:
        identification = Dataset()
        identification.MappingResource = "DCMR"
        identification.TemplateIdentifier = template
        item.ContentTemplateSequence = [identification]
    return item


def make_code(
    name: Code, value: Code, relationship: str = CONTAINS, children: Iterable[Dataset] = ()
) -> Dataset:
    """A coded value."""
    item = _item("CODE", name, relationship, children)
    item.ConceptCodeSequence = [code_item(value)]
    return item


def make_text(
    name: Code, value: str, relationship: str = CONTAINS, children: Iterable[Dataset] = ()
) -> Dataset:
    """Free text."""
    item = _item("TEXT", name, relationship, children)
    item.TextValue = value
    return item


def make_uidref(name: Code, uid: str, relationship: str = CONTAINS) -> Dataset:
    """A UID."""
    item = _item("UIDREF", name, relationship, ())
    item.UID = uid
    return item


def make_num(
    name: Code,
    value: float,
    unit: Code,
    relationship: str = CONTAINS,
    children: Iterable[Dataset] = (),
) -> Dataset:
    """A finite number with its UCUM unit."""
    item = _item("NUM", name, relationship, children)
    measured = Dataset()
    measured.NumericValue = format_number_as_ds(float(value))
    measured.MeasurementUnitsCodeSequence = [code_item(unit)]
    item.MeasuredValueSequence = [measured]
    return item


def make_image(
    reference: ImageReference,
    *,
    name: Code | None = None,
    relationship: str = CONTAINS,
    segment: int | None = None,
    children: Iterable[Dataset] = (),
) -> Dataset:
    """A reference to an image, a frame of it, or one segment of a segmentation."""
    item = _item("IMAGE", name, relationship, children)
    referenced = Dataset()
    referenced.ReferencedSOPClassUID = reference.sop_class_uid
    referenced.ReferencedSOPInstanceUID = reference.sop_instance_uid
    if reference.frame_number is not None:
        referenced.ReferencedFrameNumber = reference.frame_number
    if segment is not None:
        referenced.ReferencedSegmentNumber = segment
    item.ReferencedSOPSequence = [referenced]
    return item


def make_polyline(
    name: Code,
    points: NDArray[np.float64],
    image: ImageReference,
    relationship: str = CONTAINS,
    *,
    closed: bool = False,
) -> Dataset:
    """A line on an image.

    Args:
        name: What the line is.
        points: (column, row) as SCOORD counts them, shape (n, 2).
        image: Image the line lies on.
        relationship: To the parent item.
        closed: Repeat the first point at the end (PS3.3 C.18.6.1.2).
    """
    step = max(1, -(-len(points) // MAXIMUM_POINTS))
    kept = points[::step]
    if closed:
        kept = np.concatenate([kept, kept[:1]])
    source = make_image(image, name=dicom.SOURCE_IMAGE, relationship=SELECTED_FROM)
    item = _item("SCOORD", name, relationship, [source])
    item.GraphicType = "POLYLINE"
    item.GraphicData = [float(np.float32(v)) for v in kept.ravel()]
    return item
