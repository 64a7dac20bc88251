"""Errors of the DICOM node, sorted by who can put it right.

NodeError
├── ConfigurationError          the operator's: every fault of the configuration at once
├── PeerError                   the peer's or the network's: worth another try later
├── ProtocolError               the sender's: bytes that are not DICOM upper layer or DIMSE
├── InvalidInstanceError        the sender's: a dataset without usable identifiers
├── EngineRunError              the engine's: the analysis process failed
└── UnknownStudyError           the caller's: no such study or job here
"""


class NodeError(Exception):
    """Base of every error the node raises on purpose."""


class ConfigurationError(NodeError):
    """The configuration cannot be used.

    Attributes:
        faults: Every fault that was found, one sentence each.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(f"- {fault}" for fault in faults))


class PeerError(NodeError):
    """A peer did not answer as needed; another try later may help."""


class ProtocolError(NodeError):
    """Bytes on a connection are not the DICOM upper layer protocol."""


class InvalidInstanceError(NodeError):
    """A received dataset has no usable identifiers."""


class EngineRunError(NodeError):
    """The analysis process failed without a result."""


class UnknownStudyError(NodeError):
    """No study or job of that identity is known here."""
