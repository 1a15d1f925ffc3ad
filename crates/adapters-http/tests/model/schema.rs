//! The API model, read from the OpenAPI document: the shapes of requests and answers, and which errors an operation has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

/// The whole of it.
pub(crate) static MODEL: LazyLock<Model> = LazyLock::new(Model::read);

const DOCUMENT: &str = include_str!("../../../../api/openapi/ecs.yaml");

/// The operations by name.
pub(crate) struct Model {
    pub(crate) operations: Vec<OperationModel>,
}

/// What the document says of an operation.
pub(crate) struct OperationModel {
    pub(crate) name: String,
    pub(crate) request: Arc<Shape>,
    pub(crate) response: Arc<Shape>,
    pub(crate) errors: BTreeSet<String>,
}

/// A shape, with the smallest and largest length or value.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) kind: Kind,
    pub(crate) least: Option<f64>,
    pub(crate) most: Option<f64>,
}

/// What a shape is.
#[derive(Debug)]
pub(crate) enum Kind {
    Structure { members: BTreeMap<String, Arc<Shape>>, required: BTreeSet<String> },
    List(Arc<Shape>),
    Map(Arc<Shape>),
    Text { values: Vec<String>, has_pattern: bool },
    Integer { wide: bool },
    Number,
    Time,
    Flag,
    Anything,
}

impl Model {
    fn read() -> Self {
        let document: Value = serde_yaml_ng::from_str(DOCUMENT).expect("the document is YAML");
        let schemas = document["components"]["schemas"].as_object().expect("there are schemas");
        let mut reader = Reader { schemas, known: BTreeMap::new() };
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().expect("there are paths") {
            let Some(name) = path.strip_prefix("/v1/") else { continue };
            let post = &item["post"];
            let body = |of: &Value| of["content"]["application/x-amz-json-1.1"]["schema"].clone();
            let errors = post["responses"]["400"]["description"].as_str().unwrap_or_default();
            operations.push(OperationModel {
                name: name.to_owned(),
                request: reader.shape(&body(&post["requestBody"])),
                response: reader.shape(&body(&post["responses"]["200"])),
                errors: errors.trim_end_matches('.').split(", ").map(str::to_owned).collect(),
            });
        }
        Self { operations }
    }

    /// The operation of this name.
    pub(crate) fn operation(&self, name: &str) -> &OperationModel {
        self.operations.iter().find(|operation| operation.name == name).expect("an operation of the model")
    }
}

struct Reader<'a> {
    schemas: &'a Map<String, Value>,
    known: BTreeMap<String, Arc<Shape>>,
}

impl Reader<'_> {
    fn shape(&mut self, schema: &Value) -> Arc<Shape> {
        let Some(name) = schema["$ref"].as_str() else { return Arc::new(self.made(schema)) };
        let name = name.rsplit('/').next().unwrap_or_default();
        if let Some(known) = self.known.get(name) {
            return Arc::clone(known);
        }
        let made = Arc::new(self.made(&self.schemas[name].clone()));
        self.known.insert(name.to_owned(), Arc::clone(&made));
        made
    }

    fn made(&mut self, schema: &Value) -> Shape {
        let bound = |names: [&str; 4]| names.iter().find_map(|name| schema[*name].as_f64());
        let least = bound(["minLength", "minItems", "minProperties", "minimum"]);
        let most = bound(["maxLength", "maxItems", "maxProperties", "maximum"]);
        let texts = |value: &Value| {
            let texts = value.as_array().into_iter().flatten();
            texts.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let kind = match (schema["type"].as_str().unwrap_or_default(), schema["format"].as_str()) {
            ("string", _) => {
                Kind::Text { values: texts(&schema["enum"]), has_pattern: schema["pattern"].is_string() }
            }
            ("integer", format) => Kind::Integer { wide: format == Some("int64") },
            ("number", Some("epoch-seconds")) => Kind::Time,
            ("number", _) => Kind::Number,
            ("boolean", _) => Kind::Flag,
            ("array", _) => Kind::List(self.shape(&schema["items"])),
            ("object", _) => match &schema["additionalProperties"] {
                Value::Bool(true) => Kind::Anything,
                Value::Object(_) => Kind::Map(self.shape(&schema["additionalProperties"])),
                _ => {
                    let members = schema["properties"].as_object().into_iter().flatten();
                    let members = members.map(|(name, member)| (name.clone(), self.shape(member))).collect();
                    Kind::Structure { members, required: texts(&schema["required"]).into_iter().collect() }
                }
            },
            other => panic!("a schema of {other:?}"),
        };
        Shape { kind, least, most }
    }
}

impl Shape {
    /// The members of a structure.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&String, &Arc<Shape>)> {
        let members = match &self.kind {
            Kind::Structure { members, .. } => Some(members),
            _ => None,
        };
        members.into_iter().flatten()
    }

    /// A member of a structure.
    pub(crate) fn member(&self, name: &str) -> Option<&Arc<Shape>> {
        match &self.kind {
            Kind::Structure { members, .. } => members.get(name),
            _ => None,
        }
    }

    /// Whether a member must be there.
    pub(crate) fn requires(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Structure { required, .. } if required.contains(name))
    }

    /// What of an answer isn't as the model has it.
    pub(crate) fn faults(&self, value: &Value, at: &str, out: &mut Vec<String>) {
        match (&self.kind, value) {
            (Kind::Anything, _)
            | (Kind::Flag, Value::Bool(_))
            | (Kind::Number | Kind::Time, Value::Number(_)) => {}
            (Kind::Text { values, .. }, Value::String(text)) => {
                if !values.is_empty() && !values.contains(text) {
                    out.push(format!("{at}: {text:?} is not in the enum"));
                }
            }
            (Kind::Integer { wide }, Value::Number(number)) => {
                let fits = number.as_i64().is_some_and(|n| *wide || i32::try_from(n).is_ok());
                if !fits {
                    out.push(format!("{at}: {number} is no such integer"));
                }
            }
            (Kind::List(element), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    element.faults(item, &format!("{at}[{index}]"), out);
                }
            }
            (Kind::Map(element), Value::Object(entries)) => {
                for (key, entry) in entries {
                    element.faults(entry, &format!("{at}[{key}]"), out);
                }
            }
            (Kind::Structure { members, required }, Value::Object(entries)) => {
                for (name, entry) in entries {
                    match members.get(name) {
                        Some(member) => member.faults(entry, &format!("{at}.{name}"), out),
                        None => out.push(format!("{at}.{name} is not in the model")),
                    }
                }
                out.extend(
                    required
                        .iter()
                        .filter(|name| !entries.contains_key(*name))
                        .map(|name| format!("{at}.{name} is missing")),
                );
            }
            (kind, value) => out.push(format!("{at}: {value} where the model has {kind:?}")),
        }
    }
}

impl OperationModel {
    /// What is wrong with an answer; nothing, if it is one that the model allows.
    pub(crate) fn faults(&self, status: u16, answer: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        if status == 200 {
            self.response.faults(answer, "", &mut faults);
            return faults;
        }
        let code = answer["__type"].as_str().unwrap_or_default();
        if !self.errors.contains(code) {
            faults.push(format!("{code:?} is no error of {}", self.name));
        }
        let expected = if code == "RequestEntityTooLargeException" { 413 } else { 400 };
        if status != expected {
            faults.push(format!("{code} with status {status}"));
        }
        if !answer["message"].is_string() {
            faults.push("the error has no message".to_owned());
        }
        for (member, value) in answer.as_object().into_iter().flatten() {
            let known = match member.as_str() {
                "__type" | "message" => true,
                "resourceIds" => code == "ConflictException" && value.is_array(),
                _ => false,
            };
            if !known {
                faults.push(format!("the error has a member {member}"));
            }
        }
        faults
    }
}
