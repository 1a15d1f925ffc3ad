"""Clusters: the good cases, what is read back, and what a second call does."""

from __future__ import annotations

from typing import Any

from support.account import Account
from support.shapes import cluster, create_service, register, run, unique

DISABLED = [{"name": "containerInsights", "value": "disabled"}]
ENABLED = [{"name": "containerInsights", "value": "enabled"}]
TAGS = [{"key": "team", "value": "blue"}, {"key": "empty", "value": ""}]
CONFIGURATION = {"executeCommandConfiguration": {"logging": "DEFAULT"}}


def described(account: Account, name: str, *include: str) -> dict[str, Any]:
    answer = account.ecs.describe_clusters(clusters=[name], include=list(include))
    assert answer["failures"] == []
    (found,) = answer["clusters"]
    return dict(found)


def test_a_created_cluster_is_answered_with_all_its_defaults(account: Account) -> None:
    name = unique("cluster")
    created = account.ecs.create_cluster(clusterName=name)["cluster"]
    assert created.pop("registeredContainerInstancesCount") >= 0
    assert created == {
        "clusterArn": account.arn(f"cluster/{name}"),
        "clusterName": name,
        "status": "ACTIVE",
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "activeServicesCount": 0,
        "statistics": [],
        "tags": [],
        "settings": DISABLED,
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }


def test_without_a_name_the_cluster_is_called_default(account: Account) -> None:
    created = account.ecs.create_cluster()["cluster"]
    assert created["clusterName"] == "default"
    (found,) = account.ecs.describe_clusters()["clusters"]
    assert found["clusterArn"] == created["clusterArn"]


def test_describe_without_includes_shows_empty_lists_and_no_attachments(account: Account) -> None:
    name = cluster(account, tags=TAGS, settings=ENABLED)
    found = described(account, name)
    for member in ("tags", "settings", "statistics", "capacityProviders", "defaultCapacityProviderStrategy"):
        assert found[member] == [], member
    assert "attachments" not in found


def test_describe_shows_what_is_included(account: Account) -> None:
    name = cluster(account, tags=TAGS, settings=ENABLED, configuration=CONFIGURATION)
    found = described(account, name, "TAGS", "SETTINGS", "CONFIGURATIONS", "ATTACHMENTS", "STATISTICS")
    assert sorted(found["tags"], key=lambda tag: tag["key"]) == sorted(TAGS, key=lambda tag: tag["key"])
    assert found["settings"] == ENABLED
    assert found["configuration"] == CONFIGURATION
    assert found["attachments"] == []
    assert len(found["statistics"]) == 16


def test_statistics_count_tasks_and_services_by_launch_type(account: Account) -> None:
    name = cluster(account)
    definition = register(account)
    run(account, name, definition, count=2)
    create_service(account, name, definition, desiredCount=0)
    found = described(account, name, "STATISTICS")
    statistics = {item["name"]: item["value"] for item in found["statistics"]}
    kinds = ("EC2", "Fargate", "External", "ManagedInstances")
    assert set(statistics) == {f"{state}{kind}TasksCount" for kind in kinds for state in ("running", "pending")} | {
        f"{state}{kind}ServiceCount" for kind in kinds for state in ("active", "draining")
    }
    assert int(statistics["runningEC2TasksCount"]) + int(statistics["pendingEC2TasksCount"]) == 2
    assert statistics["activeEC2ServiceCount"] == "1"
    assert statistics["drainingFargateServiceCount"] == "0"


def test_counts_in_a_cluster_are_live(account: Account) -> None:
    name = cluster(account)
    definition = register(account)
    run(account, name, definition, count=3)
    create_service(account, name, definition, desiredCount=0)
    found = described(account, name)
    assert found["runningTasksCount"] + found["pendingTasksCount"] == 3
    assert found["activeServicesCount"] == 1


def test_capacity_providers_and_strategy_read_back_with_base_and_weight(account: Account) -> None:
    name = unique("cluster")
    created = account.ecs.create_cluster(
        clusterName=name,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[
            {"capacityProvider": "FARGATE", "weight": 1},
            {"capacityProvider": "FARGATE_SPOT", "base": 2},
        ],
    )["cluster"]
    strategy = [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 0},
        {"capacityProvider": "FARGATE_SPOT", "weight": 0, "base": 2},
    ]
    assert sorted(created["capacityProviders"]) == ["FARGATE", "FARGATE_SPOT"]
    assert created["defaultCapacityProviderStrategy"] == strategy
    assert described(account, name)["defaultCapacityProviderStrategy"] == strategy


def test_the_same_create_again_answers_with_the_same_cluster(account: Account) -> None:
    name = unique("cluster")
    first = account.ecs.create_cluster(clusterName=name, tags=TAGS)["cluster"]
    again = account.ecs.create_cluster(clusterName=name, tags=TAGS)["cluster"]
    assert again["clusterArn"] == first["clusterArn"]
    assert again["status"] == "ACTIVE"


def test_names_and_arns_are_accepted_and_duplicates_are_merged(account: Account) -> None:
    name = cluster(account)
    arn = account.arn(f"cluster/{name}")
    answer = account.ecs.describe_clusters(clusters=[name, arn, name])
    assert [found["clusterArn"] for found in answer["clusters"]] == [arn]
    assert account.ecs.describe_clusters(clusters=[arn])["clusters"][0]["clusterName"] == name


def test_a_cluster_that_is_not_there_is_a_failure(account: Account) -> None:
    there, absent = cluster(account), unique("absent")
    answer = account.ecs.describe_clusters(clusters=[there, absent])
    assert [found["clusterName"] for found in answer["clusters"]] == [there]
    assert answer["failures"] == [{"arn": account.arn(f"cluster/{absent}"), "reason": "MISSING"}]


def test_update_cluster_changes_settings_configuration_and_namespace(account: Account) -> None:
    name = cluster(account)
    namespace = f"arn:aws:servicediscovery:{account.region}:{account.account}:namespace/ns-0123456789abcdef"
    updated = account.ecs.update_cluster(
        cluster=name,
        settings=ENABLED,
        configuration=CONFIGURATION,
        serviceConnectDefaults={"namespace": namespace},
    )["cluster"]
    assert updated["settings"] == ENABLED
    assert updated["configuration"] == CONFIGURATION
    assert updated["serviceConnectDefaults"] == {"namespace": namespace}
    assert updated["attachments"] == []
    assert described(account, name, "SETTINGS", "CONFIGURATIONS")["configuration"] == CONFIGURATION


def test_update_cluster_leaves_what_it_does_not_name(account: Account) -> None:
    name = cluster(account, settings=ENABLED, configuration=CONFIGURATION)
    account.ecs.update_cluster(cluster=account.arn(f"cluster/{name}"))
    found = described(account, name, "SETTINGS", "CONFIGURATIONS")
    assert (found["settings"], found["configuration"]) == (ENABLED, CONFIGURATION)


def test_update_cluster_settings_is_seen_by_describe(account: Account) -> None:
    name = cluster(account)
    enhanced = [{"name": "containerInsights", "value": "enhanced"}]
    updated = account.ecs.update_cluster_settings(cluster=name, settings=enhanced)["cluster"]
    assert updated["settings"] == enhanced
    assert updated["attachments"] == []
    assert described(account, name, "SETTINGS")["settings"] == enhanced


def test_a_deleted_cluster_is_inactive_and_not_listed(account: Account) -> None:
    name = cluster(account)
    deleted = account.ecs.delete_cluster(cluster=name)["cluster"]
    assert deleted["status"] == "INACTIVE"
    assert "attachments" not in deleted
    assert described(account, name)["status"] == "INACTIVE"
    assert account.ecs.list_clusters()["clusterArns"] == []


def test_deleting_twice_answers_the_same_and_shows_attachments(account: Account) -> None:
    name = cluster(account)
    account.ecs.delete_cluster(cluster=name)
    again = account.ecs.delete_cluster(cluster=account.arn(f"cluster/{name}"))["cluster"]
    assert again["status"] == "INACTIVE"
    assert again["attachments"] == []


def test_an_inactive_cluster_keeps_tags_and_configuration_until_it_is_created_again(account: Account) -> None:
    name = cluster(account, tags=TAGS, configuration=CONFIGURATION)
    account.ecs.delete_cluster(cluster=name)
    found = described(account, name, "TAGS", "CONFIGURATIONS")
    assert len(found["tags"]) == 2
    assert found["configuration"] == CONFIGURATION

    created = account.ecs.create_cluster(clusterName=name)["cluster"]
    assert created["status"] == "ACTIVE"
    fresh = described(account, name, "TAGS", "SETTINGS", "CONFIGURATIONS")
    assert (fresh["tags"], fresh["settings"]) == ([], DISABLED)
    assert fresh.get("configuration", {}) == {}


def test_clusters_are_listed_page_by_page(account: Account) -> None:
    arns = {account.arn(f"cluster/{cluster(account)}") for _ in range(6)}
    pages = list(account.pages("list_clusters", "clusterArns", maxResults=4))
    assert [len(page) for page in pages] == [4, 2]
    assert {arn for page in pages for arn in page} == arns


def test_a_page_that_is_exactly_full_is_the_last_one(account: Account) -> None:
    for _ in range(4):
        cluster(account)
    assert [len(page) for page in account.pages("list_clusters", "clusterArns", maxResults=2)] == [2, 2]
    assert [len(page) for page in account.pages("list_clusters", "clusterArns")] == [4]


def test_the_paginator_of_boto3_walks_all_clusters(account: Account) -> None:
    names = {cluster(account) for _ in range(5)}
    pages = account.ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2})
    assert {arn.rsplit("/", 1)[1] for page in pages for arn in page["clusterArns"]} == names
