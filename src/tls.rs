//! TLS: rustls with *ring*, and the certificates of the operating system.
//!
//! The provider is handed to each client and never installed for the process: a program may have a default
//! provider of its own, or none, and neither matters here.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::Error;

/// The TLS settings of a client. Without `trust`, no server is trusted, and the system's store is not read: that
/// is for clients of plain `http`.
pub(crate) fn config(trust: bool, roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::config("tls", error.to_string()))?;
    let mut config = if trust {
        let verifier = verifier(roots, provider).map_err(|error| {
            Error::config(
                "root_certificate",
                format!("no certificate authority to trust: {error}"),
            )
        })?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(not(target_os = "android"))]
fn verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(roots, provider)
}

#[cfg(target_os = "android")]
fn verifier(
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Verifier, rustls::Error> {
    if !roots.is_empty() {
        return Err(rustls::Error::General(
            "Android takes certificates from its own settings only".to_owned(),
        ));
    }
    Verifier::new(provider)
}

/// Reads the certificates of a PEM text.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::config(
            "root_certificate",
            "no certificate in it: give a PEM text",
        )),
        Err(error) => Err(Error::config(
            "root_certificate",
            format!("not a PEM text: {error:?}"),
        )),
    }
}
