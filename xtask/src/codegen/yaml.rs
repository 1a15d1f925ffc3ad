//! Writing YAML: just enough for an OpenAPI document, always the same text for the same tree.
//!
//! Strings are quoted as JSON strings, which are YAML's double-quoted ones; keys are bare where that's safe.

/// A YAML node. Maps keep their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Yaml {
    /// True or false.
    Bool(bool),
    /// A number, written without a fraction if it has none.
    Number(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Yaml>),
    /// A map.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A string.
    pub(crate) fn text(text: impl Into<String>) -> Yaml {
        Yaml::Text(text.into())
    }

    /// A map of what's there.
    pub(crate) fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Yaml)>) -> Yaml {
        Yaml::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// A list of strings.
    pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Yaml {
        Yaml::List(texts.into_iter().map(Yaml::text).collect())
    }

    /// Adds an entry, which makes it a map if it isn't.
    pub(crate) fn with(mut self, key: &str, value: Yaml) -> Yaml {
        if let Yaml::Map(entries) = &mut self {
            entries.push((key.to_owned(), value));
            return self;
        }
        Yaml::map([(key, value)])
    }

    /// The document's text.
    pub(crate) fn document(&self) -> String {
        let mut out = String::new();
        self.block(&mut out, 0);
        out.trim_start().to_owned()
    }

    /// Writes the node after its key or dash: in the same line, or as a block in the next ones.
    fn block(&self, out: &mut String, indent: usize) {
        match self {
            Yaml::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    start(out, indent);
                    out.push_str(&quoted_key(key));
                    out.push(':');
                    value.block(out, indent + 1);
                }
            }
            Yaml::List(items) if !items.is_empty() => {
                for item in items {
                    start(out, indent);
                    out.push('-');
                    match item {
                        Yaml::Map(entries) if !entries.is_empty() => {
                            // The first key stands beside the dash, the others below it.
                            let mut inner = String::new();
                            item.block(&mut inner, indent + 1);
                            out.push(' ');
                            out.push_str(inner.trim_start());
                        }
                        _ => item.block(out, indent + 1),
                    }
                }
            }
            _ => {
                out.push(' ');
                out.push_str(&self.scalar());
                out.push('\n');
            }
        }
    }

    fn scalar(&self) -> String {
        match self {
            Yaml::Bool(value) => value.to_string(),
            Yaml::Number(value) => value.to_string(),
            Yaml::Text(text) => quoted(text),
            Yaml::List(_) => "[]".to_owned(),
            Yaml::Map(_) => "{}".to_owned(),
        }
    }
}

/// Begins a line of a block, ending the line of the key it belongs to.
fn start(out: &mut String, indent: usize) {
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.extend(std::iter::repeat_n("  ", indent));
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn quoted_key(key: &str) -> String {
    const RESERVED: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "default"];
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '$' | '/' | '_'))
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '/' | '_' | '-' | '.'))
        && !RESERVED.contains(&key.to_ascii_lowercase().as_str());
    if plain { key.to_owned() } else { quoted(key) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Yaml {
        Yaml::map([
            ("openapi", Yaml::text("3.1.0")),
            ("empty", Yaml::map::<&str>([])),
            ("none", Yaml::List(vec![])),
            ("tags", Yaml::List(vec![Yaml::map([("name", Yaml::text("a\"b\\")), ("on", Yaml::Bool(true))])])),
            ("paths", Yaml::map([("/v1/RunTask", Yaml::map([("400", Yaml::Number(1.0))]))])),
            ("enum", Yaml::texts(["no", "1"])),
            ("max", Yaml::Number(0.5)),
        ])
    }

    #[test]
    fn is_written_as_people_write_it() {
        let expected = "openapi: \"3.1.0\"\nempty: {}\nnone: []\ntags:\n  - name: \"a\\\"b\\\\\"\n    \"on\": true\n\
                        paths:\n  /v1/RunTask:\n    \"400\": 1\nenum:\n  - \"no\"\n  - \"1\"\nmax: 0.5\n";
        assert_eq!(sample().document(), expected);
    }

    #[test]
    fn another_parser_reads_the_same() {
        let parsed: serde_json::Value = serde_yaml_ng::from_str(&sample().document()).unwrap();
        let expected = serde_json::json!({
            "openapi": "3.1.0", "empty": {}, "none": [], "tags": [{"name": "a\"b\\", "on": true}],
            "paths": {"/v1/RunTask": {"400": 1}}, "enum": ["no", "1"], "max": 0.5
        });
        assert_eq!(parsed, expected);
    }
}
