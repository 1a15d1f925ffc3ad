"""ECS Exec in real containers, through a client of the protocol of our own."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support.patience import until
from support.ssm import FLAG, TERMINATE, Client

from conftest import Kubernetes, Scene
from containers import lively

SHELL = "/bin/sh"


@pytest.fixture
def task(scene: Scene) -> str:
    """A running task with ECS Exec."""
    arn = scene.run(scene.register("web", lively()), enableExecuteCommand=True)
    # The agent's state comes with the container's.
    scene.until(arn, "RUNNING")
    return arn


def execute(scene: Scene, task: str, command: str) -> dict[str, Any]:
    return scene.ecs.execute_command(cluster="main", task=task, command=command, interactive=True)["session"]


def opened(scene: Scene, task: str, command: str = SHELL) -> Client:
    client = Client(execute(scene, task, command))
    client.greet()
    return client


def said(client: Client, command: str) -> str:
    """What a command says in the shell."""
    client.type(f"echo begin; {command}; echo end\r")
    # The line itself is shown first; there the words are followed by others, or follow others.
    client.expect("begin\r\n")
    client.until(lambda: b"end\r\n" in client.output, what="its end")
    text, _, client.output = client.output.partition(b"end\r\n")
    return text.decode().strip()


def test_a_shell_echoes_resizes_and_tells_how_it_ended(scene: Scene, task: str) -> None:
    client = opened(scene, task)
    client.expect("# ")
    client.type("echo $NAME is  here\r")
    # What is typed is shown by the terminal, then comes the output, then the prompt again.
    client.expect("echo $NAME is  here\r\n")
    client.expect("web is here\r\n")
    client.expect("# ")
    for cols, rows in [(120, 40), (300, 100)]:
        client.resize(cols, rows)
        # The size goes another way than the keys, and may come a moment later.
        until(lambda: said(client, "stty size"), lambda it, size=f"{rows} {cols}": it == size, what="the new size")
    # The shell reads its own lines letter by letter: only what is typed after `go` is the program's.
    client.type("echo go; cat\r")
    client.expect("\r\ngo\r\n")
    time.sleep(0.5)
    client.type("a line\r")
    client.expect("a line\r\na line\r\n")
    client.type("\x03")
    client.expect("^C")
    client.type("exit 3\r")
    end = client.end()
    assert (end["ExitCode"], end["Output"]) == (3, "")
    assert scene.task(task)["lastStatus"] == "RUNNING"


@pytest.mark.parametrize(
    ("command", "output", "code"),
    [
        ("echo 'hello  world'", "hello  world\r\n", 0),
        ("/bin/sh -c 'echo a; exit 42'", "a\r\n", 42),
        ("cat /nowhere", "cat: can't open '/nowhere': No such file or directory\r\n", 1),
        ("true", "", 0),
        ("false", "", 1),
    ],
)
def test_one_command_runs_and_ends(scene: Scene, task: str, command: str, output: str, code: int) -> None:
    client = opened(scene, task, command)
    end = client.end()
    assert (client.output.decode(), end["ExitCode"], end["Output"]) == (output, code, "")


def test_what_is_no_program_is_told_at_the_end(scene: Scene, task: str) -> None:
    end = opened(scene, task, "/no/such/program").end()
    assert "ExitCode" not in end
    assert "Unable to start command" in end["Output"]
    assert "/no/such/program" in end["Output"]


def test_twenty_thousand_lines_arrive_without_a_loss(scene: Scene, task: str) -> None:
    client = opened(scene, task, "seq 20000")
    client.end()
    assert client.output.decode().split("\r\n") == [*map(str, range(1, 20001)), ""]


def test_a_command_ends_when_its_client_ends_the_session(scene: Scene, task: str, kubernetes: Kubernetes) -> None:
    client = opened(scene, task, "cat")
    client.type("hi\r")
    client.expect("hi\r\nhi\r\n")
    (pod,) = scene.pods()
    look = ["exec", "-n", pod["metadata"]["namespace"], pod["metadata"]["name"], "--", "ps"]
    commands = lambda: [line.split()[2:] for line in kubernetes.ctl(*look).splitlines()]  # noqa: E731
    assert ["cat"] in commands()
    client.send(FLAG, TERMINATE)
    assert client.end()["Output"] == ""
    until(commands, lambda it: ["cat"] not in it, what="it was interrupted")


def test_a_session_ends_with_its_task(scene: Scene, task: str) -> None:
    client = opened(scene, task)
    client.expect("# ")
    scene.ecs.stop_task(cluster="main", task=task)
    client.end()
    scene.until(task, "STOPPED")
