"""Decode JPEG in processes of its own, because GDCM can take its process down.

On damaged Huffman tables GDCM throws C++ exceptions that nobody catches and reads past its
buffers; a hostile image must not end the engine. A crash of the child process reaches the
caller as ``BrokenProcessPool``, a RuntimeError.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import wait

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFrame:
    """One compressed gray frame in 16 allocated bits, with what a decoder must know of it."""

    transfer_syntax_uid: str
    rows: int
    columns: int
    bits_stored: int
    signed: bool
    codestream: bytes


Decode = Callable[[PackedFrame], NDArray[np.generic]]


def start_processes() -> ProcessPoolExecutor:
    """Processes that decode; they start when first used and end with the context.

    They are spawned, never forked: the engine holds threads and native libraries.
    """
    return ProcessPoolExecutor(
        PROCESSES,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=end_with_the_parent,
    )


def end_with_the_parent() -> None:
    """Make this process end when the one that started it is gone, even by kill -9.

    A pool's worker holds both ends of its own queue and would wait for work for ever, with
    the engine's standard output still open.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def decode_with_gdcm(frame: PackedFrame) -> NDArray[np.generic]:
    """Decode one frame in this process (the child's work).

    Raises:
        RuntimeError: GDCM reports a failure; a worse one ends the process.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(frame.transfer_syntax_uid)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = frame.rows, frame.columns
    dataset.BitsAllocated, dataset.BitsStored = 16, frame.bits_stored
    dataset.HighBit = frame.bits_stored - 1
    dataset.PixelRepresentation = int(frame.signed)
    dataset.PixelData = encapsulate([frame.codestream])
    dataset["PixelData"].is_undefined_length = True
    decoder = get_decoder(UID(frame.transfer_syntax_uid))
    values, _ = decoder.as_array(dataset, index=0, raw=True, decoding_plugin="gdcm")
    return values
