"""Builds the panel from an installed tree in a process of its own; saves its picture.

Usage: python -m tests.phantoms.slicer_stand.installed_panel MODULES PICTURE
"""

import os
import sys
from pathlib import Path


def main(modules: str, picture: str) -> int:
    """Build, render, complain about unknown names."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import slicer
    from tests.phantoms.slicer_stand import python_layer
    from tests.phantoms.slicer_stand.headless import HeadlessSlicer
    from tests.phantoms.slicer_stand.python_qt import install_qt

    install_qt()
    headless = HeadlessSlicer()
    python_layer.install()
    slicer.util.startupEnvironment = lambda: dict(os.environ)
    from tests.phantoms.slicer_stand.ui_file import install_loader, strict
    from tests.phantoms.slicer_stand.widgets import qMRMLWidget

    install_loader()
    sys.path.insert(0, modules)
    import HepatoCast
    import qt

    if not Path(HepatoCast.__file__).is_relative_to(modules):
        raise RuntimeError(f"Imported {HepatoCast.__file__}, not the installed module")
    parent = qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    widget = HepatoCast.HepatoCastWidget(parent)
    widget.setup()
    parent.resize(460, 900)
    parent.show()
    parent.grab().save(picture)
    sys.stdout.write(f"strict: {strict}\n")
    sys.stdout.flush()
    widget.cleanup()
    del headless
    os._exit(1 if strict else 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
