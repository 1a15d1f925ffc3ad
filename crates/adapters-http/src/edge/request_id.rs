//! The id of a request: a UUID in form, made without a lock or a system call. It only tells requests apart in logs,
//! nothing may rely on its being hard to guess.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};

use http::HeaderValue;

/// The id of a request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(u128);

/// The step of splitmix64: the odd number nearest to 2^64 divided by the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

thread_local! {
    /// Each thread counts from a random number (the standard library seeds its hashers from the system).
    static STATE: Cell<u64> = Cell::new(RandomState::new().build_hasher().finish());
}

/// The finalizer of splitmix64: a bijection that looks random.
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl RequestId {
    /// A new one.
    pub fn next() -> Self {
        let high = STATE.get().wrapping_add(STEP);
        let low = high.wrapping_add(STEP);
        STATE.set(low);
        let bits = (u128::from(mix(high)) << 64) | u128::from(mix(low));
        // The version and variant bits of a random UUID.
        Self((bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62))
    }

    /// Its bits, for what needs an id of the same kind.
    pub(crate) fn bits(self) -> u128 {
        self.0
    }

    fn text(self) -> [u8; 36] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for byte in self.0.to_be_bytes() {
            if matches!(at, 8 | 13 | 18 | 23) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        text
    }

    /// The id as the value of a header.
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.text()).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_the_form_of_a_random_uuid_and_differ_within_and_between_threads() {
        let make = || (0..10_000).map(|_| RequestId::next().to_string()).collect::<Vec<_>>();
        let mut ids: HashSet<String> = make().into_iter().collect();
        ids.extend(std::thread::spawn(make).join().unwrap());
        assert_eq!(ids.len(), 20_000);
        for id in &ids {
            let bytes = id.as_bytes();
            assert_eq!(id.len(), 36);
            assert!([8, 13, 18, 23].iter().all(|&at| bytes[at] == b'-'), "{id}");
            assert!(bytes[14] == b'4' && matches!(bytes[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
    }
}
