//! A sandbox, as the library hands it out.

use std::time::Duration;

use super::Server;
use crate::contract::Operation;
use crate::keys::SANDBOX_MARK;
use crate::keys::is_sandbox_id;
use crate::sandbox::faults::{Fault, Schedule};
use crate::sandbox::hazard::{Hazard, Hazards};
use crate::sandbox::journal::Request;
use crate::sandbox::verdict::Verdict;
use crate::sandbox::{InUse, RateLimit};
use crate::target::SANDBOX_PREFIX;

/// An isolated world on a running [`Server`]: [`Server::sandbox`].
///
/// Requests are in it when they go to [`Sandbox::url`], or when they carry [`Sandbox::api_key`];
/// either is enough. It keeps no records of its own, so it costs next to nothing. One that was not
/// used for an hour ends ([`Limits::sandbox_idle`](crate::Limits)).
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
            is_sandbox_id(id),
            "the id of a sandbox is 1 to 64 of A-Z a-z 0-9 . _ -, not {id:?}"
        );
        Self {
            server,
            id: id.to_owned(),
            url: format!("{}{SANDBOX_PREFIX}{id}", server.url()),
            api_key: format!("{}{SANDBOX_MARK}{id}", server.api_key()),
        }
    }

    fn get_or_create(&self) -> InUse {
        let sandbox = self.server.sandboxes.get(Some(&self.id));
        sandbox.mark_authenticated();
        sandbox
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What takes the place of the vendor's host: `http://127.0.0.1:49152/s/login`, without a
    /// trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's [`api_key`](Server::api_key) in this sandbox: `app-demo~login`. Every other
    /// key works the same way, with `~` and the id behind it.
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
    /// When the fault makes no sense (its message says why), when there is one with its id, or a
    /// thousand.
    #[track_caller]
    pub fn fault(&self, fault: Fault) {
        if let Err(why) = fault.check().and_then(|()| self.get_or_create().add_fault(fault, false))
        {
            panic!("{why}");
        }
    }

    /// The next request that a fault covers meets it, and only that one: its schedule is left out,
    /// and it comes before the other faults.
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
        if let Err(why) = fault.check().and_then(|()| self.get_or_create().add_fault(fault, true)) {
            panic!("{why}");
        }
    }

    /// Lets each key make so many requests in so long a time; one more gets 40008 with
    /// `Retry-After`. Windows begin anew.
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
    /// When the number is not 1 to 1,000,000, or the time not 1 to 86,400 whole seconds.
    #[track_caller]
    pub fn rate_limit(&self, requests: u32, window: Duration) {
        match RateLimit::per_window(requests, window) {
            Ok(limit) => self.get_or_create().limit(Some(limit)),
            Err(why) => panic!("{why}"),
        }
    }

    /// Moves the sandbox's clock, so that a retry after a minute is tested in no time. It drives
    /// the windows of the rate limit; records do not move with it.
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

    /// Stops the sandbox's clock; only [`Sandbox::advance`] moves it then.
    ///
    /// ```
    /// let server = gptbots_mock::Server::start().unwrap();
    /// server.sandbox("exact").freeze();
    /// ```
    pub fn freeze(&self) {
        self.get_or_create().clock(|clock, real| clock.freeze(true, real));
    }

    /// Switches a paging hazard on, for every operation.
    ///
    /// ```
    /// use gptbots_mock::{Hazard, Server};
    ///
    /// let server = Server::start().unwrap();
    /// server.sandbox("live").hazard(Hazard::Arrival);
    /// ```
    pub fn hazard(&self, hazard: Hazard) {
        self.add_hazard(None, hazard);
    }

    /// Switches a paging hazard on, for one operation.
    ///
    /// ```
    /// use gptbots_mock::{Hazard, Server, contract::Operation};
    ///
    /// let server = Server::start().unwrap();
    /// server.sandbox("short").hazard_on(Operation::QaRecords, Hazard::ShortPage);
    /// ```
    pub fn hazard_on(&self, operation: Operation, hazard: Hazard) {
        self.add_hazard(Some(operation), hazard);
    }

    fn add_hazard(&self, operation: Option<Operation>, hazard: Hazard) {
        let mut more = Hazards::default();
        more.add(operation, hazard);
        self.get_or_create().add_hazards(more);
    }

    /// The requests that its journal has, in the order in which they came. Whoever asserts that a
    /// request did not come asserts that [`Sandbox::dropped_requests`] is 0 as well.
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
        let sandbox = super::whole(self.server.sandboxes.whole(&self.id));
        sandbox.map_or_else(Vec::new, |sandbox| self.server.sandboxes.requests(Some(&sandbox)))
    }

    /// How many requests its journal had and has no longer, for want of room: [`Sandbox::requests`]
    /// lacks them. The verdict does not; it watches every request as it comes.
    #[must_use]
    pub fn dropped_requests(&self) -> u64 {
        let sandbox = self.server.sandboxes.find(&self.id);
        sandbox.map_or(0, |sandbox| self.server.sandboxes.collect(Some(&sandbox)).dropped)
    }

    /// What is thought of its requests.
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
    /// When it does not know of all its requests: the sandbox has ended, because it was idle for too
    /// long, there were too many, or it was deleted; or it ended so and was asked again; or there
    /// is no journal. One that was never used has a verdict on no requests.
    #[must_use]
    #[track_caller]
    pub fn verdict(&self) -> Verdict {
        super::whole(self.server.sandboxes.whole_verdict_of(&self.id))
    }

    /// Asserts that none of its requests did anything wrong though it got an answer: the last line
    /// of a test.
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
    /// When [`Sandbox::verdict`] has findings, which the message has, or panics; when no request
    /// came at all ([`Sandbox::assert_clean_or_unused`] is for that).
    #[track_caller]
    pub fn assert_clean(&self) {
        super::assert_clean(&self.verdict().at_the_end(&self.id));
    }

    /// The same where there may have been no request at all.
    ///
    /// # Panics
    ///
    /// When [`Sandbox::verdict`] has findings, which the message has, or panics.
    #[track_caller]
    pub fn assert_clean_or_unused(&self) {
        super::assert_clean(&self.verdict());
    }

    /// Makes it anew, as it was when it was made: what was set here since and all that was counted
    /// is forgotten, its clock begins again. Other sandboxes notice nothing.
    ///
    /// ```
    /// use gptbots_mock::{Fault, Server};
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("again");
    /// sandbox.fault(Fault::reset());
    /// sandbox.reset();
    /// ```
    pub fn reset(&self) {
        self.server.sandboxes.put(&self.id, None);
    }
}
