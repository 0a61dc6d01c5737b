//! TLS for [`Client`](super::client::Client): what it trusts, and what its errors mean.

use std::sync::Arc;

use rustls::CertificateError;
use ureq::tls::{RootCerts, TlsConfig};

/// Ring's cryptography, and the certificates that this machine trusts.
pub(super) fn config() -> TlsConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build()
}

/// The error of TLS in an error of the client, which wraps some of them as I/O errors.
pub(super) fn find_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Why there is no TLS with the server. Where the text says that no key was sent, the handshake ended
/// before the request was written.
pub(super) fn explain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => {
            format!("its certificate {}; no key was sent", explain_certificate(why))
        }
        rustls::Error::InvalidMessage(_) => {
            "what came is not TLS; if it wants none, write http://".to_owned()
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => {
            format!("it has no TLS that is safe, which is 1.2 or 1.3 ({error}); no key was sent")
        }
        rustls::Error::General(why) if why.starts_with("No CA certificates") => {
            "this machine has no certificates of authorities, so it can trust no server; install \
             ca-certificates, or name a file of them in SSL_CERT_FILE"
                .to_owned()
        }
        other => format!("no TLS with it ({other})"),
    }
}

fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet (is the clock of this machine right?)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another host name"
        }
        CertificateError::UnknownIssuer => "is from an authority that this machine does not know",
        other => return format!("is not trusted ({other})"),
    }
    .to_owned()
}
