"""Kill switch and shadow mode of model packages: durable, logged, looked at before every use.

off: the package is not used; a running analysis is stopped, its finished results stay here.
shadow: analyses run and their results are kept, nothing is delivered.
"""

import time
from dataclasses import dataclass

from dicom_node.index import Index, Row
from dicom_node.schema import switch_changes
from dicom_node.settings import Configuration

ON, SHADOW, OFF = "on", "shadow", "off"
MODES = (ON, SHADOW, OFF)
OFF_REASON = "The model package is switched off at this site"
WAIT, NOT_ANALYZED = "wait", "not-analyzed"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One model package this node may use.

    Attributes:
        name: As configured; empty for the engine's own.
        rules: Routing rules that use it.
    """

    name: str
    mode: str
    rules: tuple[str, ...]


class ModelSwitches:
    """Reads and sets the switches."""

    def __init__(self, configuration: Configuration, index: Index) -> None:
        self._configuration, self._index = configuration, index
        self.refuses = configuration.analysis.when_off == NOT_ANALYZED

    def mode_of(self, job: Row) -> str:
        """The mode of the package a job is for."""
        return self.read(job["model"] or self._configuration.analysis.model)

    def read(self, name: str) -> str:
        """The mode of a package."""
        return self._index.read_switch(f"model:{name}") or ON

    def may_start(self, job: Row) -> bool:
        """Tell whether a job may be asked for: its package is in use, or refusals are wanted."""
        return self.refuses or self.mode_of(job) != OFF

    def is_held(self, job: Row) -> bool:
        """Tell whether a finished result must stay here; refusals say nothing of a model."""
        return job["outcome"] == "result" and self.mode_of(job) == OFF

    def set(self, name: str, mode: str, who: str) -> bool:
        """Set a package's mode and remember who did; False when it was so already.

        Raises:
            ValueError: No such mode.
        """
        if mode not in MODES:
            raise ValueError(mode)
        if self.read(name) == mode:
            return False
        self._index.set_switch(f"model:{name}", mode)
        row = {"at": time.time(), "name": name, "value": mode, "who": who}
        with self._index.engine.begin() as connection:
            connection.execute(switch_changes.insert().values(row))
        return True

    def list_changes(self, *, limit: int = 20) -> list[Row]:
        """Who set what, latest first."""
        query = switch_changes.select().order_by(switch_changes.c.id.desc()).limit(limit)
        with self._index.engine.connect() as connection:
            return list(connection.execute(query).mappings())

    def list_packages(self, default_rule: str) -> list[ModelUse]:
        """Packages of all routing rules.

        Args:
            default_rule: Name of the rule that holds when none is configured.
        """
        default = self._configuration.analysis.model
        used: dict[str, list[str]] = {}
        for rule in self._configuration.rule:
            if rule.analyze:
                used.setdefault(rule.model or default, []).append(rule.name)
        if not self._configuration.rule:
            used[default] = [default_rule]
        return [ModelUse(name, self.read(name), tuple(used[name])) for name in sorted(used)]
