//! What the generated types are made with: closed string enums, and the checks behind `validate()`.
//!
//! The checks are those which the API model states (lengths, patterns, ranges), with the path of the
//! offending member. Rules that only the documentation states are the entities' business, not this module's.

use std::fmt;

use regex::Regex;

mod enums;

pub use enums::UnknownVariant;
pub(crate) use enums::{deserialize_enum, string_enum};

/// Where in a request a member is, as a list on the stack: it costs nothing until it's displayed.
#[derive(Copy, Clone, Debug)]
pub enum MemberPath<'a> {
    /// The request itself.
    Root,
    /// A member of a structure.
    Member(&'a MemberPath<'a>, &'static str),
    /// An element of a list.
    Index(&'a MemberPath<'a>, usize),
    /// A value of a map.
    Key(&'a MemberPath<'a>, &'a str),
}

impl MemberPath<'_> {
    /// The path of a member of the structure at this path.
    pub fn member(&self, name: &'static str) -> MemberPath<'_> {
        MemberPath::Member(self, name)
    }

    /// The path of an element of the list at this path.
    pub fn index(&self, index: usize) -> MemberPath<'_> {
        MemberPath::Index(self, index)
    }

    /// The path of a value of the map at this path.
    pub fn key<'a>(&'a self, key: &'a str) -> MemberPath<'a> {
        MemberPath::Key(self, key)
    }
}

impl fmt::Display for MemberPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MemberPath::Root => Ok(()),
            MemberPath::Member(MemberPath::Root, name) => f.write_str(name),
            MemberPath::Member(parent, name) => write!(f, "{parent}.{name}"),
            MemberPath::Index(parent, index) => write!(f, "{parent}[{index}]"),
            MemberPath::Key(parent, key) => write!(f, "{parent}[{key:?}]"),
        }
    }
}

/// Checks a value against the constraints of the API model.
pub trait Validate {
    /// Appends what's wrong with the value at the given path. All of it, in the order of the members.
    fn validate(&self, at: &MemberPath<'_>, out: &mut Vec<Violation>);

    /// What's wrong with the value, seen as a whole request.
    fn violations(&self) -> Vec<Violation> {
        let mut out = Vec::new();
        self.validate(&MemberPath::Root, &mut out);
        out
    }
}

/// A member that breaks a constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Which one, like `containerDefinitions[0].portMappings[1].hostPort`.
    pub path: String,
    /// What's wrong with it.
    pub kind: ViolationKind,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.kind)
    }
}

/// The lower and the upper end of what's allowed, both inclusive.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Bounds<N> {
    /// The smallest allowed value.
    pub min: Option<N>,
    /// The largest allowed value.
    pub max: Option<N>,
}

impl<N: fmt::Display> fmt::Display for Bounds<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.min, &self.max) {
            (Some(min), Some(max)) => write!(f, "between {min} and {max}"),
            (Some(min), None) => write!(f, "of at least {min}"),
            (None, Some(max)) => write!(f, "of at most {max}"),
            (None, None) => f.write_str("of any size"),
        }
    }
}

/// How a member breaks a constraint. No kind carries the offending text, which may be a secret.
#[derive(Clone, Debug, PartialEq)]
pub enum ViolationKind {
    /// A string with too few characters.
    TooShort {
        /// Its number of characters.
        len: usize,
        /// What's allowed.
        bounds: Bounds<usize>,
    },
    /// A string with too many characters.
    TooLong {
        /// Its number of characters.
        len: usize,
        /// What's allowed.
        bounds: Bounds<usize>,
    },
    /// A string of another form than the pattern says.
    Pattern {
        /// The pattern, as the model has it.
        pattern: &'static str,
    },
    /// A number below the range.
    TooSmall {
        /// The number.
        value: f64,
        /// What's allowed.
        bounds: Bounds<f64>,
    },
    /// A number above the range.
    TooLarge {
        /// The number.
        value: f64,
        /// What's allowed.
        bounds: Bounds<f64>,
    },
    /// A list or map with too few entries.
    TooFew {
        /// Its number of entries.
        len: usize,
        /// What's allowed.
        bounds: Bounds<usize>,
    },
    /// A list or map with too many entries.
    TooMany {
        /// Its number of entries.
        len: usize,
        /// What's allowed.
        bounds: Bounds<usize>,
    },
}

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { bounds, .. } | Self::TooLong { bounds, .. } => {
                write!(f, "must have a length {bounds}")
            }
            Self::Pattern { pattern } => write!(f, "must match the pattern {pattern}"),
            Self::TooSmall { bounds, .. } | Self::TooLarge { bounds, .. } => {
                write!(f, "must have a value {bounds}")
            }
            Self::TooFew { bounds, .. } | Self::TooMany { bounds, .. } => {
                write!(f, "must have a number of entries {bounds}")
            }
        }
    }
}

/// The checks that generated code is put together from. Each appends at most one violation.
pub mod check {
    use super::*;

    fn outside<N: PartialOrd + Copy>(value: N, bounds: Bounds<N>) -> Option<bool> {
        if bounds.min.is_some_and(|min| value < min) {
            Some(false)
        } else if bounds.max.is_some_and(|max| value > max) {
            Some(true)
        } else {
            None
        }
    }

    fn push(at: &MemberPath<'_>, out: &mut Vec<Violation>, kind: ViolationKind) {
        out.push(Violation { path: at.to_string(), kind });
    }

    /// Checks the number of characters (not of bytes) of a string.
    pub fn length(value: &str, bounds: Bounds<usize>, at: &MemberPath<'_>, out: &mut Vec<Violation>) {
        let len = value.chars().count();
        match outside(len, bounds) {
            None => {}
            Some(false) => push(at, out, ViolationKind::TooShort { len, bounds }),
            Some(true) => push(at, out, ViolationKind::TooLong { len, bounds }),
        }
    }

    /// Checks the number of entries of a list or map.
    pub fn entries(len: usize, bounds: Bounds<usize>, at: &MemberPath<'_>, out: &mut Vec<Violation>) {
        match outside(len, bounds) {
            None => {}
            Some(false) => push(at, out, ViolationKind::TooFew { len, bounds }),
            Some(true) => push(at, out, ViolationKind::TooMany { len, bounds }),
        }
    }

    /// Checks the range of a number.
    pub fn range(value: f64, bounds: Bounds<f64>, at: &MemberPath<'_>, out: &mut Vec<Violation>) {
        match outside(value, bounds) {
            None => {}
            Some(false) => push(at, out, ViolationKind::TooSmall { value, bounds }),
            Some(true) => push(at, out, ViolationKind::TooLarge { value, bounds }),
        }
    }

    /// Checks that a string matches. `regex` is the anchored form of `pattern`, see [`anchored`].
    pub fn pattern(
        value: &str,
        regex: &Regex,
        pattern: &'static str,
        at: &MemberPath<'_>,
        out: &mut Vec<Violation>,
    ) {
        if !regex.is_match(value) {
            push(at, out, ViolationKind::Pattern { pattern });
        }
    }

    /// Compiles a pattern of the model such that it must match the whole string.
    ///
    /// # Panics
    ///
    /// If it isn't a regular expression. The generator's round-trip test runs every pattern of the model.
    pub fn anchored(pattern: &str) -> Regex {
        Regex::new(&format!(r"\A(?:{pattern})\z")).expect("a pattern of the model is a regular expression")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &MemberPath<'_>, kind: ViolationKind) -> String {
        Violation { path: path.to_string(), kind }.to_string()
    }

    #[test]
    fn violations_say_where_and_what() {
        let tags = MemberPath::Root.member("tags");
        let first = tags.index(0);
        let bounds = Bounds { min: Some(1), max: Some(128) };
        assert_eq!(
            at(&first.member("key"), ViolationKind::TooShort { len: 0, bounds }),
            "tags[0].key must have a length between 1 and 128"
        );
        let bounds = Bounds { min: Some(1.0), max: None };
        assert_eq!(
            at(&tags.key("a"), ViolationKind::TooSmall { value: 0.0, bounds }),
            "tags[\"a\"] must have a value of at least 1"
        );
    }

    #[test]
    fn checks_count_characters_and_include_their_bounds() {
        let bounds = Bounds { min: Some(1), max: Some(2) };
        let mut out = Vec::new();
        for text in ["a", "éé"] {
            check::length(text, bounds, &MemberPath::Root, &mut out);
        }
        assert_eq!(out, []);
        check::length("", bounds, &MemberPath::Root, &mut out);
        check::entries(3, bounds, &MemberPath::Root, &mut out);
        check::range(0.5, Bounds { min: Some(1.0), max: None }, &MemberPath::Root, &mut out);
        check::pattern("ab", &check::anchored("a|b"), "a|b", &MemberPath::Root, &mut out);
        assert_eq!(out.len(), 4);
        assert_eq!(out[1].kind, ViolationKind::TooMany { len: 3, bounds });
    }
}
