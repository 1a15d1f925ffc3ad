"""The sessions of ECS Exec, through a client of the protocol of our own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import websocket

from support.account import Account
from support.server import Server
from support.sessions import OFF, execute, opened, start
from support.shapes import container, reach, unique
from support.ssm import FLAG, OUTPUT, TERMINATE, Client, Refused

POLICY_VIOLATION = 1008


def test_a_shell_echoes_and_tells_how_it_ended(account: Account) -> None:
    client = opened(account, *start(account))
    client.expect("# ")
    client.type("echo $HOME is  home\r")
    # What is typed is shown by the terminal, then comes the output, then the prompt again.
    client.expect("echo $HOME is  home\r\n/root is home\r\n# ")
    client.type("ecc\x7fho ä€\r")
    client.expect("ecc\b \bho ä€\r\nä€\r\n# ")
    client.type("nope; echo $?\r")
    client.expect("sh: nope: not found\r\n")
    client.type("cat\r")
    client.type("a line\r")
    client.expect("a line\r\na line\r\n")
    client.type("\x04")
    client.expect("# ")
    client.type("cat\r\x03")
    client.expect("^C\r\n# ")
    client.type("exit 3\r")
    end = client.end()
    assert (end["ExitCode"], end["Output"]) == (3, "")


@pytest.mark.parametrize(
    ("command", "output", "code"),
    [
        ("echo 'hello  world'", "hello  world\r\n", 0),
        ("/bin/echo -n x", "x", 0),
        ("exit 42", "", 42),
        ("stty size", "24 80\r\n", 0),
        ("seq 3", "1\r\n2\r\n3\r\n", 0),
        ("/bin/sh -c 'echo a; false'", "a\r\n", 1),
        ("cat /nowhere", "cat: /nowhere: No such file or directory\r\n", 1),
        ("true", "", 0),
    ],
)
def test_one_command_runs_and_ends(account: Account, command: str, output: str, code: int) -> None:
    client = opened(account, *start(account), command)
    end = client.end()
    assert (client.output.decode(), end["ExitCode"], end["Output"]) == (output, code, "")
    assert client.kinds[-1] == "channel_closed"


def test_variables_of_the_definition_and_of_the_overrides_are_there(account: Account) -> None:
    defined = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    overrides = {"containerOverrides": [{"name": "app", "environment": [{"name": "B", "value": "3"}]}]}
    client = opened(account, *start(account, container(environment=defined), overrides=overrides), "env")
    client.end()
    lines = client.output.decode().split("\r\n")
    assert "A=1" in lines
    assert "B=3" in lines
    assert "B=2" not in lines


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/no/such/program", "fork/exec /no/such/program: no such file or directory"),
        ("echo a; true", None),
        ("echo 'a", "quotes"),
    ],
)
def test_what_is_no_program_is_told_at_the_end(account: Account, command: str, why: str | None) -> None:
    client = opened(account, *start(account), command)
    end = client.end()
    if why is None:
        # No shell stands in between.
        assert client.output == b"a; true\r\n"
    else:
        assert "ExitCode" not in end
        assert "Unable to start command" in end["Output"]
        assert why in end["Output"]


def test_the_terminal_is_resized(account: Account) -> None:
    client = opened(account, *start(account))
    for cols, rows in [(120, 40), (10, 5), (300, 100)]:
        client.resize(cols, rows)
        client.type("stty size\r")
        client.expect(f"stty size\r\n{rows} {cols}\r\n")
    client.send(3, b"nonsense")
    client.type("exit\r")
    assert client.end()["ExitCode"] == 0
    assert not client.unacknowledged, "everything that was sent is acknowledged"


def test_twenty_thousand_lines_arrive_without_a_loss(account: Account) -> None:
    client = opened(account, *start(account), "seq 20000")
    client.end()
    assert client.output.decode().split("\r\n") == [*map(str, range(1, 20001)), ""]
    assert sorted(client.came) == list(range(len(client.came))), "no number is left out"


def test_what_is_not_acknowledged_comes_again(account: Account) -> None:
    client = Client(execute(account, *start(account), "seq 20000")["session"])
    # Of the handshake, too: each third message gets through only at the second attempt.
    client.loses = lambda message: message.sequence % 3 == 0 and client.came[message.sequence] == 1
    client.end()
    assert client.output.decode().split("\r\n") == [*map(str, range(1, 20001)), ""]
    assert all(client.came[number] >= 2 for number in client.came if number % 3 == 0)


def test_a_lost_message_holds_up_a_bounded_number_of_others(account: Account) -> None:
    client = opened(account, *start(account), "seq 1000000")
    client.loses = lambda _: True
    client.until(lambda: sum(client.came.values()) > 140, what="the window, and repeats")
    assert len(client.came) <= 2 + 128
    client.loses = lambda _: False
    client.until(lambda: len(client.output) > 500_000, what="the flow")
    client.send(FLAG, TERMINATE)
    client.end()


def test_input_is_put_in_order_and_taken_once(account: Account) -> None:
    client = opened(account, *start(account), "cat")
    first = client.next
    for offset, text in [(2, "c\r"), (1, "b\r"), (1, "b\r"), (0, "a\r"), (0, "a\r"), (2, "c\r")]:
        client.send(OUTPUT, text.encode(), sequence=first + offset)
    client.type("d\r")
    client.expect("d\r\nd\r\n")
    client.type("\x04")
    assert client.end()["ExitCode"] == 0
    assert not client.unacknowledged


def test_input_that_nobody_reads_is_held_back_and_not_lost(account: Account) -> None:
    client = opened(account, *start(account), "cat")
    sent = {}
    for number in range(600):
        line = f"{number:1000}\r"
        sent[client.type(line)] = line

    def resend() -> None:
        for number in sorted(client.unacknowledged)[:10]:
            client.send(OUTPUT, sent[number].encode(), sequence=number)

    # What has no room isn't acknowledged, and has to be sent again. Each line comes out twice: as it is typed, and as
    # it is copied.
    client.until(lambda: client.output.count(b"\n") >= 1200, what="all lines", otherwise=resend)
    assert client.kinds.index("pause_publication") < client.kinds.index("start_publication")
    client.type("\x04")
    assert client.end()["ExitCode"] == 0
    assert not client.unacknowledged
    lines = [int(line) for line in client.output.split()]
    assert sorted(lines) == sorted([*range(600), *range(600)])


def test_the_client_ends_its_session(account: Account) -> None:
    client = opened(account, *start(account))
    client.expect("# ")
    client.send(FLAG, TERMINATE)
    assert client.end()["Output"] == ""


def test_a_token_is_for_one_opening_of_one_session(account: Account) -> None:
    name, task = start(account)
    one, other = (execute(account, name, task, "echo hi")["session"] for _ in range(2))
    for token in ["", "wrong", one["tokenValue"].upper() + "0", other["tokenValue"]]:
        client = Client(one, token=token)
        with pytest.raises(Refused) as told:
            client.end()
        assert told.value.args == (POLICY_VIOLATION,)
        assert client.kinds == []
    unknown = one["streamUrl"].replace(one["sessionId"], other["sessionId"][:-1] + "x")
    with pytest.raises(Refused):
        Client(one, url=unknown).end()
    # None of that has spent it.
    client = Client(one)
    client.end()
    assert client.output == b"hi\r\n"
    with pytest.raises(Refused):
        Client(one).end()
    assert Client(other).end()["ExitCode"] == 0


def test_what_comes_first_must_be_a_token(account: Account) -> None:
    session = execute(account, *start(account), "echo hi")["session"]
    for first in ['{"MessageSchemaVersion": "1.0"}', "nonsense", "[]", '{"TokenValue": 1}']:
        plain = websocket.create_connection(session["streamUrl"], timeout=30)
        plain.send(first)
        opcode, _ = plain.recv_data()
        assert opcode == websocket.ABNF.OPCODE_CLOSE
        plain.close()
    assert Client(session).end()["ExitCode"] == 0


def test_a_session_ends_with_its_task(account: Account) -> None:
    name, task = start(account)
    client = opened(account, name, task)
    client.expect("# ")
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    assert client.end()["ExitCode"] == 137


def test_a_session_that_was_promised_dies_with_its_task(account: Account) -> None:
    name, task = start(account)
    session = execute(account, name, task, "echo hi")["session"]
    account.ecs.stop_task(cluster=name, task=task["taskArn"])
    reach(account, name, task["taskArn"], "STOPPED")
    client = Client(session)
    assert client.end()["Output"] == OFF
    assert client.output == b""


def upgrade(server: Server, path: str, **headers: str) -> str:
    """The status line of a request to become a WebSocket."""
    given = {
        "Host": "kecs",
        "Connection": "keep-alive, Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value), "", ""]
    with socket.create_connection(server.address, timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return connection.recv(4096).decode().split("\r\n")[0]


def test_only_good_requests_become_sessions(server: Server) -> None:
    path = "/v1/data-channel/ecs-execute-command-00000000000000000"
    assert " 101 " in upgrade(server, path)
    assert " 400 " in upgrade(server, path, Sec_WebSocket_Key="")
    assert " 426 " in upgrade(server, path, Sec_WebSocket_Version="8")
    assert " 403 " in upgrade(server, path, Origin="https://evil.example")
    assert " 400 " in upgrade(server, path, Upgrade="")
    assert " 400 " in upgrade(server, "/elsewhere")


def test_no_token_and_no_command_is_in_any_log_and_sessions_end_with_the_server(tmp_path: Path) -> None:
    server = Server.start(tmp_path / "data", "--log-level", "trace", "--public-url", "http://localhost:1/")
    try:
        account = Account(server.api)
        name, task = start(account)
        secret = unique("secret")
        sessions = [execute(account, name, task, f"/bin/sh -c 'echo {secret}; cat'")["session"] for _ in range(2)]
        assert all(one["streamUrl"].startswith("ws://localhost:1/v1/data-channel/") for one in sessions)
        here = server.api.replace("http", "ws")
        client = Client(sessions[0], url=sessions[0]["streamUrl"].replace("ws://localhost:1", here))
        client.expect(f"{secret}\r\n")
        server.terminate()
        assert "shutting down" in client.end()["Output"]
        assert server.process.wait(30) == 0
    finally:
        server.kill()
    log = server.stderr.read_text()
    assert sessions[0]["sessionId"] in log
    assert [word for word in (secret, *(one["tokenValue"] for one in sessions)) if word in log] == []
    # The promise was this process's: the next one knows nothing of it, but takes the task up.
    again = Server.start(tmp_path / "data")
    try:
        account = Account(again.api, account.account)
        url = sessions[1]["streamUrl"].replace("ws://localhost:1", again.api.replace("http", "ws"))
        with pytest.raises(Refused):
            Client(sessions[1], url=url).end()
        reach(account, name, task["taskArn"])
        assert opened(account, name, task, "true").end()["ExitCode"] == 0
    finally:
        assert again.stop() == 0
