"""A program that stands in for the engine: same command line, recorded-size results.

Usage: recorded_engine.py BEHAVIOR STUDY --out DIR --job-id ID --json-lines [options]
BEHAVIOR: result, slow (2 s of progress), not-analyzed, crash, hang, chatter, foreign,
flaky:FILE (fails while FILE does not exist, then makes it); by-patient: the Patient ID says.
"""

import argparse
import json
import os
import sys
import threading
import time
import uuid
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CLASSES = {
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "SR": "1.2.840.10008.5.1.4.1.1.88.34",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "PDF": "1.2.840.10008.5.1.4.1.1.104.1",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
}
STANDARD = ("SEG", "SR", "SC", "PDF")
MODALITIES = {"SEG": "SEG", "SR": "SR", "SC": "OT", "PDF": "DOC", "RTSTRUCT": "RTSTRUCT"}
STAGES = ("series", "segmentation", "lesions", "radiomics", "clinical", "prognosis", "reporting")
# As much of a result as the dashboard shows; the shape is engine/reporting/result.schema.json.
RECORDED = {
    "model": {"name": "liver_tumor_ct", "version": "1.0.0"},
    "liver": {"volume_ml": 1475.0},
    "burden": {"number": 2, "largest_mm": 34.2, "total_volume_ml": 21.5},
    "lesions": [
        {
            "tracking_id": f"Lesion {n}", "volume_ml": 20.0 / n, "confidence": 0.9,
            "long_axis": {"length_mm": 34.2 / n}, "short_axis": {"length_mm": 21.0 / n},
        }
        for n in (1, 2)
    ],
    "predictions": [
        {
            "package": "resection_rfs 1.0.0", "outcome": "Recurrence-free survival",
            "interval": "95 % interval", "risk_group": "high",
            "times_months": [12.0, 24.0, 36.0], "survival": [0.7, 0.5, 0.4],
            "lower": [0.6, 0.4, 0.3], "upper": [0.8, 0.6, 0.5],
        }
    ],
    "warnings": ["Recorded, not measured"],
}  # fmt: skip
NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


def derive_uid(job_id: str, name: str) -> str:
    return f"2.25.{uuid.uuid5(NAMESPACE, f'{job_id}/{name}').int}"


def emit(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def make_object(source: Dataset, job_id: str, kind: str) -> Dataset:
    made = Dataset()
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate"):
        setattr(made, keyword, source.get(keyword, ""))
    made.StudyTime, made.AccessionNumber, made.StudyID = "", source.get("AccessionNumber", ""), ""
    made.ReferringPhysicianName = ""
    made.StudyInstanceUID = source.StudyInstanceUID
    made.SeriesInstanceUID = derive_uid(job_id, f"series {kind}")
    made.SOPClassUID, made.SOPInstanceUID = CLASSES[kind], derive_uid(job_id, kind)
    made.Modality, made.SeriesNumber, made.InstanceNumber = MODALITIES[kind], 900, 1
    made.SeriesDescription = f"Recorded {kind}"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def make_pdf() -> bytes:
    """One page of 288 × 144 points, filled with one color, even length."""
    stream = b"0.1 0.45 0.7 rg 0 0 288 144 re f"
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 288 144]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(data))
        data += b"%d 0 obj%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"xref\n0 5\n0000000000 65535 f \n%strailer<</Size 5/Root 1 0 R>>\n" % table
    data = data + tail + b"startxref\n%d\n%%%%EOF\n" % len(data)
    return data + b"\0" * (len(data) % 2)


def fill(made: Dataset, kind: str, predecessor: str | None) -> None:
    if kind == "SC":
        made.SamplesPerPixel, made.PhotometricInterpretation = 3, "RGB"
        made.PlanarConfiguration, made.Rows, made.Columns = 0, 96, 128
        made.BitsAllocated = made.BitsStored = 8
        made.HighBit, made.PixelRepresentation = 7, 0
        made.PixelData = bytes(v for y in range(96) for x in range(128) for v in (x * 2, y * 2, 96))
        made["PixelData"].VR = "OB"
    if kind == "SEG":
        made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
        made.Rows = made.Columns = 8
        made.BitsAllocated = made.BitsStored = 8
        made.HighBit, made.PixelRepresentation = 7, 0
        made.PixelData = bytes(64)
        made["PixelData"].VR = "OB"
    if kind == "PDF":
        made.MIMETypeOfEncapsulatedDocument = "application/pdf"
        made.EncapsulatedDocument = make_pdf()
    if kind == "SR" and predecessor:
        old = dcmread(predecessor)
        reference, series, study = Dataset(), Dataset(), Dataset()
        reference.ReferencedSOPClassUID = old.SOPClassUID
        reference.ReferencedSOPInstanceUID = old.SOPInstanceUID
        series.SeriesInstanceUID = old.SeriesInstanceUID
        series.ReferencedSOPSequence = [reference]
        study.StudyInstanceUID = old.StudyInstanceUID
        study.ReferencedSeriesSequence = [series]
        made.PredecessorDocumentsSequence = [study]


def write(options: argparse.Namespace, study_uid: str | None, kinds: tuple[str, ...]) -> None:
    source = dcmread(next(iter(sorted(Path(options.study).iterdir()))), stop_before_pixels=True)
    if study_uid is not None:
        source.StudyInstanceUID = study_uid
    for kind in kinds:
        made = make_object(source, options.job_id, kind)
        fill(made, kind, options.predecessor)
        made.save_as(Path(options.out) / f"{kind.lower()}.dcm", enforce_file_format=True)
    (Path(options.out) / "result.json").write_text(json.dumps(RECORDED))


def watch_standard_input() -> None:
    """Closed standard input means cancel."""

    def wait() -> None:
        os.read(0, 1)  # not sys.stdin: its lock would be held when the interpreter ends
        os._exit(9)

    threading.Thread(target=wait, daemon=True).start()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("behavior")
    parser.add_argument("study")
    for name in (
        "--out",
        "--job-id",
        "--device",
        "--model",
        "--predecessor",
        "--clinical",
        "--refuse",
    ):
        parser.add_argument(name)
    parser.add_argument("--json-lines", action="store_true")
    parser.add_argument("--rtstruct", action="store_true")
    options = parser.parse_args()
    watch_standard_input()
    if options.behavior == "by-patient":
        first = dcmread(next(iter(Path(options.study).iterdir())), stop_before_pixels=True)
        options.behavior = str(first.PatientID)
    behavior, _, argument = options.behavior.partition(":")
    pause = 2.0 / len(STAGES) if behavior == "slow" else 0.0
    for number, stage in enumerate(STAGES):
        emit(event="progress", stage=stage, fraction=number / len(STAGES), text="")
        time.sleep(pause)
    if behavior == "flaky" and not Path(argument).exists():
        Path(argument).touch()
        behavior = "crash"
    if options.refuse:
        write(options, None, ("SR", "SC"))
        emit(event="not-analyzed", reason=options.refuse, path=options.out)
        return 3
    if behavior == "crash":
        emit(event="error", kind="DeviceError", message="out of memory")
        return 1
    if behavior == "hang":
        time.sleep(3600)
    if behavior == "chatter":
        sys.stdout.write("this is not JSON\n")
    if behavior == "not-analyzed":
        write(options, None, ("SR", "SC"))
        emit(event="not-analyzed", reason="No eligible series", path=options.out)
        return 3
    kinds = tuple(CLASSES) if options.rtstruct else STANDARD
    write(options, "1.2.3" if behavior == "foreign" else None, kinds)
    emit(event="result", path=options.out, files=[])
    return 0


if __name__ == "__main__":
    sys.exit(main())
