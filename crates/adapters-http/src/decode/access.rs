//! The elements and entries of a node, one after the other. This is where an error learns its place.

use std::borrow::Cow;
use std::vec::IntoIter;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::de::NodeDeserializer;
use super::error::{DecodeError, Segment};
use super::node::Node;

/// The elements of a list.
pub(super) struct Elements<'a> {
    items: IntoIter<Node<'a>>,
    index: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn new(items: Vec<Node<'a>>) -> Self {
        Self { items: items.into_iter(), index: 0 }
    }
}

impl<'a> SeqAccess<'a> for Elements<'a> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(NodeDeserializer(item))
            .map(Some)
            .map_err(|error| error.inside(Segment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of an object. Those that are `null` count as absent, as the protocol has it.
pub(super) struct Entries<'a> {
    entries: IntoIter<(Cow<'a, str>, Node<'a>)>,
    current: Option<(Cow<'a, str>, Node<'a>)>,
    /// How a place in it is written.
    segment: fn(Cow<'a, str>) -> Segment,
}

impl<'a> Entries<'a> {
    /// As members of a structure.
    pub(super) fn members(entries: Vec<(Cow<'a, str>, Node<'a>)>) -> Self {
        Self {
            entries: entries.into_iter(),
            current: None,
            segment: |name| Segment::Member(Cow::Owned(name.into_owned())),
        }
    }

    /// As entries of a map.
    pub(super) fn keys(entries: Vec<(Cow<'a, str>, Node<'a>)>) -> Self {
        Self { entries: entries.into_iter(), current: None, segment: |key| Segment::Key(key.into_owned()) }
    }
}

impl<'a> MapAccess<'a> for Entries<'a> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, node)) = self.entries.by_ref().find(|(_, node)| !matches!(node, Node::Null)) else {
            return Ok(None);
        };
        // Kept for the error's path, too. A borrowed key is copied as a pointer.
        let result = match &key {
            Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
            Cow::Owned(key) => {
                let deserializer: StringDeserializer<DecodeError> = key.clone().into_deserializer();
                seed.deserialize(deserializer)
            }
        };
        self.current = Some((key, node));
        result.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        // serde's contract is that a key has been taken before; a null in place of a panic if not.
        let (key, node) = self.current.take().unwrap_or((Cow::Borrowed(""), Node::Null));
        seed.deserialize(NodeDeserializer(node)).map_err(|error| error.inside((self.segment)(key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}
