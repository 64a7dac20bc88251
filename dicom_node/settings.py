# ruff: noqa: RUF009  (setting() and needed() are dataclass fields with their documentation)
"""Every setting of the node as frozen values; ``doc`` of a field is its documentation.

A setting's unit is in its name. Defaults suit one hospital with one PACS and one device.
"""

from dataclasses import dataclass
from pathlib import Path

from dicom_node.clinical_source.settings import Clinical, FhirServer
from dicom_node.setting_fields import needed, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS after BCP 195: 1.2 and later, forward secrecy, both sides authenticated."""

    certificate: Path | None = setting(None, "PEM chain of this node; empty: no TLS.")
    key: Path | None = setting(None, "PEM private key of this node.")
    authorities: Path | None = setting(None, "PEM bundle of the authorities peers are checked by.")
    mutual: bool = setting(True, "Demand a certificate from the peer as well.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """The DIMSE door."""

    address: str = setting("127.0.0.1", "Address to bind; 0.0.0.0 for every interface.")
    port: int = setting(11112, "TCP port (IANA: 11112 dicom, 2762 dicom-tls).")
    processes: int = setting(1, "Receiving processes sharing the port (SO_REUSEPORT).")
    known_peers_only: bool = setting(True, "Accept associations from configured peers only.")
    check_called_title: bool = setting(True, "Reject associations that call another AE title.")
    maximum_associations: int = setting(64, "Established associations at once; more are rejected.")
    maximum_half_open: int = setting(64, "Connections without an association; the oldest goes.")
    association_seconds: float = setting(10.0, "Time a connection has to propose an association.")
    idle_seconds: float = setting(60.0, "Longest silence within an association.")
    maximum_pdu_bytes: int = setting(131072, "PDU length offered to senders; 0: any (streamed).")
    maximum_instance_bytes: int = setting(4 << 30, "Largest dataset that is taken.")
    minimum_free_bytes: int = setting(2 << 30, "Refuse (A700) when the disk has less room left.")
    durability: str = setting(
        "journal",
        "What Success promises. journal: name and content survive a power cut (rename, then one "
        "fsync; ext4 and XFS). strict: fsync, rename, fsync of the folder (any file system). "
        "none: survives a crash of the node only.",
    )
    tls: Tls = setting(Tls(), "TLS of this door.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A DICOM application the node talks to."""

    name: str = needed("Name used in this file and on the dashboard.")
    ae_title: str = needed("AE title, at most 16 characters.")
    host: str = needed("Host name or address.")
    port: int = needed("Port of its DIMSE door.")
    may_send: bool = setting(True, "May open associations to this node (title and address).")
    tls: Tls = setting(Tls(), "TLS towards this peer.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServer:
    """A DICOMweb server (PS3.18) the node sends to or asks."""

    name: str = needed("Name used in this file and on the dashboard.")
    url: str = needed("Base address, e.g. https://pacs/dicom-web; no other address is contacted.")
    token_file: Path | None = setting(None, "File with a bearer token; read for every request.")
    user: str = setting("", "User of HTTP Basic authentication.")
    password_file: Path | None = setting(None, "File with that user's password.")
    connect_seconds: float = setting(10.0, "Longest time to connect.")
    answer_seconds: float = setting(120.0, "Longest silence of the server.")
    maximum_answer_bytes: int = setting(64 << 20, "Largest answer to a store or a query.")
    tls: Tls = setting(
        Tls(), "authorities: empty for the system's own; certificate and key: mutual TLS."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where results go and when they count as delivered."""

    name: str = needed("Name used on the dashboard.")
    peer: str = setting("", "Name of the peer (C-STORE); one of peer, web, fhir.")
    web: str = setting("", "Name of the DICOMweb server (STOW-RS); one of peer, web, fhir.")
    fhir: str = setting(
        "", "Name of the [[clinical.fhir]] server that takes DiagnosticReport and RiskAssessment."
    )
    kinds: tuple[str, ...] = setting(
        ("SEG", "SR", "SC", "PDF"), "Objects this destination can show; RTSTRUCT on request."
    )
    confirm: str = setting(
        "commitment",
        "Delivered when: commitment (storage commitment; QIDO-RS read-back for web), "
        "find (C-FIND or QIDO-RS read-back), none (C-STORE Success, STOW-RS response).",
    )
    confirm_seconds: float = setting(120.0, "Wait this long for the commitment report.")
    first_retry_seconds: float = setting(10.0, "Pause after the first failure; doubles.")
    maximum_retry_seconds: float = setting(3600.0, "Longest pause between tries.")
    give_up_days: float = setting(7.0, "After this long the delivery goes to the dead letters.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """When a study counts as complete (DESIGN decision 7)."""

    quiet_seconds: float = setting(60.0, "No new instance for this long.")
    count_peer: str = setting("", "Peer asked by C-FIND how many instances the study has.")
    count_patience_seconds: float = setting(
        900.0, "Start anyway when the counts still differ after this long; recorded in the result."
    )
    poll_seconds: float = setting(1.0, "How often arrivals are looked at.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """How the engine is run."""

    process: str = setting(
        "warm",
        "warm: one process per device runs warm_command and keeps its models loaded; "
        "fresh: every study gets a process of its own, which runs command.",
    )
    command: tuple[str, ...] = setting(
        ("hepatocast", "analyze"),
        "Program and first arguments of a fresh process; the node appends STUDY --out DIR "
        "--job-id ID --json-lines.",
    )
    warm_command: tuple[str, ...] = setting(
        ("hepatocast", "work"),
        "Program and first arguments of a warm process; the node appends --device and "
        "--concurrent and sends studies as JSON lines.",
    )
    studies_per_device: int = setting(
        2, "Studies a warm process has under way at once; each needs 1 to 3 GB of memory."
    )
    windows_per_run: int = setting(
        0, "Most image windows of concurrent studies in one run; 0: 1 on a CPU, 4 on a GPU."
    )
    recycle_after_studies: int = setting(
        500, "A warm process is replaced, when it is idle, after so many studies; 0: never."
    )
    model: str = setting("", "Model package folder; empty: the engine's own.")
    devices: tuple[str, ...] = setting(
        ("cpu",), "cpu, cuda, auto, or cuda:1 for the second GPU; one process owns each."
    )
    when_off: str = setting(
        "wait",
        "Jobs of a model package that is switched off: wait, or not-analyzed (they end with "
        "explicit 'not analyzed' objects).",
    )
    self_test: tuple[str, ...] = setting(
        ("hepatocast", "model", "verify"),
        "Program that proves a model package; `check` appends its name. Empty: none.",
    )
    attempts: int = setting(3, "Failures of the engine before a study is a dead letter.")
    retry_seconds: float = setting(30.0, "Pause before the engine is tried again; doubles.")
    timeout_seconds: float = setting(3600.0, "Longest run of the engine.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Which studies are analyzed; the first rule that fits decides."""

    name: str = needed("Name shown by `rules try` and on the dashboard.")
    modalities: tuple[str, ...] = setting(("CT",), "Modalities that are analyzed.")
    sources: tuple[str, ...] = setting((), "Calling AE titles; empty: any.")
    description_contains: tuple[str, ...] = setting((), "Words of Study Description; empty: any.")
    body_parts: tuple[str, ...] = setting((), "Body Part Examined; empty: any.")
    minimum_instances: int = setting(1, "Fewest instances of these modalities.")
    model: str = setting("", "Model package for these studies; empty: [analysis] model.")
    priority: int = setting(100, "Lower runs earlier, 1 to 1000.")
    destinations: tuple[str, ...] = setting((), "Names of destinations; empty: all.")
    analyze: bool = setting(True, "false: keep the study, do nothing.")
    shadow: bool = setting(False, "Analyze and keep the result here; deliver nothing.")
    priors: str = setting("", "Name of the [[prior]] rule for earlier studies; empty: none.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorRule:
    """Which earlier studies of the same patient are fetched, from where and within what limits."""

    name: str = needed("Name that [[rule]] priors refers to.")
    peer: str = setting("", "Peer asked by C-FIND; either this or web.")
    web: str = setting("", "DICOMweb server asked by QIDO-RS and WADO-RS; either this or peer.")
    method: str = setting("get", "From a peer: get (C-GET) or move (C-MOVE to move_title).")
    move_title: str = setting(
        "",
        "Second AE title of this node for C-MOVE, known to the peer with the node's address and "
        "port; what comes to it is kept as a prior and never analyzed as new work.",
    )
    modalities: tuple[str, ...] = setting(("CT",), "Modalities of the series that are fetched.")
    body_parts: tuple[str, ...] = setting((), "Body Part Examined of a series; empty: any.")
    description_contains: tuple[str, ...] = setting(
        (), "Words of Study or Series Description that fit as well as a body part; empty: any."
    )
    maximum_age_days: float = setting(1826.0, "Longest time before the current study.")
    maximum_studies: int = setting(2, "Most earlier studies; the latest ones are taken.")
    maximum_instances: int = setting(4000, "Most instances of one earlier study.")
    maximum_bytes: int = setting(4 << 30, "Most bytes of one earlier study.")
    timeout_seconds: float = setting(600.0, "Longest time to fetch one earlier study.")
    attempts: int = setting(3, "Tries before the search is given up.")
    retry_seconds: float = setting(60.0, "Pause after the first failed try; doubles.")
    wait_seconds: float = setting(
        0.0, "Hold the analysis back for the priors at most this long; 0: never."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where state lives."""

    folder: Path = needed("This host's own state: spool and scratch.")
    shared_folder: Path | None = setting(
        None, "Images and results; shared between hosts when there are several. Empty: in folder."
    )
    database: str = setting("", "SQLAlchemy URL of PostgreSQL for several hosts; empty: SQLite.")
    images_days: float = setting(30.0, "Images are deleted this long after their study finished.")
    results_days: float = setting(365.0, "Results are deleted this long after delivery.")
    sweep_seconds: float = setting(3600.0, "How often retention looks.")
    watch_folder: Path | None = setting(None, "DICOM files laid here are taken in and removed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Several hosts on one database."""

    heartbeat_seconds: float = setting(5.0, "How often a host says it is alive.")
    dead_after_seconds: float = setting(30.0, "Silence after which others take its jobs.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """The web dashboard and the STOW-RS door."""

    enabled: bool = setting(True, "Serve the dashboard.")
    address: str = setting("127.0.0.1", "Address to bind.")
    port: int = setting(8042, "TCP port.")
    token: str = setting("", "Login token, at least 16 characters; best given by environment.")
    stow_token: str = setting("", "Bearer token of the STOW-RS door; empty: the door is shut.")
    stow_maximum_bytes: int = setting(2 << 30, "Largest STOW-RS request.")
    session_hours: float = setting(8.0, "A login lasts this long.")
    certificate: Path | None = setting(None, "PEM chain for HTTPS.")
    key: Path | None = setting(None, "PEM private key for HTTPS.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """ATNA audit messages (PS3.15 A.5)."""

    file: Path | None = setting(None, "Audit messages, one XML document per line.")
    syslog_host: str = setting("", "Syslog receiver (RFC 5424 over UDP, RFC 5426).")
    syslog_port: int = setting(514, "Port of the syslog receiver.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The whole configuration of one node."""

    ae_title: str = setting("HEPATOCAST", "AE title of this node.")
    host_id: str = setting("node-1", "Stable name of this host; unique among hosts.")
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR.")
    storage: Storage = needed("Where state lives.")
    listener: Listener = setting(Listener(), "The DIMSE door.")
    completeness: Completeness = setting(Completeness(), "When a study counts as complete.")
    analysis: Analysis = setting(Analysis(), "How the engine is run.")
    hosts: Hosts = setting(Hosts(), "Several hosts on one database.")
    dashboard: Dashboard = setting(Dashboard(), "Dashboard and STOW-RS.")
    audit: Audit = setting(Audit(), "Audit messages.")
    peer: tuple[Peer, ...] = setting((), "DICOM applications the node talks to.")
    destination: tuple[Destination, ...] = setting((), "Where results go.")
    web: tuple[WebServer, ...] = setting((), "DICOMweb servers the node talks to.")
    rule: tuple[Rule, ...] = setting((), "Which studies are analyzed; empty: every CT.")
    prior: tuple[PriorRule, ...] = setting((), "Which earlier studies are fetched.")
    clinical: Clinical = setting(Clinical(), "Where clinical values come from.")

    def find_peer(self, name: str) -> Peer:
        """The peer of that name; the configuration has been checked to have it."""
        return next(peer for peer in self.peer if peer.name == name)

    def find_web(self, name: str) -> WebServer:
        """The DICOMweb server of that name; the configuration has been checked to have it."""
        return next(server for server in self.web if server.name == name)

    def find_fhir(self, name: str) -> FhirServer:
        """The FHIR server of that name; the configuration has been checked to have it."""
        return next(server for server in self.clinical.fhir if server.name == name)

    def find_prior_rule(self, rule_name: str) -> PriorRule | None:
        """How the priors of a routing rule's studies are found; None when it wants none."""
        wanted = next((rule.priors for rule in self.rule if rule.name == rule_name), "")
        return next((prior for prior in self.prior if prior.name == wanted), None)

    def find_destination(self, name: str) -> Destination | None:
        """The destination of that name, or None."""
        return next((d for d in self.destination if d.name == name), None)

    @property
    def spool(self) -> Path:
        """Where the doors lay what they took."""
        return self.storage.folder / "spool"

    @property
    def scratch(self) -> Path:
        """Where unfinished work lies."""
        return self.storage.folder / "scratch"

    @property
    def shared(self) -> Path:
        """Images and results."""
        return self.storage.shared_folder or self.storage.folder

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the index and the jobs."""
        return self.storage.database or f"sqlite:///{self.storage.folder / 'node.sqlite'}"
