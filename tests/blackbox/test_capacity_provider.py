"""Capacity providers: made, shown, changed, deleted; their clusters; the tasks and services that use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import until
from support.shapes import (
    NETWORK,
    cluster,
    create_service,
    describe,
    reach,
    register,
    register_fargate,
    run,
    service,
    stable,
    unique,
)

IPE, CE, NO_CLUSTER = "InvalidParameterException", "ClientException", "ClusterNotFoundException"
NOT_THERE = "The specified capacity provider does not exist. Specify a valid name or ARN and try again."
IN_USE = "The specified capacity provider is in use and cannot be removed."
MIX = (
    "A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate"
    " providers. Specify one or the other and try again."
)
SCALING = {
    "status": "ENABLED",
    "targetCapacity": 80,
    "minimumScalingStepSize": 2,
    "maximumScalingStepSize": 50,
    "instanceWarmupPeriod": 0,
}
DEFAULT_SCALING = {
    "status": "DISABLED",
    "targetCapacity": 100,
    "minimumScalingStepSize": 1,
    "maximumScalingStepSize": 10000,
    "instanceWarmupPeriod": 300,
}
TEMPLATE: dict[str, Any] = {
    "ec2InstanceProfileArn": "arn:aws:iam::123456789012:instance-profile/nodes",
    "networkConfiguration": {"subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"]},
    "storageConfiguration": {"storageSizeGiB": 100},
    "localStorageConfiguration": {"useLocalStorage": True},
    "monitoring": "DETAILED",
    "capacityOptionType": "SPOT",
    "instanceMetadataTagsPropagation": False,
    "fipsEnabled": False,
    "nitroEnclavesEnabled": False,
    "capacityReservations": {"reservationPreference": "RESERVATIONS_FIRST"},
    "instanceRequirements": {
        "vCpuCount": {"min": 2, "max": 8},
        "memoryMiB": {"min": 2048, "max": 16384},
        "cpuManufacturers": ["intel", "amd"],
        "memoryGiBPerVCpu": {"min": 1.5, "max": 8.0},
        "excludedInstanceTypes": ["t3.*"],
        "instanceGenerations": ["current"],
        "spotMaxPricePercentageOverLowestPrice": 50,
        "onDemandMaxPricePercentageOverLowestPrice": 20,
        "bareMetal": "excluded",
        "burstablePerformance": "included",
        "requireHibernateSupport": False,
        "networkInterfaceCount": {"min": 1, "max": 4},
        "localStorage": "required",
        "localStorageTypes": ["ssd"],
        "totalLocalStorageGB": {"min": 50.5},
        "baselineEbsBandwidthMbps": {"min": 100},
        "acceleratorTypes": ["gpu"],
        "acceleratorCount": {"min": 0, "max": 2},
        "acceleratorManufacturers": ["nvidia"],
        "acceleratorNames": ["t4"],
        "acceleratorTotalMemoryMiB": {"max": 65536},
        "networkBandwidthGbps": {"min": 0.5, "max": 25.0},
    },
}
MANAGED: dict[str, Any] = {
    "infrastructureRoleArn": "arn:aws:iam::123456789012:role/infra",
    "instanceLaunchTemplate": TEMPLATE,
    "propagateTags": "CAPACITY_PROVIDER",
    "infrastructureOptimization": {"scaleInAfter": -1},
    "autoRepairConfiguration": {"actionsStatus": "ENABLED"},
}


def strategy(*items: tuple[str, int, int]) -> list[dict[str, Any]]:
    return [{"capacityProvider": name, "base": base, "weight": weight} for name, base, weight in items]


def group_arn(account: Account, name: str) -> str:
    return f"arn:aws:autoscaling:{account.region}:{account.account}:autoScalingGroup:6f0a:autoScalingGroupName/{name}"


def provider(account: Account, **members: Any) -> str:
    """Makes a provider of an Auto Scaling group of its own, and returns its name."""
    name = unique("p")
    group = {"autoScalingGroupArn": group_arn(account, name), **members}
    account.ecs.create_capacity_provider(name=name, autoScalingGroupProvider=group)
    return name


def managed(account: Account, cluster_name: str, **members: Any) -> str:
    """Makes a provider of Managed Instances, and returns its name."""
    name = unique("m")
    account.ecs.create_capacity_provider(name=name, cluster=cluster_name, managedInstancesProvider={**MANAGED, **members})
    return name


def shown(account: Account, name: str, **members: Any) -> dict[str, Any]:
    answer = account.ecs.describe_capacity_providers(capacityProviders=[name], **members)
    assert answer["failures"] == []
    (found,) = answer["capacityProviders"]
    return dict(found)


def associate(account: Account, cluster_name: str, *providers: str, default: Any = ()) -> dict[str, Any]:
    answer = account.ecs.put_cluster_capacity_providers(
        cluster=cluster_name, capacityProviders=list(providers), defaultCapacityProviderStrategy=list(default)
    )
    return dict(answer["cluster"])


def test_a_provider_of_a_group_reads_back_with_every_member(account: Account) -> None:
    name = unique("p")
    group = {
        "autoScalingGroupArn": group_arn(account, name),
        "managedScaling": SCALING,
        "managedTerminationProtection": "ENABLED",
        "managedDraining": "DISABLED",
    }
    tags = [{"key": "team", "value": "a"}]
    made = account.ecs.create_capacity_provider(name=name, autoScalingGroupProvider=group, tags=tags)["capacityProvider"]
    assert made == {
        "capacityProviderArn": account.arn(f"capacity-provider/{name}"),
        "name": name,
        "status": "ACTIVE",
        "type": "EC2_AUTOSCALING",
        "autoScalingGroupProvider": group,
        "tags": tags,
    }
    assert shown(account, name, include=["TAGS"]) == made
    assert shown(account, made["capacityProviderArn"]) == {**made, "tags": []}


def test_ecs_fills_in_its_defaults(account: Account) -> None:
    assert shown(account, provider(account))["autoScalingGroupProvider"] | {"autoScalingGroupArn": ""} == {
        "autoScalingGroupArn": "",
        "managedScaling": DEFAULT_SCALING,
        "managedTerminationProtection": "DISABLED",
        "managedDraining": "ENABLED",
    }
    partly = provider(account, managedScaling={"minimumScalingStepSize": 2})
    scaling = shown(account, partly)["autoScalingGroupProvider"]["managedScaling"]
    assert scaling == {**DEFAULT_SCALING, "status": "ENABLED", "minimumScalingStepSize": 2}


def test_managed_instances_read_back_with_every_member(account: Account) -> None:
    name = cluster(account)
    answer = account.ecs.create_capacity_provider(name="mi", cluster=name, managedInstancesProvider=MANAGED)
    made = answer["capacityProvider"]
    assert (made["status"], made["updateStatus"]) == ("PROVISIONING", "CREATE_IN_PROGRESS")
    found = until(lambda: shown(account, "mi"), lambda one: one["status"] == "ACTIVE", what="the provider")
    assert found["managedInstancesProvider"] == MANAGED
    assert (found["cluster"], found["type"], found["updateStatus"]) == (name, "MANAGED_INSTANCES", "CREATE_COMPLETE")
    assert account.ecs.describe_clusters(clusters=[name])["clusters"][0]["capacityProviders"] == ["mi"]


def test_fargates_providers_are_always_there(account: Account) -> None:
    answer = account.ecs.describe_capacity_providers()
    assert [(one["name"], one["type"], one["status"]) for one in answer["capacityProviders"]] == [
        ("FARGATE", "FARGATE", "ACTIVE"),
        ("FARGATE_SPOT", "FARGATE_SPOT", "ACTIVE"),
    ]
    assert shown(account, "FARGATE")["capacityProviderArn"] == account.arn("capacity-provider/FARGATE")


def test_an_update_changes_what_it_names(account: Account) -> None:
    name = provider(account, managedScaling=SCALING)
    answer = account.ecs.update_capacity_provider(
        name=name, autoScalingGroupProvider={"managedScaling": {"targetCapacity": 50}, "managedDraining": "DISABLED"}
    )["capacityProvider"]
    group = answer["autoScalingGroupProvider"]
    assert group["managedScaling"] == {**SCALING, "targetCapacity": 50}
    assert (group["managedDraining"], group["managedTerminationProtection"]) == ("DISABLED", "DISABLED")
    assert answer["updateStatus"] == "UPDATE_COMPLETE"
    assert shown(account, name) == answer


def test_an_update_of_managed_instances_changes_what_it_names(account: Account) -> None:
    name = managed(account, cluster(account))
    account.ecs.update_capacity_provider(
        name=name,
        managedInstancesProvider={
            "infrastructureRoleArn": "arn:aws:iam::123456789012:role/other",
            "instanceLaunchTemplate": {"monitoring": "BASIC", "storageConfiguration": {"storageSizeGiB": 30}},
            "propagateTags": "NONE",
        },
    )
    found = shown(account, name)["managedInstancesProvider"]
    template = {**TEMPLATE, "monitoring": "BASIC", "storageConfiguration": {"storageSizeGiB": 30}}
    role = "arn:aws:iam::123456789012:role/other"
    expected = {**MANAGED, "infrastructureRoleArn": role, "instanceLaunchTemplate": template, "propagateTags": "NONE"}
    assert found == expected


def test_a_deleted_provider_is_inactive_and_its_name_is_free(account: Account) -> None:
    name = provider(account)
    gone = account.ecs.delete_capacity_provider(capacityProvider=name)["capacityProvider"]
    assert (gone["status"], gone["updateStatus"]) == ("ACTIVE", "DELETE_IN_PROGRESS")
    found = shown(account, name)
    assert (found["status"], found["updateStatus"]) == ("INACTIVE", "DELETE_COMPLETE")
    assert name not in [one["name"] for one in account.ecs.describe_capacity_providers()["capacityProviders"]]
    refused(account.ecs.delete_capacity_provider, CE, NOT_THERE, capacityProvider=name)
    again = account.ecs.create_capacity_provider(
        name=name, autoScalingGroupProvider={"autoScalingGroupArn": group_arn(account, name)}
    )["capacityProvider"]
    assert again["status"] == "ACTIVE"
    assert "updateStatus" not in again


def test_providers_come_in_pages(account: Account) -> None:
    made = sorted(provider(account) for _ in range(11))
    pages = list(account.pages("describe_capacity_providers", "capacityProviders", maxResults=5))
    assert [len(page) for page in pages] == [5, 5, 3]
    assert [one["name"] for page in pages for one in page] == ["FARGATE", "FARGATE_SPOT", *made]
    assert len(account.ecs.describe_capacity_providers()["capacityProviders"]) == 10
    named = [made[3], "FARGATE", made[0]]
    found = account.all("describe_capacity_providers", "capacityProviders", capacityProviders=named, maxResults=2)
    assert [one["name"] for one in found] == named


def test_one_that_is_not_there_is_missing(account: Account, new_account: Callable[..., Account]) -> None:
    other = new_account()
    foreign = other.arn(f"capacity-provider/{provider(other)}")
    answer = account.ecs.describe_capacity_providers(capacityProviders=["FARGATE", "nope", foreign])
    assert [one["name"] for one in answer["capacityProviders"]] == ["FARGATE"]
    assert answer["failures"] == [
        {"arn": account.arn("capacity-provider/nope"), "reason": "MISSING"},
        {"arn": foreign, "reason": "MISSING"},
    ]


def test_a_clusters_providers_and_strategy_read_back(account: Account) -> None:
    name, own = cluster(account), provider(account, managedScaling=SCALING)
    answer = associate(account, name, "FARGATE", own, default=[{"capacityProvider": own, "weight": 1}])
    assert answer["capacityProviders"] == ["FARGATE", own]
    assert answer["defaultCapacityProviderStrategy"] == strategy((own, 0, 1))
    (found,) = account.ecs.describe_clusters(clusters=[name], include=["ATTACHMENTS"])["clusters"]
    assert found["attachmentsStatus"] == answer["attachmentsStatus"] == "UPDATE_COMPLETE"
    assert found["attachments"] == answer["attachments"]
    details = {one["type"]: {pair["name"]: pair["value"] for pair in one["details"]} for one in found["attachments"]}
    assert set(details) == {"as_policy", "managed_draining"}
    assert {one["capacityProviderName"] for one in details.values()} == {own}
    assert details["as_policy"]["scalingPolicyName"].startswith("ECSManagedAutoScalingPolicy-")
    (bare,) = account.ecs.describe_clusters(clusters=[name])["clusters"]
    assert "attachments" not in bare
    named = account.ecs.describe_capacity_providers(cluster=name)["capacityProviders"]
    assert [one["name"] for one in named] == sorted(["FARGATE", own])
    assert associate(account, name)["capacityProviders"] == []


def test_a_cluster_is_created_with_providers_of_ones_own(account: Account) -> None:
    own = provider(account)
    name = cluster(account, capacityProviders=[account.arn(f"capacity-provider/{own}")])
    (found,) = account.ecs.describe_clusters(clusters=[name])["clusters"]
    assert found["capacityProviders"] == [own]
    kept = account.ecs.delete_capacity_provider(capacityProvider=own)["capacityProvider"]
    assert (kept["status"], kept["updateStatus"]) == ("ACTIVE", "DELETE_FAILED")
    assert kept["updateStatusReason"] == (
        f"The capacity provider cannot be deleted because it is associated with cluster: {name}. Remove the capacity"
        " provider from the cluster and try again."
    )
    associate(account, name)
    account.ecs.delete_capacity_provider(capacityProvider=own)
    assert shown(account, own)["status"] == "INACTIVE"


def test_tasks_are_shared_out_by_base_and_weight(account: Account) -> None:
    first, second = provider(account), provider(account)
    name = cluster(account, capacityProviders=[first, second])
    tasks = run(
        account,
        name,
        register(account),
        count=8,
        capacityProviderStrategy=strategy((first, 2, 1), (second, 0, 2)),
    )
    assert Counter(task["capacityProviderName"] for task in tasks) == {first: 4, second: 4}
    assert {task["launchType"] for task in tasks} == {"EC2"}
    running = reach(account, name, tasks[0]["taskArn"])
    assert running["capacityProviderName"] == tasks[0]["capacityProviderName"]
    assert running["containerInstanceArn"]


def test_the_default_strategy_is_for_those_who_say_nothing(account: Account) -> None:
    own = provider(account)
    name = cluster(account, capacityProviders=[own], defaultCapacityProviderStrategy=strategy((own, 0, 1)))
    definition = register(account)
    (task,) = run(account, name, definition)
    assert (task["capacityProviderName"], task["launchType"]) == (own, "EC2")
    (task,) = run(account, name, definition, launchType="EC2")
    assert "capacityProviderName" not in task
    made = create_service(account, name, definition, desiredCount=2)
    assert made["capacityProviderStrategy"] == strategy((own, 0, 1))
    assert "launchType" not in made
    assert "platformVersion" not in made
    stable(account, name, made["serviceName"])
    arns = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    assert {describe(account, name, arn)["capacityProviderName"] for arn in arns} == {own}


def test_managed_instances_run_tasks_of_their_launch_type(account: Account) -> None:
    name = cluster(account)
    own = managed(account, name)
    definition = register(account, networkMode="awsvpc", requiresCompatibilities=["MANAGED_INSTANCES"])
    (task,) = run(
        account,
        name,
        definition,
        networkConfiguration=NETWORK,
        capacityProviderStrategy=strategy((own, 0, 1)),
    )
    assert (task["capacityProviderName"], task["launchType"]) == (own, "MANAGED_INSTANCES")
    kept = account.ecs.delete_capacity_provider(capacityProvider=own, cluster=name)["capacityProvider"]
    assert kept["updateStatus"] == "DELETE_FAILED"
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    reach(account, name, task["taskArn"], "STOPPED")
    refused(
        account.ecs.delete_cluster,
        CE,
        "The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.",
        cluster=name,
    )
    account.ecs.delete_capacity_provider(capacityProvider=own, cluster=name)
    assert shown(account, own)["status"] == "INACTIVE"
    account.ecs.delete_cluster(cluster=name)


def test_a_service_moves_from_fargate_to_a_group_and_back(account: Account) -> None:
    own = provider(account)
    name = cluster(account, capacityProviders=[own, "FARGATE"])
    definition = register_fargate(account, requiresCompatibilities=["FARGATE", "EC2"])
    made = create_service(account, name, definition, launchType="FARGATE", networkConfiguration=NETWORK)
    stable(account, name, made["serviceName"])
    members = {"cluster": name, "service": made["serviceName"]}
    account.ecs.update_service(**members, capacityProviderStrategy=strategy((own, 0, 1)), forceNewDeployment=True)
    moved = stable(account, name, made["serviceName"])
    assert moved["capacityProviderStrategy"] == strategy((own, 0, 1))
    assert "launchType" not in moved
    (arn,) = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    task = describe(account, name, arn)
    assert (task["launchType"], task["capacityProviderName"]) == ("EC2", own)
    account.ecs.update_service(**members, capacityProviderStrategy=strategy(("FARGATE", 0, 1)), forceNewDeployment=True)
    moved = stable(account, name, made["serviceName"])
    assert moved["platformVersion"] == "LATEST"
    (arn,) = account.ecs.list_tasks(cluster=name, serviceName=made["serviceName"])["taskArns"]
    assert describe(account, name, arn)["capacityProviderName"] == "FARGATE"


def test_a_provider_that_is_used_stays_with_its_cluster(account: Account) -> None:
    busy, spare = provider(account), provider(account)
    name = cluster(account, capacityProviders=[busy, spare, "FARGATE"])
    (task,) = run(account, name, register(account), capacityProviderStrategy=strategy((busy, 0, 1)))
    put = account.ecs.put_cluster_capacity_providers
    members = {"cluster": name, "defaultCapacityProviderStrategy": []}
    refused(put, "ResourceInUseException", IN_USE, capacityProviders=[spare], **members)
    associate(account, name, busy, spare)
    made = create_service(
        account, name, register(account), desiredCount=0, capacityProviderStrategy=strategy((spare, 0, 1))
    )
    refused(put, "ResourceInUseException", IN_USE, capacityProviders=[busy], **members)
    account.ecs.delete_service(cluster=name, service=made["serviceName"])
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    reach(account, name, task["taskArn"], "STOPPED")
    until(
        lambda: service(account, name, made["serviceName"]),
        lambda found: found["status"] == "INACTIVE",
        what="the service's end",
    )
    assert associate(account, name)["capacityProviders"] == []


def test_providers_have_tags(account: Account) -> None:
    arn = account.arn(f"capacity-provider/{provider(account)}")
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    account.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert account.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    assert shown(account, arn, include=["TAGS"])["tags"] == [{"key": "b", "value": "2"}]
    refused(account.ecs.list_tags_for_resource, CE, NOT_THERE, resourceArn=account.arn("capacity-provider/nope"))
    fargate = account.arn("capacity-provider/FARGATE")
    refused(account.ecs.tag_resource, IPE, naming("FARGATE"), resourceArn=fargate, tags=[{"key": "a", "value": "1"}])


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a" * 256, "FARGATE_X", "fargate", "ecs-mine", "AwsMine"])
def test_a_bad_name_is_refused(account: Account, name: str) -> None:
    refused(
        account.lax.create_capacity_provider,
        CE,
        "The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper"
        ' and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with "aws", "ecs", or'
        ' "fargate". Specify a valid name and try again.',
        name=name,
        autoScalingGroupProvider={"autoScalingGroupArn": "nodes"},
    )


@pytest.mark.parametrize(
    ("group", "code", "member"),
    [
        ({"autoScalingGroupArn": ""}, IPE, "autoScalingGroupArn"),
        ({"autoScalingGroupArn": "arn:aws:ec2:us-east-1:1:instance/i-1"}, IPE, "autoScalingGroupArn"),
        ({}, IPE, "autoScalingGroupArn"),
        ({"autoScalingGroupArn": "n", "managedScaling": {"targetCapacity": 0}}, IPE, "targetCapacity"),
        ({"autoScalingGroupArn": "n", "managedScaling": {"targetCapacity": 101}}, IPE, "targetCapacity"),
        ({"autoScalingGroupArn": "n", "managedScaling": {"minimumScalingStepSize": 0}}, IPE, "minimumScalingStepSize"),
        ({"autoScalingGroupArn": "n", "managedScaling": {"instanceWarmupPeriod": 10001}}, IPE, "instanceWarmupPeriod"),
        ({"autoScalingGroupArn": "n", "managedScaling": {"status": "on"}}, IPE, "status"),
        (
            {"autoScalingGroupArn": "n", "managedScaling": {"minimumScalingStepSize": 3, "maximumScalingStepSize": 2}},
            IPE,
            "minimumScalingStepSize",
        ),
        ({"autoScalingGroupArn": "n", "managedTerminationProtection": "ENABLED"}, CE, "termination protection"),
        ({"autoScalingGroupArn": "n", "managedDraining": "yes"}, IPE, "managedDraining"),
    ],
)
def test_a_bad_group_is_refused(account: Account, group: dict[str, Any], code: str, member: str) -> None:
    refused(account.lax.create_capacity_provider, code, naming(member), name="mine", autoScalingGroupProvider=group)
    assert account.ecs.describe_capacity_providers(capacityProviders=["mine"])["capacityProviders"] == []


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"infrastructureRoleArn": "infra"}, "infrastructureRoleArn"),
        ({"infrastructureOptimization": {"scaleInAfter": 3601}}, "scaleInAfter"),
        ({"infrastructureOptimization": {"scaleInAfter": -2}}, "scaleInAfter"),
        ({"propagateTags": "ALL"}, "propagateTags"),
        ({"instanceLaunchTemplate": {**TEMPLATE, "ec2InstanceProfileArn": "x"}}, "ec2InstanceProfileArn"),
        ({"instanceLaunchTemplate": {**TEMPLATE, "networkConfiguration": {}}}, "subnets"),
        ({"instanceLaunchTemplate": {**TEMPLATE, "storageConfiguration": {"storageSizeGiB": 0}}}, "storageSizeGiB"),
        ({"instanceLaunchTemplate": {**TEMPLATE, "nitroEnclavesEnabled": True}}, "nitroEnclavesEnabled"),
        (
            {
                "instanceLaunchTemplate": {
                    **TEMPLATE,
                    "instanceRequirements": {"vCpuCount": {"min": 4, "max": 2}, "memoryMiB": {"min": 1}},
                }
            },
            "vCpuCount",
        ),
    ],
)
def test_bad_managed_instances_are_refused(account: Account, changes: dict[str, Any], member: str) -> None:
    refused(
        account.lax.create_capacity_provider,
        IPE,
        naming(member),
        name="mine",
        cluster=cluster(account),
        managedInstancesProvider={**MANAGED, **changes},
    )


def test_what_does_not_go_together_is_refused(account: Account) -> None:
    create, name = account.ecs.create_capacity_provider, cluster(account)
    group = {"autoScalingGroupArn": "nodes"}
    refused(create, IPE, naming("autoScalingGroupProvider", "managedInstancesProvider"), name="mine")
    refused(
        create,
        IPE,
        naming("autoScalingGroupProvider", "managedInstancesProvider"),
        name="mine",
        cluster=name,
        autoScalingGroupProvider=group,
        managedInstancesProvider=MANAGED,
    )
    refused(create, IPE, naming("cluster"), name="mine", cluster=name, autoScalingGroupProvider=group)
    refused(create, IPE, naming("cluster"), name="mine", managedInstancesProvider=MANAGED)
    refused(create, NO_CLUSTER, name="mine", cluster="absent", managedInstancesProvider=MANAGED)
    refused(
        create,
        IPE,
        "Tag value can not be null.",
        name="mine",
        autoScalingGroupProvider=group,
        tags=[{"key": "a"}],
    )


def test_a_name_and_a_group_are_taken_once(account: Account) -> None:
    name = provider(account)
    refused(
        account.ecs.create_capacity_provider,
        CE,
        "The specified capacity provider already exists. To change the configuration of an existing capacity provider,"
        " update the capacity provider.",
        name=name,
        autoScalingGroupProvider={"autoScalingGroupArn": "other"},
    )
    refused(
        account.ecs.create_capacity_provider,
        CE,
        "The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto"
        " Scaling group ARN and try again.",
        name="other",
        autoScalingGroupProvider={"autoScalingGroupArn": group_arn(account, name)},
    )


def test_a_bad_update_is_refused(account: Account) -> None:
    update, name = account.lax.update_capacity_provider, provider(account)
    own = managed(account, cluster(account))
    refused(update, CE, NOT_THERE, name="nope", autoScalingGroupProvider={})
    refused(update, IPE, naming("FARGATE"), name="FARGATE", autoScalingGroupProvider={})
    refused(update, IPE, naming("autoScalingGroupProvider"), name=name)
    refused(update, IPE, naming("managedInstancesProvider"), name=own, autoScalingGroupProvider={})
    change = {"infrastructureRoleArn": MANAGED["infrastructureRoleArn"], "instanceLaunchTemplate": {}}
    refused(update, NO_CLUSTER, name=own, cluster="absent", managedInstancesProvider=change)
    refused(update, CE, NOT_THERE, name=own, cluster=cluster(account), managedInstancesProvider=change)
    scaling = {"managedScaling": {"targetCapacity": 101}}
    refused(update, IPE, naming("targetCapacity"), name=name, autoScalingGroupProvider=scaling)
    protection = {"managedTerminationProtection": "ENABLED"}
    refused(update, CE, naming("managed scaling must be enabled"), name=name, autoScalingGroupProvider=protection)
    assert shown(account, name)["autoScalingGroupProvider"]["managedScaling"] == DEFAULT_SCALING


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"capacityProvider": "nope"}, CE, NOT_THERE),
        ({"capacityProvider": "FARGATE"}, IPE, naming("FARGATE", "deleted")),
        ({"capacityProvider": "FARGATE_SPOT"}, IPE, naming("FARGATE_SPOT", "deleted")),
        ({"capacityProvider": "nope", "cluster": "absent"}, NO_CLUSTER, None),
        ({}, IPE, naming("capacityProvider")),
    ],
)
def test_a_bad_delete_is_refused(account: Account, members: dict[str, Any], code: str, message: Any) -> None:
    refused(account.lax.delete_capacity_provider, code, message, **members)


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({"capacityProviders": [f"p{n}" for n in range(101)]}, IPE, naming("capacityProviders", "at most 100")),
        ({"maxResults": 11}, IPE, naming("Max results can not be greater than 10")),
        ({"maxResults": 0}, IPE, naming("Max results")),
        ({"nextToken": "x"}, IPE, naming("token")),
        ({"include": ["BOGUS"]}, IPE, "include should be one of [TAGS]"),
        ({"cluster": "absent"}, NO_CLUSTER, "Cluster not found."),
    ],
)
def test_a_bad_describe_is_refused(account: Account, members: dict[str, Any], code: str, message: Any) -> None:
    refused(account.lax.describe_capacity_providers, code, message, **members)


def test_bad_associations_are_refused(account: Account) -> None:
    own, name = provider(account), cluster(account)
    bound = managed(account, cluster(account))
    put = account.lax.put_cluster_capacity_providers
    not_found = naming("The specified capacity provider was not found.")
    for code, message, cluster_name, providers, default in [
        (NO_CLUSTER, "Cluster not found.", "absent", [], []),
        (IPE, not_found, name, ["nope"], []),
        (IPE, not_found, name, [bound], []),
        (IPE, naming("not associated with the cluster"), name, ["FARGATE"], strategy((own, 0, 1))),
        (IPE, MIX, name, ["FARGATE", own], strategy((own, 0, 1), ("FARGATE", 0, 1))),
        (IPE, naming("weight"), name, [own], strategy((own, 0, 1001))),
        (IPE, naming("base"), name, [own], strategy((own, -1, 1))),
    ]:
        refused(
            put, code, message, cluster=cluster_name, capacityProviders=providers, defaultCapacityProviderStrategy=default
        )
    refused(put, IPE, naming("defaultCapacityProviderStrategy"), cluster=name, capacityProviders=[])
    refused(put, IPE, naming("capacityProviders"), cluster=name, defaultCapacityProviderStrategy=[])
    account.ecs.delete_cluster(cluster=name)
    refused(
        put, CE, "Cluster was not ACTIVE.", cluster=name, capacityProviders=[], defaultCapacityProviderStrategy=[]
    )


def test_a_strategy_that_breaks_a_rule_is_refused(account: Account) -> None:
    own, lone = provider(account), provider(account)
    name = cluster(account, capacityProviders=[own, "FARGATE"])
    members = {"cluster": name, "taskDefinition": register(account)}
    create = {**members, "serviceName": "web", "desiredCount": 1}
    for message, items in [
        (naming("not associated with the cluster"), strategy((lone, 0, 1))),
        (naming("not associated with the cluster"), strategy(("nope", 0, 1))),
        (MIX, strategy((own, 0, 1), ("FARGATE", 0, 1))),
        (naming("no capacity providers", "weight value greater than zero"), strategy((own, 0, 0))),
    ]:
        refused(account.ecs.run_task, IPE, message, capacityProviderStrategy=items, **members)
        refused(account.ecs.create_service, IPE, message, capacityProviderStrategy=items, **create)
    create_service(account, name, members["taskDefinition"], serviceName="web")
    update = {"cluster": name, "service": "web", "capacityProviderStrategy": strategy((lone, 0, 1))}
    refused(account.ecs.update_service, IPE, naming("not associated with the cluster"), **update)
    both = {"launchType": "EC2", "capacityProviderStrategy": strategy((own, 0, 1))}
    choose = "You may choose a capacity provider or a launch type but not both."
    refused(account.ecs.run_task, IPE, choose, **members, **both)
    daemon = {"schedulingStrategy": "DAEMON", "capacityProviderStrategy": strategy((own, 0, 1))}
    refused(account.ecs.create_service, IPE, naming("daemon"), **members, serviceName="d", **daemon)
