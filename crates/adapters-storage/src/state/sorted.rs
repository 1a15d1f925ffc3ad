//! Walking several sorted sets as one: what a filter asks for is often a union of index entries.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::ops::Bound;

/// The union of iterators that are sorted and have no item in common, sorted.
///
/// Looks at every head for each item, so it is for a handful of iterators.
pub(super) fn union<I>(parts: impl IntoIterator<Item = I>) -> Union<I>
where
    I: Iterator<Item: Ord>,
{
    Union { parts: parts.into_iter().map(Iterator::peekable).collect() }
}

/// See [`union`].
pub(super) struct Union<I: Iterator> {
    parts: Vec<Peekable<I>>,
}

impl<I: Iterator<Item: Ord>> Iterator for Union<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let mut least: Option<usize> = None;
        for at in 0..self.parts.len() {
            let (before, rest) = self.parts.split_at_mut(at);
            let Some(item) = rest[0].peek() else { continue };
            let is_less = match least {
                None => true,
                Some(least) => before[least].peek().is_none_or(|other| item < other),
            };
            if is_less {
                least = Some(at);
            }
        }
        self.parts[least?].next()
    }
}

/// The bounds of everything after `after`.
pub(super) fn after<T>(after: Option<&T>) -> (Bound<&T>, Bound<&T>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

/// Everything of `set` after `last`, sorted.
pub(super) fn rest<'a, T: Ord>(
    set: &'a BTreeSet<T>,
    last: Option<&T>,
) -> impl Iterator<Item = &'a T> + use<'a, T> {
    set.range(after(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_of_sorted_sets_is_sorted_and_complete() {
        let sets =
            [BTreeSet::from([1, 5, 9]), BTreeSet::new(), BTreeSet::from([2, 3, 10]), BTreeSet::from([4])];
        let all: Vec<_> = union(sets.iter().map(|set| rest(set, Some(&1)))).copied().collect();
        assert_eq!(all, [2, 3, 4, 5, 9, 10]);
        assert_eq!(union(Vec::<std::vec::IntoIter<i32>>::new()).next(), None);
    }
}
