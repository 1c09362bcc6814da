"""The settings that people write: `environments.toml` and `models/<name>/model.toml`, validated when read."""

from infra.settings.environment import EnvironmentSettings, load_environment
from infra.settings.model import ModelSettings
from infra.settings.model_file import load_model
from infra.settings.toml import SettingsError

__all__ = ["EnvironmentSettings", "ModelSettings", "SettingsError", "load_environment", "load_model"]
