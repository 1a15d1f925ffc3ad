"""GetTaskProtection and UpdateTaskProtection: who can be protected, for how long, and from what."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import always, until
from support.shapes import cluster, create_service, describe, reach, register, run, service, stable, unique

IPE = "InvalidParameterException"


def tasks_of(account: Account, name: str, found: dict[str, Any]) -> list[str]:
    return sorted(account.all("list_tasks", "taskArns", cluster=name, serviceName=found["serviceName"]))


def web(account: Account, name: str, **members: Any) -> tuple[dict[str, Any], list[str]]:
    """A stable service and its tasks."""
    made = create_service(account, name, register(account), **members)
    found = stable(account, name, made["serviceName"])
    return found, tasks_of(account, name, found)


def protect(account: Account, name: str, *tasks: str, on: bool = True, **members: Any) -> dict[str, Any]:
    request = {"cluster": name, "tasks": list(tasks), "protectionEnabled": on, **members}
    return dict(account.ecs.update_task_protection(**request))


def test_protection_is_given_shown_renewed_and_taken_away(account: Account) -> None:
    name = cluster(account)
    _, (task,) = web(account, name)
    get = {"cluster": name, "tasks": [task]}
    nothing = {"taskArn": task, "protectionEnabled": False}
    assert account.ecs.get_task_protection(**get)["protectedTasks"] == [nothing]
    for minutes in (None, 1, 2880):
        given = {} if minutes is None else {"expiresInMinutes": minutes}
        before = datetime.datetime.now(datetime.UTC)
        answer = protect(account, name, task, **given)
        assert answer["failures"] == []
        (protected,) = answer["protectedTasks"]
        lasts = (protected["expirationDate"] - before).total_seconds()
        assert abs(lasts - 60 * (minutes or 120)) < 30
        assert (protected["taskArn"], protected["protectionEnabled"]) == (task, True)
        assert account.ecs.get_task_protection(**get)["protectedTasks"] == [protected]
    by_id = protect(account, name, task.rsplit("/", 1)[1], on=False)
    assert by_id["protectedTasks"] == [nothing]
    assert account.ecs.get_task_protection(**get)["protectedTasks"] == [nothing]


def test_a_protected_task_is_neither_scaled_in_nor_replaced(account: Account) -> None:
    name = cluster(account)
    found, tasks = web(account, name, desiredCount=3)
    kept = tasks[1]
    protect(account, name, kept)
    who = {"cluster": name, "service": found["serviceName"]}
    account.ecs.update_service(**who, desiredCount=1)
    until(lambda: tasks_of(account, name, found), lambda left: left == [kept])
    account.ecs.update_service(**who, taskDefinition=register(account))
    until(lambda: tasks_of(account, name, found), lambda left: len(left) == 2 and kept in left)
    until(lambda: service(account, name, found["serviceName"]), lambda seen: seen["runningCount"] == 2)
    always(lambda: tasks_of(account, name, found), lambda left: kept in left, during=0.5)
    protect(account, name, kept, on=False)
    until(lambda: tasks_of(account, name, found), lambda left: len(left) == 1 and kept not in left)
    stable(account, name, found["serviceName"])


def test_a_user_stops_a_protected_task(account: Account) -> None:
    name = cluster(account)
    _, (task,) = web(account, name)
    protect(account, name, task)
    account.ecs.stop_task(cluster=name, task=task)
    stopped = reach(account, name, task, "STOPPED")
    assert stopped["stopCode"] == "UserInitiated"
    (failure,) = protect(account, name, task)["failures"]
    assert failure["reason"] == "TASK_NOT_VALID"


def test_a_deleted_service_ends_its_protected_tasks(account: Account) -> None:
    name = cluster(account)
    found, (task,) = web(account, name)
    protect(account, name, task)
    account.ecs.delete_service(cluster=name, service=found["serviceName"], force=True)
    reach(account, name, task, "STOPPED")


def test_no_more_tasks_are_protected_than_are_wanted(account: Account) -> None:
    name = cluster(account)
    found, tasks = web(account, name, desiredCount=2)
    assert protect(account, name, *tasks)["failures"] == []
    account.ecs.update_service(cluster=name, service=found["serviceName"], desiredCount=1)
    # Those that are protected already can be renewed.
    assert protect(account, name, *tasks)["failures"] == []
    protect(account, name, tasks[0], on=False)
    reach(account, name, tasks[0], "STOPPED")
    account.ecs.update_service(
        cluster=name,
        service=found["serviceName"],
        taskDefinition=register(account),
    )
    new = until(
        lambda: [task for task in tasks_of(account, name, found) if task != tasks[1]], bool, what="the new task"
    )
    reach(account, name, new[0])
    (failure,) = protect(account, name, *new)["failures"]
    assert failure == {"arn": new[0], "reason": "DEPLOYMENT_BLOCKED"}


def test_what_can_not_be_protected_comes_back_as_a_failure(account: Account) -> None:
    name = cluster(account)
    (alone,) = run(account, name, register(account))
    missing = account.arn(f"task/{name}/{'0' * 32}")
    _, (task,) = web(account, name)
    answer = protect(account, name, alone["taskArn"], missing, task, task)
    assert [one["taskArn"] for one in answer["protectedTasks"]] == [task]
    assert answer["failures"] == [
        {"arn": alone["taskArn"], "reason": "TASK_NOT_VALID"},
        {"arn": missing, "reason": "MISSING"},
    ]
    shown = account.ecs.get_task_protection(cluster=name, tasks=[alone["taskArn"], missing])
    assert shown["protectedTasks"] == []
    assert shown["failures"] == answer["failures"]
    assert "protectedUntil" not in describe(account, name, task)


SOME = ["0" * 32]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"expiresInMinutes": 0}, naming("expiresInMinutes")),
        ({"expiresInMinutes": -5}, naming("expiresInMinutes")),
        ({"expiresInMinutes": 2881}, naming("expiresInMinutes")),
        ({"tasks": []}, "Tasks cannot be empty."),
        ({"tasks": SOME * 11}, "tasks can have at most 10 items"),
        ({"tasks": ["nope"]}, "taskId length should be one of [32,36]"),
    ],
)
def test_bad_updates_are_refused(account: Account, members: dict[str, Any], message: Any) -> None:
    request = {"cluster": cluster(account), "tasks": SOME, "protectionEnabled": True, **members}
    refused(account.ecs.update_task_protection, IPE, message, **request)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (None, "Tasks cannot be empty."),
        (SOME * 101, "tasks can have at most 100 items"),
        (["arn:aws:ecs:us-east-1:123456789012:cluster/main"], "Unsupported resource type: cluster"),
    ],
)
def test_bad_questions_are_refused(account: Account, tasks: list[str] | None, message: str) -> None:
    request = {"cluster": cluster(account)} | ({} if tasks is None else {"tasks": tasks})
    refused(account.ecs.get_task_protection, IPE, message, **request)


def test_an_unknown_cluster_is_said_to_be_unknown(account: Account) -> None:
    request = {"cluster": unique("cluster"), "tasks": SOME}
    refused(account.ecs.get_task_protection, "ClusterNotFoundException", "Cluster not found.", **request)
    refused(account.ecs.update_task_protection, "ClusterNotFoundException", **request, protectionEnabled=True)
