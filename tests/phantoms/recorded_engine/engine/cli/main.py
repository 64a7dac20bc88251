"""``hepatocast analyze`` with a recorded result; RECORDED_BEHAVIOR says what else happens.

Behaviors: result, slow (3 s of progress), hang, stubborn (ignores a closed input), crash,
defect, chatter, not-analyzed.
"""

import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

STAGES = ("series", "volume", "segmentation", "lesions", "radiomics", "clinical", "reporting")


def emit(event: str, **fields: object) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def tell_models() -> int:
    """Two versions of one network, one of another kind, one that cannot be used."""
    told = (
        ("liver_tumor_ct", "1.0.0", "segmentation", False, ""),
        ("liver_tumor_ct", "1.1.0", "segmentation", True, ""),
        ("resection_rfs", "1.0.0", "risk", True, ""),
        ("torn", "0.1.0", "", True, "manifest.toml is not TOML"),
    )
    for name, version, kind, chosen, problem in told:
        use = "" if problem else f"Research with {version}"
        limits = [] if problem else ["Not for children"]
        emit("model", package=name, version=version, kind=kind, title="", intended_use=use,
             limits=limits, problem=problem, chosen=chosen)  # fmt: skip
    return 1


def main(arguments: list[str]) -> int:
    """Behave as told; write down what was asked."""
    if arguments[:2] == ["model", "list"]:
        return tell_models()
    behavior = os.environ["RECORDED_BEHAVIOR"]
    study, out = Path(arguments[1]), Path(arguments[arguments.index("--out") + 1])
    files = sorted(path.name for path in study.iterdir())
    (out.parent / "asked.json").write_text(json.dumps({"arguments": arguments, "files": files}))
    if "RECORDED_COPY" in os.environ:
        shutil.copytree(study, os.environ["RECORDED_COPY"])
    sys.stderr.write("a library says something\n")
    steps = 100 if behavior == "slow" else 4
    for stage in STAGES:
        for step in range(steps):
            emit("progress", stage=stage, fraction=(step + 1) / steps, text="")
            time.sleep(3.0 / steps / len(STAGES) if behavior == "slow" else 0)
    if behavior in {"hang", "stubborn"}:
        emit("progress", stage="segmentation", fraction=0.5, text="window 3 of 6")
        if behavior == "stubborn":
            os._exit = lambda code: threading.Event().wait()  # a library that hangs at exit
        time.sleep(600)
    if behavior == "crash":
        os.abort()
    if behavior == "defect":
        raise RuntimeError("model file is broken")
    if behavior == "chatter":
        sys.stdout.write("noise from a library\n[1, 2]\n")
    if behavior == "not-analyzed":
        emit("not-analyzed", reason="No eligible series in study 1.2.3", path=str(out), files=[])
        return 3
    shutil.copytree(os.environ["RECORDED_RESULT"], out)
    emit("result", path=str(out), files=[])
    return 0
