"""Tasks that wait for capacity: made, placed when there is room, stopped while they wait."""

from __future__ import annotations

from support.account import Account
from support.patience import until
from support.shapes import cluster, container, create_service, describe, reach, register, run, service, stable, unique

# One node with room for two of our tasks.
FLAGS = ["--sim-nodes", "1", "--sim-node-cpu", "1024", "--sim-node-memory", "1024"]


def provider(account: Account, status: str) -> str:
    name = unique("p")
    group = {"autoScalingGroupArn": name, "managedScaling": {"status": status}}
    account.ecs.create_capacity_provider(name=name, autoScalingGroupProvider=group)
    return name


def room(account: Account, status: str) -> tuple[str, str]:
    """A cluster whose default is a provider of its own, and a task definition of which two fit."""
    own = provider(account, status)
    default = [{"capacityProvider": own, "weight": 1}]
    name = cluster(account, capacityProviders=[own], defaultCapacityProviderStrategy=default)
    return name, register(account, container(cpu=512, memory=64))


def test_a_task_without_room_waits_until_there_is_some(account: Account) -> None:
    name, definition = room(account, "ENABLED")
    tasks = run(account, name, definition, count=3)
    (waiting,) = [task for task in tasks if "containerInstanceArn" not in task]
    placed = [task for task in tasks if task is not waiting]
    for task in placed:
        reach(account, name, task["taskArn"])
    assert describe(account, name, waiting["taskArn"])["lastStatus"] == "PROVISIONING"
    account.ecs.stop_task(cluster=name, task=placed[0]["taskArn"])
    running = reach(account, name, waiting["taskArn"])
    assert running["containerInstanceArn"] == placed[0]["containerInstanceArn"]
    for task in tasks:
        account.ecs.stop_task(cluster=name, task=task["taskArn"])
        reach(account, name, task["taskArn"], "STOPPED")


def test_a_task_that_waits_can_be_stopped(account: Account) -> None:
    name, definition = room(account, "ENABLED")
    tasks = run(account, name, definition, count=3)
    (waiting,) = [task for task in tasks if "containerInstanceArn" not in task]
    account.ecs.stop_task(cluster=name, task=waiting["taskArn"], reason="enough")
    stopped = reach(account, name, waiting["taskArn"], "STOPPED")
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert "startedAt" not in stopped
    for task in tasks:
        account.ecs.stop_task(cluster=name, task=task["taskArn"])
        reach(account, name, task["taskArn"], "STOPPED")


def test_without_scaling_a_task_without_room_is_a_failure(account: Account) -> None:
    name, definition = room(account, "DISABLED")
    answer = account.ecs.run_task(cluster=name, taskDefinition=definition, count=3)
    assert len(answer["tasks"]) == 2
    assert {failure["reason"] for failure in answer["failures"]} == {"RESOURCE:CPU"}
    for task in answer["tasks"]:
        account.ecs.stop_task(cluster=name, task=task["taskArn"])
        reach(account, name, task["taskArn"], "STOPPED")


def test_a_services_tasks_wait_too(account: Account) -> None:
    name, definition = room(account, "ENABLED")
    made = create_service(account, name, definition, desiredCount=3)["serviceName"]
    listed = lambda: account.ecs.list_tasks(cluster=name, serviceName=made)["taskArns"]  # noqa: E731
    arns = until(listed, lambda arns: len(arns) == 3, what="three tasks")
    found = until(
        lambda: [describe(account, name, arn) for arn in arns],
        lambda tasks: sorted(task["lastStatus"] for task in tasks) == ["PROVISIONING", "RUNNING", "RUNNING"],
        what="two of them RUNNING",
    )
    (waiting,) = [task["taskArn"] for task in found if task["lastStatus"] == "PROVISIONING"]
    assert service(account, name, made)["pendingCount"] == 1
    account.ecs.update_service(cluster=name, service=made, desiredCount=2)
    stable(account, name, made)
    assert waiting not in listed()
    account.ecs.delete_service(cluster=name, service=made, force=True)
    for arn in arns:
        reach(account, name, arn, "STOPPED")
