"""The wire: routes, bodies, headers, and what is no request at all. Byte by byte, without an SDK."""

from __future__ import annotations

import http.client
import json
import re
import socket
from typing import Any

import botocore.session
import pytest

from support.account import random_account
from support.judge import CONTENT_TYPE
from support.server import Server
from support.wire import TARGET, credential, post

UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
IPE = "InvalidParameterException"


def test_an_answer_has_the_headers_of_the_protocol(server: Server) -> None:
    ids = set()
    for operation, status in (("ListClusters", 200), ("DeleteCluster", 400), ("Nonsense", 400)):
        answer = post(server.address, operation, account=random_account())
        assert answer.status == status
        assert answer.headers["content-type"] == CONTENT_TYPE
        assert answer.headers["content-length"] == str(len(answer.body))
        assert UUID.match(answer.headers["x-amzn-requestid"])
        ids.add(answer.headers["x-amzn-requestid"])
    assert len(ids) == 3


def test_a_chunked_body_is_read_whole(server: Server) -> None:
    name = "c" * 200
    body = json.dumps({"clusterName": name}).encode()
    account = random_account()
    pieces = [body[i : i + 7] for i in range(0, len(body), 7)]
    answer = post(server.address, "CreateCluster", pieces, account=account)
    assert answer.status == 200
    assert answer.json["cluster"]["clusterName"] == name


def test_the_path_names_the_operation_too(server: Server) -> None:
    account = random_account()
    made = post(server.address, None, {"clusterName": "web"}, path="/v1/CreateCluster", account=account)
    listed = post(server.address, "ListClusters", account=account)
    assert listed.json["clusterArns"] == [made.json["cluster"]["clusterArn"]]
    run = post(server.address, None, {"taskDefinition": "absent"}, path="/v1/RunTask", account=account)
    assert (run.status, run.error) == (400, ("ClientException", "TaskDefinition not found."))


@pytest.mark.parametrize("body", [b"", b"{}", b" \n "])
def test_a_request_without_members_may_be_empty(server: Server, body: bytes) -> None:
    answer = post(server.address, "ListClusters", body, account=random_account())
    assert (answer.status, answer.json) == (200, {"clusterArns": []})


def test_unknown_members_and_nulls_are_ignored(server: Server) -> None:
    body = {"clusterName": "web", "colour": {"a": [1, None]}, "tags": None, "settings": None}
    answer = post(server.address, "CreateCluster", body, account=random_account())
    assert answer.status == 200
    assert answer.json["cluster"]["tags"] == []


def test_an_unsigned_request_belongs_to_the_default_account(server: Server) -> None:
    answer = post(server.address, "DescribeClusters", {"clusters": ["absent"]}, headers={"Authorization": "none"})
    (failure,) = answer.json["failures"]
    assert failure["arn"].startswith("arn:aws:ecs:us-east-1:000000000000:")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (f"{TARGET}.Nonsense", "/"),
        (f"{TARGET}.", "/"),
        ("Elsewhere_2020.RunTask", "/"),
        ("RunTask", "/"),
        (None, "/"),
        (None, "/v1/Nonsense"),
        (None, "/v1/runtask"),
        (None, "/elsewhere"),
    ],
)
def test_what_is_no_operation_is_said_to_be_unknown(server: Server, target: str | None, path: str) -> None:
    headers = {"X-Amz-Target": target} if target else {}
    answer = post(server.address, None, path=path, headers=headers)
    assert (answer.status, answer.error[0]) == (400, "UnknownOperationException")


MODEL = botocore.session.get_session().get_service_model("ecs")


@pytest.mark.parametrize("operation", MODEL.operation_names)
def test_every_operation_answers_a_request_of_nothing_as_its_model_says(server: Server, operation: str) -> None:
    answer = post(server.address, operation, account=random_account())
    if MODEL.operation_model(operation).input_shape.required_members:
        assert answer.status == 400, answer
    if answer.status != 200:
        code, message = answer.error
        assert answer.status == 400, answer
        # SDKs resolve exceptions by the service: all know at least these.
        assert code in {shape.name for shape in MODEL.error_shapes}
        assert message


@pytest.mark.parametrize(
    ("operation", "body", "member"),
    [
        ("CreateCluster", {"clusterName": 7}, "clusterName"),
        ("CreateCluster", {"tags": {}}, "tags"),
        ("DescribeClusters", {"clusters": "web"}, "clusters"),
        ("DescribeTasks", {"tasks": [["a"]]}, "tasks[0]"),
        ("UntagResource", {"resourceArn": "a", "tagKeys": {"a": 1}}, "tagKeys"),
        ("CreateCluster", {"tags": [{"key": ["a"]}]}, "tags"),
        ("RunTask", {"taskDefinition": "a", "count": "3"}, "count"),
        ("RunTask", {"taskDefinition": "a", "count": 1.5}, "count"),
        ("RunTask", {"taskDefinition": "a", "count": 2**31}, "count"),
        ("RunTask", {"taskDefinition": "a", "enableExecuteCommand": "true"}, "enableExecuteCommand"),
        ("RegisterTaskDefinition", {"family": "a", "containerDefinitions": {}}, "containerDefinitions"),
        (
            "RegisterTaskDefinition",
            {"family": "a", "containerDefinitions": [{"portMappings": [{"containerPort": "80"}]}]},
            "containerDefinitions[0].portMappings[0].containerPort",
        ),
        ("RegisterTaskDefinition", {"family": "a", "containerDefinitions": [[]]}, "containerDefinitions[0]"),
        ("ListTasks", {"maxResults": True}, "maxResults"),
    ],
)
def test_json_of_the_wrong_type_is_refused_with_its_path(
    server: Server, operation: str, body: dict[str, Any], member: str
) -> None:
    answer = post(server.address, operation, body, account=random_account())
    assert (answer.status, answer.error[0]) == (400, "SerializationException")
    assert member in answer.error[1]


@pytest.mark.parametrize(
    "body", [b"{", b"nonsense", b"[]", b'"text"', b"{}{}", b'{"a":}', b"\xff\xfe", b'{"clusterName": "\xff"}', b"7"]
)
def test_what_is_no_json_object_is_refused(server: Server, body: bytes) -> None:
    answer = post(server.address, "CreateCluster", body, account=random_account())
    assert (answer.status, answer.error[0]) == (400, "SerializationException")


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_nesting_is_refused_and_the_server_lives(server: Server, depth: int) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        body = b'{"colour":' + opening * depth + b"1" + closing * depth + b"}"
        answer = post(server.address, "ListClusters", body, account=random_account())
        assert answer.status in (400, 413)
        assert answer.error[0] in ("SerializationException", "RequestEntityTooLargeException")
    assert post(server.address, "ListClusters").status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(server: Server, chunked: bool) -> None:
    body = json.dumps({"clusterName": "x" * (8 << 20)}).encode()
    sent = (body[i : i + 65536] for i in range(0, len(body), 65536)) if chunked else body
    try:
        answer = post(server.address, "CreateCluster", sent)
    except (BrokenPipeError, ConnectionResetError):
        # It may hang up before it has read what it does not want.
        pass
    else:
        assert answer.status == 413
        assert answer.error[0] == "RequestEntityTooLargeException"
    assert post(server.address, "ListClusters").status == 200


def test_a_definition_of_64_kib_fits(server: Server) -> None:
    body = {
        "family": "large",
        "containerDefinitions": [
            {"name": "app", "image": "busybox", "memory": 64, "environment": [{"name": "A", "value": "x" * 60_000}]}
        ],
    }
    answer = post(server.address, "RegisterTaskDefinition", body, account=random_account())
    assert answer.status == 200


def test_a_connection_serves_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection(*server.address, timeout=10)
    headers = {"X-Amz-Target": f"{TARGET}.ListClusters", "Authorization": credential(random_account(), "us-east-1")}
    for _ in range(50):
        connection.request("POST", "/", b"{}", headers)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())) == (200, {"clusterArns": []})
    connection.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["nothing", "blank", "words", "tls", "length", "half a body", "bad chunk"],
)
def test_what_is_no_http_does_no_harm(server: Server, sent: bytes) -> None:
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
    assert post(server.address, "ListClusters").status == 200


def test_people_and_probes_are_answered(server: Server) -> None:
    for path in ("/", "/health"):
        connection = http.client.HTTPConnection(*server.address, timeout=10)
        connection.request("GET", path)
        assert connection.getresponse().status == 200
        connection.close()
