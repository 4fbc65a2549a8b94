//! `/proc/net/if_inet6`: the IPv6 addresses of this host.
//!
//! A line for each: address, number of the interface, length of the prefix, scope, flags, name of
//! the interface; numbers are hexadecimal (proc_net(5)).

/// Where the kernel shows them.
pub const PATH: &str = "/proc/net/if_inet6";

/// Whether somebody outside may reach this host over IPv6: an interface that is not a bridge of
/// Docker's has an address of global scope, unique local ones (RFC 4193) included.
pub fn has_global_address(text: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line.split_ascii_whitespace();
        words.nth(3) == Some("00") && words.nth(1).is_some_and(|name| !is_of_docker(name))
    })
}

/// `docker0`, and `br-` with the first twelve digits of a network's id.
fn is_of_docker(interface: &str) -> bool {
    interface == "docker0"
        || interface
            .strip_prefix("br-")
            .is_some_and(|id| id.len() == 12 && id.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_be_reached_from_outside() {
        let line = |address: &str, scope: &str, name: &str| {
            format!("{address} 02 40 {scope} 80 {name:>8}\n")
        };
        let own = line("00000000000000000000000000000001", "10", "lo");
        let local = line("fe80000000000000505400fffe123456", "20", "eth0");
        let global = "20010db8000000000000000000000002";
        for (text, expected) in [
            (String::new(), false),
            (format!("{own}{local}"), false),
            (format!("{own}{local}{}", line(global, "00", "eth0")), true),
            (line(global, "00", "br-lan"), true),
            (line(global, "00", "docker0"), false),
            (line(global, "00", "br-0123456789ab"), false),
            ("00 00 00 00".to_owned(), false),
            ("nothing like it".to_owned(), false),
        ] {
            assert_eq!(has_global_address(&text), expected, "{text}");
        }
    }
}
