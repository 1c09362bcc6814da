"""The release state machine, in Amazon States Language with JSONPath.

It verifies an approved package, makes its model and endpoint configuration, puts them on the
endpoint, waits, and believes only what the endpoint then says it runs.
"""

from __future__ import annotations

from typing import Any

from contract.serving import MODEL_VERSION_VARIABLE
from infra.settings.environment import Release, Serving

VARIANT = "live"
"""The variant's name, the same in every configuration: metrics and canary releases need it to be."""

# The SDK integration reports SageMaker's throttling and its refusals under one error name.
_SAGEMAKER_ERRORS = ["SageMaker.SageMakerException", "SageMaker.ThrottlingException"]
_RETRY_SAGEMAKER = [
    {"ErrorEquals": _SAGEMAKER_ERRORS, "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}
]
_RETRY_LAMBDA = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 2,
        "MaxAttempts": 4,
        "BackoffRate": 2,
    }
]
# Where an answer nobody reads goes, so that the input stays. null would say it better, but jsii drops nulls.
_ASIDE = "$.answer"
_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def release_definition(
    *,
    verify_function_arn: str,
    endpoint: str,
    serving_role_arn: str,
    key_arn: str,
    serving: Serving,
    release: Release,
    live_parameter: str,
    model: str,
) -> dict[str, Any]:
    """The definition. Its input is an event "SageMaker Model Package State Change"."""

    def sagemaker(action: str, parameters: dict[str, Any], then: str) -> dict[str, Any]:
        return {
            "Type": "Task",
            "Resource": f"arn:aws:states:::aws-sdk:sagemaker:{action}",
            "Parameters": parameters,
            "ResultPath": _ASIDE,
            "Retry": _RETRY_SAGEMAKER,
            "Next": then,
        }

    describe = {
        **sagemaker("describeEndpoint", {"EndpointName": endpoint}, ""),
        "ResultSelector": {
            "EndpointStatus.$": "$.EndpointStatus",
            "EndpointConfigName.$": "$.EndpointConfigName",
        },
        "ResultPath": "$.endpoint",
    }
    wait = {"Type": "Wait", "Seconds": release.poll_seconds}
    put = {"EndpointName": endpoint, "EndpointConfigName.$": "$.endpoint_config_name"}
    return {
        "Comment": f"Releases an approved version of {model} to {endpoint}",
        "TimeoutSeconds": release.timeout_minutes * 60,
        "StartAt": "Verify",
        "States": {
            "Verify": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {
                    "FunctionName": verify_function_arn,
                    "Payload": {
                        "model_package_arn.$": "$.detail.ModelPackageArn",
                        "execution.$": "$$.Execution.Name",
                    },
                },
                "OutputPath": "$.Payload",
                "Retry": _RETRY_LAMBDA,
                "Next": "CreateModel",
            },
            "CreateModel": sagemaker(
                "createModel",
                {
                    "ModelName.$": "$.model_name",
                    "ExecutionRoleArn": serving_role_arn,
                    "EnableNetworkIsolation": True,
                    "PrimaryContainer": {
                        "ModelPackageName.$": "$.model_package_arn",
                        "Environment": {f"{MODEL_VERSION_VARIABLE}.$": "$.model_version"},
                    },
                },
                "CreateEndpointConfig",
            ),
            "CreateEndpointConfig": sagemaker(
                "createEndpointConfig",
                {
                    "EndpointConfigName.$": "$.endpoint_config_name",
                    "KmsKeyId": key_arn,
                    "ProductionVariants": [
                        {
                            "VariantName": VARIANT,
                            "ModelName.$": "$.model_name",
                            "InstanceType": serving.instance_type,
                            "InitialInstanceCount": serving.instances,
                            "InitialVariantWeight": 1,
                        }
                    ],
                },
                "LookForEndpoint",
            ),
            "LookForEndpoint": {
                **{key: value for key, value in describe.items() if key != "Retry"},
                "Catch": [
                    {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "WhyNotFound"}
                ],
                "Next": "MayItBeUpdated",
            },
            # SageMaker has no error of its own for an endpoint that does not exist.
            "WhyNotFound": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Variable": "$.error.Cause",
                        "StringMatches": "*Could not find endpoint*",
                        "Next": "CreateEndpoint",
                    },
                    {
                        "Variable": "$.error.Cause",
                        "StringMatches": "*Rate exceeded*",
                        "Next": "WaitForOthers",
                    },
                ],
                "Default": "EndpointUnknown",
            },
            "EndpointUnknown": {
                "Type": "Fail",
                "ErrorPath": "$.error.Error",
                "CausePath": "$.error.Cause",
            },
            "MayItBeUpdated": {
                "Type": "Choice",
                "Choices": [
                    _status("InService", "UpdateEndpoint"),
                    # A failed endpoint serves nothing, and deleting is all that SageMaker lets one do.
                    _status("Failed", "DeleteFailedEndpoint"),
                    *(_status(status, "WaitForOthers") for status in _BUSY),
                ],
                "Default": "EndpointNotUsable",
            },
            "WaitForOthers": {**wait, "Next": "LookForEndpoint"},
            "DeleteFailedEndpoint": sagemaker("deleteEndpoint", {"EndpointName": endpoint}, "WaitForOthers"),
            "EndpointNotUsable": {
                "Type": "Fail",
                "Error": "EndpointNotUsable",
                "Cause": "The endpoint is in a state that cannot be updated: describe-endpoint says why",
            },
            "CreateEndpoint": sagemaker("createEndpoint", put, "Wait"),
            "UpdateEndpoint": sagemaker("updateEndpoint", put, "Wait"),
            "Wait": {**wait, "Next": "DescribeEndpoint"},
            "DescribeEndpoint": {**describe, "Next": "IsItLive"},
            "IsItLive": {
                "Type": "Choice",
                "Choices": [
                    {
                        "And": [
                            _is("InService"),
                            {
                                "Variable": "$.endpoint.EndpointConfigName",
                                "StringEqualsPath": "$.endpoint_config_name",
                            },
                        ],
                        "Next": "NoteVersion",
                    },
                    *(_status(status, "Wait") for status in _BUSY),
                ],
                # In service with another configuration is what a silent roll-back looks like.
                "Default": "NotLive",
            },
            "NotLive": {
                "Type": "Fail",
                "Error": "NotLive",
                "Cause": "The endpoint does not run the new configuration: the update failed and was rolled "
                "back, or another release came between. Whatever ran before still serves",
            },
            "NoteVersion": {
                "Type": "Pass",
                "Parameters": {
                    "model_version.$": "$.model_version",
                    "model_package_arn.$": "$.model_package_arn",
                    "endpoint": endpoint,
                    "endpoint_config.$": "$.endpoint_config_name",
                    "model": model,
                    "released_at.$": "$$.State.EnteredTime",
                },
                "Next": "RecordVersion",
            },
            "RecordVersion": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:ssm:putParameter",
                "Parameters": {
                    "Name": live_parameter,
                    "Type": "String",
                    "Overwrite": True,
                    "Value.$": "States.JsonToString($)",
                },
                "ResultPath": _ASIDE,
                "Retry": [
                    {
                        "ErrorEquals": ["Ssm.SsmException", "Ssm.TooManyUpdatesException"],
                        "IntervalSeconds": 2,
                        "MaxAttempts": 4,
                        "BackoffRate": 2,
                    }
                ],
                "End": True,
            },
        },
    }


def _is(status: str) -> dict[str, Any]:
    return {"Variable": "$.endpoint.EndpointStatus", "StringEquals": status}


def _status(status: str, then: str) -> dict[str, Any]:
    return {**_is(status), "Next": then}
