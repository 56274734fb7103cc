//! Connections through an HTTP proxy, with CONNECT.
//!
//! Relies on `address`, `socket` and `secrets`. Invariant: the deadline of connecting covers the proxy, and its
//! user name and password are never shown.

use std::io::{Read, Write};

use data_encoding::BASE64;

use super::{
    address::Address,
    socket::{self, ConnectingSocket},
};
use crate::{
    deadline::Deadline,
    error::{Error, Result, TransportFailure},
    secrets::Secrets,
};

/// The maximum length of a proxy's response, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Which proxy to use.
#[derive(Clone)]
pub(super) enum ProxyChoice {
    Environment,
    None,
    Url(String),
}

/// A proxy.
pub(super) struct Proxy {
    pub(super) address: Address,
    /// User name and password, joined by a colon.
    credentials: Option<String>,
}

impl ProxyChoice {
    /// The proxy for a server that this client didn't start.
    ///
    /// # Errors
    /// The URL of the proxy is invalid.
    pub(super) fn of(&self, server: &Address) -> Result<Option<Proxy>> {
        match self {
            ProxyChoice::None => Ok(None),
            ProxyChoice::Url(url) => Proxy::parse(url).map(Some),
            ProxyChoice::Environment => match url_of(server, |name| std::env::var(name).ok()) {
                Some(url) => Proxy::parse(&url).map(Some),
                None => Ok(None),
            },
        }
    }
}

/// The URL that the environment names for this server. This machine is never reached through a proxy.
fn url_of(server: &Address, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    if server.is_loopback() {
        return None;
    }
    // Each in lower case first. Under CGI, a header of a request becomes `HTTP_PROXY`.
    let value = |lower: &str| {
        let upper = lower.to_ascii_uppercase();
        let is_forgeable = upper == "HTTP_PROXY" && variable("REQUEST_METHOD").is_some();
        let found = variable(lower).or_else(|| variable(&upper).filter(|_| !is_forgeable))?;
        Some(found.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let own = if server.is_tls { "https_proxy" } else { "http_proxy" };
    let url = value(own).or_else(|| value("all_proxy"))?;
    let excluded = value("no_proxy").unwrap_or_default();
    let is_excluded = excluded.split(',').any(|entry| excludes(entry.trim(), server));
    (!is_excluded).then_some(url)
}

/// Whether an entry of `NO_PROXY` is this server: its name, a domain that it is in, or `*`; with or without a port.
fn excludes(entry: &str, server: &Address) -> bool {
    let (entry, port) = match entry.rsplit_once(':') {
        // More colons are those of an IPv6 address.
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port.parse().ok()),
        _ => (entry, None),
    };
    let entry = entry.trim_matches(['[', ']']).trim_start_matches("*.").trim_start_matches('.');
    let (entry, host) = (entry.to_ascii_lowercase(), server.host.to_ascii_lowercase());
    let is_within =
        host.strip_suffix(entry.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    port.is_none_or(|port: u16| port == server.port) && (entry == "*" || (!entry.is_empty() && is_within))
}

impl Proxy {
    pub(super) fn parse(url: &str) -> Result<Proxy> {
        // Doesn't contain the URL itself, which may hold a password.
        let invalid =
            |why: &str| Error::invalid(format!("the URL of the proxy {why}; expected http://host:port"));
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(invalid("is not that of an HTTP proxy, and others are not supported"));
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (credentials, host) = match authority.rsplit_once('@') {
            Some((credentials, host)) => (Some(credentials), host),
            None => (None, authority),
        };
        let address =
            Address::parse(&format!("ws://{host}")).map_err(|_| invalid("has no valid host or port"))?;
        let credentials = credentials.map(|credentials| decode(credentials).ok_or(())).transpose();
        let credentials =
            credentials.map_err(|()| invalid("has a user name or password that is not encoded"))?;
        Ok(Proxy { address, credentials })
    }

    pub(super) fn add_secrets(&self, secrets: &mut Secrets) {
        if let Some(credentials) = &self.credentials {
            secrets.add(credentials);
            secrets.add(&BASE64.encode(credentials.as_bytes()));
            secrets.add(credentials.split_once(':').map_or("", |(_, password)| password));
        }
    }

    /// Connects to the proxy, and through it to the server.
    pub(super) fn dial(
        &self,
        server: &Address,
        secrets: &Secrets,
        deadline: Deadline,
        doing: &str,
    ) -> Result<ConnectingSocket> {
        let mut wire = socket::dial(&self.address, false, deadline, doing)?;
        let target = server.authority();
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(credentials) = &self.credentials {
            let encoded = BASE64.encode(credentials.as_bytes());
            request.push_str(&format!("Proxy-Authorization: Basic {encoded}\r\n"));
        }
        request.push_str("\r\n");
        let lost = |error| socket::failed(deadline, doing, "the connection to the proxy was lost", error);
        wire.write_all(request.as_bytes()).map_err(lost)?;
        let mut head = Vec::new();
        let mut byte = [0];
        // By single bytes, since what follows the head is the server's.
        while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
            wire.read_exact(&mut byte).map_err(lost)?;
            head.push(byte[0]);
        }
        let is_whole = head.ends_with(b"\r\n\r\n");
        let head = String::from_utf8_lossy(&head);
        let line = head.lines().next().unwrap_or_default();
        let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse::<u16>().ok());
        match status.filter(|_| is_whole) {
            Some(200..=299) => Ok(wire),
            Some(status) => {
                let line = secrets.mask(line);
                let mut failure = TransportFailure::new(format!("the proxy refused to connect: {line}"));
                failure.http_status = Some(status);
                Err(failure.while_connecting(doing))
            }
            None => {
                Err(TransportFailure::new("no HTTP proxy: its response is not HTTP").while_connecting(doing))
            }
        }
    }
}

/// Decodes `%20` and so on. `None` if the text is not encoded properly.
fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, environment: &[(&str, &str)]) -> Option<String> {
        let variable = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        url_of(&Address::parse(url).unwrap(), variable)
    }

    #[test]
    fn each_scheme_has_its_variable_in_lower_case_first() {
        let all = [("HTTP_PROXY", "http"), ("HTTPS_PROXY", "https"), ("ALL_PROXY", "all")];
        assert_eq!(chosen("ws://h", &all).as_deref(), Some("http"));
        assert_eq!(chosen("wss://h", &all).as_deref(), Some("https"));
        assert_eq!(chosen("wss://h", &[all[0], all[2]]).as_deref(), Some("all"));
        assert_eq!(chosen("wss://h", &[all[1], ("https_proxy", "lower")]).as_deref(), Some("lower"));
        assert_eq!(chosen("wss://h", &[("HTTPS_PROXY", " ")]), None);
        assert_eq!(chosen("ws://h", &[all[0], ("REQUEST_METHOD", "GET")]), None);
    }

    #[test]
    fn this_machine_and_what_is_excluded_is_reached_directly() {
        for url in ["wss://localhost:1", "wss://127.0.0.1", "wss://[::1]"] {
            assert_eq!(chosen(url, &[("ALL_PROXY", "p")]), None, "{url}");
        }
        for (excluded, url, is_excluded) in [
            ("*", "wss://a.b", true),
            ("x, a.b", "wss://A.b", true),
            ("a.b", "wss://c.a.b", true),
            (".a.b", "wss://c.a.b", true),
            ("*.a.b", "wss://c.a.b", true),
            ("a.b", "wss://xa.b", false),
            ("a.b:443", "wss://a.b", true),
            ("a.b:80", "wss://a.b", false),
            ("10.0.0.1", "wss://10.0.0.1", true),
            ("fd00::1", "wss://[fd00::1]", true),
            ("[fd00::1]:443", "wss://[fd00::1]", true),
            ("", "wss://a.b", false),
            (",", "wss://a.b", false),
        ] {
            let found = chosen(url, &[("ALL_PROXY", "p"), ("NO_PROXY", excluded)]);
            assert_eq!(found.is_none(), is_excluded, "{excluded} {url}");
        }
    }

    #[test]
    fn a_url_is_taken_apart_and_never_shown() {
        let parsed = |url| Proxy::parse(url).map(|proxy| (proxy.address.authority(), proxy.credentials));
        assert_eq!(parsed("http://p:8/").unwrap(), ("p:8".to_owned(), None));
        assert_eq!(parsed("p:8").unwrap(), ("p:8".to_owned(), None));
        let credentials = Some("me:a@b c".to_owned());
        assert_eq!(parsed("HTTP://me:a%40b%20c@[::1]:8").unwrap(), ("[::1]:8".to_owned(), credentials));
        for url in
            ["socks5://me:x1y2@p", "https://p", "http://me:x1y2@", "http://me:x1y2%@p", "http://me:x1y2@p:q"]
        {
            let error = parsed(url).unwrap_err();
            assert!(!format!("{error:?} {error}").contains("x1y2"), "{error}");
        }
    }
}
