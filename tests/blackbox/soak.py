"""Minutes of mixed load on one server, by hand: `python tests/blackbox/soak.py --minutes 10`, with `KECS_BIN`.

For half of the time clients create, change and delete things; for the other half they only read, and write what leaves
as much behind as there was before. Memory may grow with what is kept, so it is told per thing that is kept: STOPPED
tasks stay describable for an hour, records of deployments for good. In the second half it must stand still. An error
that nobody has provoked ends the run.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from support.server import Server
from support.wire import TARGET, credential

REGION = "eu-central-1"
# The growth that is allowed while nothing is added: an allocator's share, and a journal's pages.
ALLOWED = 0.08


class Refused(Exception):
    """An answer that is no success."""


class Client(threading.Thread):
    """Asks one thing after the other, in an account of its own."""

    def __init__(self, server: Server, number: int, seed: int) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.address = server.address
        self.account = f"{number:012}"
        self.random = random.Random(seed * 1000 + number)
        self.connection = http.client.HTTPConnection(*self.address, timeout=60)
        self.churns = True
        self.ends = False
        self.asked: collections.Counter[str] = collections.Counter()
        self.provoked = 0
        self.kept = 0
        self.failure: str | None = None
        self.tasks: list[str] = []

    def send(self, operation: str, body: str) -> tuple[int, Any]:
        headers = {
            "X-Amz-Target": f"{TARGET}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": credential(self.account, REGION),
        }
        self.connection.request("POST", "/", body.encode(), headers)
        answer = self.connection.getresponse()
        self.asked[operation] += 1
        return answer.status, json.loads(answer.read())

    def ask(self, operation: str, **request: Any) -> Any:
        status, answer = self.send(operation, json.dumps(request))
        if status != 200:
            raise Refused(f"{operation} {request}: {status} {answer}")
        return answer

    def provoke(self) -> None:
        """A request that is wrong: it is refused, and nothing else happens."""
        operation, body = self.random.choice(
            [
                ("RunTask", '{"taskDefinition": "absent"}'),
                ("RunTask", '{"taskDefinition": 7}'),
                ("DescribeTasks", '{"tasks": ["x"]}'),
                ("CreateService", '{"serviceName": "a b", "taskDefinition": "web", "desiredCount": -1}'),
                ("ListTasks", '{"nextToken": "x"}'),
                ("ListTasks", "{"),
                ("UpdateService", '{"service": "absent"}'),
                ("RegisterTaskDefinition", '{"family": "x", "containerDefinitions": []}'),
                ("TagResource", '{"resourceArn": "arn:x", "tags": []}'),
            ]
        )
        status, answer = self.send(operation, body)
        if status != 400 or "__type" not in answer:
            raise Refused(f"{operation} {body}: {status} {answer}")
        self.provoked += 1

    def prepare(self) -> None:
        self.ask("CreateCluster")
        container = {"name": "app", "image": "nginx", "memory": 16}
        self.ask("RegisterTaskDefinition", family="web", containerDefinitions=[container])
        for n in range(3):
            self.ask("CreateService", serviceName=f"s{n}", taskDefinition="web", desiredCount=2)

    def churn(self) -> None:
        """Something that is there afterwards, or that was there before."""
        kind = self.random.randrange(6)
        name = f"s{self.random.randrange(3)}"
        if kind < 3:
            made = self.ask("RunTask", taskDefinition="web", count=2)
            self.tasks += [task["taskArn"] for task in made["tasks"]]
            self.kept += len(made["tasks"])
            while len(self.tasks) > 20:
                self.ask("StopTask", task=self.tasks.pop(self.random.randrange(len(self.tasks))))
        elif kind == 3:
            self.ask("UpdateService", service=name, desiredCount=self.random.randrange(4))
            self.kept += 2
        elif kind == 4:
            self.ask("UpdateService", service=name, forceNewDeployment=True)
            self.kept += 4
        else:
            container = {"name": "app", "image": "nginx", "memory": 16}
            made = self.ask(
                "RegisterTaskDefinition", family=f"f{self.random.randrange(5)}", containerDefinitions=[container]
            )
            self.ask("DeregisterTaskDefinition", taskDefinition=made["taskDefinition"]["taskDefinitionArn"])
            self.kept += 1

    def stand(self) -> None:
        """Something that leaves as much behind as there was."""
        arn = f"arn:aws:ecs:{REGION}:{self.account}:service/default/s1"
        kind = self.random.randrange(10)
        if kind == 0:
            self.ask("TagResource", resourceArn=arn, tags=[{"key": "k", "value": str(self.random.random())}])
        elif kind == 1:
            self.ask("UntagResource", resourceArn=arn, tagKeys=["k"])
        elif kind == 2:
            self.ask("PutAccountSetting", name="containerInsights", value=self.random.choice(["enabled", "disabled"]))
        elif kind == 3:
            self.ask(
                "UpdateClusterSettings",
                cluster="default",
                settings=[{"name": "containerInsights", "value": "enabled"}],
            )
        elif kind == 4:
            self.ask("UpdateService", service="s1", healthCheckGracePeriodSeconds=self.random.randrange(100))
        elif kind == 5:
            self.ask("DescribeServices", services=["s0", "s1", "s2"], include=["TAGS"])
        elif kind == 6:
            listed = self.ask("ListTasks", maxResults=50, desiredStatus=self.random.choice(["RUNNING", "STOPPED"]))
            if listed["taskArns"]:
                self.ask("DescribeTasks", tasks=listed["taskArns"][:50])
        elif kind == 7:
            self.ask("DescribeClusters", include=["STATISTICS", "TAGS", "SETTINGS"])
        elif kind == 8:
            self.ask("ListServiceDeployments", service="s1")
        else:
            self.provoke()

    def run(self) -> None:
        try:
            self.prepare()
            while not self.ends:
                if self.churns and self.random.random() < 0.3:
                    self.churn()
                else:
                    self.stand()
        except Exception as error:
            self.failure = f"{self.name}: {type(error).__name__} {error}"


def resident(server: Server) -> int:
    """The server's resident memory in KiB."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--storage", default="duckdb")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = Server.start(Path(directory) / "data", storage=options.storage)
        clients = [Client(server, number + 1, options.seed) for number in range(options.clients)]
        for client in clients:
            client.start()
        begin, samples = time.monotonic(), []
        half, whole = options.minutes * 30, options.minutes * 60
        while (elapsed := time.monotonic() - begin) < whole and not any(client.failure for client in clients):
            if elapsed >= half:
                for client in clients:
                    client.churns = False
            kept = sum(client.kept for client in clients)
            asked = sum(sum(client.asked.values()) for client in clients)
            samples.append((elapsed, resident(server), kept, asked))
            print(f"{elapsed:6.0f} s {samples[-1][1] / 1024:7.1f} MiB {kept:7} kept {asked:8} asked", flush=True)
            time.sleep(min(15, whole / 20))
        for client in clients:
            client.ends = True
        for client in clients:
            client.join(60)
        log = server.log()
        server.stop()
    failures = [client.failure for client in clients if client.failure]
    failures += [line for line in log.splitlines() if " ERROR " in line or "panicked" in line]
    # Right after the change of halves tasks still stop, and the journal is still compacted.
    still = [sample for sample in samples if sample[0] > half * 1.3]
    growing = [sample for sample in samples if sample[0] <= half]
    per_kept = (growing[-1][1] - growing[0][1]) / max(1, growing[-1][2] - growing[0][2])
    growth = still[-1][1] / still[0][1] - 1
    asked = sum((client.asked for client in clients), collections.Counter())
    provoked = sum(client.provoked for client in clients)
    print(f"seed {options.seed}: {asked.total()} requests, {provoked} of them provoked errors")
    print(f"first half: {per_kept:.1f} KiB for each thing that is kept; second half: memory {growth:+.1%}")
    if growth > ALLOWED:
        failures.append(f"memory grows by {growth:.1%} though nothing is added")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
