"""Express services."""

from __future__ import annotations

from typing import Any

from .account import Account
from .shapes import register_fargate, unique

EXEC = "arn:aws:iam::123456789012:role/exec"
INFRA = "arn:aws:iam::123456789012:role/infra"


def create(account: Account, cluster_name: str, **members: Any) -> dict[str, Any]:
    """Creates an Express service with the least that it takes, and returns it."""
    request: dict[str, Any] = {
        "cluster": cluster_name,
        "serviceName": unique("express"),
        "infrastructureRoleArn": INFRA,
        **members,
    }
    if "taskDefinitionArn" not in members:
        request = {"executionRoleArn": EXEC, "primaryContainer": {"image": "nginx"}, **request}
    return dict(account.ecs.create_express_gateway_service(**request)["service"])


def describe(account: Account, arn: str, **members: Any) -> dict[str, Any]:
    """One Express service."""
    return dict(account.ecs.describe_express_gateway_service(serviceArn=arn, **members)["service"])


def own(account: Account, **members: Any) -> str:
    """A task definition as an Express service takes it."""
    port = {"containerPort": 8080, "name": "web", "protocol": "tcp"}
    main = {"name": "Main", "image": "nginx", "portMappings": [port], **members}
    return register_fargate(account, main, {"name": "sidecar", "image": "envoy"})
