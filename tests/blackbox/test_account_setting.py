"""Account settings: chosen, listed, given up; their values, and what they do to new clusters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.account import Account, naming, refused
from support.shapes import cluster, unique

IPE = "InvalidParameterException"
VALUE = "Invalid setting 'value'"
LONG_ARN = "You can no longer disable Long Arn settings"

DEFAULTS = {
    "awsvpcTrunking": "disabled",
    "containerInsights": "disabled",
    "containerInstanceLongArnFormat": "enabled",
    "defaultLogDriverMode": "non-blocking",
    "fargateEventWindows": "disabled",
    "fargateFIPSMode": "disabled",
    "fargateTaskRetirementWaitPeriod": "7",
    "guardDutyActivate": "off",
    "serviceLongArnFormat": "enabled",
    "tagResourceAuthorization": "on",
    "taskLongArnFormat": "enabled",
}
OTHERS = [
    ("awsvpcTrunking", "enabled"),
    ("containerInsights", "enhanced"),
    ("defaultLogDriverMode", "blocking"),
    ("fargateEventWindows", "enabled"),
    ("fargateFIPSMode", "enabled"),
    ("fargateTaskRetirementWaitPeriod", "0"),
    ("fargateTaskRetirementWaitPeriod", "14"),
    ("tagResourceAuthorization", "off"),
    ("taskLongArnFormat", "enabled"),
]


def root(account: Account) -> str:
    return f"arn:aws:iam::{account.account}:root"


def user(account: Account, name: str = "ann") -> str:
    return f"arn:aws:iam::{account.account}:user/{name}"


def effective(account: Account, **members: Any) -> dict[str, str]:
    listed = account.all("list_account_settings", "settings", effectiveSettings=True, **members)
    return {setting["name"]: setting["value"] for setting in listed}


def test_what_nobody_has_chosen_is_as_ecs_sets_it(account: Account) -> None:
    assert effective(account) == DEFAULTS
    assert account.ecs.list_account_settings()["settings"] == []


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_a_choice_reads_back(account: Account, name: str, value: str) -> None:
    chosen = {"name": name, "value": value, "principalArn": root(account), "type": "user"}
    assert account.ecs.put_account_setting(name=name, value=value)["setting"] == chosen
    assert account.ecs.list_account_settings()["settings"] == [chosen]
    assert effective(account) == {**DEFAULTS, name: value}


def test_the_roots_choice_is_the_default_of_all_who_have_none(account: Account) -> None:
    answer = account.ecs.put_account_setting_default(name="containerInsights", value="enabled")
    assert answer["setting"]["principalArn"] == root(account)
    assert effective(account, principalArn=user(account))["containerInsights"] == "enabled"
    own = account.ecs.put_account_setting(
        name="containerInsights", value="enhanced", principalArn=user(account)
    )["setting"]
    assert own["principalArn"] == user(account)
    assert effective(account, principalArn=user(account))["containerInsights"] == "enhanced"
    assert effective(account, principalArn=user(account, "bob"))["containerInsights"] == "enabled"
    assert account.ecs.list_account_settings(principalArn=user(account))["settings"] == [own]
    assert account.ecs.list_account_settings(principalArn=user(account, "bob"))["settings"] == []


def test_a_choice_that_is_given_up_holds_no_more(account: Account) -> None:
    account.ecs.put_account_setting(name="awsvpcTrunking", value="enabled")
    given_up = account.ecs.delete_account_setting(name="awsvpcTrunking")["setting"]
    assert (given_up["name"], given_up["value"]) == ("awsvpcTrunking", "enabled")
    assert account.ecs.list_account_settings()["settings"] == []
    again = account.ecs.delete_account_setting(name="awsvpcTrunking")["setting"]
    assert again["value"] == "disabled"


def test_all_settings_come_in_pages_by_name(account: Account) -> None:
    pages = list(account.pages("list_account_settings", "settings", effectiveSettings=True, maxResults=4))
    assert [len(page) for page in pages] == [4, 4, 3]
    assert [setting["name"] for page in pages for setting in page] == list(DEFAULTS)
    assert len(account.ecs.list_account_settings(effectiveSettings=True)["settings"]) == 10


def test_a_list_is_filtered_by_name_and_value(account: Account) -> None:
    account.ecs.put_account_setting(name="containerInsights", value="enabled")
    account.ecs.put_account_setting(name="awsvpcTrunking", value="enabled")
    listed = account.ecs.list_account_settings(name="containerInsights")["settings"]
    assert [setting["name"] for setting in listed] == ["containerInsights"]
    assert account.ecs.list_account_settings(name="containerInsights", value="enabled")["settings"] == listed
    assert account.ecs.list_account_settings(name="containerInsights", value="disabled")["settings"] == []


def test_what_aws_manages_is_shown_as_such(account: Account) -> None:
    answer = account.ecs.list_account_settings(name="guardDutyActivate", effectiveSettings=True)
    assert [setting["type"] for setting in answer["settings"]] == ["aws_managed"]


def test_new_clusters_have_the_accounts_container_insights(account: Account) -> None:
    before = cluster(account)
    account.ecs.put_account_setting_default(name="containerInsights", value="enhanced")
    assert account.ecs.create_cluster(clusterName=before)["cluster"]["settings"][0]["value"] == "disabled"
    made = account.ecs.create_cluster(clusterName=unique("c"))["cluster"]
    assert made["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    explicit = account.ecs.create_cluster(
        clusterName=unique("c"), settings=[{"name": "containerInsights", "value": "disabled"}]
    )["cluster"]
    assert explicit["settings"][0]["value"] == "disabled"


def test_accounts_and_regions_have_their_own_settings(
    account: Account, new_account: Callable[..., Account]
) -> None:
    account.ecs.put_account_setting_default(name="containerInsights", value="enabled")
    region = "us-east-1" if account.region != "us-east-1" else "eu-west-1"
    assert effective(new_account(account.account, region)) == DEFAULTS
    assert effective(new_account()) == DEFAULTS


@pytest.mark.parametrize("operation", ["put_account_setting", "put_account_setting_default"])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("containerInsights", "ENABLED", VALUE),
        ("containerInsights", "", VALUE),
        ("containerInsights", "on", VALUE),
        ("tagResourceAuthorization", "enabled", VALUE),
        ("fargateTaskRetirementWaitPeriod", "8", VALUE),
        ("defaultLogDriverMode", "nonblocking", VALUE),
        ("serviceLongArnFormat", "disabled", LONG_ARN),
        ("taskLongArnFormat", "disabled", LONG_ARN),
        ("containerInstanceLongArnFormat", "disabled", LONG_ARN),
    ],
)
def test_a_bad_value_is_refused(account: Account, operation: str, name: str, value: str, message: str) -> None:
    refused(getattr(account.lax, operation), IPE, message, name=name, value=value)
    assert account.ecs.list_account_settings()["settings"] == []


@pytest.mark.parametrize("operation", ["put_account_setting", "put_account_setting_default", "delete_account_setting"])
def test_an_unknown_name_is_refused(account: Account, operation: str) -> None:
    value = {} if operation == "delete_account_setting" else {"value": "enabled"}
    message = naming("dualStack should be one of [", "serviceLongArnFormat", "]")
    refused(getattr(account.lax, operation), IPE, message, name="dualStack", **value)
    refused(getattr(account.lax, operation), IPE, naming("name"), **value)


@pytest.mark.parametrize("operation", ["put_account_setting", "put_account_setting_default", "delete_account_setting"])
def test_what_aws_manages_is_not_changed(account: Account, operation: str) -> None:
    value = {} if operation == "delete_account_setting" else {"value": "on"}
    refused(getattr(account.ecs, operation), IPE, naming("guardDutyActivate"), name="guardDutyActivate", **value)


@pytest.mark.parametrize("operation", ["put_account_setting", "list_account_settings", "delete_account_setting"])
@pytest.mark.parametrize(
    "principal", ["ann", "", "arn:aws:iam::999999999999:user/ann", "arn:aws:iam::{account}:group/ops"]
)
def test_a_principal_that_is_none_is_refused(account: Account, operation: str, principal: str) -> None:
    members: dict[str, str] = {"principalArn": principal.format(account=account.account)}
    if operation != "list_account_settings":
        members["name"] = "containerInsights"
    if operation == "put_account_setting":
        members["value"] = "enabled"
    refused(getattr(account.ecs, operation), IPE, naming("principalArn"), **members)


def test_the_retirement_wait_is_the_root_users(account: Account) -> None:
    refused(
        account.ecs.put_account_setting,
        IPE,
        naming("fargateTaskRetirementWaitPeriod"),
        name="fargateTaskRetirementWaitPeriod",
        value="14",
        principalArn=user(account),
    )


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"value": "enabled"}, naming("name", "value")),
        ({"maxResults": 11}, naming("Max results can not be greater than 10")),
        ({"maxResults": 0}, naming("Max results")),
        ({"nextToken": "x"}, naming("token")),
        ({"name": "nope"}, naming("nope should be one of")),
    ],
)
def test_a_list_with_a_bad_filter_or_page_is_refused(account: Account, members: dict[str, Any], message: Any) -> None:
    refused(account.lax.list_account_settings, IPE, message, **members)


def test_a_token_is_not_taken_from_another_list(account: Account) -> None:
    token = account.ecs.list_account_settings(effectiveSettings=True, maxResults=3)["nextToken"]
    refused(account.ecs.list_account_settings, IPE, naming("token"), nextToken=token, maxResults=3)
