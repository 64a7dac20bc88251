"""Reading a cohort's tables into one numeric matrix with outcomes."""

import csv
import fnmatch
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.errors import InputError
from engine.training.landmarks import landmark_rows, visit_rows
from engine.training.outcome import Booleans, Floats, Integers, Outcome
from engine.training.recipe import OutcomeSpec, PredictorSpec, Recipe
from engine.training.synthetic import synthetic_rows

MONTHS_PER = {"days": 1 / 30.4375, "weeks": 7 / 30.4375, "months": 1.0, "years": 12.0}
EMPTY = frozenset({"", "na", "nan", "null", "none", "[not available]", "[unknown]"})
Row = dict[str, str]


class CohortError(InputError):
    """A cohort table cannot be used as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One predictor column of a cohort."""

    name: str
    modality: str
    transform: str = "identity"
    spec: PredictorSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Counting-process rows of repeated visits: values hold from start to stop.

    Attributes:
        values: Same columns as the cohort, shape (m, p).
        start, stop: Months since the first visit, shape (m,).
        event: True where the row ends with the event, shape (m,).
        patients: Patient number of each row, as in the cohort, shape (m,).
    """

    values: Floats
    start: Floats
    stop: Floats
    event: Booleans
    patients: Integers

    def of_patients(self, patients: Integers) -> "Visits":
        """The visits of some patients."""
        rows = np.isin(self.patients, patients)
        return Visits(
            values=self.values[rows],
            start=self.start[rows],
            stop=self.stop[rows],
            event=self.event[rows],
            patients=self.patients[rows],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Patients with predictors and outcome.

    Attributes:
        name: Recipe's cohort, for reports.
        columns: The p predictors.
        values: Shape (n, p); NaN where missing.
        outcome: Times in months.
        patients: Patient number of each row (rows of one patient share it), shape (n,).
        strata: Rows of different strata (landmarks, centers) are never compared, shape (n,).
        cause: What happened first: 0 nothing seen, 1 the event, 2 the competing event,
            shape (n,); None without competing risks. ``outcome.event`` is cause 1.
        visits: The visits behind landmark rows, for time-updated models.
        extra: Further numeric columns by name (subgroups, reference stages), shape (n,).
        notes: What was left out on reading, for the report.
    """

    name: str
    columns: tuple[Column, ...]
    values: Floats
    outcome: Outcome
    patients: Integers
    strata: Integers
    cause: Integers | None = None
    visits: Visits | None = None
    extra: Mapping[str, Floats] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def ranking(self) -> Outcome:
        """The outcome for ordering patients: after a competing event the event never comes.

        Such patients count as event-free longer than anybody (doi:10.1097/EDE.0b013e3181a39056).
        """
        if self.cause is None:
            return self.outcome
        never = self.cause > 1
        later = float(self.outcome.time.max()) + 1.0
        return Outcome(np.where(never, later, self.outcome.time), self.outcome.event)

    def take(self, rows: Integers | Booleans) -> "Cohort":
        """Some rows of the cohort."""
        return replace(
            self,
            values=self.values[rows],
            outcome=self.outcome.take(rows),
            patients=self.patients[rows],
            strata=self.strata[rows],
            cause=None if self.cause is None else self.cause[rows],
            visits=self.visits and self.visits.of_patients(self.patients[rows]),
            extra={name: column[rows] for name, column in self.extra.items()},
        )

    def comparison_groups(self, folds: Integers) -> Integers:
        """Numbers shared by rows that may be compared: same fold, same stratum."""
        return folds * (int(self.strata.max()) + 1) + self.strata

    def of_modalities(self, modalities: tuple[str, ...]) -> Integers:
        """Indices of the columns of some modalities; all when empty."""
        wanted = [
            k for k, c in enumerate(self.columns) if not modalities or c.modality in modalities
        ]
        return np.array(wanted, np.int64)


def read_table(path: Path) -> list[Row]:
    """Rows of a CSV or gzipped CSV file.

    Raises:
        CohortError: The file is missing, empty or no CSV.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
                rows = list(csv.DictReader(stream))
        else:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CohortError(f"Cohort table {path.name} cannot be read: {error}") from error
    if not rows:
        raise CohortError(f"Cohort table {path.name} has no rows")
    return rows


def read_cohort(recipe: Recipe, folder: Path) -> Cohort:
    """Read the cohort of a recipe from a folder of tables.

    Rows without a usable outcome are left out and counted in ``notes``.

    Raises:
        CohortError: A table or column is missing, or a cell cannot be understood.
    """
    rows = _joined_rows(recipe, folder)
    notes = []
    kept = [r for r in rows if all(r.get(c, "") in v for c, v in recipe.cohort.where)]
    kept = [r for r in kept if all(r.get(c, "").strip() for c in recipe.cohort.present)]
    if len(kept) < len(rows):
        notes.append(f"{len(rows) - len(kept)} rows outside the recipe's selection")
    timed = [r for r in kept if _outcome_cells(r, recipe.outcome) is not None]
    if len(timed) < len(kept):
        notes.append(f"{len(kept) - len(timed)} rows without an outcome")
    if not timed:
        raise CohortError(f"No row of {recipe.cohort.table} has an outcome")
    columns, values, range_notes = _predictors(recipe, timed)
    patients = _group_numbers(timed, recipe.cohort.id)
    outcome, cause = _outcome(timed, recipe.outcome)
    return Cohort(
        name=recipe.cohort.table,
        columns=columns,
        values=values,
        outcome=outcome,
        cause=cause if recipe.outcome.competing else None,
        patients=patients,
        strata=_group_numbers(timed, "landmark" if recipe.cohort.landmark else ""),
        visits=_visits(recipe, folder, timed, patients),
        extra={name: _numbers(timed, name, {}) for name in (*recipe.subgroups, *recipe.stages)},
        notes=(*notes, *range_notes),
    )


def _joined_rows(recipe: Recipe, folder: Path) -> list[Row]:
    if recipe.cohort.synthetic is not None:
        return synthetic_rows(recipe.cohort.synthetic)
    rows = read_table(folder / recipe.cohort.table)
    landmark = recipe.cohort.landmark
    follow_up = landmark.follow_up if landmark and landmark.follow_up else recipe.outcome.time
    event = landmark.onset if landmark and landmark.onset else recipe.outcome.event
    _require(rows[0], (recipe.cohort.id, follow_up, event))
    for file, key in recipe.cohort.join:
        others = read_table(folder / file)
        _require(others[0], (key,))
        by_id = {row[key]: row for row in others}
        rows = [{**by_id.get(row[recipe.cohort.id], {}), **row} for row in rows]
    if landmark is None:
        return rows
    return landmark_rows(rows, landmark, patient=recipe.cohort.id, time=follow_up)


def _visits(recipe: Recipe, folder: Path, rows: list[Row], patients: Integers) -> Visits | None:
    spec = recipe.cohort.landmark
    if spec is None or spec.onset:
        return None
    number = {row[recipe.cohort.id]: int(k) for row, k in zip(rows, patients, strict=True)}
    table = read_table(folder / recipe.cohort.table)
    visits = [
        row
        for row in visit_rows(table, spec, patient=recipe.cohort.id, time=recipe.outcome.time)
        if row[recipe.cohort.id] in number
    ]
    months = MONTHS_PER[recipe.outcome.unit]
    happened = np.array(
        [_same_number(row[recipe.outcome.event], recipe.outcome.event_value) for row in visits]
    )
    return Visits(
        values=_predictors(recipe, visits)[1],
        start=_numbers(visits, "start", {}) * months,
        stop=_numbers(visits, "stop", {}) * months,
        event=happened & np.array([row["final"] == "1" for row in visits]),
        patients=np.array([number[row[recipe.cohort.id]] for row in visits], np.int64),
    )


def _require(row: Row, columns: tuple[str, ...]) -> None:
    if lacking := [c for c in columns if c not in row]:
        raise CohortError(f"The cohort table lacks the columns {', '.join(lacking)}")


def _outcome_cells(row: Row, spec: OutcomeSpec) -> tuple[float, bool] | None:
    time, event = row.get(spec.time, ""), row.get(spec.event, "")
    if time.strip().lower() in EMPTY or event.strip().lower() in EMPTY:
        return None
    months = _number(time, spec.time) * MONTHS_PER[spec.unit]
    if spec.start:
        months -= _number(row.get(spec.start, ""), spec.start) * MONTHS_PER[spec.unit]
    happened = event.strip() == spec.event_value or _same_number(event, spec.event_value)
    return (months, happened) if months >= 0 else None


def _same_number(cell: str, wanted: str) -> bool:
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False


def _outcome(rows: list[Row], spec: OutcomeSpec) -> tuple[Outcome, Integers]:
    """Times with the event of interest, and what happened first (0, 1 or 2)."""
    cells = [c for c in (_outcome_cells(row, spec) for row in rows) if c is not None]
    times = np.array([c[0] for c in cells])
    cause = np.array([int(c[1]) for c in cells], np.int64)
    if spec.competing:
        for k, row in enumerate(rows):
            if (other := _competing_months(row, spec)) is None:
                continue
            if not cause[k] or other < times[k]:
                times[k], cause[k] = other, 2
    return Outcome(times, cause == 1), cause


def _competing_months(row: Row, spec: OutcomeSpec) -> float | None:
    """When the competing event happened; None when it did not."""
    cell = row.get(spec.competing, "").strip()
    if cell != spec.competing_value and not _same_number(cell, spec.competing_value):
        return None
    column = spec.competing_time or spec.time
    return _number(row.get(column, ""), column) * MONTHS_PER[spec.unit]


def _group_numbers(rows: list[Row], column: str) -> Integers:
    _, numbers = np.unique([row.get(column, "") for row in rows], return_inverse=True)
    return np.asarray(numbers, np.int64)


def _predictors(
    recipe: Recipe, rows: list[Row]
) -> tuple[tuple[Column, ...], Floats, tuple[str, ...]]:
    columns: list[Column] = []
    arrays: list[Floats] = []
    notes: list[str] = []
    present = set().union(*(row.keys() for row in rows))
    for spec in recipe.predictors:
        names = [spec.column] if spec.column else sorted(fnmatch.filter(present, spec.pattern))
        if not names or (spec.column and spec.column not in present):
            raise CohortError(
                f"Predictor {spec.name}: no column {spec.column or spec.pattern} in the table"
            )
        for name in names:
            numbers = _numbers(rows, name, spec.words)
            outside = (numbers < spec.range[0]) | (numbers > spec.range[1])
            if outside.any():
                numbers = np.where(outside, np.nan, numbers)
                notes.append(
                    f"{name}: {int(outside.sum())} values outside the range became missing"
                )
            columns.append(
                Column(
                    name=spec.name if spec.column else name,
                    modality=spec.modality,
                    transform=spec.transform,
                    spec=spec,
                )
            )
            arrays.append(numbers)
    return tuple(columns), np.column_stack(arrays), tuple(notes)


def _numbers(rows: list[Row], column: str, words: Mapping[str, float]) -> Floats:
    return np.array([_cell(row.get(column) or "", column, words) for row in rows])


def _cell(text: str, column: str, words: Mapping[str, float]) -> float:
    text = text.strip()
    if text in words:
        return words[text]
    if text.lower() in EMPTY:
        return float("nan")
    return _number(text, column)


def _number(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CohortError(
            f"Column {column}: a cell is no number and not among the recipe's words"
        ) from None
