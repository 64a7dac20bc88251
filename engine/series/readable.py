"""The best series whose pixels can be read."""

from dataclasses import replace

from engine.errors import NoEligibleSeriesError, PixelDataError
from engine.series.assembly import assemble_volume
from engine.series.input import StudyScan
from engine.series.selection import Selection, group_key, select_series
from engine.values.model import InputCriteria
from engine.values.progress import Progress
from engine.values.volume import Volume


def read_reference(
    scan: StudyScan, criteria: InputCriteria, progress: Progress
) -> tuple[Selection, Volume]:
    """Assemble the reference series; where its pixels are damaged, the next best one.

    A damaged series is never passed over silently: it is refused in the selection's
    decisions and named in the volume's notes.

    Raises:
        NoEligibleSeriesError: No series fits the model.
        PixelDataError: Every series that fits is damaged; the first one's reason.
    """
    damaged: dict[tuple[str, str], str] = {}
    first: PixelDataError | None = None
    notes: list[str] = []
    while True:
        try:
            selection = select_series(scan, criteria, damaged)
        except NoEligibleSeriesError:
            if first is not None:
                raise first from None
            raise
        progress(0.4, "series selected")
        chosen = selection.reference
        try:
            volume = assemble_volume(chosen.group, phase=chosen.phase)
        except PixelDataError as error:
            first = first or error
            damaged[group_key(chosen.group)] = f"its pixels cannot be read: {error}"
            notes.append(
                f"Series {chosen.group.series.series_number} would have been analyzed, but its "
                f"pixels cannot be read ({error}). Another series was used; send this one again."
            )
            continue
        return selection, replace(volume, notes=(*notes, *volume.notes))
