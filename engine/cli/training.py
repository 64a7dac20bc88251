"""`hepatocast train` and `hepatocast evaluate`: risk models from your own cohort."""

import argparse
from pathlib import Path
from types import ModuleType

from engine.cli.events import Reporter
from engine.errors import InstallationError


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe both commands."""
    one = commands.add_parser("train", help="train and compare risk models from a recipe")
    one.add_argument("recipe", type=Path, help="recipe TOML, or a folder of them to run all")
    one.add_argument("--cohort", type=Path, required=True, help="folder of the cohort tables")
    one.add_argument("--out", type=Path, required=True, help="folder for tables and reports")
    one.add_argument("--packages", type=Path, help="folder for the exported risk package")
    one.add_argument("--jobs", type=int, default=1, help="parallel processes")
    one.add_argument(
        "--scheduler", default="", help="Dask scheduler (tcp://host:8786) instead of processes"
    )
    one.set_defaults(run=run_train)
    two = commands.add_parser("evaluate", help="judge a risk package on other patients")
    two.add_argument("package", type=Path, help="version folder of the package")
    two.add_argument("cohort", type=Path, help="CSV of the patients")
    two.add_argument("--out", type=Path, help="folder for evaluation.json")
    two.add_argument("--months", type=float, nargs="*", default=(), help="time horizons")
    two.add_argument("--subgroups", nargs="*", default=(), help="columns judged apart")
    two.add_argument(
        "--references", nargs="*", default=(), help="columns of stages or scores, larger is worse"
    )
    two.set_defaults(run=run_evaluate)


def run_train(arguments: argparse.Namespace, _reporter: Reporter) -> int:
    """Train one recipe or a folder of them and print the comparison."""
    commands = _training_commands()
    with commands.scheduler(arguments.scheduler):
        if arguments.recipe.is_dir():
            print(commands.train_all(arguments.recipe, arguments.cohort, arguments.out,
                                     jobs=arguments.jobs))  # fmt: skip
        else:
            print(commands.train(arguments.recipe, arguments.cohort, arguments.out,
                                 packages=arguments.packages, jobs=arguments.jobs))  # fmt: skip
    return 0


def run_evaluate(arguments: argparse.Namespace, _reporter: Reporter) -> int:
    """Judge and print."""
    commands = _training_commands()
    print(commands.evaluate(arguments.package, arguments.cohort, arguments.out,
                            horizons=tuple(arguments.months),
                            subgroups=tuple(arguments.subgroups),
                            references=tuple(arguments.references)))  # fmt: skip
    return 0


def _training_commands() -> ModuleType:
    """The training room, only where its extra is installed."""
    try:
        from engine.training import commands  # noqa: PLC0415 - serving does without this extra
    except ModuleNotFoundError as missing:
        raise InstallationError(
            f"Training needs {missing.name}; install it with: pip install 'hepatocast[train]'"
        ) from missing
    return commands
