//! The `Prefer` header, by which a request asks for a fault: `Prefer: code=40356, delay=2000` (RFC
//! 7240).
//!
//! A preference that we do not know is ignored, as the RFC demands. A preference of ours that is not
//! possible is also ignored, and `x-mock-reason` says why.

use super::{ArmedFault, Draft, Fault};
use crate::contract::Operation;
use crate::contract::operation_of;

/// The id of a fault that a request asked for begins so: `prefer.code-40356.delay-2000`.
pub(crate) const ID: &str = "prefer";

/// The preferences that define a fault. They have the names of a fault's keys.
const OURS: [&str; 4] = ["code", "status", RETRY_AFTER, "delay"];

/// The preference that needs a code or a status.
const RETRY_AFTER: &str = "retry_after";

/// The preference that repeats a fault, by its id.
const REPEAT: &str = "fault";

/// The preferences of a request that we know.
#[derive(Debug, Default)]
pub(crate) struct Preferences {
    /// Name and value of each; if a name is repeated, its first value counts.
    asked: Vec<(&'static str, String)>,
    ignored: Vec<String>,
}

/// The effect of a request's preferences.
pub(crate) struct PreferenceOutcome {
    /// The fault that the request asked for, and the number of the request that decides its random
    /// choices; `None`: none of the preferences is possible.
    pub(crate) fault: Option<(ArmedFault, u64)>,
    /// The value of `Preference-Applied`.
    pub(crate) applied: Option<String>,
    /// Why preferences are ignored.
    pub(crate) ignored: Option<String>,
}

impl Preferences {
    /// Reads every `Prefer` header of a request.
    pub(crate) fn read<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut all = Self::default();
        for header in headers {
            for preference in split(header, b',') {
                // Parameters follow after semicolons; our preferences have none.
                let preference = split(preference, b';').next();
                let preference = preference.expect("a split text has a first part");
                let (name, value) = match preference.iter().position(|byte| *byte == b'=') {
                    Some(at) => (&preference[..at], &preference[at + 1..]),
                    None => (preference, &b""[..]),
                };
                let name = name.trim_ascii();
                let mut ours = OURS.iter().chain([&REPEAT]);
                let ours = ours.find(|ours| name.eq_ignore_ascii_case(ours.as_bytes()));
                let Some(name) = ours else { continue };
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

    /// The outcome for a request of an operation, by its number; `armed` are the faults of the
    /// sandbox.
    pub(crate) fn apply(
        mut self,
        operation: Operation,
        ordinal: u64,
        armed: &[ArmedFault],
    ) -> PreferenceOutcome {
        let place = self.asked.iter().position(|(name, _)| *name == REPEAT);
        let fault = match place {
            Some(place) => {
                // A fault is repeated just as it was, so other preferences change nothing.
                let (_, id) = self.asked.swap_remove(place);
                for (name, _) in std::mem::take(&mut self.asked) {
                    let why = "fault cannot be combined with other preferences";
                    self.ignored.push(format!("{name}: {why}"));
                }
                match repeat(&id, operation, armed) {
                    Ok(found) => {
                        self.asked.push((REPEAT, id));
                        Some(found)
                    }
                    Err(why) => {
                        self.ignored.push(format!("fault: {why}"));
                        None
                    }
                }
            }
            None => self.make_fault(operation).map(|armed| (armed, ordinal)),
        };
        let pairs = self.asked.iter().map(|(name, value)| format!("{name}={value}"));
        let pairs: Vec<_> = pairs.collect();
        PreferenceOutcome {
            fault,
            applied: (!pairs.is_empty()).then(|| pairs.join(", ")),
            ignored: (!self.ignored.is_empty())
                .then(|| format!("Prefer ignored: {}", self.ignored.join("; "))),
        }
    }

    /// The fault that the preferences make. Those that are not possible are left out.
    fn make_fault(&mut self, operation: Operation) -> Option<ArmedFault> {
        let mut met: Vec<(&'static str, String)> = Vec::new();
        // `retry_after` may come before the code or status that it needs.
        self.asked.sort_by_key(|(name, _)| *name == RETRY_AFTER);
        for (name, value) in std::mem::take(&mut self.asked) {
            let with = met.iter().map(|(name, value)| (*name, value.as_str()));
            match fault_of(operation, with.chain([(name, value.as_str())])) {
                Ok(_) => met.push((name, value)),
                // Most reasons begin with the name.
                Err(why) if why.starts_with(name) => self.ignored.push(why),
                Err(why) => self.ignored.push(format!("{name}: {why}")),
            }
        }
        // The id has a fixed order, whatever order the client chose.
        met.sort_by_key(|(name, _)| OURS.iter().position(|ours| ours == name));
        let fault = fault_of(operation, met.iter().map(|(name, value)| (*name, value.as_str())));
        let pairs = met.iter().map(|(name, value)| format!(".{name}-{value}"));
        let id: String = [ID.to_owned()].into_iter().chain(pairs).collect();
        self.asked = met;
        // Without a possible preference there is no fault, and `ignored` says why.
        fault.ok().map(|fault| ArmedFault::new(&id, fault))
    }
}

/// The fault of these preferences.
fn fault_of<'a>(
    operation: Operation,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Fault, String> {
    let mut draft = Draft::new();
    draft.operation(operation.id())?;
    for (name, value) in pairs {
        if name == "delay" && value.parse::<u64>().is_err() {
            return Err("delay must be a whole number of milliseconds".to_owned());
        }
        draft.set(name, value)?;
    }
    draft.finish()
}

/// The fault with an id from `x-mock-fault`, and the number of the request that it was applied to.
fn repeat(
    full_id: &str,
    operation: Operation,
    armed: &[ArmedFault],
) -> Result<(ArmedFault, u64), String> {
    let wrong = || "its value is not an id from x-mock-fault".to_owned();
    let (rest, ordinal) = full_id.rsplit_once('.').ok_or_else(wrong)?;
    let (id, of) = rest.rsplit_once('.').ok_or_else(wrong)?;
    let ordinal = ordinal.parse().map_err(|_| wrong())?;
    if operation_of(of).map_err(|_| wrong())? != operation {
        return Err(format!("it was applied to {of}, but this request is for {}", operation.id()));
    }
    if let Some(pairs) = id.strip_prefix(ID).and_then(|rest| rest.strip_prefix('.')) {
        let pairs: Option<Vec<_>> = pairs.split('.').map(|pair| pair.split_once('-')).collect();
        let pairs = pairs.filter(|pairs| pairs.iter().all(|(name, _)| OURS.contains(name)));
        let made = fault_of(operation, pairs.ok_or_else(wrong)?.into_iter())?;
        return Ok((ArmedFault::new(id, made), ordinal));
    }
    let armed = armed.iter().find(|armed| *armed.definition.id == *id);
    let armed = armed.ok_or("this sandbox has no such fault")?;
    Ok((ArmedFault::of(&armed.definition), ordinal))
}

/// Splits at separators, but not within a quoted string.
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

/// A value without its quotes. None of our values needs an escape.
fn unquoted(value: &[u8]) -> String {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    String::from_utf8_lossy(inner.unwrap_or(value)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(header: &str) -> (Option<String>, Option<String>, Option<String>) {
        let armed = [ArmedFault::new("third", "status=503,every=3".parse().unwrap())];
        let preferences = Preferences::read([header.as_bytes()]);
        let applied = preferences.apply(Operation::Messages, 7, &armed);
        let fault =
            applied.fault.map(|(armed, ordinal)| format!("{}.{ordinal}", armed.definition.id));
        (fault, applied.applied, applied.ignored)
    }

    #[test]
    fn our_preferences_make_a_fault() {
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
    fn other_preferences_are_ignored() {
        for header in
            ["", ",,;=", "respond-async", "return=minimal", "codes=1", "=code", "\"code=1"]
        {
            assert!(Preferences::read([header.as_bytes()]).is_empty(), "{header}");
        }
    }

    #[test]
    fn impossible_preferences_are_ignored_with_a_reason() {
        for (header, applied, why) in [
            ("code=503", None, "code: there is no code \"503\"; write status=503"),
            ("code=x, status=503", Some("status=503"), "code: there is no code \"x\""),
            (
                "code=50000, status=503",
                Some("code=50000"),
                "status: give either code or status, not both",
            ),
            ("delay=1..5", None, "Prefer ignored: delay must be a whole number of milliseconds"),
            ("status=700", None, "200 to 599"),
            ("retry_after=2", None, "Prefer ignored: retry_after needs a code or a status"),
            ("retry_after=x, code=50000", Some("code=50000"), "retry_after must be 0 to 86400"),
            ("fault=x", None, "its value is not an id from x-mock-fault"),
            ("fault=third.qa.3", None, "it was applied to qa, but this request is for messages"),
            ("fault=first.messages.3", None, "no such fault"),
            ("fault=prefer.drip-1.messages.3", None, "its value is not an id from x-mock-fault"),
            (
                "fault=third.messages.3, delay=1",
                Some("fault=third.messages.3"),
                "delay: fault cannot be combined with other preferences",
            ),
        ] {
            let (_, met, ignored) = apply(header);
            assert_eq!(met.as_deref(), applied, "{header}");
            let ignored = ignored.unwrap_or_default();
            assert!(ignored.contains(why), "{header}: {ignored}");
        }
    }
}
