"""Settings come from the environment variables of a function's own names, or the function does not start."""

from __future__ import annotations

from dataclasses import fields

import pytest

from adapters.environ import FromEnviron, SettingsError
from lambdas.reconcile_uploads.settings import Settings as ReconcileUploads
from lambdas.score_upload.settings import Settings as ScoreUpload
from lambdas.start_training.settings import Settings as StartTraining
from lambdas.verify_package.settings import Settings as VerifyPackage


@pytest.mark.parametrize("settings", [ReconcileUploads, ScoreUpload, StartTraining, VerifyPackage])
def test_every_field_is_a_variable_and_is_needed(settings: type[FromEnviron]) -> None:
    environ = {field.name.upper(): "7" for field in fields(settings)}  # type: ignore[arg-type]  # each is a dataclass
    assert settings.from_environ({**environ, "PATH": "/bin"})
    for variable in environ:
        with pytest.raises(SettingsError, match=f"{variable} is not set: deploy the stack again"):
            settings.from_environ({**environ, variable: ""})


def test_a_number_is_read_as_one() -> None:
    environ = {field.name.upper(): "7" for field in fields(ScoreUpload)}
    assert ScoreUpload.from_environ(environ).retry_seconds == 7
    with pytest.raises(SettingsError, match="RETRY_SECONDS is 'soon', not a whole number"):
        ScoreUpload.from_environ({**environ, "RETRY_SECONDS": "soon"})


def test_reconciliation_never_looks_at_uploads_of_no_age() -> None:
    environ = {field.name.upper(): "7" for field in fields(ReconcileUploads)}
    with pytest.raises(SettingsError, match="AFTER_SECONDS is 0, not 1 or more"):
        ReconcileUploads.from_environ({**environ, "AFTER_SECONDS": "0"})
