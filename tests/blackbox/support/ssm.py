"""A client of the Session Manager protocol, written from its description: no code is the server's."""

from __future__ import annotations

import hashlib
import json
import struct
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import websocket

# Header length, type, schema version, date, sequence, flags, two halves of the id, digest, payload type and length.
HEADER = struct.Struct(">I32sIQqQ8s8s32sII")

OUTPUT, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE, FLAG = 1, 3, 5, 6, 7, 10
TERMINATE = struct.pack(">I", 2)
WITHIN = 30.0


@dataclass
class Message:
    """One message."""

    kind: str
    sequence: int
    payload_type: int
    payload: bytes
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    flags: int = 0

    def encode(self) -> bytes:
        """Its bytes."""
        most, least = self.id.bytes[:8], self.id.bytes[8:]
        return (
            HEADER.pack(
                HEADER.size - 4,
                self.kind.ljust(32).encode(),
                1,
                int(time.time() * 1000),
                self.sequence,
                self.flags,
                least,
                most,
                hashlib.sha256(self.payload).digest(),
                self.payload_type,
                len(self.payload),
            )
            + self.payload
        )

    @classmethod
    def decode(cls, data: bytes) -> Message:
        """Reads bytes, and checks all that can be checked."""
        length, kind, schema, date, sequence, flags, least, most, digest, payload_type, size = HEADER.unpack_from(
            data
        )
        payload = data[HEADER.size :]
        assert (length, schema, size) == (116, 1, len(payload))
        assert abs(date / 1000 - time.time()) < 60
        assert digest == hashlib.sha256(payload).digest()
        assert payload_type != OUTPUT or 0 < size <= 1024
        name = kind.decode().rstrip(" ")
        return cls(name, sequence, payload_type, payload, uuid.UUID(bytes=most + least), flags)


class Refused(Exception):
    """The server closed the connection instead of opening the session."""


class Client:
    """One end of a session. It acknowledges what it gets, puts it in order, and keeps what came out."""

    def __init__(self, session: dict[str, str], *, token: str | None = None, url: str | None = None) -> None:
        self.socket = websocket.create_connection(url or session["streamUrl"], timeout=WITHIN)
        self.session = session["sessionId"]
        self.output = b""
        self.closed: dict[str, Any] | None = None
        self.expected = 0
        self.early: dict[int, Message] = {}
        self.next = 0
        self.unacknowledged: set[int] = set()
        self.kinds: list[str] = []
        # How often each message came, and those whose acknowledgement gets lost.
        self.came: dict[int, int] = {}
        self.loses: Callable[[Message], bool] = lambda _: False
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid.uuid4()),
            "TokenValue": session["tokenValue"] if token is None else token,
            "ClientId": str(uuid.uuid4()),
            "ClientVersion": "1.2.707.0",
        }
        self.socket.send(json.dumps(opening))

    def send(self, payload_type: int, payload: bytes, sequence: int | None = None) -> int:
        """Sends a message, the next one unless told otherwise. Returns its number."""
        number = self.next if sequence is None else sequence
        self.next = max(self.next, number + 1)
        self.unacknowledged.add(number)
        self.socket.send_binary(Message("input_stream_data", number, payload_type, payload).encode())
        return number

    def type(self, text: str) -> int:
        """Types."""
        return self.send(OUTPUT, text.encode())

    def resize(self, cols: int, rows: int) -> int:
        """Says how large the terminal is."""
        return self.send(SIZE, json.dumps({"cols": cols, "rows": rows}).encode())

    def greet(self) -> None:
        """The handshake."""
        self.until(lambda: self.expected >= 2, what="the handshake")

    def step(self) -> None:
        """Takes the next message."""
        opcode, data = self.socket.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise Refused(struct.unpack(">H", data[:2])[0] if data else 1000)
        assert opcode == websocket.ABNF.OPCODE_BINARY
        message = Message.decode(data)
        self.kinds.append(message.kind)
        if message.kind == "acknowledge":
            content = json.loads(message.payload)
            assert (message.flags, message.sequence, content["IsSequentialMessage"]) == (3, 0, True)
            assert content["AcknowledgedMessageType"] == "input_stream_data"
            self.unacknowledged.discard(content["AcknowledgedMessageSequenceNumber"])
        elif message.kind == "channel_closed":
            self.closed = json.loads(message.payload)
        elif message.kind == "output_stream_data":
            self._stream(message)
        else:
            assert message.kind in ("pause_publication", "start_publication")

    def _stream(self, message: Message) -> None:
        self.came[message.sequence] = self.came.get(message.sequence, 0) + 1
        if self.loses(message):
            return
        content = {
            "AcknowledgedMessageType": message.kind,
            "AcknowledgedMessageId": str(message.id),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        payload = json.dumps(content).encode()
        self.socket.send_binary(Message("acknowledge", 0, 0, payload, flags=3).encode())
        if message.sequence >= self.expected:
            self.early[message.sequence] = message
        while self.expected in self.early:
            self._take(self.early.pop(self.expected))
            self.expected += 1

    def _take(self, message: Message) -> None:
        if message.payload_type == HANDSHAKE_REQUEST:
            actions = json.loads(message.payload)["RequestedClientActions"]
            assert [action["ActionType"] for action in actions] == ["SessionType"]
            assert actions[0]["ActionParameters"]["SessionType"] == "InteractiveCommands"
            done = [{"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None, "Error": ""}]
            answer = {"ClientVersion": "1.2.707.0", "ProcessedClientActions": done, "Errors": None}
            self.send(HANDSHAKE_RESPONSE, json.dumps(answer).encode())
        elif message.payload_type == HANDSHAKE_COMPLETE:
            assert json.loads(message.payload)["HandshakeTimeToComplete"] >= 0
        else:
            assert message.payload_type == OUTPUT
            self.output += message.payload

    def until(
        self,
        good: Callable[[], object],
        *,
        what: str = "",
        within: float = WITHIN,
        otherwise: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes messages until something is so. `otherwise` is called when nothing has come for a while."""
        deadline = time.monotonic() + within
        while not good():
            left = deadline - time.monotonic()
            assert left > 0, f"not within {within} s: {what}; so far: {self.output[-500:]!r}"
            self.socket.settimeout(min(left, 0.3))
            try:
                self.step()
            except websocket.WebSocketTimeoutException:
                otherwise()

    def expect(self, text: str) -> None:
        """Takes messages until this comes out, and forgets everything up to it."""
        wanted = text.encode()
        self.until(lambda: wanted in self.output, what=repr(text))
        self.output = self.output.split(wanted, 1)[1]

    def end(self) -> dict[str, Any]:
        """Takes messages until the session is over; returns its last word."""
        self.until(lambda: self.closed is not None, what="the end")
        assert self.closed
        assert (self.closed["SessionId"], self.closed["MessageType"]) == (self.session, "channel_closed")
        self.socket.settimeout(WITHIN)
        try:
            while True:
                self.step()
        except (Refused, websocket.WebSocketConnectionClosedException):
            pass
        self.socket.close()
        return self.closed
