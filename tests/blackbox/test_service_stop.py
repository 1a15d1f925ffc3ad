"""StopServiceDeployment and ContinueServiceDeployment: a deployment that is stopped, rolled back, or waits."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import always, until
from support.shapes import (
    cluster,
    create_service,
    deployment_arn,
    messages,
    register,
    service,
    stable,
)

IPE = "InvalidParameterException"
CONFLICT = "ConflictException"
NOT_FOUND = "ServiceDeploymentNotFoundException"
STUCK = {"minimumHealthyPercent": 100, "maximumPercent": 100}
FREE = {"minimumHealthyPercent": 100, "maximumPercent": 200}


def record(account: Account, arn: str) -> dict[str, Any]:
    (found,) = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    return dict(found)


def reach(account: Account, arn: str, status: str) -> dict[str, Any]:
    return until(lambda: record(account, arn), lambda seen: seen["status"] == status, what=f"{arn} {status}")


def under_way(account: Account, **members: Any) -> tuple[str, dict[str, Any], str]:
    """A service whose second deployment can't move: its cluster, the service before it, the ARN of its record."""
    name = cluster(account)
    made = create_service(account, name, register(account), **members)
    before = stable(account, name, made["serviceName"])
    account.ecs.update_service(
        cluster=name,
        service=made["serviceName"],
        taskDefinition=register(account),
        deploymentConfiguration=STUCK,
        availabilityZoneRebalancing="DISABLED",
    )
    found = service(account, name, made["serviceName"])
    arn = deployment_arn(account, name, found)
    reach(account, arn, "IN_PROGRESS")
    return name, before, arn


@pytest.mark.parametrize("stop_type", [None, "ROLLBACK"])
def test_a_deployment_is_rolled_back(account: Account, stop_type: str | None) -> None:
    name, before, arn = under_way(account)
    given = {"stopType": stop_type} if stop_type else {}
    answer = account.ecs.stop_service_deployment(serviceDeploymentArn=arn, **given)
    assert answer["serviceDeploymentArn"] == arn
    assert record(account, arn)["status"].startswith("ROLLBACK_")
    # Someone may lift the limits meanwhile, so that the rollback gets through.
    account.ecs.update_service(cluster=name, service=before["serviceName"], deploymentConfiguration=FREE)
    ended = reach(account, arn, "ROLLBACK_SUCCESSFUL")
    assert ended["rollback"]["serviceRevisionArn"].endswith(before["deployments"][0]["id"].removeprefix("ecs-svc/"))
    assert {"reason", "startedAt"} <= set(ended["rollback"])
    assert ended["finishedAt"] >= ended["startedAt"]
    assert ended["deploymentCircuitBreaker"]["status"] == "DISABLED"
    found = stable(account, name, before["serviceName"])
    assert found["taskDefinition"] == before["taskDefinition"]
    told = messages(found)
    assert any("rolling back to deployment" in text for text in told)
    refused(account.ecs.stop_service_deployment, CONFLICT, naming(arn), serviceDeploymentArn=arn)


def test_a_deployment_is_aborted(account: Account) -> None:
    name, before, arn = under_way(account)
    account.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    ended = reach(account, arn, "STOPPED")
    assert ended["stoppedAt"] == ended["finishedAt"]
    found = service(account, name, before["serviceName"])
    assert [one["rolloutState"] for one in found["deployments"]] == ["FAILED", "COMPLETED"]
    account.ecs.update_service(cluster=name, service=before["serviceName"], deploymentConfiguration=FREE)
    always(
        lambda: service(account, name, before["serviceName"]),
        lambda seen: (seen["runningCount"], seen["pendingCount"]) == (1, 0),
        during=0.5,
    )
    account.ecs.update_service(cluster=name, service=before["serviceName"], forceNewDeployment=True)
    stable(account, name, before["serviceName"])


def test_a_second_request_is_a_conflict(account: Account) -> None:
    _, _, arn = under_way(account)
    account.ecs.stop_service_deployment(serviceDeploymentArn=arn)
    refused(account.ecs.stop_service_deployment, CONFLICT, naming(arn), serviceDeploymentArn=arn)


def test_the_first_deployment_has_nothing_to_go_back_to(account: Account) -> None:
    name = cluster(account)
    # Nothing fits, so that the deployment stays under way.
    made = create_service(
        account,
        name,
        register(account),
        placementConstraints=[{"type": "memberOf", "expression": "attribute:nowhere == true"}],
    )
    arn = deployment_arn(account, name, made)
    refused(account.ecs.stop_service_deployment, CONFLICT, naming("roll back"), serviceDeploymentArn=arn)
    account.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ABORT")
    reach(account, arn, "STOPPED")


def test_what_is_complete_can_not_be_stopped(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account))
    found = stable(account, name, made["serviceName"])
    arn = deployment_arn(account, name, found)
    reach(account, arn, "SUCCESSFUL")
    refused(account.ecs.stop_service_deployment, CONFLICT, naming(arn, "SUCCESSFUL"), serviceDeploymentArn=arn)
    refused(
        account.ecs.continue_service_deployment,
        IPE,
        naming("not paused", "some-hook"),
        serviceDeploymentArn=arn,
        hookId="some-hook",
    )


@pytest.mark.parametrize("operation", ["stop_service_deployment", "continue_service_deployment"])
def test_what_names_no_deployment_is_refused(account: Account, operation: str) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    call = getattr(account.ecs, operation)
    hook = {"hookId": "some-hook"} if operation.startswith("continue") else {}
    for bad in ("", "nonsense", made["serviceArn"], account.arn(f"service-deployment/{name}")):
        refused(call, IPE, "The Service Deployment ARN is invalid.", serviceDeploymentArn=bad, **hook)
    unknown = account.arn(f"service-deployment/{name}/{made['serviceName']}/{'x' * 21}")
    refused(call, NOT_FOUND, "Service deployment not found.", serviceDeploymentArn=unknown, **hook)


def test_a_bad_stop_type_is_refused(account: Account) -> None:
    _, _, arn = under_way(account)
    refused(account.lax.stop_service_deployment, IPE, None, serviceDeploymentArn=arn, stopType="NOW")


def paused(account: Account, minutes: int = 60) -> tuple[str, dict[str, Any], str, str]:
    """A service that waits before its new tasks: its cluster, the service before, the record's ARN, the hook's id."""
    name = cluster(account)
    made = create_service(account, name, register(account))
    before = stable(account, name, made["serviceName"])
    hook = {
        "targetType": "PAUSE",
        "lifecycleStages": ["PRE_SCALE_UP"],
        "timeoutConfiguration": {"timeoutInMinutes": minutes, "action": "CONTINUE"},
    }
    account.ecs.update_service(
        cluster=name,
        service=made["serviceName"],
        taskDefinition=register(account),
        deploymentConfiguration={"lifecycleHooks": [hook]},
    )
    arn = deployment_arn(account, name, service(account, name, made["serviceName"]))
    seen = until(lambda: record(account, arn), lambda seen: seen.get("lifecycleHookDetails"))
    (detail,) = seen["lifecycleHookDetails"]
    assert (seen["status"], seen["lifecycleStage"]) == ("IN_PROGRESS", "PRE_SCALE_UP")
    assert detail["status"] == "AWAITING_ACTION"
    assert (detail["targetType"], detail["timeoutAction"]) == ("PAUSE", "CONTINUE")
    assert detail["expiresAt"] > seen["createdAt"]
    return name, before, arn, detail["hookId"]


def test_a_paused_deployment_goes_on(account: Account) -> None:
    name, before, arn, hook = paused(account)
    always(
        lambda: service(account, name, before["serviceName"]),
        lambda seen: (seen["runningCount"], seen["pendingCount"]) == (1, 0),
        during=0.3,
    )
    call = account.ecs.continue_service_deployment
    refused(call, IPE, naming("other"), serviceDeploymentArn=arn, hookId="other")
    assert call(serviceDeploymentArn=arn, hookId=hook)["serviceDeploymentArn"] == arn
    ended = reach(account, arn, "SUCCESSFUL")
    assert [one["status"] for one in ended["lifecycleHookDetails"]] == ["SUCCEEDED"]
    refused(call, IPE, naming(hook), serviceDeploymentArn=arn, hookId=hook)


def test_a_paused_deployment_is_rolled_back(account: Account) -> None:
    name, before, arn, hook = paused(account)
    account.ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook, action="ROLLBACK")
    ended = reach(account, arn, "ROLLBACK_SUCCESSFUL")
    assert [one["status"] for one in ended["lifecycleHookDetails"]] == ["FAILED"]
    assert stable(account, name, before["serviceName"])["taskDefinition"] == before["taskDefinition"]
