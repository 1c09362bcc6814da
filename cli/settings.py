"""The project's own settings, as commands need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.errors import CliError
from cli.paths import ROOT

if TYPE_CHECKING:
    from infra.settings import Environment


def environment_settings(name: str) -> Environment:
    """A table of environments.toml.

    Raises:
        CliError: there is no such environment, or its table does not fit.
    """
    from infra.settings import SettingsError, load_environment

    try:
        return load_environment(ROOT, name)
    except SettingsError as error:
        raise CliError(str(error)) from error


def default_model(requested: str | None) -> str:
    """The model to deploy: the one named, or the only folder of models/, or `tumor`."""
    if requested:
        return requested
    names = sorted(path.parent.name for path in (ROOT / "models").glob("*/model.toml"))
    return names[0] if len(names) == 1 else "tumor"
