//! Names and identifiers with their rules: what parses is legal everywhere in the crate.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Refused;

/// Letters, digits, hyphens and underscores, 1 to 255: what clusters, services and families are called.
pub(crate) fn is_legal(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses a name; `None` unless it has 1 to 255 letters, digits, hyphens and underscores.
            pub fn parse(name: &str) -> Option<Self> {
                is_legal(name).then(|| Self(name.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    )*};
}

names! {
    /// The name of a cluster.
    ClusterName,
    /// The name of a service, unique in its cluster while it is not INACTIVE.
    ServiceName,
    /// The family of a task definition.
    FamilyName,
    /// The name of a gateway, unique in its scope.
    GatewayName,
    /// The name of a daemon, unique in its cluster while the daemon is there.
    DaemonName,
}

/// The identifier of a task (or of a container instance): 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// In two halves: a `u128` must lie on a multiple of 16, which costs every struct with one up to 15 bytes.
pub struct HexId([u64; 2]);

/// The identifier of a task.
pub type TaskId = HexId;

impl HexId {
    /// The identifier with these bits; they come from the `IdGenerator` port.
    pub const fn from_bits(bits: u128) -> Self {
        Self([(bits >> 64) as u64, bits as u64])
    }

    /// The identifier's bits.
    pub const fn bits(self) -> u128 {
        let [high, low] = self.0;
        (high as u128) << 64 | low as u128
    }

    /// Appends the 32 digits. Lists write a hundred of them per answer, and `write!` takes ten times as long.
    pub fn push_to(self, text: &mut String) {
        text.extend(self.digits().map(char::from));
    }

    /// Its 32 digits in ASCII.
    pub fn digits(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 32];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.bits().to_be_bytes()) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        }
        digits
    }
}

impl FromStr for HexId {
    type Err = Refused;

    /// Accepts 32 hexadecimal digits, and the older form with hyphens (36 characters).
    fn from_str(text: &str) -> Result<Self, Refused> {
        let refused = || Refused("taskId length should be one of [32,36]".to_owned());
        let digits = match text.len() {
            32 => text.to_owned(),
            36 => text.replace('-', ""),
            _ => return Err(refused()),
        };
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refused());
        }
        u128::from_str_radix(&digits, 16).map(Self::from_bits).map_err(|_| refused())
    }
}

impl fmt::Display for HexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(32);
        self.push_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for HexId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for HexId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HexId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The number of a deployment: the 19 digits in `ecs-svc/1234567890123456789`, and of its service revision.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeploymentId(u64);

impl DeploymentId {
    /// Makes a 19-digit number of random bits.
    pub const fn from_random(bits: u64) -> Self {
        const LEAST: u64 = 1_000_000_000_000_000_000;
        Self(LEAST + bits % (9 * LEAST))
    }

    /// The digits.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Reads `ecs-svc/NNN`.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix("ecs-svc/")?.parse().ok().map(Self)
    }

    /// Reads the digits alone, as in the ARN of a service revision.
    pub fn parse_number(digits: &str) -> Option<Self> {
        digits.parse().ok().map(Self)
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ecs-svc/{:019}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_1_to_255_letters_digits_hyphens_and_underscores() {
        assert!(ClusterName::parse("my_cluster-1").is_some());
        for bad in ["", "a b", "ä", "a/b", &"a".repeat(256)] {
            assert!(ClusterName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn task_ids_have_32_digits_or_36_with_hyphens() {
        let id: TaskId = "0123456789abcdef0123456789abcdef".parse().unwrap();
        assert_eq!(id.to_string(), "0123456789abcdef0123456789abcdef");
        assert_eq!("01234567-89ab-cdef-0123-456789abcdef".parse(), Ok(id));
        assert_eq!("abc".parse::<TaskId>(), Err(Refused("taskId length should be one of [32,36]".into())));
    }

    #[test]
    fn a_deployment_id_has_19_digits_whatever_the_bits() {
        for bits in [0, 1, u64::MAX, u64::MAX / 2] {
            let id = DeploymentId::from_random(bits);
            assert_eq!(id.to_string().len(), "ecs-svc/".len() + 19);
            assert_eq!(DeploymentId::parse(&id.to_string()), Some(id));
        }
    }
}
