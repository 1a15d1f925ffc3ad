"""UpdateService, DeleteService and the rest: what is refused, with which exception and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import NETWORK, cluster, container, create_service, register, service, stable

IPE, CE = "InvalidParameterException", "ClientException"
NETWORK_NOT_VALID = "Network Configuration is not valid for the given networkMode of this task definition."
DAEMON_COUNT = (
    "The daemon scheduling strategy does not support a desired count for services. Remove the desired count"
    " value and try again"
)
THRESHOLD = "Invalid deployment circuit breaker threshold value."
FARGATE = [{"capacityProvider": "FARGATE", "weight": 1}]
NO_SERVICE = "ServiceNotFoundException"
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"


def threshold(kind: str, value: int) -> dict[str, Any]:
    breaker = {"enable": True, "rollback": False, "thresholdConfiguration": {"type": kind, "value": value}}
    return {"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}}


def balancer(container_name: str, port: int) -> dict[str, Any]:
    one = {"targetGroupArn": TARGET_GROUP, "containerName": container_name, "containerPort": port}
    return {"loadBalancers": [one]}


UPDATES: list[tuple[dict[str, Any], str, Any]] = [
    ({"desiredCount": -1}, IPE, "Task count can not be lesser than 0"),
    ({"taskDefinition": "absent"}, CE, "TaskDefinition not found."),
    ({"taskDefinition": "absent:bad"}, IPE, "Invalid task definition: Invalid revision number."),
    ({"deploymentConfiguration": {"maximumPercent": 99}}, IPE, "maximumPercent must be at least 100"),
    (
        {"deploymentConfiguration": {"minimumHealthyPercent": 101}},
        IPE,
        "minimumHealthyPercent must be at most 100",
    ),
    (
        {"deploymentConfiguration": {"maximumPercent": 100}},
        IPE,
        "The service couldn't be updated because Availability Zone Rebalancing does not support maximumPercent"
        " <= 100 % as deployment configuration. Update deployment configuration and try again.",
    ),
    (threshold("COUNT", 0), IPE, THRESHOLD),
    ({"networkConfiguration": NETWORK}, IPE, NETWORK_NOT_VALID),
    (
        {"platformVersion": "1.4.0"},
        IPE,
        "The platform version must be null when specifying an EC2 launch type.",
    ),
    (balancer("absent", 80), IPE, "The container absent does not exist in the task definition."),
    ({"capacityProviderStrategy": FARGATE}, IPE, naming("not associated with the cluster")),
    (
        {"placementStrategy": [{"type": "random", "field": "cpu"}]},
        IPE,
        naming("random field should not be specified"),
    ),
    ({"propagateTags": "EVERYTHING"}, IPE, naming("propagateTags")),
]


@pytest.mark.parametrize(("members", "code", "message"), UPDATES)
def test_an_update_that_breaks_a_rule_is_refused_and_changes_nothing(
    account: Account, members: dict[str, Any], code: str, message: Any
) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    before = stable(account, name, made["serviceName"])
    refused(account.lax.update_service, code, message, cluster=name, service=made["serviceName"], **members)
    after = service(account, name, made["serviceName"])
    for found in (before, after):
        found.pop("events")
    assert after == before


def test_a_daemon_service_takes_no_count_in_an_update(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), schedulingStrategy="DAEMON")
    refused(
        account.ecs.update_service,
        IPE,
        DAEMON_COUNT,
        cluster=name,
        service=made["serviceName"],
        desiredCount=1,
    )


def test_the_task_definition_of_a_code_deploy_service_is_not_updated_here(account: Account) -> None:
    name, definition = cluster(account), register(account)
    made = create_service(account, name, definition, desiredCount=0, deploymentController={"type": "CODE_DEPLOY"})
    message = (
        "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS"
        " CodeDeploy to trigger a new deployment."
    )
    refused(
        account.ecs.update_service,
        IPE,
        message,
        cluster=name,
        service=made["serviceName"],
        taskDefinition=definition,
    )


@pytest.mark.parametrize("name", ["absent", "{arn}"])
def test_a_service_that_is_not_there_is_not_found(account: Account, name: str) -> None:
    cluster_name = cluster(account)
    given = name.format(arn=account.arn(f"service/{cluster_name}/absent"))
    for operation, message in (
        ("update_service", "Service not found."),
        ("delete_service", ""),
        ("list_service_deployments", None),
    ):
        refused(getattr(account.ecs, operation), NO_SERVICE, message, cluster=cluster_name, service=given)


def test_a_service_that_is_going_or_gone_is_not_updated(account: Account) -> None:
    name = cluster(account)
    definition = register(account, container(sim={"stop_delay": "20s"}))
    draining = create_service(account, name, definition)
    stable(account, name, draining["serviceName"])
    account.ecs.delete_service(cluster=name, service=draining["serviceName"], force=True)
    assert service(account, name, draining["serviceName"])["status"] == "DRAINING"
    gone = create_service(account, name, definition, desiredCount=0)
    account.ecs.delete_service(cluster=name, service=gone["serviceName"])
    account.ecs.get_waiter("services_inactive").wait(
        cluster=name, services=[gone["serviceName"]], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
    )
    for made in (draining, gone):
        refused(
            account.ecs.update_service,
            "ServiceNotActiveException",
            "Service was not ACTIVE.",
            cluster=name,
            service=made["serviceName"],
            desiredCount=1,
        )


@pytest.mark.parametrize("operation", ["update_service", "delete_service", "list_service_deployments"])
def test_the_service_is_required(account: Account, operation: str) -> None:
    refused(getattr(account.lax, operation), (IPE, CE), naming("service"), cluster=cluster(account))


def test_a_scaled_service_is_not_deleted_without_force(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account))
    message = "The service cannot be stopped while it is scaled above 0."
    refused(account.ecs.delete_service, IPE, message, cluster=name, service=made["serviceName"])
