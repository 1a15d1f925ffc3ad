"""Capacity providers, as the tests make them."""

from __future__ import annotations

from typing import Any

from .account import Account
from .shapes import unique

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
    account.ecs.create_capacity_provider(
        name=name, cluster=cluster_name, managedInstancesProvider={**MANAGED, **members}
    )
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
