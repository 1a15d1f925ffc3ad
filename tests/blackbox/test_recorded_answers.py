"""Answers of ECS that were seen in full, member by member and in their order."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, refused
from support.patience import until
from support.shapes import cluster, container, create_service, register, service, unique

IPE, CE = "InvalidParameterException", "ClientException"
C, E = "com.amazonaws.ecs.capability.", "ecs.capability."
DOCKER = f"{C}docker-remote-api.1."
ROLES = {
    "taskRoleArn": "arn:aws:iam::123456789012:role/task",
    "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
}
FARGATE = {"networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1"
LOGS = {"awslogs-group": "/ecs/app", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED"}}
BLUE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/57e3f68c2c9abf5e"


def logs(**options: str) -> dict[str, Any]:
    """A log configuration with these options and the usual ones."""
    return {"logDriver": "awslogs", "options": {**LOGS, **{name.replace("_", "-"): v for name, v in options.items()}}}


def check(**members: Any) -> dict[str, Any]:
    """A health check."""
    return {"command": ["CMD-SHELL", "true"], "interval": 30, "timeout": 5, "retries": 3, **members}


SECRET = {"name": "KEY", "valueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-1S78mu:user::"}
PARAMETER = {"name": "URL", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/app/URL"}
EFS = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-12345678", "rootDirectory": "/"}}

ATTRIBUTES = {
    "a secret of Secrets Manager": (
        {**FARGATE, **ROLES},
        [{"image": ECR, "secrets": [SECRET], "logConfiguration": logs()}],
        [
            f"{C}logging-driver.awslogs",
            f"{E}execution-role-awslogs",
            f"{C}ecr-auth",
            f"{DOCKER}19",
            f"{E}secrets.asm.environment-variables",
            f"{C}task-iam-role",
            f"{E}execution-role-ecr-pull",
            f"{DOCKER}18",
            f"{E}task-eni",
        ],
    ),
    "a parameter and a health check that begins late": (
        {**FARGATE, **ROLES},
        [
            {
                "image": ECR,
                "secrets": [PARAMETER],
                "logConfiguration": logs(awslogs_create_group="true"),
                "healthCheck": check(startPeriod=200),
            }
        ],
        [
            f"{C}logging-driver.awslogs",
            f"{E}execution-role-awslogs",
            f"{C}ecr-auth",
            f"{DOCKER}19",
            f"{C}task-iam-role",
            f"{E}container-health-check",
            f"{E}execution-role-ecr-pull",
            f"{E}secrets.ssm.environment-variables",
            f"{DOCKER}18",
            f"{E}task-eni",
            f"{DOCKER}29",
        ],
    ),
    "a user and a health check that begins at once": (
        {**FARGATE, **ROLES},
        [
            {"name": "xray", "image": "public.ecr.aws/xray/aws-xray-daemon", "user": "1337"},
            {"name": "app", "image": ECR, "logConfiguration": logs(), "healthCheck": check()},
        ],
        [
            f"{C}logging-driver.awslogs",
            f"{DOCKER}24",
            f"{E}execution-role-awslogs",
            f"{C}ecr-auth",
            f"{DOCKER}19",
            f"{DOCKER}17",
            f"{C}task-iam-role",
            f"{E}container-health-check",
            f"{E}execution-role-ecr-pull",
            f"{DOCKER}18",
            f"{E}task-eni",
        ],
    ),
    "an init process": (
        {**FARGATE, **ROLES},
        [
            {
                "image": "nginx",
                "linuxParameters": {"initProcessEnabled": True},
                "logConfiguration": logs(),
                "healthCheck": check(startPeriod=60),
            }
        ],
        [
            f"{C}logging-driver.awslogs",
            f"{E}execution-role-awslogs",
            f"{DOCKER}19",
            f"{C}task-iam-role",
            f"{DOCKER}25",
            f"{E}container-health-check",
            f"{DOCKER}18",
            f"{E}task-eni",
            f"{DOCKER}29",
        ],
    ),
    "a file system, and logs that don't block": (
        {**FARGATE, **ROLES, "volumes": [EFS]},
        [
            {
                "image": ECR,
                "logConfiguration": logs(mode="non-blocking", awslogs_create_group="true", max_buffer_size="25m"),
                "mountPoints": [{"sourceVolume": "data", "containerPath": "/data", "readOnly": False}],
            }
        ],
        [
            f"{E}execution-role-awslogs",
            f"{C}ecr-auth",
            f"{DOCKER}28",
            f"{C}task-iam-role",
            f"{E}execution-role-ecr-pull",
            f"{DOCKER}18",
            f"{E}task-eni",
            f"{DOCKER}29",
            f"{C}logging-driver.awslogs",
            f"{E}efsAuth",
            f"{DOCKER}19",
            f"{E}efs",
            f"{DOCKER}25",
        ],
    ),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_required_attributes_are_listed_as_ecs_lists_them(account: Account, case: str) -> None:
    members, containers, attributes = ATTRIBUTES[case]
    containers = [{"name": "app", "essential": True, **one} for one in containers]
    answer = account.ecs.register_task_definition(family=unique("family"), containerDefinitions=containers, **members)
    assert [one["name"] for one in answer["taskDefinition"]["requiresAttributes"]] == attributes


def test_a_file_system_s_root_reads_back(account: Account) -> None:
    volume = {
        "name": "data",
        "efsVolumeConfiguration": {"fileSystemId": "fs-12345678", "transitEncryption": "ENABLED"},
    }
    arn = register(account, container(), volumes=[volume])
    found = account.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert found["volumes"][0]["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-12345678",
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
    }


SERVICE = [
    "serviceArn",
    "serviceName",
    "clusterArn",
    "loadBalancers",
    "serviceRegistries",
    "status",
    "desiredCount",
    "runningCount",
    "pendingCount",
    "launchType",
    "platformVersion",
    "platformFamily",
    "taskDefinition",
    "deploymentConfiguration",
    "deployments",
    "roleArn",
    "events",
    "createdAt",
    "currentServiceRevisions",
    "placementConstraints",
    "placementStrategy",
    "networkConfiguration",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "deploymentController",
    "createdBy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "resourceManagementType",
]
DEPLOYMENT = [
    "id",
    "status",
    "taskDefinition",
    "desiredCount",
    "pendingCount",
    "runningCount",
    "failedTasks",
    "createdAt",
    "updatedAt",
    "launchType",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "rolloutState",
    "rolloutStateReason",
]


def test_a_service_on_fargate_is_answered_in_full(account: Account) -> None:
    name = cluster(account)
    app = container(portMappings=[{"containerPort": 8080}])
    arn = register(account, app, **FARGATE)
    balancer = {"targetGroupArn": BLUE, "containerName": app["name"], "containerPort": 8080}
    create_service(
        account,
        name,
        arn,
        serviceName="ui",
        desiredCount=2,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        loadBalancers=[balancer],
        healthCheckGracePeriodSeconds=30,
    )
    made = account.raw["service"]
    assert list(made) == SERVICE
    assert [list(one) for one in made["deployments"]] == [DEPLOYMENT]
    assert list(made["deploymentConfiguration"]) == [
        "deploymentCircuitBreaker",
        "maximumPercent",
        "minimumHealthyPercent",
        "strategy",
        "bakeTimeInMinutes",
    ]
    assert (made["platformVersion"], made["deployments"][0]["platformVersion"]) == ("LATEST", "1.4.0")
    before = until(
        lambda: service(account, name, "ui"),
        lambda found: found["deployments"][0]["rolloutState"] == "COMPLETED",
    )
    account.ecs.update_service(
        cluster=name, service="ui", taskDefinition=arn, enableExecuteCommand=True, forceNewDeployment=True
    )
    updated = account.raw["service"]
    assert list(updated) == SERVICE
    new, old = updated["deployments"]
    assert list(new) == list(old) == DEPLOYMENT
    assert (new["status"], new["desiredCount"], new["rolloutState"]) == ("PRIMARY", 0, "IN_PROGRESS")
    assert (old["status"], old["desiredCount"], old["runningCount"]) == ("ACTIVE", 2, 2)
    assert old["rolloutStateReason"] == f"ECS deployment {before['deployments'][0]['id']} completed."
    assert [one["requestedTaskCount"] for one in updated["currentServiceRevisions"]] == [0, 2]
    steady, completed, started = [one["message"] for one in updated["events"]]
    assert steady == "(service ui) has reached a steady state."
    assert completed == f"(service ui) (deployment {old['id']}) deployment completed."
    assert started.startswith("(service ui) has started 2 tasks: (task ")


def test_a_service_has_five_load_balancers_at_most(account: Account) -> None:
    name = cluster(account)
    arn = register(account, container(portMappings=[{"containerPort": 80}]))
    balancer = {"targetGroupArn": BLUE, "containerName": "app", "containerPort": 80}
    request = {"cluster": name, "serviceName": unique("service"), "taskDefinition": arn, "desiredCount": 0}
    why = "load balancers can have at most 5 items."
    refused(account.ecs.create_service, IPE, why, loadBalancers=[balancer] * 6, **request)
    account.ecs.create_service(loadBalancers=[balancer] * 5, **request)


def test_what_codedeploy_deploys_is_left_to_it(account: Account) -> None:
    name = cluster(account)
    arn = register(account, container(portMappings=[{"containerPort": 80}]), **FARGATE)
    made = create_service(
        account,
        name,
        arn,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        deploymentController={"type": "CODE_DEPLOY"},
    )
    why = "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
    for members, what in (
        ({"taskDefinition": arn}, "Unable to update task definition"),
        ({"networkConfiguration": NETWORK}, "Unable to update network parameters"),
        (
            {"loadBalancers": [{"targetGroupArn": BLUE, "containerName": "app", "containerPort": 80}]},
            "Unable to update load balancers",
        ),
        ({"forceNewDeployment": True}, "Cannot force a new deployment"),
    ):
        refused(
            account.ecs.update_service, IPE, f"{what} {why}", cluster=name, service=made["serviceName"], **members
        )
    account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=0)


def test_names_of_task_definitions_that_cannot_be(account: Account) -> None:
    name = cluster(account)
    ecs = account.ecs
    made = create_service(account, name, register(account), desiredCount=0)
    request = {"cluster": name, "serviceName": unique("service"), "desiredCount": 0}
    refused(ecs.create_service, CE, "Family contains invalid characters.", taskDefinition="a b:1", **request)
    refused(ecs.create_service, IPE, "Family should not be null or empty.", taskDefinition="", **request)
    refused(ecs.create_service, IPE, "TaskDefinition can not be blank.", **request)
    refused(ecs.describe_task_definition, IPE, "Task Definition can not be blank.", taskDefinition="")
    refused(
        ecs.update_service,
        CE,
        "TaskDefinition not found.",
        cluster=name,
        service=made["serviceName"],
        taskDefinition=unique("absent"),
    )
    refused(
        ecs.register_task_definition,
        CE,
        "Tags can not be empty.",
        family=unique("family"),
        containerDefinitions=[container()],
        tags=[],
    )
    refused(
        ecs.register_task_definition,
        CE,
        "Container.name contains invalid characters.",
        family=unique("family"),
        containerDefinitions=[container("a b")],
    )


def record(account: Account, arn: str) -> dict[str, Any]:
    """The record of one deployment."""
    (found,) = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    return dict(found)


def deployments(account: Account, name: str, service_name: str) -> list[dict[str, Any]]:
    """The service's records, newest first."""
    listed = account.ecs.list_service_deployments(cluster=name, service=service_name)["serviceDeployments"]
    return [record(account, one["serviceDeploymentArn"]) for one in listed]


BAD = container(sim={"pull_error": "manifest unknown"})
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
EXCEEDED = "Service deployment rolled back because the circuit breaker threshold was exceeded."


def test_a_first_deployment_that_fails_has_no_rollback_candidate(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, BAD), deploymentConfiguration=BREAKER)
    (ended,) = until(
        lambda: deployments(account, name, made["serviceName"]),
        lambda records: records and records[0]["status"] == "ROLLBACK_FAILED",
        within=40,
    )
    assert ended["statusReason"] == "No rollback candidate was found to run the rollback."
    assert ended["rollback"]["reason"] == EXCEEDED
    assert "serviceRevisionArn" not in ended["rollback"]
    assert ended["deploymentCircuitBreaker"]["status"] == "TRIGGERED"


def test_a_rollback_names_what_brought_it_about(account: Account) -> None:
    name = cluster(account)
    good = register(account, container(sim={"start_delay": "10ms"}))
    made = create_service(account, name, good, deploymentConfiguration=BREAKER)
    service_name = made["serviceName"]
    until(
        lambda: service(account, name, service_name),
        lambda found: found["deployments"][0]["rolloutState"] == "COMPLETED",
    )
    account.ecs.update_service(cluster=name, service=service_name, taskDefinition=register(account, BAD))
    records = until(
        lambda: deployments(account, name, service_name),
        lambda found: found[0]["status"] == "ROLLBACK_SUCCESSFUL",
        within=40,
    )
    assert records[0]["statusReason"] == records[0]["rollback"]["reason"] == EXCEEDED

    slow = register(account, container(sim={"start_delay": "1h"}))
    account.ecs.update_service(cluster=name, service=service_name, taskDefinition=slow)
    arn = until(lambda: deployments(account, name, service_name), lambda found: len(found) > 2)[0][
        "serviceDeploymentArn"
    ]
    account.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    stopped = until(
        lambda: record(account, arn),
        lambda one: one["status"] == "ROLLBACK_SUCCESSFUL",
        within=40,
    )
    assert stopped["statusReason"] == "Service deployment rolled back by user."


@pytest.mark.parametrize(
    ("sizes", "cpu", "memory"),
    [
        ([{"memory": 64}], "0", "64"),
        ([{"cpu": 10, "memory": 300}], "10", "300"),
        ([{"cpu": 8, "memory": None, "memoryReservation": 500}], "8", "500"),
        ([{"cpu": 100, "memory": 512}, {"name": "side", "memory": 512}], "100", "1024"),
    ],
)
def test_a_task_without_a_size_has_that_of_its_containers(
    account: Account, sizes: list[dict[str, Any]], cpu: str, memory: str
) -> None:
    containers = [{k: v for k, v in container(**one).items() if v is not None} for one in sizes]
    answer = account.ecs.run_task(cluster=cluster(account), taskDefinition=register(account, *containers))
    (task,) = answer["tasks"]
    assert (task["cpu"], task["memory"]) == (cpu, memory)
