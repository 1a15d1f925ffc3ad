"""Taking back what kecs has in a cluster, and the demonstration, which takes back what it made."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from support.patience import until
from support.server import binary, environment

from conftest import Installation, Kubernetes, Scene
from test_tasks import lively


def kecs(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of kecs that ends by itself; nobody is there to be asked."""
    command = [str(binary()), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(), stdin=subprocess.DEVNULL, timeout=150
    )


def uninstall(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = ["--kubeconfig", installation.kubernetes.admin, "--installation", installation.name]
    return kecs("uninstall", *where, *arguments)


def left_running(kubernetes: Kubernetes, data: Path) -> tuple[Installation, dict[str, Any]]:
    """An installation that has ended, with a Pod that hasn't."""
    installation = Installation(kubernetes, data)
    scene = Scene(installation)
    scene.until(scene.run(scene.register("left", lively())), "RUNNING")
    (pod,) = installation.objects("pods")
    assert installation.server.stop() == 0
    return installation, pod


def test_pods_are_let_go_of_and_deleted_when_that_is_asked_for(kubernetes: Kubernetes, tmp_path: Path) -> None:
    installation, pod = left_running(kubernetes, tmp_path / "data")
    assert pod["metadata"]["finalizers"] == ["kecs.dev/task"]
    asked = uninstall(installation)
    assert asked.returncode == 1
    assert "say --yes" in asked.stderr
    assert installation.objects("pods")[0]["metadata"]["finalizers"] == ["kecs.dev/task"], "nothing was done"

    done = uninstall(installation, "--yes")
    assert (done.returncode, done.stdout) == (0, "1 Pod let go of. They go on running.\n"), done.stderr
    (pod,) = installation.objects("pods")
    assert "finalizers" not in pod["metadata"]
    assert pod["status"]["phase"] == "Running"

    done = uninstall(installation, "--delete", "--yes")
    assert (done.returncode, done.stdout) == (0, "1 Pod and 1 Namespace deleted.\n"), done.stderr
    until(lambda: installation.objects("namespaces"), lambda it: not it, within=90, what="the Namespace is gone")
    assert "has nothing at the context" in uninstall(installation, "--delete").stdout


def test_a_namespace_with_somebody_elses_objects_is_left(kubernetes: Kubernetes, tmp_path: Path) -> None:
    installation, pod = left_running(kubernetes, tmp_path / "data")
    namespace = pod["metadata"]["namespace"]
    kubernetes.ctl("create", "configmap", "settings", "-n", namespace)
    done = uninstall(installation, "--delete", "--yes")
    assert done.returncode == 1
    assert f"{namespace} (in it: ConfigMap settings)" in done.stderr
    until(lambda: installation.objects("pods"), lambda it: not it, within=90, what="our Pod is gone")
    assert kubernetes.ctl("get", "namespace", namespace, "-o", "jsonpath={.status.phase}") == "Active"
    kubernetes.ctl("delete", "configmap", "settings", "-n", namespace)
    assert uninstall(installation, "--delete", "--yes").returncode == 0
    until(lambda: installation.objects("namespaces"), lambda it: not it, within=90, what="the Namespace is gone")


def test_the_demonstration_cleans_up_behind_itself(kubernetes: Kubernetes) -> None:
    name = "demo-of-the-tests"
    where = ["--orchestrator", "kubernetes", "--kubeconfig", kubernetes.admin, "--installation", name]
    flags = ["--exit", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--image", "kecs.dev/test/pause:1"]
    asked = kecs("demo", *where, *flags)
    assert asked.returncode == 1
    assert "say --yes" in asked.stderr
    done = kecs("demo", *where, *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "updated: 3 tasks run" in done.stdout
    label = ["-A", "-l", f"kecs.dev/installation={name}"]
    until(lambda: kubernetes.get("namespaces,pods", *label), lambda it: not it, within=90, what="nothing is left")
