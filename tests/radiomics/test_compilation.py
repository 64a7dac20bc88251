"""The core's build: no compiler on PATH, and every platform's library is one of that platform."""

from pathlib import Path

import pytest

from engine.radiomics.compilation import compile_core, host_target, library_names
from engine.radiomics.native import _SIGNATURES

MAGIC = {
    "aarch64-linux-gnu.2.17": (b"\x7fELF", 18, b"\xb7\x00"),
    "aarch64-macos.11.0": (b"\xcf\xfa\xed\xfe", 4, b"\x0c\x00\x00\x01"),
}
"""First bytes, and the machine's place and number (ELF e_machine, Mach-O cputype)."""


def test_the_core_compiles_without_a_compiler_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PATH is an empty folder; the compiler comes with ziglang (see also `make test-install`)."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    libraries = compile_core(tmp_path / "libraries", host_target())
    assert [path.name for path in libraries] == list(library_names(host_target()))
    for library in libraries:
        names = library.read_bytes()
        assert [n for n in _SIGNATURES if n.encode() + b"\0" not in names] == []


@pytest.mark.parametrize("target", MAGIC)
def test_another_platform_gets_its_own_library(target: str, tmp_path: Path) -> None:
    """Format and machine; `make wheels` looks into all of them."""
    magic, place, machine = MAGIC[target]
    (library,) = compile_core(tmp_path, target)
    content = library.read_bytes()
    assert content.startswith(magic)
    assert content[place : place + len(machine)] == machine
