//! Values that copies share, and what was read from them.

use super::steps;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// A value that never changes: copies share it, however large it is, and with it everything that was
/// read from it. Sixty controls ask what a file of 16 MiB says, and it is parsed for the first of them.
///
/// Serialised as the value alone; what was read from it is no part of it.
pub struct Kept<T> {
    value: Arc<T>,
    read: Arc<Views>,
}

/// What was read from a value, one of each type.
type Views = Mutex<Vec<Arc<dyn Any + Send + Sync>>>;

impl<T> Kept<T> {
    /// This value.
    pub fn new(value: T) -> Self {
        Self {
            value: Arc::new(value),
            read: Arc::default(),
        }
    }

    /// What `read` makes of the value. It is called once for each type `V`, whoever asks, so it must be
    /// the same function wherever the type is: a type that is read in two ways needs two names.
    pub fn view<V: Any + Send + Sync>(&self, read: impl FnOnce(&T) -> V) -> Arc<V> {
        // A reader that panicked has left no half view behind.
        let views = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |views: &[Arc<dyn Any + Send + Sync>]| {
            views
                .iter()
                .find_map(|view| Arc::clone(view).downcast::<V>().ok())
        };
        let found = find(&views());
        found.unwrap_or_else(|| {
            let view = Arc::new(read(&self.value));
            views().push(Arc::clone(&view) as Arc<dyn Any + Send + Sync>);
            view
        })
    }

    /// Whether both are one value in memory, not merely equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value)
    }
}

impl<T: Clone> Kept<T> {
    /// The value itself; copied where somebody shares it.
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(self.value)
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            read: Arc::clone(&self.read),
        }
    }
}

impl<T: Default> Default for Kept<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: PartialEq> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        steps::count(1);
        self.is_same(other) || self.value == other.value
    }
}

impl<T: Eq> Eq for Kept<T> {}

impl<T> From<T> for Kept<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Serialize> Serialize for Kept<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_from_it_is_read_once() {
        let kept = Kept::new(b"abc".to_vec());
        let copy = kept.clone();
        assert!(copy.is_same(&kept));
        assert_eq!(*kept.view(Vec::len), 3);
        assert_eq!(*copy.view::<usize>(|_| unreachable!("it is known")), 3);
        assert_eq!(*copy.view(|bytes| bytes.first().copied()), Some(b'a'));
        let other = Kept::new(b"abc".to_vec());
        assert_eq!(other, kept);
        assert!(!other.is_same(&kept));
        assert_eq!(*other.view(|bytes| bytes.len() + 1), 4);
        assert_eq!(other.into_inner(), b"abc");
    }
}
