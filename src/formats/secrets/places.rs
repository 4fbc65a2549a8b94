//! Settings of daemon.json by what they hold.

/// Settings whose values are addresses, with a scheme or without one.
const ADDRESSES: [&str; 4] = [
    "insecure-registries",
    "proxies",
    "registry-mirrors",
    "allow-nondistributable-artifacts",
];

/// Whether the setting's values are addresses.
pub(super) fn is_address(key: &str) -> bool {
    ADDRESSES.contains(&key)
}

/// Whether the setting's values are no secrets, whatever they look like. A key that nobody knows is not public.
pub(super) fn is_public(key: &str) -> bool {
    crate::options::is_public(key)
}
