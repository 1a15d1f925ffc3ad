"""Tags on every kind of resource: set, read, removed; limits and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import cluster, container, create_service, reach, register, run, service, unique

IPE, CE = "InvalidParameterException", "ClientException"


def make_cluster(account: Account) -> str:
    return account.arn(f"cluster/{cluster(account)}")


def make_task_definition(account: Account) -> str:
    return register(account)


def make_task(account: Account) -> str:
    return str(run(account, cluster(account), register(account))[0]["taskArn"])


def make_service(account: Account) -> str:
    return str(create_service(account, cluster(account), register(account), desiredCount=0)["serviceArn"])


Make = Callable[[Account], str]
KINDS = [make_cluster, make_task_definition, make_task, make_service]
each_kind = pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__.removeprefix("make_"))


def tags(account: Account, arn: str) -> dict[str, str]:
    found = account.ecs.list_tags_for_resource(resourceArn=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in found}


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


@each_kind
def test_tags_are_set_changed_and_removed(account: Account, make: Make) -> None:
    arn = make(account)
    assert tags(account, arn) == {}
    account.ecs.tag_resource(resourceArn=arn, tags=pairs(a="1", b="", c="3"))
    account.ecs.tag_resource(resourceArn=arn, tags=pairs(c="4"))
    assert tags(account, arn) == {"a": "1", "b": "", "c": "4"}
    account.ecs.untag_resource(resourceArn=arn, tagKeys=["a", "absent"])
    assert tags(account, arn) == {"b": "", "c": "4"}


@each_kind
def test_a_tag_without_a_value_is_refused_and_nothing_of_the_call_is_kept(account: Account, make: Make) -> None:
    arn = make(account)
    code = CE if make is make_task_definition else IPE
    wrong = [{"key": "a", "value": "1"}, {"key": "b"}]
    refused(account.ecs.tag_resource, code, "Tag value can not be null.", resourceArn=arn, tags=wrong)
    assert tags(account, arn) == {}


@each_kind
@pytest.mark.parametrize(
    ("tag", "word"),
    [
        ({"key": "k" * 129, "value": "v"}, "key"),
        ({"key": "k", "value": "v" * 257}, "value"),
        ({"key": "", "value": "v"}, "key"),
        ({"key": "aws:mine", "value": "v"}, "aws:"),
    ],
    ids=["long key", "long value", "empty key", "reserved"],
)
def test_a_tag_beyond_its_limits_is_refused(account: Account, make: Make, tag: dict[str, str], word: str) -> None:
    arn = make(account)
    code = CE if make is make_task_definition else IPE
    refused(account.lax.tag_resource, code, naming(word), resourceArn=arn, tags=[tag])
    assert tags(account, arn) == {}


@each_kind
def test_fifty_tags_are_the_most(account: Account, make: Make) -> None:
    arn = make(account)
    fifty = [{"key": f"k{n}", "value": "v"} for n in range(50)]
    account.ecs.tag_resource(resourceArn=arn, tags=fifty)
    code = CE if make is make_task_definition else IPE
    refused(account.ecs.tag_resource, code, naming("50"), resourceArn=arn, tags=pairs(more="1"))
    # Changing one of the fifty is no new tag.
    account.ecs.tag_resource(resourceArn=arn, tags=pairs(k0="w"))
    found = tags(account, arn)
    assert (len(found), found["k0"]) == (50, "w")


OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("list_tags_for_resource", {}),
    ("tag_resource", {"tags": pairs(a="b")}),
    ("untag_resource", {"tagKeys": ["a"]}),
]
each_operation = pytest.mark.parametrize(("operation", "members"), OPERATIONS, ids=[name for name, _ in OPERATIONS])


@each_operation
def test_an_unknown_cluster_has_no_tags(account: Account, operation: str, members: dict[str, Any]) -> None:
    arn = account.arn(f"cluster/{unique('absent')}")
    call = getattr(account.ecs, operation)
    refused(call, "ClusterNotFoundException", "Cluster not found.", resourceArn=arn, **members)


@each_operation
def test_an_unknown_task_definition_has_no_tags(account: Account, operation: str, members: dict[str, Any]) -> None:
    arn = account.arn("task-definition/absent:1")
    call = getattr(account.ecs, operation)
    refused(call, CE, "Unable to describe task definition.", resourceArn=arn, **members)


@each_operation
def test_an_inactive_cluster_has_no_tags(account: Account, operation: str, members: dict[str, Any]) -> None:
    arn = make_cluster(account)
    account.ecs.delete_cluster(cluster=arn)
    message = "The specified cluster is inactive. Specify an active cluster and try again."
    refused(getattr(account.ecs, operation), IPE, message, resourceArn=arn, **members)


@each_operation
def test_a_stopped_task_has_no_tags_to_change(account: Account, operation: str, members: dict[str, Any]) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account, container(sim={"run_for": "0s"})), tags=pairs(a="1"))
    reach(account, name, task["taskArn"], "STOPPED")
    message = "The specified task is stopped. Specify a running task and try again."
    refused(getattr(account.ecs, operation), IPE, message, resourceArn=task["taskArn"], **members)


@each_operation
def test_an_inactive_service_has_no_tags(account: Account, operation: str, members: dict[str, Any]) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    account.ecs.delete_service(cluster=name, service=made["serviceName"])
    account.ecs.get_waiter("services_inactive").wait(
        cluster=name, services=[made["serviceName"]], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
    )
    call = getattr(account.ecs, operation)
    refused(call, IPE, naming("service is inactive"), resourceArn=made["serviceArn"], **members)


@each_operation
@pytest.mark.parametrize("arn", ["nonsense", "arn:aws:s3:::bucket", "arn:aws:ecs:us-east-1:1:elsewhere/x", ""])
def test_what_is_no_ecs_resource_is_refused(
    account: Account, operation: str, members: dict[str, Any], arn: str
) -> None:
    refused(getattr(account.lax, operation), IPE, resourceArn=arn, **members)


@each_operation
def test_the_arn_is_required(account: Account, operation: str, members: dict[str, Any]) -> None:
    refused(getattr(account.lax, operation), IPE, naming("resourceArn"), **members)


@pytest.mark.parametrize(("operation", "member"), [("tag_resource", "tags"), ("untag_resource", "tagKeys")])
def test_what_to_do_is_required(account: Account, operation: str, member: str) -> None:
    arn = make_cluster(account)
    refused(getattr(account.lax, operation), IPE, naming(member), resourceArn=arn)


def test_an_inactive_task_definition_can_be_tagged(account: Account) -> None:
    arn = register(account)
    account.ecs.deregister_task_definition(taskDefinition=arn)
    account.ecs.tag_resource(resourceArn=arn, tags=pairs(a="1"))
    assert tags(account, arn) == {"a": "1"}


def test_a_stopped_task_still_shows_its_tags(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account, container(sim={"run_for": "0s"})), tags=pairs(a="1"))
    reach(account, name, task["taskArn"], "STOPPED")
    (found,) = account.ecs.describe_tasks(cluster=name, tasks=[task["taskArn"]], include=["TAGS"])["tasks"]
    assert found["tags"] == pairs(a="1")


@pytest.mark.parametrize("include", [[], ["TAGS"]])
def test_tags_of_a_service_are_shown_only_where_included(account: Account, include: list[str]) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0, tags=pairs(a="1"))
    assert made["tags"] == pairs(a="1")
    found = service(account, name, made["serviceName"], include=include)
    assert found.get("tags") == (pairs(a="1") if include else None)


def test_request_tags_win_over_those_of_the_task_definition(account: Account) -> None:
    name = cluster(account)
    definition = register(account, tags=pairs(a="definition", b="definition"))
    (task,) = run(account, name, definition, tags=pairs(a="request"), propagateTags="TASK_DEFINITION")
    assert {tag["key"]: tag["value"] for tag in task["tags"]} == {"a": "request", "b": "definition"}
    account.ecs.tag_resource(resourceArn=definition, tags=pairs(later="1"))
    assert tags(account, task["taskArn"]) == {"a": "request", "b": "definition"}


def test_managed_tags_name_the_cluster_and_the_service(account: Account) -> None:
    name = cluster(account)
    definition = register(account)
    (task,) = run(account, name, definition, enableECSManagedTags=True)
    assert tags(account, task["taskArn"]) == {"aws:ecs:clusterName": name}
    made = create_service(
        account,
        name,
        definition,
        enableECSManagedTags=True,
        propagateTags="SERVICE",
        tags=pairs(team="blue"),
    )
    account.ecs.get_waiter("services_stable").wait(
        cluster=name, services=[made["serviceName"]], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
    )
    (arn,) = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    assert tags(account, arn) == {
        "aws:ecs:clusterName": name,
        "aws:ecs:serviceName": made["serviceName"],
        "team": "blue",
    }
    refused(account.ecs.untag_resource, IPE, naming("aws:"), resourceArn=arn, tagKeys=["aws:ecs:clusterName"])
