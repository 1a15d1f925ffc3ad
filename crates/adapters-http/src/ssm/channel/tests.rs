//! A channel against a client that keeps to the protocol, and one that doesn't.

use serde_json::{Value, json};

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn frame(kind: MessageType, sequence: i64, payload_type: PayloadType, payload: &[u8]) -> Vec<u8> {
    Frame { kind, created: 1, sequence, flags: 0, id: 5, payload_type, payload: payload.to_vec() }.encode()
}

fn input(sequence: i64, payload_type: PayloadType, payload: &[u8]) -> Vec<u8> {
    frame(MessageType::Input, sequence, payload_type, payload)
}

fn acknowledge(sequence: i64) -> Vec<u8> {
    let payload = json!({"AcknowledgedMessageSequenceNumber": sequence}).to_string();
    frame(MessageType::Acknowledge, 0, PayloadType::NONE, payload.as_bytes())
}

fn greeting() -> Vec<u8> {
    let actions = json!([{"ActionType": "SessionType", "ActionStatus": 1}]);
    let payload = json!({"ClientVersion": "1.2", "ProcessedClientActions": actions, "Errors": null});
    input(0, PayloadType::HANDSHAKE_RESPONSE, payload.to_string().as_bytes())
}

/// Everything that is to be done now.
fn drain(channel: &mut Channel, now: i64) -> Vec<Event> {
    std::iter::from_fn(|| channel.poll(at(now))).collect()
}

/// The messages among the events.
fn sent(events: &[Event]) -> Vec<Frame> {
    let frames = events.iter().filter_map(|event| match event {
        Event::Send(bytes) => Some(Frame::decode(bytes).unwrap()),
        _ => None,
    });
    frames.collect()
}

/// A channel after its handshake, at 10 ms.
fn running() -> Channel {
    let mut channel = Channel::new("s-1", at(0));
    drain(&mut channel, 0);
    channel.receive(at(10), &acknowledge(0));
    channel.receive(at(10), &greeting());
    assert!(drain(&mut channel, 10).contains(&Event::Begin));
    channel.receive(at(10), &acknowledge(1));
    channel
}

fn closed(events: &[Event]) -> Option<Value> {
    let frames = sent(events);
    let last = frames.iter().find(|frame| frame.kind == MessageType::ChannelClosed)?;
    serde_json::from_slice(&last.payload).ok()
}

#[test]
fn a_session_begins_with_a_handshake() {
    let mut channel = Channel::new("s-1", at(0));
    let first = sent(&drain(&mut channel, 0));
    assert_eq!((first.len(), first[0].sequence, first[0].flags), (1, 0, 1));
    assert_eq!(first[0].payload_type, PayloadType::HANDSHAKE_REQUEST);
    let request: Value = serde_json::from_slice(&first[0].payload).unwrap();
    assert_eq!(
        request["RequestedClientActions"][0]["ActionParameters"]["SessionType"],
        "InteractiveCommands"
    );
    assert!(!channel.wants_output());
    channel.receive(at(30), &acknowledge(0));
    channel.receive(at(30), &greeting());
    let events = drain(&mut channel, 30);
    let frames = sent(&events);
    assert_eq!(frames[0].kind, MessageType::Acknowledge);
    let content: Value = serde_json::from_slice(&frames[0].payload).unwrap();
    assert_eq!(content["AcknowledgedMessageType"], "input_stream_data");
    assert_eq!(content["AcknowledgedMessageId"], "00000000-0000-0000-0000-000000000005");
    assert_eq!((frames[1].sequence, frames[1].payload_type), (1, PayloadType::HANDSHAKE_COMPLETE));
    let complete: Value = serde_json::from_slice(&frames[1].payload).unwrap();
    assert_eq!(complete["HandshakeTimeToComplete"], 30_000_000);
    assert_eq!(events.last(), Some(&Event::Begin));
    assert!(channel.wants_output());
}

#[test]
fn a_client_that_is_no_terminal_is_told_so() {
    let mut channel = Channel::new("s-1", at(0));
    channel.receive(at(1), &input(0, PayloadType::HANDSHAKE_RESPONSE, br#"{"Errors":["too old"]}"#));
    channel.receive(at(1), &acknowledge(0));
    let events = drain(&mut channel, 1);
    assert!(closed(&events).unwrap()["Output"].as_str().unwrap().contains("too old"));
    assert_eq!(events.last(), Some(&Event::End));
}

#[test]
fn a_handshake_has_its_time() {
    let mut channel = Channel::new("s-1", at(0));
    drain(&mut channel, 0);
    assert!(!drain(&mut channel, 14_999).contains(&Event::End));
    let events = drain(&mut channel, 15_000);
    assert!(closed(&events).unwrap()["Output"].as_str().unwrap().starts_with("Handshake timeout."));
    assert_eq!(events.last(), Some(&Event::End));
    assert_eq!(channel.deadline(), None);
}

#[test]
fn what_is_typed_comes_out_in_order_and_is_acknowledged_each_time() {
    let mut channel = running();
    for (sequence, text) in [(2, "b"), (1, "a"), (1, "a"), (3, "c")] {
        channel.receive(at(20), &input(sequence, PayloadType::OUTPUT, text.as_bytes()));
    }
    let events = drain(&mut channel, 20);
    let typed: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Input(bytes) => Some(&bytes[..]),
            _ => None,
        })
        .collect();
    assert_eq!(typed, [b"a", b"b", b"c"]);
    assert_eq!(sent(&events).len(), 4, "one acknowledgement for each");
}

#[test]
fn without_room_nothing_is_acknowledged_and_the_client_is_told() {
    let mut channel = running();
    channel.set_room(at(20), false);
    channel.set_room(at(20), false);
    channel.receive(at(20), &input(1, PayloadType::OUTPUT, b"a"));
    let kinds = |events: &[Event]| sent(events).iter().map(|frame| frame.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&drain(&mut channel, 20)), [MessageType::PausePublication]);
    channel.set_room(at(30), true);
    channel.receive(at(30), &input(1, PayloadType::OUTPUT, b"a"));
    let events = drain(&mut channel, 30);
    assert_eq!(kinds(&events), [MessageType::StartPublication, MessageType::Acknowledge]);
    assert_eq!(events.last(), Some(&Event::Input(b"a".to_vec())));
}

#[test]
fn the_terminal_is_resized_and_nonsense_is_ignored() {
    let mut channel = running();
    channel.receive(at(20), &input(1, PayloadType::SIZE, br#"{"cols":120,"rows":40}"#));
    channel.receive(at(20), &input(2, PayloadType::SIZE, br#"{"cols":-1}"#));
    channel.receive(at(20), &input(3, PayloadType::SIZE, br#"{"cols":99999999,"rows":1}"#));
    channel.receive(at(20), &input(4, PayloadType(4), b"parameter"));
    channel.receive(at(20), &input(5, PayloadType::FLAG, &[0, 0, 0, 1]));
    channel.receive(at(20), b"nonsense");
    let events = drain(&mut channel, 20);
    let others: Vec<_> = events.iter().filter(|event| !matches!(event, Event::Send(_))).collect();
    assert_eq!(others, [&Event::Resize(120, 40), &Event::Resize(65_535, 1)]);
    assert_eq!(sent(&events).len(), 5);
}

#[test]
fn the_end_comes_after_the_last_acknowledgement() {
    let mut channel = running();
    channel.output(at(20), b"bye");
    channel.close(at(20), String::new(), Some(3));
    assert!(!channel.wants_output());
    let events = drain(&mut channel, 20);
    assert_eq!(sent(&events)[0].payload, b"bye");
    assert!(!events.contains(&Event::End));
    // The acknowledgement is lost, so it is sent again.
    assert_eq!(sent(&drain(&mut channel, 420))[0].payload, b"bye");
    channel.receive(at(430), &acknowledge(2));
    let events = drain(&mut channel, 430);
    let end = closed(&events).unwrap();
    assert_eq!((&end["Output"], &end["ExitCode"]), (&json!(""), &json!(3)));
    assert_eq!(events.last(), Some(&Event::End));
    assert!(drain(&mut channel, 999_999).is_empty());
}

#[test]
fn a_client_that_acknowledges_nothing_does_not_keep_the_end_away() {
    let mut channel = running();
    channel.output(at(20), b"bye");
    channel.close(at(20), String::new(), Some(0));
    assert!(!drain(&mut channel, 30_019).contains(&Event::End));
    assert_eq!(drain(&mut channel, 30_020).last(), Some(&Event::End));
}

#[test]
fn the_client_ends_its_session_by_a_flag() {
    let mut channel = running();
    channel.output(at(20), &[b'x'; 5000]);
    channel.receive(at(20), &input(1, PayloadType::FLAG, &[0, 0, 0, 2]));
    let events = drain(&mut channel, 20);
    let terminated = events.iter().position(|event| *event == Event::Terminate).unwrap();
    assert!(closed(&events[terminated..]).is_some());
    assert_eq!(events.last(), Some(&Event::End));
}

#[test]
fn a_pause_holds_the_output_back() {
    let mut channel = running();
    channel.receive(at(20), &frame(MessageType::PausePublication, 0, PayloadType::NONE, b""));
    channel.output(at(20), b"x");
    assert!(drain(&mut channel, 5000).is_empty());
    channel.receive(at(5000), &frame(MessageType::StartPublication, 0, PayloadType::NONE, b""));
    assert_eq!(sent(&drain(&mut channel, 5000))[0].payload, b"x");
}

#[test]
fn a_session_in_which_nothing_happens_ends() {
    let mut channel = running();
    let idle = 20 * 60 * 1000;
    assert_eq!(channel.deadline(), Some(at(idle)), "since it was opened");
    channel.receive(at(100), &input(1, PayloadType::OUTPUT, b"a"));
    drain(&mut channel, 100);
    assert!(drain(&mut channel, idle + 99).is_empty());
    let events = drain(&mut channel, idle + 100);
    assert!(closed(&events).unwrap()["Output"].as_str().unwrap().contains("idle"));
}
