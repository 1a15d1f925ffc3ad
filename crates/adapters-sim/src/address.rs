//! The addresses of tasks with a network of their own: one for each live task, out of one block.

use std::collections::HashSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use kecs_domain::name::TaskId;

use crate::ids;

/// A block of IPv4 addresses, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: u32,
    prefix: u8,
}

/// The text is no block of addresses that tasks can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no block of IPv4 addresses for tasks: accepted is ADDRESS/PREFIX with a prefix of 8 to 28, such as 10.0.0.0/8"
)]
pub struct BadCidr(String);

/// What a subnet keeps for itself at its beginning (network, router, DNS, reserve) and at its end (broadcast).
const RESERVED_FIRST: u32 = 4;
const RESERVED_LAST: u32 = 1;

impl Cidr {
    /// `10.0.0.0/8`
    pub const DEFAULT: Self = Self { base: 0x0a00_0000, prefix: 8 };

    /// How many addresses tasks can have. The prefix is at most 28, so there are always some.
    fn usable(self) -> u32 {
        (1 << (32 - self.prefix)) - RESERVED_FIRST - RESERVED_LAST
    }

    fn address(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.base + RESERVED_FIRST + number)
    }

    fn number(self, address: Ipv4Addr) -> Option<u32> {
        let offset = u32::from(address).checked_sub(self.base + RESERVED_FIRST)?;
        (offset < self.usable()).then_some(offset)
    }
}

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let read = || {
            let (base, prefix) = text.split_once('/')?;
            let base = u32::from(base.parse::<Ipv4Addr>().ok()?);
            let prefix = prefix.parse().ok().filter(|prefix| (8..=28).contains(prefix))?;
            // Bits beyond the prefix are refused: it is unclear which block is meant.
            (base.trailing_zeros() >= 32 - u32::from(prefix)).then_some(Self { base, prefix })
        };
        read().ok_or_else(|| BadCidr(text.to_owned()))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}

/// Which addresses are taken.
#[derive(Debug)]
pub(crate) struct AddressPool {
    cidr: Cidr,
    taken: HashSet<u32>,
}

impl AddressPool {
    pub(crate) fn new(cidr: Cidr) -> Self {
        Self { cidr, taken: HashSet::new() }
    }

    /// The block that the addresses come from.
    pub(crate) fn cidr(&self) -> Cidr {
        self.cidr
    }

    /// An address for `task`: the one that its id points at, or the next free one. An address that was just
    /// given back is thereby not handed out to the next task. None when all are taken.
    pub(crate) fn take(&mut self, task: TaskId) -> Option<Ipv4Addr> {
        let usable = self.cidr.usable();
        if self.taken.len() >= usable as usize {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, reason = "less than a u32")]
        let first = ids::choice("address", &task.bits().to_be_bytes(), u64::from(usable)) as u32;
        let number = (first..usable).chain(0..first).find(|number| !self.taken.contains(number))?;
        self.taken.insert(number);
        Some(self.cidr.address(number))
    }

    /// Takes this very address, which a task had before a restart. False if another task has it, or if it is none
    /// of this block.
    pub(crate) fn claim(&mut self, address: Ipv4Addr) -> bool {
        self.cidr.number(address).is_some_and(|number| self.taken.insert(number))
    }

    /// Gives an address back.
    pub(crate) fn free(&mut self, address: Ipv4Addr) {
        if let Some(number) = self.cidr.number(address) {
            self.taken.remove(&number);
        }
    }

    /// How many are taken.
    pub(crate) fn len(&self) -> usize {
        self.taken.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(cidr: &str) -> AddressPool {
        AddressPool::new(cidr.parse().unwrap())
    }

    #[test]
    fn a_block_is_read_and_written_the_same() {
        assert_eq!("10.0.0.0/8".parse(), Ok(Cidr::DEFAULT));
        assert_eq!("172.16.0.0/12".parse::<Cidr>().unwrap().to_string(), "172.16.0.0/12");
        for bad in ["", "10.0.0.0", "10.0.0.0/7", "10.0.0.0/29", "10.0.0.1/8", "10.0.0/8", "::/8"] {
            assert_eq!(bad.parse::<Cidr>(), Err(BadCidr(bad.to_owned())));
        }
    }

    #[test]
    fn every_address_is_given_out_once_and_the_reserved_ones_never() {
        let mut pool = pool("10.1.2.0/28");
        let mut given: Vec<_> =
            (0..11).map(|task| pool.take(TaskId::from_bits(task)).unwrap().octets()[3]).collect();
        given.sort_unstable();
        assert_eq!(given, (4..15).collect::<Vec<u8>>());
        assert_eq!(pool.take(TaskId::from_bits(99)), None);
    }

    #[test]
    fn an_address_given_back_can_be_taken_again() {
        let mut pool = pool("10.1.2.0/28");
        let address = pool.take(TaskId::from_bits(1)).unwrap();
        assert!(!pool.claim(address));
        pool.free(address);
        assert_eq!(pool.len(), 0);
        assert!(pool.claim(address));
        assert!(!pool.claim(Ipv4Addr::new(192, 168, 0, 9)), "not of this block");
    }
}
