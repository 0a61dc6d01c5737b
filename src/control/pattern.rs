//! Request patterns in the format of `WireMock`, which select the requests to find, count or remove. A
//! pattern is compared with the request as it was sent, including keys; responses never show the keys.

use super::Failure;
use super::bodies::read_document;
use super::condition::{
    Condition, Expression, MOST_EXPRESSION, Search, Stopped, ValuesCondition, compile, mean,
    read_condition, read_expression, read_values_condition, text_distance,
};
use super::extract::FromBody;
use super::serve_event::{SCHEME, cookies, split_host};
use crate::document::{At, Fatal, Reader, Span};
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::{Entry, pairs};
use crate::suggest::quoted;
use crate::target::without_sandbox;

/// Every key of a pattern.
pub(crate) const KEYS: &[&str] = &[
    "method",
    "url",
    "urlPath",
    "urlPattern",
    "urlPathPattern",
    "urlPathTemplate",
    "pathParameters",
    "queryParameters",
    "headers",
    "cookies",
    "scheme",
    "host",
    "port",
    "clientIp",
];

/// Keys of `WireMock`'s patterns that we do not support, each with the reason.
const USELESS: &[(&str, &str)] = &[
    ("bodyPatterns", NO_BODIES),
    ("formParameters", NO_BODIES),
    ("multipartPatterns", NO_BODIES),
    (
        "basicAuth",
        "the vendor's API uses a Bearer key; give a condition on the header Authorization",
    ),
    ("customMatcher", "the emulator has no extensions"),
];

const NO_BODIES: &str = "the journal does not store bodies, because no endpoint reads one";

/// The most headers, parameters or cookies that a pattern may name.
pub(crate) const MOST_NAMES: usize = 100;

/// What a request must contain. A field that is not set matches every request.
#[derive(Default)]
pub(crate) struct Pattern {
    /// `None` for `ANY`, too.
    method: Option<String>,
    url: Option<UrlMatcher>,
    path_parameters: Vec<(String, Condition)>,
    query_parameters: Vec<(String, ValuesCondition)>,
    headers: Vec<(String, ValuesCondition)>,
    cookies: Vec<(String, Condition)>,
    scheme: Option<String>,
    host: Option<Condition>,
    port: Option<i64>,
    client_ip: Option<Condition>,
}

/// What the target of a request, or its path alone, must be.
enum UrlMatcher {
    Target(String),
    Path(String),
    TargetMatches(Expression),
    PathMatches(Expression),
    Template(PathTemplate),
}

/// A path with names instead of some segments: `/v1/{what}`.
struct PathTemplate {
    text: String,
    expression: Expression,
    /// The name of each group of the expression.
    names: Vec<String>,
}

/// Why the comparison of a request ended early.
enum Ended {
    Differs,
    Stopped,
}

impl From<Stopped> for Ended {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// The weighted mean of the distances of a request's parts.
struct WeightedMean {
    sum: f64,
    weight: f64,
    measures: bool,
}

impl WeightedMean {
    /// Adds a part. A search that does not measure ends at the first part that differs.
    fn add(&mut self, weight: f64, distance: Result<f64, Stopped>) -> Result<(), Ended> {
        let distance = distance?;
        if distance > 0.0 && !self.measures {
            return Err(Ended::Differs);
        }
        self.sum += weight * distance;
        self.weight += weight;
        Ok(())
    }
}

impl FromBody for Pattern {
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let mut pattern = Self::default();
        read_document(sandboxes, body, |reader| pattern.read_from(reader))?;
        Ok(pattern)
    }
}

impl Pattern {
    fn read_from(&mut self, reader: &mut Reader<'_, '_>) -> Result<(), Fatal> {
        let Some(mut keys) = reader.object("a request pattern")? else { return Ok(()) };
        let known: Vec<&str> =
            KEYS.iter().copied().chain(USELESS.iter().map(|(key, _)| *key)).collect();
        let mut nested = 0;
        let mut path_parameters_at = None;
        while let Some(At { value: key, span }) = reader.key(&mut keys, &known)? {
            // Some clients write `null` for a key that they do not set.
            if reader.null()? {
                continue;
            }
            if let Some((_, why)) = USELESS.iter().find(|(useless, _)| *useless == key) {
                let message = format!("{key} is not supported");
                reader.problems.add_with_help(span, message, *why);
                reader.skip()?;
                continue;
            }
            match key {
                "method" => self.method = read_method(reader)?,
                "scheme" => self.scheme = reader.string()?.map(|text| text.value),
                "port" => self.port = reader.integer("a port")?.map(|port| port.value),
                "host" => self.host = read_condition(reader, &span, &mut nested)?,
                "clientIp" => self.client_ip = read_condition(reader, &span, &mut nested)?,
                "queryParameters" | "headers" => {
                    let what = format!("{key} by name");
                    let read = read_names(reader, &what, &mut nested, read_values_condition)?;
                    if key == "headers" {
                        self.headers = read;
                    } else {
                        self.query_parameters = read;
                    }
                }
                "cookies" => {
                    self.cookies =
                        read_names(reader, "cookies by name", &mut nested, read_condition)?;
                }
                "pathParameters" => {
                    self.path_parameters =
                        read_names(reader, "pathParameters by name", &mut nested, read_condition)?;
                    path_parameters_at = Some(span);
                }
                _ => {
                    let url = read_url(reader, key)?;
                    if self.url.is_some() {
                        let message = format!("{key} cannot be combined with another url key");
                        let help = "give only one of url, urlPath, urlPattern, urlPathPattern, \
                                    urlPathTemplate";
                        reader.problems.add_with_help(span, message, help);
                    }
                    self.url = url.or(self.url.take());
                }
            }
        }
        if let Some(at) = path_parameters_at {
            self.check_path_parameters(reader, &at);
        }
        Ok(())
    }

    /// Refuses path parameters that are not in the template.
    fn check_path_parameters(&self, reader: &mut Reader<'_, '_>, at: &Span) {
        let names = match &self.url {
            Some(UrlMatcher::Template(template)) => &*template.names,
            _ => &[],
        };
        for (name, _) in &self.path_parameters {
            if !names.contains(name) {
                let message = format!("urlPathTemplate has no {{{name}}}");
                let help = "write each path parameter as {name} in urlPathTemplate";
                reader.problems.add_with_help(at.clone(), message, help);
            }
        }
    }

    /// Whether a request fits.
    pub(super) fn fits(&self, entry: &Entry, stop: &dyn Fn() -> bool) -> Result<bool, Stopped> {
        match self.compare(entry, Search { stop, measures: false }) {
            Ok(_) => Ok(true),
            Err(Ended::Differs) => Ok(false),
            Err(Ended::Stopped) => Err(Stopped),
        }
    }

    /// How far a request is from the pattern: 0 if it fits, 1 if nothing is similar.
    pub(super) fn distance(&self, entry: &Entry, stop: &dyn Fn() -> bool) -> Result<f64, Stopped> {
        self.compare(entry, Search { stop, measures: true }).map_err(|_| Stopped)
    }

    /// The distance of a request, in which the url weighs most, as in `WireMock`.
    fn compare(&self, entry: &Entry, search: Search) -> Result<f64, Ended> {
        let mut mean_of = WeightedMean { sum: 0.0, weight: 0.0, measures: search.measures };
        if let Some(method) = &self.method {
            mean_of.add(3.0, Ok(differs(*method != entry.method())))?;
        }
        let target = entry.target();
        // A client may treat the sandbox prefix as a part of the server's address.
        let own = without_sandbox(&target);
        if let Some(url) = &self.url {
            let mut distance = url.distance(own, search)?;
            if own.len() < target.len() && distance > 0.0 {
                distance = distance.min(url.distance(&target, search)?);
            }
            mean_of.add(10.0, Ok(distance))?;
        }
        if let Some(scheme) = &self.scheme {
            mean_of.add(3.0, Ok(differs(scheme != SCHEME)))?;
        }
        if self.host.is_some() || self.port.is_some() {
            let authority = entry.header("host").map(String::from_utf8_lossy);
            let (host, port) = split_host(authority.as_deref());
            if let Some(condition) = &self.host {
                mean_of.add(10.0, condition.distance(host, search))?;
            }
            if let Some(wanted) = self.port {
                mean_of.add(10.0, Ok(differs(wanted != i64::from(port))))?;
            }
        }
        if let Some(condition) = &self.client_ip {
            mean_of.add(3.0, condition.distance(Some(&entry.client.to_string()), search))?;
        }
        for (name, condition) in &self.headers {
            let of = entry.headers().filter(|(header, _)| header.eq_ignore_ascii_case(name));
            let values = of.map(|(_, value)| String::from_utf8_lossy(value));
            mean_of.add(1.0, condition.distance(values, search))?;
        }
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for (name, condition) in &self.query_parameters {
            let values = pairs(query).filter(|(param, _)| param == name).map(|(_, value)| value);
            mean_of.add(1.0, condition.distance(values, search))?;
        }
        for (name, condition) in &self.cookies {
            let headers = entry.headers().filter(|(header, _)| header == "cookie");
            let headers: Vec<_> =
                headers.map(|(_, value)| String::from_utf8_lossy(value)).collect();
            let all = headers.iter().flat_map(|header| cookies(header));
            let values = all.filter(|(cookie, _)| cookie == name).map(|(_, value)| value.into());
            mean_of.add(1.0, condition.distance_to_any(values, search))?;
        }
        if let Some(UrlMatcher::Template(template)) = &self.url
            && !self.path_parameters.is_empty()
        {
            let distance = template.distance_of(&self.path_parameters, own, search);
            mean_of.add(1.0, distance)?;
        }
        Ok(if mean_of.weight > 0.0 { mean_of.sum / mean_of.weight } else { 0.0 })
    }
}

/// The distance of a part that is either equal or different.
fn differs(differs: bool) -> f64 {
    f64::from(u8::from(differs))
}

/// The path of a target.
fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

impl UrlMatcher {
    fn distance(&self, target: &str, search: Search) -> Result<f64, Stopped> {
        let path = path_of(target);
        let (wanted, got, fits) = match self {
            Self::Target(url) => (Some(url), target, url == target),
            Self::Path(url) => (Some(url), path, url == path),
            Self::TargetMatches(expression) => {
                (None, target, expression.matches(target, search.stop)?)
            }
            Self::PathMatches(expression) => (None, path, expression.matches(path, search.stop)?),
            Self::Template(template) => {
                (Some(&template.text), path, template.expression.matches(path, search.stop)?)
            }
        };
        Ok(match wanted {
            _ if fits => 0.0,
            Some(wanted) if search.measures => text_distance(wanted, got),
            _ => 1.0,
        })
    }
}

impl PathTemplate {
    /// `{name}` matches a path segment, and `**` matches any text.
    fn new(text: String) -> Result<Self, regex_lite::Error> {
        let (mut expression, mut names) = (String::new(), Vec::new());
        let mut rest = &*text;
        while let Some(c) = rest.chars().next() {
            let name = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            if let Some((name, behind)) = name.filter(|(name, _)| !name.is_empty()) {
                expression.push_str("([^/]+)");
                names.push(name.replace(['.', ';', '*'], ""));
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix("**") {
                expression.push_str("(?:.*)");
                rest = behind;
            } else {
                expression.push_str(&regex_lite::escape(c.encode_utf8(&mut [0; 4])));
                rest = &rest[c.len_utf8()..];
            }
        }
        let expression = compile(&expression)?;
        Ok(Self { text, expression, names })
    }

    /// How far the segments of a path are from the conditions on them.
    fn distance_of(
        &self,
        conditions: &[(String, Condition)],
        target: &str,
        search: Search,
    ) -> Result<f64, Stopped> {
        let Some(parts) = self.expression.captures(path_of(target), search.stop)? else {
            return Ok(1.0);
        };
        mean(conditions.iter().map(|(name, condition)| {
            let group = self.names.iter().position(|known| known == name);
            let part = group.and_then(|group| parts.get(group + 1));
            condition.distance(part.map(|part| part.as_str()), search)
        }))
    }
}

fn read_method(reader: &mut Reader<'_, '_>) -> Result<Option<String>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    let upper = value.to_ascii_uppercase();
    if upper != value {
        let message = format!("no request has the method {}", quoted(&value));
        reader.problems.add_with_help(span, message, format!("write {}", quoted(&upper)));
    }
    Ok(Some(upper).filter(|method| method != "ANY"))
}

fn read_url(reader: &mut Reader<'_, '_>, key: &str) -> Result<Option<UrlMatcher>, Fatal> {
    match key {
        "urlPattern" => return Ok(read_expression(reader)?.map(UrlMatcher::TargetMatches)),
        "urlPathPattern" => return Ok(read_expression(reader)?.map(UrlMatcher::PathMatches)),
        _ => {}
    }
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    if key == "url" {
        return Ok(Some(UrlMatcher::Target(value)));
    }
    if value.contains('?') {
        let help = "give the query as queryParameters, or path and query as url";
        reader.problems.add_with_help(span, "a path must not contain `?`", help);
        return Ok(None);
    }
    if key == "urlPath" {
        return Ok(Some(UrlMatcher::Path(value)));
    }
    let template = if value.len() > MOST_EXPRESSION { None } else { PathTemplate::new(value).ok() };
    if template.is_none() {
        let message =
            format!("the template has more than {MOST_EXPRESSION} bytes, or is too complex");
        reader.problems.add(span, message);
    }
    Ok(template.map(UrlMatcher::Template))
}

/// Reads a condition that belongs to a name.
type ReadCondition<C> = fn(&mut Reader<'_, '_>, &Span, &mut usize) -> Result<Option<C>, Fatal>;

/// Conditions by the names of headers, parameters or cookies.
fn read_names<C>(
    reader: &mut Reader<'_, '_>,
    what: &str,
    nested: &mut usize,
    read: ReadCondition<C>,
) -> Result<Vec<(String, C)>, Fatal> {
    let mut names = Vec::new();
    let Some(mut keys) = reader.object(what)? else { return Ok(names) };
    while let Some(At { value: name, span }) = reader.name(&mut keys)? {
        if names.len() >= MOST_NAMES {
            reader.problems.add(span, format!("there are more than {MOST_NAMES} names"));
            reader.skip()?;
        } else if let Some(condition) = read(reader, &span, nested)? {
            names.push((name, condition));
        }
    }
    Ok(names)
}
