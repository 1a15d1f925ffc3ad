"""Service deployments and service revisions: true records of what was deployed."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.patience import until
from support.shapes import (
    NETWORK,
    cluster,
    container,
    create_service,
    deployment_arn,
    register,
    register_fargate,
    stable,
    unique,
)

IPE = "InvalidParameterException"
NO_ARN, NO_REVISION = "The Service ARN provided is invalid.", "The ServiceRevision ARN is invalid."


def number(deployment: dict[str, Any]) -> str:
    return str(deployment["id"]).removeprefix("ecs-svc/")


def record(account: Account, arn: str) -> dict[str, Any]:
    (found,) = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    return dict(found)


def records(account: Account, name: str, service_name: str, **members: Any) -> list[dict[str, Any]]:
    return account.all(
        "list_service_deployments", "serviceDeployments", cluster=name, service=service_name, **members
    )


def revision(account: Account, arn: str) -> dict[str, Any]:
    (found,) = account.ecs.describe_service_revisions(serviceRevisionArns=[arn])["serviceRevisions"]
    return dict(found)


def revision_arn(account: Account, name: str, service_name: str, deployment: dict[str, Any]) -> str:
    return account.arn(f"service-revision/{name}/{service_name}/{number(deployment)}")


def test_the_first_record_goes_from_nothing_to_success(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=2)
    arn = deployment_arn(account, name, made)
    first = record(account, arn)
    assert first["status"] in ("PENDING", "IN_PROGRESS", "SUCCESSFUL")
    assert first["sourceServiceRevisions"] == []
    stable(account, name, made["serviceName"])
    done = until(lambda: record(account, arn), lambda one: one["status"] == "SUCCESSFUL")
    target = revision_arn(account, name, made["serviceName"], made["deployments"][0])
    assert done["serviceArn"] == made["serviceArn"]
    assert done["clusterArn"] == made["clusterArn"]
    assert done["targetServiceRevision"] == {
        "arn": target,
        "requestedTaskCount": 2,
        "runningTaskCount": 2,
        "pendingTaskCount": 0,
    }
    assert done["createdAt"] <= done["startedAt"] <= done["finishedAt"]
    assert done["deploymentConfiguration"]["maximumPercent"] == 200
    breaker = done["deploymentCircuitBreaker"]
    assert breaker["failureCount"] == 0
    assert breaker["status"] in ("DISABLED", "MONITORING_COMPLETE")
    assert done["alarms"]["status"] == "DISABLED"


def test_a_roll_is_recorded_with_its_source_and_target(account: Account) -> None:
    name, family = cluster(account), unique("family")
    made = create_service(account, name, register(account, family=family))
    first = stable(account, name, made["serviceName"])["deployments"][0]
    register(account, family=family)
    updated = account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)["service"]
    stable(account, name, made["serviceName"])
    done = until(
        lambda: record(account, deployment_arn(account, name, updated)),
        lambda one: one["status"] == "SUCCESSFUL",
    )
    assert [one["arn"] for one in done["sourceServiceRevisions"]] == [
        revision_arn(account, name, made["serviceName"], first)
    ]
    assert done["targetServiceRevision"]["arn"] == revision_arn(
        account, name, made["serviceName"], updated["deployments"][0]
    )
    listed = records(account, name, made["serviceName"])
    assert [one["serviceDeploymentArn"] for one in listed] == [
        deployment_arn(account, name, updated),
        deployment_arn(account, name, made),
    ]
    assert {one["status"] for one in listed} == {"SUCCESSFUL"}
    assert listed[0]["targetServiceRevisionArn"] == done["targetServiceRevision"]["arn"]


def test_a_superseded_deployment_is_recorded_as_stopped(account: Account) -> None:
    name, family = cluster(account), unique("family")
    made = create_service(account, name, register(account, family=family))
    stable(account, name, made["serviceName"])
    slow = register(account, container(sim={"start_delay": "1h"}), family=family)
    stuck = account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=slow)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=made["taskDefinition"])
    ended = until(
        lambda: record(account, deployment_arn(account, name, stuck["service"])),
        lambda one: one["status"] == "STOPPED",
    )
    assert ended["statusReason"]
    assert "stoppedAt" in ended


def test_records_are_filtered_by_status_and_time(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account))
    stable(account, name, made["serviceName"])
    account.ecs.update_service(cluster=name, service=made["serviceName"], forceNewDeployment=True)
    stable(account, name, made["serviceName"])
    newest, oldest = until(
        lambda: records(account, name, made["serviceName"], status=["SUCCESSFUL"]),
        lambda found: len(found) == 2,
    )
    assert records(account, name, made["serviceName"], status=["PENDING", "IN_PROGRESS"]) == []
    assert records(account, name, made["serviceName"], status=["STOPPED", "SUCCESSFUL"]) == [newest, oldest]
    instant = newest["createdAt"] - datetime.timedelta(milliseconds=1)
    assert records(account, name, made["serviceName"], createdAt={"after": instant}) == [newest]
    assert records(account, name, made["serviceName"], createdAt={"before": instant}) == [oldest]
    pages = account.pages(
        "list_service_deployments",
        "serviceDeployments",
        cluster=name,
        service=made["serviceArn"],
        maxResults=1,
    )
    assert list(pages) == [[newest], [oldest]]


def test_records_are_listed_twenty_at_a_time_unless_told_otherwise(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    for _ in range(21):
        account.ecs.update_service(cluster=name, service=made["serviceName"], forceNewDeployment=True)
    asked: dict[str, Any] = {"cluster": name, "service": made["serviceName"]}
    pages = list(account.pages("list_service_deployments", "serviceDeployments", **asked))
    assert [len(page) for page in pages] == [20, 2]
    moments = [one["createdAt"] for page in pages for one in page]
    assert moments == sorted(moments, reverse=True)
    assert len(account.ecs.list_service_deployments(**asked, maxResults=100)["serviceDeployments"]) == 22


def test_a_revision_is_a_snapshot_of_the_service(account: Account) -> None:
    name, definition = cluster(account), register_fargate(account)
    made = create_service(
        account, name, definition, launchType="FARGATE", networkConfiguration=NETWORK, desiredCount=0
    )
    arn = made["currentServiceRevisions"][0]["arn"]
    found = revision(account, arn)
    assert found["serviceRevisionArn"] == arn
    assert (found["serviceArn"], found["clusterArn"]) == (made["serviceArn"], made["clusterArn"])
    assert found["taskDefinition"] == definition
    assert (found["launchType"], found["platformVersion"], found["platformFamily"]) == (
        "FARGATE",
        "1.4.0",
        "Linux",
    )
    assert found["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == ["subnet-0a1b2c3d"]
    assert found["guardDutyEnabled"] is False
    assert found["createdAt"]


def test_a_revision_stays_as_it_was_and_names_its_images(account: Account) -> None:
    name, family = cluster(account), unique("family")
    made = create_service(account, name, register(account, family=family))
    first = made["currentServiceRevisions"][0]["arn"]
    stable(account, name, made["serviceName"])
    before = revision(account, first)
    (image,) = before["containerImages"]
    assert (image["containerName"], image["image"]) == ("app", "busybox:1.36")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", image["imageDigest"])
    register(account, container(image="busybox:2"), family=family)
    account.ecs.update_service(cluster=name, service=made["serviceName"], taskDefinition=family)
    stable(account, name, made["serviceName"])
    assert revision(account, first) == before


def test_revisions_of_a_draining_service_are_described_and_of_an_inactive_one_not(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account, container(sim={"stop_delay": "400ms"})))
    arn = made["currentServiceRevisions"][0]["arn"]
    stable(account, name, made["serviceName"])
    account.ecs.delete_service(cluster=name, service=made["serviceName"], force=True)
    assert revision(account, arn)["serviceRevisionArn"] == arn
    account.ecs.get_waiter("services_inactive").wait(
        cluster=name, services=[made["serviceName"]], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
    )
    message = "Cannot call DescribeServiceRevisions for a service that is INACTIVE"
    refused(account.ecs.describe_service_revisions, IPE, message, serviceRevisionArns=[arn])
    again = create_service(account, name, register(account), serviceName=made["serviceName"])
    assert again["serviceArn"] == made["serviceArn"]
    answer = account.ecs.describe_service_revisions(serviceRevisionArns=[arn])
    assert answer["serviceRevisions"] == []
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_an_unknown_revision_asked_for_twice_is_two_failures(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    arn = account.arn(f"service-revision/{name}/{made['serviceName']}/{'1' * 19}")
    answer = account.ecs.describe_service_revisions(serviceRevisionArns=[arn, arn])
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}] * 2


def test_bad_revision_arns_are_refused(account: Account) -> None:
    name = cluster(account)
    call = account.ecs.describe_service_revisions
    first, second = (
        create_service(account, name, register(account), desiredCount=0)["currentServiceRevisions"][0]["arn"]
        for _ in range(2)
    )
    refused(call, IPE, NO_ARN, serviceRevisionArns=[])
    refused(call, IPE, NO_ARN, serviceRevisionArns=["web"])
    refused(account.lax.describe_service_revisions, IPE, NO_ARN)
    elsewhere = first.replace(account.account, "000000000001")
    refused(call, IPE, NO_REVISION, serviceRevisionArns=[elsewhere])
    message = naming(
        "Cross service requests are not allowed. All requested service revisions must be for a single service"
    )
    refused(call, IPE, message, serviceRevisionArns=[first, second])
    message = naming("Service Revision ARN count cannot exceed 20")
    refused(call, IPE, message, serviceRevisionArns=[first] * 21)


def test_revisions_of_a_service_that_is_not_there_are_not_found(account: Account) -> None:
    name = cluster(account)
    arn = account.arn(f"service-revision/{name}/absent/{'1' * 19}")
    refused(
        account.ecs.describe_service_revisions,
        "ServiceNotFoundException",
        "Service not found.",
        serviceRevisionArns=[arn],
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"maxResults": 101}, "Max results can not be greater than 100"),
        ({"nextToken": "nonsense"}, naming("token")),
        ({"status": ["SLEEPING"]}, naming("status")),
    ],
)
def test_bad_lists_of_records_are_refused(account: Account, members: dict[str, Any], message: Any) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    call = account.lax.list_service_deployments
    refused(call, IPE, message, cluster=name, service=made["serviceName"], **members)


def test_bad_descriptions_of_records_are_refused(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    arn = deployment_arn(account, name, made)
    call = account.ecs.describe_service_deployments
    refused(call, IPE, naming("deployment"), serviceDeploymentArns=[])
    refused(call, IPE, naming("20"), serviceDeploymentArns=[arn] * 21)
    refused(call, IPE, naming("arn"), serviceDeploymentArns=["web"])
    refused(account.lax.describe_service_deployments, IPE, naming("serviceDeploymentArns"))


def test_a_record_that_is_not_there_is_a_failure(account: Account) -> None:
    name = cluster(account)
    made = create_service(account, name, register(account), desiredCount=0)
    arn = account.arn(f"service-deployment/{name}/{made['serviceName']}/{'a' * 21}")
    answer = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    assert answer["serviceDeployments"] == []
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
