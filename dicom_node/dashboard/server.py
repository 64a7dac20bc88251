"""Runs the dashboard under uvicorn."""

import uvicorn

from dicom_node.dashboard.app import make_app
from dicom_node.index import Index
from dicom_node.ledger import Ledger
from dicom_node.schema import create_tables, open_database
from dicom_node.settings import Configuration


def run_dashboard(configuration: Configuration) -> int:
    """Serve until the process is told to end."""
    settings = configuration.dashboard
    engine = open_database(configuration.database_url)
    create_tables(engine)
    uvicorn.run(
        make_app(configuration, Ledger(Index(engine))),
        host=settings.address,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    return 0
