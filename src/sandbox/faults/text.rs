//! A fault as a line: `messages:code=50000,every=3`. JSON and `Prefer` have the same keys and
//! values, so [`Draft`] reads them for all three.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{BodyForm, ConnectionFault, Delay, Fault, FaultResponse, Schedule};
use crate::contract::{Code, Field, operation_of};
use crate::suggest::quoted;
use crate::suggest::unknown;

/// Every key of a fault except the request parameters, with its values and its effect.
pub(crate) const KEYS: [(&str, &str, &str); 12] = [
    ("id", "1 to 64 characters from `A-Z a-z 0-9 _ -`", "the name of the fault in `x-mock-fault`"),
    ("code", "an error code of the vendor", "the endpoint's error response with this code"),
    ("status", "200 to 599", "a response with this HTTP status"),
    (
        "body",
        "`json`, `html`, `empty`, `truncated`, `garbage`",
        "the body of the response. `json` (the default) or `html`: the body of a status; `empty`: \
         no bytes; `truncated`: half of the bytes, then the connection is closed; `garbage`: bytes \
         that are neither JSON nor UTF-8",
    ),
    (
        "retry_after",
        "0 to 86400",
        "`Retry-After` in seconds, together with a code or a status; the default of a 429 is 1",
    ),
    (
        "delay",
        "`2000`, `100..900`, `lognormal:200:0.5`",
        "a delay in milliseconds: fixed, uniform, or log-normal by median and sigma",
    ),
    ("drip", "a number of bytes per second", "the body is sent at this rate"),
    (
        "break",
        "`reset`, `no-answer`",
        "there is no response. `reset`: a TCP reset; `no-answer`: the connection stays open until \
         the client closes it",
    ),
    ("times", "1 or more", "the fault applies to at most this many requests"),
    ("after", "0 or more", "the fault skips this many requests first"),
    ("every", "1 or more", "the fault applies to every Nth of the other requests"),
    ("probability", "above 0 and at most 1", "the fault applies with this probability"),
];

/// Every key of a fault. A parameter has the name that the contract gives it.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> + Clone {
    KEYS.iter().map(|(key, ..)| *key).chain(Field::ALL.into_iter().map(Field::name))
}

/// The parameter that a key names.
fn field(key: &str) -> Option<Field> {
    Field::ALL.into_iter().find(|field| field.name() == key)
}

/// The characters that are percent-encoded in the value of a parameter, because they are separators in a
/// line, or between the lines of an environment variable.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b',').add(b';');

/// The words for a body.
pub(crate) const BODIES: [(&str, BodyForm); 5] = [
    ("json", BodyForm::Original),
    ("html", BodyForm::Html),
    ("empty", BodyForm::Empty),
    ("truncated", BodyForm::Truncated),
    ("garbage", BodyForm::Garbage),
];

/// The words for the end of a connection.
pub(crate) const CONNECTION_FAULTS: [(&str, ConnectionFault); 2] =
    [("reset", ConnectionFault::Reset), ("no-answer", ConnectionFault::NoAnswer)];

/// A fault while its keys are being read.
pub(crate) struct Draft(Fault);

impl Draft {
    pub(crate) fn new() -> Self {
        Self(Fault::new())
    }

    /// Adds an operation, by its word.
    pub(crate) fn operation(&mut self, word: &str) -> Result<(), String> {
        let operation = operation_of(word)?;
        if self.0.operations.contains(&operation) {
            return Err(format!("operation {word} is given twice"));
        }
        self.0.operations.push(operation);
        Ok(())
    }

    /// Sets the value of a key.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let fault = &mut self.0;
        let schedule = &mut fault.schedule;
        match key {
            "id" => fault.id = Some(value.to_owned()),
            "code" | "status" if fault.response != FaultResponse::Original => {
                return Err("give either code or status, not both".to_owned());
            }
            "code" => fault.response = FaultResponse::Code(code(value)?),
            "status" => fault.response = FaultResponse::Status(number(key, value)?),
            "body" => fault.body = word(key, value, &BODIES)?,
            "retry_after" => fault.retry_after = Some(number(key, value)?),
            "delay" => fault.delay = Some(delay(value)?),
            "drip" => fault.drip = Some(number(key, value)?),
            "break" => fault.connection = Some(word(key, value, &CONNECTION_FAULTS)?),
            "times" => schedule.times = Some(number(key, value)?),
            "after" => schedule.after = number(key, value)?,
            "every" => schedule.every = number(key, value)?,
            "probability" => schedule.probability = number(key, value)?,
            _ => match field(key) {
                Some(field) => fault.params.push((field, value.to_owned())),
                None => return Err(unknown("key", key, keys())),
            },
        }
        Ok(())
    }

    /// The fault, if it makes sense.
    pub(crate) fn finish(self) -> Result<Fault, String> {
        self.0.check().map(|()| self.0)
    }
}

fn code(value: &str) -> Result<Code, String> {
    let codes = Code::ALL;
    codes.into_iter().find(|code| code.number().to_string() == value).ok_or_else(|| {
        let all: Vec<_> = codes.iter().map(|code| code.number().to_string()).collect();
        let status = value.parse::<u16>().is_ok_and(|number| (200..600).contains(&number));
        let hint = if status { format!("; write status={value}") } else { String::new() };
        format!("there is no code {}{hint} (one of {})", quoted(value), all.join(", "))
    })
}

fn number<T: FromStr>(key: &str, value: &str) -> Result<T, String> {
    unsigned(value).ok_or_else(|| format!("{key} must be {}, got {}", takes(key), quoted(value)))
}

/// A number without a `+`, which `parse` would accept.
fn unsigned<T: FromStr>(value: &str) -> Option<T> {
    value.parse().ok().filter(|_| !value.starts_with('+'))
}

fn word<T: Copy>(key: &str, value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, value)| *value).ok_or_else(|| unknown(key, value, words.iter().map(|w| w.0)))
}

fn takes(key: &str) -> &'static str {
    KEYS.iter().find(|(name, ..)| *name == key).expect("every key is in the table").1
}

fn delay(value: &str) -> Result<Delay, String> {
    let wrong = || {
        let (takes, value) = (takes("delay"), quoted(value));
        format!("delay must be in milliseconds, such as {takes}, got {value}")
    };
    let ms = |text: &str| unsigned(text).map(Duration::from_millis).ok_or_else(wrong);
    if let Some((least, most)) = value.split_once("..") {
        return Ok(Delay::Uniform(ms(least)?, ms(most)?));
    }
    if let Some(rest) = value.strip_prefix("lognormal:") {
        let (median, sigma) = rest.split_once(':').ok_or_else(wrong)?;
        let sigma = sigma.parse().map_err(|_| wrong())?;
        return Ok(Delay::LogNormal { median: ms(median)?, sigma });
    }
    ms(value).map(Delay::Fixed)
}

impl FromStr for Fault {
    type Err = FaultError;

    /// Reads a line: `messages:code=50000,every=3`, of several operations
    /// `messages+messages-v2:break=reset`, of all `delay=100..900,probability=0.1`.
    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut draft = Draft::new();
        // A delay may contain a colon, too.
        let head = text.find(':').filter(|colon| !text[..*colon].contains('='));
        let rest = head.map_or(text, |colon| &text[colon + 1..]);
        for word in head.map_or("", |colon| &text[..colon]).split('+') {
            if head.is_some() {
                draft.operation(word.trim()).map_err(FaultError)?;
            }
        }
        let mut met: Vec<&str> = Vec::new();
        for pair in rest.split(',') {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                let pair = quoted(pair);
                FaultError(format!(
                    "{pair} has no `=`; write a fault as messages:code=50000,every=3"
                ))
            })?;
            let (key, value) = (key.trim(), value.trim());
            if met.contains(&key) {
                return Err(FaultError(format!("{key} is given twice")));
            }
            met.push(key);
            let decoded = match field(key) {
                Some(_) => percent_decode_str(value).decode_utf8(),
                None => Ok(value.into()),
            };
            let value = decoded.map_err(|_| FaultError(format!("{key} must be UTF-8")))?;
            draft.set(key, &value).map_err(FaultError)?;
        }
        draft.finish().map_err(FaultError)
    }
}

/// The text or value is not a valid [`Fault`]; the message says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FaultError(pub(crate) String);

impl fmt::Display for Delay {
    /// The value of `delay`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(delay) => write!(f, "{}", delay.as_millis()),
            Self::Uniform(least, most) => write!(f, "{}..{}", least.as_millis(), most.as_millis()),
            Self::LogNormal { median, sigma } => {
                write!(f, "lognormal:{}:{sigma}", median.as_millis())
            }
        }
    }
}

impl fmt::Display for Fault {
    /// Writes the line that parses to the same fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn text(value: Option<impl fmt::Display>) -> Option<String> {
            value.map(|value| value.to_string())
        }
        let (code, status) = match self.response {
            FaultResponse::Original => (None, None),
            FaultResponse::Code(code) => (Some(code.number()), None),
            FaultResponse::Status(status) => (None, Some(status)),
        };
        let body = BODIES[1..].iter().find(|(_, form)| *form == self.body);
        let connection = CONNECTION_FAULTS.iter().find(|(_, end)| Some(*end) == self.connection);
        let Schedule { times, after, every, probability } = self.schedule;
        let pairs = [
            ("id", self.id.clone()),
            ("code", text(code)),
            ("status", text(status)),
            ("body", text(body.map(|(word, _)| word))),
            ("retry_after", text(self.retry_after)),
            ("delay", text(self.delay)),
            ("drip", text(self.drip)),
            ("break", text(connection.map(|(word, _)| word))),
            ("times", text(times)),
            ("after", text((after > 0).then_some(after))),
            ("every", text((every > 1).then_some(every))),
            ("probability", text((probability < 1.0).then_some(probability))),
        ];
        let operations: Vec<_> = self.operations.iter().map(|operation| operation.id()).collect();
        if !operations.is_empty() {
            write!(f, "{}:", operations.join("+"))?;
        }
        let params = self.params.iter().map(|(field, value)| {
            format!("{}={}", field.name(), utf8_percent_encode(value, ENCODED))
        });
        let pairs =
            pairs.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)));
        f.write_str(&params.chain(pairs).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_as_it_was_read() {
        for line in [
            "code=50000",
            "messages:code=50000,every=3",
            "messages+messages-v2:id=x,break=reset,times=1,after=2",
            "status=503,body=html,delay=100..900",
            "qa:code=50000,retry_after=0",
            "status=503,retry_after=86400,delay=1",
            "qa:body=truncated,probability=0.25",
            "body=garbage,delay=lognormal:200:0.5,drip=10",
            "conversations:delay=0,break=no-answer",
            "conversations:page=3,code=50000,times=2",
            "conversation_id=a%2Cb%3B%25%20%C3%A9+:=,status=503",
            "qa:user_feedback=BAD,start_time=-5,page_size=010,break=reset",
        ] {
            assert_eq!(line.parse::<Fault>().unwrap().to_string(), line);
        }
    }

    #[test]
    fn a_wrong_line_is_an_error_that_names_the_mistake() {
        for (line, why) in [
            ("", "\"\" has no `=`; write a fault as messages:code=50000,every=3"),
            ("messages", "\"messages\" has no `=`; write a fault as"),
            ("mesages:code=50000", "did you mean messages?"),
            ("messages+messages:code=50000", "operation messages is given twice"),
            ("messages:code=50000,code=50000", "code is given twice"),
            ("messages:code=50000,status=500", "give either code or status, not both"),
            ("messages:code=50001", "there is no code \"50001\" (one of 40000, "),
            ("code=503", "write status=503"),
            ("status=99", "200 to 599"),
            ("status=x", "status must be 200 to 599, got \"x\""),
            ("qa:code=40356", "qa never returns code 40356; its codes are 40000, "),
            ("body=html", "body=html needs a status, such as status=503"),
            ("status=503,retry_after=86401", "retry_after must be 0 to 86400, got 86401"),
            ("status=503,retry_after=-1", "retry_after must be 0 to 86400, got \"-1\""),
            ("status=503,retry_after=2s", "retry_after must be 0 to 86400, got \"2s\""),
            ("delay=1,retry_after=2", "retry_after needs a code or a status"),
            ("retry_after=2", "retry_after needs a code or a status"),
            ("break=reset,retry_after=2", "retry_after needs a code or a status"),
            ("status=503,retry-after=2", "did you mean retry_after?"),
            ("break=reset,status=500", "break sends no response, so it cannot be combined with"),
            ("every=3", "no failure given; add code, status, body, delay, drip or break"),
            ("code=50000,evry=3", "did you mean every?"),
            ("code=50000,every=0", "1 or more"),
            ("code=50000,times=+1", "times must be 1 or more, got \"+1\""),
            ("code=50000,probability=0", "above 0 and at most 1, got 0"),
            ("code=50000,probability=NaN", "above 0 and at most 1, got NaN"),
            ("delay=900..100", "the minimum of a delay is greater than its maximum"),
            ("delay=600001", "delay must be at most 600000 ms"),
            ("delay=2s", "delay must be in milliseconds, such as `2000`, "),
            ("delay=lognormal:200", "delay must be in milliseconds, such as `2000`, "),
            ("delay=lognormal:200:9", "must be 0 to 5"),
            ("delay=1,id=a.b", "id must be 1 to 64 characters from A-Z a-z 0-9 _ -, got \"a.b\""),
            ("delay=1,id=prefer", "the id prefer is reserved"),
            ("break=rest", "did you mean reset?"),
            ("pge=3,code=50000", "did you mean page?"),
            ("pageSize=3,code=50000", "did you mean page_size?"),
            ("page=3", "no failure given"),
            ("page=3,page=4,code=50000", "page is given twice"),
            ("page=0,code=50000", "page must be an integer of at least 1, got \"0\""),
            ("page=,code=50000", "page must be an integer of at least 1, got \"\""),
            ("page=+3,code=50000", "page must be an integer of at least 1, got \"+3\""),
            ("page=%ff,code=50000", "page must be UTF-8"),
            ("qa:page_size=5,code=50000", "page_size must be 10 to 100, got \"5\""),
            ("page_size=101,code=50000", "page_size must be 1 to 100, got \"101\""),
            (
                "start_time=now,code=50000",
                "start_time must be an integer, milliseconds since 1970-01-01 UTC, got \"now\"; \
                 for example, 2025-10-20T00:00:00Z is 1760918400000",
            ),
            ("user_id=,code=50000", "user_id must be a non-empty string"),
            ("user_feedback=bad,code=50000", "did you mean BAD? (one of ALL, NONE, GOOD, BAD)"),
            ("conversation_type=SPASE,delay=1", "did you mean SPACE?"),
            (
                "messages:user_feedback=BAD,delay=1",
                "messages has no parameter user_feedback; qa has it",
            ),
            (
                "qa+conversations:conversation_id=x,delay=1",
                "have no parameter conversation_id; messages and messages-v2 have it",
            ),
            ("user_id=x,code=40356", "messages and messages-v2 have no parameter user_id"),
            (
                "user_id=x,user_feedback=BAD,delay=1",
                "no operation accepts user_id=\"x\" together with user_feedback=\"BAD\"",
            ),
        ] {
            let error = line.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
