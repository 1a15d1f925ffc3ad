//! A call as the API reads it.

use serde_json::Value;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) plural: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) watch: bool,
    pub(super) selector: Vec<(String, String)>,
    pub(super) version: u64,
    pub(super) body: Value,
}

impl Call {
    pub(super) fn parse(parts: &http::request::Parts, body: &[u8]) -> Self {
        let path = parts.uri.path().to_owned();
        let mut segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // `api/v1` in front.
        segments.drain(..2.min(segments.len()));
        let namespace = (segments.len() > 2 && segments[0] == "namespaces").then(|| segments[1].to_owned());
        if namespace.is_some() {
            segments.drain(..2);
        }
        let query: Vec<(String, String)> = parts
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), decode(value)))
            .collect();
        let get = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let selector = get("labelSelector").unwrap_or_default();
        Self {
            method: parts.method.to_string(),
            plural: segments.first().copied().unwrap_or_default().to_owned(),
            name: segments.get(1).map(|name| (*name).to_owned()),
            namespace,
            watch: get("watch").is_some_and(|value| value == "true"),
            selector: selector
                .split(',')
                .filter_map(|term| term.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
            version: get("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0),
            body: serde_json::from_slice(body).unwrap_or(Value::Null),
            path,
        }
    }

    /// The method; `WATCH` for a watch.
    pub(super) fn verb(&self) -> &str {
        if self.watch { "WATCH" } else { &self.method }
    }

    /// Whether the object is among those that are asked for.
    pub(super) fn selects(&self, plural: &str, object: &Value) -> bool {
        let metadata = &object["metadata"];
        plural == self.plural
            && self.namespace.as_ref().is_none_or(|namespace| metadata["namespace"] == **namespace)
            && self.selector.iter().all(|(key, value)| metadata["labels"][key] == **value)
    }
}

/// Takes percent-encoding back.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
