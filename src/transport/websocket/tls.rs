//! TLS between the socket and the frames.
//!
//! Relies on rustls. Invariant: the session is locked only while it transforms bytes; the outbox writes
//! and the reading thread reads, so neither waits for the other's I/O.

use std::{
    fmt,
    io::{self, Read, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, Stream,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use super::{socket::ConnectingSocket, upgrade::UpgradeWire};
use crate::error::{Error, Result, TransportFailure};

/// The trusted roots, and the client's certificate.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// Root certificates in PEM, which replace the platform's.
    pub(super) roots: Vec<Vec<u8>>,
    /// A certificate chain and its key in PEM.
    pub(super) client: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("roots", &self.roots.len())
            .field("has_client_certificate", &self.client.is_some())
            .finish()
    }
}

impl Trust {
    /// # Errors
    /// Returns an error if the given certificates are invalid, or if the platform has no root
    /// certificates.
    pub(super) fn config(&self, doing: &str) -> Result<ClientConfig> {
        let mut roots = RootCertStore::empty();
        for pem in &self.roots {
            for certificate in certificates(pem, "root certificate")? {
                roots
                    .add(certificate)
                    .map_err(|error| Error::invalid_because("the root certificate can't be used", error))?;
            }
        }
        if self.roots.is_empty() {
            let found = rustls_native_certs::load_native_certs();
            // Some platform certificates may be malformed; the valid ones suffice.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let failure = TransportFailure::new(
                    "no root certificates were found on this machine; add one with WebSocket::root_certificate",
                );
                return Err(match found.errors.into_iter().next() {
                    Some(error) => failure.with_source(error),
                    None => failure,
                }
                .while_connecting(doing));
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::invalid_because("TLS can't be set up", error))?
            .with_root_certificates(roots);
        match &self.client {
            None => Ok(config.with_no_client_auth()),
            Some((chain, key)) => {
                let chain = certificates(chain, "client certificate")?;
                // Omits the cause, which may quote the key.
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
                    Error::invalid("the key of the client certificate is not a private key in PEM")
                })?;
                config
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| Error::invalid_because("the client certificate can't be used", error))
            }
        }
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(Error::invalid(format!("the {what} is not a certificate in PEM"))),
        Err(error) => Err(Error::invalid_because(format!("the {what} is not a certificate in PEM"), error)),
    }
}

/// The server name for TLS: a host name or an IP address.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned())
        .map_err(|error| Error::invalid_because(format!("{host} is not a valid server name"), error))
}

/// A TLS connection during its handshake and the upgrade.
pub(super) struct TlsHandshake {
    connection: ClientConnection,
    socket: ConnectingSocket,
}

impl TlsHandshake {
    /// Performs the TLS handshake, which verifies the server's certificate.
    pub(super) fn perform(
        config: ClientConfig,
        name: ServerName<'static>,
        socket: ConnectingSocket,
    ) -> io::Result<Self> {
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut handshake = TlsHandshake { connection, socket };
        while handshake.connection.is_handshaking() {
            if handshake.connection.complete_io(&mut handshake.socket)? == (0, 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(handshake)
    }

    pub(super) fn into_session(self) -> (TlsSession, ConnectingSocket) {
        let TlsHandshake { mut connection, socket } = self;
        // The outbox has its own limit.
        connection.set_buffer_limit(None);
        (TlsSession(Mutex::new(connection)), socket)
    }

    fn stream(&mut self) -> Stream<'_, ClientConnection, ConnectingSocket> {
        Stream::new(&mut self.connection, &mut self.socket)
    }
}

impl Read for TlsHandshake {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream().read(buffer)
    }
}

impl Write for TlsHandshake {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

impl UpgradeWire for TlsHandshake {
    fn connecting_socket(&mut self) -> &mut ConnectingSocket {
        &mut self.socket
    }
}

/// An established TLS connection.
pub(super) struct TlsSession(Mutex<ClientConnection>);

impl TlsSession {
    /// Encrypts, and queues the result under the same lock, which keeps the records in order.
    pub(super) fn seal(&self, plain: &[u8], queue: impl FnOnce(Vec<u8>)) -> io::Result<()> {
        let mut connection = self.0.lock();
        connection.writer().write_all(plain)?;
        take_sealed(&mut connection, queue)
    }

    /// Sends a close alert.
    pub(super) fn close(&self, queue: impl FnOnce(Vec<u8>)) -> io::Result<()> {
        let mut connection = self.0.lock();
        connection.send_close_notify();
        take_sealed(&mut connection, queue)
    }

    /// Decrypts, appends to `plain`, and queues what TLS itself has to send. Returns true if the server
    /// has closed its side.
    pub(super) fn open(
        &self,
        mut sealed: &[u8],
        plain: &mut Vec<u8>,
        queue: impl FnOnce(Vec<u8>),
    ) -> io::Result<bool> {
        let mut connection = self.0.lock();
        loop {
            if !sealed.is_empty() {
                connection.read_tls(&mut sealed)?;
            }
            let state = connection.process_new_packets().map_err(io::Error::other)?;
            let is_over = match connection.reader().read_to_end(plain) {
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => state.peer_has_closed(),
                Err(error) => return Err(error),
            };
            if sealed.is_empty() || is_over {
                take_sealed(&mut connection, queue)?;
                return Ok(is_over);
            }
        }
    }
}

fn take_sealed(connection: &mut ClientConnection, queue: impl FnOnce(Vec<u8>)) -> io::Result<()> {
    let mut sealed = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut sealed)?;
    }
    if !sealed.is_empty() {
        queue(sealed);
    }
    Ok(())
}
