"""Clinical values typed by hand: one row per value, with unit and date. Only Qt here."""

from typing import Any

import qt

from HepatoCastLib.notice import Notice

TITLES = ("Value", "Number or word", "Unit", "Date (YYYY-MM-DD)")
# Analyte keys and the units they are usually typed in; the engine converts and checks.
ROWS = (
    ("afp", "AFP", "ng/mL"),
    ("albumin", "Albumin", "g/dL"),
    ("bilirubin_total", "Bilirubin, total", "mg/dL"),
    ("inr", "INR", "1"),
    ("creatinine", "Creatinine", "mg/dL"),
    ("sodium", "Sodium", "mmol/L"),
    ("platelets", "Platelets", "10*9/L"),
    ("alt", "ALT", "U/L"),
    ("ast", "AST", "U/L"),
    ("ascites", "Ascites (absent, slight, moderate)", "1"),
    ("encephalopathy", "Encephalopathy (absent, grade 1-2, grade 3-4)", "1"),
    ("ecog", "ECOG (0 to 4)", "1"),
)
PAUSE_MS = 300


class ClinicalTable:
    """Fills a QTableWidget and tells ``changed(rows)`` a moment after the last edit."""

    def __init__(self, table: Any) -> None:
        self.changed = Notice()
        self._table = table
        self._filling = False
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.connect("timeout()", lambda: self.changed(self.rows()))
        table.connect("itemChanged(QTableWidgetItem*)", self._take)
        self.clear()

    def clear(self) -> None:
        """Empty rows; the next scene is another patient's."""
        self._timer.stop()
        self._filling = True
        self._table.clear()
        self._table.setRowCount(len(ROWS))
        self._table.setColumnCount(len(TITLES))
        self._table.setHorizontalHeaderLabels(list(TITLES))
        for row, (_, name, unit) in enumerate(ROWS):
            title = qt.QTableWidgetItem(name)
            title.setFlags(qt.Qt.ItemIsEnabled)
            self._table.setItem(row, 0, title)
            for column, text in ((1, ""), (2, unit), (3, "")):
                self._table.setItem(row, column, qt.QTableWidgetItem(text))
        self._filling = False

    def type_in(self, analyte: str, value: str, date: str, unit: str = "") -> None:
        """Type one row, as a person would."""
        row = [key for key, _, _ in ROWS].index(analyte)
        for column, text in ((2, unit), (3, date), (1, value)):
            if text:
                self._table.item(row, column).setText(text)

    def rows(self) -> list[dict[str, str]]:
        """The rows that hold a value, as the engine takes them."""
        found = []
        for row, (analyte, _, _) in enumerate(ROWS):
            value, unit, date = (self._table.item(row, c).text().strip() for c in (1, 2, 3))
            if value:
                found.append({"analyte": analyte, "value": value, "unit": unit, "date": date})
        return found

    def _take(self, _item: Any) -> None:
        if not self._filling:
            self._timer.start()
