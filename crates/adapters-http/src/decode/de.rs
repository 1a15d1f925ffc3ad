//! The deserializer over a [`Node`]. It is strict about types, with one courtesy: a number without a fraction is an
//! integer, however it is written (`1.0`).

use std::borrow::Cow;

use serde::Deserializer;
use serde::de::Visitor;

use super::access::{Elements, Entries};
use super::error::{DecodeError, Fault, Wanted};
use super::node::Node;

/// Reads a value from a node.
pub(super) struct NodeDeserializer<'a>(pub(super) Node<'a>);

impl<'a> NodeDeserializer<'a> {
    fn wrong<T>(node: &Node<'a>, wanted: Wanted) -> Result<T, DecodeError> {
        let found = match node {
            Node::Null => Cow::Borrowed("null"),
            Node::Bool(_) => Cow::Borrowed("a boolean"),
            Node::Unsigned(number) => Cow::Owned(format!("the number {number}")),
            Node::Signed(number) => Cow::Owned(format!("the number {number}")),
            Node::Float(number) => Cow::Owned(format!("the number {number}")),
            Node::Text(_) => Cow::Borrowed("a string"),
            Node::List(_) => Cow::Borrowed("a list"),
            Node::Map(_) => Cow::Borrowed("a structure"),
        };
        Err(DecodeError::new(Fault::WrongType { found, wanted }))
    }

    fn integer<V: Visitor<'a>>(
        self,
        name: &'static str,
        least: i64,
        most: i64,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        #[allow(clippy::cast_possible_truncation, reason = "it has no fraction, and the cast saturates")]
        let number = match self.0 {
            Node::Unsigned(number) => i64::try_from(number).ok(),
            Node::Signed(number) => Some(number),
            // From 2^53 on a double is not exact, and what was meant is anyone's guess.
            Node::Float(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                Some(number as i64)
            }
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => visitor.visit_i64(number),
            _ => Self::wrong(&self.0, Wanted::Scalar(name)),
        }
    }

    fn number<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Unsigned(number) => visitor.visit_u64(number),
            Node::Signed(number) => visitor.visit_i64(number),
            Node::Float(number) => visitor.visit_f64(number),
            node => Self::wrong(&node, Wanted::Scalar(name)),
        }
    }

    fn text<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Node::Text(Cow::Owned(text)) => visitor.visit_string(text),
            node => Self::wrong(&node, Wanted::Scalar("a String")),
        }
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(value),
            Node::Unsigned(number) => visitor.visit_u64(number),
            Node::Signed(number) => visitor.visit_i64(number),
            Node::Float(number) => visitor.visit_f64(number),
            Node::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Node::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Node::List(items) => visitor.visit_seq(Elements::new(items)),
            Node::Map(entries) => visitor.visit_map(Entries::keys(entries)),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Bool(value) => visitor.visit_bool(value),
            node => Self::wrong(&node, Wanted::Scalar("a Boolean")),
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer("an Integer", i32::MIN.into(), i32::MAX.into(), visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.integer("a Long", i64::MIN, i64::MAX, visitor)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.number("a Float", visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.number("a Double", visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.text(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Null => visitor.visit_none(),
            node => visitor.visit_some(NodeDeserializer(node)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::List(items) => visitor.visit_seq(Elements::new(items)),
            node => Self::wrong(&node, Wanted::List),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Map(entries) => visitor.visit_map(Entries::keys(entries)),
            node => Self::wrong(&node, Wanted::Structure),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.0 {
            Node::Map(entries) => visitor.visit_map(Entries::members(entries)),
            node => Self::wrong(&node, Wanted::Structure),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    // What the model has no shapes for.
    serde::forward_to_deserialize_any! {
        i8 i16 u8 u16 u32 u64 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}
