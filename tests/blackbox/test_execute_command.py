"""ExecuteCommand, and what is shown of the agents that it goes through. The sessions are in test_exec_sessions.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import until
from support.server import Server
from support.sessions import OFF, execute, opened, start
from support.shapes import (
    cluster,
    container,
    create_service,
    describe,
    reach,
    register,
    register_fargate,
    run,
    stable,
)
from support.wire import post

IPE = "InvalidParameterException"


def agents(task: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The managed agents of each container."""
    return [one["managedAgents"] for one in task["containers"]]


def test_a_session_is_promised_at_the_address_by_which_the_server_was_reached(account: Account) -> None:
    name, task = start(account)
    answer = execute(account, name, task, "/bin/sh")
    assert answer["clusterArn"] == account.arn(f"cluster/{name}")
    assert (answer["taskArn"], answer["interactive"]) == (task["taskArn"], True)
    (only,) = task["containers"]
    assert (answer["containerName"], answer["containerArn"]) == ("app", only["containerArn"])
    session = answer["session"]
    assert re.fullmatch(r"ecs-execute-command-[0-9a-z]{26}", session["sessionId"])
    assert re.fullmatch(r"[0-9a-f]{64}", session["tokenValue"])
    base = account.endpoint.replace("http://", "ws://")
    assert session["streamUrl"].startswith(f"{base}/v1/data-channel/{session['sessionId']}")
    assert session["tokenValue"] not in session["streamUrl"]


def test_agents_show_how_far_their_containers_are(account: Account) -> None:
    name = cluster(account)
    slow = container(sim={"start_delay": "300ms"})
    definition = register(account, slow, container("side", essential=False, sim={"run_for": "50ms"}))
    (made,) = run(account, name, definition, enableExecuteCommand=True)
    pending = [{"name": "ExecuteCommandAgent", "lastStatus": "PENDING"}]
    assert agents(made) == [pending, pending]
    task = until(
        lambda: describe(account, name, made["taskArn"]),
        lambda task: [one["lastStatus"] for one in task["containers"]] == ["RUNNING", "STOPPED"],
    )
    ((first,), (side,)) = agents(task)
    assert (first["lastStatus"], side["lastStatus"]) == ("RUNNING", "STOPPED")
    assert first["lastStartedAt"] >= task["createdAt"]
    assert "reason" not in first
    assert side["reason"]
    request = {"cluster": name, "task": made["taskArn"], "container": "side", "command": "sh", "interactive": True}
    refused(account.ecs.execute_command, IPE, OFF, **request)
    account.ecs.stop_task(cluster=name, task=made["taskArn"])
    stopped = reach(account, name, made["taskArn"], "STOPPED")
    assert [one[0]["lastStatus"] for one in agents(stopped)] == ["STOPPED", "STOPPED"]


def test_without_it_there_are_no_agents_and_no_sessions(account: Account) -> None:
    name, task = start(account, enableExecuteCommand=False)
    assert all("managedAgents" not in one for one in task["containers"])
    refused(account.ecs.execute_command, IPE, OFF, cluster=name, task=task["taskArn"], command="sh", interactive=True)


def test_a_service_gives_it_to_its_tasks(account: Account) -> None:
    name, definition = cluster(account), register(account)
    made = create_service(account, name, definition, enableExecuteCommand=True)
    stable(account, name, made["serviceName"])

    def tasks() -> list[dict[str, Any]]:
        arns = account.all("list_tasks", "taskArns", cluster=name, serviceName=made["serviceName"])
        return [describe(account, name, arn) for arn in arns]

    (task,) = tasks()
    client = opened(account, name, task, "echo from a service")
    client.end()
    assert client.output == b"from a service\r\n"
    account.ecs.update_service(
        cluster=name, service=made["serviceName"], enableExecuteCommand=False, forceNewDeployment=True
    )
    stable(account, name, made["serviceName"])
    (task,) = until(tasks, lambda found: [one["enableExecuteCommand"] for one in found] == [False])
    assert "managedAgents" not in task["containers"][0]
    account.ecs.update_service(
        cluster=name, service=made["serviceName"], enableExecuteCommand=True, forceNewDeployment=True
    )
    stable(account, name, made["serviceName"])
    (task,) = until(tasks, lambda found: [one["enableExecuteCommand"] for one in found] == [True])
    assert opened(account, name, task, "true").end()["ExitCode"] == 0


def test_a_task_on_fargate_has_it_too(account: Account) -> None:
    name, definition = cluster(account), register_fargate(account)
    network = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"]}}
    (made,) = run(
        account, name, definition, enableExecuteCommand=True, launchType="FARGATE", networkConfiguration=network
    )
    client = opened(account, name, reach(account, name, made["taskArn"]), "hostname")
    client.end()
    assert client.output.decode().strip() == made["taskArn"].rsplit("/", 1)[1][:12]


def test_one_of_several_containers_must_be_named(account: Account) -> None:
    name, task = start(account, container(), container("side"))
    request = {"cluster": name, "task": task["taskArn"], "command": "sh", "interactive": True}
    refused(account.ecs.execute_command, IPE, naming("container"), **request)
    refused(account.ecs.execute_command, IPE, naming("nope"), container="nope", **request)
    assert execute(account, name, task, "sh", container="side")["containerName"] == "side"


def test_a_task_is_named_by_id_and_by_arn(account: Account) -> None:
    name, task = start(account)
    identifier = task["taskArn"].rsplit("/", 1)[1]
    for named in [identifier, task["taskArn"], account.arn(f"task/{identifier}")]:
        for of in [name, account.arn(f"cluster/{name}")]:
            assert execute(account, of, {"taskArn": named}, "sh")["taskArn"] == task["taskArn"]


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"interactive": False}, IPE, "Interactive is the only mode supported currently."),
        ({"command": ""}, IPE, naming("command")),
        ({"command": "  "}, IPE, naming("command")),
        ({"command": "x" * 65537}, IPE, naming("command")),
        ({"command": "a\0b"}, IPE, naming("command")),
        ({"task": "0" * 32}, IPE, "The referenced task was not found."),
        ({"task": "nope"}, IPE, "taskId length should be one of [32,36]"),
        ({"cluster": "nowhere"}, "ClusterNotFoundException", "Cluster not found."),
        ({"cluster": "no such name"}, IPE, naming("cluster")),
        ({"container": "nope"}, IPE, naming("nope")),
    ],
)
def test_what_can_not_be_run_is_refused(
    account: Account, members: dict[str, Any], code: str, message: str | re.Pattern[str]
) -> None:
    name, task = start(account)
    request = {"cluster": name, "task": task["taskArn"], "command": "sh", "interactive": True, **members}
    refused(account.ecs.execute_command, code, message, **request)


@pytest.mark.parametrize("member", ["command", "interactive", "task"])
@pytest.mark.parametrize("value", [None, 1.5, {"a": "b"}])
def test_a_member_that_is_missing_or_of_another_type_is_named(server: Server, member: str, value: Any) -> None:
    request = {"task": "0" * 32, "command": "sh", "interactive": True}
    del request[member]
    if value is not None:
        request[member] = value
    answer = post(server.address, "ExecuteCommand", request)
    assert answer.status == 400
    assert member in answer.error[1]


def test_a_task_that_was_stopped_or_is_another_accounts_is_out_of_reach(
    account: Account, new_account: Callable[..., Account]
) -> None:
    name, task = start(account)
    other = new_account(region=account.region)
    cluster(other, name)
    request = {"cluster": name, "command": "sh", "interactive": True}
    identifier = task["taskArn"].rsplit("/", 1)[1]
    refused(other.ecs.execute_command, IPE, "The referenced task was not found.", task=identifier, **request)
    refused(other.ecs.execute_command, IPE, naming(account.account), task=task["taskArn"], **request)
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    reach(account, name, task["taskArn"], "STOPPED")
    refused(account.ecs.execute_command, IPE, OFF, task=task["taskArn"], **request)
