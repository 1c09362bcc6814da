"""The CDK app: `cdk synth -c environment=prod -c model=tumor`.

Besides, `-c image_uri=…` takes an image that was built before, and `-c package_group=existing` a group of
model packages that is left from a storage stack which was deleted.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk

from contract.names.image import CONTEXT
from infra.app import FLAGS, Configuration, compose
from infra.settings import SettingsError


def main() -> None:
    """Read the configuration once and synthesise."""
    root = Path(__file__).resolve().parent
    app = cdk.App(context=FLAGS)
    try:
        configuration = Configuration.read(
            root,
            environment=app.node.try_get_context("environment"),
            model=app.node.try_get_context("model"),
            image_uri=app.node.try_get_context(CONTEXT),
            package_group=app.node.try_get_context("package_group"),
        )
    except SettingsError as error:
        sys.exit(str(error))
    compose(app, configuration, build=root / "build")
    app.synth()


if __name__ == "__main__":
    main()
