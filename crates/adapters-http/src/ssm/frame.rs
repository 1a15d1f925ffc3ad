//! One message of the Session Manager protocol as bytes.
//!
//! All numbers are big-endian. The header has 116 bytes: its own length (4), the message's type in spaces (32), the
//! schema's version (4), the date in milliseconds (8), the sequence number (8), flags (8), the id, a UUID with its
//! halves exchanged (16), SHA-256 of the payload (32), the payload's type (4). The payload's length (4) and the payload
//! follow.

use sha2::{Digest, Sha256};

/// The length of a header without the payload's length.
const HEADER: usize = 116;
/// The type's place in it.
const TYPE: std::ops::Range<usize> = 4..36;
const DIGEST: std::ops::Range<usize> = 80..112;

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageType {
    /// From the client, in sequence.
    Input,
    /// To the client, in sequence.
    Output,
    /// That one message has come.
    Acknowledge,
    /// The end.
    ChannelClosed,
    /// Go on sending.
    StartPublication,
    /// Stop sending for a while.
    PausePublication,
}

impl MessageType {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Input, "input_stream_data"),
        (Self::Output, "output_stream_data"),
        (Self::Acknowledge, "acknowledge"),
        (Self::ChannelClosed, "channel_closed"),
        (Self::StartPublication, "start_publication"),
        (Self::PausePublication, "pause_publication"),
    ];

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// What a payload is. Any number may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadType(pub(crate) u32);

impl PayloadType {
    /// No payload of a stream.
    pub(crate) const NONE: Self = Self(0);
    /// Bytes of the terminal, in both directions.
    pub(crate) const OUTPUT: Self = Self(1);
    /// The terminal's size.
    pub(crate) const SIZE: Self = Self(3);
    /// What the client is asked to do first.
    pub(crate) const HANDSHAKE_REQUEST: Self = Self(5);
    /// What came of that.
    pub(crate) const HANDSHAKE_RESPONSE: Self = Self(6);
    /// Now the session begins.
    pub(crate) const HANDSHAKE_COMPLETE: Self = Self(7);
    /// A wish of the client, as a number.
    pub(crate) const FLAG: Self = Self(10);
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its type.
    pub(crate) kind: MessageType,
    /// When it was made, in milliseconds since 1970.
    pub(crate) created: u64,
    /// Its place in the stream.
    pub(crate) sequence: i64,
    /// 1 for the first of a stream, 3 for what is in none.
    pub(crate) flags: u64,
    /// Its id, a UUID.
    pub(crate) id: u128,
    /// What the payload is.
    pub(crate) payload_type: PayloadType,
    /// The payload.
    pub(crate) payload: Vec<u8>,
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    #[error("the message is cut off")]
    Short,
    #[error("the header's length is wrong")]
    Header,
    #[error("the payload's length is wrong")]
    Length,
    #[error("the message's type isn't known")]
    Type,
    #[error("the payload's digest is wrong")]
    Digest,
}

impl Frame {
    /// The message as bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 4 + self.payload.len());
        bytes.extend_from_slice(&116_u32.to_be_bytes());
        let name = self.kind.as_str().as_bytes();
        bytes.extend_from_slice(name);
        bytes.resize(TYPE.end, b' ');
        bytes.extend_from_slice(&1_u32.to_be_bytes());
        bytes.extend_from_slice(&self.created.to_be_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.flags.to_be_bytes());
        bytes.extend_from_slice(&self.id.rotate_left(64).to_be_bytes());
        bytes.extend_from_slice(&Sha256::digest(&self.payload));
        bytes.extend_from_slice(&self.payload_type.0.to_be_bytes());
        // A payload is a piece of a stream or a short JSON text.
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Reads a message.
    ///
    /// # Errors
    /// When the bytes are none.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BadFrame> {
        let header = u32::from_be_bytes(array(bytes, 0)?) as usize;
        // A header may grow; what we know stays at its place.
        if !(HEADER..=1024).contains(&header) {
            return Err(BadFrame::Header);
        }
        let length = u32::from_be_bytes(array(bytes, header)?) as usize;
        let payload = bytes.get(header + 4..).ok_or(BadFrame::Short)?;
        if payload.len() != length {
            return Err(BadFrame::Length);
        }
        let name = std::str::from_utf8(&bytes[TYPE]).map_err(|_| BadFrame::Type)?;
        let name = name.trim_matches(|character| character == ' ' || character == '\0');
        let kind = MessageType::parse(name).ok_or(BadFrame::Type)?;
        // Without a payload some clients leave the digest empty.
        if length > 0 && Sha256::digest(payload)[..] != bytes[DIGEST] {
            return Err(BadFrame::Digest);
        }
        Ok(Self {
            kind,
            created: u64::from_be_bytes(array(bytes, 40)?),
            sequence: i64::from_be_bytes(array(bytes, 48)?),
            flags: u64::from_be_bytes(array(bytes, 56)?),
            id: u128::from_be_bytes(array(bytes, 64)?).rotate_left(64),
            payload_type: PayloadType(u32::from_be_bytes(array(bytes, 112)?)),
            payload: payload.to_vec(),
        })
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], BadFrame> {
    bytes.get(at..at + N).and_then(|part| part.try_into().ok()).ok_or(BadFrame::Short)
}

/// A UUID as text.
pub(crate) fn uuid_text(id: u128) -> String {
    let hex = format!("{id:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame {
            kind: MessageType::Output,
            created: 1_700_000_000_123,
            sequence: 7,
            flags: 1,
            id: 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f,
            payload_type: PayloadType::OUTPUT,
            payload: b"hello".to_vec(),
        }
    }

    #[test]
    fn each_part_is_at_its_place() {
        let bytes = frame().encode();
        assert_eq!(bytes.len(), 125);
        assert_eq!(bytes[..4], [0, 0, 0, 116]);
        assert_eq!(&bytes[4..36], b"output_stream_data              ");
        assert_eq!(bytes[36..40], [0, 0, 0, 1]);
        assert_eq!(bytes[48..56], [0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(bytes[64..80], [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7], "halves exchanged");
        assert_eq!(bytes[112..120], [0, 0, 0, 1, 0, 0, 0, 5]);
        assert_eq!(&bytes[120..], b"hello");
        assert_eq!(uuid_text(frame().id), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }

    #[test]
    fn what_is_written_can_be_read() {
        for (kind, _) in MessageType::ALL {
            for payload in [Vec::new(), vec![0; 1024]] {
                let frame = Frame { kind, payload, sequence: -1, ..frame() };
                assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
            }
        }
    }

    #[test]
    fn what_is_no_message_is_refused_and_never_a_panic() {
        let good = frame().encode();
        for length in 0..good.len() {
            assert!(Frame::decode(&good[..length]).is_err(), "{length}");
        }
        for at in 0..good.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                let _ = Frame::decode(&bad);
            }
        }
        let with = |at: usize, value: u8| {
            let mut bad = good.clone();
            bad[at] = value;
            Frame::decode(&bad)
        };
        assert_eq!(with(0, 1), Err(BadFrame::Header));
        assert_eq!(with(3, 115), Err(BadFrame::Header));
        assert_eq!(with(4, b'x'), Err(BadFrame::Type));
        assert_eq!(with(124, b'x'), Err(BadFrame::Digest));
        assert_eq!(with(119, 4), Err(BadFrame::Length));
        // Another end of padding is fine.
        assert!(with(22, 0).is_ok());
    }

    #[test]
    fn an_empty_payload_needs_no_digest() {
        let mut bytes = Frame { payload: Vec::new(), ..frame() }.encode();
        bytes[DIGEST].fill(0);
        assert!(Frame::decode(&bytes).is_ok());
    }
}
