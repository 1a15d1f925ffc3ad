//! What must be true of two stored states of a revision, or of a family, in a row.
//!
//! For tests, simulations and contract suites. A violation is a sentence for a person.

use super::{TaskDefinition, TaskDefinitionFamily};
use crate::generated as model;

/// What is wrong with `after` as the next stored state of the revision `before`: its state goes forwards, and what was
/// registered stays as it was.
///
/// # Errors
/// The first rule that is broken.
pub fn check_next(before: &TaskDefinition, after: &TaskDefinition) -> Result<(), String> {
    if before.key != after.key || registered(before) != registered(after) {
        return Err("what was registered changed".to_owned());
    }
    if after.state < before.state {
        return Err(format!("it went from {:?} back to {:?}", before.state, after.state));
    }
    if after.doc.status != Some(after.state.status()) {
        return Err(format!("it is {:?}, but shows {:?}", after.state, after.doc.status));
    }
    Ok(())
}

/// The document without what changes in a revision's life.
fn registered(definition: &TaskDefinition) -> model::TaskDefinition {
    model::TaskDefinition {
        status: None,
        deregistered_at: None,
        delete_requested_at: None,
        ..(*definition.doc).clone()
    }
}

/// What is wrong with `after` as the next stored state of the family `before`: numbers are never given twice.
///
/// # Errors
/// The rule that is broken.
pub fn check_next_family(before: &TaskDefinitionFamily, after: &TaskDefinitionFamily) -> Result<(), String> {
    if after.last_revision < before.last_revision {
        return Err(format!(
            "its last revision went from {} to {}",
            before.last_revision, after.last_revision
        ));
    }
    Ok(())
}
