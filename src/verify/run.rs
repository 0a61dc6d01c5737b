//! A run: asks, and notes what every answer says of itself, whatever it was asked for.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use jiter::JsonValue;

use super::client::{Ask, Came, Client, Stop};
use super::ledger::Ledger;
use super::seen::{Page, Refusal, Seen, is_compact};
use super::shape::key;
use super::{known::Known, rows};
use crate::contract::{Code, Endpoint, Operation, Wording};

/// So many requests in a row without an answer, and the server counts as gone.
const MOST_TROUBLE: u32 = 3;

pub(super) struct Run<'c> {
    pub(super) client: Client<'c>,
    pub(super) ledger: Ledger,
    pub(super) known: Known,
    pub(super) key: String,
    pub(super) deleted_key: Option<String>,
    /// What is wrong with the server as a whole.
    pub(super) troubles: Vec<String>,
    in_a_row: u32,
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
        let mut ledger = Ledger::default();
        ledger.keep_private(key);
        if let Some(key) = deleted_key {
            ledger.keep_private(key);
        }
        Self {
            client,
            ledger,
            known: Known::default(),
            key: key.to_owned(),
            deleted_key: deleted_key.map(str::to_owned),
            troubles: Vec::new(),
            in_a_row: 0,
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
        let came = match &self.known.until {
            Some(until) if ask.target.contains(FOREVER) => {
                let target = ask.target.replace(FOREVER, until);
                self.client.ask(&Ask { target, ..ask.clone() })?
            }
            _ => self.client.ask(ask)?,
        };
        if let Err(trouble) = &came {
            self.in_a_row += 1;
            if self.known.list.is_none() {
                return Err(Stop::Lost(trouble.0.clone()));
            }
            let why = self.ledger.public(trouble.0.clone());
            if !self.troubles.contains(&why) {
                self.troubles.push(why);
            }
            if self.in_a_row >= MOST_TROUBLE {
                let why = format!("{MOST_TROUBLE} requests in a row had no whole answer");
                return Err(Stop::Lost(why));
            }
        } else {
            self.in_a_row = 0;
        }
        Ok(self.note(endpoint, came))
    }

    /// Reads what came, and notes what it says of itself.
    pub(super) fn note(&mut self, endpoint: Option<&'static Endpoint>, came: Came) -> Seen {
        let seen = Seen::of(came, endpoint);
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
            let seen = Seen::of(Ok(answer), None);
            match &seen {
                Seen::Refusal(refusal) if refusal.code == i64::from(Code::RateLimited.number()) => {
                    self.note_refusal(None, refusal);
                }
                other => self.ledger.differs("everywhere.40008", other.describe()),
            }
        }
    }

    fn note_page(&mut self, endpoint: &'static Endpoint, page: &Page) {
        for row in page.rows() {
            for (name, value) in row {
                if !rows::is_public(name) {
                    keep_private(&mut self.ledger, value);
                }
            }
        }
        let right = page.status == 200 && page.is_json_by_header;
        let came = if right { Ok(()) } else { Err(page.describe()) };
        self.ledger.found("everywhere.success", came);
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
                let own = format!("everywhere.{}", code.number());
                self.ledger.differs(&own, refusal.describe());
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

fn keep_private(ledger: &mut Ledger, value: &JsonValue<'_>) {
    match value {
        JsonValue::Str(text) => ledger.keep_private(text),
        JsonValue::Int(number) => ledger.keep_private(&number.to_string()),
        JsonValue::Array(items) => items.iter().for_each(|item| keep_private(ledger, item)),
        JsonValue::Object(pairs) => {
            pairs.iter().for_each(|(_, value)| keep_private(ledger, value));
        }
        JsonValue::Null | JsonValue::Bool(_) | JsonValue::Float(_) => {}
    }
}
