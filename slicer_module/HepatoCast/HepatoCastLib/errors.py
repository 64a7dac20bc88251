"""PanelError > ExchangeError (the scene), ResultError (the result folder), InstallationError."""


class PanelError(Exception):
    """Base of every error that the panel shows as one line of status."""


class ExchangeError(PanelError):
    """A node of the scene cannot be handed to the engine, or a result cannot be shown on it."""


class ResultError(PanelError):
    """A result folder does not hold what the engine says it wrote."""


class InstallationError(PanelError):
    """No engine can be started from this Slicer."""
