"""ListTasks: filters and pages."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    reach,
    register,
    register_fargate,
    run,
    stable,
    unique,
)


def listed(account: Account, name: str, **members: Any) -> set[str]:
    arns = account.all("list_tasks", "taskArns", cluster=name, maxResults=3, **members)
    assert len(set(arns)) == len(arns)
    return set(arns)


def arns(tasks: list[dict[str, Any]]) -> set[str]:
    return {task["taskArn"] for task in tasks}


def test_tasks_are_listed_page_by_page(account: Account) -> None:
    name, definition = cluster(account), register(account)
    expected = arns(run(account, name, definition, count=10)) | arns(run(account, name, definition, count=2))
    pages = list(account.pages("list_tasks", "taskArns", cluster=name, maxResults=5))
    assert [len(page) for page in pages] == [5, 5, 2]
    assert {arn for page in pages for arn in page} == expected
    assert [len(page) for page in account.pages("list_tasks", "taskArns", cluster=name, maxResults=6)] == [
        6,
        6,
    ]


def test_a_hundred_tasks_are_a_page_unless_told_otherwise(account: Account) -> None:
    name = cluster(account)
    definition = register(account)
    for _ in range(11):
        run(account, name, definition, count=10)
    assert [len(page) for page in account.pages("list_tasks", "taskArns", cluster=name)] == [100, 10]


def test_the_paginator_of_boto3_walks_all_tasks(account: Account) -> None:
    name = cluster(account)
    expected = arns(run(account, name, register(account), count=7))
    pages = account.ecs.get_paginator("list_tasks").paginate(cluster=name, PaginationConfig={"PageSize": 2})
    assert {arn for page in pages for arn in page["taskArns"]} == expected


def test_tasks_are_listed_by_family_started_by_and_launch_type(account: Account) -> None:
    name = cluster(account)
    web, job = unique("web"), unique("job")
    web_tasks = arns(run(account, name, register(account, family=web), count=2, startedBy="me"))
    job_tasks = arns(run(account, name, register(account, family=job), count=4))
    fargate = register_fargate(account, family=unique("fargate"))
    fargate_tasks = arns(run(account, name, fargate, launchType="FARGATE", networkConfiguration=NETWORK))
    assert listed(account, name, family=web) == web_tasks
    assert listed(account, name, family=job) == job_tasks
    assert listed(account, name, family=web[:-1]) == set()
    assert listed(account, name, startedBy="me") == web_tasks
    assert listed(account, name, launchType="FARGATE") == fargate_tasks
    assert listed(account, name, launchType="EC2") == web_tasks | job_tasks
    assert listed(account, name, startedBy="me", family=job) == set()


def test_tasks_that_should_run_are_listed_unless_stopped_ones_are_asked_for(account: Account) -> None:
    name = cluster(account)
    running = arns(run(account, name, register(account), count=2))
    ended = arns(run(account, name, register(account, container(sim={"run_for": "0s"})), count=2))
    for arn in ended:
        reach(account, name, arn, "STOPPED")
    assert listed(account, name) == running
    assert listed(account, name, desiredStatus="RUNNING") == running
    assert listed(account, name, desiredStatus="STOPPED") == ended
    assert listed(account, name, desiredStatus="PENDING") == set()


def test_tasks_are_listed_by_service(account: Account) -> None:
    name, definition = cluster(account), register(account)
    alone = arns(run(account, name, definition))
    made = create_service(account, name, definition, desiredCount=4)
    stable(account, name, made["serviceName"])
    of_service = listed(account, name, serviceName=made["serviceName"])
    assert len(of_service) == 4
    assert listed(account, name, serviceName=made["serviceArn"]) == of_service
    assert listed(account, name) == of_service | alone
    deployment = made["deployments"][0]["id"]
    assert listed(account, name, startedBy=deployment) == of_service
    for task in account.ecs.describe_tasks(cluster=name, tasks=list(of_service))["tasks"]:
        assert task["group"] == f"service:{made['serviceName']}"
        assert task["startedBy"] == deployment


@pytest.mark.parametrize("form", ["{arn}", "{id}"])
def test_tasks_are_listed_by_instance(account: Account, form: str) -> None:
    name = cluster(account)
    tasks = run(
        account,
        name,
        register(account),
        count=6,
        placementStrategy=[{"type": "spread", "field": "instanceId"}],
    )
    instance = tasks[0]["containerInstanceArn"]
    expected = arns([task for task in tasks if task["containerInstanceArn"] == instance])
    assert 0 < len(expected) < 6
    given = form.format(arn=instance, id=instance.rsplit("/", 1)[1])
    assert listed(account, name, containerInstance=given) == expected


def test_an_instance_that_is_not_there_has_no_tasks(account: Account) -> None:
    name = cluster(account)
    run(account, name, register(account))
    assert listed(account, name, containerInstance="f6bbb147-5370-4ace-8c73-c7181ded911f") == set()
    assert listed(account, name, containerInstance="0" * 32) == set()
