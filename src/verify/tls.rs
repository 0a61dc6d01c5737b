//! TLS for [`Client`](super::client::Client): the trusted certificates, and explanations of TLS errors.

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

/// The TLS error inside an error of the client, which wraps some of them as I/O errors.
pub(super) fn find_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Explains why the TLS handshake failed. Where the text says that no key was sent, the handshake ended
/// before the request was written.
pub(super) fn explain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => {
            format!("the server's certificate {}; no key was sent", explain_certificate(why))
        }
        rustls::Error::InvalidMessage(_) => {
            "the response is not TLS; if the server expects plain HTTP, write http://".to_owned()
        }
        rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => {
            format!("the server supports neither TLS 1.2 nor TLS 1.3 ({error}); no key was sent")
        }
        rustls::Error::General(why) if why.starts_with("No CA certificates") => {
            "this machine has no CA certificates, so no server can be trusted; install \
             ca-certificates, or set SSL_CERT_FILE to a file of CA certificates"
                .to_owned()
        }
        other => format!("TLS failed ({other})"),
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
        CertificateError::UnknownIssuer => "is from an authority that this machine does not trust",
        other => return format!("is not trusted ({other})"),
    }
    .to_owned()
}
