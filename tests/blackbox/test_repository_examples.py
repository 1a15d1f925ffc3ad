"""The task definitions under examples/: they register, read back as written, and run to their expected ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.account import Account
from support.patience import until
from support.server import ROOT
from support.shapes import NETWORK, reach, stable

EXAMPLES = ROOT / "examples"
DEFINITIONS = sorted(path.name for path in EXAMPLES.glob("*.json") if "service.json" not in path.suffixes)
DEFINITIONS = [name for name in DEFINITIONS if not name.endswith(".service.json")]

# What ECS adds to a container and to a port mapping that don't say otherwise.
CONTAINER: dict[str, Any] = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}
ADDED = {
    "taskDefinitionArn",
    "revision",
    "status",
    "compatibilities",
    "requiresAttributes",
    "registeredAt",
    "registeredBy",
}


def load(name: str) -> dict[str, Any]:
    return dict(json.loads((EXAMPLES / name).read_text()))


def canonical(document: Any) -> str:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def register(account: Account, name: str) -> str:
    definition = account.ecs.register_task_definition(**load(name))["taskDefinition"]
    return f"{definition['family']}:{definition['revision']}"


def test_there_are_examples() -> None:
    assert {"web-service.json", "batch-job.json", "worker.json"} <= set(DEFINITIONS)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_an_example_reads_back_byte_for_byte_but_for_what_ecs_adds(account: Account, name: str) -> None:
    written = load(name)
    tags = written.pop("tags", [])
    account.ecs.describe_task_definition(taskDefinition=register(account, name), include=["TAGS"])
    assert account.raw["tags"] == tags
    found = {member: value for member, value in account.raw["taskDefinition"].items() if member not in ADDED}
    written["containerDefinitions"] = [{**CONTAINER, **one} for one in written["containerDefinitions"]]
    expected = {"volumes": [], "placementConstraints": [], **written}
    assert canonical(found) == canonical(expected)


def test_the_batch_job_ends_with_exit_code_0(account: Account) -> None:
    account.ecs.create_cluster()
    definition = register(account, "batch-job.json")
    answer = account.ecs.run_task(taskDefinition=definition, launchType="FARGATE", networkConfiguration=NETWORK)
    task = reach(account, "default", answer["tasks"][0]["taskArn"], "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert [one["exitCode"] for one in task["containers"]] == [0]
    assert (task["stoppedAt"] - task["startedAt"]).total_seconds() >= 3


def test_the_worker_starts_its_containers_in_order_and_goes_on(account: Account) -> None:
    account.ecs.create_cluster()
    definition = register(account, "worker.json")
    (task,) = account.ecs.run_task(taskDefinition=definition, launchType="EC2")["tasks"]
    found = until(
        lambda: account.ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"][0],
        lambda task: task["lastStatus"] == "RUNNING",
        within=40,
    )
    states = {one["name"]: (one["lastStatus"], one.get("exitCode")) for one in found["containers"]}
    assert states == {
        "migrate": ("STOPPED", 0),
        "warm-up": ("STOPPED", 1),
        "queue-proxy": ("RUNNING", None),
        "worker": ("RUNNING", None),
    }
    proxy = next(one for one in found["containers"] if one["name"] == "queue-proxy")
    assert proxy["healthStatus"] == "HEALTHY"
    assert proxy["networkBindings"][0]["containerPort"] == 5672


def test_the_web_service_becomes_stable_with_its_tags_on_its_tasks(account: Account) -> None:
    account.ecs.create_cluster()
    register(account, "web-service.json")
    request = load("web-service.service.json")
    made = account.ecs.create_service(**request)["service"]
    found = stable(account, "default", request["serviceName"])
    assert found["runningCount"] == request["desiredCount"]
    arns = account.ecs.list_tasks(serviceName=made["serviceName"])["taskArns"]
    for task in account.ecs.describe_tasks(tasks=arns, include=["TAGS"])["tasks"]:
        tags = {tag["key"]: tag["value"] for tag in task["tags"]}
        assert tags["team"] == "shop"
        assert tags["aws:ecs:serviceName"] == "web"
        assert {one["name"]: one["lastStatus"] for one in task["containers"]} == {
            "web": "RUNNING",
            "log-router": "RUNNING",
        }
