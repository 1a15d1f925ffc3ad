"""CreateService: what is answered, read back, and done with a token or a name that was used before."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.account import Account, refused
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    register,
    register_fargate,
    service,
    stable,
    unique,
)

IPE = "InvalidParameterException"
NOT_IDEMPOTENT = "Creation of service was not idempotent."
BREAKER = {
    "enable": False,
    "rollback": False,
    "resetOnHealthyTask": True,
    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
}
DEFAULTS: dict[str, Any] = {
    "status": "ACTIVE",
    "launchType": "EC2",
    "schedulingStrategy": "REPLICA",
    "loadBalancers": [],
    "serviceRegistries": [],
    "events": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "deploymentController": {"type": "ECS"},
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "enableExecuteCommand": False,
    "healthCheckGracePeriodSeconds": 0,
    "availabilityZoneRebalancing": "ENABLED",
    "resourceManagementType": "CUSTOMER",
    "deploymentConfiguration": {
        "deploymentCircuitBreaker": BREAKER,
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    },
}
COUNTS = ("desiredCount", "runningCount", "pendingCount")


def test_a_created_service_is_answered_with_all_its_defaults(account: Account) -> None:
    name, definition = cluster(account), register(account)
    made = create_service(account, name, definition, serviceName="web", desiredCount=2)
    for member, value in DEFAULTS.items():
        assert made[member] == value, member
    assert made["serviceArn"] == account.arn(f"service/{name}/web")
    assert made["clusterArn"] == account.arn(f"cluster/{name}")
    assert made["taskDefinition"] == definition
    assert made["createdBy"] == f"arn:aws:iam::{account.account}:root"
    assert [made[count] for count in COUNTS] == [2, 0, 0]
    for absent in ("roleArn", "capacityProviderStrategy", "platformVersion", "taskSets", "tags"):
        assert absent not in made, absent


def test_its_first_deployment_is_primary_and_in_progress(account: Account) -> None:
    name, definition = cluster(account), register(account)
    made = create_service(account, name, definition, desiredCount=2)
    (deployment,) = made["deployments"]
    assert re.fullmatch(r"ecs-svc/\d{19}", deployment["id"])
    number = deployment["id"].removeprefix("ecs-svc/")
    expected = {
        "status": "PRIMARY",
        "taskDefinition": definition,
        "desiredCount": 0,
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "launchType": "EC2",
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {deployment['id']} in progress.",
    }
    for member, value in expected.items():
        assert deployment[member] == value, member
    assert made["currentServiceRevisions"] == [
        {
            "arn": account.arn(f"service-revision/{name}/{made['serviceName']}/{number}"),
            "requestedTaskCount": 0,
            "runningTaskCount": 0,
            "pendingTaskCount": 0,
        }
    ]


def test_the_deployment_that_is_under_way_is_named_by_its_arn(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"start_delay": "1h"})))
    found = service(account, name, made["serviceName"])
    prefix = account.arn(f"service-deployment/{name}/{made['serviceName']}/")
    assert re.fullmatch(re.escape(prefix) + r"[A-Za-z0-9_-]{21}", found["currentServiceDeployment"])


def test_a_role_given_by_its_name_reads_back_as_an_arn(account: Account) -> None:
    app = container(portMappings=[{"containerPort": 80}])
    balancer = {"loadBalancerName": "web", "containerName": "app", "containerPort": 80}
    made = create_service(
        account,
        cluster(account),
        register(account, app),
        desiredCount=0,
        loadBalancers=[balancer],
        role="ecsServiceRole",
    )
    assert made["loadBalancers"] == [balancer]
    assert made["roleArn"] == f"arn:aws:iam::{account.account}:role/ecsServiceRole"


def test_describe_answers_what_create_answered(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    found = service(account, name, made["serviceName"])
    for volatile in ("deployments", "events", "currentServiceRevisions", "currentServiceDeployment"):
        made.pop(volatile, None)
        found.pop(volatile, None)
    assert found == made


def test_a_steady_service_has_one_completed_deployment_and_none_under_way(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=3)
    found = stable(account, name, made["serviceName"])
    assert [found[count] for count in COUNTS] == [3, 3, 0]
    (deployment,) = found["deployments"]
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    assert [deployment[count] for count in COUNTS] == [3, 3, 0]
    assert "currentServiceDeployment" not in found
    (revision,) = found["currentServiceRevisions"]
    assert (revision["requestedTaskCount"], revision["runningTaskCount"], revision["pendingTaskCount"]) == (
        3,
        3,
        0,
    )


def test_a_fargate_service_reads_back_its_platform_and_network(account: Account) -> None:
    name = cluster(account)
    made = create_service(
        account, name, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK
    )
    found = stable(account, name, made["serviceName"])
    (deployment,) = found["deployments"]
    assert (found["launchType"], found["platformVersion"], found["platformFamily"]) == (
        "FARGATE",
        "LATEST",
        "Linux",
    )
    assert (deployment["platformVersion"], deployment["platformFamily"]) == ("1.4.0", "Linux")
    for shown in (found, deployment):
        vpc = shown["networkConfiguration"]["awsvpcConfiguration"]
        assert vpc["subnets"] == NETWORK["awsvpcConfiguration"]["subnets"]
        assert vpc["securityGroups"] == NETWORK["awsvpcConfiguration"]["securityGroups"]
    assert found["roleArn"] == (
        f"arn:aws:iam::{account.account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    )


def test_a_strategy_takes_the_place_of_the_launch_type(account: Account) -> None:
    name = cluster(account, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    made = create_service(
        account,
        name,
        register_fargate(account),
        networkConfiguration=NETWORK,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    )
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    assert "launchType" not in made
    assert made["capacityProviderStrategy"] == strategy
    found = stable(account, name, made["serviceName"])
    assert found["deployments"][0]["capacityProviderStrategy"] == strategy
    arns = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    (task,) = account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]
    assert task["capacityProviderName"] == "FARGATE_SPOT"


@pytest.mark.parametrize(
    ("configuration", "rebalancing"),
    [
        ({"maximumPercent": 100, "minimumHealthyPercent": 50}, "DISABLED"),
        ({"maximumPercent": 101}, "ENABLED"),
    ],
)
def test_rebalancing_is_off_by_default_where_nothing_can_be_started_first(
    account: Account, configuration: dict[str, int], rebalancing: str
) -> None:
    made = create_service(
        account,
        cluster(account),
        register(account),
        desiredCount=0,
        deploymentConfiguration=configuration,
    )
    assert made["availabilityZoneRebalancing"] == rebalancing


def test_a_breaker_that_is_off_reads_back_without_rollback(account: Account) -> None:
    made = create_service(
        account,
        cluster(account),
        register(account),
        desiredCount=0,
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": False, "rollback": True}},
    )
    assert made["deploymentConfiguration"]["deploymentCircuitBreaker"] == BREAKER


@pytest.mark.simulated("there are three simulated instances in three zones")
def test_a_daemon_service_has_a_task_on_every_instance(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), schedulingStrategy="DAEMON")
    assert made["schedulingStrategy"] == "DAEMON"
    configuration = made["deploymentConfiguration"]
    assert (configuration["minimumHealthyPercent"], configuration["maximumPercent"]) == (0, 100)
    found = stable(account, name, made["serviceName"])
    assert (found["desiredCount"], found["runningCount"]) == (3, 3)
    arns = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    tasks = account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]
    assert len({task["containerInstanceArn"] for task in tasks}) == 3


def test_a_name_that_is_active_is_not_given_again(account: Account) -> None:
    name, definition = cluster(account), register(account)
    made = create_service(account, name, definition, desiredCount=0)
    refused(
        account.ecs.create_service,
        IPE,
        NOT_IDEMPOTENT,
        cluster=name,
        serviceName=made["serviceName"],
        taskDefinition=definition,
        desiredCount=1,
    )


def test_the_same_token_and_request_answer_with_the_same_service_and_ignore_new_tags(
    account: Account,
) -> None:
    name, definition, token = cluster(account), register(account), unique("token")
    request: dict[str, Any] = {"serviceName": "web", "desiredCount": 0, "clientToken": token}
    first = create_service(account, name, definition, tags=[{"key": "a", "value": "1"}], **request)
    again = create_service(account, name, definition, tags=[{"key": "b", "value": "2"}], **request)
    assert again["serviceArn"] == first["serviceArn"]
    assert again["createdAt"] == first["createdAt"]
    tags = account.ecs.list_tags_for_resource(resourceArn=first["serviceArn"])["tags"]
    assert tags == [{"key": "a", "value": "1"}]


def test_the_same_token_with_another_request_is_refused(account: Account) -> None:
    name, definition, token = cluster(account), register(account), unique("token")
    create_service(account, name, definition, serviceName="web", desiredCount=0, clientToken=token)
    refused(
        account.ecs.create_service,
        IPE,
        NOT_IDEMPOTENT,
        cluster=name,
        serviceName="web",
        taskDefinition=definition,
        desiredCount=1,
        clientToken=token,
    )


def test_the_same_token_with_another_name_makes_a_second_service(account: Account) -> None:
    name, definition, token = cluster(account), register(account), unique("token")
    for service_name in ("web", "api"):
        create_service(account, name, definition, serviceName=service_name, desiredCount=0, clientToken=token)
    assert len(account.all("list_services", "serviceArns", cluster=name)) == 2


def test_a_name_is_free_again_when_its_service_is_inactive(account: Account) -> None:
    name, definition = cluster(account), register(account)
    first = create_service(account, name, definition, serviceName="web", desiredCount=0)
    account.ecs.delete_service(cluster=name, service="web")
    account.ecs.get_waiter("services_inactive").wait(
        cluster=name, services=["web"], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
    )
    again = create_service(account, name, definition, serviceName="web")
    assert again["serviceArn"] == first["serviceArn"]
    assert again["createdAt"] > first["createdAt"]
    assert stable(account, name, "web")["status"] == "ACTIVE"


def test_the_name_of_a_draining_service_is_not_free(account: Account) -> None:
    name = cluster(account)
    definition = register(account, container(sim={"stop_delay": "20s"}))
    create_service(account, name, definition, serviceName="web")
    stable(account, name, "web")
    account.ecs.delete_service(cluster=name, service="web", force=True)
    refused(
        account.ecs.create_service,
        IPE,
        "Unable to Start a service that is still Draining.",
        cluster=name,
        serviceName="web",
        taskDefinition=definition,
        desiredCount=1,
    )
