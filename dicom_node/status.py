"""Statuses by their standard names (PS3.4 B.2.3, PS3.7 annex C, PS3.8 table 9-21)."""

from enum import Enum, IntEnum


class StorageStatus(IntEnum):
    """Statuses of a C-STORE response (PS3.4 table B.2-1)."""

    SUCCESS = 0x0000
    OUT_OF_RESOURCES = 0xA700
    DATA_SET_DOES_NOT_MATCH_SOP_CLASS = 0xA900
    CANNOT_UNDERSTAND = 0xC000


class GeneralStatus(IntEnum):
    """Statuses common to DIMSE services (PS3.7 annex C)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT_INSTANCE = 0x0112
    INVALID_ARGUMENT = 0x0115
    UNRECOGNIZED_OPERATION = 0x0211


class Rejection(Enum):
    """Why an association is rejected: (result, source, reason) of PS3.8 table 9-21."""

    CALLING_TITLE_NOT_RECOGNIZED = (1, 1, 3)
    CALLED_TITLE_NOT_RECOGNIZED = (1, 1, 7)
    APPLICATION_CONTEXT_NOT_SUPPORTED = (1, 1, 2)
    PROTOCOL_VERSION_NOT_SUPPORTED = (1, 2, 2)
    LOCAL_LIMIT_EXCEEDED = (2, 3, 2)
