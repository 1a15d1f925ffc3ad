"""`kecs logs` and the admin page behind it: what simulated containers say, while they run and when they have ended."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from support.account import Account
from support.patience import until
from support.server import Server, binary, environment
from support.shapes import cluster, container, reach, register, run


def logs(server: Server, account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in the test's account."""
    where = ["--admin-url", server.admin, "--account-id", account.account, "--region", account.region]
    command = [str(binary()), "logs", *where, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)


def started(account: Account, *containers: dict[str, object]) -> tuple[str, str]:
    """A cluster with a task that runs; the cluster's name and the task's ARN."""
    name = cluster(account)
    (task,) = run(account, name, register(account, *containers))
    reach(account, name, task["taskArn"])
    return name, task["taskArn"]


def test_the_lines_of_a_container_are_printed_while_it_runs_and_after_it_has_ended(
    server: Server, account: Account
) -> None:
    name, arn = started(account, container(sim={"log": "one\ntwo\nthree"}))
    task_id = arn.rpartition("/")[2]
    assert logs(server, account, arn).stdout == "one\ntwo\nthree\n"
    assert logs(server, account, "--cluster", name, "--tail", "1", task_id).stdout == "three\n"
    stamped = logs(server, account, "--timestamps", arn).stdout.splitlines()[0]
    assert stamped.endswith("Z one")
    account.ecs.stop_task(cluster=name, task=arn)
    reach(account, name, arn, "STOPPED")
    for arguments in ([], ["-f"]):
        assert logs(server, account, *arguments, arn).stdout == "one\ntwo\nthree\n"
    assert logs(server, account, "--tail", "2", arn).stdout == "two\nthree\n"


def test_following_goes_on_until_the_container_ends(server: Server, account: Account) -> None:
    _, arn = started(account, container(sim={"log": "tick", "log-every": "100ms", "run-for": "2s"}))
    lines = logs(server, account, "-f", arn).stdout.splitlines()
    assert set(lines) == {"tick"}
    assert 15 <= len(lines) <= 21, "one every 100 ms for 2 s"


def test_what_was_kept_outlives_the_server(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data")
    try:
        account = Account(server.api)
        name, arn = started(account, container(sim={"log": "last words", "run-for": "100ms"}))
        reach(account, name, arn, "STOPPED")
        until(lambda: list((tmp_path / "data" / "logs").rglob("*.jsonl")), bool, what="the logs are kept")
        server.kill()
        server = Server.start(tmp_path / "data")
        assert logs(server, Account(server.api, account.account, account.region), arn).stdout == "last words\n"
    finally:
        server.kill()


def test_mistakes_are_told(server: Server, account: Account) -> None:
    name, arn = started(account, container("a", sim={"log": "x"}), container("b"))
    for arguments, message in [
        ([arn], "Container name must be specified when the task has more than one container. It has a, b."),
        (["-c", "c", arn], "The container c does not exist in the task. It has a, b."),
        (["--cluster", name, "0" * 32], "The referenced task was not found."),
        (["--cluster", "none", "0" * 32], "Cluster not found."),
        (["--cluster", name, "b a d"], "taskId length should be one of [32,36]"),
    ]:
        done = logs(server, account, *arguments)
        assert done.returncode == 1
        assert message in done.stderr, done.stderr
    assert logs(server, account, "-c", "b", arn).stdout == "", "a container without the label says nothing"
    nobody = Server(server.process, server.data_dir, server.stdout, server.stderr, {"admin": "http://127.0.0.1:1"})
    assert "no kecs answers at http://127.0.0.1:1" in logs(nobody, account, arn).stderr


@pytest.mark.parametrize(
    "query", ["", "task=", "task=x&since-seconds=soon", "task=x&unknown=1", "task=x&account=1", "task=x&region=A%2FB"]
)
def test_the_page_refuses_what_it_does_not_understand(server: Server, query: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{server.admin}/logs?{query}", timeout=20)
    assert refused.value.code == 400
    assert refused.value.read()
