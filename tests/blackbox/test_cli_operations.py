"""Every operation through the unmodified aws CLI: the good case of each, and bad input told to its user."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.account import Account
from support.cli import Cli
from support.patience import until
from support.shapes import cluster, container, create_service, is_stable, register

APP = json.dumps([container(portMappings=[{"containerPort": 80}])])
VPC = "awsvpcConfiguration={subnets=[subnet-1],securityGroups=[sg-1],assignPublicIp=ENABLED}"


def wait_stable(cli: Cli, account: Account, name: str) -> dict[str, Any]:
    found = until(
        lambda: account.ecs.describe_services(services=[name])["services"][0],
        lambda found: is_stable(found) and found["deployments"][0]["rolloutState"] == "COMPLETED",
    )
    return dict(found)


def test_clusters(cli: Cli) -> None:
    made = cli("create-cluster", "--cluster-name", "web", "--tags", "key=team,value=blue")["cluster"]
    assert (made["clusterName"], made["status"]) == ("web", "ACTIVE")
    assert cli("list-clusters")["clusterArns"] == [made["clusterArn"]]
    settings = ["--settings", "name=containerInsights,value=enabled"]
    updated = cli("update-cluster-settings", "--cluster", "web", *settings)["cluster"]
    assert updated["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    logging = "executeCommandConfiguration={logging=NONE}"
    updated = cli("update-cluster", "--cluster", "web", "--configuration", logging)["cluster"]
    assert updated["configuration"]["executeCommandConfiguration"]["logging"] == "NONE"
    found = cli("describe-clusters", "--clusters", "web", "--include", "TAGS", "SETTINGS", "STATISTICS")
    assert found["clusters"][0]["tags"] == [{"key": "team", "value": "blue"}]
    assert found["failures"] == []
    assert cli("delete-cluster", "--cluster", "web")["cluster"]["status"] == "INACTIVE"


def test_task_definitions(cli: Cli) -> None:
    for revision in (1, 2):
        made = cli("register-task-definition", "--family", "web", "--container-definitions", APP)
        assert made["taskDefinition"]["revision"] == revision
    found = cli("describe-task-definition", "--task-definition", "web")["taskDefinition"]
    assert found["taskDefinitionArn"] == made["taskDefinition"]["taskDefinitionArn"]
    assert found["containerDefinitions"][0]["portMappings"][0]["hostPort"] == 0
    assert len(cli("list-task-definitions", "--family-prefix", "web")["taskDefinitionArns"]) == 2
    assert cli("list-task-definition-families", "--status", "ACTIVE")["families"] == ["web"]
    gone = cli("deregister-task-definition", "--task-definition", "web:1")["taskDefinition"]
    assert gone["status"] == "INACTIVE"
    deleted = cli("delete-task-definitions", "--task-definitions", "web:1", "web:2")
    assert [one["status"] for one in deleted["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    assert [one["arn"] for one in deleted["failures"]] == ["web:2"]


def test_tasks(cli: Cli, account: Account) -> None:
    cluster(account, "default")
    register(account, family="job")
    run = ["run-task", "--task-definition", "job", "--count", "2", "--started-by", "me"]
    overrides = '{"containerOverrides": [{"name": "app", "command": ["echo", "hello"]}]}'
    ran = cli(*run, "--overrides", overrides, "--tags", "key=a,value=1", "--client-token", "t1")
    arns = [task["taskArn"] for task in ran["tasks"]]
    assert len(arns) == 2
    assert sorted(cli("list-tasks", "--family", "job", "--started-by", "me")["taskArns"]) == sorted(arns)
    assert cli("wait", "tasks-running", "--tasks", *arns) is None
    found = cli("describe-tasks", "--tasks", *arns, "--include", "TAGS")["tasks"]
    assert {task["lastStatus"] for task in found} == {"RUNNING"}
    assert found[0]["tags"] == [{"key": "a", "value": "1"}]
    assert found[0]["overrides"]["containerOverrides"] == [{"name": "app", "command": ["echo", "hello"]}]
    stopped = cli("stop-task", "--task", arns[0], "--reason", "enough")["task"]
    assert (stopped["desiredStatus"], stopped["taskArn"]) == ("STOPPED", arns[0])


def test_a_fargate_task_with_the_shorthand_for_its_network(cli: Cli, account: Account) -> None:
    cluster(account, "default")
    fargate = ["--requires-compatibilities", "FARGATE", "--network-mode", "awsvpc", "--cpu", "256"]
    cli(
        *("register-task-definition", "--family", "web", "--memory", "512", *fargate),
        *("--container-definitions", APP),
    )
    run = ["run-task", "--launch-type", "FARGATE", "--task-definition", "web"]
    (task,) = cli(*run, "--network-configuration", VPC)["tasks"]
    assert (task["launchType"], task["platformVersion"]) == ("FARGATE", "1.4.0")


def test_services(cli: Cli, account: Account) -> None:
    cluster(account, "default")
    register(account, family="web")
    create = ["create-service", "--service-name", "web", "--task-definition", "web", "--desired-count", "2"]
    breaker = "deploymentCircuitBreaker={enable=true,rollback=true},maximumPercent=200"
    made = cli(*create, "--deployment-configuration", breaker, "--tags", "key=a,value=1")["service"]
    assert made["status"] == "ACTIVE"
    wait_stable(cli, account, "web")
    assert cli("list-services")["serviceArns"] == [made["serviceArn"]]
    found = cli("describe-services", "--services", "web", "--include", "TAGS")["services"][0]
    assert (found["runningCount"], found["tags"]) == (2, [{"key": "a", "value": "1"}])

    register(account, family="web")
    updated = cli("update-service", "--service", "web", "--task-definition", "web")["service"]
    assert updated["taskDefinition"].endswith("/web:2")
    wait_stable(cli, account, "web")
    briefs = cli("list-service-deployments", "--service", "web")["serviceDeployments"]
    assert len(briefs) == 2
    arns = [brief["serviceDeploymentArn"] for brief in briefs]
    records = cli("describe-service-deployments", "--service-deployment-arns", *arns)
    assert len(records["serviceDeployments"]) == 2
    revisions = [brief["targetServiceRevisionArn"] for brief in briefs]
    described = cli("describe-service-revisions", "--service-revision-arns", *revisions)
    assert {one["taskDefinition"][-5:] for one in described["serviceRevisions"]} == {"web:1", "web:2"}

    deleted = cli("delete-service", "--service", "web", "--force")["service"]
    assert deleted["desiredCount"] == 0


def test_tags(cli: Cli) -> None:
    arn = cli("create-cluster", "--cluster-name", "web")["cluster"]["clusterArn"]
    assert cli("tag-resource", "--resource-arn", arn, "--tags", "key=a,value=1", "key=b,value=2") is None
    assert cli("untag-resource", "--resource-arn", arn, "--tag-keys", "a") is None
    assert cli("list-tags-for-resource", "--resource-arn", arn)["tags"] == [{"key": "b", "value": "2"}]


def test_input_from_a_file_and_pages_walked_by_the_cli(cli: Cli, account: Account, tmp_path: Path) -> None:
    file = tmp_path / "web.json"
    file.write_text(json.dumps({"family": "web", "containerDefinitions": [container()]}))
    for _ in range(3):
        cli("register-task-definition", "--cli-input-json", f"file://{file}")
    listed = cli("list-task-definitions", "--page-size", "1", "--query", "taskDefinitionArns")
    assert [arn[-5:] for arn in listed] == ["web:1", "web:2", "web:3"]
    (first,) = cli("list-task-definitions", "--max-items", "1")["taskDefinitionArns"]
    assert first == listed[0]


BAD: list[tuple[list[str], str, str]] = [
    (["create-cluster", "--cluster-name", "a/b"], "InvalidParameterException", "but was a/b"),
    (["delete-cluster", "--cluster", "absent"], "ClusterNotFoundException", "Cluster not found."),
    (["list-clusters", "--max-results", "101"], "InvalidParameterException", "Max results"),
    (
        ["register-task-definition", "--family", "a b", "--container-definitions", APP],
        "ClientException",
        "Family contains invalid characters.",
    ),
    (
        ["describe-task-definition", "--task-definition", "absent"],
        "ClientException",
        "Unable to describe task definition.",
    ),
    (
        ["deregister-task-definition", "--task-definition", "absent"],
        "InvalidParameterException",
        "Revision is missing",
    ),
    (["run-task", "--task-definition", "absent"], "ClientException", "TaskDefinition not found."),
    (["stop-task", "--task", "x"], "ClusterNotFoundException", "Cluster not found."),
    (["describe-services", "--services", "web"], "ClusterNotFoundException", "Cluster not found."),
    (
        ["list-tags-for-resource", "--resource-arn", "nonsense"],
        "InvalidParameterException",
        "",
    ),
]


@pytest.mark.parametrize(("command", "code", "message"), BAD, ids=[row[0][0] for row in BAD])
def test_bad_input_is_told_with_its_exception(cli: Cli, command: list[str], code: str, message: str) -> None:
    done = cli.run(*command)
    assert done.status != 0
    assert f"An error occurred ({code})" in done.stderr
    assert message in done.stderr


def test_services_of_another_account_are_not_seen(cli: Cli, account: Account) -> None:
    cluster(account, "default")
    create_service(account, "default", register(account), serviceName="web", desiredCount=0)
    other = Cli(cli.endpoint, "999999999999", cli.region, cli.home)
    assert other.run("list-services").status != 0
    assert len(cli("list-services")["serviceArns"]) == 1
