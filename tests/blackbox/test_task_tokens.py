"""clientToken of RunTask: one set of tasks per token, and requests compared as they were written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from support.account import Account, refused
from support.shapes import NETWORK, cluster, container, reach, register, register_fargate, run, unique

CONFLICT = (
    "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use"
    " with a different request."
)


def arns(tasks: list[dict[str, Any]]) -> list[str]:
    return sorted(task["taskArn"] for task in tasks)


def test_the_same_token_and_request_answer_with_the_same_tasks(account: Account) -> None:
    name, definition, token = cluster(account), register(account), unique("token")
    first = run(account, name, definition, count=3, clientToken=token)
    again = run(account, name, definition, count=3, clientToken=token)
    assert arns(again) == arns(first)
    assert len(account.all("list_tasks", "taskArns", cluster=name)) == 3


def test_a_replay_shows_the_present_state_and_tags(account: Account) -> None:
    name, token = cluster(account), unique("token")
    definition = register(account, container(sim={"run_for": "100ms", "exit_code": 4}))
    (task,) = run(account, name, definition, clientToken=token)
    account.ecs.tag_resource(resourceArn=task["taskArn"], tags=[{"key": "later", "value": "1"}])
    reach(account, name, task["taskArn"], "STOPPED")
    (again,) = run(account, name, definition, clientToken=token)
    assert again["taskArn"] == task["taskArn"]
    assert again["lastStatus"] == "STOPPED"
    assert again["containers"][0]["exitCode"] == 4
    assert again["tags"] == [{"key": "later", "value": "1"}]


BASE: dict[str, Any] = {
    "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
}


@pytest.mark.parametrize(
    "change",
    [
        {"count": 1},
        {"count": 2},
        {"taskDefinition": "{family}:1"},
        {"taskDefinition": "{arn}"},
        {"cluster": "{cluster_arn}"},
        {"tags": BASE["tags"][::-1]},
        {"tags": BASE["tags"][:1]},
        {"overrides": {}},
        {"startedBy": ""},
        {"group": "other"},
    ],
    ids=lambda change: "-".join(f"{name}={value}" for name, value in change.items())[:40],
)
def test_a_token_with_a_request_that_is_written_otherwise_is_a_conflict(
    account: Account, change: dict[str, Any]
) -> None:
    name, family, token = cluster(account), unique("family"), unique("token")
    arn = register(account, family=family)
    request: dict[str, Any] = {"cluster": name, "taskDefinition": family, "clientToken": token, **BASE}
    tasks = account.ecs.run_task(**request)["tasks"]
    words = {"family": family, "arn": arn, "cluster_arn": account.arn(f"cluster/{name}")}
    request |= {
        member: value.format(**words) if isinstance(value, str) else value for member, value in change.items()
    }
    error = refused(account.ecs.run_task, "ConflictException", CONFLICT, **request)
    assert sorted(error.response["resourceIds"]) == arns(tasks)
    assert arns(account.ecs.describe_tasks(cluster=name, tasks=arns(tasks))["tasks"]) == arns(tasks)
    assert len(account.all("list_tasks", "taskArns", cluster=name)) == 1


def test_an_assign_public_ip_that_is_left_out_is_not_the_same_as_disabled(account: Account) -> None:
    name, definition, token = cluster(account), register_fargate(account), unique("token")
    shared: dict[str, Any] = {
        "cluster": name,
        "taskDefinition": definition,
        "launchType": "FARGATE",
        "clientToken": token,
    }
    vpc = NETWORK["awsvpcConfiguration"]
    explicit = {"awsvpcConfiguration": {**vpc, "assignPublicIp": "DISABLED"}}
    account.ecs.run_task(networkConfiguration=explicit, **shared)
    refused(
        account.ecs.run_task,
        "ConflictException",
        CONFLICT,
        networkConfiguration=NETWORK,
        **shared,
    )


def test_a_token_belongs_to_its_cluster(account: Account) -> None:
    definition, token = register(account), unique("token")
    clusters = [cluster(account), cluster(account)]
    tasks = [run(account, name, definition, clientToken=token)[0]["taskArn"] for name in clusters]
    assert len(set(tasks)) == 2


def test_a_replay_with_an_inactive_definition_fails_because_that_is_checked_first(account: Account) -> None:
    name, definition, token = cluster(account), register(account), unique("token")
    run(account, name, definition, clientToken=token)
    account.ecs.deregister_task_definition(taskDefinition=definition)
    refused(
        account.ecs.run_task,
        "InvalidParameterException",
        "TaskDefinition is inactive",
        cluster=name,
        taskDefinition=definition,
        clientToken=token,
    )


def test_a_token_of_64_characters_is_accepted(account: Account) -> None:
    run(account, cluster(account), register(account), clientToken="t" * 64)


def test_many_at_once_with_one_token_start_one_set_of_tasks(account: Account) -> None:
    name, definition, token = cluster(account), register(account), unique("token")
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: arns(run(account, name, definition, count=2, clientToken=token)), range(16))
        )
    assert len({tuple(answer) for answer in answers}) == 1
    assert sorted(account.all("list_tasks", "taskArns", cluster=name)) == answers[0]


def test_without_a_token_every_request_starts_tasks(account: Account) -> None:
    name, definition = cluster(account), register(account)
    for _ in range(2):
        run(account, name, definition)
    assert len(account.all("list_tasks", "taskArns", cluster=name)) == 2
