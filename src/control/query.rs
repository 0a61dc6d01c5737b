//! What the query of a request to the control API says.
#![cfg_attr(not(feature = "docs"), allow(dead_code, reason = "documents alone say it all"))]

use std::time::SystemTime;

use percent_encoding::percent_decode_str;

use super::Failure;
use crate::keys::is_sandbox_id;
use crate::sandbox::verdict::Rule;
use crate::suggest::nearest;

/// A parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    Limit,
    Since,
    Sandbox,
    Mute,
}

impl Query {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Since => "since",
            Self::Sandbox => "sandbox",
            Self::Mute => "mute",
        }
    }

    /// What it does, on an operation about one request or on another.
    pub(crate) fn about(self, of_one: bool) -> &'static str {
        match self {
            Self::Limit => "so many at most",
            Self::Since => "only those that came after this time",
            Self::Sandbox if of_one => "only if it is of this sandbox",
            Self::Sandbox => "only those of this sandbox",
            Self::Mute => "leaves out the findings of these rules",
        }
    }
}

/// What was asked.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) limit: Option<usize>,
    pub(crate) since: Option<SystemTime>,
    pub(crate) sandbox: Option<String>,
    pub(crate) mute: Vec<Rule>,
}

impl Asked {
    /// Reads a query that may hold the parameters of `known`. Where none are known, none are
    /// looked at.
    pub(crate) fn read(query: Option<&str>, known: &[Query]) -> Result<Self, Failure> {
        let mut asked = Self::default();
        if known.is_empty() {
            return Ok(asked);
        }
        for pair in query.unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match known.iter().find(|known| known.name() == name) {
                Some(known) => asked.set(*known, &value)?,
                None => return Err(unknown(name, known)),
            }
        }
        Ok(asked)
    }

    fn set(&mut self, query: Query, value: &str) -> Result<(), Failure> {
        let wrong = |what: &str| {
            let value = crate::suggest::quoted(value);
            Failure::bad(format!("{} must be {what}, got {value}", query.name()))
        };
        match query {
            Query::Limit => {
                self.limit = Some(value.parse().map_err(|_| wrong("a whole number"))?);
            }
            Query::Since => {
                let what = "a time such as 2026-10-20T09:00:00Z";
                let since: jiff::Timestamp = value.parse().map_err(|_| wrong(what))?;
                self.since = Some(since.into());
            }
            Query::Sandbox if is_sandbox_id(value) => self.sandbox = Some(value.to_owned()),
            Query::Sandbox => {
                return Err(wrong("the id of a sandbox, 1 to 64 of A-Z a-z 0-9 . _ -"));
            }
            Query::Mute => {
                for rule in value.split(',') {
                    let rule =
                        rule.parse().map_err(|error: crate::sandbox::verdict::RuleError| {
                            Failure::bad(error.to_string())
                        })?;
                    self.mute.push(rule);
                }
            }
        }
        Ok(())
    }
}

fn unknown(name: &str, known: &[Query]) -> Failure {
    let known: Vec<&str> = known.iter().map(|known| known.name()).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("one of {}", known.join(", ")),
    };
    let name = crate::suggest::quoted(name);
    Failure::bad(format!("no parameter {name}; {hint}"))
}
