//! A sandbox of the library's server.

use std::time::Duration;

use super::Server;
use crate::contract::Operation;
use crate::keys::SANDBOX_MARK;
use crate::keys::is_sandbox_id;
use crate::sandbox::faults::{Fault, Schedule};
use crate::sandbox::hazard::Hazard;
use crate::sandbox::journal::Request;
use crate::sandbox::verdict::Verdict;
use crate::sandbox::{InUse, RateLimit};
use crate::target::SANDBOX_PREFIX;

/// An isolated part of a running [`Server`]: [`Server::sandbox`].
///
/// A request belongs to the sandbox if it goes to [`Sandbox::url`] or has the key [`Sandbox::api_key`]; one of
/// them is enough. A sandbox shares the records of the server, so it takes little memory. It is removed when
/// it was not used for an hour ([`Limits::sandbox_idle`](crate::Limits)).
///
/// ```
/// use gptbots_mock::{Fault, Server, contract::{Code, Operation}};
///
/// let server = Server::start().unwrap();
/// let sandbox = server.sandbox("export-3");
/// // The third page fails, once.
/// sandbox.fault(Fault::code(Code::Internal).on(Operation::ConversationList).after(2).times(1));
///
/// let page = |page: u32| {
///     let query = "conversation_type=ALL&start_time=0&end_time=9999999999999&page_size=10";
///     ureq::get(format!("{}/v1/bot/conversation/page?{query}&page={page}", sandbox.url()))
///         .header("Authorization", format!("Bearer {}", sandbox.api_key()))
///         .config()
///         .http_status_as_error(false)
///         .build()
///         .call()
///         .unwrap()
///         .status()
///         .as_u16()
/// };
/// assert_eq!([page(1), page(2), page(3), page(3)], [200, 200, 500, 200]);
/// ```
#[derive(Clone, Debug)]
pub struct Sandbox<'s> {
    server: &'s Server,
    id: String,
    url: String,
    api_key: String,
}

impl<'s> Sandbox<'s> {
    #[track_caller]
    pub(super) fn new(server: &'s Server, id: &str) -> Self {
        assert!(
            is_sandbox_id(id) && !server.sandboxes.is_key(id),
            "the id of a sandbox must be 1 to 64 of A-Z a-z 0-9 . _ - and not an API key, got {:?}",
            server.sandboxes.redactor().hide(id)
        );
        Self {
            server,
            id: id.to_owned(),
            url: format!("{}{SANDBOX_PREFIX}{id}", server.url()),
            api_key: format!("{}{SANDBOX_MARK}{id}", server.api_key()),
        }
    }

    #[track_caller]
    fn get_or_create(&self) -> InUse {
        let sandboxes = &self.server.sandboxes;
        let sandbox = sandboxes.get(Some(&self.id)).map_err(|full| sandboxes.explain_full(&full));
        let sandbox = super::expect_ok(sandbox);
        sandbox.mark_authenticated();
        sandbox
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The base URL, which replaces the vendor's host: `http://127.0.0.1:49152/s/login`, without a
    /// trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's [`api_key`](Server::api_key) for this sandbox: `app-demo~login`. Every other key works in
    /// the same way: append `~` and the id.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Adds a fault. It counts requests from now on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gptbots_mock::{Delay, Fault, Server};
    ///
    /// let server = Server::start().unwrap();
    /// let slow = Delay::LogNormal { median: Duration::from_millis(80), sigma: 0.4 };
    /// server.sandbox("slow").fault(Fault::delay(slow).probability(0.2));
    /// ```
    ///
    /// # Panics
    ///
    /// If the fault contradicts itself (the message says how), if another fault has the same id, or if there
    /// are already 1,000 faults.
    #[track_caller]
    pub fn fault(&self, fault: Fault) {
        let added = self.get_or_create().add_faults(vec![fault]);
        super::expect_ok(added.map_err(|error| error.to_string()));
    }

    /// Adds a fault that applies only to the next matching request. Its schedule is ignored, and it precedes
    /// all other faults.
    ///
    /// ```
    /// use gptbots_mock::{Fault, Server, contract::Operation};
    ///
    /// let server = Server::start().unwrap();
    /// server.sandbox("retry").fail_next(Fault::status(503).on(Operation::QaRecords));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Sandbox::fault`].
    #[track_caller]
    pub fn fail_next(&self, mut fault: Fault) {
        fault.schedule = Schedule { times: Some(1), ..Schedule::default() };
        let added = self.get_or_create().add_first_fault(fault);
        super::expect_ok(added.map_err(|error| error.to_string()));
    }

    /// Limits the requests of each key in a time window. A further request gets 40008 with `Retry-After`. All
    /// windows start again.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// server.sandbox("busy").rate_limit(60, Duration::from_secs(60));
    /// ```
    ///
    /// # Panics
    ///
    /// If the number is not 1 to 1,000,000, or the window is not 1 to 86,400 whole seconds.
    #[track_caller]
    pub fn rate_limit(&self, requests: u32, window: Duration) {
        let limit = super::expect_ok(RateLimit::per_window(requests, window));
        self.get_or_create().limit(Some(limit));
    }

    /// Advances the sandbox's clock, so that a test of a retry after a minute need not wait. The windows of
    /// the rate limit follow this clock; records do not.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("patient");
    /// sandbox.rate_limit(1, Duration::from_secs(60));
    /// // … one request, one that is refused, and then
    /// sandbox.advance(Duration::from_secs(60));
    /// ```
    pub fn advance(&self, by: Duration) {
        self.get_or_create().clock(|clock, _| clock.advance(by));
    }

    /// Stops the sandbox's clock. After that, only [`Sandbox::advance`] changes it.
    ///
    /// ```
    /// let server = gptbots_mock::Server::start().unwrap();
    /// server.sandbox("exact").freeze();
    /// ```
    pub fn freeze(&self) {
        self.get_or_create().clock(|clock, real| clock.freeze(true, real));
    }

    /// Turns on a *hazard*, a change of the data during paging, for every endpoint.
    ///
    /// ```
    /// use gptbots_mock::{Hazard, Server};
    ///
    /// let server = Server::start().unwrap();
    /// server.sandbox("live").hazard(Hazard::Arrival);
    /// ```
    pub fn hazard(&self, hazard: Hazard) {
        self.get_or_create().add_hazard(None, hazard);
    }

    /// Turns on a hazard for one endpoint.
    ///
    /// ```
    /// use gptbots_mock::{Hazard, Server, contract::Operation};
    ///
    /// let server = Server::start().unwrap();
    /// server.sandbox("short").hazard_on(Operation::QaRecords, Hazard::ShortPage);
    /// ```
    pub fn hazard_on(&self, operation: Operation, hazard: Hazard) {
        self.get_or_create().add_hazard(Some(operation), hazard);
    }

    /// The requests in the sandbox's journal, in the order of their arrival. A test that asserts that a
    /// request was not sent should also assert that [`Sandbox::dropped_requests`] is 0.
    ///
    /// ```
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("one");
    /// let refused = ureq::get(format!("{}/v1/message", sandbox.url())).call();
    /// assert!(refused.is_err());
    /// assert_eq!(sandbox.requests()[0].target(), "/s/one/v1/message");
    /// assert_eq!(sandbox.requests()[0].path(), "/v1/message");
    /// assert!(server.sandbox("two").requests().is_empty());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Sandbox::verdict`].
    #[must_use]
    #[track_caller]
    pub fn requests(&self) -> Vec<Request> {
        let sandbox = super::expect_ok(self.server.sandboxes.find_complete(&self.id));
        sandbox.map_or_else(Vec::new, |sandbox| self.server.sandboxes.requests(Some(&sandbox)))
    }

    /// The number of requests that are missing in [`Sandbox::requests`], because the journal was full. The
    /// verdict includes them, because it checks every request when it arrives.
    #[must_use]
    pub fn dropped_requests(&self) -> u64 {
        let sandbox = self.server.sandboxes.find(&self.id);
        sandbox.map_or(0, |sandbox| self.server.sandboxes.collect(Some(&sandbox)).dropped)
    }

    /// The verdict on the sandbox's requests: what the client did wrong.
    ///
    /// ```
    /// use gptbots_mock::{Rule, Server};
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("verdict");
    /// // A hundred messages are five pages of twenty.
    /// for page in [1, 2] {
    ///     let query = format!("conversation_id=xxxxxx&page={page}&page_size=20");
    ///     ureq::get(format!("{}/v1/messages?{query}", sandbox.url()))
    ///         .header("Authorization", "Bearer your_apikey")
    ///         .call()
    ///         .unwrap();
    /// }
    /// assert_eq!(sandbox.verdict().findings()[0].rule, Rule::StoppedEarly);
    /// ```
    ///
    /// # Panics
    ///
    /// If the verdict would be incomplete, because the sandbox was removed (it was idle for too long, there
    /// were too many sandboxes, or it was deleted), even if it was used again after that; or if there is
    /// no journal. The verdict of a sandbox that was never used has no requests.
    #[must_use]
    #[track_caller]
    pub fn verdict(&self) -> Verdict {
        super::expect_ok(self.server.sandboxes.full_verdict_of(&self.id))
    }

    /// Asserts that the sandbox's verdict has no findings. Call it at the end of a test.
    ///
    /// ```should_panic
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("clean");
    /// ureq::get(format!("{}/v1/messages?conversation_id=xxxxxx&page=1&pagesize=100", sandbox.url()))
    ///     .header("Authorization", "Bearer your_apikey")
    ///     .config()
    ///     .http_status_as_error(false)
    ///     .build()
    ///     .call()
    ///     .unwrap();
    /// sandbox.assert_clean(); // … /v1/messages has no `pagesize`; did you mean `page_size`? …
    /// ```
    ///
    /// # Panics
    ///
    /// If [`Sandbox::verdict`] panics or has findings, which the message lists; if there was no request at
    /// all (see [`Sandbox::assert_clean_or_unused`]).
    #[track_caller]
    pub fn assert_clean(&self) {
        super::assert_clean(&self.verdict().into_final(&self.id));
    }

    /// As [`Sandbox::assert_clean`], but accepts that there was no request.
    ///
    /// # Panics
    ///
    /// If [`Sandbox::verdict`] panics or has findings, which the message lists.
    #[track_caller]
    pub fn assert_clean_or_unused(&self) {
        super::assert_clean(&self.verdict());
    }

    /// Resets the sandbox to the settings with which it was created. Later settings and all counts are
    /// deleted, and the clock starts again. Other sandboxes are not affected.
    ///
    /// ```
    /// use gptbots_mock::{Fault, Server};
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("again");
    /// sandbox.fault(Fault::reset());
    /// sandbox.reset();
    /// ```
    ///
    /// # Panics
    ///
    /// If the memory budget ([`ServerBuilder::max_memory`](crate::ServerBuilder::max_memory)) is full.
    #[track_caller]
    pub fn reset(&self) {
        let sandboxes = &self.server.sandboxes;
        let put = sandboxes.put(&self.id, None).map_err(|full| sandboxes.explain_full(&full));
        super::expect_ok(put);
    }
}
