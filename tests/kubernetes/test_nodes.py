"""Nodes as container instances: the real one, and some that kwok plays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.patience import until

import kwok
from conftest import Installation, Kubernetes, Scene, in_use
from containers import exits, lively, service


class Nodes(Scene):
    """A scene that may add nodes."""

    def __init__(self, kecs: Installation) -> None:
        super().__init__(kecs)
        self.kubernetes, self.added = kecs.kubernetes, list[str]()

    def add(self, *names: str, **more: Any) -> None:
        """Adds nodes, and waits until each is an instance that takes tasks."""
        items = [kwok.node(name, **more) for name in names]
        self.added += names
        self.kubernetes.ctl("create", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        for name in names:
            until(lambda name=name: self.instance(name), lambda it: it and it["agentConnected"], within=30, what=name)

    def remove(self, *names: str) -> None:
        """Takes nodes away, as an autoscaler does."""
        self.kubernetes.ctl("delete", "node", "--wait=false", *names)
        self.added = [it for it in self.added if it not in names]

    def instances(self) -> dict[str, dict[str, Any]]:
        """The container instances by the names of their nodes."""
        arns = self.ecs.list_container_instances(cluster="main")["containerInstanceArns"]
        answer = self.ecs.describe_container_instances(cluster="main", containerInstances=arns)
        return {it["ec2InstanceId"]: it for it in answer["containerInstances"]}

    def instance(self, name: str) -> dict[str, Any] | None:
        return self.instances().get(name)

    def arn(self, name: str) -> str:
        return self.instances()[name]["containerInstanceArn"]

    def node(self, name: str) -> dict[str, Any]:
        return json.loads(self.kubernetes.ctl("get", "node", name, "-o", "json"))

    def where(self, **query: Any) -> Counter[str]:
        """How many tasks that should run are on each node."""
        arns = self.ecs.list_tasks(cluster="main", desiredStatus="RUNNING", **query)["taskArns"]
        names = {it["containerInstanceArn"]: name for name, it in self.instances().items()}
        tasks = self.ecs.describe_tasks(cluster="main", tasks=arns)["tasks"] if arns else []
        return Counter(names.get(it.get("containerInstanceArn", ""), "none") for it in tasks if it["lastStatus"] == "RUNNING")

    def until_where(self, expected: dict[str, int], within: float = 30, **query: Any) -> None:
        until(lambda: self.where(**query), lambda it: it == expected, within=within, what=f"tasks are {expected}")

    def set_state(self, name: str, status: str) -> dict[str, Any]:
        answer = self.ecs.update_container_instances_state(
            cluster="main", containerInstances=[self.arn(name)], status=status
        )
        assert answer["failures"] == []
        return answer["containerInstances"][0]

    def serve(self, name: str = "web", **more: Any) -> None:
        definition = self.register(name, lively(name))
        self.ecs.create_service(cluster="main", serviceName=name, taskDefinition=definition, **more)


@pytest.fixture
def nodes(kubernetes: Kubernetes, kecs: Installation) -> Iterator[Nodes]:
    """An ECS cluster on nodes that this test may add to; nobody else uses Kubernetes meanwhile."""
    if not kubernetes.ours:
        pytest.skip("the cluster is not ours to change")
    with in_use(whole=True):
        # What an aborted test has left.
        kubernetes.ctl("delete", "node", "--wait=false", "-l", f"{kwok.LABEL}={kwok.VALUE}")
        made = Nodes(kecs)
        try:
            yield made
            made.clear()
        finally:
            if made.added:
                made.remove(*made.added)
            kubernetes.ctl("uncordon", "kecs-test-node")


ONLY_FAKE = [{"type": "memberOf", "expression": "attribute:kecs.dev/test == fake"}]


def resource(instance: dict[str, Any], which: str, name: str) -> int:
    return next(it["integerValue"] for it in instance[f"{which}Resources"] if it["name"] == name)


def test_the_node_is_a_container_instance_with_what_it_has_and_has_left(nodes: Nodes) -> None:
    before = nodes.instance("kecs-test-node")
    assert before
    allocatable = nodes.node("kecs-test-node")["status"]["allocatable"]
    assert resource(before, "registered", "CPU") == int(allocatable["cpu"]) * 1024
    assert resource(before, "registered", "MEMORY") == int(allocatable["memory"].removesuffix("Ki")) >> 10
    assert (before["status"], before["agentConnected"]) == ("ACTIVE", True)
    attributes = {it["name"]: it.get("value") for it in before["attributes"]}
    assert attributes["ecs.availability-zone"] == "test-zone-a"
    assert (attributes["ecs.os-type"], attributes["ecs.cpu-architecture"]) == ("linux", "x86_64")
    assert attributes["kubernetes.io/hostname"] == "kecs-test-node"
    assert before["versionInfo"]["dockerVersion"].startswith("containerd://")
    task = nodes.run(nodes.register("web", lively(cpu=128, portMappings=[{"containerPort": 80, "hostPort": 18080}])))
    shown = nodes.until(task, "RUNNING")
    assert shown["containerInstanceArn"] == before["containerInstanceArn"]
    binding = shown["containers"][0]["networkBindings"][0]
    assert (binding["containerPort"], binding["hostPort"]) == (80, 18080)
    during = nodes.instance("kecs-test-node")
    assert during
    assert resource(during, "remaining", "CPU") == resource(before, "remaining", "CPU") - 128
    assert resource(during, "remaining", "MEMORY") == resource(before, "remaining", "MEMORY") - 64
    assert during["runningTasksCount"] == 1
    ports = next(it["stringSetValue"] for it in during["remainingResources"] if it["name"] == "PORTS")
    assert "18080" in ports


def test_draining_by_the_api_cordons_and_moves_the_services_tasks(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    # A little more than half of the tasks may be missing at a time: so one after the other moves.
    nodes.serve(desiredCount=2, placementConstraints=[*ONLY_FAKE, {"type": "distinctInstance"}])
    nodes.until_where({"fake-1": 1, "fake-2": 1})
    alone = nodes.run(nodes.register("alone", lively("alone")), placementConstraints=[
        {"type": "memberOf", "expression": "attribute:kubernetes.io/hostname == fake-1"}])
    nodes.until(alone, "RUNNING")
    nodes.add("fake-3")
    assert nodes.set_state("fake-1", "DRAINING")["status"] == "DRAINING"
    assert nodes.node("fake-1")["spec"]["unschedulable"] is True
    assert nodes.ecs.list_container_instances(cluster="main", status="DRAINING")["containerInstanceArns"] == [
        nodes.arn("fake-1")]
    nodes.until_where({"fake-2": 1, "fake-3": 1}, serviceName="web")
    assert nodes.task(alone)["lastStatus"] == "RUNNING", "a task of no service stays"
    assert nodes.set_state("fake-1", "ACTIVE")["status"] == "ACTIVE"
    assert "unschedulable" not in nodes.node("fake-1")["spec"]


def test_a_cordon_drains_at_once_and_an_uncordon_ends_it(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    nodes.serve(desiredCount=1, placementConstraints=[
        {"type": "memberOf", "expression": "attribute:kubernetes.io/hostname == fake-1"}])
    nodes.until_where({"fake-1": 1})
    nodes.kubernetes.ctl("cordon", "fake-1")
    until(lambda: nodes.instances()["fake-1"]["status"], lambda it: it == "DRAINING", within=5)
    # There is no other place for it, so it stays, and nothing is started there.
    nodes.set_state("fake-2", "DRAINING")
    nodes.kubernetes.ctl("uncordon", "fake-1", "fake-2")
    until(lambda: {nodes.instances()[it]["status"] for it in ["fake-1", "fake-2"]}, lambda it: it == {"ACTIVE"}, within=5)
    nodes.until_where({"fake-1": 1})


def test_kubectl_drain_moves_the_tasks_to_other_nodes(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    nodes.serve(desiredCount=3, placementConstraints=ONLY_FAKE, placementStrategy=[
        {"type": "spread", "field": "instanceId"}])
    until(lambda: sum(nodes.where().values()), lambda it: it == 3, within=30)
    # Bare Pods are evicted only by force: nobody but kecs would start them again.
    nodes.kubernetes.ctl("drain", "fake-1", "--force", "--ignore-daemonsets", "--timeout=50s")
    nodes.until_where({"fake-2": 3})
    stopped = nodes.ecs.list_tasks(cluster="main", desiredStatus="STOPPED")["taskArns"]
    assert stopped
    for arn in stopped:
        assert nodes.until(arn, "STOPPED")["stopCode"] in ("InfrastructureHealth", "ServiceSchedulerInitiated")


def test_a_lost_nodes_tasks_are_replaced(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    nodes.serve(desiredCount=2, placementConstraints=ONLY_FAKE, placementStrategy=[
        {"type": "spread", "field": "instanceId"}])
    nodes.until_where({"fake-1": 1, "fake-2": 1})
    # kwok forgets it: as with a machine that lost its power, nobody answers any more.
    nodes.kubernetes.ctl("label", "node", "fake-1", f"{kwok.LABEL}=lost", "--overwrite")
    try:
        until(lambda: nodes.instances()["fake-1"]["agentConnected"], lambda it: not it, within=90, what="not connected")
        until(lambda: nodes.where()["fake-2"], lambda it: it == 2, within=90, what="replaced")
    finally:
        nodes.remove("fake-1")
    # With the Node gone Kubernetes gives its Pods up, and their tasks are over.
    until(nodes.pods, lambda it: len(it) == 2, within=90, what="the lost Pod is gone")
    stopped = nodes.ecs.list_tasks(cluster="main", desiredStatus="STOPPED")["taskArns"]
    assert {nodes.until(arn, "STOPPED")["stopCode"] for arn in stopped} == {"InfrastructureHealth"}
    assert nodes.instance("fake-1") is None


def test_start_task_runs_where_it_is_told(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    definition = nodes.register("web", lively())
    answer = nodes.ecs.start_task(
        cluster="main", taskDefinition=definition, containerInstances=[nodes.arn("fake-2"), nodes.arn("kecs-test-node")]
    )
    assert answer["failures"] == []
    nodes.until_where({"fake-2": 1, "kecs-test-node": 1})
    pods = {it["spec"]["nodeName"] for it in nodes.pods()}
    assert pods == {"fake-2", "kecs-test-node"}


def test_constraints_and_strategies_decide_where_tasks_go(nodes: Nodes) -> None:
    nodes.add("a-1", "a-2", zone="zone-a")
    nodes.add("b-1", zone="zone-b", cpu="2", memory="4Gi")
    definition = nodes.register("web", lively(cpu=256))

    def run(count: int, strategy: list[dict[str, str]], *constraints: dict[str, str]) -> Counter[str]:
        answer = nodes.ecs.run_task(
            cluster="main", taskDefinition=definition, count=count, placementStrategy=strategy,
            placementConstraints=[*ONLY_FAKE, *constraints],
        )
        names = {it["containerInstanceArn"]: name for name, it in nodes.instances().items()}
        made = [it["taskArn"] for it in answer["tasks"]]
        for arn in made:
            nodes.until(arn, "RUNNING")
        where = Counter(names[nodes.task(arn)["containerInstanceArn"]] for arn in made)
        assert bool(answer["failures"]) == (len(made) < count)
        for arn in made:
            nodes.ecs.stop_task(cluster="main", task=arn)
        until(nodes.where, lambda it: not it)
        until(nodes.pods, lambda it: not it)
        return where

    by_zone = run(4, [{"type": "spread", "field": "attribute:ecs.availability-zone"}])
    assert by_zone["b-1"] == 2
    assert run(3, [{"type": "spread", "field": "instanceId"}]) == {"a-1": 1, "a-2": 1, "b-1": 1}
    assert run(4, [{"type": "binpack", "field": "memory"}]) == {"b-1": 4}, "the one with the least left"
    assert run(5, [], {"type": "distinctInstance"}) == {"a-1": 1, "a-2": 1, "b-1": 1}
    in_a = {"type": "memberOf", "expression": "attribute:ecs.availability-zone == zone-a"}
    assert set(run(4, [{"type": "random"}], in_a)) <= {"a-1", "a-2"}


def test_a_daemon_service_has_one_task_on_each_node(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    nodes.serve(schedulingStrategy="DAEMON")
    everywhere = {"fake-1": 1, "fake-2": 1, "kecs-test-node": 1}
    nodes.until_where(everywhere)
    nodes.add("fake-3")
    nodes.until_where({**everywhere, "fake-3": 1}, within=15)
    nodes.set_state("fake-2", "DRAINING")
    nodes.until_where({"fake-1": 1, "fake-3": 1, "kecs-test-node": 1}, within=15)
    found = service(nodes)
    assert (found["desiredCount"], found["schedulingStrategy"]) == (3, "DAEMON")


def test_a_reserved_node_is_no_container_instance(nodes: Nodes) -> None:
    nodes.add("fake-1", "fake-2")
    nodes.kubernetes.ctl("taint", "node", "fake-1", "example.com/gpu=yes:NoSchedule")
    until(lambda: nodes.instance("fake-1"), lambda it: it is None, within=10)
    nodes.kubernetes.ctl("taint", "node", "fake-2", "ToBeDeletedByClusterAutoscaler=1:NoSchedule")
    until(lambda: nodes.instances()["fake-2"]["status"], lambda it: it == "DRAINING", within=10)


def test_tasks_of_a_capacity_provider_wait_for_its_nodes(nodes: Nodes) -> None:
    name = f"group-{nodes.account.account}"
    group = f"arn:aws:autoscaling:us-east-1:{nodes.account.account}:autoScalingGroup:6f0a:autoScalingGroupName/{name}"
    nodes.add("other", **{"kecs.dev/capacity-provider": "somebody-elses"})
    nodes.ecs.create_capacity_provider(name=name, autoScalingGroupProvider={
        "autoScalingGroupArn": group, "managedScaling": {"status": "ENABLED"}})
    nodes.ecs.put_cluster_capacity_providers(
        cluster="main", capacityProviders=[name], defaultCapacityProviderStrategy=[{"capacityProvider": name, "weight": 1}])
    nodes.kubernetes.ctl("cordon", "kecs-test-node")
    definition = nodes.register("job", lively())
    waits = nodes.run(definition)
    assert nodes.task(waits)["lastStatus"] == "PROVISIONING"
    assert nodes.pods() == [], "it has no Pod before it has a place"
    nodes.add("mine", **{"kecs.dev/capacity-provider": name})
    task = nodes.until(waits, "RUNNING", within=15)
    assert task["capacityProviderName"] == name
    assert task["containerInstanceArn"] == nodes.arn("mine")


def test_a_job_that_ends_on_the_node_gives_back_what_it_took(nodes: Nodes) -> None:
    before = nodes.instance("kecs-test-node")
    assert before
    nodes.until(nodes.run(nodes.register("job", exits(0, cpu=64))), "STOPPED")
    left = lambda: (nodes.instance("kecs-test-node") or {}).get("remainingResources")  # noqa: E731
    until(left, lambda it: it == before["remainingResources"], within=30)
