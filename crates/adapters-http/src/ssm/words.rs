//! The JSON texts inside of messages.

use kecs_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::frame::{Frame, MessageType, uuid_text};

/// The version that we answer as. From 2.3.722.0 on, clients end a session with a flag.
const AGENT_VERSION: &str = "3.3.2299.0";

/// The first frame of a client. Others members are of no use to us.
#[derive(Deserialize)]
pub(crate) struct Opening {
    /// The session's secret.
    #[serde(rename = "TokenValue")]
    pub(crate) token: String,
}

/// What of an acknowledgement matters.
#[derive(Deserialize)]
pub(crate) struct Acknowledged {
    /// Which message has come.
    #[serde(rename = "AcknowledgedMessageSequenceNumber")]
    pub(crate) sequence: i64,
}

/// The terminal's size.
#[derive(Deserialize)]
pub(crate) struct Size {
    /// Characters in a line.
    pub(crate) cols: u32,
    /// Lines.
    pub(crate) rows: u32,
}

/// What a client made of the handshake's request.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HandshakeResponse {
    #[serde(default)]
    processed_client_actions: Option<Vec<ProcessedAction>>,
    #[serde(default)]
    errors: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessedAction {
    action_type: String,
    #[serde(default)]
    action_status: u32,
    #[serde(default)]
    error: Option<String>,
}

impl HandshakeResponse {
    /// Why the session can't begin, if it can't.
    pub(crate) fn refusal(&self) -> Option<String> {
        const SUCCESS: u32 = 1;
        let actions = self.processed_client_actions.as_deref().unwrap_or_default();
        match actions.iter().find(|action| action.action_type == "SessionType") {
            Some(action) if action.action_status == SUCCESS => None,
            Some(action) => Some(action.error.clone().unwrap_or_default()),
            None => Some(self.errors.iter().flatten().cloned().collect::<Vec<_>>().join("; ")),
        }
    }
}

/// The handshake's request: be a terminal.
pub(crate) fn handshake_request() -> Vec<u8> {
    text(&json!({
        "AgentVersion": AGENT_VERSION,
        "RequestedClientActions": [{
            "ActionType": "SessionType",
            "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": {}},
        }],
    }))
}

/// The handshake's end. The time is in nanoseconds, as Go writes durations.
pub(crate) fn handshake_complete(millis: i64) -> Vec<u8> {
    text(&json!({"HandshakeTimeToComplete": millis.saturating_mul(1_000_000), "CustomerMessage": ""}))
}

/// That a message has come.
pub(crate) fn acknowledgement(of: &Frame) -> Vec<u8> {
    text(&json!({
        "AcknowledgedMessageType": of.kind.as_str(),
        "AcknowledgedMessageId": uuid_text(of.id),
        "AcknowledgedMessageSequenceNumber": of.sequence,
        "IsSequentialMessage": true,
    }))
}

/// The end of a session. `output` is shown to the user, if there is any; the exit code is for programs: Amazon's own
/// clients ignore the member.
pub(crate) fn channel_closed(
    session: &str,
    id: u128,
    now: Timestamp,
    output: &str,
    exit_code: Option<i32>,
) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct ChannelClosed<'a> {
        message_id: String,
        created_date: String,
        destination_id: &'a str,
        session_id: &'a str,
        message_type: &'a str,
        schema_version: u32,
        output: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
    }
    text(&ChannelClosed {
        message_id: uuid_text(id),
        created_date: now.to_string(),
        destination_id: session,
        session_id: session,
        message_type: MessageType::ChannelClosed.as_str(),
        schema_version: 1,
        output,
        exit_code,
    })
}

fn text(value: &impl Serialize) -> Vec<u8> {
    // Texts and numbers always have a JSON form.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> Option<String> {
        serde_json::from_str::<HandshakeResponse>(json).unwrap().refusal()
    }

    #[test]
    fn a_client_must_be_able_to_be_a_terminal() {
        // As Amazon's plugin writes it, nulls included.
        let good = r#"{"ClientVersion":"1.2.707.0","ProcessedClientActions":[{"ActionType":"SessionType",
            "ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}"#;
        assert_eq!(refusal(good), None);
        let bad =
            r#"{"ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":2,"Error":"no"}]}"#;
        assert_eq!(refusal(bad).as_deref(), Some("no"));
        assert_eq!(refusal(r#"{"ProcessedClientActions":null,"Errors":["a","b"]}"#).as_deref(), Some("a; b"));
        assert_eq!(refusal("{}").as_deref(), Some(""));
    }

    #[test]
    fn the_end_names_the_session_and_the_exit() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let json: serde_json::Value =
            serde_json::from_slice(&channel_closed("s-1", 1, now, "", Some(3))).unwrap();
        assert_eq!(json["SessionId"], "s-1");
        assert_eq!(json["MessageType"], "channel_closed");
        assert_eq!(json["ExitCode"], 3);
        assert_eq!(json["Output"], "");
        assert_eq!(json["SchemaVersion"], 1);
    }
}
