"""The fixtures: a real cluster, a `kecs serve` on it with kecs's own rights, an ECS cluster for each test."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "blackbox"))

from support.account import Account  # noqa: E402
from support.patience import until  # noqa: E402
from support.server import Server  # noqa: E402

PROGRAM = [sys.executable, str(HERE / "cluster.py")]
USE = Path(os.environ.get("KECS_TEST_CLUSTER_DIR", "/var/tmp/kecs-test-cluster") + ".use")


def pytest_configure() -> None:
    """One seed for all workers, which inherit it."""
    os.environ.setdefault("KECS_KILL_SEED", str(random.SystemRandom().randrange(2**32)))


def pytest_report_header() -> str:
    """Tells the seed, so that a run can be played again."""
    return f"kecs: KECS_KILL_SEED={os.environ['KECS_KILL_SEED']}"


class Kubernetes:
    """The cluster, as its administrator sees it."""

    def __init__(self, admin: str, kecs: str, program: list[str], *, ours: bool) -> None:
        self.admin, self.kecs, self.program, self.ours = admin, kecs, program, ours

    def ctl(self, *arguments: str, check: bool = True, text: str | None = None) -> str:
        """kubectl; its standard output."""
        command = [*self.program, "--kubeconfig", self.admin, "--request-timeout=20s", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, input=text, timeout=60)
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def get(self, *arguments: str) -> list[dict[str, Any]]:
        """The objects that `kubectl get` finds."""
        return json.loads(self.ctl("get", *arguments, "-o", "json"))["items"]

    def part(self, what: str, name: str) -> None:
        """Stops, kills, freezes, thaws or starts a part of the cluster. Only with `whole_cluster`."""
        subprocess.run([*PROGRAM, what, name], check=True, timeout=60)


@pytest.fixture(scope="session")
def kubernetes() -> Iterator[Kubernetes]:
    """`$KECS_TEST_KUBECONFIG`, or the test cluster: brought up, and taken down when nobody uses it any more."""
    given = os.environ.get("KECS_TEST_KUBECONFIG")
    if given:
        kecs = os.environ.get("KECS_TEST_KUBECONFIG_KECS", given)
        yield Kubernetes(given, kecs, ["kubectl"], ours=False)
        return
    holder = ["--for", str(os.getpid())]
    with in_use(whole=False):
        up = subprocess.run([*PROGRAM, "up", *holder], stdout=subprocess.PIPE, text=True)
    if up.returncode == 3:
        pytest.skip("this machine can't run the test cluster (see above): NOTHING of the Kubernetes suite ran")
    assert up.returncode == 0, "the test cluster did not come up"
    admin = Path(up.stdout.strip())
    kubectl = str(admin.parents[1] / "bin" / "kubectl")
    yield Kubernetes(str(admin), str(admin.with_name("kecs")), [kubectl], ours=True)
    subprocess.run([*PROGRAM, "down", *holder], check=True)


@contextlib.contextmanager
def in_use(*, whole: bool) -> Iterator[None]:
    """The cluster together with others, or for oneself: other workers, and other test runs, wait meanwhile."""
    with USE.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if whole else fcntl.LOCK_SH)
        yield


class Installation:
    """A kecs of its own on the cluster."""

    def __init__(self, kubernetes: Kubernetes, data: Path) -> None:
        self.kubernetes, self.data, self.name = kubernetes, data, f"test-{uuid.uuid4().hex[:8]}"
        self.start()

    def start(self) -> None:
        """Starts it, or starts it again on the same data."""
        flags = ["--orchestrator", "kubernetes", "--kubeconfig", self.kubernetes.kecs, "--installation", self.name]
        self.server = Server.start(self.data, *flags)

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """What this installation has in Kubernetes."""
        everywhere = [] if kind == "namespaces" else ["-A"]
        return self.kubernetes.get(kind, *everywhere, "-l", f"kecs.dev/installation={self.name}")


@pytest.fixture(scope="module")
def kecs(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A kecs on the cluster for the tests of a module, which leaves nothing there."""
    with in_use(whole=False):
        installation = Installation(kubernetes, tmp_path_factory.mktemp("kecs") / "data")
    yield installation
    # Kubernetes takes some seconds for each: that is waited for once, and not after each test.
    left = lambda: installation.objects("namespaces") + installation.objects("pods")  # noqa: E731
    with in_use(whole=False):
        until(left, lambda it: not it, within=90, what="nothing is left in Kubernetes")
    assert installation.server.stop() == 0, installation.server.log()


class Scene:
    """An ECS cluster with what every test does."""

    def __init__(self, kecs: Installation) -> None:
        self.kecs, self.account = kecs, Account(kecs.server.api)
        self.ecs.create_cluster(clusterName="main")

    @property
    def ecs(self) -> Any:
        """boto3's client."""
        return self.account.ecs

    def reconnect(self) -> None:
        """After a new start, which listens elsewhere."""
        self.account = Account(self.kecs.server.api, self.account.account, self.account.region)

    def register(self, family: str, *containers: dict[str, Any], fargate: bool = False, **more: Any) -> str:
        """Registers a task definition of busybox containers; its ARN."""
        if fargate:
            more |= {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
        filled = [{"image": "kecs.dev/test/busybox:1", "memory": 64, **it} for it in containers]
        answer = self.ecs.register_task_definition(family=family, containerDefinitions=filled, **more)
        return answer["taskDefinition"]["taskDefinitionArn"]

    def run(self, definition: str, *, fargate: bool = False, **more: Any) -> str:
        """Runs a task; its ARN."""
        if fargate:
            vpc = {"subnets": ["subnet-12345678"]}
            more |= {"launchType": "FARGATE", "networkConfiguration": {"awsvpcConfiguration": vpc}}
        answer = self.ecs.run_task(cluster="main", taskDefinition=definition, **more)
        assert not answer["failures"], answer["failures"]
        return answer["tasks"][0]["taskArn"]

    def task(self, arn: str) -> dict[str, Any]:
        """The task as it is."""
        return self.ecs.describe_tasks(cluster="main", tasks=[arn])["tasks"][0]

    def until(self, arn: str, status: str, within: float = 90.0) -> dict[str, Any]:
        """Waits until the task has this lastStatus."""
        return until(lambda: self.task(arn), lambda it: it["lastStatus"] == status, within=within, what=status)

    def pods(self) -> list[dict[str, Any]]:
        """The Pods of this account."""
        everything = self.kecs.objects("pods")
        return [it for it in everything if it["metadata"]["labels"]["kecs.dev/account"] == self.account.account]

    def namespaces(self) -> list[dict[str, Any]]:
        """The namespaces of this account."""
        everything = self.kecs.objects("namespaces")
        return [it for it in everything if it["metadata"]["labels"]["kecs.dev/account"] == self.account.account]

    def clear(self) -> None:
        """Ends everything; nothing may be left in Kubernetes."""
        services = self.ecs.list_services(cluster="main")["serviceArns"]
        for service in services:
            self.ecs.delete_service(cluster="main", service=service, force=True)
        for arn in self.ecs.list_tasks(cluster="main")["taskArns"]:
            self.ecs.stop_task(cluster="main", task=arn)
        until(lambda: self.ecs.list_tasks(cluster="main", desiredStatus="RUNNING")["taskArns"], lambda it: not it)
        until(self.pods, lambda it: not it, within=60, what="every Pod of a stopped task is gone")
        self.ecs.delete_cluster(cluster="main")


@pytest.fixture
def scene(kecs: Installation) -> Iterator[Scene]:
    """An ECS cluster in an account of its own, emptied and deleted afterwards."""
    with in_use(whole=False):
        made = Scene(kecs)
        yield made
        made.clear()


@pytest.fixture
def whole_cluster(kubernetes: Kubernetes, kecs: Installation) -> Iterator[Scene]:
    """Like `scene`, and nobody else uses Kubernetes meanwhile: its parts may be stopped, its nodes changed."""
    if not kubernetes.ours:
        pytest.skip("the cluster is not ours to break")
    with in_use(whole=True):
        made = Scene(kecs)
        yield made
        made.clear()
