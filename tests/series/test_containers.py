"""Folders, archives and DICOMDIRs list the same study; what is left out has a reason."""

import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from engine.errors import UnreadableStudyError
from engine.series import containers
from engine.series.containers import list_archive, list_folder, list_input
from tests.phantoms.dicom_series import ct_series, gradient_hu, to_bytes, write_series, zip_folder


def test_a_folder_is_searched_to_its_depths(tmp_path: Path) -> None:
    write_series(ct_series(gradient_hu(2)), tmp_path / "a" / "b")
    write_series(ct_series(gradient_hu(1)), tmp_path / "c")
    names = [source.name for source in list_folder(tmp_path).sources]
    assert names == ["a/b/IM0000.dcm", "a/b/IM0001.dcm", "c/IM0000.dcm"]


def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    """A link to its own parent would never end."""
    write_series(ct_series(gradient_hu(1)), tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(list_folder(tmp_path).sources) == 1


def test_a_dangling_link_is_junk(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (junk,) = list_folder(tmp_path).junk
    assert junk.reason.startswith("unreadable")


def test_an_archive_lists_what_its_folder_lists(tmp_path: Path) -> None:
    folder = write_series(ct_series(gradient_hu(3)), tmp_path / "study")
    archive = zip_folder(folder, tmp_path / "study.zip")
    assert [s.name for s in list_input(archive).sources] == [
        s.name for s in list_input(folder).sources
    ]


def test_members_that_could_harm_are_left_out(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.dcm")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as pack:
        pack.writestr("../up.dcm", b"x")
        pack.writestr("/root.dcm", b"x")
        pack.writestr("..\\windows.dcm", b"x")
        pack.writestr(link, "/etc/passwd")
        pack.writestr("good.dcm", b"x")
    listing = list_archive(tmp_path / "a.zip")
    assert [source.name for source in listing.sources] == ["good.dcm"]
    assert {junk.reason for junk in listing.junk} == {
        "path leads out of the archive",
        "symbolic link",
    }


def test_another_compression_method_is_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_BZIP2) as pack:
        pack.writestr("a.dcm", b"x" * 100)
    (junk,) = list_archive(tmp_path / "a.zip").junk
    assert junk.reason == "zip compression method 12 is not supported"


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MAXIMUM_FILES", 3)
    write_series(ct_series(gradient_hu(4)), tmp_path)
    with pytest.raises(UnreadableStudyError, match="more than 3 files"):
        list_folder(tmp_path)


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """Bombs let many directory entries share one packed stream."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("a.dcm", b"x" * 5000)
        pack.filelist *= 40
        for index, info in enumerate(list(pack.filelist)):
            pack.NameToInfo[str(index)] = info
    with pytest.raises(UnreadableStudyError, match="overlapping"):
        list_archive(path)


@pytest.mark.peer
def test_a_dicomdir_names_the_files_of_its_study(tmp_path: Path) -> None:
    """DCMTK writes the DICOMDIR; file names on media are upper case without a suffix."""
    program = shutil.which("dcmmkdir")
    if program is None:
        raise RuntimeError("dcmmkdir is missing: apt-get install -y dcmtk")
    for index, dataset in enumerate(ct_series(gradient_hu(3))):
        dataset.StudyID = "1"
        (tmp_path / f"IM{index}").write_bytes(to_bytes(dataset))
    subprocess.run([program, "+r", "+id", ".", "-Pgp"], cwd=tmp_path, check=True)
    (tmp_path / "IM2").unlink()
    listing = list_input(tmp_path / "DICOMDIR")
    assert sorted(source.name for source in listing.sources) == ["IM0", "IM1"]
    assert [junk.reason for junk in listing.junk] == ["listed in the DICOMDIR, not there"]


def test_a_dicomdir_entry_outside_its_folder_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret.dcm").write_bytes(b"x")
    media = tmp_path / "media"
    media.mkdir()
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    record = Dataset()
    record.add_new("ReferencedFileID", "LO", ["..", "secret.dcm"])
    directory.DirectoryRecordSequence = [record]
    directory.save_as(media / "DICOMDIR", enforce_file_format=True)
    listing = list_input(media / "DICOMDIR")
    assert listing.sources == ()
    assert len(listing.junk) == 1
