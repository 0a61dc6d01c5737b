//! A small client of the conversation-history API, and its tests on the emulator's library: no
//! port to choose, no process to start. `cargo run --example history` exports, `cargo test` tests.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

const PAGE_SIZE: u64 = 50;
const PAUSES: [u64; 4] = [50, 100, 200, 400];

/// The API will not answer this, however often it is asked.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

struct History {
    url: String,
    key: String,
    http: ureq::Agent,
}

impl History {
    fn new(url: &str, key: &str) -> Self {
        let http = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { url: url.to_owned(), key: format!("Bearer {key}"), http }
    }

    /// Every conversation: the answers tell how many there are.
    fn conversations(&self) -> Result<Vec<Value>, Refused> {
        let (mut rows, mut page, mut last) = (Vec::new(), 1, 1);
        while page <= last {
            let query = "conversation_type=ALL&start_time=0&end_time=9999999999999";
            let answer = self.get("/v1/bot/conversation/page", query, page)?;
            rows.extend(answer["list"].as_array().cloned().unwrap_or_default());
            last = answer["total"].as_u64().unwrap_or(0).div_ceil(PAGE_SIZE);
            page += 1;
        }
        Ok(rows)
    }

    /// One page. What may pass is tried again after growing pauses; nothing else is.
    fn get(&self, path: &str, query: &str, page: u64) -> Result<Value, Refused> {
        let url = format!("{}{path}?{query}&page={page}&page_size={PAGE_SIZE}", self.url);
        for pause in PAUSES {
            let mut wait = Duration::from_millis(pause);
            if let Ok(mut answer) = self.http.get(&url).header("Authorization", &self.key).call() {
                let status = answer.status().as_u16();
                let retry_after = answer.headers().get("retry-after").cloned();
                let text = answer.body_mut().read_to_string().unwrap_or_default();
                match (status, serde_json::from_str(&text)) {
                    (200, Ok(json)) => return Ok(json),
                    (400..500, _) if status != 429 => return Err(Refused(text)),
                    _ => {}
                }
                let seconds = retry_after.and_then(|s| s.to_str().ok()?.parse().ok());
                wait = wait.max(Duration::from_secs(seconds.unwrap_or(0)));
            }
            sleep(wait);
        }
        Err(Refused(format!("no answer to {path}")))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = gptbots_mock::Server::start()?;
    let rows = History::new(server.url(), server.api_key()).conversations()?;
    println!("{} conversations\n{}", rows.len(), server.verdict());
    Ok(())
}

#[cfg(test)]
mod tests {
    use gptbots_mock::contract::{Code, Operation};
    use gptbots_mock::{Fault, Sandbox, Server};

    use super::*;

    /// The client in a world of a test's own.
    fn client(sandbox: &Sandbox) -> History {
        History::new(sandbox.url(), sandbox.api_key())
    }

    #[test]
    fn every_conversation_comes_once() {
        let server = Server::start().unwrap();
        let rows = client(&server.sandbox("once")).conversations().unwrap();
        let mut ids: Vec<_> = rows.iter().map(|row| row["conversation_id"].to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 200);
        assert!(server.verdict().findings().is_empty(), "{}", server.verdict());
    }

    #[test]
    fn the_third_page_fails_once() {
        let server = Server::start().unwrap();
        let sandbox = server.sandbox("fails");
        let fault = Fault::code(Code::Internal).on(Operation::ConversationList);
        sandbox.fault(fault.after(2).times(1));
        assert_eq!(client(&sandbox).conversations().unwrap().len(), 200);
        assert!(server.verdict().findings().is_empty(), "{}", server.verdict());
    }

    #[test]
    fn a_refusal_is_not_tried_again() {
        let server = Server::start().unwrap();
        let history = History::new(server.url(), "wrong");
        assert!(history.conversations().unwrap_err().0.contains("40127"));
        assert!(server.verdict().findings().is_empty(), "{}", server.verdict());
    }
}
