"""Deployments that fail: the circuit breaker, rollback, and a service without either."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account
from support.patience import always, until
from support.shapes import (
    CHECK,
    cluster,
    container,
    create_service,
    deployment_arn,
    messages,
    register,
    service,
    stable,
    unique,
)

BAD = container(sim={"pull_error": "manifest unknown"})
UNSTARTABLE = container(sim={"start_error": "no such file"})
# It starts, and so is no failed start: the breaker judges what has run by its health alone.
CRASHING = container(sim={"run_for": "10ms", "exit_code": 1})
ROLLBACK = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
STAY = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}


def rolled_to_bad(
    account: Account, bad: dict[str, Any], **members: Any
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A steady service that is then updated to a definition that does not work: cluster, before, after."""
    name, family = cluster(account), unique("family")
    made = create_service(account, name, register(account, family=family), desiredCount=2, **members)
    before = stable(account, name, made["serviceName"])
    register(account, bad, family=family)
    after = account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)
    return name, before, after["service"]


def record(account: Account, arn: str) -> dict[str, Any]:
    answer = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    assert answer["failures"] == []
    (found,) = answer["serviceDeployments"]
    return dict(found)


@pytest.mark.parametrize("bad", [BAD, UNSTARTABLE], ids=["pull", "start"])
def test_the_breaker_rolls_back_to_the_last_completed_deployment(account: Account, bad: dict[str, Any]) -> None:
    name, before, after = rolled_to_bad(account, bad, deploymentConfiguration=ROLLBACK)
    service_name = before["serviceName"]
    failed = after["deployments"][0]["id"]
    found = until(
        lambda: service(account, name, service_name),
        lambda found: (
            found["taskDefinition"] == before["taskDefinition"]
            and found["deployments"][0]["rolloutState"] == "COMPLETED"
            and len(found["deployments"]) == 1
        ),
        within=40,
        what="rolled back",
    )
    assert found["deployments"][0]["id"] not in (failed, before["deployments"][0]["id"])
    assert found["runningCount"] == 2
    texts = messages(found)
    assert f"(service {service_name}) (deployment {failed}) deployment failed: tasks failed to start." in texts
    # The deployment that is rolled back to is named: the old one, or the new one that takes its place.
    targets = {before["deployments"][0]["id"], found["deployments"][0]["id"]}
    assert any(f"(service {service_name}) rolling back to deployment {one}." in texts for one in targets), texts

    ended = until(
        lambda: record(account, deployment_arn(account, name, after)),
        lambda one: one["status"] == "ROLLBACK_SUCCESSFUL",
        what="the record says so",
    )
    assert ended["targetServiceRevision"]["arn"].endswith(failed.removeprefix("ecs-svc/"))
    assert ended["rollback"]["serviceRevisionArn"].endswith(before["deployments"][0]["id"].removeprefix("ecs-svc/"))
    assert ended["deploymentCircuitBreaker"]["failureCount"] >= 3
    assert ended["deploymentCircuitBreaker"]["threshold"] == 3
    assert ended["statusReason"]
    assert ended["finishedAt"] >= ended["createdAt"]


def test_without_rollback_the_deployment_fails_and_the_old_tasks_stay(account: Account) -> None:
    name, before, after = rolled_to_bad(account, BAD, deploymentConfiguration=STAY)
    service_name, failed = before["serviceName"], after["deployments"][0]["id"]
    found = until(
        lambda: service(account, name, service_name),
        lambda found: found["deployments"][0].get("rolloutState") == "FAILED",
        within=40,
    )
    primary = found["deployments"][0]
    assert primary["id"] == failed
    assert "circuit breaker" in primary["rolloutStateReason"]
    assert "tasks failed to start" in primary["rolloutStateReason"]
    assert primary["failedTasks"] >= 3
    old = next(one for one in found["deployments"] if one["id"] == before["deployments"][0]["id"])
    assert (old["status"], old["runningCount"]) == ("ACTIVE", 2)

    # What had been started before still fails; nothing is started any more.
    def started(status: str) -> int:
        return len(account.all("list_tasks", "taskArns", cluster=name, startedBy=failed, desiredStatus=status))

    until(lambda: started("RUNNING"), lambda count: count == 0)
    stopped = started("STOPPED")
    always(
        lambda: (started("RUNNING"), started("STOPPED")),
        lambda counts: counts == (0, stopped),
        during=0.5,
        what="no further task is started",
    )


def test_a_failed_deployment_is_left_by_the_next_update(account: Account) -> None:
    name, before, after = rolled_to_bad(account, BAD, deploymentConfiguration=STAY)
    service_name = before["serviceName"]
    until(
        lambda: service(account, name, service_name),
        lambda found: found["deployments"][0].get("rolloutState") == "FAILED",
        within=40,
    )
    account.ecs.update_service(cluster=name, service=service_name, taskDefinition=before["taskDefinition"])
    found = stable(account, name, service_name)
    assert found["taskDefinition"] == before["taskDefinition"]
    assert found["deployments"][0]["id"] != after["deployments"][0]["id"]


def test_the_first_deployment_has_nothing_to_roll_back_to(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, BAD), deploymentConfiguration=ROLLBACK)
    found = until(
        lambda: service(account, name, made["serviceName"]),
        lambda found: found["deployments"][0].get("rolloutState") == "FAILED",
        within=40,
    )
    assert [one["id"] for one in found["deployments"]] == [made["deployments"][0]["id"]]


@pytest.mark.parametrize(("kind", "value", "threshold"), [("COUNT", 5, 5), ("UNBOUNDED_PERCENT", 50, 1)])
def test_the_threshold_is_as_configured(account: Account, kind: str, value: int, threshold: int) -> None:
    breaker = {**STAY["deploymentCircuitBreaker"], "thresholdConfiguration": {"type": kind, "value": value}}
    name, before, after = rolled_to_bad(account, BAD, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    until(
        lambda: service(account, name, before["serviceName"]),
        lambda found: found["deployments"][0].get("rolloutState") == "FAILED",
        within=40,
    )
    ended = record(account, deployment_arn(account, name, after))
    assert ended["deploymentCircuitBreaker"]["threshold"] == threshold
    assert ended["deploymentCircuitBreaker"]["failureCount"] >= threshold


def test_tasks_that_run_but_are_never_healthy_trip_the_breaker_too(account: Account) -> None:
    check = {**CHECK, "startPeriod": 0}
    ill = container(healthCheck=check, sim={"health": "unhealthy", "health_interval": "20ms"})
    name, before, _ = rolled_to_bad(account, ill, deploymentConfiguration=ROLLBACK)
    found = until(
        lambda: service(account, name, before["serviceName"]),
        lambda found: (
            found["taskDefinition"] == before["taskDefinition"]
            and found["deployments"][0]["rolloutState"] == "COMPLETED"
        ),
        within=40,
    )
    assert found["runningCount"] == 2


def test_without_a_breaker_the_service_goes_on_trying(account: Account) -> None:
    name, before, after = rolled_to_bad(account, BAD)
    found = until(
        lambda: service(account, name, before["serviceName"]),
        lambda found: found["deployments"][0]["failedTasks"] >= 4,
        within=40,
    )
    primary = found["deployments"][0]
    assert (primary["id"], primary["rolloutState"]) == (after["deployments"][0]["id"], "IN_PROGRESS")
    assert found["deployments"][1]["runningCount"] == 2


def test_tasks_that_ran_and_exited_are_no_failures_and_never_trip_the_breaker(account: Account) -> None:
    name, before, after = rolled_to_bad(account, CRASHING, deploymentConfiguration=ROLLBACK)
    new = after["deployments"][0]["id"]

    def stopped() -> list[str]:
        return account.all("list_tasks", "taskArns", cluster=name, startedBy=new, desiredStatus="STOPPED")

    until(stopped, lambda arns: len(arns) >= 5, within=40, what="five crashes")
    primary = service(account, name, before["serviceName"])["deployments"][0]
    assert (primary["id"], primary["failedTasks"]) == (new, 0)
    assert primary["rolloutState"] != "FAILED"
