"""STOW-RS: the same checks and promises as C-STORE."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from pydicom.dataset import Dataset

from dicom_node.dashboard.app import make_app
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.schema import create_tables, open_database
from tests.dicom_node.conftest import build_configuration
from tests.dicom_node.dashboard.conftest import serving
from tests.dicom_node.testbed import make_ct

TOKEN = "stow-token-000000"  # noqa: S105
PATH = "/dicom-web/studies"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    table = {"stow_token": TOKEN, "stow_maximum_bytes": 100_000}
    configuration = build_configuration(tmp_path, dashboard=table)
    engine = open_database(configuration.database_url)
    create_tables(engine)
    with serving(make_app(configuration, Ledger(Index(engine)))) as client:
        yield client


def encode(dataset: Dataset) -> bytes:
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def post(client: httpx.Client, *parts: bytes, token: str = TOKEN, kind: str = "related"):  # type: ignore[no-untyped-def]
    body = b"".join(
        b"--XX\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n" for part in parts
    )
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f'multipart/{kind}; type="application/dicom"; boundary=XX',
    }
    return client.post(PATH, content=body + b"--XX--\r\n", headers=headers)


def spooled(tmp_path: Path) -> int:
    return len(list((tmp_path / "spool" / "new").iterdir()))


def test_instances_are_stored_and_named(client: httpx.Client, tmp_path: Path) -> None:
    images = make_ct(slices=3)
    answer = post(client, *map(encode, images))
    assert answer.status_code == 200
    uids = [i["00081155"]["Value"][0] for i in answer.json()["00081199"]["Value"]]
    assert uids == [image.SOPInstanceUID for image in images]
    assert spooled(tmp_path) == 3


def test_pixels_that_look_like_a_boundary_are_not_one(client: httpx.Client, tmp_path: Path) -> None:
    """Only CRLF and the boundary end a part; the bytes arrive unchanged."""
    (image,) = make_ct(slices=1)
    image.PixelData = (b"--XX\n" * 200)[: len(image.PixelData)].ljust(len(image.PixelData), b"-")
    assert post(client, encode(image)).status_code == 200
    (path,) = (tmp_path / "spool" / "new").iterdir()
    assert image.PixelData in path.read_bytes()


def test_a_bad_part_is_named_and_the_good_one_is_kept(client: httpx.Client, tmp_path: Path) -> None:
    (image,) = make_ct(slices=1)
    answer = post(client, b"garbage", encode(image))
    assert answer.status_code == 202
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [0xC000]
    assert spooled(tmp_path) == 1


def test_nothing_good_is_a_conflict(client: httpx.Client) -> None:
    assert post(client, b"garbage").status_code == 409


def test_a_wrong_token_stores_nothing(client: httpx.Client, tmp_path: Path) -> None:
    (image,) = make_ct(slices=1)
    assert post(client, encode(image), token="wrong").status_code == 401  # noqa: S106
    assert spooled(tmp_path) == 0


def test_a_request_that_breaks_off_keeps_what_was_whole(
    client: httpx.Client, tmp_path: Path
) -> None:
    """The second part never ends: it is neither stored nor left behind as a half file."""
    first, second = (encode(image) for image in make_ct(slices=2))
    part = b"--XX\r\nContent-Type: application/dicom\r\n\r\n"
    body = part + first + b"\r\n" + part + second[:-20]
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=XX',
    }
    answer = client.post(PATH, content=body, headers=headers)
    assert len(answer.json()["00081199"]["Value"]) == 1
    assert spooled(tmp_path) == 1
    assert not list((tmp_path / "spool" / "tmp").iterdir())


def test_a_huge_file_meta_is_refused_before_it_is_read(client: httpx.Client) -> None:
    """The group length promises 4 GB; nothing is held back for it."""
    head = bytes(128) + b"DICM\x02\x00\x00\x00UL\x04\x00" + b"\xff" * 4
    answer = post(client, head + bytes(50_000))
    assert answer.status_code == 409
    assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xC000]


def test_endless_part_headers_are_refused(client: httpx.Client) -> None:
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": 'multipart/related; type="application/dicom"; boundary=XX',
    }
    answer = client.post(PATH, content=b"--XX\r\n" + b"a" * 60_000, headers=headers)
    assert answer.status_code == 400


def test_a_request_that_is_too_long_is_cut_off(client: httpx.Client) -> None:
    assert post(client, bytes(200_000)).status_code == 413


def test_another_content_type_is_refused(client: httpx.Client) -> None:
    assert post(client, b"x", kind="form-data").status_code == 415
