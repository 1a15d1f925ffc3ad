"""Capacity providers: made, shown, changed, deleted; their clusters; the tasks and services that use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from support.account import Account, naming, refused
from support.capacity import (
    CE,
    DEFAULT_SCALING,
    IN_USE,
    IPE,
    MANAGED,
    NOT_THERE,
    SCALING,
    TEMPLATE,
    associate,
    group_arn,
    managed,
    provider,
    shown,
    strategy,
)
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


def test_a_provider_of_a_group_reads_back_with_every_member(account: Account) -> None:
    name = unique("p")
    group = {
        "autoScalingGroupArn": group_arn(account, name),
        "managedScaling": SCALING,
        "managedTerminationProtection": "ENABLED",
        "managedDraining": "DISABLED",
    }
    tags = [{"key": "team", "value": "a"}]
    made = account.ecs.create_capacity_provider(name=name, autoScalingGroupProvider=group, tags=tags)[
        "capacityProvider"
    ]
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
    account.ecs.update_service(
        **members, capacityProviderStrategy=strategy(("FARGATE", 0, 1)), forceNewDeployment=True
    )
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
