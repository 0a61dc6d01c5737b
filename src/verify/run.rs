//! A run: sends requests, and records what every response shows, whichever check requested it.

use std::collections::{BTreeMap, BTreeSet};

use jiter::JsonValue;

use super::client::{ApiRequest, ApiResponse, Client, Stop, UnusableResponse};
use super::describe::{describe_extra_key, describe_request, describe_response};
use super::ledger::Ledger;
use super::query::{FOREVER, Query, UNKNOWN_ID};
use super::response::{Page, ParsedResponse, Refusal, integer};
use super::{rows, samples::Samples};
use crate::contract::{Code, Endpoint, ErrorStatus, Operation, StatementId, Wording};

/// The run ends after this many requests in a row without a usable response. Each of them is sent twice.
const MOST_UNANSWERED: usize = 3;

pub(super) struct Run<'c> {
    pub(super) client: Client<'c>,
    pub(super) ledger: Ledger,
    pub(super) samples: Samples,
    pub(super) key: String,
    pub(super) deleted_key: Option<String>,
    /// What is wrong with the server as a whole.
    pub(super) problems: Vec<String>,
    /// What both attempts got, for the latest requests in a row without a usable response.
    unanswered: Vec<[UnusableResponse; 2]>,
    /// How many requests were sent again, by what the first attempt got.
    pub(super) sent_again: BTreeMap<UnusableResponse, u32>,
}

impl<'c> Run<'c> {
    pub(super) fn new(client: Client<'c>, key: &str, deleted_key: Option<&str>) -> Self {
        Self {
            client,
            ledger: Ledger::default(),
            samples: Samples::default(),
            key: key.to_owned(),
            deleted_key: deleted_key.map(str::to_owned),
            problems: Vec::new(),
            unanswered: Vec::new(),
            sent_again: BTreeMap::new(),
        }
    }

    /// Runs a check, or a part of one. If a request gets no response, we skip the rest of the check and
    /// continue, because one lost request should not end the run.
    pub(super) fn unless_unanswered(
        &mut self,
        check: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        match check(self) {
            Err(Stop::NoResponse { .. }) => Ok(()),
            other => other,
        }
    }

    /// A valid query. For messages, it is for the chosen conversation.
    pub(super) fn query(&self, operation: Operation, page: &str, size: &str) -> Query {
        let conversation = self.samples.conversation.as_ref();
        Query::new(operation, conversation.map_or(UNKNOWN_ID, |one| &one.id), page, size)
    }

    /// `GET` of an endpoint with the key.
    pub(super) fn get(&mut self, query: &Query) -> Result<ParsedResponse, Stop> {
        self.get_raw(query.operation, &query.encode())
    }

    /// `GET` of an endpoint with the key and a query that is already encoded.
    pub(super) fn get_raw(&mut self, of: Operation, query: &str) -> Result<ParsedResponse, Stop> {
        let target = format!("{}?{query}", of.endpoint().path);
        self.send(Some(of.endpoint()), &ApiRequest::get(target, &self.key))
    }

    /// Sends any request, and records what the response shows.
    pub(super) fn send(
        &mut self,
        endpoint: Option<&'static Endpoint>,
        request: &ApiRequest,
    ) -> Result<ParsedResponse, Stop> {
        let response = self.exchange(request)?;
        Ok(self.record_response(endpoint, &response))
    }

    /// Sends a request, and once more if it got no response. A server error shows nothing about the contract,
    /// so it counts as no response.
    pub(super) fn exchange(&mut self, request: &ApiRequest) -> Result<ApiResponse, Stop> {
        let mut request = request.clone();
        if let Some(window_end) = &self.samples.window_end {
            request.target = request.target.replace(FOREVER, window_end);
        }
        self.note_request(&request);
        let result = self.try_exchange(&request);
        let Err(Stop::NoResponse { came: first, .. }) = result else { return result };
        *self.sent_again.entry(first).or_default() += 1;
        let result = self.try_exchange(&request);
        let Err(Stop::NoResponse { came: second, why }) = &result else { return result };
        if !self.problems.contains(why) {
            self.problems.push(why.clone());
        }
        self.unanswered.push([first, *second]);
        if self.unanswered.len() >= MOST_UNANSWERED {
            let came: BTreeSet<_> = self.unanswered.iter().flatten().collect();
            let came: Vec<_> = came.into_iter().map(ToString::to_string).collect();
            let count = 2 * MOST_UNANSWERED;
            let why = format!("{count} requests in a row got {}", came.join(" or "));
            return Err(Stop::ServerUnusable(why));
        }
        result
    }

    /// Keeps the description of a request, for the statements that it shows to differ.
    fn note_request(&mut self, request: &ApiRequest) {
        let described = describe_request(request, &self.key, self.deleted_key.as_deref());
        self.ledger.last_request = Some(described);
    }

    /// Sends a request once.
    fn try_exchange(&mut self, request: &ApiRequest) -> Result<ApiResponse, Stop> {
        let result = self.client.send(request);
        if self.samples.list().is_none() {
            // Only the first check decides whether the server is the API at all.
            return result.map_err(|stop| match stop {
                Stop::NoResponse { why, .. } => Stop::ServerUnusable(why),
                other => other,
            });
        }
        let response = result?;
        if is_failure(&response) {
            self.record_response(None, &response);
            let came = UnusableResponse::Failure(response.status);
            return Err(Stop::NoResponse { came, why: describe_response(&response) });
        }
        self.unanswered.clear();
        Ok(response)
    }

    /// Reads a response, and records what it shows.
    pub(super) fn record_response(
        &mut self,
        endpoint: Option<&'static Endpoint>,
        response: &ApiResponse,
    ) -> ParsedResponse {
        let response = ParsedResponse::new(response, endpoint);
        match (&response, endpoint) {
            (ParsedResponse::Page(page), Some(endpoint)) => self.record_page(endpoint, page),
            (ParsedResponse::Refusal(refusal), _) => self.record_refusal(endpoint, refusal),
            _ => {}
        }
        response
    }

    /// Records the response that the server sent when there were too many requests.
    pub(super) fn record_rate_limit(&mut self) {
        const STATEMENT: StatementId = StatementId::error(None, Code::RateLimited);
        let Some((request, response)) = self.client.rate_limited.take() else { return };
        self.note_request(&request);
        let response = self.record_response(None, &response);
        if matches!(response, ParsedResponse::Refusal(_)) {
            self.expect_refusal(&[STATEMENT], &response, Code::RateLimited);
        } else {
            self.ledger.not_tried(STATEMENT, "the 429 response was not in the format of the API");
        }
    }

    fn record_page(&mut self, endpoint: &'static Endpoint, page: &Page) {
        let result = match (page.status, page.is_json_by_header) {
            (200, true) => Ok(()),
            (_, true) => Err(page.describe()),
            (_, false) => Err(format!("{}, but not as application/json", page.describe())),
        };
        self.ledger.record(StatementId::SuccessStatus, result);
        self.ledger.holds(StatementId::Success);
        let own = [endpoint.answer.rows_name(), "total"];
        if let Some(extra) = page.keys.iter().find(|name| !own.contains(&name.as_str())) {
            let came = format!("{} in addition to the rows", describe_extra_key(extra));
            self.ledger.differs(StatementId::Success, came);
        }
        let wide = "white space outside strings, or unnecessary escapes";
        self.ledger.check(StatementId::Compact, page.is_compact, wide);
        rows::check(&mut self.ledger, endpoint, page);
    }

    fn record_refusal(&mut self, endpoint: Option<&'static Endpoint>, refusal: &Refusal) {
        let Some(code) = Code::from_number(refusal.code) else { return };
        self.ledger.check(StatementId::Failure, refusal.is_exact, &refusal.shape);
        self.ledger.check(StatementId::FailureOrder, refusal.is_ordered, &refusal.shape);
        self.ledger.check(StatementId::Compact, refusal.is_compact, &refusal.shape);
        self.record_status(code, refusal);
        // Without an endpoint, the message is the one that all endpoints share.
        let has_code = |endpoint: &&Endpoint| endpoint.errors.iter().any(|row| row.code == code);
        let (operation, row) = match endpoint.filter(has_code) {
            Some(endpoint) => (Some(endpoint.operation), endpoint.error(code)),
            None => (None, crate::contract::COMMON_ERRORS.iter().find(|row| row.code == code)),
        };
        let Some(row) = row else { return };
        let statement = StatementId::error(operation, code);
        let is = |wording: &Wording| row.message(*wording) == refusal.message.as_str();
        let fitting: Vec<_> = [Wording::Agent, Wording::Bot].into_iter().filter(is).collect();
        match fitting[..] {
            [] => self.ledger.differs(statement, refusal.describe()),
            [_] => self.ledger.fits(statement, &fitting),
            _ => self.ledger.holds(statement),
        }
    }

    fn record_status(&mut self, code: Code, refusal: &Refusal) {
        let statement = StatementId::ErrorStatus;
        let is_mapped = refusal.status == code.http_status();
        match (code.of_the_pages(), is_mapped, refusal.status) {
            (true, true, _) => self.ledger.fits(statement, &[ErrorStatus::Mapped]),
            (true, false, 200) => self.ledger.fits(statement, &[ErrorStatus::Ok]),
            // The status of the other codes is the same under every reading.
            (false, true, _) => {}
            _ => self.ledger.differs(statement, refusal.describe()),
        }
    }

    /// Records whether a request was refused with this code, as these statements require.
    pub(super) fn expect_refusal(
        &mut self,
        statements: &[StatementId],
        response: &ParsedResponse,
        code: Code,
    ) -> bool {
        let is_right = response.code() == Some(code);
        for statement in statements {
            self.ledger.check(*statement, is_right, &response.describe());
        }
        is_right
    }

    /// Records whether the response is a page, as these statements require. Returns the page.
    pub(super) fn expect_page(
        &mut self,
        statements: &[StatementId],
        response: ParsedResponse,
    ) -> Option<Page> {
        for statement in statements {
            self.ledger.check(*statement, response.page().is_some(), &response.describe());
        }
        match response {
            ParsedResponse::Page(page) => Some(page),
            _ => None,
        }
    }
}

/// Whether a response is a server error, by its status or its code.
fn is_failure(response: &ApiResponse) -> bool {
    let code = match &response.json {
        Ok(JsonValue::Object(pairs)) => integer(pairs, "code").and_then(Code::from_number),
        _ => None,
    };
    code == Some(Code::Internal) || (response.status >= 500 && code.is_none())
}
