//! The `curl` commands of the documents, sent as they are printed.

use std::net::SocketAddr;

use crate::support::client::exchange;

/// A `curl` command line, as far as the README uses it.
pub(crate) struct Curl {
    url: String,
    headers: Vec<String>,
}

impl Curl {
    pub(crate) fn read(text: &str) -> Self {
        let words = words(text);
        let (mut url, mut headers) = (None, Vec::new());
        let mut rest = words.into_iter().skip(1);
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-H" | "--header" => headers.push(rest.next().unwrap()),
                "-X" => assert_eq!(rest.next().as_deref(), Some("GET")),
                "-i" | "--location" => {}
                other => {
                    let other = other.strip_prefix("http://127.0.0.1:8484");
                    assert!(
                        url.replace(other.unwrap_or_else(|| panic!("{word}?")).to_owned())
                            .is_none()
                    );
                }
            }
        }
        Self { url: url.unwrap(), headers }
    }

    pub(crate) fn asks_for(&self, key: &str) -> bool {
        self.headers.iter().any(|header| header.ends_with(key))
    }

    /// What curl would print: the body, or (`-i`) the head too, less its date.
    pub(crate) fn send(&self, address: SocketAddr, language: &str) -> String {
        let mut head = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n", self.url);
        for header in &self.headers {
            head.extend([header.as_str(), "\r\n"]);
        }
        head.push_str("Connection: close\r\n\r\n");
        let answer = String::from_utf8(exchange(address, head.as_bytes())).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if language == "json" {
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
            return body.to_owned();
        }
        let lasting = |line: &&str| !["date: ", "connection: "].iter().any(|n| line.starts_with(n));
        let head: Vec<_> = head.lines().filter(lasting).collect();
        format!("{}\n\n{body}", head.join("\n"))
    }
}

/// The words of a shell command: single quotes, and a backslash at the end of a line.
pub(crate) fn words(text: &str) -> Vec<String> {
    let joined = text.trim().replace("\\\n", " ");
    let mut words = Vec::new();
    for (number, part) in joined.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
