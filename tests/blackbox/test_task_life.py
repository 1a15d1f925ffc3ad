"""Tasks through their lives: ends, exit codes, failures, dependencies, health, stopping."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account
from support.patience import until
from support.shapes import (
    CHECK,
    NETWORK,
    cluster,
    container,
    describe,
    reach,
    register,
    register_fargate,
    run,
)

ESSENTIAL = "Essential container in task exited"


def run_one(account: Account, *containers: dict[str, Any], **members: Any) -> tuple[str, str]:
    """A task of these containers: its cluster and ARN."""
    name = cluster(account)
    (task,) = run(account, name, register(account, *containers), **members)
    return name, task["taskArn"]


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_a_task_ends_with_its_essential_container_and_shows_the_exit_code(account: Account, code: int) -> None:
    name, arn = run_one(account, container(sim={"run_for": "20ms", "exit_code": code}))
    task = reach(account, name, arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("EssentialContainerExited", ESSENTIAL)
    assert task["desiredStatus"] == "STOPPED"
    (app,) = task["containers"]
    assert (app["exitCode"], app["lastStatus"]) == (code, "STOPPED")
    moments = ["createdAt", "startedAt", "executionStoppedAt", "stoppedAt"]
    assert [task[moment] for moment in moments] == sorted(task[moment] for moment in moments)


def test_a_task_outlives_what_is_not_essential(account: Account) -> None:
    name, arn = run_one(
        account, container(), container("side", essential=False, sim={"run_for": "10ms", "exit_code": 3})
    )
    task = until(
        lambda: describe(account, name, arn),
        lambda task: any("exitCode" in one for one in task["containers"]),
    )
    side = next(one for one in task["containers"] if one["name"] == "side")
    assert (side["exitCode"], side["lastStatus"]) == (3, "STOPPED")
    assert task["lastStatus"] == "RUNNING"
    assert "stopCode" not in task


@pytest.mark.simulated("the registry's words are a label")
def test_an_image_that_can_not_be_pulled_ends_the_task_before_its_start(account: Account) -> None:
    name, arn = run_one(account, container(sim={"pull_error": "manifest unknown"}))
    task = reach(account, name, arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert (
        task["stoppedReason"].startswith("CannotPullContainerError") or "failed to start" in (task["stoppedReason"])
    )
    (app,) = task["containers"]
    assert app["reason"].startswith("CannotPullContainerError")
    assert "manifest unknown" in app["reason"]
    assert "exitCode" not in app
    assert "startedAt" not in task


@pytest.mark.simulated("the runtime's words are a label")
@pytest.mark.parametrize(
    ("label", "prefix"),
    [("start_error", "CannotStartContainerError"), ("resource_error", "ResourceInitializationError")],
)
def test_what_can_not_start_has_the_reason_in_the_container_or_task(
    account: Account, label: str, prefix: str
) -> None:
    name, arn = run_one(account, container(sim={label: "no such device"}))
    task = reach(account, name, arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    texts = [task["stoppedReason"], task["containers"][0].get("reason", "")]
    assert any(text.startswith(prefix) and "no such device" in text for text in texts), texts
    assert "startedAt" not in task


def test_too_much_memory_ends_a_container_with_137(account: Account) -> None:
    name, arn = run_one(account, container(sim={"oom_after": "10ms"}))
    task = reach(account, name, arn, "STOPPED")
    (app,) = task["containers"]
    assert app["exitCode"] == 137
    assert app["reason"].startswith("OutOfMemoryError")
    assert "Container killed due to memory usage" in app["reason"]


@pytest.mark.simulated("pulls and starts are slow by a label")
def test_a_slow_pull_and_a_slow_start_hold_the_task_back(account: Account) -> None:
    name, arn = run_one(account, container(sim={"pull_delay": "300ms", "start_delay": "200ms"}))
    task = reach(account, name, arn)
    assert (task["pullStoppedAt"] - task["pullStartedAt"]).total_seconds() >= 0.29
    assert (task["startedAt"] - task["pullStoppedAt"]).total_seconds() >= 0.19


@pytest.mark.simulated("the check's outcome is a label")
@pytest.mark.parametrize(
    ("health", "status"), [("healthy", "HEALTHY"), ("unhealthy", "UNHEALTHY"), ("hanging", "UNHEALTHY")]
)
def test_health_is_what_the_check_finds(account: Account, health: str, status: str) -> None:
    app = container(healthCheck=CHECK, sim={"health": health, "health_interval": "20ms"})
    name, arn = run_one(account, app)
    task = until(
        lambda: describe(account, name, arn),
        lambda task: task.get("healthStatus") == status,
        what=status,
    )
    assert task["containers"][0]["healthStatus"] == status
    # A lone task carries on, however unhealthy it is.
    assert task["lastStatus"] == "RUNNING"


def test_the_health_of_a_task_is_the_worst_of_its_essential_containers(account: Account) -> None:
    def checked(name: str, health: str, *, essential: bool) -> dict[str, Any]:
        script = {"health": health, "health_interval": "20ms"}
        return container(name, healthCheck=CHECK, essential=essential, sim=script)

    well, ill = (
        run_one(
            account,
            checked("app", "healthy", essential=True),
            checked("side", "unhealthy", essential=essential),
        )
        for essential in (False, True)
    )
    for (name, arn), status in ((well, "HEALTHY"), (ill, "UNHEALTHY")):
        until(
            lambda name=name, arn=arn: describe(account, name, arn),  # type: ignore[misc]
            lambda task: {one["healthStatus"] for one in task["containers"]} == {"HEALTHY", "UNHEALTHY"},
        )
        assert describe(account, name, arn)["healthStatus"] == status


def shows(status: str) -> Callable[[dict[str, Any]], bool]:
    return lambda task: task.get("healthStatus") == status


def test_health_that_changes_is_followed(account: Account) -> None:
    app = container(healthCheck=CHECK, sim={"health": "unhealthy-after=200ms", "health_interval": "20ms"})
    name, arn = run_one(account, app)
    for status in ("HEALTHY", "UNHEALTHY"):
        until(lambda: describe(account, name, arn), shows(status))


def test_a_container_waits_for_the_success_of_another(account: Account) -> None:
    init = container("init", essential=False, sim={"run_for": "150ms"})
    app = container(dependsOn=[{"containerName": "init", "condition": "SUCCESS"}])
    name, arn = run_one(account, init, app)
    until(
        lambda: describe(account, name, arn),
        lambda task: (
            {one["name"]: one["lastStatus"] for one in task["containers"]} == {"init": "RUNNING", "app": "PENDING"}
        ),
    )
    task = reach(account, name, arn)
    states = {one["name"]: one["lastStatus"] for one in task["containers"]}
    assert states == {"init": "STOPPED", "app": "RUNNING"}


def test_a_failed_success_dependency_ends_the_task(account: Account) -> None:
    init = container("init", essential=False, sim={"run_for": "10ms", "exit_code": 1})
    app = container(dependsOn=[{"containerName": "init", "condition": "SUCCESS"}])
    name, arn = run_one(account, init, app)
    task = reach(account, name, arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    assert "startedAt" not in task
    found = {one["name"]: one for one in task["containers"]}
    assert found["init"]["exitCode"] == 1
    assert {"runtimeId", "imageDigest"} <= set(found["app"])
    assert not {"exitCode", "reason"} & set(found["app"])


def test_a_container_waits_for_the_health_of_another(account: Account) -> None:
    script = {"health": "healthy-after=200ms", "health_interval": "20ms"}
    database = container("database", healthCheck={**CHECK, "retries": 10}, sim=script)
    app = container(dependsOn=[{"containerName": "database", "condition": "HEALTHY"}])
    name, arn = run_one(account, database, app)
    task = reach(account, name, arn)
    found = {one["name"]: one for one in task["containers"]}
    assert found["database"]["healthStatus"] == "HEALTHY"
    assert found["app"]["lastStatus"] == "RUNNING"


@pytest.mark.parametrize(
    ("members", "reason"), [({}, "Task stopped by user"), ({"reason": "for repair"}, "for repair")]
)
def test_a_stopped_task_shows_who_stopped_it(account: Account, members: dict[str, str], reason: str) -> None:
    name, arn = run_one(account, container())
    reach(account, name, arn)
    answer = account.ecs.stop_task(cluster=name, task=arn, **members)["task"]
    assert (answer["desiredStatus"], answer["taskArn"]) == ("STOPPED", arn)
    task = reach(account, name, arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", reason)
    assert task["containers"][0]["exitCode"] == 0
    moments = ["startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt"]
    assert [task[moment] for moment in moments] == sorted(task[moment] for moment in moments)


def test_stopping_a_stopped_task_keeps_the_first_reason_and_shows_it_bare(account: Account) -> None:
    name, arn = run_one(account, container(), tags=[{"key": "a", "value": "1"}])
    account.ecs.stop_task(cluster=name, task=arn, reason="first")
    reach(account, name, arn, "STOPPED")
    again = account.ecs.stop_task(cluster=name, task=arn, reason="second")["task"]
    assert again["stoppedReason"] == "first"
    assert (again["tags"], again["attachments"], again["containers"]) == ([], [], [])
    assert describe(account, name, arn)["stoppedReason"] == "first"


@pytest.mark.simulated("how it takes SIGTERM is a label")
def test_a_container_that_ignores_sigterm_is_killed_after_its_stop_timeout(account: Account) -> None:
    name, arn = run_one(account, container(stopTimeout=2, sim={"ignore_sigterm": "true"}))
    reach(account, name, arn)
    account.ecs.stop_task(cluster=name, task=arn)
    task = reach(account, name, arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 137
    assert 1.9 <= (task["stoppedAt"] - task["stoppingAt"]).total_seconds() < 10


@pytest.mark.simulated("how it takes SIGTERM is a label")
def test_a_container_ends_as_it_wants_after_sigterm(account: Account) -> None:
    name, arn = run_one(account, container(sim={"stop_delay": "100ms", "exit_on_sigterm": "143"}))
    reach(account, name, arn)
    account.ecs.stop_task(cluster=name, task=arn)
    assert reach(account, name, arn, "STOPPED")["containers"][0]["exitCode"] == 143


def test_a_network_interface_is_deleted_with_its_task(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK)
    reach(account, name, task["taskArn"])
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    stopped = reach(account, name, task["taskArn"], "STOPPED")
    assert [attachment["status"] for attachment in stopped["attachments"]] == ["DELETED"]


ORDER = ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"]


def test_states_only_go_forward_and_the_version_counts_them(account: Account) -> None:
    script = {"pull_delay": "300ms", "start_delay": "300ms", "run_for": f"{random.randrange(300, 500)}ms"}
    name, arn = run_one(account, container(sim=script))
    seen: list[tuple[int, int]] = []

    def look() -> dict[str, Any]:
        task = describe(account, name, arn)
        seen.append((task["version"], ORDER.index(task["lastStatus"])))
        return task

    until(look, lambda task: task["lastStatus"] == "STOPPED")
    assert seen == sorted(seen)
    changes = dict(seen)
    assert len(changes) >= len(set(changes.values())) > 2, seen


def test_dependents_stop_before_what_they_depend_on(account: Account) -> None:
    database = container("database", sim={"stop_delay": "50ms"})
    app = container(dependsOn=[{"containerName": "database", "condition": "START"}], sim={"stop_delay": "300ms"})
    name, arn = run_one(account, database, app)
    reach(account, name, arn)
    account.ecs.stop_task(cluster=name, task=arn)
    seen: list[dict[str, str]] = []

    def look() -> str:
        task = describe(account, name, arn)
        seen.append({one["name"]: one["lastStatus"] for one in task["containers"]})
        return str(task["lastStatus"])

    until(look, lambda status: status == "STOPPED")
    assert {"database": "RUNNING", "app": "RUNNING"} in seen or len(seen) < 3
    assert not any(states == {"database": "STOPPED", "app": "RUNNING"} for states in seen)
