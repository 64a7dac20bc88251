"""Searches for earlier studies and what came of them, in the database."""

import time
from collections.abc import Mapping

import sqlalchemy as sa

from dicom_node.index import Row, add_event
from dicom_node.prior_choice import PriorSeries, PriorStudy
from dicom_node.schema import StudyState, instances, jobs, prior_searches, priors, studies

RECENT_SECONDS = 86400.0
ENDED = ("done", "failed")
HERE = "here"


class PriorBook:
    """Reads and writes priors; every step is conditional on the step before."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def open_searches(self, prior_rules: Mapping[str, str]) -> int:
        """Plan a search for every recent job whose routing rule wants priors.

        Args:
            prior_rules: Name of the prior rule by name of the routing rule.

        Returns:
            Number of searches that were planned.
        """
        now = time.time()
        query = (
            sa.select(jobs.c.study_uid, jobs.c.rule)
            .join(prior_searches, prior_searches.c.study_uid == jobs.c.study_uid, isouter=True)
            .where(prior_searches.c.study_uid.is_(None), jobs.c.rule.in_(list(prior_rules)))
            .where(jobs.c.created_at > now - RECENT_SECONDS)
        )
        with self._engine.connect() as connection:
            wanted = {row[0]: row[1] for row in connection.execute(query)}
        for study_uid, rule in wanted.items():
            row = {"study_uid": study_uid, "rule": prior_rules[rule], "state": "planned"}
            insert = prior_searches.insert().values(tries=0, due_at=now, updated_at=now, **row)
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert)
            except sa.exc.IntegrityError:  # another host was first
                continue
        return len(wanted)

    def claim(self, host: str, *, lease_seconds: float) -> Row | None:
        """Take the next search that is due; another host's is due when its lease has ended."""
        now = time.time()
        table = prior_searches
        due = (table.c.state.not_in(ENDED), table.c.due_at <= now)
        query = table.select().where(*due).order_by(table.c.due_at).limit(1)
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            changed = connection.execute(
                table.update()
                .where(table.c.study_uid == row["study_uid"], table.c.due_at == row["due_at"])
                .where(*due)
                .values(state="running", host=host, due_at=now + lease_seconds, updated_at=now)
            )
            return row if changed.rowcount else None

    def end_search(self, study_uid: str, state: str, text: str) -> None:
        """Call a search "done" or "failed", and say so in the study's timeline."""
        self._set_search(study_uid, {"state": state, "reason": text}, text)

    def postpone(self, study_uid: str, tries: int, pause_seconds: float, text: str) -> None:
        """Plan another try."""
        due_at = time.time() + pause_seconds
        values = {"state": "planned", "tries": tries, "due_at": due_at, "reason": text}
        self._set_search(study_uid, values, text)

    def _set_search(self, study_uid: str, values: dict[str, object], text: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                prior_searches.update()
                .where(prior_searches.c.study_uid == study_uid)
                .values(updated_at=time.time(), **values)
            )
            add_event(connection, study_uid, "priors", text)

    def find_search(self, study_uid: str) -> Row | None:
        """The search for a study's priors."""
        query = prior_searches.select().where(prior_searches.c.study_uid == study_uid)
        with self._engine.connect() as connection:
            return connection.execute(query).mappings().first()

    def enter(self, study_uid: str, prior: PriorStudy, state: str, **values: object) -> None:
        """Enter or change one prior of a study."""
        key = {"study_uid": study_uid, "prior_study_uid": prior.study_uid}
        now = {"state": state, "updated_at": time.time(), "source": prior.source, **values}
        with self._engine.begin() as connection:
            changed = connection.execute(
                priors.update().where(*(priors.c[k] == v for k, v in key.items())).values(**now)
            )
            if not changed.rowcount:
                connection.execute(
                    priors.insert().values(study_date=prior.study_date, **key, **now)
                )

    def list_priors(self, study_uid: str) -> list[Row]:
        """Priors of a study, latest first."""
        query = (
            priors.select()
            .where(priors.c.study_uid == study_uid)
            .order_by(priors.c.study_date.desc(), priors.c.prior_study_uid)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def is_prior(self, prior_study_uid: str) -> bool:
        """Tell whether a study was ever asked for as a prior of another."""
        query = sa.select(priors.c.study_uid).where(priors.c.prior_study_uid == prior_study_uid)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None

    def list_local(self, study_uid: str) -> list[PriorStudy]:
        """Other studies of the same Patient ID whose images are here."""
        same = sa.select(studies.c.patient_id).where(studies.c.study_uid == study_uid)
        query = studies.select().where(
            studies.c.patient_id == same.scalar_subquery(),
            studies.c.patient_id != "",
            studies.c.study_uid != study_uid,
            studies.c.images_deleted_at.is_(None),
            studies.c.state.in_((StudyState.DONE, StudyState.IGNORED)),
        )
        with self._engine.connect() as connection:
            rows = list(connection.execute(query).mappings())
            return [self._describe(connection, row) for row in rows]

    def _describe(self, connection: sa.Connection, study: Row) -> PriorStudy:
        query = instances.select().where(
            instances.c.study_uid == study["study_uid"],
            instances.c.path != "",
            instances.c.is_conflict.is_(False),
        )
        series: dict[str, list[Row]] = {}
        for row in connection.execute(query).mappings():
            series.setdefault(row["series_uid"], []).append(row)
        place = next((str(rows[0]["path"]).rpartition("/")[0] for rows in series.values()), "")
        return PriorStudy(
            study_uid=study["study_uid"],
            study_date=study["study_date"],
            description=study["study_description"],
            series=tuple(
                PriorSeries(
                    series_uid=uid,
                    modality=rows[0]["modality"],
                    body_part=rows[0]["body_part"],
                    instances=len(rows),
                )
                for uid, rows in series.items()
            ),
            source=HERE,
            place=place,
        )

    def mark_deleted(self, connection: sa.Connection, study_uid: str) -> list[str]:
        """Note that a study's images go: its own priors and its service as a prior of others.

        Returns:
            Places of fetched priors that no other study needs any more.
        """
        mine = priors.c.study_uid == study_uid
        places = connection.execute(
            sa.select(priors.c.place).where(mine, priors.c.state == "fetched")
        ).scalars()
        own = set(places)
        gone = {"state": "deleted", "place": "", "updated_at": time.time()}
        connection.execute(priors.update().where(mine).values(**gone))
        connection.execute(
            priors.update()
            .where(priors.c.prior_study_uid == study_uid, priors.c.state == HERE)
            .values(**gone)
        )
        used = connection.execute(sa.select(priors.c.place).where(priors.c.place.in_(own)))
        return sorted(own - set(used.scalars()))
