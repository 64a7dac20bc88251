"""One instance arriving: bytes to the spool, header checked, then a status."""

import logging

from dicom_node.errors import InvalidInstanceError
from dicom_node.header import Identifiers, TruncatedHeaderError, is_uid, read_identifiers
from dicom_node.spool import Spool, SpoolFile, encode_file_meta
from dicom_node.status import StorageStatus

log = logging.getLogger(__name__)

PREFIX_BYTES = 65536
LONGEST_HEADER_BYTES = 8 << 20


class Reception:
    """Opens arriving instances and holds the limits they are taken under."""

    def __init__(self, spool: Spool, *, maximum_bytes: int, minimum_free_bytes: int) -> None:
        self.spool = spool
        self.maximum_bytes = maximum_bytes
        self.minimum_free_bytes = minimum_free_bytes

    def begin(
        self,
        sop_class_uid: str,
        sop_instance_uid: str,
        transfer_syntax_uid: str,
        source: str,
        receiving_title: str = "",
    ) -> "ArrivingInstance":
        """Open one instance; a refusal is remembered and answered when its bytes are over."""
        arriving = ArrivingInstance(self, sop_instance_uid, transfer_syntax_uid)
        if not (is_uid(sop_instance_uid) and is_uid(sop_class_uid)):
            log.warning("Refused an instance without valid UIDs from %s", source)
            arriving.refusal = StorageStatus.CANNOT_UNDERSTAND
        elif self.spool.free_bytes() < self.minimum_free_bytes:
            log.error("Refused %s: the disk is nearly full", sop_instance_uid)
            arriving.refusal = StorageStatus.OUT_OF_RESOURCES
        else:
            meta = encode_file_meta(
                sop_class_uid, sop_instance_uid, transfer_syntax_uid, source, receiving_title
            )
            arriving.open(meta)
        return arriving


class ArrivingInstance:
    """Takes the dataset's bytes as they come; never holds more than the header."""

    def __init__(self, reception: Reception, sop_instance_uid: str, syntax: str) -> None:
        self._reception = reception
        self._sop_instance_uid = sop_instance_uid
        self._transfer_syntax_uid = syntax
        self._prefix = bytearray()
        self._file: SpoolFile | None = None
        self._meta_length = 0
        self.refusal: StorageStatus | None = None

    def open(self, meta: bytes) -> None:
        """Open the spool file and write the Part 10 header."""
        try:
            self._file = self._reception.spool.open_file()
            self._file.write(meta)
            self._meta_length = len(meta)
        except OSError as error:
            self._fail(error)

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the dataset; a failed disk is answered at the end."""
        if self.refusal is not None or self._file is None:
            return
        missing = PREFIX_BYTES - len(self._prefix)
        if missing > 0:
            self._prefix += data[:missing]
        if self._file.length + len(data) > self._reception.maximum_bytes:
            log.warning("Refused %s: larger than allowed", self._sop_instance_uid)
            self._refuse(StorageStatus.OUT_OF_RESOURCES)
            return
        try:
            self._file.write(data)
        except OSError as error:
            self._fail(error)

    def finish(self) -> StorageStatus:
        """Check the header, make the file durable, tell the status."""
        if self.refusal is not None or self._file is None:
            return self.refusal or StorageStatus.OUT_OF_RESOURCES
        try:
            status = self._check_header()
            if status is not StorageStatus.SUCCESS:
                self._refuse(status)
                return status
            self._file.commit()
        except OSError as error:
            self._fail(error)
            return StorageStatus.OUT_OF_RESOURCES
        return StorageStatus.SUCCESS

    def abandon(self) -> None:
        """The sender went away before the end; harmless after finish."""
        if self._file is not None:
            self._file.discard()

    def _check_header(self) -> StorageStatus:
        try:
            identifiers = self._read_identifiers()
        except InvalidInstanceError as error:
            log.warning("Refused %s: %s", self._sop_instance_uid, error)
            return StorageStatus.CANNOT_UNDERSTAND
        if identifiers.sop_instance_uid != self._sop_instance_uid:
            log.warning("Refused %s: its dataset has another UID", self._sop_instance_uid)
            return StorageStatus.DATA_SET_DOES_NOT_MATCH_SOP_CLASS
        return StorageStatus.SUCCESS

    def _read_identifiers(self) -> Identifiers:
        try:
            return read_identifiers(self._prefix, self._transfer_syntax_uid)
        except TruncatedHeaderError:
            if self._file is None or self._file.length <= len(self._prefix) + self._meta_length:
                raise
            longer = self._file.read(self._meta_length, LONGEST_HEADER_BYTES)
            return read_identifiers(longer, self._transfer_syntax_uid)

    def _fail(self, error: OSError) -> None:
        log.error("Spool cannot store %s: %s", self._sop_instance_uid, error.strerror)
        self._refuse(StorageStatus.OUT_OF_RESOURCES)

    def _refuse(self, status: StorageStatus) -> None:
        self.refusal = status
        if self._file is not None:
            self._file.discard()
