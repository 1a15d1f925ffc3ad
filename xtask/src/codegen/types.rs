//! Structures: fields, serde attributes, `Debug` that hides what's sensitive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;

use super::model::{Kind, Shape};
use super::naming;
use super::plan::Plan;
use super::validate;

/// A Rust file in the making.
#[derive(Debug)]
pub(crate) struct File<'a> {
    /// What everything is decided by.
    pub(crate) plan: &'a Plan<'a>,
    /// The file's module.
    pub(crate) module: &'static str,
    /// The items so far.
    pub(crate) body: String,
    uses: BTreeMap<&'static str, BTreeSet<String>>,
}

impl<'a> File<'a> {
    /// An empty file.
    pub(crate) fn new(plan: &'a Plan<'a>, module: &'static str) -> Self {
        File { plan, module, body: String::new(), uses: BTreeMap::new() }
    }

    /// The file's text, not yet formatted.
    pub(crate) fn finish(self) -> String {
        let mut out = format!("//! {}\n\n", self.plan.header());
        for (path, names) in &self.uses {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let _ = writeln!(out, "use {path}::{{{}}};", names.join(", "));
        }
        out + "\n" + &self.body
    }

    /// Imports names from a module.
    pub(crate) fn import(&mut self, path: &'static str, names: &[&str]) {
        self.uses.entry(path).or_default().extend(names.iter().map(|name| (*name).to_owned()));
    }

    fn import_shape(&mut self, name: &str) {
        if self.plan.module(name) != self.module {
            self.import("super", &[name]);
        }
    }

    /// The Rust type of a shape as a member or element of another one.
    pub(crate) fn type_of(&mut self, name: &str) -> String {
        let shape = self.plan.model.shape(name);
        match shape.kind {
            Kind::Structure if shape.document => "serde_json::Value".to_owned(),
            Kind::Structure if self.plan.config.shared.contains(&name) => {
                self.import_shape(name);
                self.import("crate::doc", &["Doc"]);
                format!("Doc<{name}>")
            }
            Kind::Structure => {
                self.import_shape(name);
                name.to_owned()
            }
            Kind::String if shape.is_enum() => {
                self.import_shape(name);
                name.to_owned()
            }
            Kind::List => format!("Vec<{}>", self.type_of(shape.element().unwrap_or_default())),
            Kind::Map => {
                self.import("std::collections", &["BTreeMap"]);
                format!("BTreeMap<String, {}>", self.type_of(shape.element().unwrap_or_default()))
            }
            Kind::Timestamp => {
                self.import("crate::timestamp", &["Timestamp"]);
                "Timestamp".to_owned()
            }
            Kind::String | Kind::Blob => "String".to_owned(),
            Kind::Integer => "i32".to_owned(),
            Kind::Long => "i64".to_owned(),
            Kind::Float => "f32".to_owned(),
            Kind::Double => "f64".to_owned(),
            Kind::Boolean => "bool".to_owned(),
        }
    }

    /// Writes a structure with everything that belongs to it.
    pub(crate) fn structure(&mut self, name: &str, shape: &Shape) -> Result<()> {
        let hidden = shape.members.iter().any(|(member, _)| self.plan.is_sensitive(name, member));
        self.import("serde", &["Deserialize", "Serialize"]);
        let derives: Vec<_> = [
            ("Clone", true),
            ("Debug", !hidden),
            ("Default", self.plan.has_default(name)),
            ("PartialEq", true),
            ("Eq", self.plan.has_eq(name)),
            ("Serialize", true),
            ("Deserialize", true),
        ]
        .into_iter()
        .filter_map(|(derive, wanted)| wanted.then_some(derive))
        .collect();
        writeln!(self.body, "/// `{name}` of the API.\n#[derive({})]", derives.join(", "))?;
        if shape.members.len() == 0 {
            writeln!(self.body, "pub struct {name} {{}}\n")?;
        } else {
            writeln!(self.body, "#[serde(rename_all = \"camelCase\")]\npub struct {name} {{")?;
            for (member, target) in shape.members.iter() {
                self.field(name, member, &target.shape, shape.required.iter().any(|it| it == member))?;
            }
            self.body.push_str("}\n\n");
        }
        if hidden {
            self.debug(name, shape)?;
        }
        if self.plan.has_validate(name) {
            validate::structure(self, name, shape)?;
        }
        Ok(())
    }

    fn field(&mut self, of: &str, member: &str, target: &str, required: bool) -> Result<()> {
        let field = naming::field(member);
        let mut rust = self.type_of(target);
        if self.plan.is_recursive(of, target) {
            rust = format!("Box<{rust}>");
        }
        let mut serde = Vec::new();
        if naming::serde_camel(&field) != member {
            serde.push(format!("rename = {}", naming::literal(member)));
        }
        if !required {
            rust = format!("Option<{rust}>");
            serde.push("default".to_owned());
            serde.push("skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        writeln!(self.body, "/// `{member}`.")?;
        if !serde.is_empty() {
            writeln!(self.body, "#[serde({})]", serde.join(", "))?;
        }
        writeln!(self.body, "pub {field}: {rust},")?;
        Ok(())
    }

    /// A `Debug` that tells whether a sensitive member is there, and no more.
    fn debug(&mut self, name: &str, shape: &Shape) -> Result<()> {
        self.import("std", &["fmt"]);
        writeln!(self.body, "impl fmt::Debug for {name} {{")?;
        writeln!(self.body, "fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{")?;
        writeln!(self.body, "f.debug_struct({name:?})")?;
        for (member, _) in shape.members.iter() {
            let field = naming::field(member);
            let label = naming::snake(member);
            let value = match self.plan.is_sensitive(name, member) {
                false => format!("&self.{field}"),
                true if shape.required.iter().any(|it| it == member) => "&\"***\"".to_owned(),
                true => format!("&self.{field}.as_ref().map(|_| \"***\")"),
            };
            writeln!(self.body, ".field({label:?}, {value})")?;
        }
        self.body.push_str(".finish()\n}\n}\n\n");
        Ok(())
    }
}
