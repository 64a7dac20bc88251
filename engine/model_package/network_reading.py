"""[[networks]] of a manifest → NetworkSpec."""

from engine.model_package.table import Table
from engine.values.model import NetworkSpec
from engine.values.segmentation import LIVER_LABEL, TUMOR_LABEL

ROLES = ("localizer", "segmenter")
KNOWN_LABELS = (0, LIVER_LABEL, TUMOR_LABEL)


def read_networks(
    root: Table, files: dict[str, str], *, may_be_missing: bool = False
) -> tuple[NetworkSpec, ...]:
    """Read the [[networks]] of a manifest, checksums taken from its [files].

    Raises:
        ModelPackageError: Not one segmenter and at most one localizer, or a network whose
            numbers contradict each other.
    """
    tables = root.tables("networks", at_least=0 if may_be_missing else 1)
    networks = tuple(_network(table, files) for table in tables)
    if not networks:
        return ()
    roles = [network.role for network in networks]
    if roles.count("segmenter") != 1 or roles.count("localizer") > 1:
        raise root.wrong(f"one segmenter and at most one localizer needed, found {roles}")
    return networks


def _network(table: Table, files: dict[str, str]) -> NetworkSpec:
    file = table.path("file")
    window = table.numbers("window_hu", 2)
    spacing = table.numbers("spacing_mm", 3, positive=True)
    patch, divisor = table.integers("patch", count=3), table.integers("divisor", count=3)
    spec = NetworkSpec(
        role=table.choice("role", ROLES),
        file=file,
        sha256=files.get(file, ""),
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
        patch=(patch[0], patch[1], patch[2]),
        divisor=(divisor[0], divisor[1], divisor[2]),
        overlap=table.number("overlap", 0.5, least=0.0),
        window_hu=(window[0], window[1]),
        mean_hu=table.number("mean_hu"),
        scale_hu=table.number("scale_hu", least=1e-6),
        input_name=table.text("input_name"),
        output_name=table.text("output_name"),
        channels=table.integers("channels"),
        margin_mm=table.number("margin_mm", 25.0, least=0.0),
        activation=table.choice("activation", ("softmax", "sigmoid"), "softmax"),
        mirror_axes=table.integers("mirror_axes", default=()),
    )
    table.finish()
    _check_network(spec, table)
    return spec


def _check_network(spec: NetworkSpec, table: Table) -> None:
    if min(spec.divisor) < 1 or any(p % d for p, d in zip(spec.patch, spec.divisor, strict=True)):
        raise table.wrong(f"patch {spec.patch} must be a multiple of divisor {spec.divisor}")
    if min(spec.patch) < 1:
        raise table.wrong(f"patch {spec.patch} must be above 0")
    if spec.overlap > 0.9:
        raise table.wrong(f"overlap must be at most 0.9, found {spec.overlap:g}")
    if spec.window_hu[0] >= spec.window_hu[1]:
        raise table.wrong(f"window_hu must go from low to high, found {spec.window_hu}")
    if LIVER_LABEL not in spec.channels or any(c not in KNOWN_LABELS for c in spec.channels):
        raise table.wrong(
            f"channels must hold {LIVER_LABEL} (liver) and only labels of {KNOWN_LABELS} "
            f"(background, liver, tumor), found {spec.channels}"
        )
    if spec.activation == "softmax" and 0 not in spec.channels:
        raise table.wrong(f"softmax needs a background channel (0), found {spec.channels}")
    if any(axis > 2 for axis in spec.mirror_axes):
        raise table.wrong(f"mirror_axes are 0, 1, 2, found {spec.mirror_axes}")
