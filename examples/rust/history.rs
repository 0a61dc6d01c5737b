//! A small exporter of the conversation history, which fetches all pages of a list; and its tests with the
//! emulator's library. `cargo run --example history` exports, `cargo test --example history` tests.

use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;

use serde_json::Value;

const PAGE_SIZE: usize = 100;
const PAUSES: [u64; 4] = [500, 1000, 2000, 4000]; // milliseconds
const RETRIED: [u64; 2] = [40008, 50000]; // too many requests, internal error
const ALWAYS: (u64, u64) = (0, 9_999_999_999_999);

/// The API refused a request, or all attempts to send it failed.
#[derive(Debug)]
struct ApiError(String);

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for ApiError {}

struct History<S> {
    url: String,
    key: String,
    sleep: S,
    http: ureq::Agent,
}

impl<S: Fn(Duration)> History<S> {
    fn new(url: &str, key: &str, sleep: S) -> Self {
        let http = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { url: url.to_owned(), key: format!("Bearer {key}"), sleep, http }
    }

    /// All conversations of a time window, in milliseconds since 1970.
    fn conversations(&self, start: u64, end: u64) -> Result<Vec<Value>, ApiError> {
        let query = format!("conversation_type=ALL&start_time={start}&end_time={end}");
        self.all("/v1/bot/conversation/page", &query, "list", "conversation_id")
    }

    /// All messages of a conversation.
    fn messages(&self, conversation: &str) -> Result<Vec<Value>, ApiError> {
        let query = format!("conversation_id={conversation}");
        self.all("/v1/messages", &query, "messages", "message_id")
    }

    /// All questions of a time window, with their answers.
    fn questions(&self, start: u64, end: u64) -> Result<Vec<Value>, ApiError> {
        let query = format!("user_feedback=ALL&start_time={start}&end_time={end}");
        self.all("/v1/message/qa/record/page", &query, "qa", "id")
    }

    /// The rows of all pages. A row that the next page repeats is included once.
    fn all(&self, path: &str, query: &str, key: &str, id: &str) -> Result<Vec<Value>, ApiError> {
        let (mut rows, mut ids) = (Vec::new(), HashSet::new());
        for page in 1.. {
            let answer = self.page(path, query, page)?;
            let list = answer[key].as_array().map_or(&[][..], Vec::as_slice);
            rows.extend(list.iter().filter(|row| ids.insert(row[id].to_string())).cloned());
            // The list of questions has no total. Its last page is the one that is not full.
            let is_last = match answer["total"].as_u64() {
                Some(total) => (page * PAGE_SIZE) as u64 >= total,
                None => list.len() < PAGE_SIZE,
            };
            if is_last {
                break;
            }
        }
        Ok(rows)
    }

    /// One page. Temporary errors are retried after a pause; other errors are not.
    fn page(&self, path: &str, query: &str, page: usize) -> Result<Value, ApiError> {
        let url = format!("{}{path}?{query}&page={page}&page_size={PAGE_SIZE}", self.url);
        let mut pauses = PAUSES.into_iter().map(Duration::from_millis);
        loop {
            let (problem, retry_after) = match self.ask(&url) {
                Ok((_, _, body)) if body.get("code").is_none() => return Ok(body),
                Ok((status, retry_after, body)) => {
                    let problem = ApiError(format!("{path}: {body}"));
                    if status < 500 && !RETRIED.iter().any(|code| body["code"] == *code) {
                        return Err(problem);
                    }
                    (problem, retry_after)
                }
                // There was no response, or it is not JSON, such as the HTML page of a gateway.
                Err(error) => (ApiError(format!("{path}: {error}")), 0),
            };
            let Some(pause) = pauses.next() else { return Err(problem) };
            (self.sleep)(pause.max(Duration::from_secs(retry_after)));
        }
    }

    /// The status, the seconds of `Retry-After` and the JSON of a response.
    fn ask(&self, url: &str) -> Result<(u16, u64, Value), Box<dyn Error>> {
        let mut answer = self.http.get(url).header("Authorization", &self.key).call()?;
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        Ok((answer.status().as_u16(), retry_after.unwrap_or(0), body))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = gptbots_mock::Server::start()?;
    let history = History::new(server.url(), server.api_key(), std::thread::sleep);
    let conversations = history.conversations(ALWAYS.0, ALWAYS.1)?;
    let mut messages = Vec::new();
    for row in &conversations {
        messages.extend(history.messages(row["conversation_id"].as_str().unwrap_or_default())?);
    }
    let questions = history.questions(ALWAYS.0, ALWAYS.1)?;
    let counts = [conversations.len(), messages.len(), questions.len()];
    println!("conversations, messages, questions: {counts:?}\n{}", server.verdict());
    Ok(())
}

#[cfg(test)]
mod tests {
    use gptbots_mock::contract::ErrorStatus;
    use gptbots_mock::{Conversation, Hazard, Sandbox, Server};

    use super::*;

    /// The client. Instead of waiting, it advances the clock of the sandbox.
    fn history_of(sandbox: &Sandbox<'_>) -> History<impl Fn(Duration)> {
        History::new(sandbox.url(), sandbox.api_key(), |pause| sandbox.advance(pause))
    }

    fn conversations(sandbox: &Sandbox<'_>) -> Vec<Value> {
        history_of(sandbox).conversations(ALWAYS.0, ALWAYS.1).unwrap()
    }

    #[test]
    fn two_pages_of_conversations() {
        let server = Server::start().unwrap();
        let sandbox = server.sandbox("two-pages");
        assert_eq!(conversations(&sandbox).len(), 200);
        assert_eq!(sandbox.requests().len(), 2);
        sandbox.assert_clean();
    }

    #[test]
    fn messages_and_questions() {
        let server = Server::start().unwrap();
        let sandbox = server.sandbox("messages");
        let conversation = &conversations(&sandbox)[0];
        let id = conversation["conversation_id"].as_str().unwrap();
        let messages = history_of(&sandbox).messages(id).unwrap();
        assert_eq!(messages.len() as u64, conversation["message_count"]);
        assert!(history_of(&sandbox).questions(ALWAYS.0, ALWAYS.1).unwrap().len() > 200);
        sandbox.assert_clean();
    }

    #[test]
    fn page_2_fails_once() {
        for fault in ["code=50000", "status=502,body=html", "break=reset", "body=truncated"] {
            let server = Server::start().unwrap();
            let sandbox = server.sandbox("fails");
            sandbox.fault(format!("conversations:page=2,{fault},times=1").parse().unwrap());
            assert_eq!(conversations(&sandbox).len(), 200, "{fault}");
            sandbox.assert_clean();
        }
    }

    #[test]
    fn the_rate_limit_is_waited_for() {
        let server = Server::start().unwrap();
        let sandbox = server.sandbox("limited");
        sandbox.rate_limit(1, Duration::from_secs(60));
        sandbox.freeze();
        assert_eq!(conversations(&sandbox).len(), 200);
        let statuses: Vec<_> = sandbox.requests().iter().map(|request| request.status).collect();
        assert_eq!(statuses, [Some(200), Some(429), Some(200)]);
        sandbox.assert_clean();
    }

    #[test]
    fn a_conversation_arrives_after_page_1() {
        let server = Server::start().unwrap();
        let sandbox = server.sandbox("arrival");
        sandbox.hazard(Hazard::Arrival);
        // The new row moves the last row of page 1 to page 2.
        assert_eq!(conversations(&sandbox).len(), 199);
        sandbox.assert_clean();
    }

    #[test]
    fn records_of_our_own() {
        let chat =
            Conversation::new().user("ann").asks("Where is my order?").answers("On its way.");
        let server = Server::builder().fixture(chat).start().unwrap();
        let rows = conversations(&server.sandbox("own"));
        let subjects: Vec<_> = rows.iter().map(|row| row["subject"].as_str().unwrap()).collect();
        assert_eq!(subjects, ["Where is my order?"]);
        server.assert_clean();
    }

    #[test]
    fn a_wrong_key_is_an_error() {
        // The vendor does not document whether an error has the HTTP status 200.
        for status in [ErrorStatus::Mapped, ErrorStatus::Ok] {
            let server = Server::builder().reading(status).start().unwrap();
            let history = History::new(server.url(), "wrong", std::thread::sleep);
            let error = history.conversations(ALWAYS.0, ALWAYS.1).unwrap_err();
            assert!(error.0.contains("40127"), "{error}");
            server.assert_clean();
        }
    }
}
