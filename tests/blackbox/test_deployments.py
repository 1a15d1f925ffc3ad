"""What is deployed: the chart, the plain manifests and the documentation say the same, and the rights are the ones that the
tests on a real cluster run with.

`UPDATE_DEPLOYMENTS=1 pytest tests/blackbox/test_deployments.py` writes what is generated: the chart's rules and the plain
manifests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.chart import Chart, objects
from support.server import ROOT, binary, environment

CHART = ROOT / "deployments/helm/kecs"
PLAIN = ROOT / "deployments/kubernetes/kecs.yaml"
NAMESPACE = "kecs-system"
HEAD = """\
# kecs on a Kubernetes cluster, with its state in a DuckDB file on a volume. docs/install.md tells how.
# Generated from the Helm chart beside it, with the values that it has by itself.
apiVersion: v1
kind: Namespace
metadata:
  name: kecs-system
"""


def rights() -> list[dict[str, Any]]:
    """The rules that the tests on a real cluster run kecs with."""
    role, _ = yaml.safe_load_all((ROOT / "tests/kubernetes/rbac.yaml").read_text())
    return list(role["rules"])


def granted(rules: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """What the rules allow, however they are grouped."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def rules_text() -> str:
    """The same as text, one rule after the other."""
    return "# Written from tests/kubernetes/rbac.yaml.\n" + yaml.safe_dump(rights(), sort_keys=False)


def plain_text() -> str:
    rendered = Chart(CHART).render("kecs", NAMESPACE)
    order = ["rbac.yaml", "service.yaml", "networkpolicy.yaml", "statefulset.yaml"]
    assert sorted(rendered) == sorted(order), "a template that is in no order"
    return "---\n".join([HEAD, *(rendered[name].strip("\n") + "\n" for name in order)])


def checked(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_DEPLOYMENTS"):
        path.write_text(text)
    assert path.read_text() == text, f"{path} is not what is generated; UPDATE_DEPLOYMENTS=1 writes it"


def by_kind(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kinds = {it["kind"]: it for it in found}
    assert len(kinds) == len(found), "two objects of a kind"
    return kinds


def test_the_rights_are_the_same_everywhere() -> None:
    checked(CHART / "files/rules.yaml", rules_text())
    assert by_kind(objects(Chart(CHART).render("kecs", NAMESPACE)))["ClusterRole"]["rules"] == rights()
    documented = re.search(r"```yaml\nkind: ClusterRole\n(.*?)```", (ROOT / "docs/kubernetes-mapping.md").read_text(), re.DOTALL)
    assert documented
    assert granted(yaml.safe_load(documented[1])["rules"]) == granted(rights())


def test_the_plain_manifests_are_the_chart_with_its_own_values() -> None:
    checked(PLAIN, plain_text())
    kinds = ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Service", "NetworkPolicy", "StatefulSet"]
    assert list(by_kind(objects(PLAIN.read_text()))) == kinds


def test_it_runs_without_any_privilege() -> None:
    pod = by_kind(objects(PLAIN.read_text()))["StatefulSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    everything = PLAIN.read_text()
    assert '"*"' not in everything
    assert "hostPath" not in everything


def test_kecs_knows_every_argument_that_it_is_given() -> None:
    pod = by_kind(objects(PLAIN.read_text()))["StatefulSet"]["spec"]["template"]["spec"]
    command, *flags = pod["containers"][0]["args"]
    done = subprocess.run(
        [str(binary()), command, "--help"], capture_output=True, text=True, env=environment(), check=True, timeout=60
    )
    for flag in flags:
        assert f"{flag.partition('=')[0]} <" in done.stdout, flag


def test_the_values_change_what_they_say_they_do() -> None:
    values = {
        "image": {"repository": "registry.example.com/kecs", "tag": "7"},
        "installation": "blue",
        "extraArgs": ["--log-level", "debug"],
        "database": {"existingSecret": "kecs-database"},
        "networkPolicy": {"from": [{"namespaceSelector": {"matchLabels": {"team": "shop"}}}]},
        "rbac": {"create": False},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "control", "operator": "Exists"}],
    }
    found = by_kind(objects(Chart(CHART).render("one", "other", values)))
    assert "ClusterRole" not in found
    stateful = found["StatefulSet"]["spec"]
    pod = stateful["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "registry.example.com/kecs:7"
    assert container["args"][-2:] == ["--log-level", "debug"]
    assert "--installation=blue" in container["args"]
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "kecs-database", "key": "url"}
    assert "volumeClaimTemplates" not in stateful
    assert {it["name"] for it in pod["volumes"]} == {it["name"] for it in container["volumeMounts"]}
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["tolerations"] == [{"key": "control", "operator": "Exists"}]
    assert found["NetworkPolicy"]["spec"]["ingress"][0]["from"][1:] == values["networkPolicy"]["from"]  # type: ignore[index]
    own = objects(Chart(CHART).render("one", "other", {"persistence": {"storageClass": "fast"}, "networkPolicy": {"enabled": False}}))
    kinds = by_kind(own)
    assert "NetworkPolicy" not in kinds
    assert kinds["StatefulSet"]["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"


def test_helm_itself_agrees(tmp_path: Path) -> None:
    helm = os.environ.get("KECS_TEST_HELM") or shutil.which("helm")
    if not helm:
        pytest.skip("there is no helm here (KECS_TEST_HELM names one); the chart was rendered by the tests' own renderer")
    subprocess.run([helm, "lint", "--strict", str(CHART)], check=True, capture_output=True, timeout=120)
    values: list[dict[str, Any]] = [
        {},
        {"database": {"existingSecret": "x"}, "extraArgs": ["--drain", "5s"], "tolerations": [{"operator": "Exists"}]},
    ]
    for number, one in enumerate(values):
        file = tmp_path / f"{number}.yaml"
        file.write_text(yaml.safe_dump(one))
        command = [helm, "template", "kecs", str(CHART), "--namespace", NAMESPACE, "--values", str(file)]
        text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
        assert by_kind(objects(text)) == by_kind(objects(Chart(CHART).render("kecs", NAMESPACE, one)))
