"""Names and ARNs of the storage stack, as the loop stack may know them."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Imports of the storage stack's exports, which never change once made."""

    data_bucket: str
    results_bucket: str
    artifacts_bucket: str
    key_arn: str
    package_group: str
    serving_role_arn: str

    @property
    def data_arn(self) -> str:
        return _bucket_arn(self.data_bucket)

    @property
    def results_arn(self) -> str:
        return _bucket_arn(self.results_bucket)

    @property
    def artifacts_arn(self) -> str:
        return _bucket_arn(self.artifacts_bucket)


def _bucket_arn(name: str) -> str:
    return f"arn:{cdk.Aws.PARTITION}:s3:::{name}"
