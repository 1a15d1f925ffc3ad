"""Task sets of services with an EXTERNAL deployment controller: what they run, and how they take turns."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import until
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    describe,
    messages,
    register,
    register_fargate,
    service,
    unique,
)

IPE = "InvalidParameterException"
GONE = "TaskSetNotFoundException"
ONLY_EXTERNAL = (
    "Amazon ECS only supports task set management on services configured to use external deployment controllers."
)
FULL = {"value": 100.0, "unit": "PERCENT"}


def external(account: Account, **members: Any) -> dict[str, Any]:
    """A service with task sets, of two tasks: what requests name it by."""
    name = cluster(account)
    request = {
        "cluster": name,
        "serviceName": unique("service"),
        "deploymentController": {"type": "EXTERNAL"},
        "desiredCount": 2,
        **members,
    }
    made = account.ecs.create_service(**request)["service"]
    return {"cluster": name, "service": made["serviceName"]}


def add(account: Account, who: dict[str, Any], definition: str | None = None, **members: Any) -> dict[str, Any]:
    request = {**who, "taskDefinition": definition or register(account), **members}
    return dict(account.ecs.create_task_set(**request)["taskSet"])


def look(account: Account, who: dict[str, Any], task_set: dict[str, Any], **members: Any) -> dict[str, Any]:
    answer = account.ecs.describe_task_sets(**who, taskSets=[task_set["id"]], **members)
    assert answer["failures"] == []
    (found,) = answer["taskSets"]
    return dict(found)


def steady(account: Account, who: dict[str, Any], task_set: dict[str, Any], tasks: int) -> dict[str, Any]:
    return until(
        lambda: look(account, who, task_set),
        lambda seen: seen["stabilityStatus"] == "STEADY_STATE" and seen["runningCount"] == tasks,
        what=f"{task_set['id']} steady with {tasks} tasks",
    )


def shown(account: Account, who: dict[str, Any], **members: Any) -> dict[str, Any]:
    return service(account, who["cluster"], who["service"], **members)


def tasks_of(account: Account, who: dict[str, Any], task_set: dict[str, Any]) -> list[str]:
    return list(account.all("list_tasks", "taskArns", cluster=who["cluster"], startedBy=task_set["id"]))


def test_a_service_without_task_sets_is_bare(account: Account) -> None:
    who = external(account)
    found = shown(account, who)
    assert found["deploymentController"] == {"type": "EXTERNAL"}
    assert (found["deployments"], found["taskSets"], found["desiredCount"]) == ([], [], 2)
    assert "taskDefinition" not in found
    assert (found["runningCount"], found["pendingCount"]) == (0, 0)


def test_the_count_of_such_a_service_can_be_left_out(account: Account) -> None:
    made = account.ecs.create_service(
        cluster=cluster(account), serviceName="web", deploymentController={"type": "EXTERNAL"}
    )
    assert made["service"]["desiredCount"] == 0


def test_a_task_set_reads_back_and_runs_its_tasks(account: Account) -> None:
    who = external(account)
    definition = register(account)
    made = add(account, who, definition, externalId="blue")
    number = made["id"].removeprefix("ecs-svc/")
    assert re.fullmatch(r"\d{19}", number)
    created = made.pop("createdAt")
    assert made.pop("updatedAt") == created
    assert made.pop("stabilityStatusAt") == created
    assert made == {
        "id": f"ecs-svc/{number}",
        "taskSetArn": account.arn(f"task-set/{who['cluster']}/{who['service']}/ecs-svc/{number}"),
        "serviceArn": account.arn(f"service/{who['cluster']}/{who['service']}"),
        "clusterArn": account.arn(f"cluster/{who['cluster']}"),
        "externalId": "blue",
        "status": "ACTIVE",
        "taskDefinition": definition,
        "computedDesiredCount": 0,
        "pendingCount": 0,
        "runningCount": 0,
        "launchType": "EC2",
        "loadBalancers": [],
        "serviceRegistries": [],
        "scale": FULL,
        "stabilityStatus": "STABILIZING",
    }
    found = steady(account, who, made, 2)
    assert (found["computedDesiredCount"], found["pendingCount"]) == (2, 0)
    assert found["stabilityStatusAt"] >= created
    arns = tasks_of(account, who, made)
    assert len(arns) == 2
    for arn in arns:
        task = describe(account, who["cluster"], arn)
        assert task["startedBy"] == made["id"]
        assert task["group"] == f"service:{who['service']}"
        assert task["taskDefinitionArn"] == definition
    of_service = shown(account, who)
    assert of_service["runningCount"] == 2
    assert [one["id"] for one in of_service["taskSets"]] == [made["id"]]
    assert of_service["taskSets"][0]["tags"] == []
    told = messages(of_service)
    prefix = f"(service {who['service']}, taskSet {made['id']}) "
    assert any(text.startswith(f"{prefix}has started 2 tasks: (task ") for text in told)
    assert f"{prefix}has reached a steady state." in told
    assert f"(service {who['service']}) has reached a steady state." in told


def test_a_fargate_task_set_has_a_platform_and_a_network(account: Account) -> None:
    who = external(account, desiredCount=1)
    made = add(
        account, who, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK, scale=FULL
    )
    assert (made["launchType"], made["platformVersion"], made["platformFamily"]) == ("FARGATE", "1.4.0", "Linux")
    assert made["networkConfiguration"]["awsvpcConfiguration"] == {
        **NETWORK["awsvpcConfiguration"],
        "assignPublicIp": "DISABLED",
    }
    steady(account, who, made, 1)
    (arn,) = tasks_of(account, who, made)
    task = describe(account, who["cluster"], arn)
    assert (task["launchType"], task["platformVersion"]) == ("FARGATE", "1.4.0")


def test_a_strategy_of_providers_places_the_tasks(account: Account) -> None:
    name = cluster(account, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    account.ecs.create_service(
        cluster=name, serviceName="web", deploymentController={"type": "EXTERNAL"}, desiredCount=2
    )
    who = {"cluster": name, "service": "web"}
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    made = add(
        account, who, register_fargate(account), capacityProviderStrategy=strategy, networkConfiguration=NETWORK
    )
    assert "launchType" not in made
    assert made["capacityProviderStrategy"] == strategy
    steady(account, who, made, 2)
    for arn in tasks_of(account, who, made):
        assert describe(account, name, arn)["capacityProviderName"] == "FARGATE_SPOT"


def test_task_sets_take_turns(account: Account) -> None:
    who = external(account, desiredCount=4)
    blue_definition, green_definition = register(account), register(account)
    blue = add(account, who, blue_definition)
    steady(account, who, blue, 4)
    promoted = account.ecs.update_service_primary_task_set(**who, primaryTaskSet=blue["id"])["taskSet"]
    assert (promoted["status"], promoted["id"]) == ("PRIMARY", blue["id"])
    assert shown(account, who)["taskDefinition"] == blue_definition
    green = add(account, who, green_definition, scale={"value": 30, "unit": "PERCENT"})
    assert green["scale"] == {"value": 30.0, "unit": "PERCENT"}
    steady(account, who, green, 2)
    scaled = account.ecs.update_task_set(**who, taskSet=green["taskSetArn"], scale=FULL)["taskSet"]
    assert (scaled["scale"], scaled["stabilityStatus"]) == (FULL, "STABILIZING")
    steady(account, who, green, 4)
    assert shown(account, who)["runningCount"] == 8
    account.ecs.update_service_primary_task_set(**who, primaryTaskSet=green["taskSetArn"])
    found = shown(account, who)
    assert found["taskDefinition"] == green_definition
    assert [one["status"] for one in found["taskSets"]] == ["PRIMARY", "ACTIVE"]
    refused(account.ecs.delete_task_set, IPE, "Primary TaskSet cannot be deleted", **who, taskSet=green["id"])
    refused(account.ecs.delete_task_set, IPE, naming("scaled above 0"), **who, taskSet=blue["id"])
    deleted = account.ecs.delete_task_set(**who, taskSet=blue["id"], force=True)["taskSet"]
    assert deleted["status"] == "DRAINING"
    until(lambda: [one["id"] for one in shown(account, who)["taskSets"]], lambda ids: ids == [green["id"]])
    until(lambda: shown(account, who)["runningCount"], lambda count: count == 4)
    refused(account.ecs.delete_task_set, GONE, "TaskSet not found.", **who, taskSet=blue["id"])


def test_the_service_scales_its_task_sets(account: Account) -> None:
    who = external(account)
    made = add(account, who, scale={"value": 50, "unit": "PERCENT"})
    steady(account, who, made, 1)
    account.ecs.update_service(**who, desiredCount=5)
    steady(account, who, made, 3)
    account.ecs.update_task_set(**who, taskSet=made["id"], scale={"value": 0, "unit": "PERCENT"})
    steady(account, who, made, 0)
    account.ecs.delete_task_set(**who, taskSet=made["id"])
    until(lambda: shown(account, who)["taskSets"], lambda left: left == [])


def test_a_lost_task_is_replaced(account: Account) -> None:
    who = external(account)
    made = add(account, who)
    steady(account, who, made, 2)
    first = tasks_of(account, who, made)[0]
    account.ecs.stop_task(cluster=who["cluster"], task=first)
    until(lambda: tasks_of(account, who, made), lambda arns: len(arns) == 2 and first not in arns)
    steady(account, who, made, 2)


def test_tags(account: Account) -> None:
    who = external(account)
    tags = [{"key": "team", "value": "a"}]
    made = add(account, who, tags=tags)
    assert made["tags"] == tags
    assert "tags" not in look(account, who, made)
    assert look(account, who, made, include=["TAGS"])["tags"] == tags
    arn = made["taskSetArn"]
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "stage", "value": "b"}])
    assert account.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [*tags, {"key": "stage", "value": "b"}]
    account.ecs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert shown(account, who, include=["TAGS"])["taskSets"][0]["tags"] == [{"key": "stage", "value": "b"}]
    refused(account.ecs.list_tags_for_resource, IPE, naming("task set"), resourceArn=f"{arn[:-1]}x")


def test_describe_names_all_some_or_none(account: Account) -> None:
    who = external(account, desiredCount=0)
    one, two = add(account, who), add(account, who)
    everything = account.ecs.describe_task_sets(**who)
    assert [each["id"] for each in everything["taskSets"]] == [two["id"], one["id"]]
    other = f"{one['taskSetArn'].rsplit('/', 1)[0]}/1234567890123456789"
    answer = account.ecs.describe_task_sets(**who, taskSets=[one["taskSetArn"], "ecs-svc/1", other, one["id"]])
    assert [each["id"] for each in answer["taskSets"]] == [one["id"]]
    assert answer["failures"] == [
        {"arn": "ecs-svc/1", "reason": "MISSING"},
        {"arn": other, "reason": "MISSING"},
    ]


def test_a_token_makes_one_task_set(account: Account) -> None:
    who = external(account, desiredCount=0)
    definition = register(account)
    made = add(account, who, definition, clientToken="once")
    assert add(account, who, definition, clientToken="once")["id"] == made["id"]
    refused(
        account.ecs.create_task_set,
        IPE,
        naming("idempotent"),
        **who,
        taskDefinition=definition,
        clientToken="once",
        externalId="other",
    )
    refused(
        account.ecs.create_task_set,
        IPE,
        "idempotency token longer than 36.",
        **who,
        taskDefinition=definition,
        clientToken="x" * 37,
    )


def test_there_are_five_at_most(account: Account) -> None:
    who = external(account, desiredCount=0)
    definition = register(account)
    for _ in range(5):
        add(account, who, definition)
    refused(
        account.ecs.create_task_set,
        IPE,
        "5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.",
        **who,
        taskDefinition=definition,
    )


def test_a_service_with_task_sets_is_deleted_by_force(account: Account) -> None:
    who = external(account)
    made = add(account, who)
    steady(account, who, made, 2)
    account.ecs.update_service(**who, desiredCount=0)
    steady(account, who, made, 0)
    refused(account.ecs.delete_service, IPE, "The service cannot be stopped while deployments are active.", **who)
    account.ecs.delete_service(**who, force=True)
    found = until(lambda: shown(account, who), lambda seen: seen["status"] == "INACTIVE")
    assert found["taskSets"] == []
    not_active = ("ServiceNotActiveException", "Service was not ACTIVE.")
    refused(account.ecs.create_task_set, *not_active, **who, taskDefinition=register(account))
    refused(account.ecs.describe_task_sets, *not_active, **who)


TARGET = {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/web/0", "containerName": "app"}


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"taskDefinition": "nope:1"}, "ClientException", "TaskDefinition not found."),
        ({"scale": {"value": 101, "unit": "PERCENT"}}, IPE, naming("scale", "100")),
        ({"scale": {"value": -1, "unit": "PERCENT"}}, IPE, naming("scale", "0")),
        ({"networkConfiguration": NETWORK}, IPE, naming("Network Configuration is not valid")),
        ({"launchType": "FARGATE"}, IPE, naming("does not support launch_type FARGATE")),
        ({"platformVersion": "1.4.0"}, IPE, naming("platform version must be null")),
        (
            {"loadBalancers": [{**TARGET, "containerPort": 80}, {**TARGET, "containerPort": 81}]},
            IPE,
            naming("cannot have more than 1"),
        ),
        ({"loadBalancers": [{**TARGET, "containerPort": 80}]}, IPE, naming("container port 80")),
        ({"tags": [{"key": "aws:x", "value": "y"}]}, IPE, None),
        ({"service": "nope"}, "ServiceNotFoundException", "Service not found."),
        ({"cluster": "nope"}, "ClusterNotFoundException", "Cluster not found."),
    ],
)
def test_bad_task_sets_are_refused(account: Account, members: dict[str, Any], code: str, message: Any) -> None:
    request = {**external(account), "taskDefinition": register(account), **members}
    refused(account.ecs.create_task_set, code, message, **request)


@pytest.mark.parametrize("operation", ["update", "delete", "promote"])
def test_what_is_not_there_is_refused(account: Account, operation: str) -> None:
    who = external(account, desiredCount=0)
    call = {
        "update": account.ecs.update_task_set,
        "delete": account.ecs.delete_task_set,
        "promote": account.ecs.update_service_primary_task_set,
    }[operation]
    member = "primaryTaskSet" if operation == "promote" else "taskSet"
    more: dict[str, Any] = {"scale": FULL} if operation == "update" else {}
    for unknown in ("ecs-svc/1234567890123456789", "nonsense", account.arn("task-set/a/b/ecs-svc/1")):
        refused(call, GONE, "TaskSet not found.", **who, **{member: unknown}, **more)
    elsewhere = {**who, "service": "nope", member: "ecs-svc/1", **more}
    refused(call, "ServiceNotFoundException", "Service not found.", **elsewhere)
    refused(call, "ClusterNotFoundException", **{**elsewhere, "cluster": "nope"})


def test_bad_scales_and_draining_sets_are_refused(account: Account) -> None:
    who = external(account, desiredCount=1)
    made = add(account, who, register(account, container(sim={"stop_delay": "30s"})))
    steady(account, who, made, 1)
    for value in (-0.5, 100.5):
        scale = {"value": value, "unit": "PERCENT"}
        refused(account.ecs.update_task_set, IPE, naming("scale"), **who, taskSet=made["id"], scale=scale)
    refused(
        account.lax.update_task_set,
        IPE,
        None,
        **who,
        taskSet=made["id"],
        scale={"value": 1, "unit": "TASKS"},
    )
    account.ecs.delete_task_set(**who, taskSet=made["id"], force=True)
    again = account.ecs.delete_task_set(**who, taskSet=made["id"])["taskSet"]
    assert again["status"] == "DRAINING"
    refused(account.ecs.update_task_set, IPE, naming("deleted"), **who, taskSet=made["id"], scale=FULL)
    refused(account.ecs.update_service_primary_task_set, IPE, naming("deleted"), **who, primaryTaskSet=made["id"])


def test_other_controllers_have_no_task_sets(account: Account) -> None:
    name = cluster(account)
    definition = register(account)
    made = create_service(account, name, definition, desiredCount=0)
    who = {"cluster": name, "service": made["serviceName"]}
    ecs = account.ecs
    refused(ecs.create_task_set, IPE, ONLY_EXTERNAL, **who, taskDefinition=definition)
    refused(ecs.describe_task_sets, IPE, ONLY_EXTERNAL, **who)
    refused(ecs.update_task_set, IPE, ONLY_EXTERNAL, **who, taskSet="ecs-svc/1", scale=FULL)
    refused(ecs.delete_task_set, IPE, ONLY_EXTERNAL, **who, taskSet="ecs-svc/1")
    refused(ecs.update_service_primary_task_set, IPE, ONLY_EXTERNAL, **who, primaryTaskSet="ecs-svc/1")
    refused(ecs.update_service, IPE, naming("EXTERNAL"), **who, deploymentController={"type": "EXTERNAL"})
    assert "taskSets" not in service(account, name, made["serviceName"])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"taskDefinition": "any:1"}, "TaskDefinition must be blank."),
        ({"taskDefinition": ""}, "Family should not be null or empty."),
        ({"networkConfiguration": NETWORK}, "NetworkConfiguration must be blank."),
        ({"platformVersion": "LATEST"}, "PlatformVersion must be blank."),
        ({"schedulingStrategy": "DAEMON"}, naming("daemon", "EXTERNAL")),
        ({"desiredCount": -1}, "DesiredCount can not be lesser than 0"),
    ],
)
def test_what_belongs_to_task_sets_is_refused_for_the_service(
    account: Account, members: dict[str, Any], message: Any
) -> None:
    request = {
        "cluster": cluster(account),
        "serviceName": "web",
        "deploymentController": {"type": "EXTERNAL"},
        "desiredCount": 0,
        **members,
    }
    refused(account.ecs.create_service, IPE, message, **request)


def test_an_update_of_the_service_leaves_its_task_sets_alone(account: Account) -> None:
    who = external(account, desiredCount=1)
    made = add(account, who)
    account.ecs.update_service_primary_task_set(**who, primaryTaskSet=made["id"])
    for members in (
        {"taskDefinition": register(account)},
        {"networkConfiguration": NETWORK},
        {"forceNewDeployment": True},
    ):
        refused(account.ecs.update_service, IPE, naming("EXTERNAL deployment controller"), **who, **members)
    updated = account.ecs.update_service(**who, healthCheckGracePeriodSeconds=7, enableECSManagedTags=True)
    assert updated["service"]["healthCheckGracePeriodSeconds"] == 7
    steady(account, who, made, 1)
