//! `wss://`: certificates that are right, wrong, of another name, expired; a client's own; and both
//! directions of a TLS session at once.
//!
//! Relies on rcgen (certificates made for each test), rustls (the server's end) and `../support/websocket.rs`.
//! Invariant: no test looks at the certificates of the machine that it runs on, but the one that says so.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

#[path = "../support/websocket.rs"]
mod peer;

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use codex_blocking::{Client, Error, Timeout, WebSocket};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use self::peer::{Listening, PATIENCE, Server, Stream};

/// Somebody who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Of one name they would be taken for each other.
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names, and its key.
    fn sign(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> (rcgen::Certificate, KeyPair) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    /// A server with such a certificate; `clients` signs those whom it lets in, if not all are.
    fn server(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
        clients: Option<&Authority>,
    ) -> Arc<ServerConfig> {
        let (certificate, key) = self.sign(names, change);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

fn unchanged(_: &mut CertificateParams) {}

fn over_tls(config: &Arc<ServerConfig>, stream: TcpStream) -> Box<dyn Stream> {
    Box::new(StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream))
}

fn url(listening: &Listening, host: &str) -> String {
    format!("wss://{host}:{}", listening.port)
}

/// A client and its server, with a certificate that is right.
fn served() -> (Client, Server) {
    let authority = Authority::new();
    let config = authority.server(&["localhost"], unchanged, None);
    let listening = Listening::new();
    let transport =
        WebSocket::new(url(&listening, "localhost")).root_certificate(authority.pem()).token("the-token");
    listening.serve_over(|| Client::connect(transport).unwrap(), |stream| over_tls(&config, stream))
}

/// Why there is no connection to a server with that configuration.
fn refused(config: &Arc<ServerConfig>, transport: impl FnOnce(&Listening) -> WebSocket) -> Error {
    let listening = Listening::new();
    let transport = transport(&listening);
    thread::scope(|scope| {
        let connecting = scope.spawn(|| Client::connect(transport).unwrap_err());
        let mut stream = over_tls(config, listening.accept());
        // The handshake fails in here, or the client goes after it.
        let _ = stream.read(&mut [0]);
        drop(stream);
        connecting.join().unwrap()
    })
}

#[test]
fn a_certificate_of_a_trusted_root_is_accepted() {
    let (client, mut server) = served();
    assert_eq!(server.header("authorization"), Some("Bearer the-token"));
    assert_eq!(server.header("origin"), None);
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn an_ip_address_can_be_a_servers_name() {
    let authority = Authority::new();
    let config = authority.server(&["127.0.0.1"], unchanged, None);
    let listening = Listening::new();
    let transport = WebSocket::new(url(&listening, "127.0.0.1")).root_certificate(authority.pem());
    let connect = || Client::connect(transport).unwrap();
    let (client, mut server) = listening.serve_over(connect, |stream| over_tls(&config, stream));
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn a_certificate_of_another_root_is_refused() {
    let config = Authority::new().server(&["localhost"], unchanged, None);
    let other = Authority::new();
    let error = refused(&config, |listening| {
        WebSocket::new(url(listening, "localhost")).root_certificate(other.pem())
    });
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    assert!(!error.is_retryable() && std::error::Error::source(&error).is_some());
}

#[test]
fn a_certificate_that_the_platform_does_not_know_is_refused() {
    let config = Authority::new().server(&["localhost"], unchanged, None);
    let listening = Listening::new();
    let transport = WebSocket::new(url(&listening, "localhost"));
    let error = thread::scope(|scope| {
        let connecting = scope.spawn(|| Client::connect(transport).unwrap_err());
        // Where the machine has no roots at all, nobody comes.
        while !connecting.is_finished() {
            if let Some(stream) = listening.accept_timeout(Duration::from_millis(100)) {
                let _ = over_tls(&config, stream).read(&mut [0]);
            }
        }
        connecting.join().unwrap()
    });
    let text = error.to_string();
    assert!(text.contains("UnknownIssuer") || text.contains("WebSocket::root_certificate"), "{text}");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let config = authority.server(&["other.example"], unchanged, None);
    let error = refused(&config, |listening| {
        WebSocket::new(url(listening, "localhost")).root_certificate(authority.pem())
    });
    assert!(error.to_string().contains("not valid for name \"localhost\""), "{error}");
}

#[test]
fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let expired = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    };
    let config = authority.server(&["localhost"], expired, None);
    let error = refused(&config, |listening| {
        WebSocket::new(url(listening, "localhost")).root_certificate(authority.pem())
    });
    assert!(error.to_string().contains("expired"), "{error}");
}

#[test]
fn a_client_shows_its_own_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let config = authority.server(&["localhost"], unchanged, Some(&clients));
    let (certificate, key) = clients.sign(&["me"], unchanged);
    let listening = Listening::new();
    let transport = WebSocket::new(url(&listening, "localhost"))
        .root_certificate(authority.pem())
        .client_certificate(certificate.pem(), key.serialize_pem());
    let connect = || Client::connect(transport).unwrap();
    let (client, mut server) = listening.serve_over(connect, |stream| over_tls(&config, stream));
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn a_client_without_the_certificate_that_is_wanted_is_told_so() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let config = authority.server(&["localhost"], unchanged, Some(&clients));
    let error = refused(&config, |listening| {
        WebSocket::new(url(listening, "localhost")).root_certificate(authority.pem())
    });
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
}

#[test]
fn what_is_no_certificate_is_the_callers_mistake() {
    let there = || WebSocket::new("wss://127.0.0.1:1");
    let pem = Authority::new().pem();
    for transport in [
        there().root_certificate("no PEM"),
        there().root_certificate(pem.replace("MII", "???")),
        there().root_certificate(pem.clone()).client_certificate(pem.clone(), "secret"),
        there().root_certificate(pem.clone()).client_certificate("no PEM", "secret"),
    ] {
        let error = Client::connect(transport).unwrap_err();
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn a_server_that_speaks_no_tls_is_told_as_that() {
    let authority = Authority::new();
    let listening = Listening::new();
    let transport = WebSocket::new(url(&listening, "localhost")).root_certificate(authority.pem());
    let error = thread::scope(|scope| {
        let connecting = scope.spawn(|| Client::connect(transport).unwrap_err());
        let mut stream = listening.accept();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let error = connecting.join().unwrap();
        drop(stream);
        error
    });
    assert!(error.to_string().contains("no TLS session"), "{error}");
}

#[test]
fn a_server_that_never_answers_the_handshake_is_given_up_in_time() {
    let authority = Authority::new();
    let listening = Listening::new();
    let limit = Duration::from_millis(200);
    let transport = WebSocket::new(url(&listening, "localhost")).root_certificate(authority.pem());
    let error = Client::connect(transport.connect_timeout(limit)).unwrap_err();
    assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
}

#[test]
fn long_messages_travel_whole_in_both_directions() {
    let (client, mut server) = served();
    let text = "x".repeat(20 * 1024 * 1024);
    thread::scope(|scope| {
        let params = json!({ "text": text });
        let client = &client;
        let asking = scope.spawn(move || client.request_with_timeout("test/long", params, PATIENCE).unwrap());
        let request = server.expect("test/long");
        assert!(request["params"]["text"] == text.as_str());
        server.send(format!(r#"{{"id":{},"result":"{text}"}}"#, request["id"]));
        assert!(asking.join().unwrap() == text.as_str());
    });
}

#[test]
fn many_threads_may_use_one_session() {
    let (client, mut server) = served();
    let (threads, rounds) = (4, 50);
    thread::scope(|scope| {
        for number in 0..threads {
            let client = &client;
            scope.spawn(move || {
                for round in 0..rounds {
                    let params = json!([number, round, "x".repeat(round * 1000)]);
                    assert_eq!(client.request("test/echo", &params).unwrap(), params);
                }
            });
        }
        for _ in 0..threads * rounds {
            let request = server.expect("test/echo");
            server.reply(&request, request["params"].clone());
        }
    });
}

#[test]
fn a_server_that_does_not_read_is_still_heard() {
    let (client, mut server) = served();
    assert_eq!(server.one_round(&client), json!("answer"));
    let notifications = client.notifications();
    for _ in 0..3 {
        client.notify("test/unread", json!({ "text": "x".repeat(4 * 1024 * 1024) })).unwrap();
    }
    let hears = thread::spawn(move || notifications.into_iter().next());
    server.send(json!({ "method": "test/news", "params": {} }).to_string());
    assert_eq!(hears.join().unwrap().unwrap().method(), "test/news");
    for _ in 0..3 {
        server.expect("test/unread");
    }
    assert_eq!(server.one_round(&client), json!("answer"));
}

#[test]
fn the_end_of_a_session_is_told_at_once() {
    for in_order in [true, false] {
        let (client, mut server) = served();
        let error = thread::scope(|scope| {
            let asking = scope.spawn(|| client.request("test/x", json!({})).unwrap_err());
            server.expect("test/x");
            if in_order {
                let close = tungstenite::protocol::CloseFrame { code: 1012.into(), reason: "restart".into() };
                server.socket.close(Some(close)).unwrap();
            } else {
                server.raw().shutdown(Shutdown::Both).unwrap();
            }
            asking.join().unwrap()
        });
        let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
        assert_eq!(failure.close_code, in_order.then_some(1012), "{error}");
    }
}

#[test]
fn closing_sends_a_close_frame_through_the_session() {
    let (client, mut server) = served();
    let closing = thread::spawn(move || client.close().unwrap());
    let tungstenite::Message::Close(Some(close)) = server.socket.read().unwrap() else { panic!("no close") };
    assert_eq!(u16::from(close.code), 1000);
    drop(server);
    closing.join().unwrap();
}

#[test]
fn certificates_and_keys_are_not_shown() {
    let transport = WebSocket::new("wss://host/path")
        .root_certificate("secret-4")
        .client_certificate("secret-5", "secret-6");
    let shown = format!("{transport:?} {:#?}", transport.clone());
    assert!(!shown.contains("secret"), "{shown}");
}
