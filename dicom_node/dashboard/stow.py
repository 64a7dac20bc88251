"""STOW-RS (PS3.18 10.5): instances by HTTP, through the same checks as C-STORE."""

import hmac
from io import BytesIO
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from dicom_node.multipart import MultipartError, MultipartParser, PieceKind, read_boundary
from dicom_node.reception import ArrivingInstance, Reception
from dicom_node.settings import Configuration
from dicom_node.spool import Spool
from dicom_node.status import StorageStatus

SOURCE = "STOW-RS"
REFERENCED_SEQUENCE, FAILED_SEQUENCE, FAILURE_REASON = "00081199", "00081198", "00081197"
META_NAMES = ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID")
MAXIMUM_PARTS = 10000
MAXIMUM_META_BYTES = 1 << 16


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
        taken = _Taken(reception)
        try:
            boundary = read_boundary(request.headers.get("content-type", ""))
        except MultipartError as error:
            raise HTTPException(415, str(error)) from error
        parser = MultipartParser(boundary, maximum_parts=MAXIMUM_PARTS)
        total = 0
        try:
            async for chunk in request.stream():
                total += len(chunk)
                if total > settings.stow_maximum_bytes:
                    raise HTTPException(413)
                # Disk work stays out of the event loop, which serves the dashboard as well.
                await run_in_threadpool(taken.feed, parser, chunk)
        except MultipartError as error:
            raise HTTPException(400, str(error)) from error
        finally:
            taken.abandon()
        return taken.answer()


class _Taken:
    """Takes the parts of one request as they come; only a part's Part 10 header is held."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._part: _Part | None = None
        self._stored: list[dict[str, Any]] = []
        self._failed: list[dict[str, Any]] = []

    def feed(self, parser: MultipartParser, chunk: bytes) -> None:
        for kind, data in parser.feed(chunk):
            if kind is PieceKind.HEADERS:
                self._part = _Part(self._reception)
            elif self._part is None:
                continue
            elif kind is PieceKind.DATA:
                self._part.write(data)
            else:
                self._note(*self._part.finish())
                self._part = None

    def _note(self, item: dict[str, Any], status: StorageStatus) -> None:
        if status is StorageStatus.SUCCESS:
            self._stored.append(item)
        else:
            self._failed.append({**item, FAILURE_REASON: {"vr": "US", "Value": [int(status)]}})

    def abandon(self) -> None:
        """Forget a part whose end never came."""
        if self._part is not None:
            self._part.abandon()

    def answer(self) -> Response:
        """The store response (PS3.18 10.5.3)."""
        content: dict[str, Any] = {}
        if self._stored:
            content[REFERENCED_SEQUENCE] = {"vr": "SQ", "Value": self._stored}
        if self._failed:
            content[FAILED_SEQUENCE] = {"vr": "SQ", "Value": self._failed}
        code = 200 if self._stored and not self._failed else 202 if self._stored else 409
        return JSONResponse(content, code, media_type="application/dicom+json")


class _Part:
    """One Part 10 instance on its way to the spool."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._head = bytearray()
        self._arriving: ArrivingInstance | None = None
        self._item: dict[str, Any] = {}
        self._is_refused = False

    def write(self, data: bytes) -> None:
        if self._arriving is not None:
            self._arriving.write(data)
        elif not self._is_refused:
            self._head += data
            self._open()

    def _open(self) -> None:
        """Begin as soon as the file meta information is whole (PS3.10 7.1)."""
        if len(self._head) < 144:
            return
        length = int.from_bytes(self._head[140:144], "little")
        is_group_length = self._head[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00"
        if not is_group_length or length > MAXIMUM_META_BYTES:
            self._is_refused = True
        elif len(self._head) >= 144 + length:
            try:
                meta = dcmread(BytesIO(bytes(self._head[: 144 + length]))).file_meta
                names = [str(meta[n].value) for n in META_NAMES]
            except (InvalidDicomError, ValueError, EOFError, KeyError, OSError):
                self._is_refused = True
                return
            sop_class, instance, syntax = names
            self._item = {
                "00081150": {"vr": "UI", "Value": [sop_class]},
                "00081155": {"vr": "UI", "Value": [instance]},
            }
            self._arriving = self._reception.begin(sop_class, instance, syntax, SOURCE)
            self._arriving.write(memoryview(bytes(self._head[144 + length :])))
            self._head.clear()

    def finish(self) -> tuple[dict[str, Any], StorageStatus]:
        """Its reference and what became of it."""
        if self._arriving is None:
            return {}, StorageStatus.CANNOT_UNDERSTAND
        return self._item, self._arriving.finish()

    def abandon(self) -> None:
        if self._arriving is not None:
            self._arriving.abandon()
