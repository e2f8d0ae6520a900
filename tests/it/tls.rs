//! TLS with a certificate authority made for these tests; the keys protect nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use esikit::error::Phase;
use esikit::{Error, Esi, EsiBuilder};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::{Reply, Seen, answer, serve};

pub const AUTHORITY: &[u8] = include_bytes!("certificates/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("certificates/localhost.pem");
const KEY: &[u8] = include_bytes!("certificates/localhost.key.pem");

/// Takes connections as `localhost`.
fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// The same for a server of axum.
#[cfg(feature = "security")]
pub struct Listener {
    inner: TcpListener,
    acceptor: TlsAcceptor,
}

#[cfg(feature = "security")]
impl Listener {
    pub fn new(inner: TcpListener) -> Self {
        Self {
            inner,
            acceptor: acceptor(),
        }
    }
}

#[cfg(feature = "security")]
impl axum::serve::Listener for Listener {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((connection, address)) = self.inner.accept().await
                && let Ok(connection) = self.acceptor.accept(connection).await
            {
                return (connection, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

/// A TLS server that speaks HTTP/1.1; its port, and what it saw.
async fn server() -> (u16, Arc<Mutex<Vec<Seen>>>) {
    let acceptor = acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                if let Ok(connection) = acceptor.accept(connection).await {
                    serve(
                        connection,
                        Arc::new(|_: &Seen| Reply::Close(answer(200, &[], b"[]"))),
                        log,
                    )
                    .await;
                }
            });
        }
    });
    (port, seen)
}

fn builder(port: u16) -> EsiBuilder {
    Esi::builder()
        .user_agent("a/1 (b@example.com)")
        .base_url(format!("https://localhost:{port}"))
}

#[tokio::test]
async fn a_root_certificate_is_trusted_without_any_provider_installed() {
    let (port, seen) = server().await;
    let esi = builder(port)
        .root_certificate(AUTHORITY)
        .build()
        .expect("a client");
    esi.get_markets_region_id_orders(1)
        .send()
        .await
        .expect("an answer");
    assert_eq!(seen.lock().expect("no panic").len(), 1);
    assert!(
        rustls::crypto::CryptoProvider::get_default().is_none(),
        "nothing is installed for the process"
    );
}

#[tokio::test]
async fn a_stranger_is_not_trusted() {
    let (port, seen) = server().await;
    // The server's own certificate is trusted as an authority, which it is not: the system's store may be empty.
    let esi = builder(port)
        .root_certificate(other_authority())
        .build()
        .expect("a client");
    let error = esi
        .get_markets_region_id_orders(1)
        .send()
        .await
        .expect_err("unknown issuer");
    assert!(
        matches!(&error, Error::Transport(transport) if transport.phase == Phase::Connect),
        "{error:?}"
    );
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(seen.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_handshake_that_stalls_is_a_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let builder = builder(port)
        .root_certificate(AUTHORITY)
        .connect_timeout(Duration::from_millis(50));
    let error = builder
        .build()
        .expect("a client")
        .get_status()
        .send()
        .await
        .expect_err("nobody answers");
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.setting),
        (Phase::Connect, "connect_timeout")
    );
    assert!(!error.may_have_been_sent() && error.is_retryable());
}

#[test]
fn what_is_no_certificate_is_refused() {
    for pem in [
        "",
        "hello",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
    ] {
        let error = builder(1)
            .root_certificate(pem)
            .build()
            .expect_err("no certificate");
        assert!(
            matches!(&error, Error::Config(config) if config.setting == "root_certificate"),
            "{error:?}"
        );
    }
}

/// A certificate that did not issue the server's.
fn other_authority() -> &'static [u8] {
    CERTIFICATE
}
