"""A model's file, read: its tables, what contradicts in them, and the modules beside it."""

from __future__ import annotations

import re
from pathlib import Path

from contract.schema import MODEL_FILE
from infra.settings.contradictions import contradictions
from infra.settings.model import NAME, ModelSettings
from infra.settings.toml import SettingsError, read, suggestion, validate


def load_model(root: Path, name: str) -> ModelSettings:
    """Read `models/<name>/model.toml` under a root folder.

    Raises:
        SettingsError: there is no such model, or its file does not fit.
    """
    folder = root / "models"
    known = sorted(path.parent.name for path in folder.glob(f"*/{MODEL_FILE}"))
    if name not in known or not re.fullmatch(NAME, name):
        raise SettingsError(
            f'there is no model "{name}"{suggestion(name, known)}; found in models/: '
            f"{', '.join(known) or 'none'}. Choose one with --model NAME (of cdk: -c model=NAME), "
            "or make it: ./millrace new-model"
        )
    path = folder / name / MODEL_FILE
    model = validate(
        ModelSettings, read(path, root), path=path.relative_to(root), contradictions=contradictions
    )
    if model.name != name:
        raise SettingsError(
            f"{path.relative_to(root)}: name: found {model.name!r}; allowed: {name!r}, its folder's name"
        )
    _check_modules(model, path, root)
    return _with_space(model, path.parent)


def _check_modules(model: ModelSettings, path: Path, root: Path) -> None:
    for key, named in (("estimator", model.training.estimator), ("features", model.training.features or "")):
        module, colon, _ = named.partition(":")
        file = path.parent / f"{module.replace('.', '/')}.py"
        if colon and not file.exists():
            raise SettingsError(
                f"{path.relative_to(root)}: [training] {key}: found {named!r}, "
                f"but there is no {file.relative_to(root)}"
            )


def _with_space(model: ModelSettings, folder: Path) -> ModelSettings:
    training = model.training
    search = training.search.with_space(
        estimator=training.estimator, fixed=training.parameters, folder=folder
    )
    return model.model_copy(update={"training": training.model_copy(update={"search": search})})
