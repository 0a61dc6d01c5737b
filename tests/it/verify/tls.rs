//! `verify` over TLS: with a trusted certificate the results are the same as without TLS; with a wrong one
//! the key is not sent. The trusted authorities are in a file, as on Linux.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use gptbots_mock::Server;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::folder::Folder;
use crate::verify::scripted::{Scripted, finds, handed_on, verify};

/// An authority of this name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a server shows: its certificate, and the key of it.
type Shown = (CertificateDer<'static>, KeyPair);

/// A certificate of this authority, for these names.
fn issued(
    authority: &CertifiedIssuer<'_, KeyPair>,
    names: &[&str],
    change: impl Fn(&mut CertificateParams),
) -> Shown {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, authority).unwrap().der().clone(), key)
}

/// A server that speaks TLS in front of an emulator, and all that it was asked.
fn forwarder((certificate, key): &Shown) -> (Scripted, Receiver<String>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    let emulator = Server::start().unwrap();
    let (asked, requests) = channel();
    let server = Scripted::raw(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        let head = crate::verify::scripted::head_of(&mut stream)?;
        // Nobody listens to it any more where the test is over.
        let _ = asked.send(head.clone());
        stream.write_all(&handed_on(emulator.address(), &head)?)?;
        stream.conn.send_close_notify();
        stream.flush()
    });
    (server, requests)
}

/// A file of what is trusted.
fn trusted(directory: &Folder, pem: &str) -> String {
    let path = directory.write("authorities.pem", pem);
    path.to_str().unwrap().to_owned()
}

/// The variables that say what is trusted, and that nothing else is.
fn trusting(file: &str) -> [(&str, &str); 2] {
    [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", "")]
}

fn https(server: &Scripted) -> String {
    format!("https://localhost:{}", server.port())
}

#[test]
fn everything_holds_over_tls() {
    let directory = Folder::new();
    let authority = authority("known");
    let file = trusted(&directory, &authority.pem());
    let (server, requests) = forwarder(&issued(&authority, &["localhost"], |_| ()));
    let found = verify(&https(&server), &trusting(&file));
    assert_eq!(found.code, 0, "{}", found.stdout);
    assert_eq!(found.json["requests"], requests.try_iter().count());
    let plain = verify(Server::start().unwrap().url(), &[]);
    assert_eq!(found.json["statements"], plain.json["statements"]);
    assert_eq!(found.json["readings"], plain.json["readings"]);
}

/// Asserts that a server that shows this is not asked anything, and what is said of it.
#[track_caller]
fn refused(authority: &CertifiedIssuer<'_, KeyPair>, shown: &Shown, says: &str) {
    let directory = Folder::new();
    let file = trusted(&directory, &authority.pem());
    let (server, requests) = forwarder(shown);
    let found = finds(&https(&server), &trusting(&file), says);
    assert!(found.stdout.contains("; no key was sent\n"), "{}", found.stdout);
    assert_eq!(server.met(), 1);
    drop(server);
    assert_eq!(requests.iter().count(), 0);
}

#[test]
fn certificate_of_an_unknown_authority_is_refused() {
    let says = "the server's certificate is from an authority that this machine does not trust";
    let (known, other) = (authority("known"), authority("other"));
    refused(&known, &issued(&other, &["localhost"], |_| ()), says);
    let namesake = issued(&authority("known"), &["localhost"], |_| ());
    refused(&known, &namesake, "the server's certificate is not trusted (BadSignature)");
    let key = KeyPair::generate().unwrap();
    let itself = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let itself = itself.self_signed(&key).unwrap().der().clone();
    refused(&known, &(itself, key), says);
}

#[test]
fn expired_or_future_certificate_is_refused() {
    let known = authority("known");
    let old = issued(&known, &["localhost"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    });
    refused(&known, &old, "the server's certificate has expired");
    let early = issued(&known, &["localhost"], |params| {
        params.not_before = date_time_ymd(2999, 1, 1);
        params.not_after = date_time_ymd(3000, 1, 1);
    });
    refused(&known, &early, "the server's certificate is not valid yet");
}

#[test]
fn certificate_of_another_name_is_refused() {
    let known = authority("known");
    let says = "the server's certificate is for another host name";
    for name in ["example.com", "x.localhost", "127.0.0.1"] {
        refused(&known, &issued(&known, &[name], |_| ()), says);
    }
}

#[test]
fn client_certificate_is_refused() {
    let known = authority("known");
    let client = issued(&known, &["localhost"], |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    refused(&known, &client, "the server's certificate is not trusted (");
}

/// What a server says that knows no TLS above 1.1: the alert `protocol_version`.
const TLS_1_1: [u8; 7] = [21, 3, 2, 0, 2, 2, 70];

/// Reads what comes first, and answers with these bytes.
fn blurting(bytes: &'static [u8]) -> (Scripted, Receiver<Vec<u8>>) {
    let (came, firsts) = channel();
    let server = Scripted::raw(move |stream: &mut TcpStream| {
        let mut first = vec![0; 4096];
        let length = stream.read(&mut first)?;
        first.truncate(length);
        let _ = came.send(first);
        stream.write_all(bytes)?;
        crate::verify::scripted::hang(stream)
    });
    (server, firsts)
}

#[test]
fn old_tls_and_no_tls_are_reported() {
    let directory = Folder::new();
    let file = trusted(&directory, &authority("known").pem());
    for (bytes, says) in [
        (&TLS_1_1[..], "the server supports neither TLS 1.2 nor TLS 1.3"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP", "the response is not TLS"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "the response is not TLS"),
        (&[0; 64], "the response is not TLS"),
        (&[21, 3, 3, 0, 2, 2, 40], "TLS failed (received fatal alert"),
    ] {
        let (server, firsts) = blurting(bytes);
        finds(&https(&server), &trusting(&file), says);
        drop(server);
        let firsts: Vec<Vec<u8>> = firsts.iter().collect();
        // A handshake begins so, and it was all that came.
        assert!(matches!(&firsts[..], [first] if first.starts_with(&[22, 3])), "{firsts:?}");
    }
    let closed = Scripted::raw(|stream| stream.read(&mut [0; 4096]).map(|_| ()));
    finds(&https(&closed), &trusting(&file), "the connection was closed too early");
    let silent = Scripted::raw(crate::verify::scripted::hang);
    let env = [trusting(&file).to_vec(), crate::verify::scripted::IMPATIENT.to_vec()].concat();
    finds(&https(&silent), &env, "no complete response within 1 s");
}

#[test]
fn wrong_scheme_is_reported() {
    let directory = Folder::new();
    let known = authority("known");
    let file = trusted(&directory, &known.pem());
    let emulator = Server::start().unwrap();
    let https_for_http = format!("https://localhost:{}", emulator.address().port());
    finds(
        &https_for_http,
        &trusting(&file),
        "the response is not TLS; if the server expects plain HTTP, write http://",
    );
    let (server, _) = forwarder(&issued(&known, &["localhost"], |_| ()));
    let http_for_https = server.url();
    finds(&http_for_https, &trusting(&file), "if the server expects TLS, write https://");
}

/// A machine without authorities, as a bare container is.
#[test]
fn missing_or_empty_trust_store_is_reported() {
    let directory = Folder::new();
    let (server, _) = forwarder(&issued(&authority("known"), &["localhost"], |_| ()));
    let emulator = Server::start().unwrap();
    let says = "this machine has no CA certificates";
    let missing = directory.join("missing.pem");
    for file in [
        trusted(&directory, ""),
        trusted(&directory, "not PEM"),
        missing.to_str().unwrap().to_owned(),
    ] {
        finds(&https(&server), &trusting(&file), says);
        // Plain HTTP needs none.
        let plain = verify(emulator.url(), &trusting(&file));
        assert_eq!(plain.code, 0, "{}", plain.stdout);
    }
}
