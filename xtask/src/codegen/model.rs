//! Reading: an API model as botocore ships it (`service-2.json` and `paginators-1.json`).
//!
//! Only what the generator needs is read; the prose is dropped at the door. The order of the file is kept
//! by [`Ordered`], so that the output doesn't hang on how `serde_json` happens to store its maps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Deserializer, de};

/// A JSON object in the order of its file.
#[derive(Debug, Clone)]
pub(crate) struct Ordered<T> {
    entries: Vec<(String, T)>,
    index: BTreeMap<String, usize>,
}

impl<T> Ordered<T> {
    /// The entries in the order of the file.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The entry of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.index.get(name).map(|at| &self.entries[*at].1)
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered { entries: Vec::new(), index: BTreeMap::new() }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut ordered = Ordered::default();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    ordered.index.insert(name.clone(), ordered.entries.len());
                    ordered.entries.push((name, value));
                }
                Ok(ordered)
            }
        }

        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// One API: its operations and shapes.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    /// Names and protocol.
    pub(crate) metadata: Metadata,
    /// The operations by name.
    pub(crate) operations: Ordered<Operation>,
    /// The shapes by name.
    pub(crate) shapes: Ordered<Shape>,
    /// The paginators by operation; from the other file.
    #[serde(skip)]
    pub(crate) paginators: Ordered<Paginator>,
}

impl Model {
    /// Puts the two files together.
    pub(crate) fn parse(service: &[u8], paginators: &[u8]) -> Result<Model> {
        #[derive(Deserialize)]
        struct Paginators {
            pagination: Ordered<Paginator>,
        }

        let mut model: Model = serde_json::from_slice(service).context("service-2.json")?;
        let paginators: Paginators = serde_json::from_slice(paginators).context("paginators-1.json")?;
        model.paginators = paginators.pagination;
        let mentioned: BTreeSet<String> =
            model.shapes.iter().flat_map(|(_, shape)| shape.mentions()).map(str::to_owned).collect();
        for (name, shape) in &mut model.shapes.entries {
            shape.mentioned = mentioned.contains(name);
        }
        Ok(model)
    }

    /// A shape that must be there.
    pub(crate) fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).unwrap_or_else(|| panic!("the model refers to a shape {name} that it hasn't"))
    }
}

/// The head of a model.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    /// A date.
    pub(crate) api_version: String,
    /// The name in the SigV4 credential scope; the endpoint prefix where it isn't stated.
    pub(crate) signing_name: Option<String>,
    /// The host name's first part.
    pub(crate) endpoint_prefix: String,
    /// What stands before the operation in `X-Amz-Target`; only the JSON protocols have it.
    pub(crate) target_prefix: Option<String>,
    /// The minor version of the JSON protocol.
    pub(crate) json_version: Option<String>,
}

/// One operation.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    /// The request, unless it has none.
    pub(crate) input: Option<ShapeRef>,
    /// The response, unless it has none.
    pub(crate) output: Option<ShapeRef>,
    /// The errors it may answer with.
    #[serde(default)]
    pub(crate) errors: Vec<ShapeRef>,
}

/// How an operation pages.
#[derive(Debug, Deserialize)]
pub(crate) struct Paginator {
    /// The request's member.
    pub(crate) input_token: OneOrMany,
    /// The response's member.
    pub(crate) output_token: OneOrMany,
    /// The request's member for the page size.
    pub(crate) limit_key: Option<String>,
    /// The response's list.
    pub(crate) result_key: OneOrMany,
}

/// A string or a list of them, of which the first one counts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    /// A string.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl OneOrMany {
    /// The string, or the list's first one.
    pub(crate) fn first(&self) -> &str {
        match self {
            OneOrMany::One(name) => name,
            OneOrMany::Many(names) => names.first().map_or("", String::as_str),
        }
    }
}

/// A use of a shape.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShapeRef {
    /// Its name.
    pub(crate) shape: String,
    /// Whether clients fill it in with a random token.
    #[serde(default)]
    pub(crate) idempotency_token: bool,
    /// Whether it's deprecated.
    #[serde(default)]
    pub(crate) deprecated: bool,
}

/// What a shape is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Named members.
    Structure,
    /// A list.
    List,
    /// A map from strings.
    Map,
    /// A string, or an enum of strings.
    String,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// 32 bits.
    Float,
    /// 64 bits.
    Double,
    /// True or false.
    Boolean,
    /// Seconds since the epoch.
    Timestamp,
    /// Bytes, on the wire and in Rust as base64 text.
    Blob,
}

/// A shape. Which fields mean something depends on its kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Shape {
    /// What it's made of.
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// The members of a structure.
    #[serde(default)]
    pub(crate) members: Ordered<ShapeRef>,
    /// Those of them that must be there.
    #[serde(default)]
    pub(crate) required: Vec<String>,
    /// The elements of a list.
    pub(crate) member: Option<ShapeRef>,
    /// The values of a map.
    pub(crate) value: Option<ShapeRef>,
    /// The values of a string enum.
    #[serde(rename = "enum", default)]
    pub(crate) values: Vec<String>,
    /// The smallest length, number of entries or value.
    pub(crate) min: Option<f64>,
    /// The largest one.
    pub(crate) max: Option<f64>,
    /// What a string must match.
    pub(crate) pattern: Option<String>,
    /// Whether it's an error.
    #[serde(default)]
    pub(crate) exception: bool,
    /// Whether it's the server's.
    #[serde(default)]
    fault: bool,
    error: Option<ErrorTrait>,
    #[serde(skip)]
    mentioned: bool,
    /// Whether it's any JSON.
    #[serde(default)]
    pub(crate) document: bool,
    /// Whether it mustn't be shown.
    #[serde(default)]
    pub(crate) sensitive: bool,
    /// Whether it's deprecated.
    #[serde(default)]
    pub(crate) deprecated: bool,
}

/// What only some protocols say of an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorTrait {
    code: Option<String>,
    http_status_code: Option<u16>,
}

impl Shape {
    /// Whether it becomes a Rust struct. An exception does only where it's also part of something, as in
    /// an event stream.
    pub(crate) fn is_struct(&self) -> bool {
        self.kind == Kind::Structure && !self.document && (!self.exception || self.mentioned)
    }

    /// Whether it's an error, and the server's fault.
    pub(crate) fn is_server_fault(&self) -> bool {
        self.fault
            || self
                .error
                .as_ref()
                .and_then(|error| error.http_status_code)
                .is_some_and(|status| status >= 500)
    }

    /// The error's code on the wire: the name of the shape, where nothing else is said.
    pub(crate) fn error_code<'a>(&'a self, name: &'a str) -> &'a str {
        self.error.as_ref().and_then(|error| error.code.as_deref()).unwrap_or(name)
    }

    /// Whether it becomes a Rust enum.
    pub(crate) fn is_enum(&self) -> bool {
        self.kind == Kind::String && !self.values.is_empty()
    }

    /// Whether it states a length, a range or a pattern that can be broken.
    pub(crate) fn has_constraint(&self) -> bool {
        // The bounds of a blob count its bytes, and we have its text.
        self.kind != Kind::Blob
            && (self.lower_bound().is_some() || self.max.is_some() || self.pattern.is_some())
    }

    /// The smallest length, number of entries or value; none where nothing can be smaller.
    pub(crate) fn lower_bound(&self) -> Option<f64> {
        let counted = matches!(self.kind, Kind::String | Kind::List | Kind::Map);
        self.min.filter(|min| !counted || *min > 0.0)
    }

    /// What the shape is a collection of, if it's one.
    pub(crate) fn element(&self) -> Option<&str> {
        match self.kind {
            Kind::List => self.member.as_ref(),
            Kind::Map => self.value.as_ref(),
            _ => None,
        }
        .map(|element| element.shape.as_str())
    }

    /// The shapes that it mentions.
    pub(crate) fn mentions(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(_, member)| member.shape.as_str()).chain(self.element())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_file_is_kept() {
        let map: Ordered<i32> = serde_json::from_str(r#"{"b": 1, "a": 2}"#).unwrap();
        assert_eq!(map.iter().collect::<Vec<_>>(), [("b", &1), ("a", &2)]);
        assert_eq!((map.get("a"), map.get("c"), map.len()), (Some(&2), None, 2));
    }

    #[test]
    fn a_minimum_of_nothing_is_no_constraint() {
        let shape = |json: &str| serde_json::from_str::<Shape>(json).unwrap();
        assert!(!shape(r#"{"type": "list", "min": 0}"#).has_constraint());
        assert!(shape(r#"{"type": "list", "min": 0, "max": 5}"#).has_constraint());
        assert!(shape(r#"{"type": "integer", "min": 0}"#).has_constraint());
    }
}
