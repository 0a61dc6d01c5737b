//! Fills the derived blocks of the pages, which are between `<!-- derived: NAME -->` and `<!-- end -->`.

use std::fmt::Write as _;

use super::parts::{cite, title};
use crate::contract::{
    COMMON_ERRORS, CONVERSATION_TYPES, ENDPOINTS, Endpoint, ErrorRow, Field, HOSTS, Presence,
    READINGS, ReadingId, SUBJECTS, Status, UNSERVED_ENDPOINTS, behaviours, statements,
};
use crate::control::{self, MOST_BODY, PREFIX};
use crate::report::Table;
use crate::sandbox::faults::KEYS;
use crate::sandbox::hazard::HAZARDS;
use crate::sandbox::verdict::RULES;
use crate::settings::{SETTINGS, sandbox_keys};

/// The pages that have derived blocks.
pub(super) const PAGES: [&str; 8] = [
    "docs/config.md",
    "docs/control-api.md",
    "docs/faults.md",
    "docs/fidelity.md",
    "docs/hazards.md",
    "docs/journal-and-verdict.md",
    "docs/reference.md",
    "docs/sandboxes.md",
];

/// Fills each block of a page. A block on lines of its own keeps its line breaks.
pub(super) fn fill(page: &str) -> Result<String, String> {
    let mut parts = page.split(BEGIN);
    let mut filled = parts.next().expect("a split has a first part").to_owned();
    for part in parts {
        let (name, rest) = part.split_once(" -->").ok_or("a mark does not close")?;
        let (old, after) = rest.split_once(END).ok_or(format!("block {name} does not end"))?;
        let new = block(name).ok_or(format!("there is no block {name}"))?;
        let line_break = if old.starts_with('\n') { "\n" } else { "" };
        let new = new.trim_end();
        let _ = write!(filled, "{BEGIN}{name} -->{line_break}{new}{line_break}{END}{after}");
    }
    Ok(filled)
}

const BEGIN: &str = "<!-- derived: ";
const END: &str = "<!-- end -->";

fn block(name: &str) -> Option<String> {
    let statements_of =
        |status| statements().iter().filter(|it| it.source.status == status).count();
    Some(match name {
        "endpoints" => ENDPOINTS.iter().map(endpoint).collect(),
        "common errors" => errors(COMMON_ERRORS),
        "everywhere" | "channel" | "records" | "emulator" => behaviour_table(name),
        "channels" => channels(),
        "endpoints not served" => unserved(),
        "hosts" => hosts(),
        "readings" => readings(),
        "open readings" => open_readings(),
        "statements" => statements().len().to_string(),
        "documented" => statements_of(Status::Documented).to_string(),
        "seen" => statements_of(Status::Seen).to_string(),
        "assumed" => statements_of(Status::Assumed).to_string(),
        "statements by subject" => statements_by_subject(),
        "operations" => operations(),
        "fault keys" => fault_keys(),
        "hazards" => hazards(),
        "largest body" => (MOST_BODY >> 20).to_string(),
        "control operations" => control_operations(),
        "sandbox settings" => sandbox_settings(),
        "settings" => settings(),
        "rules" => rules(),
        _ => return None,
    })
}

fn endpoint(endpoint: &Endpoint) -> String {
    let Endpoint { path, name, about, .. } = endpoint;
    let from = cite(endpoint.source);
    let mut parameters = Table::new(&["parameter", "required", "accepts", "about", "source"]);
    for param in endpoint.params {
        let required = if param.presence == Presence::Required { "yes" } else { "no" };
        // The long list of channels has a table of its own.
        let accepts = match param.kind.words().len() {
            0..=10 => param.kind.expected(),
            _ => "ALL or a channel (below)".to_owned(),
        };
        parameters.row(&[param.field.name(), required, &accepts, param.about, &cite(param.source)]);
    }
    let mut keys = Table::new(&["key", "type", "about", "source"]);
    for key in endpoint.answer.keys {
        keys.row(&[key.name, key.json_type.name(), key.about, &cite(key.source)]);
    }
    let (rows, total) = (endpoint.answer.rows_name(), endpoint.answer.total_about);
    [
        format!("## GET {path}\n\n{name}: {about}.\nSource: {from}.\n"),
        parameters.finish(),
        format!("Response: rows in `{rows}`; total: {total}.\n"),
        keys.finish(),
        errors(endpoint.errors),
        behaviour_table(endpoint.id),
    ]
    .map(|part| part + "\n")
    .concat()
}

/// The behaviours of a subject that no other table contains.
fn behaviour_table(subject: &str) -> String {
    let mut table = Table::new(&["about", "what happens", "source", "reading"]);
    for row in behaviours(subject) {
        table.row(&[
            &title(&row),
            &row.says,
            &cite(row.source),
            row.reading.map_or("", ReadingId::name),
        ]);
    }
    table.finish()
}

fn errors(rows: &[ErrorRow]) -> String {
    let mut table = Table::new(&["code", "HTTP", "message", "source"]);
    for row in rows {
        let (number, status) = (row.code.number().to_string(), row.code.http_status().to_string());
        table.row(&[&number, &status, &format!("`{}`", row.message), &cite(row.source)]);
    }
    table.finish()
}

fn channels() -> String {
    let mut table = Table::new(&["value", "meaning", "source"]);
    for (value, meaning, from) in CONVERSATION_TYPES {
        table.row(&[value.name(), meaning, &cite(*from)]);
    }
    table.finish()
}

fn unserved() -> String {
    let mut table = Table::new(&["method", "path", "about", "source"]);
    for row in UNSERVED_ENDPOINTS {
        table.row(&[row.method, row.path, row.about, &cite(row.source)]);
    }
    table.finish()
}

fn hosts() -> String {
    let mut table = Table::new(&["host", "regions", "about", "source"]);
    for host in HOSTS {
        table.row(&[host.url, &host.regions.join(", "), host.about, &cite(host.source)]);
    }
    table.finish()
}

fn readings() -> String {
    let mut table = Table::new(&["reading", "value", "what it does", "affects"]);
    for row in READINGS {
        let (default, others) = row.values.split_first().expect("a reading has values");
        let (word, about) = default;
        table.row(&[row.name, &format!("{word} (default)"), about.trim(), row.affects]);
        for (word, about) in others {
            table.row(&["", word, about.trim(), ""]);
        }
    }
    table.finish()
}

fn open_readings() -> String {
    let mut table = Table::new(&["reading", "values, default first", "affects", "why it is open"]);
    for row in READINGS {
        let words: Vec<_> = row.values.iter().map(|(word, _)| *word).collect();
        table.row(&[row.name, &words.join(", "), row.affects, row.why]);
    }
    table.finish()
}

fn statements_by_subject() -> String {
    let all = statements();
    let sections = SUBJECTS.iter().map(|(subject, title)| {
        let mut table = Table::new(&["statement", "what it says", "status", "source", "reading"]);
        for one in all.iter().filter(|one| one.id.subject() == *subject) {
            let (id, reading) = (one.id.to_string(), one.reading.map_or("", ReadingId::name));
            let status = one.source.status.name();
            table.row(&[&id, &one.says, status, one.source.from, reading]);
        }
        format!("## {title}\n\n{}\n", table.finish())
    });
    sections.collect()
}

fn operations() -> String {
    let operations = ENDPOINTS.iter().map(|row| format!("`{}`", row.id));
    operations.collect::<Vec<_>>().join(", ")
}

fn fault_keys() -> String {
    let mut table = Table::new(&["key", "takes", "does"]);
    for (key, takes, does) in &KEYS {
        table.row(&[&format!("`{key}`"), takes, does]);
    }
    let params: Vec<_> = Field::ALL.map(|field| format!("`{}`", field.name())).into();
    let does = "the fault applies only to requests with this value of the parameter";
    table.row(&[&params.join(", "), "what the endpoint accepts", does]);
    table.finish()
}

fn hazards() -> String {
    let mut table = Table::new(&["hazard", "what happens"]);
    for row in &HAZARDS {
        table.row(&[&format!("`{}`", row.word), row.about]);
    }
    table.finish()
}

fn control_operations() -> String {
    let mut table = Table::new(&["method", "path", "query", "what"]);
    for operation in control::operations() {
        let names = operation.query.map_or(&[][..], |(names, _)| names);
        let query: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let path = format!("`{PREFIX}{}`", operation.path);
        table.row(&[operation.method.as_str(), &path, &query.join(", "), operation.about]);
    }
    table.finish()
}

fn sandbox_settings() -> String {
    let mut table = Table::new(&["key", "value"]);
    for (key, _) in sandbox_keys() {
        let more = key.more.map_or_else(String::new, |page| format!(", see [{page}]({page})"));
        table.row(&[&format!("`{}`", key.name), &(key.about.to_owned() + &more)]);
    }
    table.finish()
}

/// Every setting, by its flag.
fn settings() -> String {
    let mut table = Table::new(&["flag", "default", "description"]);
    for setting in SETTINGS {
        let flag = match setting.value_name {
            "" => format!("`--{}`", setting.name),
            value => format!("`--{} {value}`", setting.name),
        };
        let default = setting.default().map_or_else(String::new, |text| format!("`{text}`"));
        let bounds = setting.bounds().map_or_else(String::new, |bounds| format!(" {bounds}"));
        table.row(&[&flag, &default, &(setting.description() + &bounds)]);
    }
    table.finish()
}

fn rules() -> String {
    let mut table = Table::new(&["rule", "why it matters"]);
    for (_, name, why) in &RULES {
        table.row(&[&format!("`{name}`"), why]);
    }
    table.finish()
}
