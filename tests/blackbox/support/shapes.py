"""Requests that are legal and small, to be changed by the tests that need something special."""

from __future__ import annotations

import re
import uuid
from typing import Any

from .account import Account
from .patience import until
from .server import kubernetes_asked_for

SIM = "kecs.dev/sim."
# What the test cluster has: it knows no registry.
IMAGE = "kecs.dev/test/busybox:1"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]}}
ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
# Checked every second at first sight, and found out quickly.
CHECK = {"command": ["CMD-SHELL", "true"], "interval": 5, "timeout": 2, "retries": 1, "startPeriod": 0}


def unique(prefix: str) -> str:
    """A name that nothing else has."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def sim(**labels: object) -> dict[str, str]:
    """The labels that script a simulated container: `sim(exit_code=3, run_for="1s")`."""
    return {SIM + name.replace("_", "-"): str(value) for name, value in labels.items()}


def container(name: str = "app", **members: Any) -> dict[str, Any]:
    """A container definition: `sim={...}` are its simulation labels."""
    script: dict[str, Any] | None = members.pop("sim", None)
    definition: dict[str, Any] = {"name": name, "image": "busybox:1.36", "memory": 64, **members}
    if kubernetes_asked_for():
        return {**definition, **really(script or {}, definition)}
    if script:
        definition["dockerLabels"] = {**definition.get("dockerLabels", {}), **sim(**script)}
    return definition


def really(script: dict[str, Any], definition: dict[str, Any]) -> dict[str, Any]:
    """The same behaviour of a real container, where there is one: an image that is there, and a command."""
    if "pull_error" in script:
        return {"image": "127.0.0.1:1/none:1"}
    if "start_error" in script:
        return {"image": IMAGE, "command": ["/no/such/program"]}
    if "command" in definition or "entryPoint" in definition:
        return {"image": IMAGE}
    seconds = re.fullmatch(r"(\d+)(ms|s)", str(script.get("run_for", "")))
    after = int(seconds[1]) / (1000 if seconds[2] == "ms" else 1) if seconds else 1
    ends = f"sleep {after}; exit {script.get('exit_code', 0)}" if {"run_for", "exit_code"} & set(script) else None
    # The shell as first process heeds SIGTERM only where it has a trap, and at once only while it waits.
    loop = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
    return {"image": IMAGE, "command": ["sh", "-c", ends or loop]}


def register(account: Account, *containers: dict[str, Any], **members: Any) -> str:
    """Registers a task definition and returns its ARN."""
    request: dict[str, Any] = {
        "family": unique("family"),
        "containerDefinitions": list(containers) or [container()],
        **members,
    }
    answer = account.ecs.register_task_definition(**request)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def register_fargate(account: Account, *containers: dict[str, Any], **members: Any) -> str:
    """Registers a task definition for FARGATE."""
    fargate = {
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
    }
    return register(account, *(containers or (container(),)), **{**fargate, **members})


def cluster(account: Account, name: str | None = None, **members: Any) -> str:
    """Creates a cluster and returns its name."""
    answer = account.ecs.create_cluster(clusterName=name or unique("cluster"), **members)
    return str(answer["cluster"]["clusterName"])


def run(account: Account, cluster_name: str, definition: str, **members: Any) -> list[dict[str, Any]]:
    """Runs tasks and returns them; none may fail."""
    answer = account.ecs.run_task(cluster=cluster_name, taskDefinition=definition, **members)
    assert answer["failures"] == []
    return list(answer["tasks"])


def describe(account: Account, cluster_name: str, arn: str, **members: Any) -> dict[str, Any]:
    """One task as DescribeTasks shows it."""
    answer = account.ecs.describe_tasks(cluster=cluster_name, tasks=[arn], **members)
    assert answer["failures"] == []
    (task,) = answer["tasks"]
    return dict(task)


def reach(account: Account, cluster_name: str, arn: str, status: str = "RUNNING") -> dict[str, Any]:
    """Waits for a task to be there, and returns it as it then is."""
    return until(
        lambda: describe(account, cluster_name, arn),
        lambda task: task["lastStatus"] == status,
        what=f"{arn} {status}",
    )


def create_service(account: Account, cluster_name: str, definition: str, **members: Any) -> dict[str, Any]:
    """Creates a service, of one task unless told otherwise, and returns it."""
    request: dict[str, Any] = {
        "cluster": cluster_name,
        "serviceName": unique("service"),
        "taskDefinition": definition,
        "desiredCount": 1,
        **members,
    }
    if request.get("schedulingStrategy") == "DAEMON":
        request.pop("desiredCount")
    return dict(account.ecs.create_service(**request)["service"])


def service(account: Account, cluster_name: str, name: str, **members: Any) -> dict[str, Any]:
    """One service as DescribeServices shows it."""
    answer = account.ecs.describe_services(cluster=cluster_name, services=[name], **members)
    assert answer["failures"] == []
    (found,) = answer["services"]
    return dict(found)


def is_stable(found: dict[str, Any]) -> bool:
    """What the waiter services_stable looks for."""
    return len(found["deployments"]) == 1 and found["runningCount"] == found["desiredCount"]


def stable(account: Account, cluster_name: str, name: str) -> dict[str, Any]:
    """Waits for a service to be stable and for its deployment to be COMPLETED, and returns it."""
    return until(
        lambda: service(account, cluster_name, name),
        lambda found: is_stable(found) and found["deployments"][0].get("rolloutState") == "COMPLETED",
        what=f"{name} stable",
    )


def deployment_arn(account: Account, cluster_name: str, found: dict[str, Any]) -> str:
    """The service deployment of a service's primary deployment, found as Terraform finds it."""
    number = found["deployments"][0]["id"].removeprefix("ecs-svc/")

    def look() -> list[str]:
        listed = account.all(
            "list_service_deployments", "serviceDeployments", cluster=cluster_name, service=found["serviceName"]
        )
        return [
            one["serviceDeploymentArn"] for one in listed if one["targetServiceRevisionArn"].endswith(f"/{number}")
        ]

    (arn,) = until(look, bool, what=f"the service deployment to {number}")
    return str(arn)


def messages(found: dict[str, Any]) -> list[str]:
    """The texts of a service's events, newest first."""
    return [event["message"] for event in found["events"]]
