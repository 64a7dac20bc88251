"""The DIMSE door: accepts connections, one thread each, under hard limits."""

import logging
import socket
import ssl
import threading
import time
from collections import OrderedDict

from dicom_node.association import AcceptedAssociation
from dicom_node.errors import ProtocolError
from dicom_node.negotiation import Admission
from dicom_node.notes import NoteTaker
from dicom_node.reception import Reception
from dicom_node.settings import Configuration, Tls
from dicom_node.spool import Spool

log = logging.getLogger(__name__)

BACKLOG = 128
ACCEPT_PAUSE_SECONDS = 0.2
# BCP 195 (RFC 9325): forward secrecy and authenticated encryption only.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def make_server_context(tls: Tls) -> ssl.SSLContext | None:
    """TLS of a door after BCP 195; None when no certificate is configured."""
    if tls.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.authorities is not None:
        context.load_verify_locations(tls.authorities)
    if tls.mutual:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class Listener:
    """Listens until stopped; knows disk and sockets, no database."""

    def __init__(self, configuration: Configuration) -> None:
        self._settings = configuration.listener
        self._admission = Admission(configuration)
        spool = Spool(configuration.spool, durability=self._settings.durability)
        self._reception = Reception(
            spool,
            maximum_bytes=self._settings.maximum_instance_bytes,
            minimum_free_bytes=self._settings.minimum_free_bytes,
        )
        self._notes = NoteTaker(spool)
        self._tls = make_server_context(self._settings.tls)
        self._lock = threading.Lock()
        self._half_open: OrderedDict[int, socket.socket] = OrderedDict()
        self._established = 0
        self._server: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port that was bound."""
        if self._server is None:
            raise RuntimeError("The listener has not been started")
        return int(self._server.getsockname()[1])

    def bind(self) -> None:
        """Bind the port.

        Raises:
            OSError: The address is in use or not this host's.
        """
        family = socket.AF_INET6 if ":" in self._settings.address else socket.AF_INET
        server = socket.socket(family, socket.SOCK_STREAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._settings.processes > 1:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind((self._settings.address, self._settings.port))
        server.listen(BACKLOG)
        self._server = server

    def serve(self) -> None:
        """Accept until ``stop``."""
        if self._server is None:
            self.bind()
        server = self._server
        while server is not None:
            try:
                connection, peer = server.accept()
            except OSError:
                if self._server is None:
                    return
                log.exception("Cannot accept a connection")
                time.sleep(ACCEPT_PAUSE_SECONDS)  # no descriptors left: let some connections end
                continue
            self._begin(connection, str(peer[0]))

    def _begin(self, connection: socket.socket, address: str) -> None:
        """Give a connection its thread; one that gets none costs nobody else anything."""
        key = connection.fileno()
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._make_room(connection)
            threading.Thread(target=self._run, args=(connection, address), daemon=True).start()
        except (OSError, RuntimeError):
            log.exception("Cannot serve a connection")
            self._forget(key)
            connection.close()

    def finish_associations(self, seconds: float) -> bool:
        """After ``stop``: wait until the established associations are over; False if not all."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self._lock:
                if not self._established:
                    return True
            time.sleep(0.05)
        log.warning("Associations are cut off; what they had not finished is sent again")
        return False

    def stop(self) -> None:
        """Stop accepting; associations that stand go on."""
        server, self._server = self._server, None
        if server is not None:
            try:
                server.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("The listening socket was closed already")
            server.close()

    def _make_room(self, connection: socket.socket) -> None:
        """Remember a connection without association; the oldest goes when there are too many."""
        with self._lock:
            self._half_open[connection.fileno()] = connection
            while len(self._half_open) > self._settings.maximum_half_open:
                _, oldest = self._half_open.popitem(last=False)
                _shut(oldest)

    def _run(self, connection: socket.socket, address: str) -> None:
        key = connection.fileno()
        claims: list[bool] = []
        association: AcceptedAssociation | None = None
        try:
            wrapped = self._wrap(connection, key)
            association = AcceptedAssociation(
                wrapped, address, self._admission, self._reception, self._notes.take
            )
            if association.negotiate(self._settings, lambda: self._claim(claims)):
                self._forget(key)
                association.serve()
        except ProtocolError as error:
            log.info("Association with %s ended: %s", address, error)
            if association is not None:
                association.abort()
        except OSError as error:
            log.info("Connection of %s ended: %s", address, type(error).__name__)
        finally:
            self._forget(key)
            with self._lock:
                self._established -= sum(claims)
            if association is not None:
                association.close()
            connection.close()

    def _claim(self, claims: list[bool]) -> bool:
        """Take one of the places for associations, if there is one."""
        with self._lock:
            claims.append(self._established < self._settings.maximum_associations)
            self._established += claims[-1]
            return claims[-1]

    def _wrap(self, connection: socket.socket, key: int) -> socket.socket:
        if self._tls is None:
            return connection
        wrapped = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            if key in self._half_open:
                self._half_open[key] = wrapped
        return wrapped

    def _forget(self, key: int) -> None:
        with self._lock:
            self._half_open.pop(key, None)


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("A half-open connection was gone already")
