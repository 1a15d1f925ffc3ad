"""Tasks with ECS Exec, and sessions in them."""

from __future__ import annotations

from typing import Any

from .account import Account
from .shapes import cluster, reach, register, run
from .ssm import Client

# What ECS says of a task without ECS Exec, of one that has ended, and of one that isn't there yet.
OFF = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
)


def start(account: Account, *containers: dict[str, Any], **members: Any) -> tuple[str, dict[str, Any]]:
    """A running task with ECS Exec: its cluster, and the task."""
    name = cluster(account)
    (task,) = run(account, name, register(account, *containers), **{"enableExecuteCommand": True, **members})
    return name, reach(account, name, task["taskArn"])


def execute(account: Account, name: str, task: dict[str, Any], command: str, **members: Any) -> dict[str, Any]:
    """ExecuteCommand."""
    request = {"cluster": name, "task": task["taskArn"], "command": command, "interactive": True, **members}
    return dict(account.ecs.execute_command(**request))


def opened(account: Account, name: str, task: dict[str, Any], command: str = "/bin/sh") -> Client:
    """A session after its handshake."""
    client = Client(execute(account, name, task, command)["session"])
    client.greet()
    return client
