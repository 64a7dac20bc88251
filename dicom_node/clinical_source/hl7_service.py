"""The node's HL7 part: the MLLP listener, and forgetting what is old."""

import asyncio
import logging
import signal
import time

from dicom_node.clinical_source.hl7_listener import MllpListener
from dicom_node.clinical_source.hl7_store import Hl7Store, store_path
from dicom_node.clinical_source.opening import mllp_limits, mllp_tls
from dicom_node.settings import Configuration

log = logging.getLogger(__name__)

SECONDS_PER_DAY = 86400.0
SWEEP_SECONDS = 3600.0


def run_hl7(configuration: Configuration) -> int:
    """Receive messages until SIGTERM."""
    path = store_path(configuration)
    path.parent.mkdir(parents=True, exist_ok=True)
    store = Hl7Store(path)
    try:
        asyncio.run(_serve(configuration, store))
    finally:
        store.close()
    return 0


async def _serve(configuration: Configuration, store: Hl7Store) -> None:
    feed = configuration.clinical.hl7
    listener = MllpListener(store, mllp_limits(feed))
    port = await listener.start(feed.address, feed.port, mllp_tls(feed))
    log.info("Listening for HL7 on port %d", port)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    while not stop.is_set():
        oldest = time.time() - feed.keep_days * SECONDS_PER_DAY
        forgotten = await asyncio.to_thread(store.forget, oldest)
        if forgotten:
            log.info("%d HL7 messages older than %g days deleted", forgotten, feed.keep_days)
        try:
            async with asyncio.timeout(SWEEP_SECONDS):
                await stop.wait()
        except TimeoutError:
            continue
    await listener.stop()
