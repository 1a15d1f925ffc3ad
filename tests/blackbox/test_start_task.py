"""StartTask: tasks on named instances."""

from __future__ import annotations

import pytest

from support.account import Account, naming, refused
from support.shapes import NETWORK, cluster, container, reach, register, register_fargate, unique

FLAGS = ["--sim-nodes", "3", "--sim-node-cpu", "2048", "--sim-node-memory", "4096"]

IPE, CE = "InvalidParameterException", "ClientException"
ABSENT = "0" * 32


def instances(account: Account, name: str) -> list[str]:
    """The ARNs of a cluster's instances."""
    return account.all("list_container_instances", "containerInstanceArns", cluster=name)


def test_a_task_is_started_on_each_named_instance(account: Account) -> None:
    name, definition = cluster(account), register(account, container(environment=[]))
    first, second, _ = instances(account, name)
    answer = account.ecs.start_task(
        cluster=name,
        taskDefinition=definition,
        containerInstances=[first, second.rsplit("/", 1)[1]],
        startedBy="me",
        group="mine",
        enableECSManagedTags=True,
        enableExecuteCommand=True,
        tags=[{"key": "a", "value": "1"}],
        overrides={"containerOverrides": [{"name": "app", "command": ["true"]}]},
    )
    assert answer["failures"] == []
    tasks = answer["tasks"]
    assert [task["containerInstanceArn"] for task in tasks] == [first, second]
    for task in tasks:
        assert (task["startedBy"], task["group"], task["launchType"]) == ("me", "mine", "EC2")
        assert task["enableExecuteCommand"] is True
        assert {"key": "a", "value": "1"} in task["tags"]
        assert {"key": "aws:ecs:clusterName", "value": name} in task["tags"]
        assert task["overrides"]["containerOverrides"] == [{"name": "app", "command": ["true"]}]
        found = reach(account, name, task["taskArn"])
        assert found["containerInstanceArn"] == task["containerInstanceArn"]
    assert account.all("list_tasks", "taskArns", cluster=name, containerInstance=first) == [tasks[0]["taskArn"]]


def test_the_definitions_tags_are_propagated_and_its_family_is_the_group(account: Account) -> None:
    name = cluster(account)
    definition = register(account, tags=[{"key": "d", "value": "1"}])
    answer = account.ecs.start_task(
        cluster=name,
        taskDefinition=definition,
        containerInstances=instances(account, name)[:1],
        propagateTags="TASK_DEFINITION",
    )
    (task,) = answer["tasks"]
    assert task["tags"] == [{"key": "d", "value": "1"}]
    assert task["group"] == f"family:{definition.rsplit('/', 1)[1].split(':')[0]}"


def test_what_can_not_be_started_comes_back_as_failures(account: Account) -> None:
    name = cluster(account)
    first, second, third = instances(account, name)
    account.ecs.update_container_instances_state(cluster=name, containerInstances=[second], status="DRAINING")
    account.ecs.deregister_container_instance(cluster=name, containerInstance=third)
    absent = account.arn(f"container-instance/{name}/{ABSENT}")
    named = [absent, second, third, first]
    answer = account.ecs.start_task(cluster=name, taskDefinition=register(account), containerInstances=named)
    assert [(one["arn"], one["reason"]) for one in answer["failures"]] == [
        (absent, "MISSING"),
        (second, "DRAINING"),
        (third, "INACTIVE"),
    ]
    assert [task["containerInstanceArn"] for task in answer["tasks"]] == [first]


def test_an_instance_may_be_too_small_or_have_a_port_taken(account: Account) -> None:
    name = cluster(account)
    first = instances(account, name)[0]
    ports = [{"containerPort": 80, "hostPort": 18080}]
    for members, reason in [
        ({"cpu": 4096}, "RESOURCE:CPU"),
        ({"memory": 8192}, "RESOURCE:MEMORY"),
        ({"portMappings": [{"containerPort": 80, "hostPort": 22}]}, "RESOURCE:PORTS"),
    ]:
        definition = register(account, container(**members), networkMode="bridge")
        answer = account.ecs.start_task(cluster=name, taskDefinition=definition, containerInstances=[first])
        assert answer["tasks"] == []
        assert answer["failures"] == [{"arn": first, "reason": reason}]
    definition = register(account, container(portMappings=ports), networkMode="bridge")
    answer = account.ecs.start_task(cluster=name, taskDefinition=definition, containerInstances=[first, first])
    assert len(answer["tasks"]) == 1
    assert answer["failures"] == [{"arn": first, "reason": "RESOURCE:PORTS"}]


def test_an_awsvpc_task_gets_its_network(account: Account) -> None:
    name = cluster(account)
    definition = register(account, networkMode="awsvpc")
    first = instances(account, name)[0]
    call = account.ecs.start_task
    message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
    refused(call, IPE, message, cluster=name, taskDefinition=definition, containerInstances=[first])
    answer = call(
        cluster=name, taskDefinition=definition, containerInstances=[first], networkConfiguration=NETWORK
    )
    found = reach(account, name, answer["tasks"][0]["taskArn"])
    assert found["attachments"][0]["status"] == "ATTACHED"


def test_bad_requests_are_refused(account: Account) -> None:
    name, definition = cluster(account), register(account)
    first = instances(account, name)[0]
    call = account.ecs.start_task
    absent = unique("absent")
    refused(call, CE, "TaskDefinition not found.", cluster=absent, taskDefinition="absent", containerInstances=[first])
    message = "Cluster not found."
    refused(
        call,
        "ClusterNotFoundException",
        message,
        cluster=absent,
        taskDefinition=definition,
        containerInstances=[first],
    )
    for named, text in [
        ([], "Container instances cannot be empty."),
        (["nope"], "instanceId length should be one of [32,36]"),
        ([first] * 11, "instanceIds can have at most 10 items"),
    ]:
        refused(call, IPE, text, cluster=name, taskDefinition=definition, containerInstances=named)
    request = {"cluster": name, "taskDefinition": definition, "containerInstances": [first]}
    message = "Override for container named x is not a container in the TaskDefinition."
    refused(call, IPE, message, **request, overrides={"containerOverrides": [{"name": "x"}]})
    refused(call, IPE, naming("startedBy"), **request, startedBy="a" * 129)
    refused(call, IPE, naming("service"), **request, propagateTags="SERVICE")
    fargate = {**request, "taskDefinition": register_fargate(account)}
    assert call(**fargate, networkConfiguration=NETWORK)["failures"] == []


@pytest.mark.parametrize("delete", [False, True])
def test_an_inactive_task_definition_is_not_started(account: Account, delete: bool) -> None:
    name, definition = cluster(account), register(account)
    account.ecs.deregister_task_definition(taskDefinition=definition)
    message = "TaskDefinition is inactive"
    if delete:
        account.ecs.delete_task_definitions(taskDefinitions=[definition])
        message = "TaskDefinition is being deleted"
    refused(
        account.ecs.start_task,
        IPE,
        message,
        cluster=name,
        taskDefinition=definition,
        containerInstances=instances(account, name)[:1],
    )
