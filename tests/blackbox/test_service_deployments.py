"""What begins a new deployment, what services tell of trouble, and strategies of placement."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.account import Account
from support.patience import always, until
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    messages,
    register,
    register_fargate,
    service,
    stable,
)

WEB = container(portMappings=[{"containerPort": 80, "name": "web"}])
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
REGISTRY = "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-0123456789abcdef"
OTHER_NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-9f8e7d6c"], "securityGroups": ["sg-9f8e7d6c"]}}

FORCED: list[tuple[str, bool, dict[str, Any]]] = [
    (
        "load balancers",
        False,
        {"loadBalancers": [{"targetGroupArn": TARGET_GROUP, "containerName": "app", "containerPort": 80}]},
    ),
    (
        "registries",
        False,
        {"serviceRegistries": [{"registryArn": REGISTRY, "containerName": "app", "containerPort": 80}]},
    ),
    (
        "service connect",
        False,
        {
            "serviceConnectConfiguration": {
                "enabled": True,
                "namespace": "internal",
                "services": [{"portName": "web"}],
            }
        },
    ),
    (
        "monitoring",
        False,
        {"monitoring": {"metricConfigurations": [{"metricNames": ["CpuUtilization"], "resolutionSeconds": 20}]}},
    ),
    ("network", True, {"networkConfiguration": OTHER_NETWORK}),
    ("platform", True, {"platformVersion": "1.4.0"}),
    ("strategy", True, {"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}),
]


@pytest.mark.parametrize(
    ("fargate", "change"), [row[1:] for row in FORCED], ids=[row[0].replace(" ", "-") for row in FORCED]
)
def test_what_is_part_of_a_revision_begins_a_new_deployment(
    account: Account, fargate: bool, change: dict[str, Any]
) -> None:
    name = cluster(account, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    if fargate:
        place: dict[str, Any] = {"launchType": "FARGATE", "networkConfiguration": NETWORK}
        made = create_service(account, name, register_fargate(account, WEB), **place)
    else:
        made = create_service(account, name, register(account, WEB, networkMode="bridge"))
    before = stable(account, name, made["serviceName"])
    account.ecs.update_service(cluster=name, service=made["serviceName"], **change)
    after = stable(account, name, made["serviceName"])
    assert after["deployments"][0]["id"] != before["deployments"][0]["id"]
    assert after["taskDefinition"] == before["taskDefinition"]
    (member, value), *_ = change.items()
    if member == "monitoring":  # No part of the service's shape: the revision tells.
        arns = [after["currentServiceRevisions"][0]["arn"]]
        (shown,) = account.ecs.describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]
    else:
        shown = after["deployments"][0] if member == "serviceConnectConfiguration" else after
    if isinstance(value, list):
        assert [given.items() <= read.items() for given, read in zip(value, shown[member], strict=True)] == [True]
    else:
        assert shown[member] == value or shown[member].items() >= value.items()


def test_pending_tasks_are_stopped_with_a_text_of_their_own(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"start_delay": "1h"})), desiredCount=2)
    until(lambda: service(account, name, made["serviceName"]), lambda found: found["pendingCount"] == 2)
    account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=0)
    found = until(
        lambda: service(account, name, made["serviceName"]),
        lambda found: found["pendingCount"] == 0 and any("stopped" in text for text in messages(found)),
    )
    stopped = [text for text in messages(found) if "stopped" in text]
    pattern = rf"\(service {made['serviceName']}\) stopped \d pending tasks\."
    assert all(re.fullmatch(pattern, text) for text in stopped), stopped


def test_a_service_whose_tasks_never_start_says_so(account: Account) -> None:
    name = cluster(account)
    unpullable = container(sim={"pull_error": "manifest unknown"})
    made = create_service(account, name, register(account, unpullable), desiredCount=2)
    text = f"(service {made['serviceName']}) is unable to consistently start tasks successfully."

    def told() -> list[str]:
        return [one for one in messages(service(account, name, made["serviceName"])) if one.startswith(text)]

    until(told, bool, within=40)
    # Told once, not with each failure.
    always(lambda: len(told()), lambda times: times == 1, during=0.3)


def test_a_task_that_is_too_large_for_every_instance_says_what_is_lacking(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(cpu=2_000_000_000)))
    pattern = re.compile(
        rf"\(service {made['serviceName']}\) was unable to place a task because no container instance met all of"
        r" its requirements\. The closest matching \(container-instance [0-9a-f]{32}\) has insufficient CPU units"
        r" available\. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide\."
    )
    until(
        lambda: messages(service(account, name, made["serviceName"])),
        lambda texts: any(pattern.fullmatch(text) for text in texts),
    )


def test_placement_of_a_service_reads_back_and_is_kept(account: Account) -> None:
    name = cluster(account)
    strategy = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    constraints = [{"type": "distinctInstance"}]
    made = create_service(
        account,
        name,
        register(account),
        desiredCount=3,
        placementStrategy=strategy,
        placementConstraints=constraints,
    )
    assert (made["placementStrategy"], made["placementConstraints"]) == (strategy, constraints)
    stable(account, name, made["serviceName"])
    arns = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    tasks = account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]
    assert len({task["containerInstanceArn"] for task in tasks}) == 3
    assert len({task["availabilityZone"] for task in tasks}) == 3


def test_a_default_strategy_of_the_cluster_applies_to_a_service_that_names_nothing(account: Account) -> None:
    strategy = [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    name = cluster(account, capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy)
    made = create_service(account, name, register_fargate(account), networkConfiguration=NETWORK)
    assert made["capacityProviderStrategy"] == strategy
    assert "launchType" not in made
    stable(account, name, made["serviceName"])
    arns = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    (task,) = account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]
    assert task["capacityProviderName"] == "FARGATE"
