"""Judges of DICOM objects: real programs and the standard's own tables, never our code.

A missing program is an error that names its Debian package; nothing is skipped.
"""

import functools
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import highdicom
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr._concepts_dict import concepts
from pydicom.sr.coding import Code

from engine.reporting.report_file import ReportFile

Writer = Callable[[ReportFile], Path]

DEBIAN_PACKAGES = {
    "dciodvfy": "dicom3tools",
    "dsrdump": "dcmtk",
    "dcm2pdf": "dcmtk",
    "pdfinfo": "poppler-utils",
    "pdftotext": "poppler-utils",
    "pdffonts": "poppler-utils",
    "java": "default-jre-headless libpixelmed-java libsaxonhe-java libxerces2-java",
}
PIXELMED_JARS = (
    "pixelmed",
    "Saxon-HE",
    "xercesImpl",
    "xml-resolver",
    "commons-codec",
    "slf4j-api",
)
UTF8_NOTE = "VR checker does not support this Specific Character Set: ISO_IR 192"
SCHEMES_WITHOUT_TABLE = frozenset({"99HEPATOCAST", "RFC5646"})
# Clinical values stand in no table of the standard: what loinc.org and SNOMED CT call them.
CLINICAL_CODES = {
    ("LN", "1834-1"): "Alpha-fetoprotein",
    ("LN", "1751-7"): "Albumin",
    ("LN", "14631-6"): "Total bilirubin",
    ("LN", "6301-6"): "INR",
    ("LN", "1742-6"): "ALT",
    ("LN", "1920-8"): "AST",
    ("LN", "777-3"): "Platelets",
    ("LN", "14682-9"): "Creatinine",
    ("LN", "2951-2"): "Sodium",
    ("LN", "5196-1"): "HBsAg",
    ("LN", "30525-0"): "Age",
    ("LN", "46098-0"): "Sex",
    ("LN", "89247-1"): "ECOG performance status",
    ("SCT", "389026000"): "Ascites",
    ("SCT", "13920009"): "Hepatic encephalopathy",
    ("SCT", "19943007"): "Cirrhosis",
}
# IBSI's identifiers that PS3.16 leaves out, as IBSI's reference tables name them.
IBSI_CODES = {
    "0F91": "Global intensity peak",
    "1128": "Intensity-based robust mean absolute deviation",
    "1GSF": "Minimum intensity",
    "2OJQ": "Intensity range",
    "4FUA": "Intensity-based mean absolute deviation",
    "5ZWQ": "Root mean square intensity",
    "7TET": "Intensity-based coefficient of variation",
    "84IY": "Maximum intensity",
    "8DWT": "90th intensity percentile",
    "9S40": "Intensity-based quartile coefficient of dispersion",
    "BC2M": "Volume at intensity fraction 10%",
    "CNV2": "Intensity fraction difference between volume fractions",
    "DDTU": "Volume fraction difference between intensity fractions",
    "ECT3": "Intensity variance",
    "GBPN": "Intensity at volume fraction 10%",
    "IPH6": "(Excess) intensity kurtosis",
    "KE2A": "Intensity skewness",
    "N72L": "Intensity-based median absolute deviation",
    "N8CA": "Intensity-based energy",
    "Q4LE": "Mean intensity",
    "QG58": "10th intensity percentile",
    "SALO": "Intensity interquartile range",
    "VJGA": "Local intensity peak",
    "Y12H": "Median intensity",
}
# TID 1500 row 12 and TID 1604 name these; pydicom's table lists only context groups.
ROWS_OF_TEMPLATES = frozenset(
    {
        ("UMLS", "C0034375", "Qualitative Evaluations"),
        ("UCUM", "{pixels}", "Pixels"),
        ("UCUM", "{-1:1}", "{-1:1}"),
        ("UCUM", "{lesions}", "lesions"),
    }
)


def run_program(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a judge; both streams are text."""
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is missing: apt-get install -y {DEBIAN_PACKAGES[name]}")
    return subprocess.run(
        [path, *arguments], capture_output=True, text=True, check=False, errors="replace"
    )


def dciodvfy_errors(path: Path) -> list[str]:
    """Lines in which dicom3tools' dciodvfy reports an error."""
    done = run_program("dciodvfy", "-new", str(path))
    lines = (done.stdout + done.stderr).splitlines()
    assert any(line.strip() and not line.startswith(("Error", "Warning")) for line in lines), (
        f"dciodvfy named no IOD for {path.name}"
    )
    return [line for line in lines if line.startswith(("Error", "Abort"))]


def dsrdump_problems(path: Path) -> list[str]:
    """Errors and warnings of DCMTK's structured report reader."""
    done = run_program("dsrdump", "-Er", str(path))
    problems = [
        line
        for line in done.stderr.splitlines()
        if line[:2] in ("E:", "W:", "F:") and UTF8_NOTE not in line
    ]
    if done.returncode:
        problems.append(f"dsrdump ended with {done.returncode}")
    return problems


@functools.cache
def _known_meanings() -> dict[tuple[str, str], frozenset[str]]:
    known: dict[tuple[str, str], set[str]] = {}
    for scheme, keywords in concepts.items():
        for values in keywords.values():
            for value, (meaning, _) in values.items():
                known.setdefault((scheme, value), set()).add(meaning.lower())
    return {key: frozenset(meanings) for key, meanings in known.items()}


def judge_code(code: Code) -> str:
    """Say "ok", or what is wrong with a (value, scheme, meaning) triple."""
    if code.scheme_designator in SCHEMES_WITHOUT_TABLE:
        return "ok"
    row = (code.scheme_designator, code.value, code.meaning)
    if row in ROWS_OF_TEMPLATES or CLINICAL_CODES.get(row[:2]) == code.meaning:
        return "ok"
    beyond = IBSI_CODES.get(code.value) if code.scheme_designator == "IBSI" else None
    known = _known_meanings().get((code.scheme_designator, code.value))
    grammar = code.scheme_designator == "UCUM" and code.meaning == code.value
    if known is None and (grammar or beyond == code.meaning):
        return "ok"  # UCUM is a grammar: a unit outside PS3.16 is its own meaning
    if known is None:
        return f"{code.value} is not in the table of {code.scheme_designator}"
    if code.meaning.lower() not in known:
        return f"{code.value} means {sorted(known)}, not {code.meaning!r}"
    return "ok"


def _codes(dataset: Dataset) -> Iterator[Code]:
    if "CodeValue" in dataset:
        yield Code(dataset.CodeValue, dataset.CodingSchemeDesignator, dataset.CodeMeaning)
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _codes(item)


def code_problems(dataset: Dataset) -> list[str]:
    """Coded concepts of a dataset whose value and meaning do not belong together."""
    found = set(_codes(dataset))
    assert found, "no coded concept at all"
    return sorted(f"{c}: {judge_code(c)}" for c in found if judge_code(c) != "ok")


@functools.cache
def _standard_tables() -> tuple[dict, dict, dict]:
    folder = Path(highdicom.__file__).parent / "_standard"
    names = ("iod_module_map", "module_attribute_map", "sop_class_iod_map")
    return tuple(json.loads((folder / f"{name}.json").read_text()) for name in names)


def iod_problems(dataset: Dataset) -> list[str]:
    """Top-level type 1 and 2 attributes of the mandatory modules, from PS3.3's own tables.

    For SOP classes that dciodvfy does not know yet (Label Map Segmentation).
    """
    iods, modules, sop_classes = _standard_tables()
    problems, known = [], set()
    for module in iods[sop_classes[dataset.SOPClassUID]]:
        attributes = [a for a in modules[module["key"]] if not a["path"]]
        known |= {a["keyword"] for a in attributes}
        for attribute in attributes if module["usage"] == "M" else ():
            keyword = attribute["keyword"]
            if attribute["type"] in ("1", "2") and keyword not in dataset:
                problems.append(f"{module['key']}: {keyword} is missing")
            elif attribute["type"] == "1" and dataset[keyword].is_empty:
                problems.append(f"{module['key']}: {keyword} is empty")
    return problems + [f"{e.keyword} is in no module" for e in dataset if e.keyword not in known]


def pixelmed_errors(path: Path) -> list[str]:
    """Errors of PixelMed's offline SR template validator (TID 1500).

    Java's own XSLT processor cannot run the rules, hence Saxon.
    """
    folder = Path("/usr/share/java")
    missing = [jar for jar in PIXELMED_JARS if not (folder / f"{jar}.jar").exists()]
    if missing:
        raise RuntimeError(f"{missing} missing: apt-get install -y {DEBIAN_PACKAGES['java']}")
    done = run_program(
        "java",
        "-Djavax.xml.transform.TransformerFactory=net.sf.saxon.TransformerFactoryImpl",
        "-Xss64m",
        "-Xmx2g",
        "-cp",
        ":".join(str(folder / f"{jar}.jar") for jar in PIXELMED_JARS),
        "com.pixelmed.validate.DicomSRValidator",
        str(path),
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert any("TID 1500" in line or "Root Template" in line or "IOD" in line for line in lines), (
        "\n".join(lines[:20])
    )
    dataset = pydicom.dcmread(path)
    return [line for line in lines if line.startswith("Error") and _concerns(line, dataset)]


def _concerns(line: str, dataset: Dataset) -> bool:
    """Tell whether a line holds a measurement group against the template it declares.

    The validator tries every ROI template on every group under TID 1500 and so reports a
    TID 1501 group, which needs no region, as a TID 1410 and TID 1411 group without one.
    """
    tried = re.search(r"Template (14[12]\d) \w+ROIMeasurements/.*? within ([\d.]+):", line)
    if tried is None:
        return True
    item = dataset
    for place in tried.group(2).split(".")[1:]:
        item = item.ContentSequence[int(place) - 1]
    return bool(item.ContentTemplateSequence[0].TemplateIdentifier == tried.group(1))


def pdf_facts(payload: bytes) -> dict[str, str]:
    """What pdfinfo says of a PDF; raises AssertionError when it is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payload.pdf"
        path.write_bytes(payload)
        done = run_program("pdfinfo", str(path))
        assert done.returncode == 0, done.stderr
        return dict(re.findall(r"^([^:\n]+):\s*(.*)$", done.stdout, re.MULTILINE))


def pdf_text(payload: bytes) -> str:
    """Text of a PDF in layout order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "payload.pdf"
        path.write_bytes(payload)
        done = run_program("pdftotext", "-layout", str(path), "-")
        assert done.returncode == 0, done.stderr
        return done.stdout


def dcm2pdf_payload(path: Path) -> bytes:
    """The PDF inside an Encapsulated PDF object, taken out by DCMTK."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.pdf"
        done = run_program("dcm2pdf", str(path), str(target))
        assert done.returncode == 0, done.stderr
        return target.read_bytes()


def read_dataset(content: bytes) -> Dataset:
    """Parse one DICOM file held in memory."""
    return pydicom.dcmread(pydicom.filebase.DicomBytesIO(content))
