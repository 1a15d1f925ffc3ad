"""Tasks as Pods of a real cluster, through boto3."""

from __future__ import annotations

import time

import pytest
from support.patience import until

from conftest import Kubernetes, Scene
from containers import DEAF, exits, lively

CLUSTER_ARN = "kecs.dev/cluster-arn"


def test_a_cluster_is_a_namespace_that_says_whose_it_is(scene: Scene) -> None:
    (namespace,) = until(scene.namespaces, bool)
    assert namespace["metadata"]["annotations"][CLUSTER_ARN] == scene.account.arn("cluster/main")
    assert namespace["metadata"]["labels"]["kecs.dev/cluster"] == "main"


@pytest.mark.parametrize("code", [0, 7])
@pytest.mark.parametrize("fargate", [False, True], ids=["bridge", "awsvpc"])
def test_a_task_ends_with_its_containers_exit_code(scene: Scene, code: int, fargate: bool) -> None:
    arn = scene.run(scene.register("job", exits(code), fargate=fargate), fargate=fargate)
    task = scene.until(arn, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    (job,) = task["containers"]
    assert (job["exitCode"], job["lastStatus"]) == (code, "STOPPED")
    assert task["createdAt"] <= task["stoppedAt"]
    until(scene.pods, lambda it: not it, what="the Pod of a stopped task is gone")


def test_a_fargate_task_has_an_address_of_its_own(scene: Scene) -> None:
    arn = scene.run(scene.register("web", lively(), fargate=True), fargate=True)
    task = scene.until(arn, "RUNNING")
    (pod,) = scene.pods()
    details = {it["name"]: it["value"] for it in task["attachments"][0]["details"]}
    assert details["privateIPv4Address"] == pod["status"]["podIP"]
    assert task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] == pod["status"]["podIP"]
    assert task["containers"][0]["runtimeId"]
    assert task["availabilityZone"]
    assert pod["spec"]["resources"]["limits"] == {"cpu": "250m", "memory": "512Mi"}


def test_an_essential_container_that_ends_takes_the_others_along(scene: Scene) -> None:
    definition = scene.register("pair", exits(3), lively("side", essential=False))
    task = scene.until(scene.run(definition), "STOPPED")
    assert {it["name"]: it["exitCode"] for it in task["containers"]} == {"job": 3, "side": 0}


def test_a_container_that_is_not_essential_ends_alone(scene: Scene) -> None:
    definition = scene.register("pair", exits(3, essential=False), lively())
    arn = scene.run(definition)
    scene.until(arn, "RUNNING")
    job = lambda: {it["name"]: it for it in scene.task(arn)["containers"]}["job"]  # noqa: E731
    assert until(job, lambda it: it["lastStatus"] == "STOPPED")["exitCode"] == 3
    assert scene.task(arn)["lastStatus"] == "RUNNING"


def test_a_stopped_task_heeds_sigterm(scene: Scene) -> None:
    arn = scene.run(scene.register("web", lively()))
    scene.until(arn, "RUNNING")
    scene.ecs.stop_task(cluster="main", task=arn, reason="enough")
    task = scene.until(arn, "STOPPED")
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
    assert task["containers"][0]["exitCode"] == 0


def test_a_task_that_ignores_sigterm_is_killed_after_its_stop_timeout(scene: Scene) -> None:
    arn = scene.run(scene.register("deaf", {"name": "deaf", "command": DEAF, "stopTimeout": 3}))
    scene.until(arn, "RUNNING")
    began = time.monotonic()
    scene.ecs.stop_task(cluster="main", task=arn)
    task = scene.until(arn, "STOPPED")
    assert 2.5 < time.monotonic() - began < 15
    assert task["containers"][0]["exitCode"] == 137


def test_an_image_that_cannot_be_pulled_fails_the_task(scene: Scene) -> None:
    arn = scene.run(scene.register("none", {"name": "none", "image": "127.0.0.1:1/none:1"}))
    task = scene.until(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: "), task["stoppedReason"]
    assert task["containers"][0]["reason"].startswith("CannotPullContainerError: ")
    assert "exitCode" not in task["containers"][0]


def test_logs_are_the_pods(scene: Scene, kubernetes: Kubernetes) -> None:
    arn = scene.run(scene.register("web", lively()))
    scene.until(arn, "RUNNING")
    (pod,) = scene.pods()
    until(
        lambda: kubernetes.ctl("logs", "-n", pod["metadata"]["namespace"], pod["metadata"]["name"]),
        lambda text: text == "hello from web\n",
    )


def test_a_pod_that_somebody_deletes_ends_the_task(scene: Scene, kubernetes: Kubernetes) -> None:
    arn = scene.run(scene.register("web", lively()))
    scene.until(arn, "RUNNING")
    (pod,) = scene.pods()
    kubernetes.ctl("delete", "pod", "--wait=false", "-n", pod["metadata"]["namespace"], pod["metadata"]["name"])
    task = scene.until(arn, "STOPPED")
    assert task["stopCode"] == "InfrastructureHealth"
    assert task["containers"][0]["exitCode"] == 0


def test_a_namespace_that_is_not_ours_is_refused_and_left_alone(scene: Scene, kubernetes: Kubernetes) -> None:
    (namespace,) = until(scene.namespaces, bool)
    name = namespace["metadata"]["name"]
    scene.ecs.delete_cluster(cluster="main")
    until(scene.namespaces, lambda it: not it, within=60, what="the namespace is gone")
    kubernetes.ctl("create", "namespace", name)
    try:
        with pytest.raises(scene.ecs.exceptions.ServerException):
            scene.ecs.create_cluster(clusterName="main")
        task = scene.until(scene.run(scene.register("web", lively())), "STOPPED")
        assert task["stopCode"] == "TaskFailedToStart"
        assert name in task["stoppedReason"], "the message names the namespace"
        scene.ecs.delete_cluster(cluster="main")
        assert kubernetes.ctl("get", "namespace", name, "-o", "jsonpath={.status.phase}") == "Active"
        assert kubernetes.get("pods", "-n", name) == []
    finally:
        kubernetes.ctl("delete", "namespace", name)
    scene.ecs.create_cluster(clusterName="main")
