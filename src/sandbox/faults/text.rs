//! A fault as a line: `messages:code=50000,every=3`. The same keys with the same values stand in
//! JSON, so there is one place that reads them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{Answer, BodyForm, Cut, Delay, Fault};
use crate::contract::Code;
use crate::contract::operation_of;
use crate::suggest::quoted;
use crate::suggest::unknown;

/// Every key of a fault, with what it takes and does.
pub(crate) const KEYS: [(&str, &str, &str); 12] = [
    ("id", "1 to 64 of `A-Z a-z 0-9 _ -`", "what `x-mock-fault` names it by"),
    ("code", "a code of the vendor's", "the endpoint's own words for it, with its HTTP status"),
    ("status", "200 to 599", "an HTTP status with a body of its own"),
    (
        "body",
        "`json`, `html`, `empty`, `truncated`, `garbage`",
        "`json` (the default) and `html` of a status; `empty`: no bytes; `truncated`: half of \
         them, then the connection ends; `garbage`: no JSON and no UTF-8",
    ),
    (
        "retry_after",
        "0 to 86400",
        "`Retry-After` of a code or a status, in seconds; without it a 429 says 1",
    ),
    (
        "delay",
        "`2000`, `100..900`, `lognormal:200:0.5`",
        "milliseconds before anything happens: fixed, uniform, or log-normal by median and sigma",
    ),
    ("drip", "bytes a second", "the body flows at this rate"),
    ("break", "`reset`, `no-answer`", "a TCP reset; or nothing, until the client goes"),
    ("times", "1 or more", "strikes so often at most"),
    ("after", "0 or more", "leaves so many requests alone first"),
    ("every", "1 or more", "strikes every so many-th of the others"),
    ("probability", "above 0, up to 1", "strikes with this probability"),
];

pub(crate) const BODIES: [(&str, BodyForm); 5] = [
    ("json", BodyForm::Own),
    ("html", BodyForm::Html),
    ("empty", BodyForm::Empty),
    ("truncated", BodyForm::Truncated),
    ("garbage", BodyForm::Garbage),
];

pub(crate) const CUTS: [(&str, Cut); 2] = [("reset", Cut::Reset), ("no-answer", Cut::NoAnswer)];

/// A fault while its keys are read.
pub(crate) struct Draft(Fault);

impl Draft {
    pub(crate) fn new() -> Self {
        Self(Fault::new())
    }

    /// Covers an operation, by its word.
    pub(crate) fn operation(&mut self, word: &str) -> Result<(), String> {
        let operation = operation_of(word)?;
        if self.0.operations.contains(&operation) {
            return Err(format!("operation {word} stands twice"));
        }
        self.0.operations.push(operation);
        Ok(())
    }

    /// Sets what a key says.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let fault = &mut self.0;
        let schedule = &mut fault.schedule;
        match key {
            "id" => fault.id = Some(value.to_owned()),
            "code" | "status" if fault.answer != Answer::Own => {
                return Err("code and status exclude each other".to_owned());
            }
            "code" => fault.answer = Answer::Code(code(value)?),
            "status" => fault.answer = Answer::Status(number(key, value)?),
            "body" => fault.body = word(key, value, &BODIES)?,
            "retry_after" => fault.retry_after = Some(number(key, value)?),
            "delay" => fault.delay = Some(delay(value)?),
            "drip" => fault.drip = Some(number(key, value)?),
            "break" => fault.cut = Some(word(key, value, &CUTS)?),
            "times" => schedule.times = Some(number(key, value)?),
            "after" => schedule.after = number(key, value)?,
            "every" => schedule.every = number(key, value)?,
            "probability" => schedule.probability = number(key, value)?,
            _ => return Err(unknown("key", key, KEYS.iter().map(|(key, ..)| *key))),
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
        format!("no code {}{hint} (one of {})", quoted(value), all.join(", "))
    })
}

fn number<T: FromStr>(key: &str, value: &str) -> Result<T, String> {
    // `parse` takes a `+`, too.
    let parsed = if value.starts_with('+') { None } else { value.parse().ok() };
    parsed.ok_or_else(|| format!("{key} takes {}, got {}", takes(key), quoted(value)))
}

fn word<T: Copy>(key: &str, value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, value)| *value).ok_or_else(|| unknown(key, value, words.iter().map(|w| w.0)))
}

fn takes(key: &str) -> &'static str {
    KEYS.iter().find(|(name, ..)| *name == key).map_or("another value", |(_, takes, _)| takes)
}

fn delay(value: &str) -> Result<Delay, String> {
    let wrong = || format!("delay takes {} (milliseconds), got {}", takes("delay"), quoted(value));
    let ms = |text: &str| {
        let ms = if text.starts_with('+') { None } else { text.parse().ok() };
        ms.map(Duration::from_millis).ok_or_else(wrong)
    };
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
        // A colon may stand in a delay, too.
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
                FaultError(format!("write it as messages:code=50000,every=3; {pair} has no ="))
            })?;
            let (key, value) = (key.trim(), value.trim());
            if met.contains(&key) {
                return Err(FaultError(format!("{key} stands twice")));
            }
            met.push(key);
            draft.set(key, value).map_err(FaultError)?;
        }
        draft.finish().map_err(FaultError)
    }
}

/// Why a text or a value is no [`Fault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultError(pub(crate) String);

impl fmt::Display for FaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FaultError {}

impl fmt::Display for Fault {
    /// The line that reads to the same fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations: Vec<_> = self.operations.iter().map(|operation| operation.id()).collect();
        let mut between = "";
        if !operations.is_empty() {
            write!(f, "{}:", operations.join("+"))?;
        }
        let mut pair = |key: &str, value: &dyn fmt::Display| {
            let written = write!(f, "{between}{key}={value}");
            between = ",";
            written
        };
        if let Some(id) = &self.id {
            pair("id", id)?;
        }
        match self.answer {
            Answer::Own => {}
            Answer::Code(code) => pair("code", &code.number())?,
            Answer::Status(status) => pair("status", &status)?,
        }
        if let Some((word, _)) = BODIES[1..].iter().find(|(_, form)| *form == self.body) {
            pair("body", word)?;
        }
        if let Some(seconds) = self.retry_after {
            pair("retry_after", &seconds)?;
        }
        match self.delay {
            None => {}
            Some(Delay::Fixed(delay)) => pair("delay", &delay.as_millis())?,
            Some(Delay::Uniform(least, most)) => {
                pair("delay", &format_args!("{}..{}", least.as_millis(), most.as_millis()))?;
            }
            Some(Delay::LogNormal { median, sigma }) => {
                pair("delay", &format_args!("lognormal:{}:{sigma}", median.as_millis()))?;
            }
        }
        if let Some(drip) = self.drip {
            pair("drip", &drip)?;
        }
        if let Some((word, _)) = CUTS.iter().find(|(_, cut)| Some(*cut) == self.cut) {
            pair("break", word)?;
        }
        let schedule = self.schedule;
        if let Some(times) = schedule.times {
            pair("times", &times)?;
        }
        if schedule.after > 0 {
            pair("after", &schedule.after)?;
        }
        if schedule.every > 1 {
            pair("every", &schedule.every)?;
        }
        if schedule.probability < 1.0 {
            pair("probability", &schedule.probability)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back() {
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
        ] {
            assert_eq!(line.parse::<Fault>().unwrap().to_string(), line);
        }
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (line, why) in [
            ("", "has no ="),
            ("messages", "has no ="),
            ("mesages:code=50000", "did you mean messages?"),
            ("messages+messages:code=50000", "stands twice"),
            ("messages:code=50000,code=50000", "code stands twice"),
            ("messages:code=50000,status=500", "exclude each other"),
            ("messages:code=50001", "no code \"50001\" (one of 40000, "),
            ("code=503", "write status=503"),
            ("status=99", "200 to 599"),
            ("status=x", "status takes 200 to 599, got \"x\""),
            ("qa:code=40356", "qa never answers 40356; one of 40000, "),
            ("body=html", "goes with a status"),
            ("status=503,retry_after=86401", "retry_after must be 0 to 86400, got 86401"),
            ("status=503,retry_after=-1", "retry_after takes 0 to 86400, got \"-1\""),
            ("status=503,retry_after=2s", "retry_after takes 0 to 86400, got \"2s\""),
            ("delay=1,retry_after=2", "retry_after goes with a code or a status"),
            ("retry_after=2", "retry_after goes with a code or a status"),
            ("break=reset,retry_after=2", "retry_after goes with a code or a status"),
            ("status=503,retry-after=2", "did you mean retry_after?"),
            ("break=reset,status=500", "no answer to change"),
            ("every=3", "nothing goes wrong"),
            ("code=50000,evry=3", "did you mean every?"),
            ("code=50000,every=0", "1 or more"),
            ("code=50000,times=+1", "times takes 1 or more"),
            ("code=50000,probability=0", "above 0, up to 1"),
            ("code=50000,probability=NaN", "above 0, up to 1"),
            ("delay=900..100", "longer than the longest"),
            ("delay=600001", "at most 600000 ms"),
            ("delay=2s", "delay takes"),
            ("delay=lognormal:200", "delay takes"),
            ("delay=lognormal:200:9", "must be 0 to 5"),
            ("delay=1,id=a.b", "1 to 64 of"),
            ("delay=1,id=prefer", "is taken"),
            ("break=rest", "did you mean reset?"),
        ] {
            let error = line.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}
