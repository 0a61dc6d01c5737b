//! A run: asks, and notes what every answer says of itself, whatever it was asked for.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use jiter::JsonValue;

use super::client::{Answer, Ask, Client, Stop};
use super::ledger::Ledger;
use super::seen::{Page, Refusal, Seen, is_compact};
use super::shape::{key, of_answer};
use super::{known::Known, rows};
use crate::contract::{Code, Endpoint, Operation, Wording};

/// So many requests in a row without an answer, each sent twice, and the server counts as gone.
const MOST_TROUBLE: u32 = 6;

pub(super) struct Run<'c> {
    pub(super) client: Client<'c>,
    pub(super) ledger: Ledger,
    pub(super) known: Known,
    pub(super) key: String,
    pub(super) deleted_key: Option<String>,
    /// What is wrong with the server as a whole.
    pub(super) troubles: Vec<String>,
    in_a_row: u32,
    /// How many requests were sent again, because no answer came to them.
    pub(super) again: u32,
}

/// The end of a window that holds everything: the year 2286. Once the newest conversation is known,
/// [`Known::until`] is sent in its place, so that what comes meanwhile changes no answer.
pub(super) const FOREVER: &str = "9999999999999";

/// A parameter of a query: its name, and its value as it is.
pub(super) type Pair<'p> = (&'p str, &'p str);

/// The query of a target: what is not a letter or digit is percent-encoded.
pub(super) fn target(path: &str, pairs: &[Pair<'_>]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

impl<'c> Run<'c> {
    pub(super) fn new(client: Client<'c>, key: &str, deleted_key: Option<&str>) -> Self {
        Self {
            client,
            ledger: Ledger::default(),
            known: Known::default(),
            key: key.to_owned(),
            deleted_key: deleted_key.map(str::to_owned),
            troubles: Vec::new(),
            in_a_row: 0,
            again: 0,
        }
    }

    /// Goes through a check, or a part of one. Where a request has no answer, what it was for is left
    /// out, and the next one is tried.
    pub(super) fn unless_silent(
        &mut self,
        check: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        match check(self) {
            Err(Stop::Silent) => Ok(()),
            other => other,
        }
    }

    /// `GET` of an endpoint with the key.
    pub(super) fn get(&mut self, of: Operation, pairs: &[Pair<'_>]) -> Result<Seen, Stop> {
        let target = target(of.endpoint().path, pairs);
        self.ask(Some(of.endpoint()), &Ask::get(target, &self.key))
    }

    /// `GET` of an endpoint with the key, the query as it is to be sent.
    pub(super) fn get_raw(&mut self, of: Operation, query: &str) -> Result<Seen, Stop> {
        let target = format!("{}?{query}", of.endpoint().path);
        self.ask(Some(of.endpoint()), &Ask::get(target, &self.key))
    }

    /// Any request. What the answer says of itself is noted.
    pub(super) fn ask(
        &mut self,
        endpoint: Option<&'static Endpoint>,
        ask: &Ask,
    ) -> Result<Seen, Stop> {
        let answer = self.exchange(ask)?;
        Ok(self.note(endpoint, answer))
    }

    /// Sends a request, again if there was no answer to it. That a server fails says nothing of the
    /// contract, so whoever asked looks at it no more.
    pub(super) fn exchange(&mut self, ask: &Ask) -> Result<Answer, Stop> {
        let mut ask = ask.clone();
        if let Some(until) = &self.known.until {
            ask.target = ask.target.replace(FOREVER, until);
        }
        loop {
            let why = match self.client.ask(&ask)? {
                Ok(answer) if !is_failure(&answer) => {
                    self.in_a_row = 0;
                    return Ok(answer);
                }
                // Whether this is the API at all is for the first check to say.
                Ok(answer) if self.known.list.is_none() => return Ok(answer),
                Err(trouble) if self.known.list.is_none() => return Err(Stop::Lost(trouble.0)),
                Ok(answer) => {
                    let why = of_answer(&answer);
                    self.note(None, answer);
                    why
                }
                Err(trouble) => trouble.0,
            };
            self.in_a_row += 1;
            if self.in_a_row % 2 == 1 {
                self.again += 1;
                continue;
            }
            if !self.troubles.contains(&why) {
                self.troubles.push(why);
            }
            if self.in_a_row >= MOST_TROUBLE {
                let why = format!("{MOST_TROUBLE} requests in a row had no answer");
                return Err(Stop::Lost(why));
            }
            return Err(Stop::Silent);
        }
    }

    /// Reads what came, and notes what it says of itself.
    pub(super) fn note(&mut self, endpoint: Option<&'static Endpoint>, answer: Answer) -> Seen {
        let seen = Seen::of(answer, endpoint);
        match (&seen, endpoint) {
            (Seen::Page(page), Some(endpoint)) => self.note_page(endpoint, page),
            (Seen::Refusal(refusal), endpoint) => self.note_refusal(endpoint, refusal),
            _ => {}
        }
        seen
    }

    /// Notes what the server said when it had enough.
    pub(super) fn note_limit(&mut self) {
        if let Some(answer) = self.client.limited.take() {
            if let Seen::Refusal(refusal) = Seen::of(answer, None) {
                self.note_refusal(None, &refusal);
                self.refused(&["everywhere.40008"], &Seen::Refusal(refusal), Code::RateLimited);
            } else {
                let why = "a 429 came that was not of the API";
                self.ledger.untried("everywhere.40008", why);
            }
        }
    }

    fn note_page(&mut self, endpoint: &'static Endpoint, page: &Page) {
        let came = match (page.status, page.is_json_by_header) {
            (200, true) => Ok(()),
            (_, true) => Err(page.describe()),
            (_, false) => Err(format!("{}, not as application/json", page.describe())),
        };
        self.ledger.found("everywhere.success-status", came);
        self.ledger.holds("everywhere.success");
        let own = [endpoint.answer.rows_name(), "total"];
        if let Some(more) = page.keys.iter().find(|name| !own.contains(&name.as_str())) {
            let came = format!("{} beside the rows", key(more));
            self.ledger.differs("everywhere.success", came);
        }
        let wide = || "white space outside strings, or needless escapes".to_owned();
        let compact = is_compact(&page.body).then_some(()).ok_or_else(wide);
        self.ledger.found("everywhere.compact", compact);
        rows::check(&mut self.ledger, endpoint, page);
    }

    fn note_refusal(&mut self, endpoint: Option<&'static Endpoint>, refusal: &Refusal) {
        let known = Code::ALL.into_iter().find(|code| i64::from(code.number()) == refusal.code);
        let Some(code) = known else { return };
        let exact = refusal.is_exact.then_some(()).ok_or_else(|| refusal.shape.clone());
        self.ledger.found("everywhere.failure", exact);
        let ordered = refusal.is_ordered.then_some(()).ok_or_else(|| refusal.shape.clone());
        self.ledger.found("everywhere.failure-order", ordered);
        let compact = refusal.is_compact.then_some(()).ok_or_else(|| refusal.shape.clone());
        self.ledger.found("everywhere.compact", compact);
        self.note_status(code, refusal);
        // Where no endpoint is, the words are those of every endpoint.
        let (subject, row) = match endpoint {
            Some(endpoint) if endpoint.errors.iter().any(|row| row.code == code) => {
                (endpoint.id, endpoint.error(code))
            }
            _ => ("everywhere", crate::contract::COMMON_ERRORS.iter().find(|row| row.code == code)),
        };
        let Some(row) = row else { return };
        let statement = format!("{subject}.{}", code.number());
        let words = |wording| row.message(wording) == refusal.message.as_str();
        match (words(Wording::Agent), words(Wording::Bot)) {
            (true, true) => self.ledger.holds(&statement),
            (true, false) => self.ledger.fits("wording", &statement, &["agent"]),
            (false, true) => self.ledger.fits("wording", &statement, &["bot"]),
            (false, false) => self.ledger.differs(&statement, refusal.describe()),
        }
    }

    fn note_status(&mut self, code: Code, refusal: &Refusal) {
        let statement = "everywhere.error-status";
        if !code.of_the_pages() {
            // Their status is the same under every reading.
            if refusal.status != code.http_status() {
                self.ledger.differs(statement, refusal.describe());
            }
        } else if refusal.status == code.http_status() {
            self.ledger.fits("error-status", statement, &["mapped"]);
        } else if refusal.status == 200 {
            self.ledger.fits("error-status", statement, &["ok"]);
        } else {
            self.ledger.differs(statement, refusal.describe());
        }
    }

    /// Whether a request was refused with this code, as statements say.
    pub(super) fn refused(&mut self, statements: &[&str], seen: &Seen, code: Code) -> bool {
        let right = seen.code() == Some(i64::from(code.number()));
        for statement in statements {
            let came = if right { Ok(()) } else { Err(seen.describe()) };
            self.ledger.found(statement, came);
        }
        right
    }

    /// Whether a page came, as statements say.
    pub(super) fn answered(&mut self, statements: &[&str], seen: &Seen) -> bool {
        let right = seen.page().is_some();
        for statement in statements {
            let came = if right { Ok(()) } else { Err(seen.describe()) };
            self.ledger.found(statement, came);
        }
        right
    }
}

/// Whether a server failed, whatever it was asked: by its status, or by its own word.
fn is_failure(answer: &Answer) -> bool {
    let code = match JsonValue::parse(&answer.body, false) {
        Ok(JsonValue::Object(pairs)) => pairs.iter().find_map(|(key, value)| match value {
            JsonValue::Int(code) if key == "code" => Some(*code),
            _ => None,
        }),
        _ => None,
    };
    let known = Code::ALL.into_iter().find(|known| Some(i64::from(known.number())) == code);
    known == Some(Code::Internal) || (answer.status >= 500 && known.is_none())
}
