"""Which associations and presentation contexts are accepted."""

import socket
import time
from functools import lru_cache

from pydicom._uid_dict import UID_dictionary

from dicom_node.settings import Configuration
from dicom_node.status import Rejection
from dicom_node.upper_layer import (
    APPLICATION_CONTEXT,
    AcceptedContext,
    AssociateRequest,
    ProposedContext,
)

VERIFICATION = "1.2.840.10008.1.1"
STORAGE_COMMITMENT_PUSH = "1.2.840.10008.1.20.1"
STORAGE_ROOT = "1.2.840.10008.5.1.4.1.1."
IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
ACCEPTED, ABSTRACT_NOT_SUPPORTED, TRANSFER_NOT_SUPPORTED = 0, 3, 4
RESOLVE_SECONDS = 60.0

TRANSFER_SYNTAXES = frozenset(
    {
        IMPLICIT_LITTLE,
        EXPLICIT_LITTLE,
        "1.2.840.10008.1.2.1.99",  # Deflated Explicit VR Little Endian
        "1.2.840.10008.1.2.5",  # RLE Lossless
        *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 92, 93)),
        *(f"1.2.840.10008.1.2.4.{n}" for n in (100, 101, 102, 103, 104, 105, 106, 107, 108)),
        *(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203)),  # HTJ2K
    }
)


@lru_cache(maxsize=1024)
def is_storage_class(uid: str) -> bool:
    """Tell whether a UID is a Storage SOP Class (PS3.4 B.5).

    The standard's own image and document classes share one root; classes newer than the
    installed dictionary (Label Map Segmentation) are therefore taken as well.
    """
    name, kind, *_ = UID_dictionary.get(uid, ("", ""))
    is_named = kind == "SOP Class" and "Storage" in name and "Commitment" not in name
    return is_named or uid.startswith(STORAGE_ROOT)


class Admission:
    """Decides over associations: titles, addresses, contexts."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        # C-MOVE brings earlier studies to titles of their own (priors.py).
        self._titles = {configuration.ae_title, *(p.move_title for p in configuration.prior)} - {""}
        self._addresses: dict[str, tuple[float, frozenset[str]]] = {}

    def find_rejection(self, request: AssociateRequest, address: str) -> Rejection | None:
        """Why this association is not wanted; None when it is."""
        settings = self._configuration.listener
        if not request.protocol_version & 1:
            return Rejection.PROTOCOL_VERSION_NOT_SUPPORTED
        if request.application_context != APPLICATION_CONTEXT:
            return Rejection.APPLICATION_CONTEXT_NOT_SUPPORTED
        if settings.check_called_title and request.called_title not in self._titles:
            return Rejection.CALLED_TITLE_NOT_RECOGNIZED
        if settings.known_peers_only and not self._is_known(request.calling_title, address):
            return Rejection.CALLING_TITLE_NOT_RECOGNIZED
        return None

    def _is_known(self, title: str, address: str) -> bool:
        return any(
            peer.may_send and peer.ae_title == title and address in self._resolve(peer.host)
            for peer in self._configuration.peer
        )

    def _resolve(self, host: str) -> frozenset[str]:
        known = self._addresses.get(host)
        if known is None or time.monotonic() - known[0] > RESOLVE_SECONDS:
            try:
                found = frozenset(str(info[4][0]) for info in socket.getaddrinfo(host, None))
            except OSError:
                found = frozenset()
            known = self._addresses[host] = (time.monotonic(), found)
        return known[1]


def answer_contexts(request: AssociateRequest) -> list[AcceptedContext]:
    """Answer every proposed context; the sender's first known transfer syntax wins."""
    return [_answer(context) for context in request.contexts]


def _answer(context: ProposedContext) -> AcceptedContext:
    known = TRANSFER_SYNTAXES
    if context.abstract_syntax in (VERIFICATION, STORAGE_COMMITMENT_PUSH):
        known = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE})
    elif not is_storage_class(context.abstract_syntax):
        return AcceptedContext(
            context.context_id, ABSTRACT_NOT_SUPPORTED, context.abstract_syntax, IMPLICIT_LITTLE
        )
    chosen = next((t for t in context.transfer_syntaxes if t in known), "")
    result = ACCEPTED if chosen else TRANSFER_NOT_SUPPORTED
    return AcceptedContext(
        context.context_id, result, context.abstract_syntax, chosen or IMPLICIT_LITTLE
    )


def answer_roles(request: AssociateRequest) -> dict[str, tuple[int, int]]:
    """Accept the role reversal a commitment SCP asks for (PS3.7 D.3.3.4)."""
    roles = request.roles.get(STORAGE_COMMITMENT_PUSH)
    return {STORAGE_COMMITMENT_PUSH: roles} if roles else {}
