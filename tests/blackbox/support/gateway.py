"""Gateways, what they are associated with, and services behind them."""

from __future__ import annotations

from typing import Any

from .account import Account
from .shapes import NETWORK, create_service, register_fargate, unique

INFRA = "arn:aws:iam::123456789012:role/infra"


def create(account: Account, name: str | None = None, alb: dict[str, Any] | None = None, **members: Any) -> str:
    """Creates a gateway and returns its name."""
    answer = account.ecs.create_gateway(
        name=name or unique("gateway"),
        infrastructureRoleArn=INFRA,
        configuration={"hostSharedAlb": alb or {}},
        **members,
    )
    assert answer["status"] == "ACTIVE"
    return str(answer["name"])


def describe(account: Account, name: str) -> dict[str, Any]:
    """One gateway."""
    return dict(account.ecs.describe_gateway(gateway=name)["gateway"])


def associate(account: Account, gateway: str, cluster_name: str) -> None:
    """Associates a gateway with a cluster."""
    answer = account.ecs.associate_gateway_with_cluster(gateway=gateway, cluster=cluster_name)
    assert answer["status"] == "ACTIVE"


def connected(account: Account, cluster_name: str, **members: Any) -> dict[str, Any]:
    """A service with a connector for its port `web`."""
    request: dict[str, Any] = {
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "gatewayConnectors": [{"portName": "web"}],
        **members,
    }
    return create_service(account, cluster_name, definition(account), **request)


def definition(account: Account, *ports: str) -> str:
    """A task definition with named ports."""
    mappings = [{"containerPort": 80 + n, "name": name} for n, name in enumerate(ports or ("web",))]
    return register_fargate(account, {"name": "app", "image": "nginx", "portMappings": mappings})


def routes(account: Account, **filters: Any) -> list[dict[str, Any]]:
    """The routes that pass the filters."""
    return account.all("list_gateway_routes", "gatewayRoutes", **filters)


def associations(account: Account, **filters: Any) -> list[tuple[str, str, str]]:
    """Gateway, cluster and status of each association."""
    found = account.all("list_gateway_cluster_associations", "gatewayClusterAssociations", **filters)
    last = [
        (one["gatewayArn"].rsplit("/", 1)[1], one["clusterArn"].rsplit("/", 1)[1], one["status"]) for one in found
    ]
    assert last == sorted(last)
    return last
