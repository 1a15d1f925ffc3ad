"""PutAttributes, DeleteAttributes, ListAttributes, and placement by custom attributes."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import until
from support.shapes import cluster, create_service, register, run, service

FLAGS = ["--sim-nodes", "3"]

IPE, CE = "InvalidParameterException", "ClientException"
ABSENT = "0" * 32
TYPE = "container-instance"


def instances(account: Account, name: str) -> list[str]:
    """The ARNs of a cluster's instances."""
    return account.all("list_container_instances", "containerInstanceArns", cluster=name)


def put(account: Account, name: str, arn: str, **attributes: str) -> list[dict[str, Any]]:
    """Sets attributes of an instance."""
    given = [{"name": key, "value": value, "targetId": arn} for key, value in attributes.items()]
    return list(account.ecs.put_attributes(cluster=name, attributes=given)["attributes"])


def listed(account: Account, name: str, **members: Any) -> list[dict[str, Any]]:
    """All attributes, as ListAttributes shows them."""
    return account.all("list_attributes", "attributes", cluster=name, targetType=TYPE, **members)


def test_attributes_are_put_replaced_listed_and_deleted(account: Account) -> None:
    name = cluster(account)
    arn, other = instances(account, name)[:2]
    stack = {"name": "stack", "value": "prod", "targetId": arn}
    assert put(account, name, arn, stack="prod") == [stack]
    assert account.raw["attributes"] == [stack]
    assert listed(account, name, attributeName="stack") == [stack]
    put(account, name, other, stack="test")
    put(account, name, arn, stack="canary")
    assert {one["value"] for one in listed(account, name, attributeName="stack")} == {"canary", "test"}
    assert [one["targetId"] for one in listed(account, name, attributeName="stack", attributeValue="test")] == [other]
    (found,) = account.ecs.describe_container_instances(cluster=name, containerInstances=[arn])["containerInstances"]
    assert {"name": "stack", "value": "canary"} in found["attributes"]
    assert listed(account, cluster(account), attributeName="stack") == [], "another cluster"
    named = [{"name": "stack", "targetId": arn}]
    deleted = account.ecs.delete_attributes(cluster=name, attributes=named)["attributes"]
    assert deleted == [{"name": "stack", "value": "canary", "targetId": arn}]
    assert account.ecs.delete_attributes(cluster=name, attributes=named)["attributes"] == named
    assert len(listed(account, name, attributeName="stack")) == 1


def test_a_short_id_needs_its_type_and_a_value_is_not_needed(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    attribute = {"name": "gpu", "targetId": arn.rsplit("/", 1)[1]}
    refused(account.ecs.put_attributes, IPE, naming("targetType"), cluster=name, attributes=[attribute])
    answer = account.ecs.put_attributes(cluster=name, attributes=[{**attribute, "targetType": TYPE}])
    assert answer["attributes"] == [{"name": "gpu", "targetId": arn}]


def test_built_in_attributes_are_listed_and_have_pages(account: Account) -> None:
    name = cluster(account)
    arns = instances(account, name)
    everything = listed(account, name)
    assert {one["targetId"] for one in everything} == set(arns)
    linux = listed(account, name, attributeName="ecs.os-type", attributeValue="linux")
    assert [one["targetId"] for one in linux] == arns
    pages = account.pages("list_attributes", "attributes", cluster=name, targetType=TYPE, maxResults=5)
    assert [one for page in pages for one in page] == everything


def test_placement_sees_custom_attributes(account: Account) -> None:
    name, definition = cluster(account), register(account)
    arn = instances(account, name)[1]
    constraint = [{"type": "memberOf", "expression": "attribute:stack == prod"}]
    answer = account.ecs.run_task(cluster=name, taskDefinition=definition, placementConstraints=constraint)
    assert answer["tasks"] == []
    assert {one["reason"] for one in answer["failures"]} == {"MemberOf placement constraint unsatisfied."}
    put(account, name, arn, stack="prod")
    tasks = run(account, name, definition, placementConstraints=constraint, count=3)
    assert {task["containerInstanceArn"] for task in tasks} == {arn}
    found = account.all(
        "list_container_instances", "containerInstanceArns", cluster=name, filter="attribute:stack exists"
    )
    assert found == [arn]


def test_a_daemon_goes_where_the_attribute_is(account: Account) -> None:
    name = cluster(account)
    constraint = [{"type": "memberOf", "expression": "attribute:stack == prod"}]
    made = create_service(
        account, name, register(account), schedulingStrategy="DAEMON", placementConstraints=constraint
    )

    def running() -> int:
        return int(service(account, name, made["serviceName"])["runningCount"])

    for count, arn in enumerate(instances(account, name)[:2], start=1):
        put(account, name, arn, stack="prod")
        until(running, lambda seen, count=count: seen == count, what=f"{count} daemons")  # type: ignore[misc]


def test_ten_attributes_are_the_most(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    put(account, name, arn, **{f"a{n}": "v" for n in range(10)})
    put(account, name, arn, a3="w")
    one_more = [{"name": "b", "value": "v", "targetId": arn}]
    refused(account.ecs.put_attributes, "AttributeLimitExceededException", cluster=name, attributes=one_more)
    assert listed(account, name, attributeName="b") == []


def test_a_target_must_be_there(account: Account) -> None:
    name = cluster(account)
    for call in (account.ecs.put_attributes, account.ecs.delete_attributes):
        attribute = {"name": "a", "targetType": TYPE, "targetId": ABSENT}
        refused(call, "TargetNotFoundException", cluster=name, attributes=[attribute])


@pytest.mark.parametrize("operation", ["put_attributes", "delete_attributes"])
def test_bad_attributes_are_refused(account: Account, operation: str) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    call = getattr(account.ecs, operation)
    good = {"name": "a", "value": "v", "targetId": arn}
    refused(call, IPE, "attributes can not be empty.", cluster=name, attributes=[])
    many = [{**good, "name": f"a{n}"} for n in range(11)]
    refused(call, IPE, "attributes can have at most 10 items", cluster=name, attributes=many)
    for bad, word in [
        ({**good, "name": ""}, "name"),
        ({**good, "name": "a b"}, "a b"),
        ({**good, "name": "a" * 129}, "name"),
        ({**good, "name": "ecs.os-type"}, "reserved"),
        ({**good, "name": "com.amazonaws.ecs.capability.x"}, "reserved"),
        ({**good, "value": " v"}, "value"),
        ({**good, "value": "a,b"}, "a,b"),
        ({"name": "a", "value": "v"}, "targetId"),
        ({**good, "targetId": account.arn("cluster/main")}, "Unsupported resource type"),
    ]:
        refused(call, IPE, naming(word), cluster=name, attributes=[bad])
    refused(call, IPE, naming("twice"), cluster=name, attributes=[good, good])
    lax = getattr(account.lax, operation)
    refused(lax, (IPE, CE), cluster=name, attributes=[{**good, "targetType": "task"}])


def test_bad_filters_are_refused(account: Account) -> None:
    name = cluster(account)
    call = account.ecs.list_attributes
    refused(call, IPE, naming("attributeName"), cluster=name, targetType=TYPE, attributeValue="v")
    refused(call, IPE, naming("a b"), cluster=name, targetType=TYPE, attributeName="a b")
    refused(call, IPE, "Invalid token", cluster=name, targetType=TYPE, nextToken="x")
    refused(call, IPE, "Max results can not be greater than 100", cluster=name, targetType=TYPE, maxResults=101)
    refused(account.lax.list_attributes, (IPE, CE), naming("targetType"), cluster=name, targetType="task")
