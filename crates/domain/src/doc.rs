//! A document that many owners share: cheap to clone, immutable, serialised at most once.
//!
//! Lists and describes hand out the same tasks and services again and again; with [`Doc`] they clone a
//! pointer and copy ready-made JSON. It's deliberately not a cell: to change a document you make a new
//! version of it ([`Doc::make_mut`]), so whoever still holds the old one keeps seeing the old one.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use serde_json::value::RawValue;

/// A shared, immutable document that caches its own JSON.
///
/// **Serialising needs `serde_json`.** The cached text is handed over as a [`RawValue`], which only
/// `serde_json`'s serializers splice in as it stands (`to_value` parses it); any other format would see
/// `serde_json`'s private wrapper. Deserialising works with every format.
pub struct Doc<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: T,
    json: OnceLock<Box<RawValue>>,
}

/// A copy is about to be changed, so it starts without the cached JSON.
impl<T: Clone> Clone for Inner<T> {
    fn clone(&self) -> Self {
        Inner { value: self.value.clone(), json: OnceLock::new() }
    }
}

impl<T> Doc<T> {
    /// Wraps a value. Nothing is serialised before someone asks for it.
    pub fn new(value: T) -> Self {
        Doc(Arc::new(Inner { value, json: OnceLock::new() }))
    }

    /// Whether both are the very same allocation, hence equal without comparing.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The value for changing. Drops the cached JSON; copies the value first if someone else shares it.
    pub fn make_mut(&mut self) -> &mut T
    where
        T: Clone,
    {
        let inner = Arc::make_mut(&mut self.0);
        inner.json.take();
        &mut inner.value
    }

    /// The value itself, without a copy if nobody else shares it.
    pub fn into_inner(self) -> T
    where
        T: Clone,
    {
        Arc::try_unwrap(self.0).map_or_else(|shared| shared.value.clone(), |inner| inner.value)
    }
}

impl<T: Serialize> Doc<T> {
    /// The document as JSON, serialised on the first call.
    ///
    /// # Panics
    ///
    /// If the value has no JSON form (say, a map whose keys aren't strings). No generated type is like that.
    pub fn json(&self) -> &RawValue {
        self.try_json().expect("the document has a JSON form")
    }

    fn try_json(&self) -> serde_json::Result<&RawValue> {
        if let Some(json) = self.0.json.get() {
            return Ok(json);
        }
        let json = serde_json::value::to_raw_value(&self.0.value)?;
        // Two threads may race to here; both texts are the same and the first one stays.
        Ok(self.0.json.get_or_init(|| json))
    }
}

impl<T> Clone for Doc<T> {
    fn clone(&self) -> Self {
        Doc(Arc::clone(&self.0))
    }
}

impl<T> Deref for Doc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> AsRef<T> for Doc<T> {
    fn as_ref(&self) -> &T {
        &self.0.value
    }
}

impl<T> From<T> for Doc<T> {
    fn from(value: T) -> Self {
        Doc::new(value)
    }
}

impl<T: Default> Default for Doc<T> {
    fn default() -> Self {
        Doc::new(T::default())
    }
}

impl<T: PartialEq> PartialEq for Doc<T> {
    fn eq(&self, other: &Self) -> bool {
        self.ptr_eq(other) || self.0.value == other.0.value
    }
}

impl<T: Eq> Eq for Doc<T> {}

impl<T: fmt::Debug> fmt::Debug for Doc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.value.fmt(f)
    }
}

impl<T: Serialize> Serialize for Doc<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.try_json().map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Doc<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Doc::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    fn note(text: &str) -> Note {
        Note { text: text.to_owned() }
    }

    #[test]
    fn serialises_once_and_as_the_value() {
        let doc = Doc::new(note("a"));
        let first = doc.json() as *const RawValue;
        assert_eq!(doc.json().get(), r#"{"text":"a"}"#);
        assert!(std::ptr::eq(first, doc.clone().json()), "clones share the cached text");
        assert_eq!(serde_json::to_string(&vec![doc.clone()]).unwrap(), r#"[{"text":"a"}]"#);
        assert_eq!(serde_json::to_value(&doc).unwrap(), serde_json::json!({"text": "a"}));
    }

    #[test]
    fn a_change_drops_the_cached_json() {
        let mut doc = Doc::new(note("a"));
        assert_eq!(doc.json().get(), r#"{"text":"a"}"#);
        doc.make_mut().text.push('b');
        assert_eq!(doc.json().get(), r#"{"text":"ab"}"#);
    }

    #[test]
    fn a_change_leaves_other_holders_alone() {
        let old = Doc::new(note("a"));
        let mut new = old.clone();
        assert!(new.ptr_eq(&old));
        new.make_mut().text = "b".into();
        assert!(!new.ptr_eq(&old));
        assert_eq!((old.text.as_str(), new.text.as_str()), ("a", "b"));
        assert_eq!(old.json().get(), r#"{"text":"a"}"#);
        assert_eq!(new.json().get(), r#"{"text":"b"}"#);
    }

    #[test]
    fn equal_by_value() {
        assert_eq!(Doc::new(note("a")), Doc::from(note("a")));
        assert_ne!(Doc::new(note("a")), Doc::default());
    }

    #[test]
    fn reads_as_the_value_and_gives_it_back() {
        let doc: Doc<Note> = serde_json::from_str(r#"{"text":"a"}"#).unwrap();
        let kept = doc.clone();
        assert_eq!(doc.into_inner(), note("a"));
        assert_eq!(kept.into_inner(), note("a"));
        assert!(serde_json::from_str::<Doc<Note>>("null").is_err());
    }

    #[test]
    fn debug_is_that_of_the_value() {
        assert_eq!(format!("{:?}", Doc::new(note("a"))), format!("{:?}", note("a")));
    }
}
