"""What people configure: `environments.toml` and `models/<name>/model.toml`, validated when read."""

from infra.settings.environment import Environment, load_environment
from infra.settings.model import Model, load_model
from infra.settings.toml import SettingsError

__all__ = ["Environment", "Model", "SettingsError", "load_environment", "load_model"]
