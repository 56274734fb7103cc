//! TLS between the socket and the frames.
//!
//! Relies on rustls. Invariant: the session is locked only to turn bytes into other bytes; it is the
//! outbox that writes and the reading thread that reads, so neither waits for the other's socket.

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

use super::{socket::Patient, upgrade::Wire};
use crate::error::{Error, Result, TransportFailure};

/// Whom to trust, and who this client is.
#[derive(Clone, Default)]
pub(super) struct Trust {
    /// Certificates in PEM, instead of the platform's.
    pub(super) roots: Vec<Vec<u8>>,
    /// A chain and its key in PEM.
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
    /// The certificates given can't be used, or the platform has none.
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
            // Some of the platform's may be odd; those that can be read are enough.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let failure = TransportFailure::new(
                    "no root certificates were found on this machine; give one with WebSocket::root_certificate",
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
                // The cause is not told: it may quote the key.
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
                    Error::invalid("the key of the client certificate is no private key in PEM")
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
        Ok(_) => Err(Error::invalid(format!("the {what} is no certificate in PEM"))),
        Err(error) => Err(Error::invalid_because(format!("the {what} is no certificate in PEM"), error)),
    }
}

/// The server's name for TLS: of a host or an IP address.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned())
        .map_err(|error| Error::invalid_because(format!("{host} can't be the name of a server"), error))
}

/// A TLS connection while it comes up.
pub(super) struct Handshake {
    connection: ClientConnection,
    patient: Patient,
}

impl Handshake {
    /// Agrees on a session, and checks the server's certificate.
    pub(super) fn perform(
        config: ClientConfig,
        name: ServerName<'static>,
        patient: Patient,
    ) -> io::Result<Self> {
        let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut handshake = Handshake { connection, patient };
        while handshake.connection.is_handshaking() {
            if handshake.connection.complete_io(&mut handshake.patient)? == (0, 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(handshake)
    }

    pub(super) fn into_session(self) -> (Session, Patient) {
        let Handshake { mut connection, patient } = self;
        // The queue has its own limit.
        connection.set_buffer_limit(None);
        (Session(Mutex::new(connection)), patient)
    }

    fn stream(&mut self) -> Stream<'_, ClientConnection, Patient> {
        Stream::new(&mut self.connection, &mut self.patient)
    }
}

impl Read for Handshake {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream().read(buffer)
    }
}

impl Write for Handshake {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream().flush()
    }
}

impl Wire for Handshake {
    fn patient(&mut self) -> &mut Patient {
        &mut self.patient
    }
}

/// A TLS connection that is up.
pub(super) struct Session(Mutex<ClientConnection>);

impl Session {
    /// Encrypts, and queues what comes of it before anything else is encrypted.
    pub(super) fn seal(&self, plain: &[u8], queue: impl FnOnce(Vec<u8>)) -> io::Result<()> {
        let mut connection = self.0.lock();
        connection.writer().write_all(plain)?;
        take_sealed(&mut connection, queue)
    }

    /// Says that nothing more will be sent.
    pub(super) fn close(&self, queue: impl FnOnce(Vec<u8>)) -> io::Result<()> {
        let mut connection = self.0.lock();
        connection.send_close_notify();
        take_sealed(&mut connection, queue)
    }

    /// Decrypts to the end of `plain`, and queues what TLS has to say itself. `true`: the server
    /// says that nothing more will come.
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
