"""ListServicesByNamespace: services of all clusters, by their own namespace or by their cluster's default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support.account import Account, naming, refused
from support.shapes import cluster, container, create_service, register, unique

WEB = container(portMappings=[{"containerPort": 80, "name": "web"}])
IPE = "InvalidParameterException"


def connected(account: Account, name: str, definition: str, **connect: Any) -> str:
    """Creates a service of no tasks that uses Service Connect, and returns its ARN."""
    configuration = {"enabled": True, **connect}
    made = create_service(account, name, definition, desiredCount=0, serviceConnectConfiguration=configuration)
    return str(made["serviceArn"])


def listed(account: Account, namespace: str, **members: Any) -> set[str]:
    return set(account.all("list_services_by_namespace", "serviceArns", namespace=namespace, **members))


def test_services_of_several_clusters_are_listed(account: Account) -> None:
    definition = register(account, WEB)
    one = cluster(account)
    two = cluster(account, serviceConnectDefaults={"namespace": "internal"})
    by_name = connected(account, one, definition, namespace="internal")
    by_default = connected(account, two, definition)
    other = connected(account, two, definition, namespace="other")
    create_service(account, two, definition, desiredCount=0)
    create_service(
        account,
        one,
        definition,
        desiredCount=0,
        serviceConnectConfiguration={"enabled": False, "namespace": "internal"},
    )
    assert listed(account, "internal") == {by_name, by_default}
    assert listed(account, "other") == {other}


def test_a_service_changes_its_namespace_and_leaves_it_when_it_is_deleted(account: Account) -> None:
    definition = register(account, WEB)
    name = cluster(account)
    arn = connected(account, name, definition, namespace="first")
    who = {"cluster": name, "service": arn}
    account.ecs.update_service(**who, serviceConnectConfiguration={"enabled": True, "namespace": "second"})
    assert (listed(account, "first"), listed(account, "second")) == (set(), {arn})
    account.ecs.update_service(**who, serviceConnectConfiguration={"enabled": False})
    assert listed(account, "second") == set()
    account.ecs.update_service(**who, serviceConnectConfiguration={"enabled": True, "namespace": "first"})
    assert listed(account, "first") == {arn}
    account.ecs.delete_service(**who)
    assert listed(account, "first") == set()


def test_the_list_has_pages(account: Account) -> None:
    definition = register(account, WEB)
    name = cluster(account)
    arns = {connected(account, name, definition, namespace="many") for _ in range(12)}
    sizes = [len(page) for page in account.pages("list_services_by_namespace", "serviceArns", namespace="many")]
    assert sizes == [10, 2]
    sizes = [
        len(page)
        for page in account.pages("list_services_by_namespace", "serviceArns", namespace="many", maxResults=4)
    ]
    assert sizes == [4, 4, 4]
    assert listed(account, "many", maxResults=5) == arns


def test_accounts_do_not_see_each_other(account: Account, new_account: Callable[..., Account]) -> None:
    arn = connected(account, cluster(account), register(account, WEB), namespace="shared")
    other = new_account()
    refused(other.ecs.list_services_by_namespace, "NamespaceNotFoundException", namespace="shared")
    theirs = connected(other, cluster(other), register(other, WEB), namespace="shared")
    assert (listed(account, "shared"), listed(other, "shared")) == ({arn}, {theirs})


def test_a_default_of_a_cluster_makes_a_namespace(account: Account) -> None:
    namespace = unique("namespace")
    refused(account.ecs.list_services_by_namespace, "NamespaceNotFoundException", namespace=namespace)
    cluster(account, serviceConnectDefaults={"namespace": namespace})
    assert listed(account, namespace) == set()


def test_bad_questions_are_refused(account: Account) -> None:
    cluster(account, serviceConnectDefaults={"namespace": "internal"})
    call = account.ecs.list_services_by_namespace
    refused(call, IPE, naming("namespace"), namespace="")
    refused(call, IPE, naming("100"), namespace="internal", maxResults=101)
    refused(call, IPE, None, namespace="internal", maxResults=0)
    refused(call, IPE, None, namespace="internal", nextToken="nonsense")
