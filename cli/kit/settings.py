"""The project's own settings, as commands need them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.kit.errors import CliError
from cli.kit.paths import ROOT
from contract.schema import MODEL_FILE

if TYPE_CHECKING:
    from infra.settings import EnvironmentSettings, ModelSettings

DEFAULT_MODEL = "tumor"


def environment_settings(name: str) -> EnvironmentSettings:
    """A table of environments.toml.

    Raises:
        CliError: there is no such environment, or its table does not fit.
    """
    from infra.settings import SettingsError, load_environment

    try:
        return load_environment(ROOT, name)
    except SettingsError as error:
        raise CliError(str(error)) from error


def model_settings(name: str) -> ModelSettings:
    """A model's settings.

    Raises:
        CliError: there is no such model, or its model.toml does not fit.
    """
    from infra.settings import SettingsError, load_model

    try:
        return load_model(ROOT, name)
    except SettingsError as error:
        raise CliError(str(error)) from error


def default_model(models: Path) -> str:
    """The model to deploy where none is named: the only folder of models/, or `tumor`.

    Raises:
        CliError: there are several others, or none.
    """
    names = sorted(path.parent.name for path in models.glob(f"*/{MODEL_FILE}"))
    if len(names) == 1:
        return names[0]
    if DEFAULT_MODEL in names:
        return DEFAULT_MODEL
    raise CliError(f"name a model with --model; {models} holds {', '.join(names) or 'none'}.")
