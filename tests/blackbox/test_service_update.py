"""UpdateService and the rolling of tasks: scaling, new deployments, percents, events."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.account import Account
from support.patience import always, until
from support.shapes import (
    CHECK,
    cluster,
    container,
    create_service,
    messages,
    register,
    service,
    stable,
    unique,
)


def tasks_of(account: Account, name: str, service_name: str) -> list[dict[str, Any]]:
    arns = account.all("list_tasks", "taskArns", cluster=name, serviceName=service_name)
    return list(account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]) if arns else []


def steady(account: Account, **members: Any) -> tuple[str, str, dict[str, Any]]:
    """A steady service: its cluster, its family, itself."""
    name, family = cluster(account), unique("family")
    made = create_service(account, name, register(account, family=family), **members)
    return name, family, stable(account, name, made["serviceName"])


def test_scaling_makes_no_new_deployment(account: Account) -> None:
    name, _, made = steady(account, desiredCount=2)
    (before,) = made["deployments"]
    for count in (5, 1, 0, 3):
        answer = account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=count)
        assert answer["service"]["desiredCount"] == count
        found = stable(account, name, made["serviceName"])
        assert [deployment["id"] for deployment in found["deployments"]] == [before["id"]]
        assert len(tasks_of(account, name, made["serviceName"])) == count
    assert (
        len(account.all("list_service_deployments", "serviceDeployments", cluster=name, service=made["serviceName"]))
        == 1
    )


def test_a_new_task_definition_rolls_all_tasks(account: Account) -> None:
    name, family, made = steady(account, desiredCount=4)
    new = register(account, family=family)
    answer = account.ecs.update_service(cluster=name, service=made["serviceArn"], taskDefinition=family)
    updated = answer["service"]
    assert "tags" not in updated
    assert updated["taskDefinition"] == new
    primary = updated["deployments"][0]
    assert (primary["status"], primary["taskDefinition"]) == ("PRIMARY", new)
    assert primary["desiredCount"] == 0
    assert [deployment["status"] for deployment in updated["deployments"]] == ["PRIMARY", "ACTIVE"]
    found = stable(account, name, made["serviceName"])
    assert [deployment["id"] for deployment in found["deployments"]] == [primary["id"]]
    assert {task["taskDefinitionArn"] for task in tasks_of(account, name, made["serviceName"])} == {new}
    stopped = account.all(
        "list_tasks", "taskArns", cluster=name, serviceName=made["serviceName"], desiredStatus="STOPPED"
    )
    old = account.ecs.describe_tasks(cluster=name, tasks=stopped)["tasks"]
    assert len(old) == 4
    assert {task["stopCode"] for task in old} == {"ServiceSchedulerInitiated"}
    # Whether ECS names the deployment that goes or the one that comes is not known.
    ids = {made["deployments"][0]["id"], primary["id"]}
    reasons = {f"Scaling activity initiated by (deployment {one})" for one in ids}
    assert {task["stoppedReason"] for task in old} <= reasons


def test_the_answer_of_an_update_has_no_tags(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), tags=[{"key": "a", "value": "1"}])
    answer = account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=0)
    assert "tags" not in answer["service"]


def test_forcing_a_new_deployment_replaces_all_tasks_with_the_same_definition(account: Account) -> None:
    name, _, made = steady(account, desiredCount=2)
    before = {task["taskArn"] for task in tasks_of(account, name, made["serviceName"])}
    account.ecs.update_service(cluster=name, service=made["serviceName"], forceNewDeployment=True)
    found = stable(account, name, made["serviceName"])
    after = tasks_of(account, name, made["serviceName"])
    assert not before & {task["taskArn"] for task in after}
    assert {task["taskDefinitionArn"] for task in after} == {made["taskDefinition"]}
    assert found["deployments"][0]["id"] != made["deployments"][0]["id"]


def test_forcing_at_zero_makes_a_new_deployment_too(account: Account) -> None:
    name, _, made = steady(account, desiredCount=0)
    account.ecs.update_service(cluster=name, service=made["serviceName"], forceNewDeployment=True)
    found = stable(account, name, made["serviceName"])
    assert found["deployments"][0]["id"] != made["deployments"][0]["id"]


@pytest.mark.parametrize(
    "members",
    [
        {"deploymentConfiguration": {"minimumHealthyPercent": 50}},
        {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}},
        {"healthCheckGracePeriodSeconds": 30},
        {"desiredCount": 1},
    ],
    ids=["percents", "breaker", "grace", "same count"],
)
def test_what_is_no_part_of_a_revision_makes_no_new_deployment(account: Account, members: dict[str, Any]) -> None:
    name, _, made = steady(account)
    account.ecs.update_service(cluster=name, service=made["serviceName"], **members)
    found = stable(account, name, made["serviceName"])
    assert found["deployments"][0]["id"] == made["deployments"][0]["id"]


def test_a_breaker_update_keeps_what_it_leaves_out(account: Account) -> None:
    breaker = {
        "enable": True,
        "rollback": True,
        "resetOnHealthyTask": False,
        "thresholdConfiguration": {"type": "COUNT", "value": 7},
    }
    name, _, made = steady(account, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    answer = account.ecs.update_service(
        cluster=name,
        service=made["serviceName"],
        deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}},
    )
    configuration = answer["service"]["deploymentConfiguration"]
    assert configuration["deploymentCircuitBreaker"] == {**breaker, "rollback": False}


def test_rolling_never_has_fewer_healthy_or_more_tasks_than_the_percents_allow(account: Account) -> None:
    name, family, made = steady(
        account,
        desiredCount=4,
        deploymentConfiguration={"minimumHealthyPercent": 75, "maximumPercent": 125},
    )
    register(account, container(sim={"start_delay": "60ms", "stop_delay": "40ms"}), family=family)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)
    seen: list[tuple[int, int]] = []

    def look() -> dict[str, Any]:
        found = service(account, name, made["serviceName"])
        total = sum(one["runningCount"] + one["pendingCount"] for one in found["deployments"])
        seen.append((found["runningCount"], total))
        return found

    until(look, lambda found: found["deployments"][0]["rolloutState"] == "COMPLETED", within=30)
    assert min(running for running, _ in seen) >= 3
    assert max(total for _, total in seen) <= 5
    assert len(seen) > 2


def test_unhealthy_tasks_hold_the_old_ones_in_place(account: Account) -> None:
    script = {"health": "unhealthy-after=60s", "health_interval": "10ms", "start_delay": "0s"}
    name, family, made = steady(account, desiredCount=2)
    never = {**CHECK, "startPeriod": 300}
    register(
        account,
        container(healthCheck=never, sim={**script, "health": "unhealthy"}),
        family=family,
    )
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)
    until(
        lambda: service(account, name, made["serviceName"]),
        lambda found: found["deployments"][0]["runningCount"] > 0,
    )
    old = made["deployments"][0]["id"]
    always(
        lambda: service(account, name, made["serviceName"]),
        lambda found: next(one["runningCount"] for one in found["deployments"] if one["id"] == old) == 2,
        during=0.5,
        what="the old tasks stay",
    )


def test_an_update_during_a_deployment_supersedes_it(account: Account) -> None:
    name, family, made = steady(account, desiredCount=2)
    register(account, container(sim={"start_delay": "1h"}), family=family)
    slow = account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)
    third = register(account, family=family)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=third)
    found = stable(account, name, made["serviceName"])
    assert found["deployments"][0]["taskDefinition"] == third
    assert slow["service"]["deployments"][0]["id"] != found["deployments"][0]["id"]
    assert {task["taskDefinitionArn"] for task in tasks_of(account, name, made["serviceName"])} == {third}


def test_a_task_that_ends_is_replaced(account: Account) -> None:
    name, _, made = steady(account, desiredCount=2)
    victim = tasks_of(account, name, made["serviceName"])[0]["taskArn"]
    account.ecs.stop_task(cluster=name, task=victim)
    until(
        lambda: {task["taskArn"] for task in tasks_of(account, name, made["serviceName"])},
        lambda arns: len(arns) == 2 and victim not in arns,
    )
    found = stable(account, name, made["serviceName"])
    assert found["deployments"][0]["id"] == made["deployments"][0]["id"]


def test_an_unhealthy_task_of_a_service_is_replaced(account: Account) -> None:
    name = cluster(account)
    app = container(healthCheck=CHECK, sim={"health": "unhealthy-after=300ms", "health_interval": "20ms"})
    made = create_service(account, name, register(account, app))
    stopped = until(
        lambda: account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"], desiredStatus="STOPPED")[
            "taskArns"
        ],
        bool,
    )
    task = account.ecs.describe_tasks(cluster=name, tasks=stopped[:1])["tasks"][0]
    assert task["stoppedReason"].startswith("Task failed container health checks")


def test_events_have_the_texts_of_ecs_newest_first(account: Account) -> None:
    name, family, made = steady(account, desiredCount=2)
    service_name, first = made["serviceName"], made["deployments"][0]["id"]
    who = re.escape(f"(service {service_name})")
    register(account, family=family)
    account.ecs.update_service(cluster=name, service=service_name, taskDefinition=family)
    found = until(
        lambda: service(account, name, service_name),
        lambda found: len([text for text in messages(found) if "steady state" in text]) >= 2,
    )
    second = found["deployments"][0]["id"]
    texts = messages(found)
    assert texts.count(f"(service {service_name}) has reached a steady state.") >= 2
    assert texts.count(f"(service {service_name}) (deployment {first}) deployment completed.") == 1
    assert texts.count(f"(service {service_name}) (deployment {second}) deployment completed.") == 1
    task = r"\(task [0-9a-f]{32}\)"
    patterns = [
        rf"{who} has started \d+ tasks: {task}( {task})*\.",
        rf"{who} has stopped \d+ running tasks: ",
    ]
    for pattern in patterns:
        assert any(re.match(pattern, text) for text in texts), (pattern, texts)
    moments = [event["createdAt"] for event in found["events"]]
    assert moments == sorted(moments, reverse=True)
    assert len({event["id"] for event in found["events"]}) == len(moments)


def test_a_service_that_can_not_move_says_so(account: Account) -> None:
    name, family, made = steady(
        account,
        desiredCount=2,
        deploymentConfiguration={"minimumHealthyPercent": 100, "maximumPercent": 100},
    )
    register(account, family=family)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)
    text = (
        f"(service {made['serviceName']}) was unable to stop or start tasks during a deployment because of the"
        " service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try"
        " again."
    )
    until(lambda: messages(service(account, name, made["serviceName"])), lambda texts: text in texts)
