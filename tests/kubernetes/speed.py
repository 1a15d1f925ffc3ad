#!/usr/bin/env python3
"""How fast kecs is on the test cluster, beside a bare client of Kubernetes.

    KECS_BIN=.../kecs python tests/kubernetes/speed.py [--tasks 5000] [--json FILE]

- creation: Pods made by RunTask, against the same number made by a client that does nothing else, with as many requests
  at a time;
- start: from the call to Running, against a bare Pod of the same spec, one after the other;
- scale: so many tasks on nodes of kwok, and which requests to the API server that took, by its own metrics.

An optimised kecs should be measured. The cluster is brought up for this if it isn't, and nobody else should use it.
"""

from __future__ import annotations

import argparse
import copy
import http.client
import json
import os
import queue
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))

from support.account import Account  # noqa: E402
from support.patience import until  # noqa: E402
from support.server import Server  # noqa: E402

import kwok  # noqa: E402

CLUSTER = [sys.executable, str(HERE / "cluster.py")]
AT_A_TIME = 16
LABEL = "kecs.dev/speed"


class Api:
    """A bare client: one connection, prepared bodies."""

    def __init__(self, kubeconfig: str) -> None:
        config = json.loads(Path(kubeconfig).read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.host = cluster["server"].removeprefix("https://")
        self.headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"}
        self.context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self.connection = self.connect()

    def connect(self, timeout: float = 120) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.host, context=self.context, timeout=timeout)

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        self.connection.request(method, path, body=body, headers=self.headers)
        answer = self.connection.getresponse()
        data = answer.read()
        assert answer.status < 300 or (method == "DELETE" and answer.status == 404), data[:500]
        return data

    def requests(self) -> Counter[str]:
        """What was asked of Pods so far, by verb and subresource, over all clients."""
        found: Counter[str] = Counter()
        for line in self.call("GET", "/metrics").decode().splitlines():
            if line.startswith("apiserver_request_total{") and 'resource="pods"' in line:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
                found[f"{labels['verb']} {labels['subresource']}".strip()] += int(float(line.rsplit(" ", 1)[1]))
        return found


class Added:
    """Counts Pods as they come into being, by a watch."""

    def __init__(self, kubeconfig: str, selector: str) -> None:
        self.api, self.count, self.last = Api(kubeconfig), 0, 0.0
        path = f"/api/v1/pods?watch=1&labelSelector={selector}"
        self.api.connection.request("GET", path, headers=self.api.headers)
        self.answer = self.api.connection.getresponse()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while line := self.answer.readline():
            if line.startswith(b'{"type":"ADDED"'):
                self.count, self.last = self.count + 1, time.monotonic()


def in_parallel(jobs: list[Any], work: Callable[[Any, Any], None], each: Callable[[], Any]) -> float:
    """Does the jobs, so many at a time; every worker has something of its own. Returns when the first one began: what the
    workers need for it, a client of boto3 above all, takes longer to make than some requests."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def worker(own: Any) -> None:
        while True:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            work(own, job)

    threads = [threading.Thread(target=worker, args=[each()]) for _ in range(AT_A_TIME)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return began


class Measure:
    """The cluster, a kecs on it, and an account."""

    def __init__(self, admin: str, scratch: Path) -> None:
        self.admin, self.api, self.installation = admin, Api(admin), f"speed-{uuid.uuid4().hex[:8]}"
        flags = ["--orchestrator", "kubernetes", "--kubeconfig", str(Path(admin).with_name("kecs"))]
        self.server = Server.start(scratch / "data", *flags, "--installation", self.installation)
        self.account = Account(self.server.api)
        self.ecs = self.account.ecs
        self.ecs.create_cluster(clusterName="main")
        self.figures: dict[str, Any] = {}

    def register(self, family: str) -> str:
        sleeps = {"name": "web", "image": "kecs.dev/test/busybox:1", "memory": 4,
                  "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"], "stopTimeout": 2}
        made = self.ecs.register_task_definition(family=family, containerDefinitions=[sleeps])
        return made["taskDefinition"]["taskDefinitionArn"]

    def pods(self) -> list[dict[str, Any]]:
        path = f"/api/v1/pods?labelSelector=kecs.dev/installation={self.installation}"
        return json.loads(self.api.call("GET", path))["items"]

    def run(self, definition: str, count: int, **more: Any) -> float:
        """RunTask for so many tasks. Returns when it began."""
        def call(account: Account, some: int) -> None:
            answer = account.ecs.run_task(cluster="main", taskDefinition=definition, count=some, **more)
            assert not answer["failures"], answer["failures"][:1]

        return in_parallel([10] * (count // 10), call, lambda: Account(self.server.api, self.account.account, self.account.region))

    def like(self, pod: dict[str, Any]) -> dict[str, Any]:
        """A bare Pod with the spec that kecs gave one of its own."""
        spec = copy.deepcopy(pod["spec"])
        # What the API server has added by itself.
        for name in ["nodeName", "serviceAccount", "serviceAccountName", "tolerations", "priority", "preemptionPolicy"]:
            spec.pop(name, None)
        spec["volumes"] = [it for it in spec.get("volumes", []) if not it["name"].startswith("kube-api-access")]
        for container in spec["containers"]:
            mounts = container.get("volumeMounts", [])
            container["volumeMounts"] = [it for it in mounts if not it["name"].startswith("kube-api-access")]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {LABEL: "bare"}}, "spec": spec}

    def stop_all(self) -> None:
        arns = self.account.all("list_tasks", "taskArns", cluster="main", desiredStatus="RUNNING")
        stop = lambda account, arn: account.ecs.stop_task(cluster="main", task=arn)  # noqa: E731
        in_parallel(arns, stop, lambda: Account(self.server.api, self.account.account, self.account.region))
        until(self.pods, lambda it: not it, within=900, what="no Pod is left")

    def start(self, samples: int) -> None:
        """From the call to Running, and the same for a bare Pod; by turns, so that both meet the same machine."""
        definition = self.register("start")
        ours, bare = [], []
        for index in range(samples):
            began = time.monotonic()
            arn = self.ecs.run_task(cluster="main", taskDefinition=definition)["tasks"][0]["taskArn"]
            status = lambda arn=arn: self.ecs.describe_tasks(cluster="main", tasks=[arn])["tasks"][0]["lastStatus"]  # noqa: E731
            until(status, lambda it: it == "RUNNING", within=60)
            ours.append(time.monotonic() - began)
            (pod,) = self.pods()
            body = self.like(pod)
            self.stop_all()
            body["metadata"]["name"] = f"bare-{index}"
            path = "/api/v1/namespaces/default/pods"
            began = time.monotonic()
            self.api.call("POST", path, json.dumps(body).encode())
            phase = lambda index=index: json.loads(self.api.call("GET", f"{path}/bare-{index}"))["status"].get("phase")  # noqa: E731
            until(phase, lambda it: it == "Running", within=60)
            bare.append(time.monotonic() - began)
            self.api.call("DELETE", f"{path}/bare-{index}?gracePeriodSeconds=0")
        p50 = statistics.median
        self.figures |= {"start_p50_ms": round(p50(ours) * 1e3), "start_bare_p50_ms": round(p50(bare) * 1e3),
                         "start_difference_ms": round((p50(ours) - p50(bare)) * 1e3)}

    def creation(self, count: int, only_fake: list[dict[str, str]]) -> None:
        """Pods a second: RunTask's, and a bare client's."""
        definition = self.register("creation")
        added = Added(self.admin, f"kecs.dev/installation={self.installation}")
        began = self.run(definition, count, placementConstraints=only_fake)
        until(lambda: added.count, lambda it: it >= count, within=300)
        ours = count / (added.last - began)
        body = self.like(self.pods()[0])
        self.stop_all()
        added = Added(self.admin, f"{LABEL}=bare")
        path = "/api/v1/namespaces/default/pods"

        def create(api: Api, index: int) -> None:
            body_of = {**body, "metadata": {**body["metadata"], "name": f"bare-{index}"}}
            api.call("POST", path, json.dumps(body_of).encode())

        began = in_parallel(list(range(count)), create, lambda: Api(self.admin))
        until(lambda: added.count, lambda it: it >= count, within=300)
        bare = count / (added.last - began)
        self.api.call("DELETE", f"{path}?labelSelector={LABEL}=bare")
        until(lambda: json.loads(self.api.call("GET", f"{path}?labelSelector={LABEL}=bare"))["items"], lambda it: not it, within=300)
        self.figures |= {"creation_per_s": round(ours, 1), "creation_bare_per_s": round(bare, 1), "creation_ratio": round(ours / bare, 2)}

    def scale(self, count: int, only_fake: list[dict[str, str]]) -> None:
        """So many tasks, and the requests that they took."""
        definition = self.register("scale")
        before = self.api.requests()
        began = self.run(definition, count, placementConstraints=only_fake)
        running = lambda: self.ecs.describe_clusters(clusters=["main"])["clusters"][0]["runningTasksCount"]  # noqa: E731
        until(running, lambda it: it == count, within=1200)
        took, during = time.monotonic() - began, self.api.requests() - before
        before = self.api.requests()
        time.sleep(30)
        idle = self.api.requests() - before
        memory = int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.server.process.pid}/status").read_text())[1]) >> 10
        self.figures |= {"scale_tasks": count, "scale_running_s": round(took, 1), "scale_requests": dict(during),
                         "scale_idle_requests_30s": dict(idle), "scale_rss_mib": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=5000, help="how many tasks the scale is measured with; 0 for none")
    parser.add_argument("--creations", type=int, default=500)
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    arguments = parser.parse_args()
    holder = ["--for", str(os.getpid())]
    admin = subprocess.run([*CLUSTER, "up", *holder], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    names = [f"speed-{index}" for index in range(max(arguments.tasks, arguments.creations) // 100 + 1)]
    api = Api(admin)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            measure = Measure(admin, Path(scratch))
            try:
                if arguments.starts:
                    measure.start(arguments.starts)
                    print(json.dumps(measure.figures), flush=True)
                for name in names:
                    api.call("POST", "/api/v1/nodes", json.dumps(kwok.node(name, pods="1000")).encode())
                fake = [{"type": "memberOf", "expression": f"attribute:{kwok.LABEL} == {kwok.VALUE}"}]
                count = lambda: measure.ecs.describe_clusters(clusters=["main"])["clusters"][0]["registeredContainerInstancesCount"]  # noqa: E731
                until(count, lambda it: it == len(names) + 1, within=60)
                time.sleep(5)
                if arguments.creations:
                    measure.creation(arguments.creations, fake)
                    print(json.dumps(measure.figures), flush=True)
                if arguments.tasks:
                    measure.scale(arguments.tasks, fake)
                    print(json.dumps(measure.figures), flush=True)
            finally:
                measure.stop_all()
                measure.server.stop()
    finally:
        for name in names:
            api.call("DELETE", f"/api/v1/nodes/{name}")
        subprocess.run([*CLUSTER, "down", *holder], check=True)
    for name, value in measure.figures.items():
        print(f"{name:28} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(measure.figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
