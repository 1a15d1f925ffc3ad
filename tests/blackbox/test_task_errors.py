"""RunTask, StopTask, DescribeTasks, ListTasks: what is refused, with which exception and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import NETWORK, cluster, container, reach, register, register_fargate, run, unique

IPE, CE = "InvalidParameterException", "ClientException"
NO_CLUSTER, NO_SERVICE = "ClusterNotFoundException", "ServiceNotFoundException"
LAUNCH_TYPE = "launch type should be one of [EC2,FARGATE,EXTERNAL,FMI,MANAGED_INSTANCES]"
NETWORK_NEEDED = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
NETWORK_NOT_VALID = "Network Configuration is not valid for the given networkMode of this task definition."
BOTH = "You may choose a capacity provider or a launch type but not both."
PUBLIC = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
FARGATE = [{"capacityProvider": "FARGATE", "weight": 1}]


def test_an_unknown_task_definition_is_refused_before_the_cluster_is_looked_for(account: Account) -> None:
    for name in ("absent", "absent:1", account.arn("task-definition/absent:1")):
        message = "TaskDefinition not found."
        refused(account.ecs.run_task, CE, message, cluster=unique("absent"), taskDefinition=name)


@pytest.mark.parametrize(
    ("deleted", "message"),
    [(False, "TaskDefinition is inactive"), (True, "TaskDefinition is being deleted")],
)
def test_an_inactive_task_definition_is_not_run(account: Account, deleted: bool, message: str) -> None:
    arn = register(account)
    account.ecs.deregister_task_definition(taskDefinition=arn)
    if deleted:
        account.ecs.delete_task_definitions(taskDefinitions=[arn])
    refused(account.ecs.run_task, IPE, message, cluster=unique("absent"), taskDefinition=arn)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("run_task", {}),
        ("stop_task", {"task": "0" * 32}),
        ("describe_tasks", {"tasks": ["0" * 32]}),
        ("list_tasks", {}),
    ],
)
def test_an_unknown_cluster_is_not_found(account: Account, operation: str, members: dict[str, Any]) -> None:
    if operation == "run_task":
        members = {"taskDefinition": register(account)}
    call = getattr(account.ecs, operation)
    refused(call, NO_CLUSTER, "Cluster not found.", cluster=unique("absent"), **members)
    # Without a name it is `default`, which nobody has made here.
    refused(call, NO_CLUSTER, "Cluster not found.", **members)


def test_nothing_runs_in_an_inactive_cluster(account: Account) -> None:
    name, definition = cluster(account), register(account)
    account.ecs.delete_cluster(cluster=name)
    refused(account.ecs.run_task, NO_CLUSTER, cluster=name, taskDefinition=definition)


@pytest.mark.parametrize(
    ("fargate", "members", "code", "message"),
    [
        (False, {"launchType": "MOON"}, IPE, LAUNCH_TYPE),
        (
            False,
            {"launchType": "FARGATE"},
            IPE,
            "Task definition does not support launch_type FARGATE.",
        ),
        (
            True,
            {"launchType": "FARGATE", "capacityProviderStrategy": FARGATE, "networkConfiguration": NETWORK},
            IPE,
            BOTH,
        ),
        (
            True,
            {"capacityProviderStrategy": FARGATE, "networkConfiguration": NETWORK},
            IPE,
            naming("capacity provider that is not associated with the cluster"),
        ),
        (True, {"launchType": "FARGATE"}, IPE, NETWORK_NEEDED),
        (False, {"networkConfiguration": NETWORK}, IPE, NETWORK_NOT_VALID),
        (
            True,
            {
                "launchType": "FARGATE",
                "networkConfiguration": {"awsvpcConfiguration": {"subnets": []}},
            },
            IPE,
            "subnets can not be empty.",
        ),
        (
            True,
            {"networkConfiguration": PUBLIC},
            IPE,
            "Assign public IP is not supported for this launch type.",
        ),
        (
            False,
            {"overrides": {"containerOverrides": [{"name": "absent"}]}},
            IPE,
            "Override for container named absent is not a container in the TaskDefinition.",
        ),
        (False, {"count": 11}, IPE, naming("count")),
        (False, {"count": 0}, IPE, naming("count")),
        (False, {"count": -1}, IPE, naming("count")),
        (False, {"tags": [{"key": "a"}]}, IPE, "Tag value can not be null."),
        (False, {"tags": [{"key": "aws:a", "value": "b"}]}, IPE, naming("aws:")),
        (False, {"propagateTags": "EVERYTHING"}, IPE, naming("propagateTags")),
        (
            False,
            {"placementStrategy": [{"type": "random", "field": "cpu"}]},
            IPE,
            naming("random field should not be specified"),
        ),
        (
            False,
            {"placementStrategy": [{"type": "binpack", "field": "colour"}]},
            IPE,
            naming("binpack field 'colour' is invalid"),
        ),
        (
            False,
            {"placementConstraints": [{"type": "distinctInstance", "expression": "a == b"}]},
            IPE,
            naming("distinctInstance expression should not be specified."),
        ),
        (
            False,
            {"placementConstraints": [{"type": "memberOf", "expression": "(("}]},
            IPE,
            naming("expression"),
        ),
        (
            False,
            {"placementConstraints": [{"type": "distinctInstance"}] * 11},
            IPE,
            naming("placementConstraints"),
        ),
        (False, {"placementStrategy": [{"type": "random"}] * 6}, IPE, naming("placementStrategy")),
        (False, {"clientToken": "t" * 65}, IPE, naming("token")),
        (False, {"startedBy": "s" * 129}, IPE, naming("startedBy")),
    ],
)
def test_a_run_task_that_breaks_a_rule_is_refused(
    account: Account, fargate: bool, members: dict[str, Any], code: str, message: Any
) -> None:
    name = cluster(account)
    definition = register_fargate(account) if fargate else register(account)
    refused(account.lax.run_task, code, message, cluster=name, taskDefinition=definition, **members)
    assert account.ecs.list_tasks(cluster=name)["taskArns"] == []


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (
            [{"capacityProvider": "FARGATE", "weight": 0}],
            "There are no capacity providers in the capacity provider strategy with a weight value greater than zero",
        ),
        (
            [
                {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
                {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 1},
            ],
            "There are multiple capacity providers in the specified capacity provider strategy with a base value",
        ),
    ],
    ids=["no weight", "two bases"],
)
def test_a_strategy_that_breaks_a_rule_is_refused(
    account: Account, strategy: list[dict[str, Any]], message: str
) -> None:
    name = cluster(account, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    definition = register_fargate(account)
    request: dict[str, Any] = {
        "cluster": name,
        "taskDefinition": definition,
        "networkConfiguration": NETWORK,
        "capacityProviderStrategy": strategy,
    }
    refused(account.ecs.run_task, IPE, naming(message), **request)
    call = account.ecs.create_service
    refused(call, IPE, naming(message), serviceName="web", desiredCount=1, **request)


@pytest.mark.parametrize(
    ("operation", "members", "member"),
    [
        ("run_task", {}, "taskDefinition"),
        ("stop_task", {}, "task"),
        ("describe_tasks", {}, "Tasks cannot be empty."),
    ],
)
def test_what_is_required_is_named(account: Account, operation: str, members: dict[str, Any], member: str) -> None:
    name = cluster(account)
    refused(getattr(account.lax, operation), (IPE, CE), naming(member), cluster=name, **members)


def test_a_task_that_is_not_there_is_not_stopped(account: Account) -> None:
    name = cluster(account)
    message = "The referenced task was not found."
    refused(account.ecs.stop_task, IPE, message, cluster=name, task="0" * 32)
    refused(account.ecs.stop_task, IPE, message, cluster=name, task=account.arn(f"task/{name}/{'0' * 32}"))


@pytest.mark.parametrize("operation", ["stop_task", "describe_tasks"])
@pytest.mark.parametrize(
    ("task", "message"),
    [
        ("short", "taskId length should be one of [32,36]"),
        ("0" * 33, "taskId length should be one of [32,36]"),
        ("{foreign}", "Invalid identifier: Identifier is for cluster elsewhere. Your cluster is {cluster}"),
        ("{other}", "Identifier is for 000000000001. Your accountId is {account}"),
        ("{cluster_arn}", "Unsupported resource type: cluster"),
    ],
    ids=["short", "long", "cluster", "account", "kind"],
)
def test_what_is_no_task_of_the_cluster_is_refused(account: Account, operation: str, task: str, message: str) -> None:
    name = cluster(account)
    words = {
        "cluster": name,
        "account": account.account,
        "foreign": account.arn(f"task/elsewhere/{'0' * 32}"),
        "other": f"arn:aws:ecs:{account.region}:000000000001:task/{name}/{'0' * 32}",
        "cluster_arn": account.arn(f"cluster/{name}"),
    }
    given = task.format(**words)
    members: dict[str, Any] = {"task": given} if operation == "stop_task" else {"tasks": [given]}
    refused(getattr(account.ecs, operation), IPE, message.format(**words), cluster=name, **members)


def test_tasks_can_not_be_empty(account: Account) -> None:
    name = cluster(account)
    refused(account.ecs.describe_tasks, IPE, "Tasks cannot be empty.", cluster=name, tasks=[])


def test_more_than_a_hundred_tasks_in_a_call_are_refused(account: Account) -> None:
    name = cluster(account)
    tasks = [f"{n:032x}" for n in range(101)]
    message = naming("tasks can have at most 100 items")
    refused(account.ecs.describe_tasks, IPE, message, cluster=name, tasks=tasks)


def test_a_bad_include_is_refused(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account))
    refused(
        account.lax.describe_tasks,
        IPE,
        "include should be one of [TAGS]",
        cluster=name,
        tasks=[task["taskArn"]],
        include=["BOGUS"],
    )


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"maxResults": 101}, IPE, "Max results can not be greater than 100"),
        ({"nextToken": "nonsense"}, IPE, naming("token")),
        ({"launchType": "MOON"}, IPE, LAUNCH_TYPE),
        ({"desiredStatus": "SLEEPING"}, IPE, naming("desiredStatus")),
        ({"serviceName": "absent"}, NO_SERVICE, "Service not found."),
        ({"family": "a b"}, IPE, naming("family")),
    ],
)
def test_a_list_that_breaks_a_rule_is_refused(
    account: Account, members: dict[str, Any], code: str, message: Any
) -> None:
    refused(account.lax.list_tasks, code, message, cluster=cluster(account), **members)


def test_a_page_token_is_good_only_for_the_same_question(account: Account) -> None:
    name = cluster(account)
    run(account, name, register(account), count=2, startedBy="me")
    token = account.ecs.list_tasks(cluster=name, maxResults=1)["nextToken"]
    refused(account.ecs.list_tasks, IPE, naming("token"), cluster=name, nextToken=token, startedBy="me")
    refused(account.ecs.list_tasks, IPE, naming("token"), cluster=cluster(account), nextToken=token)


def test_a_hundred_tasks_are_described_in_one_call(account: Account) -> None:
    name = cluster(account)
    definition = register(account, container(sim={"run_for": "0s"}))
    arns = [task["taskArn"] for _ in range(10) for task in run(account, name, definition, count=10)]
    answer = account.ecs.describe_tasks(cluster=name, tasks=arns)
    assert {task["taskArn"] for task in answer["tasks"]} == set(arns)
    reach(account, name, arns[-1], "STOPPED")
