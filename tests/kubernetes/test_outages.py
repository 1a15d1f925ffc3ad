"""kecs is killed, the API server is away: nothing is lost, doubled or left over."""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest
from support.patience import until

from conftest import Installation, Kubernetes, Scene
from containers import exits, lively, steady


def doubled(scene: Scene) -> list[str]:
    counts = Counter(it["metadata"]["labels"]["kecs.dev/task"] for it in scene.pods())
    return [task for task, count in counts.items() if count > 1]


def test_a_killed_kecs_loses_nothing(scene: Scene, kecs: Installation) -> None:
    definition = scene.register("web", lively())
    scene.ecs.create_service(cluster="main", serviceName="web", taskDefinition=definition, desiredCount=2)
    steady(scene, definition, 2)
    before = {it["metadata"]["name"] for it in scene.pods()}
    job = scene.run(scene.register("job", exits(7, after=4)))
    scene.until(job, "RUNNING")
    kecs.server.kill()
    time.sleep(6)  # The task ends while nobody looks.
    kecs.start()
    scene.reconnect()
    task = scene.until(job, "STOPPED")
    assert task["stopCode"] == "EssentialContainerExited"
    assert task["containers"][0]["exitCode"] == 7
    left = until(scene.pods, lambda it: len(it) == 2, what="the Pod of the job is gone")
    assert {it["metadata"]["name"] for it in left} == before, "the service's tasks were left alone"


def test_kecs_killed_again_and_again_under_load_orphans_nothing(scene: Scene, kecs: Installation) -> None:
    chance = random.Random(int(os.environ["KECS_KILL_SEED"]))
    definition = scene.register("web", lively())
    scene.ecs.create_service(cluster="main", serviceName="web", taskDefinition=definition, desiredCount=1)
    codes = [0, 7]
    ends = {code: scene.register(f"ends-{code}", exits(code, stopTimeout=2)) for code in codes}
    runs = scene.register("runs", lively())
    jobs: list[tuple[str, int]] = []
    others: list[str] = []
    for index in range(int(os.environ.get("KECS_KILL_ROUNDS", "20"))):
        code = codes[index % 2]
        jobs.append((scene.run(ends[code]), code))
        others.append(scene.run(runs))
        time.sleep(chance.uniform(0.0, 1.0))
        if len(others) > 1:
            scene.ecs.stop_task(cluster="main", task=others[-2])
        scene.ecs.update_service(cluster="main", service="web", desiredCount=1 + index % 3)
        time.sleep(chance.uniform(0.0, 0.5))
        kecs.server.kill()
        time.sleep(chance.uniform(0.0, 0.7))
        assert not doubled(scene)
        kecs.start()
        scene.reconnect()
    for arn, code in jobs:
        task = scene.until(arn, "STOPPED")
        assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", code), arn
    for arn in others[:-1]:
        assert scene.until(arn, "STOPPED")["stopCode"] == "UserInitiated"
    scene.until(others[-1], "RUNNING")
    scene.ecs.update_service(cluster="main", service="web", desiredCount=2)
    steady(scene, definition, 2)
    left = until(scene.pods, lambda it: len(it) == 3, within=60, what="two of the service, and the last one")
    running = scene.ecs.list_tasks(cluster="main")["taskArns"]
    assert {it["metadata"]["labels"]["kecs.dev/task"] for it in left} == {it.rpartition("/")[2] for it in running}


# One refuses to answer, the other lets everybody wait.
@pytest.mark.parametrize(("how", "seconds"), [("killed", 30), ("frozen", 15)])
def test_kecs_answers_while_the_api_server_is_away_and_then_catches_up(
    whole_cluster: Scene, kubernetes: Kubernetes, how: str, seconds: int
) -> None:
    scene, away = whole_cluster, {"killed": ("kill", "start"), "frozen": ("freeze", "thaw")}[how]
    web = scene.register("web", lively())
    job = scene.register("job", exits(7, after=5))
    scene.ecs.create_service(cluster="main", serviceName="web", taskDefinition=web, desiredCount=2)
    steady(scene, web, 2)
    before = {it["metadata"]["name"] for it in scene.pods()}
    ends = scene.run(job)
    scene.until(ends, "RUNNING")
    kubernetes.part(away[0], "kube-apiserver")
    try:
        end = time.monotonic() + seconds
        began = time.monotonic()
        asked = scene.run(web)
        scene.ecs.update_service(cluster="main", service="web", desiredCount=3)
        assert time.monotonic() - began < 5, "an answer needs no Kubernetes"
        while time.monotonic() < end:
            began = time.monotonic()
            assert scene.task(asked)["lastStatus"] in ("PROVISIONING", "PENDING")
            assert time.monotonic() - began < 2
            time.sleep(1)
    finally:
        kubernetes.part(away[1], "kube-apiserver")
    task = scene.until(ends, "STOPPED", within=60)
    assert task["containers"][0]["exitCode"] == 7, "it ended while nobody could see it"
    scene.until(asked, "RUNNING", within=60)
    steady(scene, web, 3)
    assert before < {it["metadata"]["name"] for it in scene.pods()}, "what ran was left alone"
