//! What a run is told about its model: where it is, how to split it, what to share, what to hide.

/// One model, one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ModelConfig {
    /// What people call the API, e.g. `ECS`.
    pub(crate) name: &'static str,
    /// Its directory under `botocore/data`.
    pub(crate) service_dir: &'static str,
    /// The prefix of `X-Amz-Target` that the model must have, so that a wrong directory is noticed.
    pub(crate) target_prefix: &'static str,
    /// Where the Rust files go, from the root of the repository.
    pub(crate) out_dir: &'static str,
    /// The module's path inside its crate, for the exported macro.
    pub(crate) module: &'static str,
    /// The name of the exported macro that lists the operations.
    pub(crate) operations_macro: &'static str,
    /// The OpenAPI document.
    pub(crate) openapi: &'static str,
    /// The coverage table.
    pub(crate) coverage: &'static str,
    /// The source that says what's implemented: a constant `IMPLEMENTED` of `Operation::X`.
    pub(crate) implemented: &'static str,
    /// How the shapes are split into files. The first resource that claims a shape has it.
    pub(crate) resources: &'static [Resource],
    /// The structures that are held as `Doc` wherever another one refers to them.
    pub(crate) shared: &'static [&'static str],
    /// The (structure, member) pairs to hide from `Debug`, besides those which the model says.
    pub(crate) sensitive: &'static [(&'static str, &'static str)],
    /// The errors of the protocol itself, which the model doesn't list.
    pub(crate) protocol_errors: &'static [&'static str],
}

/// A noun of the API and the file with its shapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resource {
    /// The file and module.
    pub(crate) module: &'static str,
    /// What it's called in headings.
    pub(crate) title: &'static str,
    /// Its operations; their requests and responses go to the file too.
    pub(crate) operations: &'static [&'static str],
    /// Its other shapes: names, or beginnings of names with a `*`.
    pub(crate) shapes: &'static [&'static str],
}

impl Resource {
    /// Whether the resource's table claims the shape.
    pub(crate) fn claims(&self, shape: &str) -> bool {
        self.shapes.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => shape.starts_with(prefix),
            None => *pattern == shape,
        })
    }
}

/// The module of shapes that no resource claims and that several use.
pub(crate) const COMMON: &str = "common";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_names_or_prefixes() {
        let resource =
            Resource { module: "task", title: "Tasks", operations: &[], shapes: &["Task", "Container*"] };
        assert!(resource.claims("Task") && resource.claims("ContainerOverride"));
        assert!(!resource.claims("TaskSet"));
    }
}
