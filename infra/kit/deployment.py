"""The properties that every construct of one model in one environment is given."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from contract.names.metrics import NAMESPACE, Dimension, Metric
from infra.kit.storage_names import Storage
from infra.settings import EnvironmentSettings
from infra.settings.model import ModelServingSettings


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """`name` is that of endpoint, pipeline and package group, and begins every other name."""

    name: str
    environment_name: str
    model: str
    settings: EnvironmentSettings
    serving: ModelServingSettings
    storage: Storage
    code: lambda_.Code

    def metric(self, metric: Metric) -> cloudwatch.Metric:
        """A metric that a function of this model emits."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric.value,
            dimensions_map={Dimension.ENVIRONMENT: self.environment_name, Dimension.MODEL: self.model},
        )
