"""What is refused of capacity providers, their associations and their strategies."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.capacity import (
    CE,
    DEFAULT_SCALING,
    IPE,
    MANAGED,
    MIX,
    NO_CLUSTER,
    NOT_THERE,
    TEMPLATE,
    group_arn,
    managed,
    provider,
    shown,
    strategy,
)
from support.shapes import cluster, create_service, register


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
        (
            {"autoScalingGroupArn": "n", "managedScaling": {"minimumScalingStepSize": 0}},
            IPE,
            "minimumScalingStepSize",
        ),
        (
            {"autoScalingGroupArn": "n", "managedScaling": {"instanceWarmupPeriod": 10001}},
            IPE,
            "instanceWarmupPeriod",
        ),
        ({"autoScalingGroupArn": "n", "managedScaling": {"status": "on"}}, IPE, "status"),
        (
            {
                "autoScalingGroupArn": "n",
                "managedScaling": {"minimumScalingStepSize": 3, "maximumScalingStepSize": 2},
            },
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
            put,
            code,
            message,
            cluster=cluster_name,
            capacityProviders=providers,
            defaultCapacityProviderStrategy=default,
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
