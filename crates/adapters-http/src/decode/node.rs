//! JSON as a tree that borrows from the body. It is not `serde_json::Value`: that one copies every string, and
//! has no limit of depth that we could set.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::MAX_DEPTH;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer that is not negative.
    Unsigned(u64),
    /// A negative integer.
    Signed(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object. Each key occurs once: of several entries the last one has won.
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Parses a whole text.
pub(super) fn parse(text: &[u8]) -> serde_json::Result<Node<'_>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let node = NodeSeed { depth: 0 }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct NodeSeed {
    depth: usize,
}

impl NodeSeed {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(u64::try_from(value).map_or(Node::Signed(value), Node::Unsigned))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node<'de>, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E>(self, value: String) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(KeySeed)? {
            entries.push((key, map.next_value_seed(inner)?));
        }
        Ok(Node::Map(last_of_each(entries)))
    }
}

/// A key, borrowed where it has no escapes. (`Cow`'s own Deserialize always copies.)
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

/// Up to this many entries, comparing each with each is quicker than hashing.
const FEW: usize = 16;

/// Drops all but the last entry of each key, in linear time however many there are.
fn last_of_each<'a, T>(mut entries: Vec<(Cow<'a, str>, T)>) -> Vec<(Cow<'a, str>, T)> {
    let unique = if entries.len() <= FEW {
        (1..entries.len()).all(|at| entries[..at].iter().all(|(key, _)| *key != entries[at].0))
    } else {
        let mut seen = HashSet::with_capacity(entries.len());
        entries.iter().all(|(key, _)| seen.insert(key.as_ref()))
    };
    if unique {
        return entries;
    }
    let mut seen = HashSet::with_capacity(entries.len());
    entries.reverse();
    entries.retain(|(key, _)| seen.insert(key.clone()));
    entries.reverse();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Node<'_> {
        Node::Text(Cow::Borrowed(value))
    }

    #[test]
    fn the_last_of_several_equal_keys_wins() {
        let expected =
            Node::Map(vec![(Cow::Borrowed("b"), Node::Unsigned(2)), (Cow::Borrowed("a"), Node::Unsigned(3))]);
        assert_eq!(parse(br#"{"a":1,"b":2,"\u0061":3}"#).unwrap(), expected);
        let many: String = (0..100).map(|n| format!(r#""k{}":{n},"#, n % 50)).collect();
        let many = format!("{{{many}\"z\":0}}");
        let Node::Map(entries) = parse(many.as_bytes()).unwrap() else { panic!("no map") };
        assert_eq!(entries.len(), 51);
        assert_eq!(entries[0], (Cow::Borrowed("k0"), Node::Unsigned(50)));
    }

    #[test]
    fn strings_are_borrowed_unless_they_have_escapes() {
        assert!(matches!(parse(br#""abc""#).unwrap(), Node::Text(Cow::Borrowed("abc"))));
        assert!(matches!(parse(br#""a\nc""#).unwrap(), Node::Text(Cow::Owned(_))));
        assert_eq!(parse(br#"["x"]"#).unwrap(), Node::List(vec![text("x")]));
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        let error = parse(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("nested deeper than 64 levels"), "{error}");
        assert!(parse("[".repeat(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in
            [&b"{"[..], b"{}x", b"{'a':1}", b"\xff", b"\"\xff\"", b"\"\\ud800\"", b"1e999", b"nul", b"[1,]"]
        {
            assert!(parse(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }
}
