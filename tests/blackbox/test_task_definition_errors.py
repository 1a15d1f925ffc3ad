"""RegisterTaskDefinition: what is refused, in ECS's words where these are known."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import CHECK, ROLE, container, sim, unique

IPE, CE = "InvalidParameterException", "ClientException"
FARGATE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
MEMORY = "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified."
CPU = "Invalid 'cpu' setting for task."
ESSENTIAL = "Task definition doesn't have any essential container."
PORTS = "When networkMode={}, the host ports and container ports in port mappings must match."
AWSLOGS = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "g", "awslogs-region": "r", "awslogs-stream-prefix": "p"},
}
SIDE = container("side", essential=False)

Refusal = tuple[str, str, Any, list[dict[str, Any]], dict[str, Any]]


def depends(on: str, condition: str = "START") -> list[dict[str, str]]:
    return [{"containerName": on, "condition": condition}]


def no_memory(**members: Any) -> dict[str, Any]:
    return {"name": "app", "image": "busybox", **members}


# What it is about, the exception, the message, the containers, the other members.
REFUSALS: list[Refusal] = [
    (
        "fargate sizes",
        CE,
        "No Fargate configuration exists for given values: 256 CPU, 4096 memory."
        " See the Amazon ECS documentation for the valid values.",
        [container()],
        {**FARGATE, "memory": "4096"},
    ),
    (
        "fargate network",
        CE,
        "Fargate only supports network mode ‘awsvpc’.",
        [container()],
        {**FARGATE, "networkMode": "bridge"},
    ),
    (
        "fargate without cpu",
        CE,
        "Fargate requires that 'cpu' be defined at the task level.",
        [container()],
        {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "memory": "512"},
    ),
    (
        "fargate without any memory",
        CE,
        MEMORY,
        [no_memory()],
        {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256"},
    ),
    ("no memory", CE, MEMORY, [no_memory()], {}),
    (
        "memory below reservation",
        CE,
        naming("Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'."),
        [container(memory=64, memoryReservation=128)],
        {},
    ),
    (
        "memory above the task's",
        CE,
        naming("The 'memory' setting for container 'app' is greater than for the task"),
        [container(memory=1024)],
        {"memory": "512"},
    ),
    ("cpu is no number", IPE, CPU, [container()], {"cpu": "many"}),
    ("cpu is empty", IPE, CPU, [container()], {"cpu": ""}),
    (
        "sum of cpu",
        CE,
        re.compile("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'"),
        [container(cpu=200), container("side", cpu=100)],
        {"cpu": "256"},
    ),
    ("nothing essential", CE, ESSENTIAL, [container(essential=False)], {}),
    (
        "no image",
        CE,
        "Container.image should not be null or empty.",
        [{"name": "app", "memory": 64}],
        {},
    ),
    ("empty image", CE, "Container.image should not be null or empty.", [container(image="")], {}),
    (
        "names twice",
        CE,
        naming("Container names must be unique within a task definition"),
        [container(), container()],
        {},
    ),
    ("family", CE, "Family contains invalid characters.", [container()], {"family": "a b"}),
    ("family with a dot", CE, "Family contains invalid characters.", [container()], {"family": "a.b"}),
    (
        "dependency that is not there",
        CE,
        "Cannot depend on container + 'absent' because it does not exist",
        [container(dependsOn=depends("absent"))],
        {},
    ),
    (
        "cycle",
        CE,
        "Container dependsOn contains a cycle",
        [container(dependsOn=depends("side")), {**SIDE, "dependsOn": depends("app")}],
        {},
    ),
    (
        "itself",
        CE,
        "Container dependsOn contains a cycle",
        [container(dependsOn=depends("app"))],
        {},
    ),
    (
        "success of an essential container",
        CE,
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        [container(dependsOn=depends("side", "SUCCESS")), container("side")],
        {},
    ),
    (
        "completion of an essential container",
        CE,
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
        [container(dependsOn=depends("side", "COMPLETE")), container("side")],
        {},
    ),
    (
        "health without a check",
        CE,
        "A dependency container with HEALTHY condition must have health check configured",
        [container(dependsOn=depends("side", "HEALTHY")), SIDE],
        {},
    ),
    (
        "start timeout",
        CE,
        "Granular start timeout on container 'app' must be at least 2 seconds.",
        [container(startTimeout=1)],
        {},
    ),
    (
        "stop timeout",
        CE,
        "Granular stop timeout on container 'app' must be at least 2 seconds.",
        [container(stopTimeout=1)],
        {},
    ),
    (
        "fargate stop timeout",
        CE,
        "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
        [container(stopTimeout=121)],
        FARGATE,
    ),
    (
        "awsvpc ports",
        CE,
        PORTS.format("awsvpc"),
        [container(portMappings=[{"containerPort": 80, "hostPort": 81}])],
        {"networkMode": "awsvpc"},
    ),
    (
        "host ports",
        CE,
        PORTS.format("host"),
        [container(portMappings=[{"containerPort": 80, "hostPort": 81}])],
        {"networkMode": "host"},
    ),
    (
        "container port",
        CE,
        "Invalid 'containerPort' setting for container 'app'.",
        [container(portMappings=[{"containerPort": 70000}])],
        {},
    ),
    (
        "port twice",
        CE,
        naming("container port is used multiple times in task"),
        [container(portMappings=[{"containerPort": 80}, {"containerPort": 80}])],
        {"networkMode": "awsvpc"},
    ),
    (
        "port name twice",
        CE,
        naming("port mapping name is already used"),
        [container(portMappings=[{"containerPort": 80, "name": "web"}, {"containerPort": 81, "name": "web"}])],
        {"networkMode": "awsvpc"},
    ),
    (
        "fargate log driver",
        CE,
        "json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]",
        [container(logConfiguration={"logDriver": "json-file"})],
        FARGATE,
    ),
    (
        "awslogs without options",
        CE,
        "Log driver awslogs requires options: awslogs-region, awslogs-group",
        [container(logConfiguration={"logDriver": "awslogs"})],
        {},
    ),
    (
        "awslogs without a group",
        CE,
        "Log driver awslogs requires options: awslogs-group",
        [container(logConfiguration={"logDriver": "awslogs", "options": {"awslogs-region": "r"}})],
        {},
    ),
    (
        "fargate awslogs without a role",
        CE,
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        [container(logConfiguration=AWSLOGS)],
        FARGATE,
    ),
    (
        "fargate ecr without a role",
        CE,
        "Fargate requires task definition to have execution role ARN to support ECR images.",
        [container(image="123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1")],
        FARGATE,
    ),
    (
        "secrets without a role",
        CE,
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        [container(secrets=[{"name": "S", "valueFrom": "s"}])],
        {},
    ),
    (
        "fargate constraints",
        CE,
        naming("Fargate compatible task definitions do not support constraints"),
        [container()],
        {
            **FARGATE,
            "placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}],
        },
    ),
    (
        "fargate privileged",
        CE,
        naming("Fargate requires that the 'privileged' setting be 'false'"),
        [container(privileged=True)],
        FARGATE,
    ),
    (
        "architecture",
        CE,
        "Invalid CPU architecture",
        [container()],
        {"runtimePlatform": {"cpuArchitecture": "MIPS"}},
    ),
    ("tag without a value", CE, "Tag value can not be null.", [container()], {"tags": [{"key": "a"}]}),
    # The order of the checks: the format of cpu, then an essential container, then the network mode.
    ("cpu before essential", IPE, CPU, [container(essential=False)], {"cpu": "many"}),
    (
        "essential before network",
        CE,
        ESSENTIAL,
        [container(essential=False)],
        {**FARGATE, "networkMode": "bridge"},
    ),
]
for member, low, high in (
    ("interval", 4, 301),
    ("timeout", 1, 61),
    ("retries", 0, 11),
    ("startPeriod", -1, 301),
):
    for value in (low, high):
        check = {**CHECK, "interval": 300, member: value}
        REFUSALS.append((f"{member} {value}", CE, naming(member), [container(healthCheck=check)], {}))


@pytest.mark.parametrize(
    ("code", "message", "containers", "members"),
    [row[1:] for row in REFUSALS],
    ids=[row[0].replace(" ", "-") for row in REFUSALS],
)
def test_a_definition_that_breaks_a_rule_is_refused(
    account: Account, code: str, message: Any, containers: list[dict[str, Any]], members: dict[str, Any]
) -> None:
    request = {"family": unique("f"), "containerDefinitions": containers, **members}
    refused(account.lax.register_task_definition, code, message, **request)
    assert account.ecs.list_task_definition_families()["families"] == []


# Shapes that no client checks for us: the message names the member.
@pytest.mark.parametrize(
    ("request_members", "member"),
    [
        ({"family": None}, "family"),
        ({"containerDefinitions": None}, "containerDefinitions"),
        ({"networkMode": "carrier-pigeon"}, "networkMode"),
        ({"requiresCompatibilities": ["MOON"]}, "requiresCompatibilities"),
        ({"pidMode": "none"}, "pidMode"),
        ({"ipcMode": "mine"}, "ipcMode"),
        ({"containerDefinitions": [container(dependsOn=[{"containerName": "x"}])]}, "condition"),
        ({"containerDefinitions": [container(dependsOn=[{"condition": "START"}])]}, "containerName"),
        ({"containerDefinitions": [container(logConfiguration={})]}, "logDriver"),
        ({"containerDefinitions": [container(portMappings=[{"protocol": "sctp"}])]}, "protocol"),
        (
            {
                "containerDefinitions": [
                    container(ulimits=[{"name": "x", "softLimit": 1, "hardLimit": 1}]),
                ]
            },
            "ulimits",
        ),
        ({"runtimePlatform": {"operatingSystemFamily": "OS2"}}, "operatingSystemFamily"),
    ],
)
def test_a_member_that_is_no_value_is_named(account: Account, request_members: dict[str, Any], member: str) -> None:
    request = {"family": unique("f"), "containerDefinitions": [container()], **request_members}
    request = {name: value for name, value in request.items() if value is not None}
    refused(account.lax.register_task_definition, CE, naming(member), **request)


@pytest.mark.parametrize(
    "labels",
    [
        sim(exit_code="many"),
        sim(run_for="3 fortnights"),
        sim(health="fine"),
        sim(unheard_of="1"),
        sim(pull_error=""),
        sim(oom_after="-1s"),
    ],
    ids=lambda labels: next(iter(labels)),
)
def test_a_simulation_label_that_can_not_be_read_is_named(account: Account, labels: dict[str, str]) -> None:
    (label,) = labels
    app = container(dockerLabels=labels, healthCheck=CHECK)
    refused(
        account.ecs.register_task_definition,
        CE,
        naming("app", label),
        family=unique("f"),
        containerDefinitions=[app],
    )


def test_a_role_that_is_there_satisfies_fargate(account: Account) -> None:
    app = container(logConfiguration=AWSLOGS, image="123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1")
    account.ecs.register_task_definition(
        family=unique("f"), containerDefinitions=[app], executionRoleArn=ROLE, **FARGATE
    )
