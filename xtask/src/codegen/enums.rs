//! String enums: an invocation of the domain's `string_enum!` each.

use std::fmt::Write as _;

use anyhow::Result;

use super::naming;
use super::types::File;

impl File<'_> {
    /// Writes an enum of (variant, value) pairs.
    pub(crate) fn string_enum<'v>(
        &mut self,
        name: &str,
        doc: &str,
        values: impl IntoIterator<Item = (String, &'v str)>,
    ) -> Result<()> {
        self.import("crate::validate", &["string_enum"]);
        writeln!(self.body, "string_enum! {{\n    /// {doc}\n    pub enum {name} {{")?;
        for (variant, value) in values {
            writeln!(self.body, "        {variant} = {},", naming::literal(value))?;
        }
        self.body.push_str("    }\n}\n\n");
        Ok(())
    }
}
