//! Checks: an `impl Validate` for each structure, a function for each list, map and scalar below it.

use std::fmt::Write as _;

use anyhow::Result;

use super::model::{Kind, Shape};
use super::naming;
use super::plan::Plan;
use super::types::File;

/// The module of the check functions.
pub(crate) const MODULE: &str = "constraints";

/// Writes the implementation for a structure. What isn't constrained isn't looked at.
pub(crate) fn structure(file: &mut File<'_>, name: &str, shape: &Shape) -> Result<()> {
    let checked: Vec<_> =
        shape.members.iter().filter(|(_, target)| file.plan.is_checked(&target.shape)).collect();
    file.import("crate::validate", &["MemberPath", "Validate", "Violation"]);
    writeln!(file.body, "impl Validate for {name} {{")?;
    if checked.is_empty() {
        file.body.push_str("fn validate(&self, _: &MemberPath<'_>, _: &mut Vec<Violation>) {}\n}\n\n");
        return Ok(());
    }
    file.body.push_str("fn validate(&self, at: &MemberPath<'_>, out: &mut Vec<Violation>) {\n");
    for (member, target) in checked {
        let field = naming::field(member);
        let path = format!("&at.member({member:?})");
        let required = shape.required.iter().any(|it| it == member);
        let mut call = |value: &str, scalar: &str| {
            let value = if by_value(file.plan, &target.shape) { scalar } else { value };
            check(file, &target.shape, value, &path)
        };
        if required {
            let call = call(&format!("&self.{field}"), &format!("self.{field}"));
            writeln!(file.body, "{call};")?;
        } else {
            let call = call("value", "*value");
            writeln!(file.body, "if let Some(value) = &self.{field} {{\n{call};\n}}")?;
        }
    }
    file.body.push_str("}\n}\n\n");
    Ok(())
}

/// Writes the file with the functions.
pub(crate) fn functions(plan: &Plan<'_>) -> Result<String> {
    let mut file = File::new(plan, MODULE);
    file.import("crate::validate", &["Bounds", "MemberPath", "Violation", "check"]);
    for (name, shape) in plan.model.shapes.iter().filter(|(name, _)| plan.has_check(name)) {
        function(&mut file, name, shape)?;
    }
    Ok(file.finish())
}

fn function(file: &mut File<'_>, name: &str, shape: &Shape) -> Result<()> {
    let rust = match shape.kind {
        Kind::String => "&str".to_owned(),
        Kind::List => format!("&[{}]", file.type_of(shape.element().unwrap_or_default())),
        Kind::Map => format!("&{}", file.type_of(name)),
        _ => file.type_of(name),
    };
    writeln!(file.body, "/// Checks a `{name}`.")?;
    writeln!(
        file.body,
        "pub(super) fn {}(value: {rust}, at: &MemberPath<'_>, out: &mut Vec<Violation>) {{",
        naming::field(name)
    )?;
    let bounded = shape.lower_bound().is_some() || shape.max.is_some();
    let (min, max) = (shape.lower_bound(), shape.max);
    match shape.kind {
        Kind::String if bounded => {
            writeln!(file.body, "check::length(value, {}, at, out);", counts(min, max))?
        }
        Kind::List | Kind::Map if bounded => {
            writeln!(file.body, "check::entries(value.len(), {}, at, out);", counts(min, max))?;
        }
        Kind::Double if bounded => writeln!(file.body, "check::range(value, {}, at, out);", range(min, max))?,
        Kind::Long if bounded => {
            writeln!(file.body, "check::range(value as f64, {}, at, out);", range(min, max))?
        }
        _ if bounded => writeln!(file.body, "check::range(f64::from(value), {}, at, out);", range(min, max))?,
        _ => {}
    }
    if let Some(pattern) = &shape.pattern {
        file.import("regex", &["Regex"]);
        file.import("std::sync", &["LazyLock"]);
        writeln!(file.body, "const PATTERN: &str = {};", naming::literal(pattern))?;
        writeln!(file.body, "static REGEX: LazyLock<Regex> = LazyLock::new(|| check::anchored(PATTERN));")?;
        writeln!(file.body, "check::pattern(value, &REGEX, PATTERN, at, out);")?;
    }
    if let Some(element) = shape.element().filter(|element| file.plan.is_checked(element)) {
        let value = if by_value(file.plan, element) { "*value" } else { "value" };
        if shape.kind == Kind::Map {
            let call = check(file, element, value, "&at.key(key)");
            writeln!(file.body, "for (key, value) in value {{\n{call};\n}}")?;
        } else {
            let call = check(file, element, value, "&at.index(index)");
            writeln!(file.body, "for (index, value) in value.iter().enumerate() {{\n{call};\n}}")?;
        }
    }
    file.body.push_str("}\n\n");
    Ok(())
}

/// The expression that checks a value of a shape.
fn check(file: &mut File<'_>, shape: &str, value: &str, path: &str) -> String {
    if file.plan.model.shape(shape).is_struct() {
        file.import("crate::validate", &["Validate"]);
        // A method call, because it sees through `Doc` and `Box`.
        return format!("{}.validate({path}, out)", value.trim_start_matches('&'));
    }
    if file.module != MODULE {
        file.import("super", &[MODULE]);
        return format!("{MODULE}::{}({value}, {path}, out)", naming::field(shape));
    }
    format!("{}({value}, {path}, out)", naming::field(shape))
}

/// Whether the check of a shape takes it by value: numbers.
fn by_value(plan: &Plan<'_>, shape: &str) -> bool {
    !matches!(plan.model.shape(shape).kind, Kind::Structure | Kind::String | Kind::List | Kind::Map)
}

fn counts(min: Option<f64>, max: Option<f64>) -> String {
    let text =
        |bound: Option<f64>| bound.map_or("None".to_owned(), |bound| format!("Some({})", bound as u64));
    format!("Bounds {{ min: {}, max: {} }}", text(min), text(max))
}

fn range(min: Option<f64>, max: Option<f64>) -> String {
    let text = |bound: Option<f64>| bound.map_or("None".to_owned(), |bound| format!("Some({bound:?})"));
    format!("Bounds {{ min: {}, max: {} }}", text(min), text(max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_what_they_count() {
        assert_eq!(counts(Some(1.0), None), "Bounds { min: Some(1), max: None }");
        assert_eq!(range(None, Some(100.0)), "Bounds { min: None, max: Some(100.0) }");
    }
}
