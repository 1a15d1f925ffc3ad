"""RunTask: what is answered at once, what DescribeTasks shows, overrides, networks, placement."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.account import Account
from support.shapes import (
    CHECK,
    NETWORK,
    cluster,
    container,
    describe,
    reach,
    register,
    register_fargate,
    run,
)

ARCHITECTURE = [{"name": "ecs.cpu-architecture", "value": "x86_64"}]
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.mark.simulated("there are three simulated instances in three zones")
def test_a_task_on_an_instance_is_answered_with_all_its_defaults(account: Account) -> None:
    name = cluster(account)
    definition = register(account, container(cpu=10), container("side", memory=32))
    (task,) = run(account, name, definition)
    raw = account.raw["tasks"][0]
    assert re.fullmatch(re.escape(account.arn(f"task/{name}/")) + "[0-9a-f]{32}", task["taskArn"])
    expected: dict[str, Any] = {
        "attachments": [],
        "attributes": ARCHITECTURE,
        "clusterArn": account.arn(f"cluster/{name}"),
        "desiredStatus": "RUNNING",
        "enableExecuteCommand": False,
        "group": f"family:{definition.rsplit('/', 1)[1].split(':')[0]}",
        "launchType": "EC2",
        "overrides": {
            "containerOverrides": [{"name": "app"}, {"name": "side"}],
            "inferenceAcceleratorOverrides": [],
        },
        "tags": [],
        "taskDefinitionArn": definition,
        "version": 1,
    }
    for member, value in expected.items():
        assert raw[member] == value, member
    assert raw["lastStatus"] in ("PROVISIONING", "PENDING")
    assert raw["availabilityZone"].startswith(account.region)
    assert re.fullmatch(
        re.escape(account.arn(f"container-instance/{name}/")) + "[0-9a-f]{32}", raw["containerInstanceArn"]
    )
    for absent in ("startedBy", "capacityProviderName", "platformVersion", "startedAt", "stopCode"):
        assert absent not in raw, absent


@pytest.mark.simulated("it names the image that is simulated")
def test_its_containers_are_answered_before_they_exist(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account, container(cpu=10), container("side", memory=32)))
    app, side = task["containers"]
    prefix = re.escape(account.arn(f"container/{name}/{task['taskArn'].rsplit('/', 1)[1]}/"))
    assert re.fullmatch(prefix + UUID, app.pop("containerArn"))
    assert app == {
        "taskArn": task["taskArn"],
        "name": "app",
        "image": "busybox:1.36",
        "lastStatus": "PENDING",
        "networkInterfaces": [],
        "cpu": "10",
        "memory": "64",
    }
    assert (side["cpu"], side["memory"]) == ("0", "32")


@pytest.mark.simulated("Kubernetes tells whole seconds")
def test_a_running_task_shows_what_was_observed(account: Account) -> None:
    name = cluster(account)
    app = container(portMappings=[{"containerPort": 80}], healthCheck=CHECK)
    (task,) = run(account, name, register(account, app, networkMode="bridge"))
    found = reach(account, name, task["taskArn"])
    assert found["connectivity"] == "CONNECTED"
    moments = ["createdAt", "pullStartedAt", "pullStoppedAt", "startedAt"]
    assert [found[moment] for moment in moments] == sorted(found[moment] for moment in moments)
    assert "connectivityAt" in found
    assert found["version"] > 1
    (shown,) = found["containers"]
    assert shown["lastStatus"] == "RUNNING"
    assert re.fullmatch(r"[0-9a-f]{64}", shown["runtimeId"])
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", shown["imageDigest"])
    assert shown["healthStatus"] in ("UNKNOWN", "HEALTHY")
    (binding,) = shown["networkBindings"]
    assert binding.pop("hostPort") > 0
    assert binding == {"bindIP": "0.0.0.0", "containerPort": 80, "protocol": "tcp"}
    assert "exitCode" not in shown


def test_health_is_unknown_where_no_check_is_defined(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account))
    found = reach(account, name, task["taskArn"])
    assert found["healthStatus"] == "UNKNOWN"
    assert found["containers"][0]["healthStatus"] == "UNKNOWN"


def test_a_fargate_task_is_answered_with_its_own_defaults(account: Account) -> None:
    name = cluster(account)
    definition = register_fargate(account)
    (task,) = run(account, name, definition, launchType="FARGATE", networkConfiguration=NETWORK)
    expected: dict[str, Any] = {
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "ephemeralStorage": {"sizeInGiB": 20},
        "fargateEphemeralStorage": {"sizeInGiB": 20},
        "cpu": "256",
        "memory": "512",
        "attributes": ARCHITECTURE,
    }
    for member, value in expected.items():
        assert task[member] == value, member
    assert "containerInstanceArn" not in task
    assert "capacityProviderName" not in task
    assert task["availabilityZone"].startswith(account.region)
    (attachment,) = task["attachments"]
    assert re.fullmatch(UUID, attachment["id"])
    assert (attachment["type"], attachment["status"]) == ("ElasticNetworkInterface", "PRECREATED")
    assert attachment["details"] == [{"name": "subnetId", "value": "subnet-0a1b2c3d"}]


@pytest.mark.simulated("Kubernetes tells no MAC address")
def test_a_running_fargate_task_has_a_network_interface(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK)
    found = reach(account, name, task["taskArn"])
    (attachment,) = found["attachments"]
    assert attachment["status"] == "ATTACHED"
    details = {detail["name"]: detail["value"] for detail in attachment["details"]}
    assert set(details) == {
        "subnetId",
        "networkInterfaceId",
        "macAddress",
        "privateDnsName",
        "privateIPv4Address",
    }
    assert re.fullmatch(r"eni-[0-9a-f]+", details["networkInterfaceId"])
    assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", details["macAddress"])
    (shown,) = found["containers"]
    assert shown["networkInterfaces"] == [
        {"attachmentId": attachment["id"], "privateIpv4Address": details["privateIPv4Address"]}
    ]
    assert re.fullmatch(task["taskArn"].rsplit("/", 1)[1] + r"-\d{10}", shown["runtimeId"])


@pytest.mark.simulated("more tasks than the one real node has CPUs for")
def test_addresses_of_running_tasks_differ(account: Account) -> None:
    name = cluster(account)
    tasks = run(
        account, name, register_fargate(account), launchType="FARGATE", networkConfiguration=NETWORK, count=10
    )
    assert len(tasks) == 10
    addresses = {
        reach(account, name, task["taskArn"])["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]
        for task in tasks
    }
    assert len(addresses) == 10


def test_a_capacity_provider_is_shown_only_where_a_strategy_chose_it(account: Account) -> None:
    name = cluster(account, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    (task,) = run(
        account,
        name,
        register_fargate(account),
        capacityProviderStrategy=strategy,
        networkConfiguration=NETWORK,
    )
    assert (task["capacityProviderName"], task["launchType"]) == ("FARGATE_SPOT", "FARGATE")


def test_the_default_strategy_of_the_cluster_places_what_names_nothing(account: Account) -> None:
    strategy = [
        {"capacityProvider": "FARGATE", "weight": 0, "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 1},
    ]
    name = cluster(account, capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=strategy)
    tasks = run(account, name, register_fargate(account), networkConfiguration=NETWORK, count=3)
    assert sorted(task["capacityProviderName"] for task in tasks) == [
        "FARGATE",
        "FARGATE_SPOT",
        "FARGATE_SPOT",
    ]


OVERRIDES: dict[str, Any] = {
    "containerOverrides": [
        {
            "name": "app",
            "command": ["echo", "hello"],
            "environment": [{"name": "A", "value": "1"}],
            "cpu": 128,
            "memory": 96,
        }
    ],
    "taskRoleArn": "arn:aws:iam::123456789012:role/other",
    "cpu": "512",
    "memory": "1024",
}


def test_overrides_read_back_with_all_containers(account: Account) -> None:
    name = cluster(account)
    definition = register(account, container(), container("side"))
    (task,) = run(account, name, definition, overrides=OVERRIDES)
    for shown in (task, describe(account, name, task["taskArn"])):
        overrides = shown["overrides"]
        assert sorted(overrides["containerOverrides"], key=lambda one: one["name"]) == [
            *OVERRIDES["containerOverrides"],
            {"name": "side"},
        ]
        assert overrides["taskRoleArn"] == OVERRIDES["taskRoleArn"]
        assert (shown["cpu"], shown["memory"]) == ("512", "1024")


def test_group_and_started_by_are_kept(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account), group="batch", startedBy="me", enableExecuteCommand=True)
    assert (task["group"], task["startedBy"]) == ("batch", "me")
    assert task["enableExecuteCommand"] is True


def test_ten_tasks_are_the_most_of_a_call_and_one_the_default(account: Account) -> None:
    name, definition = cluster(account), register(account)
    assert len(run(account, name, definition)) == 1
    tasks = run(account, name, definition, count=10)
    assert len({task["taskArn"] for task in tasks}) == 10


@pytest.mark.simulated("there are three simulated instances in three zones")
def test_distinct_instances_hold_one_task_each_and_the_rest_fails(account: Account) -> None:
    name, definition = cluster(account), register(account)
    answer = account.ecs.run_task(
        cluster=name,
        taskDefinition=definition,
        count=4,
        placementConstraints=[{"type": "distinctInstance"}],
    )
    assert len({task["containerInstanceArn"] for task in answer["tasks"]}) == 3
    assert answer["failures"]
    assert {failure["arn"].split(":")[5].split("/")[0] for failure in answer["failures"]} == {"container-instance"}


@pytest.mark.simulated("there are three simulated instances in three zones")
def test_spread_goes_over_the_zones(account: Account) -> None:
    name, definition = cluster(account), register(account)
    tasks = run(
        account,
        name,
        definition,
        count=6,
        placementStrategy=[{"type": "spread", "field": "attribute:ecs.availability-zone"}],
    )
    zones = sorted(task["availabilityZone"] for task in tasks)
    assert zones == sorted([f"{account.region}{zone}" for zone in "abc"] * 2)


@pytest.mark.simulated("there are three simulated instances in three zones")
def test_a_member_of_constraint_picks_the_zone(account: Account) -> None:
    name, definition = cluster(account), register(account)
    zone = f"{account.region}b"
    tasks = run(
        account,
        name,
        definition,
        count=3,
        placementConstraints=[{"type": "memberOf", "expression": f"attribute:ecs.availability-zone == {zone}"}],
    )
    assert {task["availabilityZone"] for task in tasks} == {zone}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"overrides": {"cpu": "100000000"}}, "RESOURCE:CPU"),
        ({"overrides": {"memory": "1000000000"}}, "RESOURCE:MEMORY"),
        (
            {"placementConstraints": [{"type": "memberOf", "expression": "attribute:colour == blue"}]},
            "MemberOf placement constraint unsatisfied.",
        ),
    ],
    ids=["cpu", "memory", "memberOf"],
)
def test_what_fits_nowhere_comes_back_as_failures(account: Account, members: dict[str, Any], reason: str) -> None:
    name, definition = cluster(account), register(account)
    answer = account.ecs.run_task(cluster=name, taskDefinition=definition, **members)
    assert answer["tasks"] == []
    assert {failure["reason"] for failure in answer["failures"]} == {reason}
    assert account.all("list_tasks", "taskArns", cluster=name) == []


@pytest.mark.simulated("there are three simulated instances in three zones")
def test_the_same_host_port_is_used_once_per_instance(account: Account) -> None:
    name = cluster(account)
    app = container(portMappings=[{"containerPort": 80, "hostPort": 18080}])
    answer = account.ecs.run_task(cluster=name, taskDefinition=register(account, app), count=4)
    assert len({task["containerInstanceArn"] for task in answer["tasks"]}) == 3
    assert {failure["reason"] for failure in answer["failures"]} == {"RESOURCE:PORTS"}


def test_a_task_is_described_by_id_arn_and_without_doubles(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account))
    arn = task["taskArn"]
    answer = account.ecs.describe_tasks(cluster=account.arn(f"cluster/{name}"), tasks=[arn, arn[-32:], arn])
    assert [found["taskArn"] for found in answer["tasks"]] == [arn]


def test_a_task_that_is_not_there_is_a_failure(account: Account) -> None:
    name = cluster(account)
    (task,) = run(account, name, register(account))
    absent = "0" * 32
    answer = account.ecs.describe_tasks(cluster=name, tasks=[task["taskArn"], absent])
    assert len(answer["tasks"]) == 1
    assert answer["failures"] == [{"arn": account.arn(f"task/{name}/{absent}"), "reason": "MISSING"}]
