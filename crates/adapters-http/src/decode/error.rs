//! What is wrong with a request, and where. Not yet the words for it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Unexpected};

/// A fault and the member that has it.
#[derive(Debug)]
pub(crate) struct DecodeError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    fault: Fault,
    /// From the inside out: it is collected while the error travels up.
    path: Vec<Segment>,
}

/// The kinds of faults.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Not JSON at all; where and why.
    Malformed(String),
    /// JSON of another type than the member has.
    WrongType {
        /// What was found, such as `a string`.
        found: Cow<'static, str>,
        /// What the member is.
        wanted: Wanted,
    },
    /// A required member is missing or `null`. The path ends in its name.
    Missing,
    /// A string that is none of an enum's values.
    UnknownValue {
        /// The string.
        value: String,
        /// The enum's values.
        accepted: &'static [&'static str],
    },
    /// Anything else, in words.
    Other(String),
}

/// What a member is, in the words of the protocol's own messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// `a String`, `an Integer`, ...
    Scalar(&'static str),
    /// A structure or a map.
    Structure,
    /// A list.
    List,
    /// As the type itself describes it.
    Described(String),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(name) => f.write_str(name),
            Self::Structure => f.write_str("a structure"),
            Self::List => f.write_str("a list"),
            Self::Described(text) => f.write_str(text),
        }
    }
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// A member of a structure.
    Member(Cow<'static, str>),
    /// An element of a list.
    Index(usize),
    /// A value of a map.
    Key(String),
}

impl DecodeError {
    /// A fault of the whole body.
    pub(super) fn new(fault: Fault) -> Self {
        Self(Box::new(Inner { fault, path: Vec::new() }))
    }

    /// The same fault, seen from one level further out.
    pub(super) fn inside(mut self, segment: Segment) -> Self {
        self.0.path.push(segment);
        self
    }

    /// What is wrong.
    pub(crate) fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// The member: `containerDefinitions[0].portMappings[1].hostPort`. Empty for the request itself.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        for segment in self.0.path.iter().rev() {
            match segment {
                Segment::Member(name) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(name);
                }
                Segment::Index(index) => path.push_str(&format!("[{index}]")),
                Segment::Key(key) => path.push_str(&format!("[{key:?}]")),
            }
        }
        path
    }

    /// The innermost member's name, without indexes.
    pub(crate) fn member(&self) -> Option<&str> {
        self.0.path.iter().find_map(|segment| match segment {
            Segment::Member(name) => Some(name.as_ref()),
            Segment::Index(_) | Segment::Key(_) => None,
        })
    }
}

/// For the log and for tests; clients get [`crate::ecs::words`].
impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.path(), self.0.fault)
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Fault::Other(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Fault::WrongType {
            found: Cow::Owned(found(&unexpected)),
            wanted: Wanted::Described(expected.to_string()),
        })
    }

    // A number out of the range of its type. A string can't get here: unknown enum values are `unknown_variant`.
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownValue { value: variant.to_owned(), accepted: expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Fault::Missing).inside(Segment::Member(Cow::Borrowed(field)))
    }
}

/// What was found. The text of a string isn't told: it may be a secret.
fn found(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(_) => "a boolean".to_owned(),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number}"),
        Unexpected::Str(_) | Unexpected::Char(_) | Unexpected::Bytes(_) => "a string".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        _ => "a structure".to_owned(),
    }
}
