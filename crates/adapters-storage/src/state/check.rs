//! Whether changes may be made: the expectations of a commit against what is stored.

use std::collections::HashSet;

use kecs_usecases::ports::store::{Entity, EntityKey};
use kecs_usecases::ports::{Changes, Expect, PortError, Version};

/// Changes whose shape is sound, with the key of each entity at hand.
pub(crate) struct Checked {
    /// What is saved.
    pub(crate) puts: Vec<(EntityKey, Entity)>,
    /// What is removed.
    pub(crate) deletes: Vec<EntityKey>,
    /// What must be true before.
    pub(crate) expectations: Vec<(EntityKey, Expect)>,
}

impl Checked {
    /// Takes `changes` apart.
    ///
    /// # Errors
    /// Permanent if a key is saved or removed more than once: which of the two is meant to stay can't be told.
    pub(crate) fn new(changes: Changes) -> Result<Self, PortError> {
        let named = changes.puts.len() + changes.deletes.len();
        let mut expectations = Vec::with_capacity(named + changes.requires.len());
        let mut puts = Vec::with_capacity(changes.puts.len());
        for (entity, expect) in changes.puts {
            let key = entity.key();
            expectations.push((key.clone(), expect));
            puts.push((key, entity));
        }
        let mut deletes = Vec::with_capacity(changes.deletes.len());
        for (key, expect) in changes.deletes {
            expectations.push((key.clone(), expect));
            deletes.push(key);
        }
        if named > 1 {
            let mut seen = HashSet::with_capacity(named);
            if let Some((key, _)) = expectations.iter().find(|(key, _)| !seen.insert(key)) {
                return Err(PortError::permanent(format!("one commit changes {key:?} twice")));
            }
        }
        expectations.extend(changes.requires);
        Ok(Self { puts, deletes, expectations })
    }

    /// How many entities change.
    pub(crate) fn len(&self) -> usize {
        self.puts.len() + self.deletes.len()
    }
}

/// Whether every expectation holds, given what is stored.
///
/// # Errors
/// Conflict that names the first one that does not.
pub(crate) fn check(
    expectations: &[(EntityKey, Expect)],
    version_of: impl Fn(&EntityKey) -> Option<Version>,
) -> Result<(), PortError> {
    for (key, expect) in expectations {
        let expected = match *expect {
            Expect::Any => continue,
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        let stored = version_of(key);
        if stored != expected {
            let word =
                |version: Option<Version>| version.map_or("absent".to_owned(), |it| format!("at {}", it.0));
            let (stored, expected) = (word(stored), word(expected));
            return Err(PortError::conflict(format!("{key:?} is {stored}, not {expected}")));
        }
    }
    Ok(())
}
