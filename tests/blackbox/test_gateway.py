"""Gateways: their settings, their associations with clusters, their routes to services, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.gateway import INFRA, associate, associations, connected, create, definition, describe, routes
from support.patience import until
from support.shapes import NETWORK, cluster, service, stable

IPE = "InvalidParameterException"
GONE = "GatewayNotFoundException"
DEFAULTS = {
    "networkConfiguration": {"ipAddressType": "dualstack"},
    "scheme": "internet-facing",
    "port": 443,
    "protocol": "HTTPS",
    "maxAlbCount": 10,
    "currentAlbCount": 0,
    "httpDesync": "defensive",
}


def test_the_least_that_makes_a_gateway_reads_back_with_its_defaults(account: Account) -> None:
    answer = account.ecs.create_gateway(
        name="front", infrastructureRoleArn=INFRA, configuration={"hostSharedAlb": {}}
    )
    answer.pop("ResponseMetadata")
    arn = account.arn("gateway/front")
    assert answer == {"gatewayArn": arn, "name": "front", "status": "ACTIVE"}
    for named in ["front", arn]:
        found = describe(account, named)
        assert found.pop("createdAt") == found.pop("updatedAt")
        assert found == {
            "gatewayArn": arn,
            "name": "front",
            "status": "ACTIVE",
            "failures": [],
            "infrastructureRoleArn": INFRA,
            "deletionProtection": True,
            "configuration": {"hostSharedAlb": DEFAULTS},
            "accessType": "PUBLIC",
            "propagateTags": "GATEWAY",
            "tags": [],
        }


def test_every_member_is_kept_and_read_back(account: Account) -> None:
    alb = {
        "networkConfiguration": {
            "inboundSecurityGroup": "sg-1",
            "subnets": ["subnet-1", "subnet-2"],
            "ipAddressType": "ipv4",
        },
        "scheme": "internal",
        "webACLArn": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/x/1",
        "accessLogs": {"destination": {"s3": {"bucket": "logs", "prefix": "front"}}},
        "port": 443,
        "protocol": "HTTPS",
        "maxAlbCount": 3,
        "httpDesync": "strictest",
        "testTrafficRules": {"header": {"name": "x-test", "values": ["1", "2"]}},
    }
    tags = [{"key": "team", "value": "edge"}]
    name = create(account, alb=alb, deletionProtection=False, tags=tags, propagateTags="NONE")
    found = describe(account, name)
    assert found["configuration"] == {"hostSharedAlb": {**alb, "currentAlbCount": 0}}
    assert (found["accessType"], found["deletionProtection"], found["propagateTags"]) == ("PRIVATE", False, "NONE")
    assert found["tags"] == tags
    account.ecs.tag_resource(resourceArn=found["gatewayArn"], tags=[{"key": "a", "value": "1"}])
    account.ecs.untag_resource(resourceArn=found["gatewayArn"], tagKeys=["team"])
    assert describe(account, name)["tags"] == [{"key": "a", "value": "1"}]
    assert account.ecs.list_tags_for_resource(resourceArn=found["gatewayArn"])["tags"] == [{"key": "a", "value": "1"}]


def test_an_update_is_carried_out_and_keeps_what_it_does_not_name(account: Account) -> None:
    name = create(account, alb={"maxAlbCount": 3})
    before = describe(account, name)
    answer = account.ecs.update_gateway(
        gateway=name,
        infrastructureRoleArn=INFRA + "2",
        deletionProtection=False,
        propagateTags="NONE",
        configuration={
            "hostSharedAlb": {"httpDesync": "monitor", "networkConfiguration": {"inboundSecurityGroup": "sg-2"}}
        },
    )
    assert answer["status"] == "UPDATE_IN_PROGRESS"
    found = until(lambda: describe(account, name), lambda it: it["status"] == "UPDATE_COMPLETE", what="the update")
    alb = found["configuration"]["hostSharedAlb"]
    assert (alb["maxAlbCount"], alb["httpDesync"]) == (3, "monitor")
    assert alb["networkConfiguration"] == {"ipAddressType": "dualstack", "inboundSecurityGroup": "sg-2"}
    assert found["infrastructureRoleArn"] == INFRA + "2"
    assert (found["deletionProtection"], found["propagateTags"]) == (False, "NONE")
    assert found["updatedAt"] > before["updatedAt"] == found["createdAt"]
    assert found["failures"] == []


def test_gateways_are_listed_by_name_in_pages(account: Account) -> None:
    for name in ["c", "a", "b"]:
        create(account, name)
    pages = list(account.pages("list_gateways", "gateways", maxResults=2))
    assert [[one["name"] for one in page] for page in pages] == [["a", "b"], ["c"]]
    (one,) = account.all("list_gateways", "gateways", names=["b", "absent"])
    assert one == {
        "gatewayArn": account.arn("gateway/b"),
        "name": "b",
        "status": "ACTIVE",
        "createdAt": describe(account, "b")["createdAt"],
    }
    assert account.all("list_gateways", "gateways", status=["UPDATE_FAILED", "DELETED"]) == []
    assert len(account.all("list_gateways", "gateways", status=["ACTIVE"])) == 3
    token = account.ecs.list_gateways(maxResults=1)["nextToken"]
    refused(account.ecs.list_gateways, IPE, "Invalid token", nextToken=token, names=["a"])


def test_a_token_makes_one_gateway(account: Account) -> None:
    request = {
        "name": "front",
        "infrastructureRoleArn": INFRA,
        "configuration": {"hostSharedAlb": {}},
        "clientToken": "once",
    }
    for _ in range(2):
        assert account.ecs.create_gateway(**request)["gatewayArn"] == account.arn("gateway/front")
    assert len(account.all("list_gateways", "gateways")) == 1
    refused(account.ecs.create_gateway, IPE, naming("front", "already exists"), **{**request, "clientToken": "twice"})
    refused(account.ecs.create_gateway, IPE, naming("token"), **{**request, "clientToken": "x" * 37})


def test_a_gateway_is_deleted_when_nothing_speaks_against_it(account: Account) -> None:
    gateway, name = create(account), cluster(account)
    refused(account.ecs.delete_gateway, IPE, naming("deletion protection"), gateway=gateway)
    account.ecs.update_gateway(gateway=gateway, deletionProtection=False)
    associate(account, gateway, name)
    refused(account.ecs.delete_gateway, IPE, naming("associated", name), gateway=gateway)
    answer = account.ecs.disassociate_gateway_from_cluster(gateway=gateway, cluster=name)
    assert answer["status"] == "DISASSOCIATING"
    until(lambda: associations(account), lambda found: found == [], what="no association")
    answer = account.ecs.delete_gateway(gateway=account.arn(f"gateway/{gateway}"))
    assert (answer["name"], answer["status"]) == (gateway, "DELETED")
    refused(account.ecs.describe_gateway, GONE, "Gateway not found.", gateway=gateway)
    assert account.all("list_gateways", "gateways") == []
    create(account, gateway)


def test_associations_are_listed_by_gateway_cluster_and_status(account: Account) -> None:
    one, two = create(account, "one"), create(account, "two")
    red, blue = cluster(account, "red"), cluster(account, "blue")
    for gateway, name in [(one, red), (one, blue), (two, account.arn(f"cluster/{red}")), (one, red)]:
        associate(account, gateway, name)
    everything = [("one", "blue", "ACTIVE"), ("one", "red", "ACTIVE"), ("two", "red", "ACTIVE")]
    assert associations(account) == everything
    assert associations(account, gateway="one") == everything[:2]
    assert associations(account, gateway=account.arn("gateway/two")) == everything[2:]
    assert associations(account, cluster="blue") == everything[:1]
    assert associations(account, cluster="red", gateway="one") == everything[1:2]
    assert associations(account, status=["DISASSOCIATING", "INACTIVE"]) == []
    assert associations(account, gateway="absent") == associations(account, cluster="absent") == []
    operation, member = "list_gateway_cluster_associations", "gatewayClusterAssociations"
    assert [len(page) for page in account.pages(operation, member, maxResults=2)] == [2, 1]


def test_a_cluster_has_at_most_five_gateways(account: Account) -> None:
    name = cluster(account)
    for _ in range(5):
        associate(account, create(account), name)
    sixth = create(account)
    call = account.ecs.associate_gateway_with_cluster
    refused(call, "ClientException", naming("at most 5"), gateway=sixth, cluster=name)
    associate(account, sixth, cluster(account))


def test_a_service_gets_a_route_from_each_gateway_of_its_cluster(account: Account) -> None:
    name, front, back = cluster(account), create(account, "front"), create(account, "back", {"scheme": "internal"})
    associate(account, front, name)
    associate(account, back, name)
    create(account, "elsewhere")
    made = connected(account, name, serviceName="web")
    first = routes(account)
    assert {route["status"] for route in first} <= {"CREATE_IN_PROGRESS", "ACTIVE"}
    stable(account, name, "web")
    arn = account.arn(f"gateway-route/front/{name}/web")
    (route,) = routes(account, gateway="front")
    assert route == {
        "gatewayRouteArn": arn,
        "gatewayArn": account.arn("gateway/front"),
        "clusterArn": account.arn(f"cluster/{name}"),
        "serviceArn": made["serviceArn"],
        "serviceContainerPortName": "web",
        "status": "ACTIVE",
    }
    shown = account.ecs.describe_gateway_route(gatewayRouteArn=arn)["gatewayRoute"]
    assert shown["gatewayRouteArn"] == arn
    assert shown["serviceArn"] == made["serviceArn"]
    assert (shown["serviceContainerPortName"], shown["status"]) == ("web", "ACTIVE")
    assert shown["serviceUrl"].startswith("https://web-")
    assert shown["serviceUrl"].endswith(f".ecs.{account.region}.on.aws")
    assert "resources" not in shown, "nothing that has an ARN stands behind a route"
    answer = account.ecs.describe_gateway_resources(gateway="front")["gatewayResources"]
    assert answer["gatewayArn"] == account.arn("gateway/front")
    (entry,) = answer["resources"]["hostSharedAlb"]
    assert entry == {"gatewayRouteArns": [arn]}
    assert describe(account, "front")["configuration"]["hostSharedAlb"]["currentAlbCount"] == 1
    nothing = account.ecs.describe_gateway_resources(gateway="elsewhere")["gatewayResources"]
    assert nothing["resources"]["hostSharedAlb"] == []
    revision = service(account, name, "web")["currentServiceRevisions"][0]["arn"]
    (known,) = account.ecs.describe_service_revisions(serviceRevisionArns=[revision])["serviceRevisions"]
    connections = known["ecsManagedResources"]["gatewayConnections"]
    assert {one["gatewayArn"]: (one["accessType"], one["status"]) for one in connections} == {
        account.arn("gateway/front"): ("PUBLIC", "ACTIVE"),
        account.arn("gateway/back"): ("PRIVATE", "ACTIVE"),
    }
    assert shown["serviceUrl"] in {one["serviceUrl"] for one in connections}


def test_routes_are_filtered_and_paged(account: Account) -> None:
    red, blue = cluster(account, "red"), cluster(account, "blue")
    for gateway in ["one", "two"]:
        create(account, gateway)
        associate(account, gateway, red)
        associate(account, gateway, blue)
    connected(account, red, serviceName="web", gatewayConnectors=[{"portName": "web"}])
    connected(account, blue, serviceName="web")
    only = [{"portName": "web", "filters": {"accessTypes": ["PRIVATE"]}}]
    connected(account, blue, serviceName="inner", gatewayConnectors=only)

    def short(**filters: Any) -> list[str]:
        return [route["gatewayRouteArn"].split("gateway-route/")[1] for route in routes(account, **filters)]

    everything = ["one/blue/web", "one/red/web", "two/blue/web", "two/red/web"]
    assert short() == everything
    assert short(gateway="two") == everything[2:]
    assert short(cluster="red") == ["one/red/web", "two/red/web"]
    assert short(service="web") == everything
    assert short(service=account.arn("service/blue/web"), gateway="one") == ["one/blue/web"]
    assert short(serviceContainerPortName="web") == everything
    assert short(serviceContainerPortName="other") == short(service="inner") == []
    assert short(status=["DELETE_FAILED"]) == []
    pages = account.pages("list_gateway_routes", "gatewayRoutes", maxResults=3)
    assert [len(page) for page in pages] == [3, 1]


def test_no_change_takes_effect_until_the_service_is_updated(account: Account) -> None:
    name, gateway = cluster(account), create(account)
    connected(account, name, serviceName="web")
    stable(account, name, "web")
    associate(account, gateway, name)
    account.ecs.update_service(cluster=name, service="web", desiredCount=2)
    assert routes(account) == [], "it was only scaled"
    account.ecs.update_service(cluster=name, service="web", gatewayConnectors=[{"portName": "web"}])
    stable(account, name, "web")
    (route,) = routes(account)
    assert route["status"] == "ACTIVE"
    account.ecs.disassociate_gateway_from_cluster(gateway=gateway, cluster=name)
    assert associations(account) == [(gateway, name, "DISASSOCIATING")]
    assert routes(account, cluster=name) == [route]
    account.ecs.update_service(cluster=name, service="web", forceNewDeployment=True)
    until(lambda: (routes(account), associations(account)), lambda it: it == ([], []), what="all is let go of")
    code = "ResourceNotFoundException"
    refused(account.ecs.describe_gateway_route, code, naming("route"), gatewayRouteArn=route["gatewayRouteArn"])


def test_an_updated_service_keeps_its_route_and_one_without_a_connector_loses_it(account: Account) -> None:
    name, gateway = cluster(account), create(account)
    associate(account, gateway, name)
    connected(account, name, serviceName="web")
    stable(account, name, "web")
    (before,) = routes(account)
    account.ecs.update_service(cluster=name, service="web", forceNewDeployment=True)
    (during,) = routes(account)
    assert during["status"] in ("UPDATE_IN_PROGRESS", "ACTIVE")
    stable(account, name, "web")
    assert routes(account) == [before]
    account.ecs.update_service(cluster=name, service="web", gatewayConnectors=[])
    assert {route["status"] for route in routes(account)} <= {"DELETE_IN_PROGRESS"}
    stable(account, name, "web")
    until(lambda: routes(account), lambda found: found == [], what="no route")


def test_a_deleted_service_has_no_routes(account: Account) -> None:
    name, gateway = cluster(account), create(account)
    associate(account, gateway, name)
    connected(account, name, serviceName="web")
    stable(account, name, "web")
    account.ecs.delete_service(cluster=name, service="web", force=True)
    assert {route["status"] for route in routes(account)} <= {"DELETE_IN_PROGRESS"}
    until(lambda: routes(account), lambda found: found == [], what="no route")
    assert associations(account) == [(gateway, name, "ACTIVE")]


def test_a_connector_must_name_a_port(account: Account) -> None:
    name = cluster(account)
    refused(
        account.ecs.create_service,
        IPE,
        naming("portName(absent)"),
        cluster=name,
        serviceName="web",
        taskDefinition=definition(account),
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        gatewayConnectors=[{"portName": "absent"}],
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"name": "no spaces"}, "Gateway name"),
        ({"name": "x" * 256}, "Gateway name"),
        ({"infrastructureRoleArn": "role"}, "infrastructureRoleArn"),
        ({"configuration": {}}, "hostSharedAlb"),
        ({"configuration": {"hostSharedAlb": {"port": 80}}}, "port"),
        ({"configuration": {"hostSharedAlb": {"protocol": "HTTP"}}}, "protocol"),
        ({"configuration": {"hostSharedAlb": {"protocol": "TCP"}}}, "protocol"),
        ({"configuration": {"hostSharedAlb": {"maxAlbCount": 0}}}, "maxAlbCount"),
        ({"configuration": {"hostSharedAlb": {"webACLArn": "x"}}}, "webACLArn"),
        ({"configuration": {"hostSharedAlb": {"accessLogs": {"destination": {}}}}}, "accessLogs"),
        ({"configuration": {"hostSharedAlb": {"testTrafficRules": {}}}}, "header"),
        ({"propagateTags": "ALL"}, "propagateTags"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "aws:"),
    ],
)
def test_what_a_creation_refuses(account: Account, members: dict[str, Any], words: str) -> None:
    request = {
        "name": "front",
        "infrastructureRoleArn": INFRA,
        "configuration": {"hostSharedAlb": {}},
        **members,
    }
    refused(account.lax.create_gateway, IPE, naming(words), **request)
    assert account.all("list_gateways", "gateways") == []


@pytest.mark.parametrize("missing", ["name", "infrastructureRoleArn", "configuration"])
def test_what_is_missing_is_named(account: Account, missing: str) -> None:
    request: dict[str, Any] = {
        "name": "front",
        "infrastructureRoleArn": INFRA,
        "configuration": {"hostSharedAlb": {}},
    }
    del request[missing]
    refused(account.lax.create_gateway, IPE, naming(missing), **request)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"infrastructureRoleArn": "role"}, "infrastructureRoleArn"),
        ({"configuration": {}}, "hostSharedAlb"),
        ({"configuration": {"hostSharedAlb": {"maxAlbCount": 0}}}, "maxAlbCount"),
        ({"configuration": {"hostSharedAlb": {"httpDesync": "none"}}}, "httpDesync"),
        ({"configuration": {"hostSharedAlb": {"networkConfiguration": {"inboundSecurityGroup": " "}}}}, "inbound"),
    ],
)
def test_what_an_update_refuses(account: Account, members: dict[str, Any], words: str) -> None:
    name = create(account)
    before = describe(account, name)
    refused(account.lax.update_gateway, IPE, naming(words), gateway=name, **members)
    assert describe(account, name) == before


def test_what_is_not_there_is_not_found(account: Account) -> None:
    name, gateway = cluster(account), create(account)
    ecs = account.ecs
    for named in ["absent", "", "no spaces", account.arn("gateway/absent")]:
        for call in [ecs.describe_gateway, ecs.update_gateway, ecs.delete_gateway, ecs.describe_gateway_resources]:
            refused(call, GONE, "Gateway not found.", gateway=named)
        refused(ecs.associate_gateway_with_cluster, GONE, "Gateway not found.", gateway=named, cluster=name)
        refused(ecs.disassociate_gateway_from_cluster, GONE, "Gateway not found.", gateway=named, cluster=name)
        refused(ecs.list_gateway_routes, GONE, "Gateway not found.", gateway=named)
    wrong = account.arn(f"cluster/{name}")
    for call in [ecs.describe_gateway, ecs.update_gateway, ecs.delete_gateway, ecs.describe_gateway_resources]:
        refused(call, IPE, "Unsupported resource type: cluster", gateway=wrong)
    for call in [ecs.associate_gateway_with_cluster, ecs.disassociate_gateway_from_cluster]:
        refused(call, "ClusterNotFoundException", "Cluster not found.", gateway=gateway, cluster="absent")
        refused(call, IPE, naming("Cluster"), gateway=gateway, cluster="no spaces")
    code = "ResourceNotFoundException"
    refused(ecs.disassociate_gateway_from_cluster, code, naming("not associated"), gateway=gateway, cluster=name)
    refused(ecs.describe_gateway_route, code, gatewayRouteArn=account.arn(f"gateway-route/{gateway}/{name}/web"))
    refused(ecs.describe_gateway_route, code, gatewayRouteArn=account.arn("gateway-route/short"))
    for text in ["", "web", account.arn(f"gateway/{gateway}")]:
        refused(ecs.describe_gateway_route, IPE, naming("gatewayRouteArn"), gatewayRouteArn=text)
    missing = {"resourceArn": account.arn("gateway/absent"), "tags": [{"key": "a", "value": ""}]}
    refused(ecs.tag_resource, IPE, naming("gateway was not found"), **missing)


def test_lists_refuse_what_they_can_not_read(account: Account) -> None:
    create(account)
    calls = [
        account.lax.list_gateways,
        account.lax.list_gateway_routes,
        account.lax.list_gateway_cluster_associations,
    ]
    for call in calls:
        refused(call, IPE, "Max results can not be lesser than 1", maxResults=0)
        refused(call, IPE, "Max results can not be greater than 100", maxResults=101)
        refused(call, IPE, "Invalid token", nextToken="x")
        refused(call, IPE, naming("status"), status=["SOMETIMES"])
    refused(account.ecs.list_gateways, IPE, naming("names"), names=[f"g{n}" for n in range(11)])
    refused(account.ecs.list_gateway_routes, IPE, naming("service"), service=account.arn("cluster/x"))
    refused(account.ecs.list_gateway_routes, IPE, naming("cluster"), cluster="no spaces")
    gateway = create(account)
    refused(account.ecs.describe_gateway_resources, IPE, naming("20"), gateway=gateway, maxResults=21)
    refused(account.ecs.describe_gateway_resources, IPE, "Invalid token", gateway=gateway, nextToken="x")


def test_two_accounts_and_regions_do_not_see_each_other(
    account: Account, new_account: Callable[..., Account]
) -> None:
    create(account, "front")
    region = "eu-west-1" if account.region != "eu-west-1" else "us-east-1"
    for other in [new_account(region=account.region), new_account(account.account, region)]:
        assert other.all("list_gateways", "gateways") == []
        for named in ["front", account.arn("gateway/front")]:
            refused(other.ecs.describe_gateway, GONE, "Gateway not found.", gateway=named)
        create(other, "front")
