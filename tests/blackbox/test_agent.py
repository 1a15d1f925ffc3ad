"""An agent of its own: it registers its instance, takes up tasks, and reports on them."""

from __future__ import annotations

import json
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
    reach,
    register,
    run,
    service,
    unique,
)

# No nodes: whatever runs here, an agent runs.
FLAGS = ["--sim-nodes", "0"]
STORAGE = "memory"

IPE, CE = "InvalidParameterException", "ClientException"
ABSENT = "0" * 32


def total(cpu: int = 2048, memory: int = 4096) -> list[dict[str, Any]]:
    """What an agent says it has."""
    return [
        {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
        {"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["22", "51678"]},
        {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []},
    ]


def document(instance: str = "i-0123456789abcdef0") -> str:
    """An instance identity document."""
    return json.dumps(
        {
            "instanceId": instance,
            "availabilityZone": "us-east-1a",
            "instanceType": "m5.large",
            "imageId": "ami-1",
            "architecture": "x86_64",
        }
    )


def join(account: Account, name: str, **members: Any) -> dict[str, Any]:
    """Registers an instance."""
    request: dict[str, Any] = {
        "cluster": name,
        "totalResources": total(),
        "instanceIdentityDocument": document(),
        "instanceIdentityDocumentSignature": "signature",
        "versionInfo": {"agentVersion": "1.50.0", "agentHash": "abc", "dockerVersion": "DockerVersion: 25.0.8"},
        **members,
    }
    return dict(account.ecs.register_container_instance(**request)["containerInstance"])


def instance(account: Account, name: str, arn: str, **members: Any) -> dict[str, Any]:
    """One instance as DescribeContainerInstances shows it."""
    (found,) = account.ecs.describe_container_instances(cluster=name, containerInstances=[arn], **members)[
        "containerInstances"
    ]
    return dict(found)


def amounts(found: dict[str, Any], member: str) -> tuple[int, int, list[str]]:
    """CPU, memory and ports."""
    by_name = {one["name"]: one for one in found[member]}
    return (
        by_name["CPU"]["integerValue"],
        by_name["MEMORY"]["integerValue"],
        by_name["PORTS"]["stringSetValue"],
    )


def submit(account: Account, name: str, task: str, status: str, **members: Any) -> None:
    """Reports a change of a task."""
    answer = account.ecs.submit_task_state_change(cluster=name, task=task, status=status, **members)
    assert answer["acknowledgment"] == "ACK"


def test_an_instance_registers_and_reads_back(account: Account) -> None:
    name = cluster(account)
    made = join(
        account,
        name,
        attributes=[{"name": "ecs.os-type", "value": "linux"}, {"name": "ecs.capability.efs"}],
        tags=[{"key": "a", "value": "1"}],
    )
    expected: dict[str, Any] = {
        "ec2InstanceId": "i-0123456789abcdef0",
        "status": "ACTIVE",
        "version": 1,
        "agentConnected": True,
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "versionInfo": {"agentVersion": "1.50.0", "agentHash": "abc", "dockerVersion": "DockerVersion: 25.0.8"},
        "tags": [{"key": "a", "value": "1"}],
    }
    for member, value in expected.items():
        assert made[member] == value, member
    assert amounts(made, "registeredResources") == (2048, 4096, ["22", "51678"])
    assert made["remainingResources"] == made["registeredResources"]
    attributes = {one["name"]: one.get("value") for one in made["attributes"]}
    assert attributes == {
        "ecs.availability-zone": "us-east-1a",
        "ecs.instance-type": "m5.large",
        "ecs.ami-id": "ami-1",
        "ecs.cpu-architecture": "x86_64",
        "ecs.os-type": "linux",
        "ecs.capability.efs": None,
    }
    found = instance(account, name, made["containerInstanceArn"], include=["TAGS", "CONTAINER_INSTANCE_HEALTH"])
    assert found.pop("healthStatus")["overallStatus"] == "INSUFFICIENT_DATA"
    assert found == made
    (shown,) = account.ecs.describe_clusters(clusters=[name])["clusters"]
    assert shown["registeredContainerInstancesCount"] == 1
    refused(account.ecs.delete_cluster, "ClusterContainsContainerInstancesException", cluster=name)
    account.ecs.deregister_container_instance(cluster=name, containerInstance=made["containerInstanceArn"])
    account.ecs.delete_cluster(cluster=name)


def test_an_agent_that_comes_back_stays_the_same_instance(account: Account) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    attribute = {"name": "stack", "value": "prod", "targetId": arn}
    account.ecs.put_attributes(cluster=name, attributes=[attribute])
    again = join(account, name, containerInstanceArn=arn)
    assert again["containerInstanceArn"] == arn
    assert {"name": "stack", "value": "prod"} in again["attributes"]
    message = naming("Container instance type changes are not supported")
    call = account.ecs.register_container_instance
    refused(call, CE, message, cluster=name, containerInstanceArn=arn, totalResources=total(cpu=4096))
    other = join(account, name)
    assert other["containerInstanceArn"] != arn, "an agent without a memory is a new instance"
    assert instance(account, name, arn)["agentConnected"] is False
    account.ecs.deregister_container_instance(cluster=name, containerInstance=arn)
    refused(call, IPE, naming("not found"), cluster=name, containerInstanceArn=arn, totalResources=total())


def test_a_task_lives_by_its_agents_reports(account: Account) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    definition = register(account, container(cpu=256, memory=512), container("side", essential=False))
    (task,) = run(account, name, definition)
    assert task["containerInstanceArn"] == arn
    found = instance(account, name, arn)
    assert (found["runningTasksCount"], found["pendingTasksCount"]) == (0, 1)
    assert amounts(found, "remainingResources")[:2] == (2048 - 256, 4096 - 512 - 64)
    answer = account.ecs.submit_container_state_change(
        cluster=name, task=task["taskArn"], containerName="side", status="RUNNING", runtimeId="r-side"
    )
    assert answer["acknowledgment"] == "ACK"
    assert describe(account, name, task["taskArn"])["lastStatus"] == "PENDING"
    bindings = [{"bindIP": "0.0.0.0", "containerPort": 80, "hostPort": 32768, "protocol": "tcp"}]
    app = {"containerName": "app", "status": "RUNNING", "runtimeId": "r-app", "networkBindings": bindings}
    exec_agent = {"containerName": "app", "managedAgentName": "ExecuteCommandAgent", "status": "RUNNING"}
    submit(account, name, task["taskArn"], "RUNNING", containers=[app], managedAgents=[exec_agent])
    running = reach(account, name, task["taskArn"])
    assert "startedAt" in running
    shown = {one["name"]: one for one in running["containers"]}
    assert (shown["app"]["runtimeId"], shown["side"]["runtimeId"]) == ("r-app", "r-side")
    assert shown["app"]["networkBindings"] == bindings
    (agent,) = shown["app"]["managedAgents"]
    assert (agent["name"], agent["lastStatus"]) == ("ExecuteCommandAgent", "RUNNING")
    assert instance(account, name, arn)["runningTasksCount"] == 1
    app = {"containerName": "app", "status": "STOPPED", "exitCode": 3}
    submit(account, name, task["taskArn"], "STOPPED", containers=[app], reason="")
    stopped = reach(account, name, task["taskArn"], "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert stopped["containers"][0]["exitCode"] == 3
    version = stopped["version"]
    submit(account, name, task["taskArn"], "RUNNING")
    assert describe(account, name, task["taskArn"])["version"] == version, "what comes too late changes nothing"
    assert amounts(instance(account, name, arn), "remainingResources")[:2] == (2048, 4096)


def test_a_task_that_could_not_start_has_the_agents_reason(account: Account) -> None:
    name = cluster(account)
    join(account, name)
    (task,) = run(account, name, register(account))
    reason = "CannotPullContainerError: no such image"
    submit(account, name, task["taskArn"], "STOPPED", reason=reason)
    stopped = describe(account, name, task["taskArn"])
    assert (stopped["lastStatus"], stopped["stopCode"]) == ("STOPPED", "TaskFailedToStart")
    assert stopped["stoppedReason"] == reason
    assert "startedAt" not in stopped


def test_a_stop_is_carried_out_by_the_agent_unless_it_never_took_the_task_up(account: Account) -> None:
    name = cluster(account)
    join(account, name)
    first, second = run(account, name, register(account), count=2)
    submit(account, name, first["taskArn"], "RUNNING")
    for task in (first, second):
        account.ecs.stop_task(cluster=name, task=task["taskArn"], reason="enough")
    assert reach(account, name, second["taskArn"], "STOPPED")["stoppedReason"] == "enough"
    told = describe(account, name, first["taskArn"])
    assert (told["lastStatus"] != "STOPPED", told["desiredStatus"]) == (True, "STOPPED")
    submit(account, name, first["taskArn"], "STOPPED")
    assert reach(account, name, first["taskArn"], "STOPPED")["stoppedReason"] == "enough"


def test_a_service_runs_on_agents_and_moves_from_one_that_drains(account: Account) -> None:
    name = cluster(account)
    one = join(account, name)["containerInstanceArn"]
    made = create_service(account, name, register(account), desiredCount=2)

    def on(arn: str) -> list[str]:
        return account.all("list_tasks", "taskArns", cluster=name, containerInstance=arn)

    for task in until(lambda: on(one), lambda tasks: len(tasks) == 2, what="two tasks"):
        submit(account, name, task, "RUNNING")
    until(lambda: service(account, name, made["serviceName"]), lambda found: found["runningCount"] == 2)
    other = join(account, name, instanceIdentityDocument=document("i-2"))["containerInstanceArn"]
    account.ecs.update_container_instances_state(cluster=name, containerInstances=[one], status="DRAINING")
    for task in until(lambda: on(other), lambda tasks: len(tasks) == 2, what="two tasks elsewhere"):
        submit(account, name, task, "RUNNING")
    until(lambda: on(one), lambda tasks: tasks == [], what="the other two are told to stop")
    for task in account.all(
        "list_tasks", "taskArns", cluster=name, containerInstance=one, desiredStatus="STOPPED"
    ):
        submit(account, name, task, "STOPPED")
    until(lambda: instance(account, name, one)["runningTasksCount"], lambda count: count == 0)
    assert service(account, name, made["serviceName"])["runningCount"] == 2


def test_a_forced_deregistration_gives_the_tasks_up(account: Account) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    (task,) = run(account, name, register(account))
    submit(account, name, task["taskArn"], "RUNNING")
    call = account.ecs.deregister_container_instance
    refused(call, IPE, "Found running tasks on the instance.", cluster=name, containerInstance=arn)
    assert call(cluster=name, containerInstance=arn, force=True)["containerInstance"]["status"] == "INACTIVE"
    assert reach(account, name, task["taskArn"], "STOPPED")["stoppedReason"] == "Container instance was deregistered"
    message = "No Container Instances were found in your cluster."
    refused(account.ecs.run_task, IPE, message, cluster=name, taskDefinition=register(account))


def test_a_task_needs_the_attributes_that_its_definition_requires(account: Account) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    check = {"command": ["CMD", "true"]}
    definition = register(account, container(healthCheck=check))
    answer = account.ecs.start_task(cluster=name, taskDefinition=definition, containerInstances=[arn])
    assert answer["failures"] == [{"arn": arn, "reason": "ATTRIBUTE"}]
    described = account.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    needed = [{"name": one["name"]} for one in described["requiresAttributes"]]
    able = join(account, name, instanceIdentityDocument=document("i-2"), attributes=needed)["containerInstanceArn"]
    answer = account.ecs.start_task(cluster=name, taskDefinition=definition, containerInstances=[able])
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    assert task["availabilityZone"] == "us-east-1a"


def test_an_attachment_goes_forwards(account: Account) -> None:
    name = cluster(account)
    definition = register(account, networkMode="awsvpc")
    described = account.ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    needed = [{"name": one["name"]} for one in described.get("requiresAttributes", [])]
    join(account, name, attributes=needed)
    (task,) = run(account, name, definition, networkConfiguration=NETWORK)
    uid = task["attachments"][0]["id"]
    call = account.ecs.submit_attachment_state_changes
    for status, shown in [("ATTACHING", "ATTACHING"), ("ATTACHED", "ATTACHED"), ("ATTACHING", "ATTACHED")]:
        change = {"attachmentArn": account.arn(f"attachment/{uid}"), "status": status}
        assert call(cluster=name, attachments=[change])["acknowledgment"] == "ACK"
        assert describe(account, name, task["taskArn"])["attachments"][0]["status"] == shown
    change = {"attachmentArn": account.arn(f"attachment/{uid}"), "status": "BROKEN"}
    refused(call, IPE, naming("BROKEN"), cluster=name, attachments=[change])
    refused(call, IPE, "attachments can not be empty.", cluster=name, attachments=[])
    change = {"attachmentArn": account.arn(f"attachment/{unique('x')}"), "status": "ATTACHED"}
    refused(call, IPE, naming("was not found"), cluster=name, attachments=[change])
    change = {"attachmentArn": account.arn("cluster/main"), "status": "ATTACHED"}
    refused(call, IPE, "Unsupported resource type: cluster", cluster=name, attachments=[change])


def test_an_old_agent_is_updated(account: Account) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    call = account.ecs.update_container_agent
    assert call(cluster=name, containerInstance=arn)["containerInstance"]["agentUpdateStatus"] == "PENDING"
    refused(call, "UpdateInProgressException", cluster=name, containerInstance=arn)
    newest = {"agentVersion": "1.97.1"}
    again = join(account, name, containerInstanceArn=arn, versionInfo=newest)
    assert again["agentUpdateStatus"] == "UPDATED"
    refused(call, "NoUpdateAvailableException", cluster=name, containerInstance=arn)
    unknown = account.ecs.register_container_instance(cluster=name, totalResources=total())["containerInstance"]
    refused(
        call, "MissingVersionException", cluster=name, containerInstance=unknown["containerInstanceArn"]
    )


def test_the_poll_endpoint_is_where_we_were_reached(account: Account) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    answer = account.ecs.discover_poll_endpoint(cluster=name, containerInstance=arn)
    for member in ("endpoint", "telemetryEndpoint", "serviceConnectEndpoint"):
        assert answer[member] == account.endpoint
    for request in ({}, {"cluster": name}, {"cluster": unique("absent"), "containerInstance": "nope"}):
        assert account.ecs.discover_poll_endpoint(**request)["endpoint"] == account.endpoint


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"instanceIdentityDocument": "nonsense"}, "instanceIdentityDocument"),
        ({"instanceIdentityDocument": "{}"}, "instanceIdentityDocument"),
        ({"totalResources": [{"name": "CPU", "type": "FLOAT"}]}, "CPU"),
        ({"totalResources": [{"type": "INTEGER", "integerValue": 1}]}, "totalResources"),
        ({"totalResources": [{"name": "CPU", "type": "INTEGER"}]}, "CPU"),
        ({"totalResources": [{"name": "PORTS", "type": "STRINGSET", "stringSetValue": ["x"]}]}, "PORTS"),
        ({"attributes": [{"name": "a b"}]}, "a b"),
        ({"attributes": [{"name": "a"}, {"name": "a"}]}, "twice"),
        ({"containerInstanceArn": "nope"}, "instanceId length"),
        ({"containerInstanceArn": ABSENT}, "not found"),
        ({"tags": [{"key": "aws:x", "value": "1"}]}, "aws:"),
    ],
)
def test_bad_registrations_are_refused(account: Account, members: dict[str, Any], word: str) -> None:
    name = cluster(account)
    refused(account.ecs.register_container_instance, IPE, naming(word), cluster=name, **members)
    assert account.all("list_container_instances", "containerInstanceArns", cluster=name) == []


def test_bad_reports_are_refused(account: Account) -> None:
    name = cluster(account)
    join(account, name)
    (task,) = run(account, name, register(account))
    arn = task["taskArn"]
    of_task, of_container = account.ecs.submit_task_state_change, account.ecs.submit_container_state_change
    refused(of_task, IPE, naming("task"), cluster=name, status="RUNNING")
    refused(of_task, IPE, "The referenced task was not found.", cluster=name, task=ABSENT, status="RUNNING")
    refused(of_task, IPE, "taskId length should be one of [32,36]", cluster=name, task="nope", status="RUNNING")
    refused(of_task, IPE, naming("HAPPY"), cluster=name, task=arn, status="HAPPY")
    wrong = [{"containerName": "x", "status": "RUNNING"}]
    refused(of_task, IPE, naming("'x'"), cluster=name, task=arn, status="RUNNING", containers=wrong)
    refused(of_container, IPE, naming("containerName"), cluster=name, task=arn, status="RUNNING")
    refused(of_container, IPE, naming("'x'"), cluster=name, task=arn, containerName="x", status="RUNNING")
    refused(of_container, IPE, naming("HAPPY"), cluster=name, task=arn, containerName="app", status="HAPPY")
    refused(
        of_container, IPE, "The referenced task was not found.", cluster=name, task=ABSENT, containerName="app"
    )
    assert describe(account, name, arn)["version"] == 1


def test_no_account_sees_anothers_instances(account: Account, new_account: Any) -> None:
    name = cluster(account)
    arn = join(account, name)["containerInstanceArn"]
    other = new_account()
    cluster(other, name)
    assert other.all("list_container_instances", "containerInstanceArns", cluster=name) == []
    answer = other.ecs.describe_container_instances(cluster=name, containerInstances=[arn.rsplit("/", 1)[1]])
    assert answer["failures"][0]["reason"] == "MISSING"
    message = naming("Identifier is for", account.account)
    refused(other.ecs.describe_container_instances, IPE, message, cluster=name, containerInstances=[arn])
