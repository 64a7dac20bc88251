"""A patient's name is readable in every character set DICOM hospitals use."""

import io

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from engine.reporting.attributes import fill_patient_and_study
from engine.reporting.person_names import format_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Doe^Jane^M^Dr^PhD", "Doe, Jane M Dr PhD"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
        ("=山田^太郎=やまだ^たろう", "Yamada, Tarou (transliterated)"),
        ("????^??=山田^太郎=やまだ^たろう", "Yamada, Tarou (transliterated)"),
        ("=王^小明", "Wang, XiaoMing (transliterated)"),
        ("Иванов^Иван", "Ivanov, Ivan (transliterated)"),
        ("Dvořák^Antonín", "Dvorák, Antonín"),
        ("Doe", "Doe"),
        ("^Jane", "Jane"),
        ("", ""),
        ("==", ""),
    ],
)
def test_names_are_shown_family_first(name: str, shown: str) -> None:
    assert format_name(name) == shown


# Names as PS3.5 annexes H to K print them.
NAMES = [
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
    (
        ["ISO 2022 IR 13", "ISO 2022 IR 87"],
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        "Yamada, Tarou (transliterated)",
    ),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", "Hong, Gildong"),
    (["GB18030"], "Wang^XiaoDong=王^小东", "Wang, XiaoDong"),
    (["ISO_IR 192"], "Wang^XiaoDong=王^小東", "Wang, XiaoDong"),
    (["ISO_IR 144"], "Люкceмбypг", "Lyukcemby"),
    (["ISO_IR 100"], "Äneas^Rüdiger", "Äneas, Rüdiger"),
]


@pytest.mark.parametrize(("character_sets", "name", "shown"), NAMES)
def test_every_character_set_ends_in_the_right_name(
    character_sets: list[str], name: str, shown: str
) -> None:
    """Bytes in the source's set → the same name in our UTF-8 object, a readable one on paper."""
    source = Dataset()
    source.SpecificCharacterSet = character_sets
    source.PatientName = name
    source.StudyInstanceUID = "2.25.1"
    source.file_meta = FileMetaDataset()
    source.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    source.file_meta.MediaStorageSOPInstanceUID = "2.25.2"
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    dcmwrite(stream, source, enforce_file_format=True)
    read = dcmread(io.BytesIO(stream.getvalue()))
    target = Dataset()
    fill_patient_and_study(target, read)
    assert str(target.PatientName) == name
    assert target.SpecificCharacterSet == "ISO_IR 192"
    told = format_name(str(target.PatientName))
    assert told.startswith(shown)
    assert "?" not in told
