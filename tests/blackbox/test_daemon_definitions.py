"""Daemon task definitions: registered, read back, listed, deleted and tagged."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, refused
from support.shapes import CHECK, ROLE, unique

IPE, CE = "InvalidParameterException", "ClientException"
UNKNOWN = "Unable to describe daemon task definition."


def least(**members: Any) -> dict[str, Any]:
    return {
        "family": unique("agent"),
        "containerDefinitions": [{"name": "app", "image": "busybox:1.36", "memory": 64}],
        **members,
    }


def registered(account: Account, **members: Any) -> str:
    return str(account.ecs.register_daemon_task_definition(**least(**members))["daemonTaskDefinitionArn"])


def described(account: Account, named: str) -> dict[str, Any]:
    answer = account.ecs.describe_daemon_task_definition(daemonTaskDefinition=named)
    return dict(answer["daemonTaskDefinition"])


def listed(account: Account, **members: Any) -> list[str]:
    found = account.all("list_daemon_task_definitions", "daemonTaskDefinitions", **members)
    return [str(one["arn"]).rsplit("/", 1)[1] for one in found]


def test_every_member_reads_back(account: Account) -> None:
    container: dict[str, Any] = {
        "name": "app",
        "image": "busybox:1.36",
        "memory": 128,
        "memoryReservation": 64,
        "healthCheck": CHECK,
        "cpu": 32,
        "essential": True,
        "entryPoint": ["sh"],
        "command": ["-c", "sleep 1"],
        "workingDirectory": "/srv",
        "environment": [{"name": "A", "value": "1"}],
        "readonlyRootFilesystem": True,
        "mountPoints": [{"sourceVolume": "host", "containerPath": "/host", "readOnly": True}],
        "logConfiguration": {"logDriver": "json-file", "options": {"max-size": "1m"}},
        "privileged": True,
        "user": "root",
        "ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20}],
        "linuxParameters": {
            "capabilities": {"add": ["SYS_ADMIN"]},
            "initProcessEnabled": True,
            "tmpfs": [{"containerPath": "/tmp", "size": 1}],
        },
        "startTimeout": 10,
        "stopTimeout": 20,
        "systemControls": [],
        "interactive": True,
        "pseudoTerminal": True,
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    }
    request: dict[str, Any] = {
        "taskRoleArn": ROLE,
        "executionRoleArn": ROLE,
        "containerDefinitions": [container],
        "volumes": [
            {"name": "host", "host": {"sourcePath": "/srv"}},
            {"name": "logs", "logDriverVolumeConfiguration": {"driver": "json-file"}},
        ],
        "cpu": "256",
        "memory": "512",
        "pidMode": "shared",
        "ipcMode": "none",
    }
    arn = registered(account, **request)
    found = described(account, arn)
    assert {member: found[member] for member in request} == request
    family = arn.rsplit("/", 1)[1].split(":")[0]
    assert (found["family"], found["revision"], found["status"]) == (family, 1, "ACTIVE")
    assert arn == account.arn(f"daemon-task-definition/{family}:1") == found["daemonTaskDefinitionArn"]
    assert found["registeredBy"] == f"arn:aws:iam::{account.account}:root"
    assert "registeredAt" in found and "deleteRequestedAt" not in found


def test_revisions_rise_and_the_newest_active_one_is_meant(account: Account) -> None:
    family = unique("agent")
    first, second = registered(account, family=family), registered(account, family=family)
    assert described(account, family)["daemonTaskDefinitionArn"] == second
    assert described(account, f"{family}:1")["daemonTaskDefinitionArn"] == first
    answer = account.ecs.delete_daemon_task_definition(daemonTaskDefinition=f"{family}:2")
    assert answer["daemonTaskDefinitionArn"] == second
    assert described(account, family)["daemonTaskDefinitionArn"] == first
    deleted = described(account, second)
    assert deleted["status"] == "DELETE_IN_PROGRESS" and "deleteRequestedAt" in deleted
    assert registered(account, family=family).endswith(":3")


def test_lists_filter_sort_and_page(account: Account) -> None:
    families = [unique("a"), unique("a"), unique("b")]
    for family in families * 2:
        registered(account, family=family)
    a = sorted(families[:2])
    every = [f"{family}:{revision}" for family in sorted(families) for revision in (1, 2)]
    assert listed(account) == every
    assert listed(account, sort="DESC") == every[::-1]
    assert listed(account, familyPrefix="a-") == every[:4]
    assert listed(account, family=a[0]) == every[:2]
    assert listed(account, family="a") == []
    assert listed(account, revision="LAST_REGISTERED") == [f"{family}:2" for family in sorted(families)]
    pages = list(account.pages("list_daemon_task_definitions", "daemonTaskDefinitions", maxResults=4))
    assert [len(page) for page in pages] == [4, 2]
    pages = list(
        account.pages("list_daemon_task_definitions", "daemonTaskDefinitions", maxResults=2, sort="DESC")
    )
    assert [str(one["arn"]).rsplit("/", 1)[1] for page in pages for one in page] == every[::-1]
    account.ecs.delete_daemon_task_definition(daemonTaskDefinition=f"{a[0]}:2")
    assert listed(account, status="DELETE_IN_PROGRESS") == [f"{a[0]}:2"]
    assert f"{a[0]}:2" not in listed(account, status="ACTIVE")
    assert listed(account, status="ALL") == every
    (summary,) = account.ecs.list_daemon_task_definitions(status="DELETE_IN_PROGRESS")[
        "daemonTaskDefinitions"
    ]
    assert set(summary) == {"arn", "registeredAt", "registeredBy", "deleteRequestedAt", "status"}


def test_tags(account: Account) -> None:
    arn = registered(account, tags=[{"key": "a", "value": "1"}])
    account.ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    account.ecs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert account.ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    refused(account.ecs.list_tags_for_resource, CE, UNKNOWN, resourceArn=arn + "0")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"family": "a b"}, CE),
        ({"family": ""}, CE),
        ({"containerDefinitions": []}, CE),
        ({"containerDefinitions": [{"image": "a"}]}, CE),
        ({"containerDefinitions": [{"name": "a", "image": "a"}]}, CE),
        ({"cpu": "much"}, (CE, IPE)),
        ({"volumes": [{"name": "v", "logDriverVolumeConfiguration": {"driver": "syslog"}}]}, CE),
        ({"volumes": [{"name": ""}]}, CE),
        ({"tags": [{"key": "aws:x", "value": "y"}]}, CE),
        ({"pidMode": "host"}, (CE, IPE)),
    ],
)
def test_what_is_refused_at_registration(account: Account, members: dict[str, Any], code: Any) -> None:
    refused(account.lax.register_daemon_task_definition, code, **least(**members))


def test_what_is_refused_elsewhere(account: Account, new_account: Any) -> None:
    describe, delete = account.ecs.describe_daemon_task_definition, account.ecs.delete_daemon_task_definition
    arn = registered(account)
    refused(describe, CE, UNKNOWN, daemonTaskDefinition="nobody")
    refused(describe, CE, UNKNOWN, daemonTaskDefinition=arn[:-1] + "9")
    refused(describe, IPE, daemonTaskDefinition="nobody:x")
    refused(delete, IPE, daemonTaskDefinition="a b:1")
    refused(delete, IPE, daemonTaskDefinition=arn.rsplit(":", 1)[0])
    refused(delete, CE, daemonTaskDefinition="nobody:1")
    delete(daemonTaskDefinition=arn)
    refused(delete, CE, daemonTaskDefinition=arn)
    for members in ({"maxResults": 0}, {"maxResults": 101}, {"nextToken": "x"}):
        refused(account.lax.list_daemon_task_definitions, IPE, **members)
    other = new_account(region=account.region)
    refused(other.ecs.describe_daemon_task_definition, CE, UNKNOWN, daemonTaskDefinition=arn)
    assert listed(other) == []
