"""Express services: from an image to a service that runs, its revisions, its end, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.express import EXEC, INFRA, create, describe, own
from support.patience import until
from support.shapes import cluster, create_service, register, register_fargate, service, stable

IPE = "InvalidParameterException"
TASK = "arn:aws:iam::123456789012:role/task"


def test_an_image_and_two_roles_make_a_service_that_runs(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, serviceName="web")
    arn = account.arn(f"service/{name}/web")
    assert made["serviceArn"] == arn
    assert made["cluster"] == name
    assert made["serviceName"] == "web"
    assert made["infrastructureRoleArn"] == INFRA
    assert made["status"] == {"statusCode": "ACTIVE"}
    assert made["createdAt"] == made["updatedAt"]
    assert "tags" not in made
    assert made["currentDeployment"].startswith(account.arn(f"service-deployment/{name}/web/"))
    (active,) = made["activeConfigurations"]
    assert re.fullmatch(
        re.escape(account.arn(f"service-revision/{name}/web/")) + r"\d{19}", active["serviceRevisionArn"]
    )
    assert active["taskDefinitionArn"] == account.arn(f"task-definition/{name}-web:1")
    assert active["executionRoleArn"] == EXEC
    assert "taskRoleArn" not in active
    assert (active["cpu"], active["memory"], active["cpuArchitecture"]) == ("256", "512", "X86_64")
    assert active["healthCheckPath"] == "/ping"
    assert active["scalingTarget"] == {
        "minTaskCount": 1,
        "maxTaskCount": 20,
        "autoScalingMetric": "AVERAGE_CPU",
        "autoScalingTargetValue": 60,
    }
    assert active["primaryContainer"] == {
        "image": "nginx",
        "containerPort": 80,
        "awsLogsConfiguration": {"logGroup": f"/aws/ecs/{name}/web", "logStreamPrefix": "ecs"},
    }
    (path,) = active["ingressPaths"]
    assert path["accessType"] == "PUBLIC"
    assert re.fullmatch(rf"https://web-[0-9a-f]{{12}}\.ecs\.{account.region}\.on\.aws/", path["endpoint"])
    found = stable(account, name, "web")
    assert found["resourceManagementType"] == "ECS"
    assert found["launchType"] == "FARGATE"
    assert (found["desiredCount"], found["runningCount"]) == (1, 1)
    assert found["taskDefinition"] == active["taskDefinitionArn"]
    assert account.ecs.list_services(cluster=name)["serviceArns"] == [arn]
    assert len(account.ecs.list_tasks(cluster=name, serviceName="web")["taskArns"]) == 1
    described = describe(account, arn)
    assert described["activeConfigurations"] == [active]
    assert "currentDeployment" not in described, "it is through"


def test_every_member_is_kept_and_read_back(account: Account) -> None:
    name = cluster(account)
    container = {
        "image": "shop:1",
        "containerPort": 8080,
        "awsLogsConfiguration": {"logGroup": "/shop", "logStreamPrefix": "web"},
        "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"},
        "command": ["serve", "--fast"],
        "environment": [{"name": "MODE", "value": "shop"}],
        "secrets": [{"name": "KEY", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/key"}],
    }
    network = {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"]}
    scaling = {
        "minTaskCount": 2,
        "maxTaskCount": 5,
        "autoScalingMetric": "REQUEST_COUNT_PER_TARGET",
        "autoScalingTargetValue": 1000,
    }
    tags = [{"key": "team", "value": "shop"}]
    made = create(
        account,
        name,
        primaryContainer=container,
        taskRoleArn=TASK,
        cpu="512",
        memory="1024",
        cpuArchitecture="ARM64",
        healthCheckPath="/health?deep=1",
        networkConfiguration=network,
        scalingTarget=scaling,
        tags=tags,
    )
    assert made["tags"] == tags
    described = describe(account, made["serviceArn"], include=["TAGS"])
    assert described["tags"] == tags
    (active,) = described["activeConfigurations"]
    assert active == made["activeConfigurations"][0]
    expected = {
        "taskRoleArn": TASK,
        "cpu": "512",
        "memory": "1024",
        "cpuArchitecture": "ARM64",
        "healthCheckPath": "/health?deep=1",
        "networkConfiguration": network,
        "primaryContainer": container,
        "scalingTarget": scaling,
    }
    assert {member: active[member] for member in expected} == expected
    definition = account.ecs.describe_task_definition(taskDefinition=active["taskDefinitionArn"])["taskDefinition"]
    assert definition["requiresCompatibilities"] == ["FARGATE"]
    assert definition["runtimePlatform"] == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert definition["containerDefinitions"][0]["portMappings"][0]["name"] == "main-8080-tcp"
    found = service(account, name, made["serviceName"])
    assert found["desiredCount"] == 2
    vpc = found["networkConfiguration"]["awsvpcConfiguration"]
    assert (vpc["subnets"], vpc["securityGroups"]) == (network["subnets"], network["securityGroups"])


def test_an_update_makes_a_revision_and_rolls_it_out(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, serviceName="web", scalingTarget={"minTaskCount": 2})
    arn = made["serviceArn"]
    stable(account, name, "web")
    updated = account.ecs.update_express_gateway_service(
        serviceArn=arn,
        primaryContainer={"image": "nginx:2"},
        taskRoleArn=TASK,
        healthCheckPath="/up",
        scalingTarget={"minTaskCount": 3},
    )["service"]
    target = updated["targetConfiguration"]
    (before,) = made["activeConfigurations"]
    assert (updated["serviceArn"], updated["cluster"], updated["serviceName"]) == (arn, name, "web")
    assert updated["status"] == {"statusCode": "ACTIVE"}
    assert updated["updatedAt"] > updated["createdAt"] == made["createdAt"]
    assert target["serviceRevisionArn"] != before["serviceRevisionArn"]
    assert target["taskDefinitionArn"] == account.arn(f"task-definition/{name}-web:2")
    assert (target["primaryContainer"]["image"], target["taskRoleArn"]) == ("nginx:2", TASK)
    assert target["executionRoleArn"] == EXEC, "what isn't said stays"
    assert target["healthCheckPath"] == "/up"
    assert target["ingressPaths"] == before["ingressPaths"], "the address stays"
    found = stable(account, name, "web")
    assert found["runningCount"] == 3
    assert describe(account, arn)["activeConfigurations"] == [target]
    tasks = account.ecs.list_tasks(cluster=name, serviceName="web")["taskArns"]
    shown = account.ecs.describe_tasks(cluster=name, tasks=tasks)["tasks"]
    assert {task["taskDefinitionArn"] for task in shown} == {target["taskDefinitionArn"]}


def test_while_it_rolls_out_both_revisions_are_active(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, serviceName="web")
    stable(account, name, "web")
    account.ecs.update_express_gateway_service(serviceArn=made["serviceArn"], cpu="512", memory="1024")
    described = describe(account, made["serviceArn"])
    sizes = [active["cpu"] for active in described["activeConfigurations"]]
    assert sizes[0] == "512"
    assert sizes in (["512", "256"], ["512"])
    stable(account, name, "web")
    (active,) = describe(account, made["serviceArn"])["activeConfigurations"]
    assert active["cpu"] == "512"


def test_an_update_that_changes_nothing_begins_no_deployment(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, serviceName="web")
    (before,) = made["activeConfigurations"]
    stable(account, name, "web")
    same = {"primaryContainer": {"image": "nginx"}, "cpu": ".25 vCPU", "scalingTarget": {"maxTaskCount": 20}}
    updated = account.ecs.update_express_gateway_service(serviceArn=made["serviceArn"], **same)["service"]
    assert updated["targetConfiguration"] == before
    assert updated["updatedAt"] == made["updatedAt"]
    assert len(account.all("list_service_deployments", "serviceDeployments", cluster=name, service="web")) == 1


def test_the_desired_count_stays_within_the_bounds(account: Account) -> None:
    name = cluster(account)
    arn = create(account, name, serviceName="web", scalingTarget={"minTaskCount": 1, "maxTaskCount": 4})["serviceArn"]
    account.ecs.update_service(cluster=name, service="web", desiredCount=4)
    for bounds, desired in [({"maxTaskCount": 3}, 3), ({"maxTaskCount": 9}, 3)]:
        account.ecs.update_express_gateway_service(serviceArn=arn, scalingTarget=bounds)
        assert service(account, name, "web")["desiredCount"] == desired
    assert stable(account, name, "web")["runningCount"] == 3


def test_a_task_definition_of_ones_own(account: Account) -> None:
    name, definition = cluster(account), own(account)
    made = create(account, name, serviceName="web", taskDefinitionArn=definition)
    (active,) = made["activeConfigurations"]
    assert active["taskDefinitionArn"] == definition
    assert active["primaryContainer"] == {"image": "nginx", "containerPort": 8080}
    assert "executionRoleArn" not in active
    assert "cpuArchitecture" not in active, "nobody has said one"
    assert (
        len(
            account.ecs.describe_tasks(cluster=name, tasks=[_one_task(account, name, "web")])["tasks"][0][
                "containers"
            ]
        )
        == 2
    )
    arn = made["serviceArn"]
    refused(account.ecs.update_express_gateway_service, IPE, naming("primaryContainer"), serviceArn=arn, cpu="512")
    other = own(account, image="nginx:2")
    updated = account.ecs.update_express_gateway_service(serviceArn=arn, taskDefinitionArn=other)["service"]
    assert updated["targetConfiguration"]["taskDefinitionArn"] == other
    back = account.ecs.update_express_gateway_service(
        serviceArn=arn, primaryContainer={"image": "shop"}, executionRoleArn=EXEC
    )["service"]
    assert back["targetConfiguration"]["taskDefinitionArn"] == account.arn(f"task-definition/{name}-web:1")
    stable(account, name, "web")


def _one_task(account: Account, cluster_name: str, name: str) -> str:
    def look() -> list[str]:
        return list(account.ecs.list_tasks(cluster=cluster_name, serviceName=name)["taskArns"])

    return until(look, bool, what="a task")[0]


def test_a_deleted_service_drains_and_is_gone(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, serviceName="web")
    arn = made["serviceArn"]
    stable(account, name, "web")
    deleted = account.ecs.delete_express_gateway_service(serviceArn=arn)["service"]
    assert deleted["status"]["statusCode"] == "DRAINING"
    assert deleted["serviceArn"] == arn
    found = until(
        lambda: describe(account, arn), lambda it: it["status"]["statusCode"] == "INACTIVE", what="INACTIVE"
    )
    assert found["activeConfigurations"] == []
    assert account.ecs.list_tasks(cluster=name)["taskArns"] == []
    assert account.ecs.list_services(cluster=name)["serviceArns"] == []
    code = "ServiceNotActiveException"
    refused(account.ecs.delete_express_gateway_service, code, "Service was not ACTIVE.", serviceArn=arn)
    refused(account.ecs.update_express_gateway_service, code, "Service was not ACTIVE.", serviceArn=arn, cpu="512")
    again = create(account, name, serviceName="web")
    assert again["serviceArn"] == arn
    assert again["createdAt"] > made["createdAt"]
    assert again["activeConfigurations"][0]["taskDefinitionArn"].endswith(":2")


def test_without_a_name_and_a_cluster_both_are_made(account: Account) -> None:
    request = {
        "infrastructureRoleArn": INFRA,
        "executionRoleArn": EXEC,
        "primaryContainer": {"image": "nginx"},
    }
    made = account.ecs.create_express_gateway_service(**request)["service"]
    assert made["cluster"] == "default"
    assert made["serviceName"]
    (default,) = account.ecs.describe_clusters()["clusters"]
    assert default["capacityProviders"] == ["FARGATE"]
    assert account.ecs.create_express_gateway_service(**request)["service"]["serviceName"] != made["serviceName"]


def test_it_is_tagged_like_any_service_and_listed_apart(account: Account) -> None:
    name = cluster(account)
    arn = create(account, name, serviceName="web")["serviceArn"]
    plain = create_service(account, name, register(account), desiredCount=0)["serviceArn"]
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}])
    assert describe(account, arn, include=["TAGS"])["tags"] == [{"key": "a", "value": "1"}]
    assert "tags" not in describe(account, arn)
    for management, arns in [("ECS", [arn]), ("CUSTOMER", [plain])]:
        assert account.ecs.list_services(cluster=name, resourceManagementType=management)["serviceArns"] == arns


def test_a_revision_says_what_is_managed(account: Account) -> None:
    name = cluster(account)
    (active,) = create(account, name, serviceName="web")["activeConfigurations"]
    shown = account.ecs.describe_service_revisions(serviceRevisionArns=[active["serviceRevisionArn"]])
    (revision,) = shown["serviceRevisions"]
    assert revision["ecsManagedResources"]["ingressPaths"] == active["ingressPaths"]


def test_two_accounts_do_not_see_each_other(account: Account, new_account: Callable[..., Account]) -> None:
    name = cluster(account)
    made = create(account, name, serviceName="web")
    other = new_account(region=account.region)
    cluster(other, name)
    theirs = create(other, name, serviceName="web")
    ours, others = made["activeConfigurations"][0], theirs["activeConfigurations"][0]
    assert ours["ingressPaths"][0]["endpoint"] != others["ingressPaths"][0]["endpoint"]
    refused(other.ecs.describe_express_gateway_service, IPE, naming(account.account), serviceArn=made["serviceArn"])


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"infrastructureRoleArn": "infra"}, "infrastructureRoleArn"),
        ({"executionRoleArn": "exec"}, "executionRoleArn"),
        ({"taskRoleArn": "arn:aws:iam::123456789012:user/x"}, "taskRoleArn"),
        ({"serviceName": "no spaces"}, "Service name"),
        ({"primaryContainer": {"image": ""}}, "image"),
        ({"primaryContainer": {"image": "nginx", "containerPort": 70000}}, "containerPort"),
        ({"healthCheckPath": "ping"}, "healthCheckPath"),
        ({"scalingTarget": {"minTaskCount": 3, "maxTaskCount": 2}}, "maxTaskCount"),
        ({"scalingTarget": {"minTaskCount": -1}}, "minTaskCount"),
        ({"scalingTarget": {"autoScalingTargetValue": 101}}, "autoScalingTargetValue"),
        ({"networkConfiguration": {"securityGroups": [f"sg-{n}" for n in range(6)]}}, "securityGroups"),
        ({"networkConfiguration": {"subnets": [f"subnet-{n}" for n in range(17)]}}, "subnets"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "aws:"),
    ],
)
def test_what_a_creation_refuses(account: Account, members: dict[str, Any], words: str) -> None:
    name = cluster(account)
    request = {
        "cluster": name,
        "infrastructureRoleArn": INFRA,
        "executionRoleArn": EXEC,
        "primaryContainer": {"image": "nginx"},
        **members,
    }
    refused(account.lax.create_express_gateway_service, IPE, naming(words), **request)
    assert account.ecs.list_services(cluster=name)["serviceArns"] == []
    assert account.ecs.list_task_definitions()["taskDefinitionArns"] == []


def test_what_is_missing_is_named(account: Account) -> None:
    call = account.lax.create_express_gateway_service
    name = cluster(account)
    image = {"image": "nginx"}
    refused(call, IPE, naming("infrastructureRoleArn"), cluster=name, executionRoleArn=EXEC, primaryContainer=image)
    refused(call, IPE, naming("executionRoleArn"), cluster=name, infrastructureRoleArn=INFRA, primaryContainer=image)
    refused(call, IPE, naming("primaryContainer"), cluster=name, infrastructureRoleArn=INFRA, executionRoleArn=EXEC)


def test_sizes_and_processors_are_those_of_fargate(account: Account) -> None:
    request = {
        "cluster": cluster(account),
        "infrastructureRoleArn": INFRA,
        "executionRoleArn": EXEC,
        "primaryContainer": {"image": "nginx"},
    }
    for members, words in [
        ({"cpu": "256", "memory": "9000"}, "No Fargate configuration exists"),
        ({"cpuArchitecture": "M68K"}, "Invalid CPU architecture"),
    ]:
        refused(account.lax.create_express_gateway_service, "ClientException", naming(words), **request, **members)


def test_a_task_definition_of_ones_own_must_fit_and_stand_alone(account: Account) -> None:
    name, call = cluster(account), account.ecs.create_express_gateway_service
    base = {"cluster": name, "infrastructureRoleArn": INFRA}
    for member, value in [
        ("primaryContainer", {"image": "nginx"}),
        ("executionRoleArn", EXEC),
        ("taskRoleArn", TASK),
        ("cpu", "256"),
        ("memory", "512"),
        ("cpuArchitecture", "ARM64"),
    ]:
        refused(
            call, IPE, naming("taskDefinitionArn", member), **base, taskDefinitionArn=own(account), **{member: value}
        )
    for definition, words in [
        (register(account), "FARGATE"),
        (register_fargate(account), "Main"),
        (register_fargate(account, {"name": "Main", "image": "nginx"}), "port"),
    ]:
        refused(call, IPE, naming(words), **base, taskDefinitionArn=definition)
    refused(call, IPE, naming("taskDefinitionArn"), **base, taskDefinitionArn="web:1")
    absent = account.arn("task-definition/absent:1")
    refused(call, "ClientException", "TaskDefinition not found.", **base, taskDefinitionArn=absent)


def test_a_name_is_there_once(account: Account) -> None:
    name = cluster(account)
    create(account, name, serviceName="web")
    refused(
        account.ecs.create_express_gateway_service,
        IPE,
        "Creation of service was not idempotent.",
        cluster=name,
        serviceName="web",
        infrastructureRoleArn=INFRA,
        executionRoleArn=EXEC,
        primaryContainer={"image": "nginx"},
    )


def test_what_is_not_there_is_not_found(account: Account) -> None:
    name = cluster(account)
    absent, elsewhere = account.arn(f"service/{name}/absent"), account.arn("service/absent/web")
    calls = [
        (account.ecs.describe_express_gateway_service, "ResourceNotFoundException"),
        (account.ecs.update_express_gateway_service, "ServiceNotFoundException"),
        (account.ecs.delete_express_gateway_service, "ServiceNotFoundException"),
    ]
    plain = create_service(account, name, register(account), desiredCount=0)["serviceArn"]
    for call, code in calls:
        refused(call, code, "Service not found.", serviceArn=absent)
        refused(call, "ClusterNotFoundException", serviceArn=elsewhere)
        for wrong in ["web", "", account.arn(f"cluster/{name}"), account.arn("service/web")]:
            refused(call, IPE, naming("ARN"), serviceArn=wrong)
        refused(call, IPE, naming("not an Express service"), serviceArn=plain)
    refused(
        account.ecs.create_express_gateway_service,
        "ClusterNotFoundException",
        "Cluster not found.",
        cluster="absent",
        infrastructureRoleArn=INFRA,
        executionRoleArn=EXEC,
        primaryContainer={"image": "nginx"},
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"healthCheckPath": "up"}, "healthCheckPath"),
        ({"taskRoleArn": "x"}, "taskRoleArn"),
        ({"scalingTarget": {"maxTaskCount": 0}}, "maxTaskCount"),
        ({"primaryContainer": {"image": "nginx", "containerPort": -1}}, "containerPort"),
        ({"networkConfiguration": {"subnets": [" "]}}, "blank"),
    ],
)
def test_what_an_update_refuses(account: Account, members: dict[str, Any], words: str) -> None:
    made = create(account, cluster(account))
    refused(account.ecs.update_express_gateway_service, IPE, naming(words), serviceArn=made["serviceArn"], **members)
    assert (
        describe(account, made["serviceArn"])["activeConfigurations"][0]["serviceRevisionArn"]
        == (made["activeConfigurations"][0]["serviceRevisionArn"])
    )


def test_a_description_refuses_an_include_that_there_is_not(account: Account) -> None:
    arn = create(account, cluster(account))["serviceArn"]
    refused(account.lax.describe_express_gateway_service, IPE, naming("include"), serviceArn=arn, include=["ALL"])
