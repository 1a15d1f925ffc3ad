"""Services on a real cluster: a web service that rolls, and one that can't."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from typing import Any

from support.patience import until

from conftest import Kubernetes, Scene
from containers import exits, lively, serves, steady


def test_a_service_comes_up_rolls_heals_and_goes(scene: Scene, kubernetes: Kubernetes) -> None:
    first = scene.register("web", lively())
    scene.ecs.create_service(cluster="main", serviceName="web", taskDefinition=first, desiredCount=3)
    steady(scene, first, 3)
    before = {it["metadata"]["name"] for it in scene.pods()}
    assert len(before) == 3

    second = scene.register("web", lively("other"))
    scene.ecs.update_service(cluster="main", service="web", taskDefinition=second)
    steady(scene, second, 3)
    after = until(scene.pods, lambda it: len(it) == 3)
    assert not before & {it["metadata"]["name"] for it in after}

    victim = after[0]["metadata"]
    kubernetes.ctl("delete", "pod", "--wait=false", "-n", victim["namespace"], victim["name"])
    until(
        lambda: {it["metadata"]["name"] for it in scene.pods()},
        lambda names: victim["name"] not in names and len(names) == 3,
        within=90,
        what="the deleted task is replaced",
    )
    steady(scene, second, 3)

    scene.ecs.delete_service(cluster="main", service="web", force=True)
    until(scene.pods, lambda it: not it, within=90, what="no Pod is left")


class Visitor:
    """Asks a web service again and again, and notes what it is told."""

    def __init__(self, url: str) -> None:
        self.url, self.seen, self.failures = url, Counter[str](), list[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)
        self._thread.start()

    def _visit(self) -> None:
        while not self._over.is_set():
            try:
                # A connection of its own for each: every one is balanced anew.
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    self.seen[answer.read().decode().strip()] += 1
            except OSError as error:
                self.failures.append(f"{time.monotonic():.1f}: {error}")
            time.sleep(0.01)

    def end(self) -> None:
        self._over.set()
        self._thread.join(timeout=10)


def expose(kubernetes: Kubernetes, pod: dict[str, Any]) -> str:
    """A Kubernetes Service over the service's Pods, as a user would make it; its URL. It goes with the namespace."""
    namespace = pod["metadata"]["namespace"]
    port = {"port": 80, "targetPort": 8080}
    made = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"selector": {"kecs.dev/service": "web"}, "ports": [port]},
    }
    kubernetes.ctl("apply", "-f", "-", text=json.dumps(made))
    return f"http://{kubernetes.ctl('get', 'service', 'web', '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}')}/"


def test_a_web_service_rolls_to_a_new_version_and_no_request_fails(scene: Scene, kubernetes: Kubernetes) -> None:
    first = scene.register("web", serves("one"))
    scene.ecs.create_service(cluster="main", serviceName="web", taskDefinition=first, desiredCount=2)
    steady(scene, first, 2)
    # Healthy, by the health check, before it counts.
    arns = scene.ecs.list_tasks(cluster="main", serviceName="web")["taskArns"]
    healths = lambda: {scene.task(arn)["healthStatus"] for arn in arns}  # noqa: E731
    until(healths, lambda it: it == {"HEALTHY"}, within=60)
    url = expose(kubernetes, scene.pods()[0])
    until(lambda: answers(url), bool, within=30, what="the Service answers")
    visitor = Visitor(url)
    try:
        second = scene.register("web", serves("two"))
        scene.ecs.update_service(cluster="main", service="web", taskDefinition=second)
        steady(scene, second, 2)
        until(scene.pods, lambda it: len(it) == 2, within=60, what="the old tasks are gone")
        time.sleep(2)
    finally:
        visitor.end()
    assert visitor.failures == []
    assert set(visitor.seen) == {"one", "two"}, "it was asked before and after"
    assert min(visitor.seen.values()) > 20


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (OSError, urllib.error.URLError):
        return False


def test_a_rollout_that_fails_is_rolled_back_by_the_circuit_breaker(scene: Scene) -> None:
    good = scene.register("web", lively())
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    scene.ecs.create_service(
        cluster="main", serviceName="web", taskDefinition=good, desiredCount=2, deploymentConfiguration=breaker
    )
    before = steady(scene, good, 2)
    bad = scene.register("web", {"name": "web", "image": "127.0.0.1:1/none:1"})
    after = scene.ecs.update_service(cluster="main", service="web", taskDefinition=bad)["service"]
    failed = after["deployments"][0]["id"]
    found = steady(scene, good, 2, within=180)
    assert found["deployments"][0]["id"] not in (failed, before["deployments"][0]["id"])
    texts = [it["message"] for it in found["events"]]
    assert f"(service web) (deployment {failed}) deployment failed: tasks failed to start." in texts
    assert any(it.startswith("(service web) rolling back to deployment ") for it in texts), texts
    until(
        lambda: scene.ecs.list_service_deployments(cluster="main", service="web")["serviceDeployments"],
        lambda all_of_them: any(it["status"] == "ROLLBACK_SUCCESSFUL" for it in all_of_them),
        within=60,
    )
    stopped = scene.ecs.list_tasks(cluster="main", serviceName="web", desiredStatus="STOPPED")["taskArns"]
    tasks = [scene.task(arn) for arn in stopped]
    failures = [it["stoppedReason"] for it in tasks if it.get("stopCode") == "TaskFailedToStart"]
    assert len(failures) >= 3, "as many as the breaker allows"
    assert all(it.startswith("CannotPullContainerError: ") for it in failures)


def test_a_service_whose_tasks_end_by_themselves_goes_on_trying(scene: Scene) -> None:
    definition = scene.register("web", exits(1, name="web"))
    scene.ecs.create_service(cluster="main", serviceName="web", taskDefinition=definition, desiredCount=1)
    stopped = lambda: scene.ecs.list_tasks(cluster="main", desiredStatus="STOPPED")["taskArns"]  # noqa: E731
    ended = until(stopped, lambda it: len(it) >= 2, within=90, what="a second one after the first")
    for arn in ended:
        assert scene.until(arn, "STOPPED")["containers"][0]["exitCode"] == 1
