"""The shared part of every manifest."""

from pathlib import Path

import pytest

from engine.errors import ModelPackageError
from engine.model_package.header import read_header
from tests.phantoms.packages import write_threshold_package


def test_a_segmentation_manifest_has_the_shared_part(tmp_path: Path) -> None:
    header = read_header(write_threshold_package(tmp_path))
    assert (header.kind, header.name, header.version) == ("segmentation", "threshold", "1.0.0")
    assert header.limits == ("Marks whatever is bright.",)


@pytest.mark.parametrize("text", ["kind = ", 'kind = "risk"\nname = 3\n'])
def test_a_manifest_without_it_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(ModelPackageError, match=r"manifest\.toml"):
        read_header(tmp_path)
