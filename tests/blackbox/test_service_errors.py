"""CreateService: what is refused, with which exception and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import (
    NETWORK,
    cluster,
    container,
    register,
    register_fargate,
    unique,
)

IPE, CE = "InvalidParameterException", "ClientException"
NO_CLUSTER = "ClusterNotFoundException"
NETWORK_NEEDED = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
NETWORK_NOT_VALID = "Network Configuration is not valid for the given networkMode of this task definition."
LAUNCH_TYPE = "launch type should be one of [EC2,FARGATE,EXTERNAL,FMI,MANAGED_INSTANCES]"
DAEMON_COUNT = (
    "The daemon scheduling strategy does not support a desired count for services. Remove the desired count"
    " value and try again"
)
DAEMON_FARGATE = (
    "The daemon scheduling strategy does not support the FARGATE launch type. Change the launch type and try again"
)
THRESHOLD = "Invalid deployment circuit breaker threshold value."
FARGATE = [{"capacityProvider": "FARGATE", "weight": 1}]
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"


def threshold(kind: str, value: int) -> dict[str, Any]:
    breaker = {"enable": True, "rollback": False, "thresholdConfiguration": {"type": kind, "value": value}}
    return {"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}}


def balancer(container_name: str, port: int) -> dict[str, Any]:
    one = {"targetGroupArn": TARGET_GROUP, "containerName": container_name, "containerPort": port}
    return {"loadBalancers": [one]}


# Whether the task definition is one for FARGATE, the members, the exception, the message.
REFUSALS: list[tuple[str, bool, dict[str, Any], str, Any]] = [
    ("no count", False, {"desiredCount": None}, IPE, "DesiredCount is missing"),
    ("negative count", False, {"desiredCount": -1}, IPE, "DesiredCount can not be lesser than 0"),
    ("daemon count", False, {"schedulingStrategy": "DAEMON", "desiredCount": 0}, IPE, DAEMON_COUNT),
    (
        "daemon fargate",
        True,
        {
            "schedulingStrategy": "DAEMON",
            "desiredCount": None,
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
        },
        IPE,
        DAEMON_FARGATE,
    ),
    (
        "daemon network first",
        True,
        {"schedulingStrategy": "DAEMON", "desiredCount": 1, "launchType": "FARGATE"},
        IPE,
        NETWORK_NEEDED,
    ),
    (
        "daemon count before launch type",
        True,
        {
            "schedulingStrategy": "DAEMON",
            "desiredCount": 1,
            "launchType": "FARGATE",
            "networkConfiguration": NETWORK,
        },
        IPE,
        DAEMON_COUNT,
    ),
    (
        "strategy",
        False,
        {"schedulingStrategy": "ONCE"},
        IPE,
        "Scheduling strategy should be one of [REPLICA,DAEMON]",
    ),
    ("launch type", False, {"launchType": "MOON"}, IPE, LAUNCH_TYPE),
    (
        "maximum",
        False,
        {"deploymentConfiguration": {"maximumPercent": 99}},
        IPE,
        "maximumPercent must be at least 100",
    ),
    (
        "minimum",
        False,
        {"deploymentConfiguration": {"minimumHealthyPercent": 101}},
        IPE,
        "minimumHealthyPercent must be at most 100",
    ),
    ("network", True, {"launchType": "FARGATE"}, IPE, NETWORK_NEEDED),
    ("network for none", True, {"launchType": "FARGATE", "desiredCount": 0}, IPE, NETWORK_NEEDED),
    ("network for bridge", False, {"networkConfiguration": NETWORK}, IPE, NETWORK_NOT_VALID),
    (
        "subnets",
        True,
        {"launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}},
        IPE,
        "subnets can not be empty.",
    ),
    ("count threshold", False, threshold("COUNT", 0), IPE, THRESHOLD),
    ("percent threshold", False, threshold("BOUNDED_PERCENT", 101), IPE, THRESHOLD),
    (
        "threshold type",
        False,
        threshold("GUESS", 1),
        IPE,
        "Invalid deployment circuit breaker threshold type.",
    ),
    (
        "random field",
        False,
        {"placementStrategy": [{"type": "random", "field": "cpu"}]},
        IPE,
        naming("random field should not be specified"),
    ),
    (
        "binpack field",
        False,
        {"placementStrategy": [{"type": "binpack", "field": "colour"}]},
        IPE,
        naming("binpack field 'colour' is invalid"),
    ),
    (
        "distinct expression",
        False,
        {"placementConstraints": [{"type": "distinctInstance", "expression": "a == b"}]},
        IPE,
        naming("distinctInstance expression should not be specified."),
    ),
    (
        "container of a balancer",
        False,
        balancer("absent", 80),
        IPE,
        "The container absent does not exist in the task definition.",
    ),
    (
        "port of a balancer",
        False,
        balancer("app", 81),
        IPE,
        "The container app did not have a container port 81 defined.",
    ),
    (
        "platform",
        False,
        {"launchType": "EC2", "platformVersion": "1.4.0"},
        IPE,
        "The platform version must be null when specifying an EC2 launch type.",
    ),
    (
        "both",
        True,
        {"launchType": "FARGATE", "capacityProviderStrategy": FARGATE, "networkConfiguration": NETWORK},
        IPE,
        naming(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        ),
    ),
    (
        "unassociated",
        True,
        {"capacityProviderStrategy": FARGATE, "networkConfiguration": NETWORK},
        IPE,
        naming("capacity provider that is not associated with the cluster"),
    ),
    (
        "service connect",
        False,
        {
            "serviceConnectConfiguration": {
                "enabled": True,
                "namespace": "internal",
                "services": [{"portName": "absent"}],
            }
        },
        IPE,
        naming("portName(absent) does not refer to any named PortMapping in the container definitions"),
    ),
    ("token", False, {"clientToken": "t" * 37}, IPE, "idempotency token longer than 36."),
    ("definition", False, {"taskDefinition": "absent:1"}, CE, "TaskDefinition not found."),
    (
        "revision",
        False,
        {"taskDefinition": "absent:bad"},
        IPE,
        "Invalid task definition: Invalid revision number.",
    ),
    ("name", False, {"serviceName": "a/b"}, IPE, naming("name")),
    ("empty name", False, {"serviceName": ""}, IPE, naming("name")),
    ("no name", False, {"serviceName": None}, IPE, naming("serviceName")),
    ("tag", False, {"tags": [{"key": "a"}]}, IPE, "Tag value can not be null."),
    ("propagate", False, {"propagateTags": "EVERYTHING"}, IPE, naming("propagateTags")),
    ("cluster", False, {"cluster": "absent"}, NO_CLUSTER, "Cluster not found."),
]


@pytest.mark.parametrize(
    ("fargate", "members", "code", "message"),
    [row[1:] for row in REFUSALS],
    ids=[row[0].replace(" ", "-") for row in REFUSALS],
)
def test_a_create_that_breaks_a_rule_is_refused(
    account: Account, fargate: bool, members: dict[str, Any], code: str, message: Any
) -> None:
    name = cluster(account)
    app = container(portMappings=[{"containerPort": 80}])
    definition = register_fargate(account, app) if fargate else register(account, app)
    request = {
        "cluster": name,
        "serviceName": unique("service"),
        "taskDefinition": definition,
        "desiredCount": 1,
        **members,
    }
    request = {member: value for member, value in request.items() if value is not None}
    refused(account.lax.create_service, code, message, **request)
    assert account.ecs.list_services(cluster=name)["serviceArns"] == []


@pytest.mark.parametrize(
    ("operation", "members", "message"),
    [
        ("create_service", {"serviceName": "x", "taskDefinition": "x", "desiredCount": 1}, True),
        ("update_service", {"service": "x"}, True),
        ("delete_service", {"service": "x"}, True),
        ("describe_services", {"services": ["x"]}, True),
        ("list_services", {}, True),
        ("list_service_deployments", {"service": "x"}, True),
    ],
)
def test_an_inactive_cluster_has_no_services(
    account: Account, operation: str, members: dict[str, Any], message: bool
) -> None:
    name = cluster(account)
    account.ecs.delete_cluster(cluster=name)
    if operation == "create_service":
        members = {**members, "taskDefinition": register(account)}
    call = getattr(account.ecs, operation)
    refused(call, NO_CLUSTER, "The referenced cluster was inactive.", cluster=name, **members)
    refused(call, NO_CLUSTER, "Cluster not found.", cluster=unique("absent"), **members)


@pytest.mark.parametrize(
    ("deleted", "message"),
    [(False, "TaskDefinition is inactive"), (True, "TaskDefinition is being deleted")],
)
def test_an_inactive_task_definition_makes_no_service(account: Account, deleted: bool, message: str) -> None:
    name, definition = cluster(account), register(account)
    account.ecs.deregister_task_definition(taskDefinition=definition)
    if deleted:
        account.ecs.delete_task_definitions(taskDefinitions=[definition])
    # ECS's words are known of RunTask only: the exception is a client's fault in any case.
    refused(
        account.ecs.create_service,
        (CE, IPE),
        naming("TaskDefinition"),
        cluster=name,
        serviceName="web",
        taskDefinition=definition,
        desiredCount=1,
    )
