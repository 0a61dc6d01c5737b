//! Faults: failures on demand. A [`Fault`] says what goes wrong, for which operations, and when;
//! `text.rs` reads and writes it as a line, `live.rs` decides whether a request meets it, and
//! `prefer.rs` reads what one request asks for itself.

mod json;
mod live;
mod prefer;
mod text;

pub(crate) use json::read_fault;
pub(crate) use live::{Fired, Known, Live, Occurrence, Origin};
#[cfg(feature = "docs")]
pub(crate) use prefer::ID as PREFER_ID;
pub(crate) use prefer::{Applied, Preferences};
pub use text::FaultError;
#[cfg(feature = "docs")]
pub(crate) use text::{BODIES, CUTS};
pub(crate) use text::{Draft, KEYS};

use std::time::Duration;

use crate::contract::{Code, Operation};

/// A failure on demand: what goes wrong, for which operations, and when.
///
/// Without [`Fault::on`] it covers every operation; without a schedule, every request.
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
    /// What answers name it by; numbered where it is not given.
    pub(crate) id: Option<String>,
    /// Empty: every operation.
    pub(crate) operations: Vec<Operation>,
    pub(crate) answer: Answer,
    pub(crate) body: BodyForm,
    /// What `Retry-After` says, in seconds.
    pub(crate) retry_after: Option<u32>,
    pub(crate) delay: Option<Delay>,
    /// Bytes of the body a second.
    pub(crate) drip: Option<u32>,
    pub(crate) cut: Option<Cut>,
    pub(crate) schedule: Schedule,
}

/// The longest `Retry-After` of a fault, in seconds: a day.
pub(crate) const MOST_RETRY_AFTER: u32 = 86_400;

/// What is answered in place of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Answer {
    /// The true answer.
    #[default]
    Own,
    Code(Code),
    Status(u16),
}

/// What is done to the body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum BodyForm {
    #[default]
    Own,
    /// Of a status: a page as a gateway writes it.
    Html,
    Empty,
    /// Half of it comes, and then the connection ends.
    Truncated,
    Garbage,
}

/// How the connection ends without an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cut {
    Reset,
    NoAnswer,
}

/// Which of the requests that it covers a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    /// It leaves so many alone first.
    pub(crate) after: u64,
    /// Of the others, it strikes every so many-th; 1 is each.
    pub(crate) every: u64,
    /// It strikes so often at most.
    pub(crate) times: Option<u64>,
    pub(crate) probability: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { after: 0, every: 1, times: None, probability: 1.0 }
    }
}

/// How long an answer waits: drawn once for each request that is struck, at most
/// [`Delay::LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always as long.
    Fixed(Duration),
    /// Evenly between two durations, both inclusive.
    Uniform(Duration, Duration),
    /// Mostly short, sometimes long, as real services are: half of them below `median`, and
    /// `sigma` is the standard deviation of the logarithm (0.5 spreads a little, 1 much; at
    /// most 5).
    LogNormal {
        /// Half of the delays are shorter.
        median: Duration,
        /// The standard deviation of the delay's natural logarithm.
        sigma: f64,
    },
}

impl Delay {
    /// No delay is longer: ten minutes.
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
            answer: Answer::Own,
            body: BodyForm::Own,
            retry_after: None,
            delay: None,
            drip: None,
            cut: None,
            schedule: Schedule::default(),
        }
    }

    /// A code of the vendor's, in the words of the endpoint. Where it covers every operation, it
    /// leaves those alone that never answer this code.
    #[must_use]
    pub fn code(code: Code) -> Self {
        Self { answer: Answer::Code(code), ..Self::new() }
    }

    /// An HTTP status, 200 to 599, with `{"code":503,"message":"Service Unavailable"}` as its
    /// body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { answer: Answer::Status(status), ..Self::new() }
    }

    /// Only a delay; the answer is the true one.
    #[must_use]
    pub fn delay(delay: impl Into<Delay>) -> Self {
        Self { delay: Some(delay.into()), ..Self::new() }
    }

    /// The connection ends by a TCP reset, without an answer.
    #[must_use]
    pub fn reset() -> Self {
        Self { cut: Some(Cut::Reset), ..Self::new() }
    }

    /// Nothing ever comes. The connection stays open until the client goes.
    #[must_use]
    pub fn no_answer() -> Self {
        Self { cut: Some(Cut::NoAnswer), ..Self::new() }
    }

    /// HTTP 200 with a body of no bytes.
    #[must_use]
    pub fn empty_body() -> Self {
        Self { body: BodyForm::Empty, ..Self::new() }
    }

    /// The `Content-Length` of the true answer and half of its body; then the connection ends.
    #[must_use]
    pub fn truncated_body() -> Self {
        Self { body: BodyForm::Truncated, ..Self::new() }
    }

    /// HTTP 200 with bytes that are no JSON and no UTF-8, as many as the true answer has.
    #[must_use]
    pub fn garbage_body() -> Self {
        Self { body: BodyForm::Garbage, ..Self::new() }
    }

    /// The body flows at so many bytes a second, at least 1.
    #[must_use]
    pub fn drip(bytes_per_second: u32) -> Self {
        Self { drip: Some(bytes_per_second), ..Self::new() }
    }

    /// The body of a [`Fault::status`] is a page of HTML, as gateways write it.
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

    /// A [`Fault::code`] or a [`Fault::status`] says in `Retry-After` to come again after so many
    /// seconds, 0 to 86400. Where this is not given, a 429 says 1 and others say nothing.
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

    /// Waits before anything of it happens.
    #[must_use]
    pub fn delayed(mut self, delay: impl Into<Delay>) -> Self {
        self.delay = Some(delay.into());
        self
    }

    /// Covers an operation, and those that were named before; without it, every operation.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        if !self.operations.contains(&operation) {
            self.operations.push(operation);
        }
        self
    }

    /// Strikes so often at most.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.schedule.times = Some(times);
        self
    }

    /// Leaves so many requests alone first.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.schedule.after = requests;
        self
    }

    /// Strikes every so many-th request that it covers, at least 1.
    #[must_use]
    pub fn every(mut self, requests: u64) -> Self {
        self.schedule.every = requests;
        self
    }

    /// Strikes with a probability, above 0 and up to 1: drawn from the seed, the sandbox, the
    /// operation and the request's number, so that a run that failed can be repeated.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.schedule.probability = probability;
        self
    }

    /// What `x-mock-fault` names it by: 1 to 64 of `A-Z a-z 0-9 _ -`. Numbered where it is not
    /// given: `fault-1`.
    #[must_use]
    pub fn named(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Whether requests of an operation are its own.
    pub(crate) fn covers(&self, operation: Operation) -> bool {
        if !self.operations.is_empty() {
            return self.operations.contains(&operation);
        }
        match self.answer {
            Answer::Code(code) => operation.endpoint().error(code).is_some(),
            Answer::Own | Answer::Status(_) => true,
        }
    }

    /// Why it can strike nobody, or makes no sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Schedule { every, times, probability, .. } = self.schedule;
        if let Some(id) = &self.id {
            check_id(id)?;
        }
        if let Answer::Status(status) = self.answer
            && !(200..=599).contains(&status)
        {
            return Err(format!("status must be 200 to 599, got {status}"));
        }
        if let Answer::Code(code) = self.answer {
            for operation in &self.operations {
                if operation.endpoint().error(code).is_none() {
                    let codes = Code::ALL.iter();
                    let codes = codes.filter(|code| operation.endpoint().error(**code).is_some());
                    let codes: Vec<_> = codes.map(|code| code.number().to_string()).collect();
                    let (id, code) = (operation.id(), code.number());
                    return Err(format!("{id} never answers {code}; one of {}", codes.join(", ")));
                }
            }
        }
        if self.body == BodyForm::Html && !matches!(self.answer, Answer::Status(_)) {
            return Err("body=html goes with a status".to_owned());
        }
        if let Some(seconds) = self.retry_after {
            if self.answer == Answer::Own {
                return Err("retry_after goes with a code or a status".to_owned());
            }
            if seconds > MOST_RETRY_AFTER {
                return Err(format!("retry_after must be 0 to {MOST_RETRY_AFTER}, got {seconds}"));
            }
        }
        let bare = self.answer == Answer::Own && self.body == BodyForm::Own && self.drip.is_none();
        if self.cut.is_some() && !bare {
            return Err("where the connection breaks, there is no answer to change".to_owned());
        }
        if bare && self.cut.is_none() && self.delay.is_none() {
            let effects = "code, status, body, delay, drip or break";
            return Err(format!("nothing goes wrong; say what does: {effects}"));
        }
        if every == 0 || times == Some(0) || self.drip == Some(0) {
            return Err("every, times and drip must be 1 or more".to_owned());
        }
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(format!("probability must be above 0, up to 1, got {probability}"));
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
        return Err("the shortest delay is longer than the longest".to_owned());
    }
    if most > Delay::LONGEST {
        return Err(format!("a delay is at most {} ms", Delay::LONGEST.as_millis()));
    }
    Ok(())
}

/// Whether a fault's id can stand in `x-mock-fault` and in `Prefer`.
fn check_id(id: &str) -> Result<(), String> {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=64).contains(&id.len()) || !id.bytes().all(right) {
        let id = crate::suggest::quoted(id);
        return Err(format!("the id of a fault is 1 to 64 of A-Z a-z 0-9 _ -, got {id}"));
    }
    // What a request asks for itself is named so.
    if id == prefer::ID { Err(format!("the id {id} is taken")) } else { Ok(()) }
}
