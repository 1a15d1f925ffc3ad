//! The coverage table: which operations are built, as the use cases' own list says.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::output::Output;
use super::plan::Plan;

/// Adds the table to the output.
pub(crate) fn generate(root: &Path, plan: &Plan<'_>, output: &mut Output) -> Result<()> {
    let path = root.join(plan.config.implemented);
    let implemented = if path.exists() {
        implemented(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?
    } else {
        BTreeSet::new()
    };
    for name in &implemented {
        ensure!(plan.model.operations.get(name).is_some(), "{} names no operation: {name}", path.display());
    }
    output.plain(plan.config.coverage, table(plan, &implemented)?);
    Ok(())
}

/// The `Operation::X` of `const IMPLEMENTED: ... = &[...];`.
fn implemented(source: &str) -> Result<BTreeSet<String>> {
    // Lines that are commented out don't count.
    let code: Vec<_> = source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let (_, rest) = code.split_once("const IMPLEMENTED").context("no constant IMPLEMENTED")?;
    let (list, _) = rest.split_once("];").context("IMPLEMENTED has no end")?;
    let names = list.split("Operation::").skip(1);
    Ok(names.map(|name| name.chars().take_while(|c| c.is_alphanumeric()).collect()).collect())
}

fn table(plan: &Plan<'_>, implemented: &BTreeSet<String>) -> Result<String> {
    let mut out = format!("<!-- {} -->\n\n", plan.header());
    writeln!(out, "# Coverage of the {} API\n", plan.config.name)?;
    let (built, all) = (implemented.len(), plan.operations.len());
    writeln!(out, "{built} of {all} operations are built, {} are not yet.\n", all - built)?;
    writeln!(
        out,
        "The types of all of them are generated. The list is `IMPLEMENTED` in `{}`;\n`cargo xtask codegen` writes this page from it.\n",
        plan.config.implemented
    )?;
    out += "| Resource | Built | Of |\n| --- | ---: | ---: |\n";
    let resources = plan.config.resources.iter().filter(|resource| !resource.operations.is_empty());
    let count = |operations: &[&str]| operations.iter().filter(|name| implemented.contains(**name)).count();
    for resource in resources.clone() {
        let built = count(resource.operations);
        writeln!(out, "| {} | {built} | {} |", resource.title, resource.operations.len())?;
    }
    for resource in resources {
        writeln!(out, "\n## {}\n\n| Operation | State |\n| --- | --- |", resource.title)?;
        for operation in resource.operations {
            let state = if implemented.contains(*operation) { "yes" } else { "not yet" };
            writeln!(out, "| `{operation}` | {state} |")?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_from_the_source() {
        let source = "use x::Operation;\nconst OTHER: &[Operation] = &[Operation::StopTask];\n\
                      /// What's built.\npub const IMPLEMENTED: &[Operation] = &[\n    Operation::CreateCluster,\n\
                      //  Operation::DeleteCluster,\n    model::Operation::RunTask, // Operation::X\n];\n\
                      const AFTER: Operation = Operation::ListTasks;";
        let expected = BTreeSet::from(["CreateCluster".to_owned(), "RunTask".to_owned()]);
        assert_eq!(implemented(source).unwrap(), expected);
        assert!(implemented("").is_err());
    }

    #[test]
    fn an_empty_list_is_fine() {
        assert!(implemented("pub const IMPLEMENTED: &[Operation] = &[];").unwrap().is_empty());
    }
}
