//! Time and identifiers: the two things that pure code can't have of its own.

use kecs_domain::Timestamp;

/// Tells the time.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now. MUST NOT go backwards within a process.
    fn now(&self) -> Timestamp;
}

/// Makes identifiers.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait IdGenerator: Send + Sync {
    /// 128 bits that no other call has returned or will, in this process or another.
    fn bits(&self) -> u128;
}

impl dyn IdGenerator + '_ {
    /// A random identifier of a task or an instance.
    pub fn hex(&self) -> kecs_domain::name::HexId {
        kecs_domain::name::HexId::from_bits(self.bits())
    }

    /// A random UUID (version 4), as in the ARNs of containers and the ids of attachments and events.
    pub fn uuid(&self) -> String {
        let bits = (self.bits() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The number of a new deployment.
    pub fn deployment(&self) -> kecs_domain::name::DeploymentId {
        #[allow(clippy::cast_possible_truncation, reason = "any 64 of the bits will do")]
        kecs_domain::name::DeploymentId::from_random(self.bits() as u64)
    }

    /// 21 characters of `[A-Za-z0-9_-]`: the id of a service deployment.
    pub fn record(&self) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let mut bits = self.bits();
        (0..21)
            .map(|_| {
                let digit = (bits & 63) as usize;
                bits >>= 6;
                char::from(ALPHABET[digit])
            })
            .collect()
    }
}
