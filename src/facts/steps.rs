//! Counting what is done with what a host gave us.
//!
//! Time is to grow with the input, and not with its square. How long something takes says little on a
//! machine that others use; how many steps it takes is the same everywhere. So whoever goes through
//! something whose size the host decides (bytes of a file, words of a command, keys, entries, lines)
//! counts as many steps as it goes through, and a test compares an input with one of twice its size.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// So many steps are taken now.
pub fn count(steps: usize) {
    STEPS.with(|taken| taken.set(taken.get().wrapping_add(steps as u64)));
}

/// The items, each of them counted as it is looked at.
pub fn counted<I: IntoIterator>(items: I) -> impl Iterator<Item = I::Item> {
    items.into_iter().inspect(|_| count(1))
}

/// How many steps this thread takes for something, and what comes of it.
pub fn taken<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = STEPS.with(Cell::get);
    let made = work();
    (made, STEPS.with(Cell::get).wrapping_sub(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting() {
        let (sum, steps) = taken(|| {
            count(3);
            counted(1..=4).take_while(|number| *number < 3).sum::<u32>()
        });
        assert_eq!((sum, steps), (3, 6));
        assert_eq!(taken(|| taken(|| count(2)).1), (2, 2));
    }
}
