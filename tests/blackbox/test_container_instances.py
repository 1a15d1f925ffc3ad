"""Container instances: the nodes, as lists and descriptions show them; draining; tags; the agent's version."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import until
from support.shapes import (
    cluster,
    container,
    create_service,
    messages,
    reach,
    register,
    run,
    service,
    stable,
    unique,
)

FLAGS = ["--sim-nodes", "3"]

IPE, CE = "InvalidParameterException", "ClientException"
NO_CLUSTER = "ClusterNotFoundException"
ABSENT = "0" * 32
RESERVED = ["22", "2375", "2376", "51678", "51679"]


def instances(account: Account, name: str, **members: Any) -> list[str]:
    """The ARNs of a cluster's instances."""
    return account.all("list_container_instances", "containerInstanceArns", cluster=name, **members)


def instance(account: Account, name: str, arn: str, **members: Any) -> dict[str, Any]:
    """One instance as DescribeContainerInstances shows it."""
    answer = account.ecs.describe_container_instances(cluster=name, containerInstances=[arn], **members)
    assert answer["failures"] == []
    (found,) = answer["containerInstances"]
    return dict(found)


def resources(found: dict[str, Any], member: str) -> dict[str, Any]:
    """The resources of an instance by name."""
    value = {"INTEGER": "integerValue", "STRINGSET": "stringSetValue"}
    return {one["name"]: one[value[one["type"]]] for one in found[member]}


def drain(account: Account, name: str, arn: str, status: str = "DRAINING") -> dict[str, Any]:
    """Sets the state of one instance."""
    answer = account.ecs.update_container_instances_state(cluster=name, containerInstances=[arn], status=status)
    assert answer["failures"] == []
    (found,) = answer["containerInstances"]
    assert found["status"] == status
    return dict(found)


def test_the_nodes_are_the_instances_of_every_cluster(account: Account) -> None:
    one, other = cluster(account), cluster(account)
    arns = instances(account, one)
    assert len(arns) == 3
    assert arns == sorted(arns)
    assert all(arn.startswith(account.arn(f"container-instance/{one}/")) for arn in arns)
    assert {arn.rsplit("/", 1)[1] for arn in arns} == {arn.rsplit("/", 1)[1] for arn in instances(account, other)}
    (shown,) = account.ecs.describe_clusters(clusters=[one])["clusters"]
    assert shown["registeredContainerInstancesCount"] == 3


def test_an_instance_reads_back_with_all_that_is_known_of_it(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    found = instance(account, name, arn)
    raw = account.raw["containerInstances"][0]
    assert raw["containerInstanceArn"] == arn
    assert raw["ec2InstanceId"].startswith("node-")
    expected: dict[str, Any] = {
        "status": "ACTIVE",
        "version": 1,
        "agentConnected": True,
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "attachments": [],
    }
    for member, value in expected.items():
        assert raw[member] == value, member
    assert set(raw["versionInfo"]) == {"agentVersion", "dockerVersion"}
    assert "registeredAt" in found
    for absent in ("tags", "healthStatus", "agentUpdateStatus", "capacityProviderName", "statusReason"):
        assert absent not in raw, absent
    has = resources(found, "registeredResources")
    assert set(has) == {"CPU", "MEMORY", "PORTS", "PORTS_UDP"}
    assert has["CPU"] > 0
    assert has["MEMORY"] > 0
    assert (has["PORTS"], has["PORTS_UDP"]) == (sorted(RESERVED, key=int), [])
    for resource in raw["registeredResources"]:
        assert {"doubleValue", "longValue", "integerValue"} <= set(resource)
    attributes = {one["name"]: one.get("value") for one in raw["attributes"]}
    assert attributes["ecs.os-type"] == "linux"
    assert attributes["ecs.availability-zone"].startswith(account.region)
    assert {"ecs.cpu-architecture", "ecs.instance-type"} <= set(attributes)


def test_tags_and_health_are_shown_where_they_are_asked_for(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    found = instance(account, name, arn, include=["TAGS", "CONTAINER_INSTANCE_HEALTH"])
    assert found["tags"] == []
    assert found["healthStatus"]["overallStatus"] == "OK"
    (detail,) = found["healthStatus"]["details"]
    assert (detail["type"], detail["status"]) == ("CONTAINER_RUNTIME", "OK")
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": ""}])
    account.ecs.untag_resource(resourceArn=arn, tagKeys=["b"])
    tags = [{"key": "a", "value": "1"}]
    assert account.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == tags
    assert instance(account, name, arn, include=["TAGS"])["tags"] == tags
    assert "tags" not in instance(account, name, arn)


def test_tasks_take_what_they_need_and_are_counted(account: Account) -> None:
    name = cluster(account)
    ports = [{"containerPort": 80, "hostPort": 8080}]
    definition = register(account, container(cpu=256, memory=512, portMappings=ports), networkMode="bridge")
    (task,) = run(account, name, definition)
    reach(account, name, task["taskArn"])
    found = instance(account, name, task["containerInstanceArn"])
    has, left = resources(found, "registeredResources"), resources(found, "remainingResources")
    # The nodes are shared with other clusters of this server, so at least this is missing.
    assert left["CPU"] <= has["CPU"] - 256
    assert left["MEMORY"] <= has["MEMORY"] - 512
    assert "8080" in left["PORTS"]
    assert "8080" not in has["PORTS"]
    assert (found["runningTasksCount"], found["pendingTasksCount"]) == (1, 0)
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    reach(account, name, task["taskArn"], "STOPPED")
    assert instance(account, name, task["containerInstanceArn"])["runningTasksCount"] == 0


def test_a_task_that_does_not_run_yet_is_pending(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account, container(sim={"pull_delay": "60s"})))
    found = instance(account, name, task["containerInstanceArn"])
    assert (found["runningTasksCount"], found["pendingTasksCount"]) == (0, 1)


def test_lists_have_pages_and_filters(account: Account) -> None:
    name = cluster(account)
    arns = instances(account, name)
    pages = list(account.pages("list_container_instances", "containerInstanceArns", cluster=name, maxResults=2))
    assert pages == [arns[:2], arns[2:]]
    assert list(account.pages("list_container_instances", "containerInstanceArns", cluster=name, maxResults=3)) == [
        arns
    ]
    zones = {arn: instance(account, name, arn)["attributes"] for arn in arns}
    zone = next(one["value"] for one in zones[arns[0]] if one["name"] == "ecs.availability-zone")
    assert instances(account, name, filter=f"attribute:ecs.availability-zone == {zone}") == [arns[0]]
    assert len(instances(account, name, filter=f"attribute:ecs.availability-zone != {zone}")) == 2
    assert instances(account, name, filter="agentConnected == false") == []
    definition = register(account)
    (task,) = run(account, name, definition, group="batch")
    reach(account, name, task["taskArn"])
    busy = [task["containerInstanceArn"]]
    assert instances(account, name, filter="task:group == batch") == busy
    assert instances(account, name, filter="runningTasksCount > 0") == busy
    host = instance(account, name, busy[0])["ec2InstanceId"]
    assert instances(account, name, filter=f"ec2InstanceId == {host}") == busy


def test_the_state_is_a_filter_too(account: Account) -> None:
    name = cluster(account)
    arns = instances(account, name)
    drain(account, name, arns[0])
    assert instances(account, name) == arns
    assert instances(account, name, status="DRAINING") == [arns[0]]
    assert instances(account, name, status="ACTIVE") == arns[1:]
    assert instances(account, name, status="REGISTERING") == []
    # Another cluster, another account and another region don't see it.
    assert instances(account, cluster(account), status="DRAINING") == []
    assert instance(account, name, arns[0])["version"] == 2
    assert drain(account, name, arns[0])["version"] == 2
    assert drain(account, name, arns[0], "ACTIVE")["version"] == 3


def test_no_task_is_placed_on_a_draining_instance(account: Account) -> None:
    name, definition = cluster(account), register(account)
    arns = instances(account, name)
    drain(account, name, arns[0])
    drain(account, name, arns[1])
    tasks = run(account, name, definition, count=5)
    assert {task["containerInstanceArn"] for task in tasks} == {arns[2]}
    drain(account, name, arns[2])
    answer = account.ecs.run_task(cluster=name, taskDefinition=definition)
    assert answer["tasks"] == []
    assert {one["reason"] for one in answer["failures"]} == {"AGENT"}
    # Lone tasks stay where they are.
    assert reach(account, name, tasks[0]["taskArn"])["desiredStatus"] == "RUNNING"


@pytest.mark.parametrize(("minimum", "maximum"), [(100, 200), (0, 100)])
def test_a_services_tasks_leave_a_draining_instance(account: Account, minimum: int, maximum: int) -> None:
    name = cluster(account)
    percents = {"minimumHealthyPercent": minimum, "maximumPercent": maximum}
    made = create_service(account, name, register(account), desiredCount=3, deploymentConfiguration=percents)
    stable(account, name, made["serviceName"])
    arns = instances(account, name)
    drain(account, name, arns[0])

    def hosts() -> list[str]:
        listed = account.all("list_tasks", "taskArns", cluster=name)
        tasks = account.ecs.describe_tasks(cluster=name, tasks=listed)["tasks"] if listed else []
        return sorted(task["containerInstanceArn"] for task in tasks if task["lastStatus"] == "RUNNING")

    until(hosts, lambda seen: len(seen) == 3 and arns[0] not in seen, what="three tasks elsewhere")
    until(
        lambda: instance(account, name, arns[0]),
        lambda found: (found["runningTasksCount"], found["pendingTasksCount"]) == (0, 0),
        what="the instance has drained",
    )
    found = stable(account, name, made["serviceName"])
    assert len(found["deployments"]) == 1
    assert found["deployments"][0]["id"] == made["deployments"][0]["id"], "it is no new deployment"


def test_a_service_that_can_not_move_says_so(account: Account) -> None:
    name = cluster(account)
    percents = {"minimumHealthyPercent": 100, "maximumPercent": 100}
    made = create_service(account, name, register(account), desiredCount=3, deploymentConfiguration=percents)
    stable(account, name, made["serviceName"])
    drain(account, name, instances(account, name)[0])
    text = "was unable to stop or start tasks during a deployment because of the service deployment configuration"
    until(
        lambda: messages(service(account, name, made["serviceName"])),
        lambda events: any(text in event for event in events),
        what="an event",
    )
    assert service(account, name, made["serviceName"])["runningCount"] == 3


def test_a_daemon_leaves_a_draining_instance_and_comes_back(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), schedulingStrategy="DAEMON")
    arn = instances(account, name)[0]

    def running() -> int:
        return int(service(account, name, made["serviceName"])["runningCount"])

    until(running, lambda count: count == 3, what="three daemons")
    drain(account, name, arn)
    until(running, lambda count: count == 2, what="two daemons")
    drain(account, name, arn, "ACTIVE")
    until(running, lambda count: count == 3, what="three daemons again")


def test_a_deregistered_node_is_out_of_its_cluster_until_it_is_registered_again(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}])
    gone = account.ecs.deregister_container_instance(cluster=name, containerInstance=arn)["containerInstance"]
    assert gone["status"] == "INACTIVE"
    assert arn not in instances(account, name)
    assert instance(account, name, arn)["status"] == "INACTIVE"
    (shown,) = account.ecs.describe_clusters(clusters=[name])["clusters"]
    assert shown["registeredContainerInstancesCount"] == 2
    tasks = run(account, name, register(account), count=6)
    assert arn not in {task["containerInstanceArn"] for task in tasks}
    refused(
        account.ecs.tag_resource, IPE, naming("inactive"), resourceArn=arn, tags=[{"key": "a", "value": "1"}]
    )
    answer = account.ecs.update_container_instances_state(
        cluster=name, containerInstances=[arn], status="ACTIVE"
    )
    assert answer["failures"] == [{"arn": arn, "reason": "INACTIVE"}]
    again = account.ecs.deregister_container_instance(cluster=name, containerInstance=arn)["containerInstance"]
    assert again["status"] == "INACTIVE"
    back = account.ecs.register_container_instance(cluster=name, containerInstanceArn=arn)["containerInstance"]
    assert (back["containerInstanceArn"], back["status"]) == (arn, "ACTIVE")
    assert arn in instances(account, name)


def test_an_instance_with_tasks_is_only_deregistered_by_force(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=3)
    stable(account, name, made["serviceName"])
    arn = instances(account, name)[0]
    message = "Found running tasks on the instance."
    refused(account.ecs.deregister_container_instance, IPE, message, cluster=name, containerInstance=arn)
    (task,) = account.all("list_tasks", "taskArns", cluster=name, containerInstance=arn)
    account.ecs.deregister_container_instance(cluster=name, containerInstance=arn, force=True)
    assert reach(account, name, task, "STOPPED")["stoppedReason"] == "Container instance was deregistered"
    found = stable(account, name, made["serviceName"])
    assert found["runningCount"] == 3
    assert account.all("list_tasks", "taskArns", cluster=name, containerInstance=arn) == []


def test_what_is_kept_of_instances_ends_with_their_cluster(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    drain(account, name, arn)
    account.ecs.delete_cluster(cluster=name)
    refused(account.ecs.list_container_instances, NO_CLUSTER, "The referenced cluster was inactive.", cluster=name)
    cluster(account, name)
    found = instance(account, name, arn)
    assert (found["status"], found["version"]) == ("ACTIVE", 1)


def test_nodes_have_no_other_agent_to_be_updated_to(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    refused(account.ecs.update_container_agent, "NoUpdateAvailableException", cluster=name, containerInstance=arn)


def test_an_instance_is_named_by_id_and_by_both_kinds_of_arn(account: Account) -> None:
    name = cluster(account)
    arn = instances(account, name)[0]
    uid = arn.rsplit("/", 1)[1]
    dashed = f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}"
    for named in (uid, dashed, account.arn(f"container-instance/{uid}"), arn):
        assert instance(account, name, named)["containerInstanceArn"] == arn
    answer = account.ecs.describe_container_instances(cluster=name, containerInstances=[arn, ABSENT, uid])
    assert len(answer["containerInstances"]) == 1
    missing = account.arn(f"container-instance/{name}/{ABSENT}")
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]
    answer = account.ecs.update_container_instances_state(
        cluster=name, containerInstances=[ABSENT], status="DRAINING"
    )
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("list_container_instances", {}),
        ("describe_container_instances", {"containerInstances": [ABSENT]}),
        ("update_container_instances_state", {"containerInstances": [ABSENT], "status": "ACTIVE"}),
        ("update_container_agent", {"containerInstance": ABSENT}),
        ("register_container_instance", {}),
        ("deregister_container_instance", {"containerInstance": ABSENT}),
        ("put_attributes", {"attributes": [{"name": "a"}]}),
        ("delete_attributes", {"attributes": [{"name": "a"}]}),
        ("list_attributes", {"targetType": "container-instance"}),
        ("submit_task_state_change", {}),
        ("submit_container_state_change", {}),
        ("submit_attachment_state_changes", {"attachments": []}),
    ],
)
def test_an_unknown_cluster_is_not_found(account: Account, operation: str, members: dict[str, Any]) -> None:
    call = getattr(account.ecs, operation)
    refused(call, NO_CLUSTER, "Cluster not found.", cluster=unique("absent"), **members)
    refused(call, NO_CLUSTER, "Cluster not found.", **members)


def test_bad_inputs_are_refused(account: Account) -> None:
    name, other = cluster(account), cluster(account)
    arn = instances(account, other)[0]
    ecs, lax = account.ecs, account.lax
    for bad in ("attribute:", "attribute:a = b", "nonsense == 1"):
        message = naming("Invalid expression")
        refused(ecs.list_container_instances, IPE, message, cluster=name, filter=bad)
    refused(ecs.list_container_instances, IPE, "Invalid token", cluster=name, nextToken="x")
    message = "Max results can not be greater than 100"
    refused(ecs.list_container_instances, IPE, message, cluster=name, maxResults=101)
    refused(lax.list_container_instances, (IPE, CE), naming("status"), cluster=name, status="BUSY")
    elsewhere = naming("Identifier is for cluster", other)
    call = ecs.describe_container_instances
    for named, message in [
        ([], "Container instances cannot be empty."),
        (["nope"], "instanceId length should be one of [32,36]"),
        ([arn], elsewhere),
        ([account.arn("cluster/main")], "Unsupported resource type: cluster"),
        ([f"{n:032x}" for n in range(101)], "instanceIds can have at most 100 items"),
    ]:
        refused(call, IPE, message, cluster=name, containerInstances=named)
    refused(lax.describe_container_instances, (IPE, CE), naming("include"), cluster=name, containerInstances=[ABSENT], include=["X"])
    call = ecs.update_container_instances_state
    for named, status, message in [
        ([], "DRAINING", "Container instances cannot be empty."),
        (["nope"], "DRAINING", "instanceId length should be one of [32,36]"),
        ([f"{n:032x}" for n in range(11)], "ACTIVE", "instanceIds can have at most 10 items"),
        ([ABSENT], "REGISTERING", "Container instance status should be one of [ACTIVE,DRAINING]"),
    ]:
        refused(call, IPE, message, cluster=name, containerInstances=named, status=status)
    for call in (ecs.deregister_container_instance, ecs.update_container_agent):
        message = f"Referenced container instance {ABSENT} not found."
        refused(call, IPE, message, cluster=name, containerInstance=ABSENT)
        refused(call, IPE, "instanceId length should be one of [32,36]", cluster=name, containerInstance="nope")
        refused(call, IPE, elsewhere, cluster=name, containerInstance=arn)
