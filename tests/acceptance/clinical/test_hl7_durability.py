"""Acknowledged means on disk: the listener dies without a warning and nothing is lost."""

import subprocess
import sys
from pathlib import Path

from dicom_node.clinical_source.hl7_store import Hl7Store
from tests.phantoms.hl7_messages import oru
from tests.phantoms.mllp import Peer

ROOT = Path(__file__).parents[3]
MESSAGES = 50

LISTENER = """
import asyncio, sys
from pathlib import Path
from dicom_node.clinical_source.hl7_listener import MllpListener
from dicom_node.clinical_source.hl7_store import Hl7Store

async def main():
    listener = MllpListener(Hl7Store(Path(sys.argv[1])))
    print(await listener.start("127.0.0.1", 0), flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_every_acknowledged_message_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "hl7.sqlite"
    listener = subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert listener.stdout is not None
    port = int(listener.stdout.readline())
    with Peer(port) as peer:
        for number in range(MESSAGES):
            text = oru("NM|1834-1^AFP^LN||10|ng/mL|||||F", control=f"m{number}", order=f"f{number}")
            assert f"MSA|AA|m{number}".encode() in peer.exchange(text.encode())
        listener.kill()
        listener.wait(10)
    listener.stdout.close()
    store = Hl7Store(path)
    kept = [m.message.control_id for m in store.messages_of("4711", "HOSP_A")]
    store.close()
    assert kept == [f"m{number}" for number in range(MESSAGES)]
