"""Modules that every output object shares: patient, study, series, equipment, SOP.

Source headers are taken as they come from scanners: what is missing becomes empty, what is
not legal for its attribute is dropped, and all text is written as UTF-8.
"""

import io
import re

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from engine.reporting.identity import (
    IMPLEMENTATION_CLASS_UID,
    MANUFACTURER,
    MODEL_NAME,
    SeriesRole,
    contributing_equipment,
    device_serial_number,
    implementation_version,
    instance_uid,
    series_uid,
)
from engine.values.provenance import AnalysisContext, ModelIdentity

TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)
OPTIONAL = ("IssuerOfPatientID", "PatientAge", "StudyDescription")
LEGAL = {
    "PatientBirthDate": re.compile(r"\d{8}"),
    "StudyDate": re.compile(r"\d{8}"),
    "StudyTime": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"),
    "PatientSex": re.compile(r"[MFO]"),
    "PatientAge": re.compile(r"\d{3}[DWMY]"),
    "StudyID": re.compile(r".{1,16}"),
    "AccessionNumber": re.compile(r".{1,16}"),
    "PatientID": re.compile(r".{1,64}"),
    "IssuerOfPatientID": re.compile(r".{1,64}"),
    "StudyDescription": re.compile(r".{1,64}"),
}


def legal_text(header: Dataset, keyword: str) -> str:
    """An attribute's text, or empty when it is missing or not legal for its VR."""
    value = header.get(keyword)
    text = "" if value is None else str(value).replace("\\", " ").strip()
    pattern = LEGAL.get(keyword)
    return text if pattern is None or pattern.fullmatch(text) else ""


def fill_patient_and_study(target: Dataset, header: Dataset) -> None:
    """Copy patient and study modules from a source header, made legal."""
    target.SpecificCharacterSet = "ISO_IR 192"
    target.StudyInstanceUID = str(header.StudyInstanceUID)
    for keyword in TYPE_2:
        setattr(target, keyword, legal_text(header, keyword))
    for keyword in OPTIONAL:
        if text := legal_text(header, keyword):
            setattr(target, keyword, text)


def fill_moment(target: Dataset, context: AnalysisContext) -> None:
    """Write the context's moment into every date and time of the object."""
    date, time = context.created_at.strftime("%Y%m%d"), context.created_at.strftime("%H%M%S")
    for prefix in ("InstanceCreation", "Series", "Content"):
        setattr(target, f"{prefix}Date", date)
        setattr(target, f"{prefix}Time", time)
    target.TimezoneOffsetFromUTC = context.created_at.strftime("%z")


def fill_equipment(
    target: Dataset, context: AnalysisContext, model: ModelIdentity | None, header: Dataset
) -> None:
    """Write the equipment and contributing equipment modules."""
    target.Manufacturer = MANUFACTURER
    target.ManufacturerModelName = MODEL_NAME
    target.SoftwareVersions = context.software_version
    target.DeviceSerialNumber = device_serial_number(model)
    target.ContributingEquipmentSequence = contributing_equipment(context, model, header)


def make_object(
    series: SeriesRole,
    sop_class_uid: str,
    header: Dataset,
    context: AnalysisContext,
    model: ModelIdentity | None,
    *,
    instance_number: int = 1,
) -> Dataset:
    """A dataset with all shared modules filled, ready for its own content.

    Args:
        series: Output series the object belongs to.
        sop_class_uid: SOP Class of the object.
        header: A source image's header: patient, study, scanner.
        context: Job, moment, software.
        model: Model package behind the result, None when no model ran.
        instance_number: Counts from 1 within the series.
    """
    target = Dataset()
    fill_patient_and_study(target, header)
    target.SOPClassUID = sop_class_uid
    target.SOPInstanceUID = instance_uid(context, series, instance_number)
    target.SeriesInstanceUID = series_uid(context, series)
    target.SeriesNumber = series.number
    target.SeriesDescription = series.description
    target.Modality = series.modality
    target.InstanceNumber = instance_number
    fill_moment(target, context)
    fill_equipment(target, context, model, header)
    return target


def encode(
    target: Dataset, context: AnalysisContext, transfer_syntax: UID = ExplicitVRLittleEndian
) -> bytes:
    """The object as a DICOM file; the same dataset, the same bytes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = target.SOPClassUID
    meta.MediaStorageSOPInstanceUID = target.SOPInstanceUID
    meta.TransferSyntaxUID = transfer_syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = implementation_version(context)
    target.file_meta = meta
    buffer = io.BytesIO()
    dcmwrite(buffer, target, enforce_file_format=True)
    return buffer.getvalue()
