//! Pages: where a list goes on, in an opaque token that only fits the list it came from.
//!
//! A list use case is three lines: a [`Pager`] for the list, its [`PageRequest`] for the store, and its
//! [`Pager::next_token`] for the answer. A token is a position, not a cursor: nothing is kept between two pages, so
//! what is added or removed meanwhile is seen or not, and nothing else is seen twice or skipped.

use std::io;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::error::EcsError;
use crate::scope::Scope;

/// How many items at most, and after which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// The last item of the page before.
    pub after: Option<K>,
    /// At least 1.
    pub limit: usize,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as were asked for, in the list's order.
    pub items: Vec<T>,
    /// Whether there are items after these.
    pub more: bool,
}

impl<T> Page<T> {
    /// A page from an iterator over everything after the page's start, of which no more than `limit + 1` are taken.
    pub fn take(items: impl IntoIterator<Item = T>, limit: usize) -> Self {
        let mut items: Vec<T> = items.into_iter().take(limit.saturating_add(1)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, more }
    }
}

/// How large the pages of an operation are. (ecs service quotas and the documentation of `maxResults`)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSizes {
    /// Without `maxResults`.
    pub default: usize,
    /// The largest `maxResults`.
    pub most: usize,
}

impl PageSizes {
    /// Most lists.
    pub const LIST: Self = Self { default: 100, most: 100 };
    /// `ListServices` and `ListServicesByNamespace`.
    pub const SERVICES: Self = Self { default: 10, most: 100 };
    /// `ListServiceDeployments`.
    pub const SERVICE_DEPLOYMENTS: Self = Self { default: 20, most: 100 };
    /// `ListAccountSettings` and `DescribeCapacityProviders`.
    pub const TENS: Self = Self { default: 10, most: 10 };
}

/// The size of a page: `maxResults`, checked as ECS checks it.
///
/// # Errors
/// `InvalidParameterException` for less than 1 or more than `most`.
pub fn page_size(max_results: Option<i32>, default: usize, most: usize) -> Result<usize, EcsError> {
    match max_results {
        None => Ok(default),
        Some(n) if n < 1 => Err(EcsError::invalid_parameter("Max results can not be lesser than 1")),
        Some(n) if usize::try_from(n).is_ok_and(|n| n > most) => {
            Err(EcsError::invalid_parameter(format!("Max results can not be greater than {most}")))
        }
        Some(n) => Ok(usize::try_from(n).unwrap_or(default)),
    }
}

/// The first bytes of a token: enough that no other list's token passes by accident.
const CHECKSUM: usize = 16;

/// The pages of one list: an operation, in a scope, with its filters. `K` says where in the list an item stands.
///
/// A token is `base64url(checksum, key as JSON)`, and the checksum covers the operation, the scope, the filters and
/// the key. It's no secret and needs none: a forged token only shows what its forger may list anyway. It is there
/// so that a token that was cut off, edited or taken from another list is refused, not silently misread.
pub struct Pager<K> {
    /// Has swallowed all but the key.
    list: Sha256,
    key: PhantomData<fn() -> K>,
}

impl<K: Serialize + DeserializeOwned> Pager<K> {
    /// The pages of the list that `operation` makes in `scope` with `filters`. Filters that are equal must have
    /// the same JSON; a store's query is meant to be passed as it is.
    pub fn new(operation: &str, scope: &Scope, filters: &impl Serialize) -> Self {
        let mut list = Sha256::new();
        // JSON texts can't run into each other, so what is hashed can't be read as another list.
        let fed = serde_json::to_writer(HashWriter(&mut list), &("kecs page 1", operation, scope, filters));
        // Only a map with keys that are no strings has no JSON; then the token fits every such list.
        debug_assert!(fed.is_ok(), "the filters of {operation} have a JSON form");
        Self { list, key: PhantomData }
    }

    /// Reads the paging members of a request.
    ///
    /// # Errors
    /// `InvalidParameterException` for a `maxResults` out of range, and for a token that is not from this list.
    pub fn request(
        &self,
        next_token: Option<&str>,
        max_results: Option<i32>,
        sizes: PageSizes,
    ) -> Result<PageRequest<K>, EcsError> {
        let limit = page_size(max_results, sizes.default, sizes.most)?;
        let after = match next_token {
            None => None,
            Some(token) => {
                Some(self.decode(token).ok_or_else(|| EcsError::invalid_parameter("Invalid token"))?)
            }
        };
        Ok(PageRequest { after, limit })
    }

    /// The token of the page after `page`; None if it was the last one, also when it is exactly full.
    pub fn next_token<T>(&self, page: &Page<T>, key: impl FnOnce(&T) -> K) -> Option<String> {
        let last = page.items.last().filter(|_| page.more)?;
        let json = serde_json::to_vec(&key(last)).ok()?;
        let mut token = self.checksum(&json).to_vec();
        token.extend(json);
        Some(URL_SAFE_NO_PAD.encode(token))
    }

    fn decode(&self, token: &str) -> Option<K> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (checksum, json) = bytes.split_at_checked(CHECKSUM)?;
        if checksum != self.checksum(json) {
            return None;
        }
        serde_json::from_slice(json).ok()
    }

    fn checksum(&self, key: &[u8]) -> [u8; CHECKSUM] {
        let digest: [u8; 32] = self.list.clone().chain_update(key).finalize().into();
        let mut checksum = [0; CHECKSUM];
        checksum.copy_from_slice(&digest[..CHECKSUM]);
        checksum
    }
}

/// Hashes what is written, without a copy of it.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope::new("123456789012", "eu-central-1")
    }

    fn numbers(filter: &str) -> Pager<u32> {
        Pager::new("ListNumbers", &scope(), &filter)
    }

    /// Goes through `0..count` as a client would.
    fn walk(count: u32, limit: i32) -> Vec<Vec<u32>> {
        let pager = numbers("all");
        let (mut pages, mut token) = (Vec::new(), None::<String>);
        loop {
            let request = pager.request(token.as_deref(), Some(limit), PageSizes::LIST).unwrap();
            let page = Page::take(request.after.map_or(0, |after| after + 1)..count, request.limit);
            token = pager.next_token(&page, |number| *number);
            pages.push(page.items);
            if token.is_none() {
                return pages;
            }
        }
    }

    fn refused(pager: &Pager<u32>, token: &str) -> EcsError {
        pager.request(Some(token), None, PageSizes::LIST).unwrap_err()
    }

    #[test]
    fn pages_follow_each_other_without_a_gap() {
        assert_eq!(walk(5, 2), [vec![0, 1], vec![2, 3], vec![4]]);
    }

    #[test]
    fn the_last_page_has_no_token_also_when_it_is_exactly_full() {
        assert_eq!(walk(4, 2), [vec![0, 1], vec![2, 3]]);
        assert_eq!(walk(2, 2), [vec![0, 1]]);
        assert_eq!(walk(0, 2), [Vec::<u32>::new()]);
    }

    #[test]
    fn a_token_only_fits_the_list_it_came_from() {
        let page = Page { items: vec![7], more: true };
        let token = numbers("all").next_token(&page, |number| *number).unwrap();
        assert_eq!(
            numbers("all").request(Some(&token), None, PageSizes::LIST),
            Ok(PageRequest { after: Some(7), limit: 100 })
        );
        let elsewhere = Scope::new("123456789012", "eu-west-1");
        for other in [
            numbers("odd"),
            Pager::new("ListLetters", &scope(), &"all"),
            Pager::new("ListNumbers", &elsewhere, &"all"),
        ] {
            assert_eq!(refused(&other, &token), EcsError::invalid_parameter("Invalid token"));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let pager = numbers("all");
        let page = Page { items: vec![7], more: true };
        let token = pager.next_token(&page, |number| *number).unwrap();
        let mut other = page.clone();
        other.items = vec![8];
        let edited = format!(
            "{}{}",
            &token[..token.len() - 2],
            &pager.next_token(&other, |number| *number).unwrap()[token.len() - 2..]
        );
        assert_ne!(edited, token);
        for bad in
            ["", "x", "not a token!", &token[1..], &token[..token.len() - 1], &edited, &format!("{token}AA")]
        {
            assert_eq!(refused(&pager, bad).message, "Invalid token", "{bad}");
        }
    }

    #[test]
    fn max_results_has_a_smallest_and_a_largest_value() {
        let size = |max| numbers("all").request(None, max, PageSizes::SERVICES).map(|page| page.limit);
        assert_eq!(size(None), Ok(10));
        assert_eq!(size(Some(100)), Ok(100));
        assert_eq!(
            size(Some(101)),
            Err(EcsError::invalid_parameter("Max results can not be greater than 100"))
        );
        assert!(size(Some(0)).is_err() && size(Some(-1)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_key_comes_back_and_no_other_text_is_a_token(key: (String, i32), text: String) {
            let pager: Pager<(String, i32)> = Pager::new("ListPairs", &scope(), &());
            let page = Page { items: vec![key.clone()], more: true };
            let token = pager.next_token(&page, Clone::clone).unwrap();
            let request = pager.request(Some(&token), None, PageSizes::LIST).unwrap();
            proptest::prop_assert_eq!(request.after, Some(key));
            proptest::prop_assert!(pager.request(Some(&text), None, PageSizes::LIST).is_err());
        }
    }
}
