//! Addresses and networks: Go's `net.ParseIP`, `net.ParseCIDR` and `net.SplitHostPort`.

use std::net::IpAddr;

/// An address with the length of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address as it was written, host bits included.
    pub ip: IpAddr,
    /// How many bits belong to the network.
    pub bits: u32,
}

/// An IPv4 or IPv6 address without a zone.
pub fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

fn width(ip: IpAddr) -> u32 {
    match ip {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// An address, a slash and a length.
pub fn cidr(text: &str) -> Option<Cidr> {
    let (address, bits) = text.split_once('/')?;
    let address = ip(address)?;
    let digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits: u32 = bits.parse().ok().filter(|_| digits)?;
    (bits <= width(address)).then_some(Cidr { ip: address, bits })
}

impl Cidr {
    /// Whether it is of IPv4.
    pub fn is_v4(self) -> bool {
        self.ip.is_ipv4()
    }

    /// How many bits are the host's.
    pub fn host_bits(self) -> u32 {
        width(self.ip) - self.bits
    }

    fn mask(self) -> u128 {
        let all = u128::MAX >> (128 - width(self.ip));
        match self.host_bits() {
            128 => 0,
            bits => all >> bits << bits,
        }
    }

    /// Whether an address lies in the network.
    pub fn holds(self, other: IpAddr) -> bool {
        self.ip.is_ipv4() == other.is_ipv4()
            && number(self.ip) & self.mask() == number(other) & self.mask()
    }

    /// Whether its address is that of the network itself, or the last one of an IPv4 network.
    pub fn is_end(self) -> bool {
        let host = number(self.ip) & !self.mask() & (u128::MAX >> (128 - width(self.ip)));
        let last = !self.mask() & (u128::MAX >> (128 - width(self.ip)));
        host == 0 || (self.is_v4() && host == last)
    }
}

/// A host and a port, the host in brackets where it has colons; `None` where there is no port, or
/// more than one could be.
pub fn host_port(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind(':')?;
    let (host, port) = (&text[..at], &text[at + 1..]);
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.contains(['[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading() {
        for (text, good) in [
            ("1.1.1.1", true),
            ("::1", true),
            ("::ffff:1.1.1.1", true),
            ("01.1.1.1", false),
            ("1.1.1", false),
            ("1.1.1.256", false),
            ("fe80::1%eth0", false),
            ("[::1]", false),
            (" 1.1.1.1", false),
            ("", false),
        ] {
            assert_eq!(ip(text).is_some(), good, "{text}");
        }
        for (text, good) in [
            ("10.0.0.0/8", true),
            ("10.0.0.1/030", true),
            ("10.0.0.0/33", false),
            ("10.0.0.0/", false),
            ("10.0.0.0/+8", false),
            ("10.0.0.0", false),
            ("fd00::/128", true),
            ("fd00::/129", false),
            ("10.0.0.0/8/8", false),
        ] {
            assert_eq!(cidr(text).is_some(), good, "{text}");
        }
        for (text, expected) in [
            ("a:1", Some(("a", "1"))),
            ("[::1]:5", Some(("::1", "5"))),
            (":5", Some(("", "5"))),
            ("a:", Some(("a", ""))),
            ("a", None),
            ("a:1:2", None),
            ("[::1]", None),
            ("[::1", None),
        ] {
            assert_eq!(host_port(text), expected, "{text}");
        }
    }

    #[test]
    fn networks() {
        let net = |text| cidr(text).unwrap();
        for (network, address, holds) in [
            ("10.1.0.0/16", "10.1.255.255", true),
            ("10.1.0.0/16", "10.2.0.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("::/0", "1.2.3.4", false),
            ("fd00::/64", "fd00::1", true),
            ("fd00::/64", "fd00:0:0:1::", false),
            ("1.2.3.4/32", "1.2.3.4", true),
        ] {
            assert_eq!(
                net(network).holds(ip(address).unwrap()),
                holds,
                "{network} {address}"
            );
        }
        for (text, end) in [
            ("10.0.0.0/24", true),
            ("10.0.0.255/24", true),
            ("10.0.0.1/24", false),
            ("fd00::/64", true),
            ("fd00::1/64", false),
            ("fd00::ffff:ffff:ffff:ffff/64", false),
        ] {
            assert_eq!(net(text).is_end(), end, "{text}");
        }
    }
}
