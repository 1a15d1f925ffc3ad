//! What's decided about each shape before anything is written: its file, whether it has a `Default`,
//! whether it's checked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};

use super::config::{COMMON, ModelConfig};
use super::model::{Kind, Model, ShapeRef};
use super::naming;

/// The decisions, and what they're about.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// The run.
    pub(crate) config: &'a ModelConfig,
    /// The model.
    pub(crate) model: &'a Model,
    /// The operations in alphabetical order.
    pub(crate) operations: Vec<OperationPlan<'a>>,
    modules: BTreeMap<&'a str, &'static str>,
    without_default: BTreeSet<&'a str>,
    without_eq: BTreeSet<&'a str>,
    checked: BTreeSet<&'a str>,
    in_requests: BTreeSet<&'a str>,
}

/// An operation with its names.
#[derive(Debug)]
pub(crate) struct OperationPlan<'a> {
    /// The API's name, and the Rust variant.
    pub(crate) name: &'a str,
    /// The resource's module.
    pub(crate) module: &'static str,
    /// The request's type.
    pub(crate) request: String,
    /// The response's type.
    pub(crate) response: String,
    /// The types to make up, because the model has no shape for them.
    pub(crate) missing: Vec<String>,
    /// The errors that it may answer with, in alphabetical order.
    pub(crate) errors: Vec<&'a str>,
}

impl<'a> Plan<'a> {
    /// Decides, and refuses a table or model that doesn't add up.
    pub(crate) fn new(config: &'a ModelConfig, model: &'a Model) -> Result<Plan<'a>> {
        check_names(config, model)?;
        let operations = operations(config, model)?;
        let mut plan = Plan {
            config,
            model,
            modules: BTreeMap::new(),
            without_default: BTreeSet::new(),
            without_eq: BTreeSet::new(),
            checked: BTreeSet::new(),
            in_requests: BTreeSet::new(),
            operations,
        };
        plan.modules = assign_modules(config, model, &plan.operations);
        plan.without_default = spread(
            model,
            |name| model.shape(name).is_enum(),
            |name, plan| {
                let shape = model.shape(name);
                shape.is_struct()
                    && shape.required.iter().any(|member| {
                        shape.members.get(member).is_some_and(|member| plan.contains(member.shape.as_str()))
                    })
            },
        );
        plan.without_eq = spread(
            model,
            |name| matches!(model.shape(name).kind, Kind::Float | Kind::Double),
            |name, plan| model.shape(name).mentions().any(|shape| plan.contains(shape)),
        );
        plan.checked = spread(
            model,
            |name| !model.shape(name).is_enum() && model.shape(name).has_constraint(),
            |name, plan| model.shape(name).mentions().any(|shape| plan.contains(shape)),
        );
        plan.in_requests = reachable(model, model.operations.iter().filter_map(|(_, op)| op.input.as_ref()));
        Ok(plan)
    }

    /// The file of a structure or enum.
    pub(crate) fn module(&self, shape: &str) -> &'static str {
        self.modules.get(shape).copied().unwrap_or(COMMON)
    }

    /// The files, in alphabetical order.
    pub(crate) fn modules(&self) -> BTreeSet<&'static str> {
        let made_up = self.operations.iter().filter(|op| !op.missing.is_empty()).map(|op| op.module);
        self.modules.values().copied().chain(made_up).collect()
    }

    /// Whether the type has a `Default`.
    pub(crate) fn has_default(&self, shape: &str) -> bool {
        !self.without_default.contains(shape)
    }

    /// Whether the type is `Eq`: everything is, but what has a float in it.
    pub(crate) fn has_eq(&self, shape: &str) -> bool {
        !self.without_eq.contains(shape)
    }

    /// Whether something at or below the shape is constrained.
    pub(crate) fn is_checked(&self, shape: &str) -> bool {
        self.checked.contains(shape)
    }

    /// Whether the structure has a `Validate`: every request, and what's checked below one.
    pub(crate) fn has_validate(&self, shape: &str) -> bool {
        self.is_request(shape) || (self.in_requests.contains(shape) && self.is_checked(shape))
    }

    /// Whether it's the request of an operation.
    pub(crate) fn is_request(&self, shape: &str) -> bool {
        self.operations.iter().any(|op| op.request == shape)
    }

    /// Whether a list, map or scalar needs a check function of its own.
    pub(crate) fn has_check(&self, shape: &str) -> bool {
        self.in_requests.contains(shape) && self.is_checked(shape) && !self.model.shape(shape).is_struct()
    }

    /// Whether the structure's member is to be hidden from `Debug`.
    pub(crate) fn is_sensitive(&self, shape: &str, member: &str) -> bool {
        let of = self.model.shape(shape);
        of.sensitive
            || of.members.get(member).is_some_and(|member| self.model.shape(&member.shape).sensitive)
            || self.config.sensitive.contains(&(shape, member))
    }

    /// Whether the member must be boxed, because its structure contains itself without a list between.
    pub(crate) fn is_recursive(&self, shape: &str, member: &str) -> bool {
        let mut todo = vec![member];
        let mut seen = BTreeSet::new();
        while let Some(name) = todo.pop() {
            let inner = self.model.shape(name);
            if !inner.is_struct() || self.config.shared.contains(&name) || !seen.insert(name) {
                continue;
            }
            if name == shape {
                return true;
            }
            todo.extend(inner.members.iter().map(|(_, member)| member.shape.as_str()));
        }
        false
    }

    /// The head of every file.
    pub(crate) fn header(&self) -> String {
        format!("@generated by `cargo xtask codegen` from the {} API model; do not edit.", self.config.name)
    }
}

/// The types that a run adds to those of the model.
const RESERVED: [&str; 5] = ["ErrorCode", "ErrorResponse", "Operation", "OperationShape", "Paginator"];

/// Tables that name what isn't there are mistakes, and so are operations that no table names.
fn check_names(config: &ModelConfig, model: &Model) -> Result<()> {
    let prefix = model.metadata.target_prefix.as_deref().unwrap_or_default();
    ensure!(prefix == config.target_prefix, "the model's target prefix is {prefix:?}");
    for shape in config.shared {
        ensure!(model.shapes.get(shape).is_some(), "no shape {shape} to share");
    }
    for (shape, member) in config.sensitive {
        ensure!(
            model.shapes.get(shape).is_some_and(|shape| shape.members.get(member).is_some()),
            "no member {shape}.{member} to hide"
        );
    }
    for resource in config.resources {
        for operation in resource.operations {
            ensure!(model.operations.get(operation).is_some(), "no operation {operation}");
        }
        for pattern in resource.shapes {
            let one = super::config::Resource { shapes: std::slice::from_ref(pattern), ..*resource };
            ensure!(model.shapes.iter().any(|(name, _)| one.claims(name)), "no shape {pattern}");
        }
    }
    for (name, shape) in model.shapes.iter() {
        ensure!(!RESERVED.contains(&name), "the generator has an own type {name}");
        for member in &shape.required {
            ensure!(shape.members.get(member).is_some(), "no member {name}.{member} to require");
        }
        let mut variants = BTreeSet::new();
        for value in &shape.values {
            ensure!(
                variants.insert(naming::variant(value)),
                "two values of {name} are the variant of {value}"
            );
        }
    }
    Ok(())
}

fn operations<'a>(config: &ModelConfig, model: &'a Model) -> Result<Vec<OperationPlan<'a>>> {
    let mut out = Vec::new();
    for (name, operation) in model.operations.iter() {
        let Some(resource) = config.resources.iter().find(|resource| resource.operations.contains(&name))
        else {
            bail!("no resource has the operation {name}");
        };
        let mut missing = Vec::new();
        let mut type_of = |shape: &Option<ShapeRef>, suffix: &str| match shape {
            Some(shape) => shape.shape.clone(),
            None => {
                missing.push(format!("{name}{suffix}"));
                format!("{name}{suffix}")
            }
        };
        let request = type_of(&operation.input, "Request");
        let response = type_of(&operation.output, "Response");
        let mut errors: Vec<_> = operation.errors.iter().map(|error| error.shape.as_str()).collect();
        errors.sort_unstable();
        errors.dedup();
        out.push(OperationPlan { name, module: resource.module, request, response, missing, errors });
    }
    out.sort_by_key(|operation| operation.name);
    Ok(out)
}

/// Requests and responses go to their operation's file, then the tables decide, then a shape which only one
/// file uses goes there, and what's left is common.
fn assign_modules<'a>(
    config: &ModelConfig,
    model: &'a Model,
    operations: &[OperationPlan<'_>],
) -> BTreeMap<&'a str, &'static str> {
    let mut modules = BTreeMap::new();
    let mut open = Vec::new();
    for (name, shape) in model.shapes.iter() {
        if !shape.is_struct() && !shape.is_enum() {
            continue;
        }
        let of_operation = operations.iter().find(|op| op.request == name || op.response == name);
        let of_table = || config.resources.iter().find(|resource| resource.claims(name));
        match of_operation.map(|op| op.module).or_else(|| of_table().map(|resource| resource.module)) {
            Some(module) => {
                modules.insert(name, module);
            }
            None => open.push(name),
        }
    }
    // A shape may be used only by another open one, so go on until nothing changes.
    let users = users(model);
    loop {
        let before = open.len();
        open.retain(|name| {
            let used_by: BTreeSet<_> =
                users.get(name).into_iter().flatten().map(|user| modules.get(user)).collect();
            match used_by.first() {
                Some(Some(module)) if used_by.len() == 1 => {
                    modules.insert(name, **module);
                    false
                }
                _ => true,
            }
        });
        if open.len() == before {
            break;
        }
    }
    modules.extend(open.into_iter().map(|name| (name, COMMON)));
    modules
}

/// The structures that mention each shape, through lists and maps.
fn users(model: &Model) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, shape) in model.shapes.iter().filter(|(_, shape)| shape.is_struct()) {
        for mentioned in shape.mentions() {
            let mut mentioned = mentioned;
            while let Some(element) = model.shape(mentioned).element() {
                mentioned = element;
            }
            if mentioned != name {
                users.entry(mentioned).or_default().insert(name);
            }
        }
    }
    users
}

/// The least set with the shapes of `seed` that's closed under `rule`.
fn spread<'a>(
    model: &'a Model,
    seed: impl Fn(&str) -> bool,
    rule: impl Fn(&str, &BTreeSet<&'a str>) -> bool,
) -> BTreeSet<&'a str> {
    let mut set: BTreeSet<&str> =
        model.shapes.iter().map(|(name, _)| name).filter(|name| seed(name)).collect();
    loop {
        let more: Vec<_> = model
            .shapes
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !set.contains(name) && rule(name, &set))
            .collect();
        if more.is_empty() {
            return set;
        }
        set.extend(more);
    }
}

/// Everything that's mentioned, directly or not, by some shapes, and these.
fn reachable<'a>(model: &'a Model, from: impl Iterator<Item = &'a ShapeRef>) -> BTreeSet<&'a str> {
    let mut todo: Vec<&str> = from.map(|shape| shape.shape.as_str()).collect();
    let mut seen = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if seen.insert(name) {
            todo.extend(model.shape(name).mentions());
        }
    }
    seen
}
