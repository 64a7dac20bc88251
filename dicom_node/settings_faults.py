"""Faults of well-typed settings: DICOMweb servers and earlier studies."""

import difflib
import ipaddress
from urllib.parse import urlsplit

from dicom_node.settings import Configuration, PriorRule, WebServer

METHODS = ("get", "move")


def is_title(title: str) -> bool:
    """Tell whether a text is an AE title (PS3.5 6.2, VR AE)."""
    return 0 < len(title.strip()) <= 16 and title.isascii() and title.isprintable()


def refers(what: str, name: str, names: list[str], where: str) -> list[str]:
    """A fault when no table of that kind has the name, with the nearest one."""
    if name in names:
        return []
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
    return [f"{where}: no {what} is named {name!r}" + (f"; nearest is {near[0]!r}" if near else "")]


def find_destination_faults(c: Configuration) -> list[str]:
    """Destinations that name no or two places to send to."""
    faults = []
    for d in c.destination:
        where = f"Destination {d.name!r}"
        if [bool(d.peer), bool(d.web), bool(d.fhir)].count(True) != 1:
            faults.append(f"{where} needs either 'peer' or 'web' (or 'fhir')")
        if d.peer:
            faults += refers("peer", d.peer, [p.name for p in c.peer], where)
        if d.web:
            faults += refers("web", d.web, [s.name for s in c.web], where)
        if d.fhir:
            faults += refers("FHIR server", d.fhir, [s.name for s in c.clinical.fhir], where)
    return faults


def find_web_faults(c: Configuration) -> list[str]:
    """Everything wrong with [[web]]."""
    names = [server.name for server in c.web]
    faults = [f"Two of [[web]] are named {n!r}" for n in sorted(set(names)) if names.count(n) > 1]
    for server in c.web:
        faults += [f"Web server {server.name!r}: {fault}" for fault in _server_faults(server)]
    return faults


def _server_faults(server: WebServer) -> list[str]:
    parts = urlsplit(server.url)
    has_secret = server.token_file is not None or bool(server.user)
    tls = server.tls
    files = (server.token_file, server.password_file, tls.certificate, tls.key, tls.authorities)
    checks = [
        (parts.scheme in ("http", "https") and bool(parts.hostname),
         "'url' must begin with http:// or https:// and name a host"),
        (parts.username is None and parts.password is None,
         "'url' must hold no password; use 'user' and 'password_file'"),
        (not (parts.query or parts.fragment), "'url' must have no '?' and no '#'"),
        (not has_secret or parts.scheme == "https" or is_loopback(parts.hostname or ""),
         "a token or password would travel in the clear; use https"),
        (server.token_file is None or not server.user,
         "'token_file' and 'user' exclude each other"),
        (bool(server.user) == (server.password_file is not None),
         "'user' and 'password_file' belong together"),
        ((tls.certificate is None) == (tls.key is None), "needs both 'certificate' and 'key'"),
        (server.connect_seconds > 0 and server.answer_seconds > 0,
         "'connect_seconds' and 'answer_seconds' must be above 0"),
    ]  # fmt: skip
    faults = [text for fine, text in checks if not fine]
    return faults + [f"no such file: {f}" for f in files if f is not None and not f.is_file()]


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this host's own and nobody else's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def find_prior_faults(c: Configuration) -> list[str]:
    """Everything wrong with [[prior]]."""
    names = [prior.name for prior in c.prior]
    faults = [f"Two of [[prior]] are named {n!r}" for n in sorted(set(names)) if names.count(n) > 1]
    for rule in c.rule:
        if rule.priors:
            faults += refers("prior", rule.priors, names, f"Rule {rule.name!r}")
    for prior in c.prior:
        where = f"Prior rule {prior.name!r}"
        if prior.peer:
            faults += refers("peer", prior.peer, [p.name for p in c.peer], where)
        if prior.web:
            faults += refers("web", prior.web, [s.name for s in c.web], where)
        faults += [f"{where}: {fault}" for fault in _prior_faults(prior, c)]
    return faults


def _prior_faults(prior: PriorRule, c: Configuration) -> list[str]:
    moves = bool(prior.peer) and prior.method == "move"
    checks = [
        (bool(prior.peer) != bool(prior.web), "needs either 'peer' or 'web'"),
        (prior.method in METHODS, "'method' must be get or move"),
        (not moves or (is_title(prior.move_title) and prior.move_title != c.ae_title),
         "C-MOVE needs 'move_title', an AE title other than the node's own"),
        (bool(prior.modalities), "'modalities' must name at least one"),
        (prior.maximum_age_days > 0, "'maximum_age_days' must be above 0"),
        (prior.maximum_studies >= 1, "'maximum_studies' must be at least 1"),
        (prior.maximum_instances >= 1, "'maximum_instances' must be at least 1"),
        (prior.maximum_bytes >= 1, "'maximum_bytes' must be above 0"),
        (prior.timeout_seconds > 0, "'timeout_seconds' must be above 0"),
        (prior.attempts >= 1, "'attempts' must be at least 1"),
        (prior.retry_seconds > 0, "'retry_seconds' must be above 0"),
        (prior.wait_seconds >= 0, "'wait_seconds' must not be below 0"),
    ]  # fmt: skip
    return [text for fine, text in checks if not fine]
