//! Reads request bodies: JSON bytes to the generated request types, with errors that name the member.
//!
//! `serde_json` alone can't do that: its errors are sentences, and it reads an array as a structure and refuses a
//! key that occurs twice. So the body is first parsed to a small borrowed tree ([`node`]) and the tree is then read
//! by a deserializer of our own ([`de`]) whose error ([`DecodeError`]) knows the kind of fault and its place.
//! How a fault is worded is not decided here, see [`crate::ecs::words`].

mod access;
mod de;
mod error;
mod node;

use serde::Deserialize;

pub(crate) use error::{DecodeError, Fault};
pub(crate) use node::Node;

/// How deep a body may be nested. The deepest shape of the model has 9 levels; free-form documents get the rest.
pub(crate) const MAX_DEPTH: usize = 64;

/// Reads a request. An empty body counts as `{}`, as some clients send it for a request without members.
///
/// # Errors
/// What is wrong and where.
pub(crate) fn decode<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, DecodeError> {
    from_node(parse(body)?)
}

/// Parses a body. What is in it is not looked at yet.
pub(crate) fn parse(body: &[u8]) -> Result<Node<'_>, DecodeError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Node::Map(Vec::new()));
    }
    node::parse(body).map_err(|error| DecodeError::new(Fault::Malformed(error.to_string())))
}

/// Reads a parsed body. `null` counts as `{}`.
pub(crate) fn from_node<'a, T: Deserialize<'a>>(node: Node<'a>) -> Result<T, DecodeError> {
    let node = if matches!(node, Node::Null) { Node::Map(Vec::new()) } else { node };
    T::deserialize(de::NodeDeserializer(node))
}
