"""The waiters of boto3 and of the aws CLI: what they wait for, and what makes them give up."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from support.account import Account
from support.cli import Cli
from support.patience import until
from support.shapes import cluster, container, create_service, reach, register, run, stable

QUICK = {"Delay": 0.05, "MaxAttempts": 400}


def wait(account: Account, waiter: str, **arguments: Any) -> None:
    account.ecs.get_waiter(waiter).wait(WaiterConfig=QUICK, **arguments)


def test_tasks_running_waits_until_all_run(account: Account) -> None:
    name = cluster(account)
    tasks = run(account, name, register(account, container(sim={"start_delay": "300ms"})), count=2)
    arns = [task["taskArn"] for task in tasks]
    wait(account, "tasks_running", cluster=name, tasks=arns)
    found = account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]
    assert {task["lastStatus"] for task in found} == {"RUNNING"}


def test_tasks_running_gives_up_on_a_stopped_and_on_a_missing_task(account: Account) -> None:
    name = cluster(account)
    (ended,) = run(account, name, register(account, container(sim={"run_for": "0s"})))
    reach(account, name, ended["taskArn"], "STOPPED")
    for arn in (ended["taskArn"], "0" * 32):
        with pytest.raises(WaiterError, match="terminal failure state"):
            wait(account, "tasks_running", cluster=name, tasks=[arn])


def test_tasks_stopped_waits_until_all_have_stopped(account: Account) -> None:
    name = cluster(account)
    tasks = run(account, name, register(account, container(sim={"run_for": "300ms"})), count=2)
    arns = [task["taskArn"] for task in tasks]
    wait(account, "tasks_stopped", cluster=name, tasks=arns)
    found = account.ecs.describe_tasks(cluster=name, tasks=arns)["tasks"]
    assert {task["lastStatus"] for task in found} == {"STOPPED"}


def test_services_stable_waits_through_a_roll(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=3)
    wait(account, "services_stable", cluster=name, services=[made["serviceName"]])
    second = register(account, container(sim={"start_delay": "200ms"}))
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=second)
    wait(account, "services_stable", cluster=name, services=[made["serviceName"]])
    (found,) = account.ecs.describe_services(cluster=name, services=[made["serviceName"]])["services"]
    assert [one["taskDefinition"] for one in found["deployments"]] == [second]
    assert (found["runningCount"], found["desiredCount"]) == (3, 3)


def test_services_stable_gives_up_on_missing_and_inactive_services(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    account.ecs.delete_service(cluster=name, service=made["serviceName"])
    wait(account, "services_inactive", cluster=name, services=[made["serviceName"]])
    for service_name in (made["serviceName"], "absent"):
        with pytest.raises(WaiterError, match="terminal failure state"):
            wait(account, "services_stable", cluster=name, services=[service_name])


def test_services_inactive_waits_for_the_tasks_to_end(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"stop_delay": "300ms"})))
    stable(account, name, made["serviceName"])
    account.ecs.delete_service(cluster=name, service=made["serviceName"], force=True)
    wait(account, "services_inactive", cluster=name, services=[made["serviceName"]])
    assert account.all("list_tasks", "taskArns", cluster=name) == []
    with pytest.raises(WaiterError, match="terminal failure state"):
        wait(account, "services_inactive", cluster=name, services=["absent"])


def test_the_cli_waits_for_tasks_and_services(account: Account, cli: Cli) -> None:
    name = cluster(account)
    # A second's start: the CLI looks at once, finds it pending, and looks again after its own six seconds.
    (slow,) = run(account, name, register(account, container(sim={"start_delay": "1500ms"})))
    started = time.monotonic()
    assert cli.run("wait", "tasks-running", "--cluster", name, "--tasks", slow["taskArn"]).status == 0
    assert time.monotonic() - started > 1
    account.ecs.stop_task(cluster=name, task=slow["taskArn"])
    reach(account, name, slow["taskArn"], "STOPPED")
    assert cli.run("wait", "tasks-stopped", "--cluster", name, "--tasks", slow["taskArn"]).status == 0
    refused = cli.run("wait", "tasks-running", "--cluster", name, "--tasks", slow["taskArn"])
    assert refused.status == 255
    assert "terminal failure state" in refused.stderr


def test_the_cli_waits_for_a_service_to_be_stable_and_then_inactive(account: Account, cli: Cli) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=2)
    stable(account, name, made["serviceName"])
    arguments = ["--cluster", name, "--services", made["serviceName"]]
    assert cli.run("wait", "services-stable", *arguments).status == 0
    account.ecs.delete_service(cluster=name, service=made["serviceName"], force=True)
    until(
        lambda: account.ecs.describe_services(cluster=name, services=[made["serviceName"]])["services"][0],
        lambda found: found["status"] == "INACTIVE",
    )
    assert cli.run("wait", "services-inactive", *arguments).status == 0
    assert cli.run("wait", "services-stable", *arguments).status == 255
