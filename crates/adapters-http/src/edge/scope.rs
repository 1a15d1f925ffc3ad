//! Account and region of a request, and the [`Context`] that the use cases get, kept for the next request.

use std::cell::RefCell;
use std::sync::Arc;

use kecs_domain::Scope;
use kecs_usecases::Context;

use super::credential::Credential;

/// How many contexts a thread keeps. A server mostly sees one; a test run that gives each case an account of its
/// own sees many, and then makes some of them again.
const KEPT: usize = 16;

thread_local! {
    /// The newest is the last. A context follows from its account and region alone, so that servers may share it.
    static CONTEXTS: RefCell<Vec<Arc<Context>>> = const { RefCell::new(Vec::new()) };
}

/// Account and region where a request doesn't tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultScope {
    /// Twelve digits.
    pub account: String,
    /// Such as `us-east-1`.
    pub region: String,
}

impl DefaultScope {
    /// Who asks. An access key id of twelve digits is the account, so that one server can be many accounts.
    pub(crate) fn context(&self, credential: Option<&Credential<'_>>) -> Arc<Context> {
        let account = credential
            .map(|credential| credential.access_key.as_ref())
            .filter(|key| is_account(key))
            .unwrap_or(&self.account);
        let region = credential
            .map(|credential| credential.region.as_ref())
            .filter(|region| is_region(region))
            .unwrap_or(&self.region);
        CONTEXTS.with_borrow_mut(|kept| {
            let same = |context: &&Arc<Context>| {
                context.scope.region() == region && context.scope.account() == account
            };
            if let Some(context) = kept.iter().rev().find(same) {
                return Arc::clone(context);
            }
            let context = Arc::new(Context::root(Scope::new(account, region)));
            if kept.len() == KEPT {
                kept.remove(0);
            }
            kept.push(Arc::clone(&context));
            context
        })
    }
}

/// Whether it is an account's number: twelve digits.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it can be a region's name. It becomes part of every ARN, so a colon or a slash would do harm.
pub fn is_region(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(access_key: &str, region: &str) -> (String, String) {
        let defaults = DefaultScope { account: "000000000000".into(), region: "us-east-1".into() };
        let credential =
            Credential { access_key: access_key.into(), region: region.into(), service: "ecs".into() };
        let context = defaults.context(Some(&credential));
        (context.scope.account().to_owned(), context.scope.region().to_owned())
    }

    fn pair(account: &str, region: &str) -> (String, String) {
        (account.to_owned(), region.to_owned())
    }

    #[test]
    fn twelve_digits_are_an_account_and_anything_else_is_the_configured_one() {
        assert_eq!(scope("123456789012", "eu-central-1"), pair("123456789012", "eu-central-1"));
        for key in ["AKIDEXAMPLE", "12345678901", "1234567890123", "12345678901x", ""] {
            assert_eq!(scope(key, "eu-central-1"), pair("000000000000", "eu-central-1"));
        }
    }

    #[test]
    fn a_region_that_cannot_be_one_is_the_configured_one() {
        for region in ["", "*", "eu:central", "a/b", "EU", &"a".repeat(33)] {
            assert_eq!(scope("AKID", region), pair("000000000000", "us-east-1"));
        }
    }

    #[test]
    fn contexts_are_kept_but_not_without_limit() {
        let defaults = DefaultScope { account: "000000000000".into(), region: "us-east-1".into() };
        assert!(Arc::ptr_eq(&defaults.context(None), &defaults.context(None)));
        for n in 0..100 {
            scope(&format!("{n:012}"), "us-east-1");
        }
        CONTEXTS.with_borrow(|kept| assert_eq!(kept.len(), KEPT));
    }
}
