//! Parses a server's URL: `ws://host:port/path`.
//!
//! Relies on `error`. Invariant: a displayed URL contains no secrets: user names and passwords are
//! rejected, and the query is omitted.

use std::{fmt, net::IpAddr};

use crate::error::{Error, Result};

/// A parsed URL.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) is_tls: bool,
    /// A host name, or an IP address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Includes the query.
    pub(super) path: String,
}

impl Address {
    pub(super) fn parse(url: &str) -> Result<Address> {
        // Doesn't contain the URL itself, which may hold a password.
        let invalid =
            |why: &str| Err(Error::invalid(format!("the app-server URL {why}; expected ws://host:port")));
        let Some((scheme, rest)) = url.split_once("://") else {
            return invalid("has no scheme");
        };
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            "unix" => return invalid("is a Unix socket; use UnixSocket::new(path)"),
            scheme => return invalid(&format!("has the unknown scheme {scheme:?}")),
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return invalid("contains a user name or password; use WebSocket::token instead");
        }
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain(authority) || !is_plain(path) {
            return invalid("contains a space, a control character, or a non-ASCII character");
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => match bracketed.split_once(']') {
                Some((host, port)) => {
                    (host, port.strip_prefix(':').or_else(|| port.is_empty().then_some("")))
                }
                None => return invalid("has an unclosed bracket"),
            },
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, Some("")),
            },
        };
        if host.is_empty() {
            return invalid("has no host");
        }
        let default = if is_tls { 443 } else { 80 };
        let port = match port {
            Some("") => Some(default),
            Some(port) => port.parse().ok().filter(|port| *port != 0),
            None => None,
        };
        let Some(port) = port else { return invalid("has a port that is not a number from 1 to 65535") };
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Address { is_tls, host: host.to_owned(), port, path: format!("{slash}{path}") })
    }

    /// Whether the host is this machine: a loopback address or `localhost`.
    pub(super) fn is_loopback(&self) -> bool {
        self.is_localhost() || self.ip().is_some_and(|ip| ip.to_canonical().is_loopback())
    }

    /// Whether the host is `localhost`, which must mean this machine, whatever it resolves to.
    pub(super) fn is_localhost(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
    }

    /// May hold a key.
    pub(super) fn query(&self) -> &str {
        self.path.split_once('?').map_or("", |(_, query)| query)
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// `host:port`, in the form of the `Host` header.
    pub(super) fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// The URL without its query, which may contain a key.
    pub(super) fn without_query(&self) -> String {
        let scheme = if self.is_tls { "wss" } else { "ws" };
        let path = self.path.split('?').next().filter(|path| *path != "/").unwrap_or_default();
        format!("{scheme}://{}{path}", self.authority())
    }
}

impl fmt::Display for Address {
    /// Omits the query, which may contain a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.path.contains('?') { "?…" } else { "" };
        write!(f, "{}{query}", self.without_query())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (bool, String, u16, String) {
        let Address { is_tls, host, port, path } = Address::parse(url).unwrap();
        (is_tls, host, port, path)
    }

    #[test]
    fn a_url_is_taken_apart() {
        let (host, path) = ("h.example".to_owned(), "/".to_owned());
        assert_eq!(parsed("ws://h.example:9/"), (false, host.clone(), 9, path.clone()));
        assert_eq!(parsed("WSS://h.example"), (true, host.clone(), 443, path.clone()));
        assert_eq!(parsed("ws://h.example?x=1#y"), (false, host, 80, "/?x=1".to_owned()));
        assert_eq!(parsed("ws://[::1]:7/a/b"), (false, "::1".to_owned(), 7, "/a/b".to_owned()));
        assert_eq!(parsed("ws://[::1]"), (false, "::1".to_owned(), 80, path));
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused_without_showing_it() {
        for (url, why) in [
            ("127.0.0.1:8765", "no scheme"),
            ("http://127.0.0.1", "unknown scheme \"http\""),
            ("unix:///run/secret", "UnixSocket"),
            ("ws://me:secret@host", "WebSocket::token"),
            ("ws://:80", "no host"),
            ("ws://", "no host"),
            ("ws://host:secret", "port"),
            ("ws://host:0", "port"),
            ("ws://host:65536", "port"),
            ("ws://[::1:80", "bracket"),
            ("ws://[::1]80", "port"),
            ("ws://host/secret\r\nX: y", "control character"),
            ("ws://hö.example/secret", "ASCII"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.contains(why) && !text.contains("secret"), "{url}: {text}");
        }
    }

    #[test]
    fn loopback_is_an_address_or_the_name_localhost() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("LocalHost", true),
            ("localhost.example", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("[::ffff:10.0.0.1]", false),
        ] {
            assert_eq!(Address::parse(&format!("ws://{host}")).unwrap().is_loopback(), expected, "{host}");
        }
    }

    #[test]
    fn the_query_is_not_shown() {
        let address = Address::parse("wss://host/path?key=secret").unwrap();
        assert_eq!(address.to_string(), "wss://host:443/path?…");
    }
}
