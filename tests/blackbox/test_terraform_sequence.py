"""The calls of Terraform's aws_ecs_service, replayed: wait for a steady state, find drift, destroy."""

from __future__ import annotations

import datetime
from typing import Any

from support.account import Account, refused
from support.patience import until
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    register,
    register_fargate,
    service,
    unique,
)

FAILED = ("STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "ROLLBACK_REQUESTED")


def wait_for_steady_state(account: Account, name: str, service_name: str, since: datetime.datetime) -> dict[str, Any]:
    """What the provider does after create and update, until the deployment has ended one way or another."""
    found = service(account, name, service_name)
    primary = next(one for one in found["deployments"] if one["status"] == "PRIMARY")
    number = primary["id"].removeprefix("ecs-svc/")

    def arn() -> str:
        listed = account.ecs.list_service_deployments(cluster=name, service=service_name, createdAt={"after": since})[
            "serviceDeployments"
        ]
        fitting = [one for one in listed if number in one["targetServiceRevisionArn"]]
        return str(fitting[0]["serviceDeploymentArn"]) if fitting else ""

    deployment = until(arn, bool, what="the service deployment of the primary deployment")

    def look() -> dict[str, Any]:
        answer = account.ecs.describe_service_deployments(serviceDeploymentArns=[deployment])
        (one,) = answer["serviceDeployments"]
        return dict(one)

    return until(look, lambda one: one["status"] == "SUCCESSFUL" or one["status"] in FAILED, within=40)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def test_create_and_update_reach_a_steady_state(account: Account) -> None:
    name, family = cluster(account), unique("family")
    since = now()
    made = create_service(account, name, register(account, family=family), desiredCount=2)
    first = wait_for_steady_state(account, name, made["serviceName"], since)
    assert first["status"] == "SUCCESSFUL"

    since = now()
    second = register(account, family=family)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=second)
    done = wait_for_steady_state(account, name, made["serviceName"], since)
    assert done["status"] == "SUCCESSFUL"
    assert done["serviceDeploymentArn"] != first["serviceDeploymentArn"]


def test_a_deployment_that_rolls_back_ends_the_wait_with_a_reason(account: Account) -> None:
    name, family = cluster(account), unique("family")
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    since = now()
    made = create_service(account, name, register(account, family=family), deploymentConfiguration=breaker)
    assert wait_for_steady_state(account, name, made["serviceName"], since)["status"] == "SUCCESSFUL"
    since = now()
    bad = register(account, container(sim={"pull_error": "manifest unknown"}), family=family)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=bad)
    done = wait_for_steady_state(account, name, made["serviceName"], since)
    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert "circuit breaker" in done["statusReason"].lower()


def test_a_refresh_finds_no_drift(account: Account) -> None:
    name = cluster(account)
    definition = register_fargate(account)
    request: dict[str, Any] = {
        "launchType": "FARGATE",
        "platformVersion": "LATEST",
        "networkConfiguration": {
            "awsvpcConfiguration": {**NETWORK["awsvpcConfiguration"], "assignPublicIp": "DISABLED"}
        },
        "deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 50},
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "healthCheckGracePeriodSeconds": 7,
        "propagateTags": "SERVICE",
        "schedulingStrategy": "REPLICA",
        "tags": [{"key": "a", "value": "1"}],
        "availabilityZoneRebalancing": "DISABLED",
    }
    made = create_service(account, name, definition, **request)
    found = service(account, name, made["serviceName"], include=["TAGS"])
    for member, value in request.items():
        if member == "deploymentConfiguration":
            assert found[member].items() >= value.items()
        else:
            assert found[member] == value, member
    assert found["taskDefinition"] == definition


def test_what_terraform_reads_from_the_primary_deployment_is_there(account: Account) -> None:
    name = cluster(account)
    app = container(
        portMappings=[{"containerPort": 80, "name": "web"}],
        mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}],
    )
    connect = {
        "enabled": True,
        "namespace": "internal",
        "services": [{"portName": "web", "clientAliases": [{"port": 80, "dnsName": "web"}]}],
    }
    volume: dict[str, Any] = {
        "name": "data",
        "managedEBSVolume": {"roleArn": f"arn:aws:iam::{account.account}:role/ebs", "sizeInGiB": 10},
    }
    definition = register(
        account,
        app,
        networkMode="bridge",
        volumes=[{"name": "data", "configuredAtLaunch": True}],
    )
    made = create_service(
        account,
        name,
        definition,
        serviceConnectConfiguration=connect,
        volumeConfigurations=[volume],
    )
    primary = service(account, name, made["serviceName"])["deployments"][0]
    assert primary["serviceConnectConfiguration"] == connect
    (read,) = primary["volumeConfigurations"]
    assert read["name"] == "data"
    assert read["managedEBSVolume"].items() >= volume["managedEBSVolume"].items()


def test_destroy_scales_down_deletes_and_waits(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"stop_delay": "200ms"})), desiredCount=2)
    since = now() - datetime.timedelta(minutes=1)
    assert wait_for_steady_state(account, name, made["serviceName"], since)["status"] == "SUCCESSFUL"
    account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=0)
    deleted = account.ecs.delete_service(cluster=name, service=made["serviceName"])["service"]
    assert deleted["status"] in ("DRAINING", "INACTIVE")
    # The provider deletes the cluster meanwhile, and tries again on exactly these exceptions.
    if deleted["status"] == "DRAINING":
        refused(
            account.ecs.delete_cluster,
            ("ClusterContainsServicesException", "ClusterContainsTasksException"),
            cluster=name,
        )
    until(lambda: service(account, name, made["serviceName"])["status"], lambda status: status == "INACTIVE")
    assert account.ecs.delete_cluster(cluster=name)["cluster"]["status"] == "INACTIVE"
