"""The image of jobs and model server, as the CDK and Docker are told of it."""

from __future__ import annotations

CONTEXT = "image_uri"
"""Key of the CDK's context, and of an environment's settings: an image that is there already."""
DOCKER_OUTPUT = "type=image,oci-mediatypes=false"
"""SageMaker refuses OCI's manifests, which current Docker makes unless it is told not to."""
