"""The calls of Terraform's other resources, in its order, with what its waits and refreshes look at."""

from __future__ import annotations

from typing import Any

from support.account import Account, refused
from support.patience import until
from support.shapes import cluster, container, register, unique

GROUP = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:{id}:autoScalingGroupName/{name}"


def found_cluster(account: Account, name: str) -> dict[str, Any] | None:
    """The cluster as Terraform reads it: one that is INACTIVE is gone."""
    answer = account.ecs.describe_clusters(clusters=[name], include=["CONFIGURATIONS", "SETTINGS", "TAGS"])
    assert answer["failures"] == []
    (found,) = answer["clusters"]
    return None if found["status"] == "INACTIVE" else dict(found)


def test_a_cluster(account: Account) -> None:
    name = unique("cluster")
    configuration = {"executeCommandConfiguration": {"logging": "DEFAULT"}}
    made = account.ecs.create_cluster(
        clusterName=name,
        configuration=configuration,
        settings=[{"name": "containerInsights", "value": "enabled"}],
        tags=[{"key": "Name", "value": name}],
    )["cluster"]
    found = found_cluster(account, made["clusterArn"])
    assert found
    assert found["status"] == "ACTIVE"
    assert found["configuration"] == configuration
    assert found["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert found["tags"] == [{"key": "Name", "value": name}]
    account.ecs.update_cluster(cluster=name, settings=[{"name": "containerInsights", "value": "disabled"}])
    account.ecs.put_cluster_capacity_providers(
        cluster=name,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE", "base": 1, "weight": 100}],
    )
    found = until(lambda: found_cluster(account, name), lambda one: one and one.get("attachmentsStatus") is None)
    assert found["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert set(found["capacityProviders"]) == {"FARGATE", "FARGATE_SPOT"}
    assert found["defaultCapacityProviderStrategy"] == [{"capacityProvider": "FARGATE", "base": 1, "weight": 100}]
    account.ecs.put_cluster_capacity_providers(cluster=name, capacityProviders=[], defaultCapacityProviderStrategy=[])
    account.ecs.delete_cluster(cluster=made["clusterArn"])
    assert found_cluster(account, name) is None


def test_a_capacity_provider(account: Account) -> None:
    name = unique("provider")
    group = {
        "autoScalingGroupArn": GROUP.format(id=unique("id"), name=name),
        "managedTerminationProtection": "DISABLED",
        "managedScaling": {"status": "ENABLED", "targetCapacity": 50},
    }
    made = account.ecs.create_capacity_provider(
        name=name, autoScalingGroupProvider=group, tags=[{"key": "Name", "value": name}]
    )["capacityProvider"]
    arn = made["capacityProviderArn"]

    def read() -> dict[str, Any] | None:
        answer = account.ecs.describe_capacity_providers(capacityProviders=[arn], include=["TAGS"])
        return next((dict(one) for one in answer["capacityProviders"] if one["status"] != "INACTIVE"), None)

    found = read()
    assert found
    assert (found["name"], found["status"]) == (name, "ACTIVE")
    assert found["tags"] == [{"key": "Name", "value": name}]
    provider = found["autoScalingGroupProvider"]
    assert provider["managedDraining"] == "ENABLED"
    assert provider["managedScaling"] == {
        "status": "ENABLED",
        "targetCapacity": 50,
        "minimumScalingStepSize": 1,
        "maximumScalingStepSize": 10000,
        "instanceWarmupPeriod": 300,
    }
    account.ecs.update_capacity_provider(
        name=name, autoScalingGroupProvider={"managedScaling": {"status": "ENABLED", "targetCapacity": 80}}
    )
    updated = until(read, lambda one: one and one.get("updateStatus") != "UPDATE_IN_PROGRESS")
    assert updated["updateStatus"] == "UPDATE_COMPLETE"
    assert updated["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"] == 80
    account.ecs.delete_capacity_provider(capacityProvider=arn)
    until(read, lambda one: one is None)
    refused(
        account.ecs.delete_capacity_provider,
        "ClientException",
        "The specified capacity provider does not exist. Specify a valid name or ARN and try again.",
        capacityProvider=account.arn(f"capacity-provider/{unique('absent')}"),
    )


def test_a_task_definition(account: Account) -> None:
    arn = register(account, container(), tags=[{"key": "Name", "value": "x"}])
    answer = account.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    assert answer["taskDefinition"]["status"] == "ACTIVE"
    assert answer["tags"] == [{"key": "Name", "value": "x"}]
    again = account.ecs.register_task_definition(
        family=answer["taskDefinition"]["family"],
        containerDefinitions=answer["taskDefinition"]["containerDefinitions"],
        volumes=answer["taskDefinition"]["volumes"],
    )["taskDefinition"]
    assert again["containerDefinitions"] == answer["taskDefinition"]["containerDefinitions"]
    account.ecs.deregister_task_definition(taskDefinition=arn)
    assert account.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["status"] == "INACTIVE"


def test_an_account_setting(account: Account) -> None:
    def read() -> list[dict[str, Any]]:
        return list(account.ecs.list_account_settings(name="containerInsights", effectiveSettings=True)["settings"])

    account.ecs.put_account_setting_default(name="containerInsights", value="enabled")
    assert [(one["name"], one["value"]) for one in read()] == [("containerInsights", "enabled")]
    account.ecs.put_account_setting_default(name="containerInsights", value="disabled")
    assert [one["value"] for one in read()] == ["disabled"]


def test_a_task_set(account: Account) -> None:
    name, arn = cluster(account), register(account)
    made = account.ecs.create_service(
        cluster=name, serviceName=unique("service"), desiredCount=1, deploymentController={"type": "EXTERNAL"}
    )["service"]
    ids = {"cluster": name, "service": made["serviceArn"]}
    task_set = account.ecs.create_task_set(taskDefinition=arn, tags=[{"key": "Name", "value": "x"}], **ids)["taskSet"]

    def read() -> dict[str, Any] | None:
        answer = account.ecs.describe_task_sets(taskSets=[task_set["taskSetArn"]], include=["TAGS"], **ids)
        return dict(answer["taskSets"][0]) if answer["taskSets"] else None

    found = until(read, lambda one: one and one["stabilityStatus"] == "STEADY_STATE")
    assert (found["status"], found["scale"]) == ("ACTIVE", {"value": 100.0, "unit": "PERCENT"})
    assert found["tags"] == [{"key": "Name", "value": "x"}]
    account.ecs.update_task_set(taskSet=task_set["taskSetArn"], scale={"value": 50, "unit": "PERCENT"}, **ids)
    assert until(read, bool)["scale"]["value"] == 50.0
    account.ecs.delete_task_set(taskSet=task_set["taskSetArn"], force=True, **ids)
    until(read, lambda one: one is None or one["status"] not in ("ACTIVE", "PRIMARY", "DRAINING"))
