"""STOW-RS (PS3.18 10.5): instances by HTTP, through the same checks as C-STORE."""

import hmac
from collections.abc import AsyncIterator
from email.message import Message
from io import BytesIO
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.reception import Reception
from dicom_node.settings import Configuration
from dicom_node.spool import Spool
from dicom_node.status import StorageStatus

SOURCE = "STOW-RS"
REFERENCED_SEQUENCE, FAILED_SEQUENCE = "00081199", "00081198"
MAXIMUM_PARTS = 10000


def add_stow_route(app: FastAPI, configuration: Configuration) -> None:
    """Open the door, unless no bearer token is configured."""
    settings = configuration.dashboard
    if not settings.stow_token:
        return
    spool = Spool(configuration.spool, durability=configuration.listener.durability)
    reception = Reception(
        spool,
        maximum_bytes=configuration.listener.maximum_instance_bytes,
        minimum_free_bytes=configuration.listener.minimum_free_bytes,
    )

    @app.post("/dicom-web/studies")
    async def store(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), settings.stow_token.encode()):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        boundary = find_boundary(request.headers.get("content-type", ""))
        stored: list[Any] = []
        failed: list[Any] = []
        async for part in split_parts(request.stream(), boundary, settings.stow_maximum_bytes):
            item, status = take_part(part, reception)
            if status is StorageStatus.SUCCESS:
                stored.append(item)
            else:
                item["00081197"] = {"vr": "US", "Value": [int(status)]}
                failed.append(item)
        answer: dict[str, Any] = {}
        if stored:
            answer[REFERENCED_SEQUENCE] = {"vr": "SQ", "Value": stored}
        if failed:
            answer[FAILED_SEQUENCE] = {"vr": "SQ", "Value": failed}
        code = 200 if stored and not failed else 202 if stored else 409
        return JSONResponse(answer, code, media_type="application/dicom+json")


def find_boundary(content_type: str) -> bytes:
    """The boundary of a multipart/related request of application/dicom parts."""
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    kind = str(header.get_param("type") or "application/dicom")
    if header.get_content_type() != "multipart/related" or not isinstance(boundary, str):
        raise HTTPException(415, "multipart/related with a boundary is needed")
    if kind != "application/dicom":
        raise HTTPException(415, "Parts must be application/dicom")
    return b"--" + boundary.encode("ascii", "replace")


async def split_parts(
    stream: AsyncIterator[bytes], boundary: bytes, maximum_bytes: int
) -> AsyncIterator[bytes]:
    """Bodies of the parts, one at a time; the request is bounded as it comes."""
    buffer, total, parts, is_inside = bytearray(), 0, 0, False
    delimiter = b"\r\n" + boundary
    buffer += b"\r\n"
    async for chunk in stream:
        total += len(chunk)
        if total > maximum_bytes:
            raise HTTPException(413)
        searched = max(len(buffer) - len(delimiter), 0)
        buffer += chunk
        while (at := buffer.find(delimiter, searched)) >= 0:
            if is_inside:
                parts += 1
                if parts > MAXIMUM_PARTS:
                    raise HTTPException(413)
                yield _body_of(bytes(buffer[:at]))
            del buffer[: at + len(delimiter)]
            is_inside, searched = True, 0


def _body_of(part: bytes) -> bytes:
    head, _, body = part.partition(b"\r\n\r\n")
    return body if head or body else part


def take_part(part: bytes, reception: Reception) -> tuple[dict[str, Any], StorageStatus]:
    """Take one Part 10 instance; its reference and the status."""
    try:
        meta = dcmread(BytesIO(part), specific_tags=["SOPClassUID", "SOPInstanceUID"])
        syntax = str(meta.file_meta.TransferSyntaxUID)
        start = 144 + int(meta.file_meta.FileMetaInformationGroupLength)
    except (InvalidDicomError, AttributeError, ValueError, EOFError, KeyError, OSError):
        return {}, StorageStatus.CANNOT_UNDERSTAND
    sop_class, instance = str(meta.get("SOPClassUID", "")), str(meta.get("SOPInstanceUID", ""))
    arriving = reception.begin(sop_class, instance, syntax, SOURCE)
    arriving.write(memoryview(part)[start:])
    item: dict[str, Any] = {
        "00081150": {"vr": "UI", "Value": [sop_class]},
        "00081155": {"vr": "UI", "Value": [instance]},
    }
    return item, arriving.finish()
