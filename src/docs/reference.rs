//! `docs/reference.md`.

use std::fmt::Write as _;

use super::parts::title;
use crate::contract::behaviours;
use crate::contract::{
    COMMON_ERRORS, CONVERSATION_TYPES, Code, ENDPOINTS, Endpoint, HOSTS, Presence, READINGS,
    SUBJECTS, Source, UNSERVED_ENDPOINTS,
};
use crate::report::Table;

fn source(source: Source) -> String {
    format!("{}: {}", source.status.name(), source.from)
}

/// Every endpoint with its parameters, answer and errors: `docs/reference.md`.
pub(super) fn reference_page() -> String {
    let mut out = String::from(
        "# The contract\n\n\
         What gptbots-mock serves, printed from its own tables (`gptbots-mock contract`).\n\
         How well each row is known: documented (a page of the vendor says it), seen (a public\n\
         client only makes sense if it is so), assumed. FIDELITY.md adds the test that holds it.\n\n",
    );
    for endpoint in ENDPOINTS {
        endpoint_section(&mut out, endpoint);
    }
    common_section(&mut out);
    unserved_section(&mut out);
    hosts_section(&mut out);
    out.push_str("## Readings\n\n");
    readings_table(&mut out);
    for subject in ["records", "emulator"] {
        let title = SUBJECTS.iter().find(|(name, _)| *name == subject).map_or("", |(_, it)| it);
        let _ = writeln!(out, "## {title}\n");
        behaviour_table(&mut out, subject);
    }
    trim(out)
}

fn endpoint_section(out: &mut String, endpoint: &Endpoint) {
    let _ = writeln!(out, "## GET {}\n\n{}: {}.", endpoint.path, endpoint.name, endpoint.about);
    let _ = writeln!(out, "Source: {}.\n", source(endpoint.source));
    let mut table = Table::new(&["parameter", "required", "accepts", "about", "source"]);
    for param in endpoint.params {
        let required = if param.presence == Presence::Required { "yes" } else { "no" };
        let words = param.kind.words().len();
        // The long list of channels has a table of its own.
        let accepts =
            if words > 10 { "ALL or a channel (below)".to_owned() } else { param.kind.expected() };
        table.row(&[param.field.name(), required, &accepts, param.about, &source(param.source)]);
    }
    table.finish(out);
    let answer = &endpoint.answer;
    let _ =
        writeln!(out, "Answer: rows in `{}`; total: {}.\n", answer.rows_name(), answer.total_about);
    let mut table = Table::new(&["key", "type", "about", "source"]);
    for (name, json_type, about, from) in answer.keys() {
        table.row(&[name, json_type.name(), about, &source(from)]);
    }
    table.finish(out);
    let mut table = Table::new(&["code", "HTTP", "message", "source"]);
    for row in endpoint.errors {
        error_row(&mut table, row.code, row.message, row.source);
    }
    table.finish(out);
    behaviour_table(out, endpoint.id);
}

/// What no other table says of a subject.
fn behaviour_table(out: &mut String, subject: &str) {
    let mut table = Table::new(&["about", "what happens", "source", "reading"]);
    for row in behaviours(subject) {
        table.row(&[&title(&row), &row.says, &source(row.source), row.reading.unwrap_or("")]);
    }
    table.finish(out);
}

fn error_row(table: &mut Table, code: Code, message: &str, from: Source) {
    let (number, status) = (code.number().to_string(), code.http_status().to_string());
    table.row(&[&number, &status, &format!("`{message}`"), &source(from)]);
}

fn common_section(out: &mut String) {
    out.push_str("## Everywhere\n\n");
    let mut table = Table::new(&["code", "HTTP", "message", "source"]);
    for row in COMMON_ERRORS {
        error_row(&mut table, row.code, row.message, row.source);
    }
    table.finish(out);
    behaviour_table(out, "everywhere");
    out.push_str("Channels (`conversation_type`):\n\n");
    let mut table = Table::new(&["value", "meaning", "source"]);
    for (value, meaning, from) in CONVERSATION_TYPES {
        table.row(&[value.name(), meaning, &source(*from)]);
    }
    table.finish(out);
    behaviour_table(out, "channel");
}

fn unserved_section(out: &mut String) {
    out.push_str(
        "## Not served\n\n\
         The vendor has these endpoints and gptbots-mock does not serve them: 404, and the reason\n\
         says so.\n\n",
    );
    let mut table = Table::new(&["method", "path", "about", "source"]);
    for row in UNSERVED_ENDPOINTS {
        table.row(&[row.method, row.path, row.about, &source(row.source)]);
    }
    table.finish(out);
}

fn hosts_section(out: &mut String) {
    out.push_str("## Hosts\n\n");
    let mut table = Table::new(&["host", "regions", "about", "source"]);
    for host in HOSTS {
        table.row(&[host.url, &host.regions.join(", "), host.about, &source(host.source)]);
    }
    table.finish(out);
}

fn readings_table(out: &mut String) {
    let mut table = Table::new(&["reading", "value", "what it does", "affects"]);
    for row in READINGS {
        for (number, (word, about)) in row.values.iter().enumerate() {
            let name = if number == 0 { row.name } else { "" };
            let affects = if number == 0 { row.affects } else { "" };
            let default = if number == 0 { " (default)" } else { "" };
            table.row(&[name, &format!("{word}{default}"), about.trim(), affects]);
        }
    }
    table.finish(out);
}

/// One line break at the end.
pub(super) fn trim(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
