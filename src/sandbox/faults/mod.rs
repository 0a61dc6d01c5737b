//! Faults: failures on demand. A [`Fault`] defines what fails, for which operations, and when.
//! `text.rs` reads and writes it as a line, `json.rs` reads it from JSON, `params.rs` compares it
//! with the parameters of a request, `armed.rs` decides whether it applies to a request, and
//! `prefer.rs` reads the `Prefer` header of a request.

mod armed;
mod json;
mod params;
mod prefer;
mod text;

pub(crate) use armed::{ArmedFault, DrawSeed, InjectedFault, NamedFault, Occurrence};
pub(crate) use json::read_fault;
pub(crate) use params::ParamValues;
#[cfg(feature = "docs")]
pub(crate) use prefer::ID as PREFER_ID;
pub(crate) use prefer::{PreferenceOutcome, Preferences};
pub use text::FaultError;
#[cfg(feature = "docs")]
pub(crate) use text::KEYS;
#[cfg(feature = "docs")]
pub(crate) use text::{BODIES, CONNECTION_FAULTS};
pub(crate) use text::{Draft, keys};

use std::time::Duration;

use crate::contract::{Code, Field, Operation};

/// A failure on demand: what fails, for which operations, and when.
///
/// Without [`Fault::on`] it applies to every operation; without a schedule, to every request.
///
/// ```
/// use gptbots_mock::{Fault, Server, contract::{Code, Operation}};
///
/// // Every third request for messages fails.
/// let fault = Fault::code(Code::Internal).on(Operation::Messages).every(3);
/// let server = Server::builder().fault(fault).start().unwrap();
///
/// // The same as on the command line.
/// let same: Fault = "messages:code=50000,every=3".parse().unwrap();
/// # drop((server, same));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The id in `x-mock-fault`; `None`: it will get a number.
    pub(crate) id: Option<String>,
    /// Empty: every operation.
    pub(crate) operations: Vec<Operation>,
    /// The parameters that a request must have, each once with its value; empty: the fault applies
    /// to requests with any parameters.
    pub(crate) params: Vec<(Field, String)>,
    pub(crate) response: FaultResponse,
    pub(crate) body: BodyForm,
    /// The value of `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u32>,
    pub(crate) delay: Option<Delay>,
    /// The rate of the body, in bytes a second.
    pub(crate) drip: Option<u32>,
    pub(crate) connection: Option<ConnectionFault>,
    pub(crate) schedule: Schedule,
}

/// The longest `Retry-After` of a fault, in seconds: a day.
pub(crate) const MAX_RETRY_AFTER: u32 = 86_400;

/// Which response a request gets.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum FaultResponse {
    /// The response without the fault.
    #[default]
    Original,
    Code(Code),
    Status(u16),
}

/// What happens to the body of the response.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum BodyForm {
    #[default]
    Original,
    /// A page of HTML, as a gateway writes it; only with a status.
    Html,
    Empty,
    /// Half of it is sent, and then the connection is closed.
    Truncated,
    Garbage,
}

/// How the connection ends without a response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ConnectionFault {
    Reset,
    NoAnswer,
}

/// Which of the requests that match a fault it applies to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    /// The number of requests that it skips first.
    pub(crate) after: u64,
    /// It applies to every `every`th of the other requests; 1: to each.
    pub(crate) every: u64,
    /// The most requests that it applies to.
    pub(crate) times: Option<u64>,
    pub(crate) probability: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { after: 0, every: 1, times: None, probability: 1.0 }
    }
}

/// How long a response is delayed. The length is drawn again for each request, and is at most
/// [`Delay::LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Fixed(Duration),
    /// Evenly distributed between two durations, both inclusive.
    Uniform(Duration, Duration),
    /// Log-normally distributed, similar to the latency of real services: half of the delays are
    /// shorter than `median`, and a few are much longer. `sigma` is the standard deviation of the
    /// logarithm, 0 to 5 (0.5 spreads a little, 1 much).
    LogNormal {
        /// Half of the delays are shorter.
        median: Duration,
        /// The standard deviation of the delay's natural logarithm.
        sigma: f64,
    },
}

impl Delay {
    /// The longest delay: ten minutes.
    pub const LONGEST: Duration = Duration::from_secs(600);
}

impl From<Duration> for Delay {
    fn from(duration: Duration) -> Self {
        Self::Fixed(duration)
    }
}

impl Fault {
    fn new() -> Self {
        Self {
            id: None,
            operations: Vec::new(),
            params: Vec::new(),
            response: FaultResponse::Original,
            body: BodyForm::Original,
            retry_after: None,
            delay: None,
            drip: None,
            connection: None,
            schedule: Schedule::default(),
        }
    }

    /// An error with a code of the vendor and the message of the endpoint. Without [`Fault::on`], it
    /// applies only to operations that can return this code.
    #[must_use]
    pub fn code(code: Code) -> Self {
        Self { response: FaultResponse::Code(code), ..Self::new() }
    }

    /// An HTTP status, 200 to 599, with `{"code":503,"message":"Service Unavailable"}` as its
    /// body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { response: FaultResponse::Status(status), ..Self::new() }
    }

    /// A delay of the original response.
    #[must_use]
    pub fn delay(delay: impl Into<Delay>) -> Self {
        Self { delay: Some(delay.into()), ..Self::new() }
    }

    /// A TCP reset of the connection, without a response.
    #[must_use]
    pub fn reset() -> Self {
        Self { connection: Some(ConnectionFault::Reset), ..Self::new() }
    }

    /// There is no response. The connection stays open until the client closes it.
    #[must_use]
    pub fn no_answer() -> Self {
        Self { connection: Some(ConnectionFault::NoAnswer), ..Self::new() }
    }

    /// HTTP 200 with an empty body.
    #[must_use]
    pub fn empty_body() -> Self {
        Self { body: BodyForm::Empty, ..Self::new() }
    }

    /// The `Content-Length` of the original response and half of its body; then the connection
    /// is closed.
    #[must_use]
    pub fn truncated_body() -> Self {
        Self { body: BodyForm::Truncated, ..Self::new() }
    }

    /// HTTP 200 with as many bytes as the original response has, which are neither JSON nor UTF-8.
    #[must_use]
    pub fn garbage_body() -> Self {
        Self { body: BodyForm::Garbage, ..Self::new() }
    }

    /// The body is sent at a rate in bytes a second, at least 1.
    #[must_use]
    pub fn drip(bytes_per_second: u32) -> Self {
        Self { drip: Some(bytes_per_second), ..Self::new() }
    }

    /// The body of a [`Fault::status`] is a page of HTML, as a gateway writes it.
    #[must_use]
    pub fn html(mut self) -> Self {
        self.body = BodyForm::Html;
        self
    }

    /// The body of a [`Fault::status`] is empty.
    #[must_use]
    pub fn empty(mut self) -> Self {
        self.body = BodyForm::Empty;
        self
    }

    /// The `Retry-After` of a [`Fault::code`] or a [`Fault::status`], 0 to 86400 seconds. Without
    /// it, a 429 has `Retry-After: 1` and other responses have none.
    ///
    /// ```
    /// use gptbots_mock::Fault;
    ///
    /// let fault = Fault::status(503).retry_after(2).times(1);
    /// assert_eq!(fault.to_string(), "status=503,retry_after=2,times=1");
    /// ```
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Waits before the rest of the fault happens.
    #[must_use]
    pub fn delayed(mut self, delay: impl Into<Delay>) -> Self {
        self.delay = Some(delay.into());
        self
    }

    /// Restricts the fault to an operation. Repeated calls add operations.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        if !self.operations.contains(&operation) {
            self.operations.push(operation);
        }
        self
    }

    /// Restricts the fault to requests with this value of a parameter, and so to operations that have
    /// the parameter. If several parameters are set, a request must match all of them; if one parameter
    /// is set twice, the last value counts.
    ///
    /// Numbers are compared as numbers (`03` is `3`), all other values byte by byte after decoding. A
    /// request without the parameter, or with more than one value for it, does not match. The
    /// schedule counts the requests that match.
    ///
    /// ```
    /// use gptbots_mock::{Fault, contract::{Code, Field, Operation}};
    ///
    /// // The third page fails twice, in whatever order a client requests the pages.
    /// let list = Fault::code(Code::Internal).on(Operation::ConversationList);
    /// let fault = list.param(Field::Page, 3).times(2);
    /// assert_eq!(fault.to_string(), "conversations:page=3,code=50000,times=2");
    /// ```
    #[must_use]
    pub fn param(mut self, field: Field, value: impl std::fmt::Display) -> Self {
        self.params.retain(|(known, _)| *known != field);
        self.params.push((field, value.to_string()));
        self
    }

    /// Applies the fault to at most this many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.schedule.times = Some(times);
        self
    }

    /// Skips this many requests first.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.schedule.after = requests;
        self
    }

    /// Applies the fault only to every n-th matching request; n is at least 1.
    #[must_use]
    pub fn every(mut self, requests: u64) -> Self {
        self.schedule.every = requests;
        self
    }

    /// Applies the fault with a probability, above 0 and at most 1. The choice depends only on the
    /// seed, the sandbox, the operation and the number of the request, so that a failed run can be
    /// repeated.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.schedule.probability = probability;
        self
    }

    /// Sets the id in `x-mock-fault`: 1 to 64 characters from `A-Z a-z 0-9 _ -`. Without it, the
    /// fault gets a numbered id such as `fault-1`.
    #[must_use]
    pub fn named(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Whether it applies to requests of an operation if their parameters match.
    pub(crate) fn covers(&self, operation: Operation) -> bool {
        if !self.operations.is_empty() {
            return self.operations.contains(&operation);
        }
        match self.response {
            FaultResponse::Code(code) => operation.endpoint().error(code).is_some(),
            FaultResponse::Original | FaultResponse::Status(_) => true,
        }
    }

    /// Refuses a fault that has no effect or contradicts itself.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Schedule { every, times, probability, .. } = self.schedule;
        if let Some(id) = &self.id {
            check_id(id)?;
        }
        if let FaultResponse::Status(status) = self.response
            && !(200..=599).contains(&status)
        {
            return Err(format!("status must be 200 to 599, got {status}"));
        }
        if let FaultResponse::Code(code) = self.response {
            for operation in &self.operations {
                if operation.endpoint().error(code).is_none() {
                    let codes = Code::ALL.iter();
                    let codes = codes.filter(|code| operation.endpoint().error(**code).is_some());
                    let codes: Vec<_> = codes.map(|code| code.number().to_string()).collect();
                    let (id, code) = (operation.id(), code.number());
                    let codes = codes.join(", ");
                    return Err(format!("{id} never returns code {code}; its codes are {codes}"));
                }
            }
        }
        if self.body == BodyForm::Html && !matches!(self.response, FaultResponse::Status(_)) {
            return Err("body=html needs a status, such as status=503".to_owned());
        }
        if let Some(seconds) = self.retry_after {
            if self.response == FaultResponse::Original {
                return Err("retry_after needs a code or a status".to_owned());
            }
            if seconds > MAX_RETRY_AFTER {
                return Err(format!("retry_after must be 0 to {MAX_RETRY_AFTER}, got {seconds}"));
            }
        }
        let bare = self.response == FaultResponse::Original
            && self.body == BodyForm::Original
            && self.drip.is_none();
        if self.connection.is_some() && !bare {
            let others = "code, status, body or drip";
            return Err(format!("break sends no response, so it cannot be combined with {others}"));
        }
        // First, because a parameter's value may have swallowed what is missing: `page=3:code=50000`.
        self.check_params()?;
        if bare && self.connection.is_none() && self.delay.is_none() {
            let effects = "code, status, body, delay, drip or break";
            return Err(format!("no failure given; add {effects}"));
        }
        let least_one =
            [("every", Some(every)), ("times", times), ("drip", self.drip.map(u64::from))];
        if let Some((name, _)) = least_one.iter().find(|(_, number)| *number == Some(0)) {
            return Err(format!("{name} must be 1 or more, got 0"));
        }
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(format!("probability must be above 0 and at most 1, got {probability}"));
        }
        self.delay.map_or(Ok(()), check_delay)
    }
}

fn check_delay(delay: Delay) -> Result<(), String> {
    let (least, most) = match delay {
        Delay::Fixed(delay) => (delay, delay),
        Delay::Uniform(least, most) => (least, most),
        Delay::LogNormal { median, sigma } => {
            if !(0.0..=5.0).contains(&sigma) {
                return Err(format!("the sigma of a delay must be 0 to 5, got {sigma}"));
            }
            (median, median)
        }
    };
    if least > most {
        return Err("the minimum of a delay is greater than its maximum".to_owned());
    }
    if most > Delay::LONGEST {
        return Err(format!("delay must be at most {} ms", Delay::LONGEST.as_millis()));
    }
    Ok(())
}

/// Refuses an id that cannot be written in `x-mock-fault` and in `Prefer`.
fn check_id(id: &str) -> Result<(), String> {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=64).contains(&id.len()) || !id.bytes().all(right) {
        let id = crate::suggest::quoted(id);
        return Err(format!("id must be 1 to 64 characters from A-Z a-z 0-9 _ -, got {id}"));
    }
    // The faults that requests ask for have this id.
    if id == prefer::ID { Err(format!("the id {id} is reserved")) } else { Ok(()) }
}
