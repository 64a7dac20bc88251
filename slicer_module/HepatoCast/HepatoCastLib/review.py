"""Accept or reject, lesion by lesion: a row per segment with two boxes. Only Qt and names here."""

from collections.abc import Sequence
from typing import Any

import qt

from HepatoCastLib.correcting import ACCEPTED, NOT_REVIEWED, REJECTED

COLUMN_OF = {ACCEPTED: 1, REJECTED: 2}
TITLES = ("Lesion", "Accept", "Reject")


class ReviewTable:
    """Fills a QTableWidget with lesions and reads the decisions back."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._identifiers: list[str] = []
        table.connect("itemChanged(QTableWidgetItem*)", self._take)

    def show(self, lesions: Sequence[tuple[str, str]]) -> None:
        """List lesions as (segment ID, name); decisions already made stay."""
        made = dict(self.decisions())
        self._identifiers = []
        self._table.clear()
        self._table.setRowCount(len(lesions))
        self._table.setColumnCount(len(TITLES))
        self._table.setHorizontalHeaderLabels(list(TITLES))
        for row, (identifier, name) in enumerate(lesions):
            cell = qt.QTableWidgetItem(name)
            cell.setFlags(qt.Qt.ItemIsEnabled)
            self._table.setItem(row, 0, cell)
            for decision, column in COLUMN_OF.items():
                box = qt.QTableWidgetItem()
                box.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
                chosen = made.get(identifier) == decision
                box.setCheckState(qt.Qt.Checked if chosen else qt.Qt.Unchecked)
                self._table.setItem(row, column, box)
            self._identifiers.append(identifier)

    def forget(self) -> None:
        """Drop every decision; another result is shown."""
        for row in range(len(self._identifiers)):
            for column in COLUMN_OF.values():
                self._table.item(row, column).setCheckState(qt.Qt.Unchecked)

    def decide(self, identifier: str, decision: str) -> None:
        """Tick a box, as a click would."""
        row = self._identifiers.index(identifier)
        self._table.item(row, COLUMN_OF[decision]).setCheckState(qt.Qt.Checked)

    def decisions(self) -> tuple[tuple[str, str], ...]:
        """Segment ID and decision of every row."""
        return tuple(
            (identifier, self._decision(row)) for row, identifier in enumerate(self._identifiers)
        )

    def _decision(self, row: int) -> str:
        for decision, column in COLUMN_OF.items():
            if self._table.item(row, column).checkState() == qt.Qt.Checked:
                return decision
        return NOT_REVIEWED

    def _take(self, box: Any) -> None:
        """Yes and no exclude each other."""
        if box.column() not in COLUMN_OF.values() or box.checkState() != qt.Qt.Checked:
            return
        other = self._table.item(box.row(), sum(COLUMN_OF.values()) - box.column())
        if other is not None:
            other.setCheckState(qt.Qt.Unchecked)
