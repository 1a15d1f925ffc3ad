//! The Rust side of a run: which items go to which file.

use anyhow::Result;

use super::model::Shape;
use super::naming;
use super::output::Output;
use super::plan::Plan;
use super::types::File;
use super::{operations, validate};

/// Adds every Rust file to the output.
pub(crate) fn generate(plan: &Plan<'_>, output: &mut Output) -> Result<()> {
    let mut modules: Vec<&str> = Vec::new();
    let mut add = |module: &'static str, text: String| {
        modules.push(module);
        output.rust(format!("{}/{module}.rs", plan.config.out_dir), text);
    };
    for module in plan.modules() {
        add(module, resource(plan, module)?);
    }
    add(operations::MODULES[0], operations::table(plan)?);
    add(operations::MODULES[1], operations::shapes(plan)?);
    add(operations::MODULES[2], operations::error_codes(plan)?);
    add(validate::MODULE, validate::functions(plan)?);
    modules.sort_unstable();
    output.rust(format!("{}/mod.rs", plan.config.out_dir), root(plan, &modules));
    Ok(())
}

fn resource(plan: &Plan<'_>, module: &'static str) -> Result<String> {
    let mut file = File::new(plan, module);
    let mut shapes: Vec<_> =
        plan.model.shapes.iter().filter(|(name, _)| plan.module(name) == module).collect();
    shapes.sort_by_key(|(name, _)| *name);
    for (name, shape) in &shapes {
        if shape.is_struct() {
            file.structure(name, shape)?;
        }
    }
    for operation in plan.operations.iter().filter(|operation| operation.module == module) {
        for name in &operation.missing {
            file.structure(name, &empty()?)?;
        }
    }
    for (name, shape) in shapes {
        if shape.is_enum() {
            let values = shape.values.iter().map(|value| (naming::variant(value), value.as_str()));
            file.string_enum(name, &format!("`{name}` of the API."), values)?;
        }
    }
    Ok(file.finish())
}

/// A structure without members, for an operation without request or response.
fn empty() -> Result<Shape> {
    Ok(serde_json::from_str(r#"{"type": "structure"}"#)?)
}

/// `mod.rs`: everything flat, except the markers of the operations and the check functions.
fn root(plan: &Plan<'_>, modules: &[&str]) -> String {
    let mut out = format!("//! {}\n\n", plan.header());
    for module in modules {
        let public = if *module == operations::MODULES[1] { "pub " } else { "" };
        out += &format!("{public}mod {module};\n");
    }
    out += "\n";
    for module in modules {
        if *module == operations::MODULES[1] {
            out += &format!("pub use {module}::OperationShape;\n");
        } else if *module != validate::MODULE {
            out += &format!("pub use {module}::*;\n");
        }
    }
    out
}
