"""Clusters: what is refused, with which exception and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import cluster, create_service, register, run, unique

IPE, CE, MISSING = "InvalidParameterException", "ClientException", "ClusterNotFoundException"
INCLUDE = "include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]"
INCONSISTENT = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
UNASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the"
    " cluster."
)


def strategy(*items: tuple[str, int, int]) -> list[dict[str, Any]]:
    return [{"capacityProvider": name, "base": base, "weight": weight} for name, base, weight in items]


@pytest.mark.parametrize("name", ["a/b", "with space", "a" * 256, "ümlaut", "a.b"])
def test_a_name_that_does_not_match_is_refused(account: Account, name: str) -> None:
    message = rf"Cluster must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {name}"
    refused(account.lax.create_cluster, IPE, naming(message), clusterName=name)


@pytest.mark.parametrize("value", ["on", "", "ENABLED"])
@pytest.mark.parametrize("operation", ["create_cluster", "update_cluster", "update_cluster_settings"])
def test_a_setting_with_another_value_is_refused(account: Account, operation: str, value: str) -> None:
    settings = [{"name": "containerInsights", "value": value}]
    named = {"clusterName": unique("c")} if operation == "create_cluster" else {"cluster": cluster(account)}
    refused(getattr(account.lax, operation), IPE, "Invalid setting 'value'", settings=settings, **named)


@pytest.mark.parametrize("operation", ["create_cluster", "update_cluster", "update_cluster_settings"])
def test_a_setting_with_another_name_is_refused(account: Account, operation: str) -> None:
    named = {"clusterName": unique("c")} if operation == "create_cluster" else {"cluster": cluster(account)}
    settings = [{"name": "containerOutsights", "value": "enabled"}]
    refused(getattr(account.lax, operation), IPE, naming("Invalid setting 'name'"), settings=settings, **named)


def test_the_cluster_is_looked_for_before_the_setting_is_looked_at(account: Account) -> None:
    settings = [{"name": "containerInsights", "value": "on"}]
    refused(
        account.lax.update_cluster_settings,
        MISSING,
        "Cluster not found.",
        cluster=unique("absent"),
        settings=settings,
    )


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("delete_cluster", {}),
        ("update_cluster", {}),
        ("update_cluster_settings", {"settings": [{"name": "containerInsights", "value": "enabled"}]}),
    ],
)
def test_an_unknown_cluster_is_not_found(account: Account, operation: str, members: dict[str, Any]) -> None:
    call = getattr(account.ecs, operation)
    refused(call, MISSING, "Cluster not found.", cluster=unique("absent"), **members)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("update_cluster", {}),
        ("update_cluster_settings", {"settings": [{"name": "containerInsights", "value": "enabled"}]}),
    ],
)
def test_an_inactive_cluster_is_not_changed(account: Account, operation: str, members: dict[str, Any]) -> None:
    name = cluster(account)
    account.ecs.delete_cluster(cluster=name)
    refused(getattr(account.ecs, operation), CE, "Cluster was not ACTIVE.", cluster=name, **members)


@pytest.mark.parametrize(
    "other",
    [
        {"tags": [{"key": "a", "value": "b"}]},
        {"settings": [{"name": "containerInsights", "value": "enabled"}]},
        {"capacityProviders": ["FARGATE"]},
    ],
    ids=lambda other: next(iter(other)),
)
def test_create_on_an_active_cluster_with_other_arguments_is_refused(account: Account, other: dict[str, Any]) -> None:
    name = cluster(account)
    refused(account.ecs.create_cluster, IPE, INCONSISTENT, clusterName=name, **other)


def test_a_cluster_with_an_active_service_is_not_deleted_even_when_it_has_no_task(account: Account) -> None:
    name = cluster(account)
    create_service(account, name, register(account), desiredCount=0)
    message = "The Cluster cannot be deleted while Services are active."
    refused(account.ecs.delete_cluster, "ClusterContainsServicesException", message, cluster=name)


def test_a_cluster_with_a_task_is_not_deleted(account: Account) -> None:
    name = cluster(account)
    run(account, name, register(account))
    message = "The Cluster cannot be deleted while Tasks are active."
    refused(account.ecs.delete_cluster, "ClusterContainsTasksException", message, cluster=name)


def test_services_are_named_before_tasks(account: Account) -> None:
    name = cluster(account)
    definition = register(account)
    run(account, name, definition)
    create_service(account, name, definition, desiredCount=0)
    refused(account.ecs.delete_cluster, "ClusterContainsServicesException", cluster=name)


@pytest.mark.parametrize("include", [["BOGUS"], ["TAGS", "tags"]])
def test_a_bad_include_is_refused_for_a_cluster_that_exists(account: Account, include: list[str]) -> None:
    name = cluster(account)
    refused(account.lax.describe_clusters, IPE, INCLUDE, clusters=[name], include=include)


def test_a_bad_include_is_nothing_when_no_cluster_exists(account: Account) -> None:
    answer = account.lax.describe_clusters(clusters=[unique("absent")], include=["BOGUS"])
    assert answer["clusters"] == []
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]


@pytest.mark.parametrize("size", [101, 1000])
def test_a_page_of_more_than_a_hundred_is_refused(account: Account, size: int) -> None:
    refused(account.ecs.list_clusters, IPE, "Max results can not be greater than 100", maxResults=size)


@pytest.mark.parametrize("token", ["x", "bm9uc2Vuc2U=", " "])
def test_an_unknown_page_token_is_refused(account: Account, token: str) -> None:
    refused(account.ecs.list_clusters, IPE, naming("token"), nextToken=token)


def test_more_than_a_hundred_clusters_in_a_call_are_refused(account: Account) -> None:
    names = [f"c-{n}" for n in range(101)]
    refused(account.ecs.describe_clusters, IPE, naming("clusters can have at most 100 items"), clusters=names)


@pytest.mark.parametrize(
    ("providers", "items", "message"),
    [
        (["FARGATE"], [("FARGATE_SPOT", 0, 1)], UNASSOCIATED),
        (
            ["FARGATE", "FARGATE_SPOT"],
            [("FARGATE", 1, 1), ("FARGATE_SPOT", 1, 1)],
            "There are multiple capacity providers in the specified capacity provider strategy with a base value"
            " defined",
        ),
    ],
    ids=["unassociated", "two bases"],
)
def test_a_default_strategy_that_breaks_a_rule_is_refused(
    account: Account, providers: list[str], items: list[tuple[str, int, int]], message: str
) -> None:
    refused(
        account.ecs.create_cluster,
        IPE,
        naming(message),
        clusterName=unique("c"),
        capacityProviders=providers,
        defaultCapacityProviderStrategy=strategy(*items),
    )


@pytest.mark.parametrize(
    ("member", "item"),
    [("weight", ("FARGATE", 0, 1001)), ("weight", ("FARGATE", 0, -1)), ("base", ("FARGATE", 100_001, 1))],
)
def test_weight_and_base_have_limits(account: Account, member: str, item: tuple[str, int, int]) -> None:
    refused(
        account.lax.create_cluster,
        IPE,
        naming(member),
        clusterName=unique("c"),
        capacityProviders=["FARGATE"],
        defaultCapacityProviderStrategy=strategy(item),
    )


def test_a_tag_without_a_value_is_refused_and_nothing_is_kept(account: Account) -> None:
    name = unique("c")
    refused(account.ecs.create_cluster, IPE, "Tag value can not be null.", clusterName=name, tags=[{"key": "a"}])
    assert account.ecs.describe_clusters(clusters=[name])["clusters"] == []


def test_a_refused_create_leaves_nothing_behind(account: Account) -> None:
    name = unique("c")
    refused(
        account.lax.create_cluster,
        IPE,
        clusterName=name,
        settings=[{"name": "containerInsights", "value": "on"}],
    )
    assert account.ecs.list_clusters()["clusterArns"] == []
