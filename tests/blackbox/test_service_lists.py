"""DescribeServices and ListServices: includes, failures, filters, pages, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    register,
    register_fargate,
    service,
    stable,
    unique,
)

IPE = "InvalidParameterException"


def test_services_are_described_by_name_and_arn(account: Account) -> None:
    name, definition = cluster(account), register(account)
    arns = [create_service(account, name, definition, desiredCount=0)["serviceArn"] for _ in range(2)]
    given = [arns[0], arns[1].rsplit("/", 1)[1]]
    answer = account.ecs.describe_services(cluster=account.arn(f"cluster/{name}"), services=given)
    assert [found["serviceArn"] for found in answer["services"]] == arns
    short = account.arn(f"service/{arns[0].rsplit('/', 1)[1]}")
    answer = account.ecs.describe_services(cluster=name, services=[short])
    assert [found["serviceArn"] for found in answer["services"]] == arns[:1]


def test_a_service_that_is_not_there_is_a_failure(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    answer = account.ecs.describe_services(cluster=name, services=["absent", made["serviceName"]])
    assert [found["serviceName"] for found in answer["services"]] == [made["serviceName"]]
    assert answer["failures"] == [{"arn": account.arn(f"service/{name}/absent"), "reason": "MISSING"}]


def test_ten_services_are_the_most_of_a_call_and_one_the_least(account: Account) -> None:
    name = cluster(account)
    refused(
        account.ecs.describe_services,
        IPE,
        naming("service names can have at most 10 items"),
        cluster=name,
        services=[f"s{n}" for n in range(11)],
    )
    refused(account.ecs.describe_services, IPE, naming("services"), cluster=name, services=[])
    refused(account.lax.describe_services, IPE, naming("services"), cluster=name)


def test_a_bad_include_is_refused(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    refused(
        account.lax.describe_services,
        IPE,
        "include should be one of [TAGS]",
        cluster=name,
        services=[made["serviceName"]],
        include=["BOGUS"],
    )


def test_services_are_listed_ten_at_a_time_unless_told_otherwise(account: Account) -> None:
    name, definition = cluster(account), register(account)
    arns = {create_service(account, name, definition, desiredCount=0)["serviceArn"] for _ in range(12)}
    pages = list(account.pages("list_services", "serviceArns", cluster=name))
    assert [len(page) for page in pages] == [10, 2]
    assert {arn for page in pages for arn in page} == arns
    assert [len(page) for page in account.pages("list_services", "serviceArns", cluster=name, maxResults=6)] == [
        6,
        6,
    ]
    assert len(account.ecs.list_services(cluster=name, maxResults=100)["serviceArns"]) == 12
    walked = account.ecs.get_paginator("list_services").paginate(cluster=name)
    assert {arn for page in walked for arn in page["serviceArns"]} == arns


def test_services_are_listed_by_launch_type_and_strategy(account: Account) -> None:
    name, definition = cluster(account), register(account)
    replica = create_service(account, name, definition, desiredCount=0)["serviceArn"]
    daemon = create_service(account, name, definition, schedulingStrategy="DAEMON")["serviceArn"]
    fargate = create_service(
        account,
        name,
        register_fargate(account),
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )["serviceArn"]

    def listed(**members: Any) -> set[str]:
        return set(account.all("list_services", "serviceArns", cluster=name, **members))

    assert listed() == {replica, daemon, fargate}
    assert listed(launchType="FARGATE") == {fargate}
    assert listed(schedulingStrategy="DAEMON") == {daemon}
    assert listed(launchType="EC2", schedulingStrategy="REPLICA") == {replica}
    assert listed(resourceManagementType="CUSTOMER") == {replica, daemon, fargate}
    assert listed(resourceManagementType="ECS") == set(), "there is no Express service"


def test_a_draining_service_is_not_listed_but_described(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"stop_delay": "20s"})))
    stable(account, name, made["serviceName"])
    account.ecs.delete_service(cluster=name, service=made["serviceName"], force=True)
    assert service(account, name, made["serviceName"])["status"] == "DRAINING"
    assert account.ecs.list_services(cluster=name)["serviceArns"] == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"maxResults": 101}, "Max results can not be greater than 100"),
        ({"nextToken": "nonsense"}, naming("token")),
        (
            {"launchType": "MOON"},
            "launch type should be one of [EC2,FARGATE,EXTERNAL,FMI,MANAGED_INSTANCES]",
        ),
        ({"schedulingStrategy": "ONCE"}, "Scheduling strategy should be one of [REPLICA,DAEMON]"),
    ],
)
def test_a_list_that_breaks_a_rule_is_refused(account: Account, members: dict[str, Any], message: Any) -> None:
    refused(account.lax.list_services, IPE, message, cluster=cluster(account), **members)


def test_a_page_token_is_good_only_for_the_same_question(account: Account) -> None:
    name, definition = cluster(account), register(account)
    for _ in range(2):
        create_service(account, name, definition, desiredCount=0, serviceName=unique("s"))
    token = account.ecs.list_services(cluster=name, maxResults=1)["nextToken"]
    call = account.ecs.list_services
    refused(call, IPE, naming("token"), cluster=name, nextToken=token, launchType="EC2")
    refused(call, IPE, naming("token"), cluster=cluster(account), nextToken=token)
