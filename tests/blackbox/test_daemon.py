"""Daemons: one task on each node, deployments that roll, records of them, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, refused
from support.patience import until
from support.shapes import cluster, create_service, register, run, stable, unique
from test_daemon_definitions import registered

IPE, CE = "InvalidParameterException", "ClientException"
NODES = 3


def provider(account: Account, name: str = "managed") -> str:
    return account.arn(f"capacity-provider/{name}")


def create(account: Account, cluster_name: str, **members: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "daemonName": unique("daemon"),
        "clusterArn": account.arn(f"cluster/{cluster_name}"),
        "capacityProviderArns": [provider(account)],
        **members,
    }
    request.setdefault("daemonTaskDefinitionArn", registered(account))
    return dict(account.ecs.create_daemon(**request))


def daemon(account: Account, arn: str) -> dict[str, Any]:
    return dict(account.ecs.describe_daemon(daemonArn=arn)["daemon"])


def deployment(account: Account, arn: str) -> dict[str, Any]:
    (found,) = account.ecs.describe_daemon_deployments(daemonDeploymentArns=[arn])["daemonDeployments"]
    return dict(found)


def finished(account: Account, arn: str, status: str = "SUCCESSFUL") -> dict[str, Any]:
    return until(lambda: deployment(account, arn), lambda it: it["status"] == status, what=arn)


def tasks(account: Account, cluster_name: str, arn: str) -> list[dict[str, Any]]:
    name = arn.rsplit("/", 1)[1]
    arns = account.ecs.list_tasks(cluster=cluster_name, daemonName=name)["taskArns"]
    if not arns:
        return []
    answer = account.ecs.describe_tasks(cluster=cluster_name, tasks=arns, include=["TAGS"])
    return list(answer["tasks"])


def gone(account: Account, arn: str) -> None:
    def look() -> bool:
        found = account.ecs.list_daemons(clusterArn=arn.rsplit("/", 2)[1])["daemonSummariesList"]
        return all(one["daemonArn"] != arn for one in found)

    until(look, bool, what=f"{arn} gone")


def test_a_daemon_runs_one_task_on_each_node(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, tags=[{"key": "a", "value": "1"}], propagateTags="DAEMON", critical=False)
    arn = made["daemonArn"]
    assert (arn.split("/")[0], arn.split("/")[1]) == (account.arn("daemon"), name)
    assert set(made) - {"ResponseMetadata"} == {"daemonArn", "status", "createdAt", "deploymentArn"}
    assert made["status"] == "ACTIVE"
    record = finished(account, made["deploymentArn"])
    running = tasks(account, name, arn)
    assert len({task["containerInstanceArn"] for task in running}) == len(running) == NODES
    daemon_name = arn.rsplit("/", 1)[1]
    for task in running:
        assert task["lastStatus"] == "RUNNING"
        assert task["group"] == f"daemon:{daemon_name}"
        assert task["startedBy"] == f"ecs-daemon/{daemon_name}"
        assert ":daemon-task-definition/" in task["taskDefinitionArn"]
        assert (task["launchType"], task["capacityProviderName"]) == ("MANAGED_INSTANCES", "managed")
        assert task["tags"] == [{"key": "a", "value": "1"}]
    found = daemon(account, arn)
    assert (found["clusterArn"], found["status"]) == (account.arn(f"cluster/{name}"), "ACTIVE")
    assert found["deploymentArn"] == made["deploymentArn"]
    (revision,) = found["currentRevisions"]
    assert (revision["totalRunningCount"], revision["totalWithoutDaemonCount"]) == (NODES, 0)
    assert revision["capacityProviders"] == [
        {"arn": provider(account), "runningCount": NODES, "withoutDaemonCount": 0}
    ]
    assert record["targetDaemonRevision"]["arn"] == revision["arn"]
    assert record["targetDaemonRevision"]["totalRunningInstanceCount"] == NODES
    assert record["sourceDaemonRevisions"] == []
    assert record["deploymentConfiguration"] == {"drainPercent": 25.0, "bakeTimeInMinutes": 0}
    assert record["circuitBreaker"]["status"] == "MONITORING_COMPLETE"
    assert record["createdAt"] <= record["startedAt"] <= record["finishedAt"]


def test_an_update_rolls_all_tasks_to_a_new_revision(account: Account) -> None:
    name = cluster(account)
    made = create(account, name)
    arn = made["daemonArn"]
    finished(account, made["deploymentArn"])
    before = {task["taskArn"] for task in tasks(account, name, arn)}
    (old,) = daemon(account, arn)["currentRevisions"]
    definition = registered(account)
    updated = account.ecs.update_daemon(
        daemonArn=arn,
        daemonTaskDefinitionArn=definition,
        capacityProviderArns=[provider(account)],
        deploymentConfiguration={"drainPercent": 50.0},
        enableExecuteCommand=True,
        critical=False,
    )
    assert updated["createdAt"] == made["createdAt"] and updated["updatedAt"] > made["createdAt"]
    record = finished(account, updated["deploymentArn"])
    assert [source["arn"] for source in record["sourceDaemonRevisions"]] == [old["arn"]]
    after = tasks(account, name, arn)
    assert len(after) == NODES and not before & {task["taskArn"] for task in after}
    assert {task["taskDefinitionArn"] for task in after} == {definition}
    (new,) = daemon(account, arn)["currentRevisions"]
    answer = account.ecs.describe_daemon_revisions(daemonRevisionArns=[old["arn"], new["arn"]])
    first, second = answer["daemonRevisions"]
    assert (first["critical"], second["critical"]) == (True, False)
    assert (first["enableExecuteCommand"], second["enableExecuteCommand"]) == (False, True)
    assert (second["daemonTaskDefinitionArn"], second["propagateTags"]) == (definition, "NONE")
    assert (second["daemonArn"], second["clusterArn"]) == (arn, account.arn(f"cluster/{name}"))
    (image,) = second["containerImages"]
    assert (image["containerName"], image["image"]) == ("app", "busybox:1.36")
    assert image["imageDigest"].startswith("sha256:")


def test_deployments_are_listed_newest_first(account: Account) -> None:
    name = cluster(account)
    made = create(account, name)
    arn, definition = made["daemonArn"], registered(account)
    arns = [made["deploymentArn"]]
    for _ in range(4):
        answer = account.ecs.update_daemon(
            daemonArn=arn, daemonTaskDefinitionArn=definition, capacityProviderArns=[provider(account)]
        )
        arns.insert(0, answer["deploymentArn"])
    finished(account, arns[0])
    found = account.all("list_daemon_deployments", "daemonDeployments", daemonArn=arn, maxResults=2)
    assert [one["daemonDeploymentArn"] for one in found] == arns
    assert found[0]["status"] == "SUCCESSFUL"
    for superseded in found[1:]:
        assert superseded["status"] in ("STOPPED", "SUCCESSFUL")
        assert superseded["daemonArn"] == arn and "targetDaemonRevisionArn" in superseded
    successful = account.all(
        "list_daemon_deployments", "daemonDeployments", daemonArn=arn, status=["SUCCESSFUL"]
    )
    assert successful == [one for one in found if one["status"] == "SUCCESSFUL"]
    since = {"after": found[1]["createdAt"]}
    later = account.all("list_daemon_deployments", "daemonDeployments", daemonArn=arn, createdAt=since)
    assert found[0] in later and len(later) < len(found)


def test_a_lost_task_is_replaced_where_it_was(account: Account) -> None:
    name = cluster(account)
    made = create(account, name, critical=False)
    finished(account, made["deploymentArn"])
    lost = tasks(account, name, made["daemonArn"])[0]
    account.ecs.stop_task(cluster=name, task=lost["taskArn"])

    def whole(running: list[dict[str, Any]]) -> bool:
        statuses = [task["lastStatus"] for task in running]
        return lost["taskArn"] not in {task["taskArn"] for task in running} and statuses == ["RUNNING"] * NODES

    running = until(lambda: tasks(account, name, made["daemonArn"]), whole)
    assert len({task["containerInstanceArn"] for task in running}) == len(running) == NODES


def test_other_tasks_leave_an_instance_that_lost_its_critical_daemon(account: Account) -> None:
    name = cluster(account)
    made = create(account, name)
    finished(account, made["deploymentArn"])
    definition = register(account)
    service = create_service(account, name, definition, schedulingStrategy="DAEMON", launchType="EC2")
    stable(account, name, service["serviceName"])
    lost = tasks(account, name, made["daemonArn"])[0]
    here = account.ecs.list_tasks(
        cluster=name, serviceName=service["serviceName"], containerInstance=lost["containerInstanceArn"]
    )["taskArns"]
    assert len(here) == 1
    account.ecs.stop_task(cluster=name, task=lost["taskArn"])
    task = until(
        lambda: account.ecs.describe_tasks(cluster=name, tasks=here)["tasks"][0],
        lambda it: it["desiredStatus"] == "STOPPED",
    )
    assert task["stopCode"] == "TerminationNotice"


def test_nothing_is_placed_before_a_critical_daemon(account: Account) -> None:
    name = cluster(account)
    made = create(account, name)
    finished(account, made["deploymentArn"])
    run(account, name, register(account), launchType="EC2")


def test_deleting_ends_the_tasks_and_leaves_a_record(account: Account) -> None:
    name = cluster(account)
    made = create(account, name)
    arn = made["daemonArn"]
    finished(account, made["deploymentArn"])
    refused(account.ecs.delete_cluster, ("ClusterContainsTasksException",), cluster=name)
    deleted = account.ecs.delete_daemon(daemonArn=arn)
    assert deleted["status"] == "DELETE_IN_PROGRESS"
    assert deleted["deploymentArn"] != made["deploymentArn"]
    gone(account, arn)
    record = finished(account, deleted["deploymentArn"])
    assert "targetDaemonRevision" not in record and len(record["sourceDaemonRevisions"]) == 1
    refused(account.ecs.describe_daemon, "DaemonNotFoundException", "Daemon not found.", daemonArn=arn)
    refused(account.ecs.delete_daemon, "DaemonNotFoundException", daemonArn=arn)
    assert account.ecs.list_tasks(cluster=name)["taskArns"] == []
    account.ecs.delete_cluster(cluster=name)


def test_one_that_is_being_deleted_is_not_active(account: Account) -> None:
    name = cluster(account)
    definition = registered(
        account,
        containerDefinitions=[{"name": "app", "image": "busybox:1.36", "memory": 64, "stopTimeout": 30}],
    )
    made = create(account, name, daemonTaskDefinitionArn=definition)
    arn = made["daemonArn"]
    account.ecs.delete_daemon(daemonArn=arn)
    codes = ("DaemonNotActiveException", "DaemonNotFoundException")
    refused(account.ecs.delete_daemon, ("InvalidParameterException", "DaemonNotFoundException"), daemonArn=arn)
    refused(
        account.ecs.update_daemon,
        codes,
        daemonArn=arn,
        daemonTaskDefinitionArn=definition,
        capacityProviderArns=[provider(account)],
    )


def test_tokens_make_creation_idempotent(account: Account) -> None:
    name = cluster(account)
    request = {
        "daemonName": unique("daemon"),
        "clusterArn": name,
        "daemonTaskDefinitionArn": registered(account),
        "capacityProviderArns": [provider(account)],
        "clientToken": "token",
    }
    first = account.ecs.create_daemon(**request)
    again = account.ecs.create_daemon(**request)
    assert again["deploymentArn"] == first["deploymentArn"]
    message = "Creation of daemon was not idempotent."
    refused(account.ecs.create_daemon, IPE, message, **{**request, "critical": False})
    del request["clientToken"]
    refused(account.ecs.create_daemon, IPE, message, **request)
    refused(account.lax.create_daemon, IPE, **{**request, "clientToken": "x" * 37})
    refused(account.lax.create_daemon, IPE, **{**request, "clientToken": "a b"})


def test_lists_filter_and_page(account: Account) -> None:
    name, definition = cluster(account), registered(account)
    names = sorted(unique("daemon") for _ in range(5))
    for number, one in enumerate(names):
        providers = [provider(account), provider(account, "other")] if number == 0 else [provider(account)]
        create(
            account,
            name,
            daemonName=one,
            daemonTaskDefinitionArn=definition,
            capacityProviderArns=providers,
            critical=False,
        )
    pages = list(account.pages("list_daemons", "daemonSummariesList", clusterArn=name, maxResults=2))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one["daemonArn"].rsplit("/", 1)[1] for page in pages for one in page] == names
    assert set(pages[0][0]) == {"daemonArn", "status", "createdAt", "updatedAt"}
    found = account.all(
        "list_daemons",
        "daemonSummariesList",
        clusterArn=name,
        capacityProviderArns=[provider(account, "other")],
    )
    assert [one["daemonArn"].rsplit("/", 1)[1] for one in found] == names[:1]
    other = cluster(account)
    assert account.all("list_daemons", "daemonSummariesList", clusterArn=other) == []


def test_tags(account: Account) -> None:
    arn = create(account, cluster(account), tags=[{"key": "a", "value": "1"}])["daemonArn"]
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    account.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert account.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    refused(account.ecs.list_tags_for_resource, IPE, resourceArn=arn + "x")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"daemonName": "a b"}, IPE),
        ({"daemonName": ""}, IPE),
        ({"clusterArn": "nowhere"}, "ClusterNotFoundException"),
        ({"clusterArn": "no where"}, IPE),
        ({"daemonTaskDefinitionArn": "nobody:1"}, CE),
        ({"daemonTaskDefinitionArn": "nobody:x"}, IPE),
        ({"capacityProviderArns": []}, IPE),
        ({"capacityProviderArns": ["FARGATE"]}, IPE),
        ({"capacityProviderArns": ["arn:aws:ecs:us-east-1:1:cluster/x"]}, IPE),
        ({"capacityProviderArns": ["a", "a"]}, IPE),
        ({"deploymentConfiguration": {"drainPercent": 100.5}}, IPE),
        ({"deploymentConfiguration": {"bakeTimeInMinutes": -1}}, IPE),
        ({"deploymentConfiguration": {"alarms": {"enable": True}}}, IPE),
        ({"propagateTags": "SERVICE"}, (IPE, CE)),
        ({"tags": [{"key": "aws:x", "value": "y"}]}, IPE),
    ],
)
def test_what_is_refused_at_creation(account: Account, members: dict[str, Any], code: Any) -> None:
    request = {
        "daemonName": unique("daemon"),
        "clusterArn": cluster(account),
        "daemonTaskDefinitionArn": registered(account),
        "capacityProviderArns": [provider(account)],
    }
    refused(account.lax.create_daemon, code, **{**request, **members})
    if members.get("clusterArn") is None:
        assert account.ecs.list_daemons(clusterArn=request["clusterArn"])["daemonSummariesList"] == []


def test_a_definition_that_is_deleted_makes_no_new_daemon_but_the_old_one_goes_on(account: Account) -> None:
    name, definition = cluster(account), registered(account)
    made = create(account, name, daemonTaskDefinitionArn=definition)
    account.ecs.delete_daemon_task_definition(daemonTaskDefinition=definition)
    finished(account, made["deploymentArn"])
    request = {
        "daemonName": unique("daemon"),
        "clusterArn": name,
        "daemonTaskDefinitionArn": definition,
        "capacityProviderArns": [provider(account)],
    }
    refused(account.ecs.create_daemon, CE, "DaemonTaskDefinition is being deleted", **request)


def test_what_is_refused_elsewhere(account: Account, new_account: Any) -> None:
    name = cluster(account)
    arn = account.arn(f"daemon/{name}/nobody")
    calls = account.ecs.describe_daemon, account.ecs.delete_daemon
    for call in calls:
        refused(call, "DaemonNotFoundException", daemonArn=arn)
        refused(call, "ClusterNotFoundException", daemonArn=account.arn("daemon/nowhere/nobody"))
        for bad in ("nobody", account.arn("daemon/nobody"), account.arn(f"service/{name}/nobody")):
            refused(call, IPE, daemonArn=bad)
    update = {"daemonTaskDefinitionArn": "x:1", "capacityProviderArns": ["x"]}
    refused(account.ecs.update_daemon, "DaemonNotFoundException", daemonArn=arn, **update)
    refused(account.ecs.update_daemon, IPE, daemonArn="nobody", **update)
    refused(account.ecs.list_daemon_deployments, CE, daemonArn=arn)
    refused(account.ecs.list_daemon_deployments, IPE, daemonArn="nobody")
    refused(account.lax.list_daemon_deployments, IPE, daemonArn=arn, maxResults=101)
    refused(account.ecs.list_tasks, IPE, cluster=name, daemonName="nobody")
    refused(account.ecs.list_daemons, "ClusterNotFoundException", clusterArn="nowhere")
    for members in ({"maxResults": 0}, {"maxResults": 101}, {"nextToken": "x"}):
        refused(account.lax.list_daemons, IPE, clusterArn=name, **members)
    missing = account.arn(f"daemon-deployment/{name}/nobody/x")
    answer = account.ecs.describe_daemon_deployments(daemonDeploymentArns=[missing])
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]
    missing = account.arn(f"daemon-revision/{name}/nobody/1234567890123456789")
    answer = account.ecs.describe_daemon_revisions(daemonRevisionArns=[missing])
    assert answer["failures"] == [{"arn": missing, "reason": "MISSING"}]
    for given in ([], [missing] * 21, ["x"]):
        refused(account.ecs.describe_daemon_deployments, IPE, daemonDeploymentArns=given)
        refused(account.ecs.describe_daemon_revisions, IPE, daemonRevisionArns=given)
    other = new_account(region=account.region)
    refused(other.ecs.describe_daemon, IPE, daemonArn=arn)
