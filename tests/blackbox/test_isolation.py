"""Accounts and regions of one server never see each other's things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, random_account, refused
from support.shapes import create_service, register, run, stable, unique

NewAccount = Callable[..., Account]


def fill(account: Account) -> dict[str, Any]:
    """The same things, by the same names, in any account."""
    account.ecs.create_cluster(clusterName="shared", tags=[{"key": "owner", "value": account.account}])
    definition = register(account, family="web")
    (task,) = run(account, "shared", definition, startedBy="me", clientToken="the-same")
    made = create_service(account, "shared", definition, serviceName="web", clientToken="the-same")
    stable(account, "shared", "web")
    return {"definition": definition, "task": task["taskArn"], "service": made["serviceArn"]}


def seen(account: Account) -> set[str]:
    """All that an account's lists show."""
    arns = set(account.all("list_clusters", "clusterArns"))
    arns |= set(account.all("list_task_definitions", "taskDefinitionArns"))
    arns |= set(account.all("list_tasks", "taskArns", cluster="shared"))
    arns |= set(account.all("list_services", "serviceArns", cluster="shared"))
    return arns


@pytest.mark.parametrize("by", ["account", "region"])
def test_two_never_see_each_other(new_account: NewAccount, by: str) -> None:
    number = random_account()
    mine = new_account(number, "eu-west-1")
    theirs = new_account(random_account(), "eu-west-1") if by == "account" else new_account(number, "eu-west-2")
    for one in (mine, theirs):
        fill(one)
    for one in (mine, theirs):
        arns = seen(one)
        assert len(arns) == 5
        assert all(arn.startswith(one.arn("")) for arn in arns)
        assert one.ecs.list_task_definition_families()["families"] == ["web"]
        (cluster,) = one.ecs.describe_clusters(clusters=["shared"], include=["TAGS"])["clusters"]
        assert cluster["tags"] == [{"key": "owner", "value": one.account}]
        assert (cluster["runningTasksCount"], cluster["activeServicesCount"]) == (2, 1)


@pytest.mark.parametrize("by", ["account", "region"])
def test_the_arns_of_one_are_nothing_to_the_other(new_account: NewAccount, by: str) -> None:
    number = random_account()
    mine = new_account(number, "eu-west-1")
    theirs = new_account(random_account(), "eu-west-1") if by == "account" else new_account(number, "eu-west-2")
    theirs.ecs.create_cluster(clusterName="shared")
    made = fill(mine)
    ecs = theirs.ecs
    codes = ("InvalidParameterException", "ClientException", "ClusterNotFoundException", "ServiceNotFoundException")
    answer = ecs.describe_clusters(clusters=[mine.arn("cluster/shared")])
    assert answer["clusters"] == []
    refused(ecs.describe_task_definition, codes, taskDefinition=made["definition"])
    refused(ecs.run_task, codes, cluster="shared", taskDefinition=made["definition"])
    refused(ecs.stop_task, codes, cluster="shared", task=made["task"])
    refused(ecs.update_service, codes, cluster="shared", service=made["service"], desiredCount=0)
    refused(ecs.delete_service, codes, cluster="shared", service=made["service"], force=True)
    refused(ecs.delete_cluster, codes, cluster=mine.arn("cluster/shared"))
    for arn in [*made.values(), mine.arn("cluster/shared")]:
        refused(ecs.tag_resource, codes, resourceArn=arn, tags=[{"key": "a", "value": "b"}])
        refused(ecs.list_tags_for_resource, codes, resourceArn=arn)
    # And nothing of it has changed.
    (service,) = mine.ecs.describe_services(cluster="shared", services=["web"])["services"]
    assert (service["status"], service["desiredCount"]) == ("ACTIVE", 1)


def test_an_access_key_that_is_no_account_belongs_to_the_default_one(new_account: NewAccount) -> None:
    name = unique("cluster")
    one, other = new_account("AKIDEXAMPLE"), new_account("ASIAEXAMPLE")
    arn = one.ecs.create_cluster(clusterName=name)["cluster"]["clusterArn"]
    assert arn == f"arn:aws:ecs:us-east-1:000000000000:cluster/{name}"
    assert other.ecs.describe_clusters(clusters=[name])["clusters"][0]["clusterArn"] == arn


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_partition_follows_from_the_region(new_account: NewAccount, region: str, partition: str) -> None:
    account = new_account(region=region)
    arn = account.ecs.create_cluster(clusterName="web")["cluster"]["clusterArn"]
    assert arn == f"arn:{partition}:ecs:{region}:{account.account}:cluster/web"
