//! The OpenAPI 3.1 document: a path per operation, a schema per shape.
//!
//! Its words are mechanical; the model's prose isn't in it.

use super::model::{Kind, Shape};
use super::output::Output;
use super::plan::{OperationPlan, Plan};
use super::yaml::Yaml;

/// The schema of an error body. No shape of the model may have its name.
const ERROR: &str = "ErrorResponse";

/// Adds the document to the output.
pub(crate) fn generate(plan: &Plan<'_>, output: &mut Output) {
    let text = format!("# {}\n{}", plan.header(), document(plan).document());
    output.plain(plan.config.openapi, text);
}

fn document(plan: &Plan<'_>) -> Yaml {
    let metadata = &plan.model.metadata;
    let tags = plan.config.resources.iter().filter(|resource| !resource.operations.is_empty());
    let mut paths = vec![("/".to_owned(), by_target(plan))];
    paths.extend(plan.operations.iter().map(|op| (format!("/v1/{}", op.name), by_path(plan, op))));
    let info = Yaml::map([
        ("title", Yaml::text(format!("{} API, as KECS serves it", plan.config.name))),
        ("version", Yaml::text(&metadata.api_version)),
        (
            "license",
            Yaml::map([("name", Yaml::text("Apache-2.0")), ("identifier", Yaml::text("Apache-2.0"))]),
        ),
    ]);
    Yaml::map([
        ("openapi", Yaml::text("3.1.0")),
        ("info", info),
        ("servers", Yaml::List(vec![Yaml::map([("url", Yaml::text("/"))])])),
        ("security", Yaml::List(vec![Yaml::map([("sigv4", Yaml::List(vec![]))]), Yaml::map::<&str>([])])),
        (
            "tags",
            Yaml::List(
                tags.map(|resource| {
                    Yaml::map([
                        ("name", Yaml::text(resource.module)),
                        ("description", Yaml::text(resource.title)),
                    ])
                })
                .collect(),
            ),
        ),
        ("paths", Yaml::Map(paths)),
        ("components", components(plan)),
    ])
}

fn components(plan: &Plan<'_>) -> Yaml {
    let mut schemas: Vec<_> = plan
        .model
        .shapes
        .iter()
        .filter(|(name, shape)| (!shape.exception || shape.is_struct()) && !is_inline(name, shape))
        .map(|(name, shape)| (name.to_owned(), schema(plan, shape)))
        .chain(plan.operations.iter().flat_map(|op| &op.missing).map(|name| (name.clone(), kind("object"))))
        .collect();
    schemas.push((ERROR.to_owned(), error_schema()));
    schemas.sort_by(|a, b| a.0.cmp(&b.0));
    let sigv4 = Yaml::map([
        ("type", Yaml::text("apiKey")),
        ("name", Yaml::text("Authorization")),
        ("in", Yaml::text("header")),
        ("description", Yaml::text("AWS Signature Version 4.")),
    ]);
    Yaml::map([("schemas", Yaml::Map(schemas)), ("securitySchemes", Yaml::map([("sigv4", sigv4)]))])
}

fn error_schema() -> Yaml {
    kind("object")
        .with("required", Yaml::texts(["__type"]))
        .with("properties", Yaml::map([("__type", kind("string")), ("message", kind("string"))]))
}

/// `POST /v1/RunTask`.
fn by_path(plan: &Plan<'_>, op: &OperationPlan<'_>) -> Yaml {
    let (faults, client): (Vec<&str>, Vec<&str>) =
        op.errors.iter().copied().partition(|error| plan.model.shape(error).is_server_fault());
    let post = Yaml::map([
        ("operationId", Yaml::text(op.name)),
        ("tags", Yaml::texts([op.module])),
        ("requestBody", body(plan, reference(&op.request)).with("required", Yaml::Bool(true))),
        (
            "responses",
            Yaml::map([
                ("200", body(plan, reference(&op.response)).with("description", Yaml::text("The answer."))),
                ("400", error(plan, client.into_iter().chain(plan.config.protocol_errors.iter().copied()))),
                ("500", error(plan, faults)),
            ]),
        ),
    ]);
    Yaml::map([("post", post)])
}

/// `POST /` with `X-Amz-Target`.
fn by_target(plan: &Plan<'_>) -> Yaml {
    let targets = plan.operations.iter().map(|op| format!("{}.{}", plan.config.target_prefix, op.name));
    let header = Yaml::map([
        ("name", Yaml::text("X-Amz-Target")),
        ("in", Yaml::text("header")),
        ("required", Yaml::Bool(true)),
        ("schema", kind("string").with("enum", Yaml::texts(targets))),
    ]);
    let refs = |of: fn(&OperationPlan<'_>) -> String| {
        let refs = plan.operations.iter().map(|op| reference(&of(op))).collect();
        Yaml::map([("anyOf", Yaml::List(refs))])
    };
    let post = Yaml::map([
        ("operationId", Yaml::text("ByTarget")),
        (
            "description",
            Yaml::text("Any operation, named by the X-Amz-Target header, as AWS clients send it."),
        ),
        ("parameters", Yaml::List(vec![header])),
        ("requestBody", body(plan, refs(|op| op.request.clone())).with("required", Yaml::Bool(true))),
        (
            "responses",
            Yaml::map([
                (
                    "200",
                    body(plan, refs(|op| op.response.clone())).with("description", Yaml::text("The answer.")),
                ),
                ("400", error(plan, plan.config.protocol_errors.iter().copied())),
                ("500", error(plan, [])),
            ]),
        ),
    ]);
    Yaml::map([("post", post)])
}

fn error<'a>(plan: &Plan<'_>, codes: impl IntoIterator<Item = &'a str>) -> Yaml {
    let mut codes: Vec<_> = codes.into_iter().collect();
    codes.sort_unstable();
    codes.dedup();
    let description = if codes.is_empty() { "An error.".to_owned() } else { codes.join(", ") + "." };
    body(plan, reference(ERROR)).with("description", Yaml::text(description))
}

fn body(plan: &Plan<'_>, schema: Yaml) -> Yaml {
    let version = plan.model.metadata.json_version.as_deref().unwrap_or("1.1");
    let content = Yaml::map([("schema", schema)]);
    Yaml::map([("content", Yaml::map([(format!("application/x-amz-json-{version}"), content)]))])
}

/// The plain `String`, `Integer` and so on aren't worth a reference.
fn is_inline(name: &str, shape: &Shape) -> bool {
    let plain = !matches!(shape.kind, Kind::Structure | Kind::List | Kind::Map) && !shape.is_enum();
    plain && !shape.has_constraint() && !shape.sensitive && name != "Timestamp"
}

fn target(plan: &Plan<'_>, name: &str) -> Yaml {
    let shape = plan.model.shape(name);
    if is_inline(name, shape) { schema(plan, shape) } else { reference(name) }
}

fn reference(name: &str) -> Yaml {
    Yaml::map([("$ref", Yaml::text(format!("#/components/schemas/{name}")))])
}

fn kind(name: &str) -> Yaml {
    Yaml::map([("type", Yaml::text(name))])
}

fn schema(plan: &Plan<'_>, shape: &Shape) -> Yaml {
    let mut out = match shape.kind {
        Kind::Structure => structure(plan, shape),
        Kind::List => kind("array").with("items", target(plan, shape.element().unwrap_or_default())),
        Kind::Map => {
            kind("object").with("additionalProperties", target(plan, shape.element().unwrap_or_default()))
        }
        Kind::String => kind("string"),
        Kind::Integer => kind("integer").with("format", Yaml::text("int32")),
        Kind::Long => kind("integer").with("format", Yaml::text("int64")),
        Kind::Float => kind("number").with("format", Yaml::text("float")),
        Kind::Double => kind("number").with("format", Yaml::text("double")),
        Kind::Boolean => kind("boolean"),
        Kind::Timestamp => kind("number").with("format", Yaml::text("epoch-seconds")),
        Kind::Blob => kind("string").with("contentEncoding", Yaml::text("base64")),
    };
    if shape.is_enum() {
        out = out.with("enum", Yaml::texts(&shape.values));
    }
    let (min, max) = match shape.kind {
        Kind::String => ("minLength", "maxLength"),
        Kind::List => ("minItems", "maxItems"),
        Kind::Map => ("minProperties", "maxProperties"),
        _ => ("minimum", "maximum"),
    };
    for (key, bound) in [(min, shape.min), (max, shape.max)] {
        if let Some(bound) = bound.filter(|_| shape.kind != Kind::Blob) {
            out = out.with(key, Yaml::Number(bound));
        }
    }
    if let Some(pattern) = &shape.pattern {
        out = out.with("pattern", Yaml::text(format!("^(?:{pattern})$")));
    }
    if shape.sensitive {
        out = out.with("x-sensitive", Yaml::Bool(true));
    }
    if shape.deprecated {
        out = out.with("deprecated", Yaml::Bool(true));
    }
    out
}

fn structure(plan: &Plan<'_>, shape: &Shape) -> Yaml {
    let out = kind("object");
    if shape.document {
        return out.with("additionalProperties", Yaml::Bool(true));
    }
    let properties: Vec<_> = shape
        .members
        .iter()
        .map(|(name, member)| {
            let mut property = target(plan, &member.shape);
            if member.deprecated {
                property = property.with("deprecated", Yaml::Bool(true));
            }
            if member.idempotency_token {
                property = property.with("x-idempotency-token", Yaml::Bool(true));
            }
            (name, property)
        })
        .collect();
    let out =
        if shape.required.is_empty() { out } else { out.with("required", Yaml::texts(&shape.required)) };
    if properties.is_empty() { out } else { out.with("properties", Yaml::map(properties)) }
}
