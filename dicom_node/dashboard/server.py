"""Runs the dashboard under uvicorn."""

import ssl

import uvicorn

from dicom_node.dashboard.app import make_app
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.listener import CIPHERS
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Configuration

CONNECTIONS = 200
KEEP_ALIVE_SECONDS = 10


def run_dashboard(configuration: Configuration) -> int:
    """Serve until the process is told to end."""
    settings = configuration.dashboard
    engine = open_database(configuration.database_url)
    create_tables(engine)
    server = uvicorn.Config(
        make_app(configuration, Ledger(Index(engine))),
        host=settings.address,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        proxy_headers=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
        ssl_ciphers=CIPHERS,
    )
    server.load()
    if server.ssl is not None:
        server.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    uvicorn.Server(server).run()
    return 0
