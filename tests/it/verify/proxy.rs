//! A proxy between a client and an emulator that lets a test change requests and answers.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::client::{Answer, call};
use crate::verify::scripted::Scripted;

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A parameter as it is written, the first of its name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query().split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Whether these parameters have these values.
    pub(crate) fn has(&self, pairs: &[(&str, &str)]) -> bool {
        pairs.iter().all(|(name, value)| self.get(name) == Some(value))
    }

    /// The same request with another value of a parameter, or with one more parameter.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut query = self.without(name).query().to_owned();
        query.extend([if query.is_empty() { "" } else { "&" }, name, "=", value]);
        self.to(&format!("{}?{query}", self.path()))
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let is = |pair: &&str| pair.split('=').next() != Some(name);
        let kept: Vec<&str> = self.query().split('&').filter(is).collect();
        self.to(&format!("{}?{}", self.path(), kept.join("&")))
    }

    /// The same request of another target.
    pub(crate) fn to(&self, target: &str) -> Self {
        Self { target: target.to_owned(), ..self.clone() }
    }

    pub(crate) fn authorization(&self) -> Vec<&str> {
        let all = self.headers.iter().filter(|(name, _)| name == "authorization");
        all.map(|(_, value)| value.as_str()).collect()
    }

    /// The same request with this `Authorization`.
    pub(crate) fn as_key(&self, value: &str) -> Self {
        let mut other = self.clone();
        other.headers.retain(|(name, _)| name != "authorization");
        other.headers.push(("authorization".to_owned(), value.to_owned()));
        other
    }
}

/// The emulator behind the proxy.
#[derive(Clone, Copy)]
pub(crate) struct Upstream(pub(crate) SocketAddr);

impl Upstream {
    pub(crate) fn ask(self, asked: &Asked) -> Answer {
        let own = ["host", "connection", "accept", "accept-encoding", "user-agent"];
        let headers = asked.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let headers: Vec<_> = headers.map(|(name, value)| (&**name, &**value)).collect();
        call(self.0, &asked.method, &asked.target, &headers)
    }
}

/// What is done with each request.
pub(crate) type Between = dyn Fn(&Asked, Upstream) -> Answer + Send + Sync;

/// A proxy that runs until it is dropped.
pub(crate) struct Breaking {
    server: Scripted,
    /// The bodies that were sent.
    told: Arc<Mutex<Vec<String>>>,
}

impl Breaking {
    pub(crate) fn new(upstream: SocketAddr, between: Arc<Between>) -> Self {
        let told = Arc::new(Mutex::new(Vec::new()));
        let bodies = Arc::clone(&told);
        let server = Scripted::raw(move |stream| {
            let asked = read(stream);
            let answer = between(&asked, Upstream(upstream));
            bodies.lock().unwrap().push(answer.body.clone());
            write(stream, &asked, &answer);
            Ok(())
        });
        Self { server, told }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The bodies that were sent.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let mut words = first.split(' ').map(str::to_owned);
    let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_lowercase(), value.trim().to_owned())
    });
    let headers = headers.collect();
    Asked { method: words.next().unwrap(), target: words.next().unwrap(), headers }
}

fn write(mut stream: &TcpStream, asked: &Asked, answer: &Answer) {
    let mut head = format!("HTTP/1.1 {} Broken\r\nConnection: close\r\n", answer.status);
    let is_head = asked.method == "HEAD";
    for (name, value) in &answer.headers {
        let own = name == "connection" || name == "content-length" && !is_head;
        if !own {
            head.extend([name, ": ", value, "\r\n"]);
        }
    }
    if !is_head {
        head.extend(["Content-Length: ", &answer.body.len().to_string(), "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n{}", answer.body).as_bytes()).unwrap();
}
