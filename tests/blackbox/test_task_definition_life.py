"""Task definitions after registration: described, deregistered, deleted, listed."""

from __future__ import annotations

from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import cluster, create_service, register, run, stable, unique

IPE, CE = "InvalidParameterException", "ClientException"
UNABLE = "Unable to describe task definition."
NO_SUCH = "The specified task definition does not exist. Specify a valid account, family, revision and try again."
NO_REVISION = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."


def family_of(arn: str) -> str:
    return arn.rsplit("/", 1)[1].split(":")[0]


def test_a_revision_is_found_by_family_revision_and_arn(account: Account) -> None:
    arn = register(account)
    family = family_of(arn)
    for name in (family, f"{family}:1", arn):
        found = account.ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
        assert found["taskDefinitionArn"] == arn


def test_deregistering_makes_it_inactive_and_tells_since_when_from_the_second_look_on(
    account: Account,
) -> None:
    arn = register(account)
    first = account.ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]
    assert first["status"] == "INACTIVE"
    assert "deregisteredAt" not in first
    found = account.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert found["status"] == "INACTIVE"
    again = account.ecs.deregister_task_definition(taskDefinition=arn)["taskDefinition"]
    assert again["deregisteredAt"] == found["deregisteredAt"]


def test_what_runs_outlives_the_deregistration(account: Account) -> None:
    name, arn = cluster(account), register(account)
    made = create_service(account, name, arn)
    stable(account, name, made["serviceName"])
    account.ecs.deregister_task_definition(taskDefinition=arn)
    account.ecs.update_service(cluster=name, service=made["serviceName"], desiredCount=2)
    found = stable(account, name, made["serviceName"])
    assert (found["runningCount"], found["taskDefinition"]) == (2, arn)


def test_an_inactive_one_is_deleted_and_stays_describable(account: Account) -> None:
    arn = register(account)
    account.ecs.deregister_task_definition(taskDefinition=arn)
    answer = account.ecs.delete_task_definitions(taskDefinitions=[arn])
    assert answer["failures"] == []
    assert [found["status"] for found in answer["taskDefinitions"]] == ["DELETE_IN_PROGRESS"]
    found = account.ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    assert found["status"] == "DELETE_IN_PROGRESS"
    assert found["deleteRequestedAt"] >= found["registeredAt"]


def test_deleting_twice_is_no_error(account: Account) -> None:
    arn = register(account)
    account.ecs.deregister_task_definition(taskDefinition=arn)
    for _ in range(2):
        answer = account.ecs.delete_task_definitions(taskDefinitions=[arn])
        assert [found["taskDefinitionArn"] for found in answer["taskDefinitions"]] == [arn]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("absent:1", NO_SUCH),
        ("{family}:99", NO_SUCH),
        ("{family}", NO_REVISION),
        ("{family}:1", STILL_ACTIVE),
        ("{arn}", STILL_ACTIVE),
    ],
)
def test_what_can_not_be_deleted_is_a_failure_with_the_name_as_given(
    account: Account, given: str, reason: str
) -> None:
    arn = register(account)
    name = given.format(family=family_of(arn), arn=arn)
    answer = account.ecs.delete_task_definitions(taskDefinitions=[name])
    assert answer["taskDefinitions"] == []
    assert answer["failures"] == [{"arn": name, "reason": reason}]


def test_some_are_deleted_while_others_fail(account: Account) -> None:
    active, inactive = register(account), register(account)
    account.ecs.deregister_task_definition(taskDefinition=inactive)
    answer = account.ecs.delete_task_definitions(taskDefinitions=[active, inactive])
    assert [found["taskDefinitionArn"] for found in answer["taskDefinitions"]] == [inactive]
    assert [failure["arn"] for failure in answer["failures"]] == [active]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], naming("task", "definition")),
        (["a:1"] * 11, naming("at most 10 items")),
    ],
)
def test_ten_deletions_are_the_most_and_one_the_least(account: Account, names: list[str], message: Any) -> None:
    refused(account.lax.delete_task_definitions, IPE, message, taskDefinitions=names)
    refused(account.lax.delete_task_definitions, IPE, naming("taskDefinitions"))


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("absent", CE, UNABLE),
        ("absent:1", CE, UNABLE),
        ("{family}:2", CE, UNABLE),
        ("{family}:bad", IPE, "Invalid task definition: Invalid revision number."),
        ("{family}:0", IPE, "Invalid task definition: Invalid revision number."),
        ("arn:aws:ecs:us-east-1:000000000001:task-definition/elsewhere:1", CE, None),
    ],
)
def test_describing_what_is_not_there_is_refused(account: Account, name: str, code: str, message: str | None) -> None:
    given = name.format(family=family_of(register(account)))
    refused(account.ecs.describe_task_definition, code, message, taskDefinition=given)


def test_a_family_without_an_active_revision_is_not_described(account: Account) -> None:
    arn = register(account)
    account.ecs.deregister_task_definition(taskDefinition=arn)
    refused(account.ecs.describe_task_definition, CE, UNABLE, taskDefinition=family_of(arn))


def test_a_bad_include_is_refused_before_the_definition_is_looked_for(account: Account) -> None:
    message = "BOGUS is not a valid value for include. The value must be one of [[TAGS]]"
    call = account.lax.describe_task_definition
    refused(call, CE, message, taskDefinition="absent", include=["BOGUS"])


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("{family}", IPE, "Revision is missing"),
        ("{family}:bad", IPE, "Invalid task definition: Invalid revision number."),
        ("{family}:9", CE, "Unable to deregister task definition."),
        ("absent:1", CE, "Unable to deregister task definition."),
    ],
)
def test_deregistering_what_is_not_there_is_refused(account: Account, name: str, code: str, message: str) -> None:
    given = name.format(family=family_of(register(account)))
    refused(account.ecs.deregister_task_definition, code, message, taskDefinition=given)


def test_one_that_is_being_deleted_is_not_deregistered(account: Account) -> None:
    arn = register(account)
    account.ecs.deregister_task_definition(taskDefinition=arn)
    account.ecs.delete_task_definitions(taskDefinitions=[arn])
    message = "The task definition could not be deregistered because it is in the process of being deleted."
    refused(account.ecs.deregister_task_definition, CE, message, taskDefinition=arn)


@pytest.mark.parametrize("operation", ["describe_task_definition", "deregister_task_definition"])
def test_the_definition_is_required(account: Account, operation: str) -> None:
    refused(getattr(account.lax, operation), (CE, IPE), naming("taskDefinition"))


def test_lists_are_by_family_and_then_by_revision_as_a_number(account: Account) -> None:
    for family in ("b", "a"):
        for _ in range(11 if family == "a" else 1):
            register(account, family=family)
    arns = account.all("list_task_definitions", "taskDefinitionArns", maxResults=5)
    names = [arn.rsplit("/", 1)[1] for arn in arns]
    assert names == [f"a:{revision}" for revision in range(1, 12)] + ["b:1"]
    backwards = account.all("list_task_definitions", "taskDefinitionArns", maxResults=5, sort="DESC")
    assert backwards == arns[::-1]


def test_family_prefix_is_a_whole_family_when_definitions_are_listed(account: Account) -> None:
    for family in ("web", "web-2"):
        register(account, family=family)
    arns = account.ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]
    assert [family_of(arn) for arn in arns] == ["web"]
    assert account.ecs.list_task_definitions(familyPrefix="we")["taskDefinitionArns"] == []


def test_definitions_are_listed_by_status(account: Account) -> None:
    active, inactive, deleted = (register(account) for _ in range(3))
    for arn in (inactive, deleted):
        account.ecs.deregister_task_definition(taskDefinition=arn)
    account.ecs.delete_task_definitions(taskDefinitions=[deleted])
    listed = {
        status: account.all("list_task_definitions", "taskDefinitionArns", status=status)
        for status in ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS")
    }
    assert listed == {"ACTIVE": [active], "INACTIVE": [inactive], "DELETE_IN_PROGRESS": [deleted]}
    assert account.all("list_task_definitions", "taskDefinitionArns") == [active]


def test_families_are_listed_by_prefix_and_status(account: Account) -> None:
    for family in ("hpcc", "hpcc-large", "web"):
        register(account, family=family)
    account.ecs.deregister_task_definition(taskDefinition="web:1")

    def listed(**members: Any) -> list[str]:
        return account.all("list_task_definition_families", "families", **members)

    assert listed() == ["hpcc", "hpcc-large", "web"]
    assert listed(familyPrefix="hpcc") == ["hpcc", "hpcc-large"]
    assert listed(status="ACTIVE") == ["hpcc", "hpcc-large"]
    assert listed(status="INACTIVE") == ["web"]
    assert listed(status="ALL", maxResults=1) == ["hpcc", "hpcc-large", "web"]
    account.ecs.delete_task_definitions(taskDefinitions=["web:1"])
    assert listed(status="INACTIVE") == ["web"]


@pytest.mark.parametrize("operation", ["list_task_definitions", "list_task_definition_families"])
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"maxResults": 101}, "Max results can not be greater than 100"),
        ({"nextToken": "nonsense"}, naming("token")),
        ({"status": "SLEEPING"}, naming("status")),
    ],
    ids=["maxResults", "nextToken", "status"],
)
def test_bad_list_requests_are_refused(
    account: Account, operation: str, members: dict[str, Any], message: Any
) -> None:
    refused(getattr(account.lax, operation), IPE, message, **members)


def test_a_token_is_good_only_for_the_list_it_came_from(account: Account) -> None:
    for _ in range(2):
        register(account, family="web")
    token = account.ecs.list_task_definitions(maxResults=1)["nextToken"]
    refused(account.ecs.list_task_definition_families, IPE, naming("token"), nextToken=token)
    refused(account.ecs.list_task_definitions, IPE, naming("token"), nextToken=token, sort="DESC")


def test_a_task_says_which_revision_it_was_run_with(account: Account) -> None:
    name, family = cluster(account), unique("family")
    arns = [register(account, family=family) for _ in range(2)]
    (newest,) = run(account, name, family)
    (older,) = run(account, name, f"{family}:1")
    assert [newest["taskDefinitionArn"], older["taskDefinitionArn"]] == [arns[1], arns[0]]
