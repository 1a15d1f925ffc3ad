//! The generated types against the checked-in OpenAPI document: the largest request and response of every
//! operation must survive a reading and a writing, and pass its checks.
//!
//! Needs no network and not the model: the document is the model as far as this is concerned.

use std::fs;
use std::path::Path;

use kecs_domain::model::{Operation, OperationShape};
use kecs_domain::validate::Validate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// The document's schemas.
struct Schemas(Value);

impl Schemas {
    fn load() -> Schemas {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let text = fs::read_to_string(root.join(super::ecs::ECS.openapi)).unwrap();
        Schemas(serde_yaml_ng::from_str(&text).unwrap())
    }

    fn named(&self, name: &str) -> &Value {
        let schema = &self.0["components"]["schemas"][name];
        assert!(schema.is_object(), "no schema {name}");
        schema
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.named(reference.rsplit('/').next().unwrap()),
            None => schema,
        }
    }

    /// A value with every member, and in a list of an enum's values each of them.
    fn largest(&self, schema: &Value, required_only: bool) -> Value {
        let schema = self.resolve(schema);
        match schema["type"].as_str().unwrap() {
            "object" if schema["additionalProperties"] == true => json!({"any": [1, "a", null]}),
            "object" if schema["additionalProperties"].is_object() => {
                json!({"a key": self.largest(&schema["additionalProperties"], required_only)})
            }
            "object" => {
                let required = |name: &str| {
                    schema["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name))
                };
                let properties = schema["properties"].as_object().cloned().unwrap_or_default();
                let members = properties.iter().filter(|(name, _)| !required_only || required(name));
                members.map(|(name, schema)| (name.clone(), self.largest(schema, required_only))).collect()
            }
            "array" => match self.resolve(&schema["items"])["enum"].as_array() {
                Some(values) => values.clone().into(),
                None => vec![self.largest(&schema["items"], required_only)].into(),
            },
            "string" => match schema["enum"].as_array() {
                Some(values) => values.last().unwrap().clone(),
                None => "x".repeat(schema["minLength"].as_u64().unwrap_or(0).max(1) as usize).into(),
            },
            "integer" => schema["minimum"].as_i64().unwrap_or(7).into(),
            "number" if schema["format"] == "epoch-seconds" => json!(1_731_234_567.123),
            "number" => json!(1.5),
            "boolean" => true.into(),
            other => panic!("a schema of type {other}"),
        }
    }

    fn operation(&self, name: &str) -> &Value {
        &self.0["paths"][format!("/v1/{name}")]["post"]
    }
}

fn content(body: &Value) -> &Value {
    &body["content"]["application/x-amz-json-1.1"]["schema"]
}

/// Reads and writes a value, with the path of the first difference.
fn survives<T: DeserializeOwned + Serialize>(what: &str, value: &Value) -> T {
    let read: T = serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{what}: {error}"));
    if let Some(path) = difference(&serde_json::to_value(&read).unwrap(), value) {
        panic!("{what}{path} doesn't survive");
    }
    read
}

/// The path of the first place where two values differ.
fn difference(a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => a.keys().chain(b.keys()).find_map(|key| {
            let (Some(a), Some(b)) = (a.get(key), b.get(key)) else { return Some(format!(".{key}")) };
            difference(a, b).map(|rest| format!(".{key}{rest}"))
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(at, (a, b))| difference(a, b).map(|rest| format!("[{at}]{rest}")))
        }
        _ => (a != b).then(String::new),
    }
}

fn check<O: OperationShape>(schemas: &Schemas)
where
    O::Request: Serialize,
    O::Response: DeserializeOwned,
{
    let name = O::OPERATION.name();
    let operation = schemas.operation(name);
    let (request, response) = (content(&operation["requestBody"]), content(&operation["responses"]["200"]));
    for required_only in [false, true] {
        let value = schemas.largest(request, required_only);
        let read: O::Request = survives(name, &value);
        assert_eq!(read.violations(), [], "{name}");
        survives::<O::Response>(name, &schemas.largest(response, required_only));
        refuses_gaps::<O::Request>(name, schemas.resolve(request), &value);
    }
    let mut value = schemas.largest(request, false);
    value.as_object_mut().unwrap().insert("aMemberOfTheFuture".into(), json!({"a": 1}));
    assert!(serde_json::from_value::<O::Request>(value).is_ok(), "{name} ignores unknown members");
}

/// Without a required member, or with null in its place, a request can't be read.
fn refuses_gaps<T: DeserializeOwned>(what: &str, schema: &Value, whole: &Value) {
    for member in schema["required"].as_array().into_iter().flatten() {
        let member = member.as_str().unwrap();
        let mut object: Map<String, Value> = whole.as_object().unwrap().clone();
        object.insert(member.to_owned(), Value::Null);
        assert!(serde_json::from_value::<T>(object.clone().into()).is_err(), "{what}.{member}: null");
        object.remove(member);
        let error = serde_json::from_value::<T>(object.into()).err().expect(what).to_string();
        assert_eq!(error, format!("missing field `{member}`"), "{what}");
    }
}

macro_rules! check_all {
    ($(($variant:ident, $name:ident, $request:ty, $response:ty),)*) => {
        fn check_all(schemas: &Schemas) {
            $(check::<kecs_domain::model::op::$variant>(schemas);)*
        }
    };
}
kecs_domain::for_each_operation!(check_all);

#[test]
fn every_request_and_response_survives() {
    check_all(&Schemas::load());
}

#[test]
fn the_document_has_every_operation() {
    let schemas = Schemas::load();
    let paths: Vec<_> = schemas.0["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths.len(), Operation::ALL.len() + 1);
    for operation in Operation::ALL {
        assert!(schemas.operation(operation.name()).is_object(), "{operation}");
        assert_eq!(Operation::from_name(operation.name()), Some(*operation));
    }
    let targets = &schemas.0["paths"]["/"]["post"]["parameters"][0]["schema"]["enum"];
    assert_eq!(targets.as_array().unwrap().len(), Operation::ALL.len());
}

#[test]
fn every_reference_leads_somewhere() {
    fn follow(schemas: &Schemas, value: &Value) {
        match value {
            Value::Object(members) => {
                schemas.resolve(value);
                members.values().for_each(|member| follow(schemas, member));
            }
            Value::Array(items) => items.iter().for_each(|item| follow(schemas, item)),
            _ => {}
        }
    }
    let schemas = Schemas::load();
    follow(&schemas, &schemas.0);
}
