//! The operation table and the error codes.

use std::fmt::Write as _;

use anyhow::Result;

use super::naming;
use super::plan::Plan;
use super::types::File;

/// The files that this writes, besides those of the resources.
pub(crate) const MODULES: [&str; 3] = ["operations", "op", "errors"];

/// The enum of operations with what's known about each.
pub(crate) fn table(plan: &Plan<'_>) -> Result<String> {
    let mut file = File::new(plan, MODULES[0]);
    let metadata = &plan.model.metadata;
    let signing = metadata.signing_name.as_deref().unwrap_or(&metadata.endpoint_prefix);
    file.import("super", &["ErrorCode"]);
    if let Some(prefix) = &metadata.target_prefix {
        write!(
            file.body,
            "/// What stands before the operation in `X-Amz-Target`, without the dot.\n\
             pub const TARGET_PREFIX: &str = {prefix:?};\n\n"
        )?;
    }
    write!(
        file.body,
        "/// The service in the SigV4 credential scope.\n\
         pub const SIGNING_NAME: &str = {signing:?};\n\n\
         /// The version of the API.\n\
         pub const API_VERSION: &str = {:?};\n\n",
        metadata.api_version
    )?;
    let names = plan.operations.iter().map(|operation| (operation.name.to_owned(), operation.name));
    file.string_enum("Operation", "An operation of the API.", names)?;
    file.body.push_str(
        "/// How an operation pages.\n\
         #[derive(Copy, Clone, Debug, PartialEq, Eq)]\n\
         pub struct Paginator {\n\
         /// The request's member with the token of the page.\npub input_token: &'static str,\n\
         /// The response's member with the token of the next page.\npub output_token: &'static str,\n\
         /// The request's member with the page size.\npub limit_key: Option<&'static str>,\n\
         /// The response's member with the page.\npub result_key: &'static str,\n\
         }\n\n\
         impl Operation {\n\
         /// Its name.\n\
         pub const fn name(&self) -> &'static str {\nself.as_str()\n}\n\n\
         /// The operation of a name.\n\
         pub fn from_name(name: &str) -> Option<Operation> {\nname.parse().ok()\n}\n\n",
    );
    errors_of(&mut file)?;
    paginators(&mut file)?;
    file.body.push_str("}\n");
    Ok(file.finish())
}

fn errors_of(file: &mut File<'_>) -> Result<()> {
    file.body.push_str(
        "/// The errors that the model gives it, without those of the protocol.\n\
         pub const fn errors(&self) -> &'static [ErrorCode] {\nmatch self {\n",
    );
    for operation in &file.plan.operations {
        let codes: Vec<_> = operation
            .errors
            .iter()
            .map(|error| format!("ErrorCode::{}", naming::error_variant(error)))
            .collect();
        writeln!(file.body, "Operation::{} => &[{}],", operation.name, codes.join(", "))?;
    }
    file.body.push_str("}\n}\n\n");
    Ok(())
}

fn paginators(file: &mut File<'_>) -> Result<()> {
    file.body.push_str(
        "/// How it pages, if the model has a paginator for it. Operations may have a `nextToken` without one.\n\
         pub const fn paginator(&self) -> Option<Paginator> {\nmatch self {\n",
    );
    for operation in &file.plan.operations {
        let Some(paginator) = file.plan.model.paginators.get(operation.name) else { continue };
        let limit = paginator.limit_key.as_ref().map_or("None".to_owned(), |key| format!("Some({key:?})"));
        writeln!(
            file.body,
            "Operation::{} => Some(Paginator {{ input_token: {:?}, output_token: {:?}, limit_key: {limit}, \
             result_key: {:?} }}),",
            operation.name,
            paginator.input_token.first(),
            paginator.output_token.first(),
            paginator.result_key.first()
        )?;
    }
    file.body.push_str("_ => None,\n}\n}\n");
    Ok(())
}

const MARKERS: &str = r#"        }
    };
}

macro_rules! markers {
    ($(($variant:ident, $name:ident, $request:ty, $response:ty),)*) => {$(
        #[doc = concat!("The operation `", stringify!($variant), "`.")]
        #[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
        pub struct $variant;

        impl OperationShape for $variant {
            type Request = $request;
            type Response = $response;
            const OPERATION: Operation = Operation::$variant;
        }
    )*};
}

"#;

/// The types of each operation, as a trait and as a macro.
pub(crate) fn shapes(plan: &Plan<'_>) -> Result<String> {
    let mut file = File::new(plan, MODULES[1]);
    file.import("super", &["Operation"]);
    file.import("crate::validate", &["Validate"]);
    file.import("serde", &["Serialize"]);
    file.import("serde::de", &["DeserializeOwned"]);
    let name = plan.config.operations_macro;
    write!(
        file.body,
        "/// The types of an operation.\n\
         pub trait OperationShape {{\n\
         /// What it's asked with.\ntype Request: DeserializeOwned + Validate + Send + 'static;\n\
         /// What it answers with.\ntype Response: Serialize + Send;\n\
         /// Which one it is.\nconst OPERATION: Operation;\n\
         }}\n\n\
         /// Invokes a macro with `(Variant, snake_name, Request, Response)` of every operation, each followed by\n\
         /// a comma. The types are full paths: match them as `$request:ty`.\n\
         #[macro_export]\n\
         macro_rules! {name} {{\n    ($($callback:ident)::+) => {{\n        $($callback)::+! {{\n"
    )?;
    let module = format!("$crate::{}", plan.config.module);
    for operation in &plan.operations {
        writeln!(
            file.body,
            "            ({}, {}, {module}::{}, {module}::{}),",
            operation.name,
            naming::field(operation.name),
            operation.request,
            operation.response
        )?;
    }
    // rustfmt leaves macros alone, so this is written as it should look.
    file.body.push_str(MARKERS);
    writeln!(file.body, "{name}!(markers);")?;
    Ok(file.finish())
}

/// The error codes: the model's and the protocol's, in alphabetical order.
pub(crate) fn error_codes(plan: &Plan<'_>) -> Result<String> {
    let mut file = File::new(plan, MODULES[2]);
    let exceptions = plan.model.shapes.iter().filter(|(_, shape)| shape.exception);
    let mut codes: Vec<_> = exceptions
        .map(|(name, shape)| (name, shape.error_code(name), shape.is_server_fault()))
        .chain(plan.config.protocol_errors.iter().map(|name| (*name, *name, false)))
        .collect();
    codes.sort_unstable();
    codes.dedup_by_key(|(name, ..)| *name);
    let values = codes.iter().map(|(name, code, _)| (naming::error_variant(name), *code));
    file.string_enum("ErrorCode", "The code of an error, the API's or the protocol's.", values)?;
    let faults: Vec<_> = codes
        .iter()
        .filter(|(_, _, fault)| *fault)
        .map(|(name, ..)| format!("Self::{}", naming::error_variant(name)))
        .collect();
    let is_fault = match faults.is_empty() {
        true => "false".to_owned(),
        false => format!("matches!(self, {})", faults.join(" | ")),
    };
    write!(
        file.body,
        "impl ErrorCode {{\n\
         /// Whether it's the server's fault, so that the status is 500 and not 400.\n\
         pub const fn is_server_fault(&self) -> bool {{\n{is_fault}\n}}\n}}\n"
    )?;
    Ok(file.finish())
}
