//! What one request asks for itself: `Prefer: code=40356, delay=2000` (RFC 7240).
//!
//! A preference that is not ours is ignored, as the RFC says. One of ours that cannot be met is
//! ignored, too, and the answer tells why in `x-mock-reason`.

use super::{Draft, Fault, Live};
use crate::contract::Operation;
use crate::contract::operation_of;

/// The id of what a request asked for: `prefer.code-40356.delay-2000`.
pub(crate) const ID: &str = "prefer";

/// Preferences that make a fault, by the keys that they have there.
const OURS: [&str; 4] = ["code", "status", RETRY_AFTER, "delay"];

/// The preference that goes with another one.
const RETRY_AFTER: &str = "retry_after";

/// The preference that asks for a fault again, by its id.
const REPEAT: &str = "fault";

/// The preferences of a request that are ours.
#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// Name and value; of those with the same name, the first.
    asked: Vec<(&'static str, String)>,
    ignored: Vec<String>,
}

/// What is done for a request that has preferences.
pub(crate) struct Applied {
    /// The fault that was asked for, by its id and the request that its draws are of; `None`
    /// where nothing can be met.
    pub(crate) fault: Option<(Live, u64)>,
    /// What `Preference-Applied` says.
    pub(crate) applied: Option<String>,
    /// Why something is ignored.
    pub(crate) ignored: Option<String>,
}

impl Preferences {
    /// Reads every `Prefer` header of a request.
    pub(crate) fn read<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut all = Self::default();
        for header in headers {
            for preference in split(header, b',') {
                // What stands behind a semicolon are parameters; ours have none.
                let preference = split(preference, b';').next().unwrap_or_default();
                let (name, value) = match preference.iter().position(|byte| *byte == b'=') {
                    Some(at) => (&preference[..at], &preference[at + 1..]),
                    None => (preference, &b""[..]),
                };
                let name = name.trim_ascii();
                let ours = OURS.iter().chain([&REPEAT]);
                let mut ours = ours.filter(|ours| name.eq_ignore_ascii_case(ours.as_bytes()));
                let Some(name) = ours.next() else { continue };
                if all.asked.iter().all(|(asked, _)| asked != name) {
                    all.asked.push((name, unquoted(value.trim_ascii())));
                }
            }
        }
        all
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// What can be done for a request of an operation, which is its sandbox's so many-th; `known`
    /// are the sandbox's faults.
    pub(crate) fn apply(mut self, operation: Operation, ordinal: u64, known: &[Live]) -> Applied {
        let repeat = self.asked.iter().position(|(name, _)| *name == REPEAT);
        let fault = match repeat {
            Some(place) => {
                // A fault that is repeated is repeated as it was.
                let (_, id) = self.asked.swap_remove(place);
                for (name, _) in std::mem::take(&mut self.asked) {
                    self.ignored.push(format!("{name}, because fault says all"));
                }
                match again(&id, operation, known) {
                    Ok(found) => {
                        self.asked.push((REPEAT, id));
                        Some(found)
                    }
                    Err(why) => {
                        self.ignored.push(format!("fault, because {why}"));
                        None
                    }
                }
            }
            None => self.fault(operation).map(|live| (live, ordinal)),
        };
        let pairs = self.asked.iter().map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<_> = pairs.collect();
        Applied {
            fault,
            applied: (!pairs.is_empty()).then(|| pairs.join(", ")),
            ignored: (!self.ignored.is_empty())
                .then(|| format!("Prefer ignored: {}", self.ignored.join("; "))),
        }
    }

    /// The fault that the preferences make. Those that cannot be met are left out.
    fn fault(&mut self, operation: Operation) -> Option<Live> {
        let mut met: Vec<(&'static str, String)> = Vec::new();
        // It may stand before the one that it goes with.
        self.asked.sort_by_key(|(name, _)| *name == RETRY_AFTER);
        for (name, value) in std::mem::take(&mut self.asked) {
            let with = met.iter().map(|(name, value)| (*name, value.as_str()));
            match asked(operation, with.chain([(name, value.as_str())])) {
                Ok(_) => met.push((name, value)),
                Err(why) => self.ignored.push(format!("{name}, because {why}")),
            }
        }
        // A fixed order, whatever the client's was.
        met.sort_by_key(|(name, _)| OURS.iter().position(|ours| ours == name));
        let fault = asked(operation, met.iter().map(|(name, value)| (*name, value.as_str())));
        let pairs = met.iter().map(|(name, value)| format!(".{name}-{value}"));
        let id: String = [ID.to_owned()].into_iter().chain(pairs).collect();
        self.asked = met;
        fault.ok().map(|fault| Live::new(&id, fault))
    }
}

/// The fault of some of our preferences.
fn asked<'a>(
    operation: Operation,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Fault, String> {
    let mut draft = Draft::new();
    draft.operation(operation.id())?;
    for (name, value) in pairs {
        if name == "delay" && value.parse::<u64>().is_err() {
            return Err("delay takes milliseconds".to_owned());
        }
        draft.set(name, value)?;
    }
    draft.finish()
}

/// The fault of an id that an answer named, and the number of the request that it struck.
fn again(id: &str, operation: Operation, known: &[Live]) -> Result<(Live, u64), String> {
    let wrong = || "it is not an id that x-mock-fault named".to_owned();
    let (rest, ordinal) = id.rsplit_once('.').ok_or_else(wrong)?;
    let (fault, of) = rest.rsplit_once('.').ok_or_else(wrong)?;
    let ordinal = ordinal.parse().map_err(|_| wrong())?;
    if operation_of(of).map_err(|_| wrong())? != operation {
        return Err(format!("it struck {of}, and this is {}", operation.id()));
    }
    if let Some(pairs) = fault.strip_prefix(ID).and_then(|rest| rest.strip_prefix('.')) {
        let pairs: Option<Vec<_>> = pairs.split('.').map(|pair| pair.split_once('-')).collect();
        let pairs = pairs.filter(|pairs| pairs.iter().all(|(name, _)| OURS.contains(name)));
        let made = asked(operation, pairs.ok_or_else(wrong)?.into_iter())?;
        return Ok((Live::new(fault, made), ordinal));
    }
    let live = known.iter().find(|live| &*live.known.id == fault);
    let live = live.ok_or("this sandbox has no such fault")?;
    Ok((Live::of(&live.known), ordinal))
}

/// The parts between a separator, which in a quoted string is none.
fn split(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |byte| {
        let separates = *byte == separator && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
}

/// A value without its quotes. No value of ours has anything to escape.
fn unquoted(value: &[u8]) -> String {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    String::from_utf8_lossy(inner.unwrap_or(value)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(header: &str) -> (Option<String>, Option<String>, Option<String>) {
        let known = [Live::new("third", "status=503,every=3".parse().unwrap())];
        let preferences = Preferences::read([header.as_bytes()]);
        let applied = preferences.apply(Operation::Messages, 7, &known);
        let fault = applied.fault.map(|(live, ordinal)| format!("{}.{ordinal}", live.known.id));
        (fault, applied.applied, applied.ignored)
    }

    #[test]
    fn ours_are_met() {
        for (header, id, applied) in [
            ("code=40356", "prefer.code-40356.7", "code=40356"),
            ("respond-async, CODE = \"50000\";x=y,wait=3", "prefer.code-50000.7", "code=50000"),
            ("delay=2000, status=503", "prefer.status-503.delay-2000.7", "status=503, delay=2000"),
            (
                "retry_after=5, delay=1, status=503",
                "prefer.status-503.retry_after-5.delay-1.7",
                "status=503, retry_after=5, delay=1",
            ),
            ("delay=1,delay=2", "prefer.delay-1.7", "delay=1"),
            ("foo=\"a,b\\\",code=40000\", delay=1", "prefer.delay-1.7", "delay=1"),
            ("fault=third.messages.3", "third.3", "fault=third.messages.3"),
            (
                "fault=prefer.code-50000.delay-5.messages.2",
                "prefer.code-50000.delay-5.2",
                "fault=prefer.code-50000.delay-5.messages.2",
            ),
        ] {
            let expected = (Some(id.to_owned()), Some(applied.to_owned()), None);
            assert_eq!(apply(header), expected, "{header}");
        }
    }

    #[test]
    fn others_are_ignored() {
        for header in
            ["", ",,;=", "respond-async", "return=minimal", "codes=1", "=code", "\"code=1"]
        {
            assert!(Preferences::read([header.as_bytes()]).is_empty(), "{header}");
        }
    }

    #[test]
    fn ours_that_cannot_be_met_are_told() {
        for (header, applied, why) in [
            ("code=503", None, "code, because no code \"503\"; write status=503"),
            ("code=x, status=503", Some("status=503"), "code, because no code \"x\""),
            ("code=50000, status=503", Some("code=50000"), "status, because code and status"),
            ("delay=1..5", None, "delay, because delay takes milliseconds"),
            ("status=700", None, "200 to 599"),
            (
                "retry_after=2",
                None,
                "retry_after, because retry_after goes with a code or a status",
            ),
            ("retry_after=x, code=50000", Some("code=50000"), "retry_after takes 0 to 86400"),
            ("fault=x", None, "not an id"),
            ("fault=third.qa.3", None, "it struck qa, and this is messages"),
            ("fault=first.messages.3", None, "no such fault"),
            ("fault=prefer.drip-1.messages.3", None, "not an id"),
            ("fault=third.messages.3, delay=1", Some("fault=third.messages.3"), "delay, because"),
        ] {
            let (_, met, ignored) = apply(header);
            assert_eq!(met.as_deref(), applied, "{header}");
            let ignored = ignored.unwrap_or_default();
            assert!(ignored.contains(why), "{header}: {ignored}");
        }
    }
}
