"""The process: its ready line, its end in good order, its lock, and another start on what is there."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from support.account import Account
from support.patience import until
from support.server import Server, binary, command, environment
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    describe,
    reach,
    register,
    register_fargate,
    run,
    service,
    stable,
)
from support.wire import TARGET, credential


def test_the_ready_line_tells_addresses_that_answer(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data")
    try:
        for url in (server.api, server.admin):
            assert url.startswith("http://127.0.0.1:")
            assert not url.endswith(":0")
        assert Account(server.api).ecs.list_clusters()["clusterArns"] == []
        for page in ("health", "metrics"):
            with urllib.request.urlopen(f"{server.admin}/{page}", timeout=10) as answer:
                assert answer.status == 200
        lines = server.stdout.read_text().splitlines()
        assert len(lines) == 1
    finally:
        assert server.stop() == 0


def test_a_second_process_on_the_same_data_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data")
    try:
        done = subprocess.run(
            command(tmp_path / "data"),
            capture_output=True,
            text=True,
            timeout=30,
            env=environment(),
            check=False,
        )
        assert done.returncode not in (0, -signal.SIGKILL)
        assert "kecs ready" not in done.stdout
        assert str(tmp_path / "data") in done.stderr
        assert any(word in done.stderr for word in ("in use", "locked", "another")), done.stderr
        assert "panicked" not in done.stderr
        assert Account(server.api).ecs.list_clusters()["clusterArns"] == []
    finally:
        assert server.stop() == 0


def snapshot(account: Account, name: str, service_name: str, arns: list[str]) -> dict[str, Any]:
    """Everything that a restart must leave as it is."""
    account.ecs.describe_tasks(cluster=name, tasks=arns, include=["TAGS"])
    tasks = sorted(account.raw["tasks"], key=lambda task: str(task["taskArn"]))
    account.ecs.describe_services(cluster=name, services=[service_name], include=["TAGS"])
    return {
        "tasks": tasks,
        "services": account.raw["services"],
        "clusters": account.ecs.describe_clusters(clusters=[name], include=["TAGS", "SETTINGS"])["clusters"],
        "listed": sorted(account.all("list_tasks", "taskArns", cluster=name)),
        "definitions": account.all("list_task_definitions", "taskDefinitionArns"),
    }


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_restart_changes_nothing_that_is_at_rest(tmp_path: Path, end: str) -> None:
    server = Server.start(tmp_path / "data")
    account = Account(server.api)
    name = cluster(account, tags=[{"key": "a", "value": "1"}])
    ended = run(account, name, register(account, container(sim={"run_for": "0s", "exit_code": 3})))
    fargate = run(
        account, name, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK, count=2
    )
    made = create_service(account, name, register(account), desiredCount=2, tags=[{"key": "b", "value": "2"}])
    reach(account, name, ended[0]["taskArn"], "STOPPED")
    for task in fargate:
        reach(account, name, task["taskArn"])
    stable(account, name, made["serviceName"])
    arns = account.all("list_tasks", "taskArns", cluster=name) + [ended[0]["taskArn"]]
    before = snapshot(account, name, made["serviceName"], arns)

    if end == "kill":
        server.kill()
    else:
        assert server.stop() == 0
    server = Server.start(tmp_path / "data")
    try:
        again = Account(server.api, account.account)
        assert snapshot(again, name, made["serviceName"], arns) == before
        # And it is alive: it still reconciles.
        again.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=3)
        assert stable(again, name, made["serviceName"])["runningCount"] == 3
    finally:
        assert server.stop() == 0


def test_what_was_under_way_goes_on_after_a_restart(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data")
    account = Account(server.api)
    name = cluster(account)
    slow = container(sim={"start_delay": "400ms", "run_for": "400ms", "exit_code": 5})
    (task,) = run(account, name, register(account, slow))
    made = create_service(account, name, register(account, container(sim={"start_delay": "400ms"})), desiredCount=3)
    server.kill()
    server = Server.start(tmp_path / "data")
    try:
        again = Account(server.api, account.account)
        found = reach(again, name, task["taskArn"], "STOPPED")
        assert found["containers"][0]["exitCode"] == 5
        assert stable(again, name, made["serviceName"])["runningCount"] == 3
    finally:
        assert server.stop() == 0


def test_sigterm_answers_what_is_in_flight_and_then_ends(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data")
    account = Account(server.api)
    name = cluster(account)
    (task,) = run(account, name, register(account))
    reach(account, name, task["taskArn"])
    before = describe(account, name, task["taskArn"])

    body = json.dumps({"clusterName": "in-flight"}).encode()
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.putrequest("POST", "/")
    connection.putheader("X-Amz-Target", f"{TARGET}.CreateCluster")
    connection.putheader("Authorization", credential(account.account, account.region))
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:5])
    # The server has the request when it answers another one that was sent later on a connection of its own.
    assert account.ecs.list_clusters()["clusterArns"]
    server.terminate()
    until(lambda: is_closed(server.address), bool, what="no new connection is taken")
    connection.send(body[5:])
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["cluster"]["status"]) == (200, "ACTIVE")
    connection.close()
    assert server.process.wait(20) == 0

    server = Server.start(tmp_path / "data")
    try:
        again = Account(server.api, account.account, account.region)
        assert describe(again, name, task["taskArn"]) == before
        assert again.ecs.describe_clusters(clusters=["in-flight"])["clusters"][0]["status"] == "ACTIVE"
    finally:
        assert server.stop() == 0


def is_closed(address: tuple[str, int]) -> bool:
    """Whether nobody listens there any more."""
    try:
        with socket.create_connection(address, timeout=5):
            return False
    except ConnectionRefusedError:
        return True


def test_nothing_is_written_outside_the_data_directory(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    server = Server.start(tmp_path / "data")
    try:
        cluster(Account(server.api))
    finally:
        assert server.stop() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "data-logs", "home"]
    assert list(home.iterdir()) == []


def test_memory_storage_keeps_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        server = Server.start(tmp_path / "data", storage="memory")
        try:
            account = Account(server.api, "123456789012")
            assert account.ecs.list_clusters()["clusterArns"] == []
            name = cluster(account)
            made = create_service(account, name, register(account))
            assert stable(account, name, made["serviceName"])["runningCount"] == 1
            assert service(account, name, made["serviceName"])["status"] == "ACTIVE"
        finally:
            assert server.stop() == 0
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--listen", "nonsense"], "listen"),
        (["--storage", "paper"], "storage"),
        (["--account-id", "12"], "account"),
        (["--sim-nodes", "many"], "sim-nodes"),
        (["--nonsense"], "nonsense"),
    ],
)
def test_a_bad_flag_is_named(tmp_path: Path, flags: list[str], word: str) -> None:
    done = subprocess.run(
        [str(binary()), "serve", "--data-dir", str(tmp_path), *flags],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        check=False,
    )
    assert done.returncode not in (0, 101)
    assert word in done.stderr
