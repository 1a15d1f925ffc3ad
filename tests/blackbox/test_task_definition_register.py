"""RegisterTaskDefinition: what is registered reads back exactly, with ECS's own additions."""

from __future__ import annotations

import time
from typing import Any

import pytest

from support.account import Account
from support.shapes import CHECK, ROLE, container, register, unique

C, E = "com.amazonaws.ecs.capability.", "ecs.capability."
DEFAULTS: dict[str, Any] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
EFS = {
    "name": "data",
    "efsVolumeConfiguration": {
        "fileSystemId": "fs-12345678",
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-12345678", "iam": "ENABLED"},
    },
}


def described(account: Account, arn: str) -> dict[str, Any]:
    return dict(account.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"])


def attributes(definition: dict[str, Any]) -> set[str]:
    return {attribute["name"] for attribute in definition.get("requiresAttributes", [])}


def test_the_smallest_definition_is_answered_with_all_its_defaults(account: Account) -> None:
    family = unique("family")
    before = time.time()
    answer = account.ecs.register_task_definition(
        family=family, containerDefinitions=[{"name": "app", "image": "busybox", "memory": 64}]
    )
    assert "tags" not in answer
    registered = account.raw["taskDefinition"]
    assert before - 1 <= registered.pop("registeredAt") <= time.time() + 1
    assert set(registered.pop("compatibilities")) == {"EXTERNAL", "EC2"}
    assert registered == {
        "taskDefinitionArn": account.arn(f"task-definition/{family}:1"),
        "family": family,
        "revision": 1,
        "status": "ACTIVE",
        "containerDefinitions": [{"name": "app", "image": "busybox", "memory": 64, **DEFAULTS}],
        "volumes": [],
        "placementConstraints": [],
        "registeredBy": f"arn:aws:iam::{account.account}:root",
    }


def test_describe_answers_what_register_answered(account: Account) -> None:
    arn = register(account, container(sim={"run_for": "1s"}), tags=[{"key": "a", "value": "1"}])
    registered = account.raw["taskDefinition"]
    account.ecs.describe_task_definition(taskDefinition=arn)
    assert account.raw == {"taskDefinition": registered, "tags": []}


@pytest.mark.parametrize("include", [[], ["TAGS"]])
def test_tags_are_answered_by_register_if_sent_and_by_describe_if_included(
    account: Account, include: list[str]
) -> None:
    tags = [{"key": "a", "value": "1"}]
    family = unique("family")
    answer = account.ecs.register_task_definition(family=family, containerDefinitions=[container()], tags=tags)
    assert answer["tags"] == tags
    found = account.ecs.describe_task_definition(taskDefinition=family, include=include)
    assert found["tags"] == (tags if include else [])


FULL: dict[str, Any] = {
    "networkMode": "awsvpc",
    "taskRoleArn": "arn:aws:iam::123456789012:role/app",
    "executionRoleArn": ROLE,
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "512",
    "memory": "1024",
    "ephemeralStorage": {"sizeInGiB": 50},
    "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    "volumes": [{"name": "scratch"}, EFS],
    "enableFaultInjection": False,
}
FULL_APP: dict[str, Any] = {
    "name": "app",
    "image": "nginx@sha256:" + "0a" * 32,
    "cpu": 256,
    "memory": 512,
    "memoryReservation": 256,
    "essential": True,
    "portMappings": [
        {"containerPort": 80, "hostPort": 80, "protocol": "tcp", "name": "web", "appProtocol": "http"},
        {"containerPort": 53, "hostPort": 53, "protocol": "udp"},
    ],
    "entryPoint": ["/bin/sh", "-c"],
    "command": ["exec nginx -g 'daemon off;' # ünïcödé"],
    "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": ""}],
    "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/app.env"}],
    "secrets": [{"name": "S", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/s"}],
    "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/tmp/scratch", "readOnly": False}],
    "volumesFrom": [],
    "dependsOn": [{"containerName": "side", "condition": "HEALTHY"}],
    "startTimeout": 120,
    "stopTimeout": 120,
    "user": "1000:1000",
    "workingDirectory": "/srv",
    "readonlyRootFilesystem": True,
    "dockerLabels": {"team": "blue", "kecs.dev/sim.run-for": "1s"},
    "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/app", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "app"},
    },
    "linuxParameters": {"initProcessEnabled": True, "capabilities": {"add": ["SYS_PTRACE"], "drop": []}},
    "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
    "restartPolicy": {"enabled": True, "ignoredExitCodes": [0], "restartAttemptPeriod": 60},
    "versionConsistency": "disabled",
    "interactive": False,
    "pseudoTerminal": True,
}
FULL_SIDE: dict[str, Any] = {
    "name": "side",
    "image": "envoy:v1",
    "memory": 128,
    "healthCheck": {
        "command": ["CMD-SHELL", "true"],
        "interval": 5,
        "timeout": 2,
        "retries": 2,
        "startPeriod": 1,
    },
}


def test_a_definition_with_nearly_everything_reads_back_as_it_was_sent(account: Account) -> None:
    arn = register(account, FULL_APP, FULL_SIDE, **FULL)
    account.ecs.describe_task_definition(taskDefinition=arn)
    found = account.raw["taskDefinition"]
    app, side = found["containerDefinitions"]
    assert app == FULL_APP
    assert side == {**DEFAULTS, **FULL_SIDE}
    for member, value in FULL.items():
        assert found[member] == value, member
    assert "FARGATE" in found["compatibilities"]


@pytest.mark.parametrize(
    ("mode", "mapping", "read"),
    [
        (None, {"containerPort": 80}, {"containerPort": 80, "hostPort": 0, "protocol": "tcp"}),
        ("bridge", {"containerPort": 80}, {"containerPort": 80, "hostPort": 0, "protocol": "tcp"}),
        (
            "bridge",
            {"containerPort": 80, "hostPort": 8080},
            {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"},
        ),
        ("host", {"containerPort": 80}, {"containerPort": 80, "hostPort": 80, "protocol": "tcp"}),
        (
            "awsvpc",
            {"containerPort": 53, "protocol": "udp"},
            {"containerPort": 53, "hostPort": 53, "protocol": "udp"},
        ),
    ],
)
def test_port_mappings_get_a_host_port_and_a_protocol(
    account: Account, mode: str | None, mapping: dict[str, Any], read: dict[str, Any]
) -> None:
    members = {} if mode is None else {"networkMode": mode}
    found = described(account, register(account, container(portMappings=[mapping]), **members))
    assert found["containerDefinitions"][0]["portMappings"] == [read]
    assert found.get("networkMode") == mode


@pytest.mark.parametrize(
    ("cpu", "memory", "read"),
    [
        ("0.25 vCPU", "0.5 GB", ("256", "512")),
        ("1 vCPU", "2 GB", ("1024", "2048")),
        ("1vcpu", "3GB", ("1024", "3072")),
        ("256", "1024", ("256", "1024")),
    ],
)
def test_sizes_in_words_read_back_as_numbers(account: Account, cpu: str, memory: str, read: tuple[str, str]) -> None:
    arn = register(
        account,
        container(),
        cpu=cpu,
        memory=memory,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
    )
    found = described(account, arn)
    assert (found["cpu"], found["memory"]) == read


@pytest.mark.parametrize(
    ("members", "compatibilities"),
    [
        ({}, {"EXTERNAL", "EC2"}),
        ({"networkMode": "bridge"}, {"EXTERNAL", "EC2"}),
        ({"networkMode": "host"}, {"EXTERNAL", "EC2"}),
        ({"networkMode": "awsvpc"}, {"EC2", "FARGATE", "MANAGED_INSTANCES"}),
    ],
)
def test_compatibilities_follow_from_the_network_mode(
    account: Account, members: dict[str, Any], compatibilities: set[str]
) -> None:
    arn = register(account, cpu="256", memory="512", **members)
    assert set(described(account, arn)["compatibilities"]) == compatibilities


def test_a_long_stop_timeout_is_not_compatible_with_fargate(account: Account) -> None:
    for timeout, fits in ((120, True), (121, False)):
        arn = register(account, container(stopTimeout=timeout), networkMode="awsvpc", cpu="256", memory="512")
        assert ("FARGATE" in described(account, arn)["compatibilities"]) is fits


ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"
AWSLOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"}}
SECRETS = "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"


@pytest.mark.parametrize(
    ("app", "members", "required"),
    [
        ({}, {"networkMode": "awsvpc"}, {C + "docker-remote-api.1.18", E + "task-eni"}),
        ({"logConfiguration": {"logDriver": "syslog"}}, {}, {C + "logging-driver.syslog"}),
        (
            {"logConfiguration": AWSLOGS},
            {},
            {C + "logging-driver.awslogs", C + "docker-remote-api.1.19"},
        ),
        (
            {"logConfiguration": AWSLOGS},
            {"executionRoleArn": ROLE},
            {C + "logging-driver.awslogs", C + "docker-remote-api.1.19", E + "execution-role-awslogs"},
        ),
        ({"image": ECR}, {}, {C + "ecr-auth"}),
        ({"image": ECR}, {"executionRoleArn": ROLE}, {C + "ecr-auth", E + "execution-role-ecr-pull"}),
        ({"memoryReservation": 32}, {}, {C + "docker-remote-api.1.21"}),
        ({"image": "nginx@sha256:" + "0a" * 32}, {}, {C + "docker-remote-api.1.21"}),
        ({}, {"taskRoleArn": ROLE}, {C + "task-iam-role"}),
        ({"healthCheck": CHECK}, {}, {E + "container-health-check", C + "docker-remote-api.1.29"}),
        ({"stopTimeout": 10}, {}, {E + "container-ordering"}),
        (
            {"secrets": [{"name": "S", "valueFrom": "parameter"}]},
            {"executionRoleArn": ROLE},
            {E + "secrets.ssm.environment-variables"},
        ),
        (
            {"secrets": [{"name": "S", "valueFrom": SECRETS}]},
            {"executionRoleArn": ROLE},
            {E + "secrets.asm.environment-variables"},
        ),
        ({}, {"volumes": [EFS]}, {E + "efs", E + "efsAuth", C + "docker-remote-api.1.25"}),
    ],
)
def test_required_attributes_follow_from_what_is_used(
    account: Account, app: dict[str, Any], members: dict[str, Any], required: set[str]
) -> None:
    assert attributes(described(account, register(account, container(**app), **members))) == required


def test_revisions_of_a_family_count_up_and_are_never_reused(account: Account) -> None:
    family = unique("family")
    arns = [register(account, family=family) for _ in range(3)]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == ["1", "2", "3"]
    account.ecs.deregister_task_definition(taskDefinition=arns[2])
    account.ecs.delete_task_definitions(taskDefinitions=[arns[2]])
    assert register(account, family=family).endswith(":4")


def test_a_family_names_its_newest_active_revision(account: Account) -> None:
    family = unique("family")
    register(account, family=family)
    second = register(account, family=family)
    assert described(account, family)["revision"] == 2
    account.ecs.deregister_task_definition(taskDefinition=second)
    assert described(account, family)["revision"] == 1
    assert described(account, f"{family}:2")["status"] == "INACTIVE"


def test_a_role_that_is_an_empty_text_is_accepted(account: Account) -> None:
    assert described(account, register(account, taskRoleArn="")).get("taskRoleArn", "") == ""


def test_start_timeout_121_and_fargate_stop_timeout_120_pass(account: Account) -> None:
    register(
        account,
        container(startTimeout=121, stopTimeout=120),
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
    )
