//! The bounds of every parameter of every endpoint, at both sides. Most tests take the bounds from
//! the tables in `src/contract`; those that hold a statement (`*.page`, `*.page_size`) have
//! literals, because a wrong table would agree with itself.

use gptbots_mock::Server;
use gptbots_mock::contract::{ENDPOINTS, Endpoint, Field, Kind, Param, Presence};

use crate::support::client::{Answer, get};
use crate::support::walk::encode;

/// Values that are just accepted.
fn just_inside(kind: Kind) -> Vec<String> {
    match kind {
        Kind::ConversationType | Kind::Feedback => {
            kind.words().into_iter().map(str::to_owned).collect()
        }
        Kind::Text => vec!["x".to_owned()],
        Kind::Millis => [i64::MIN, -1, 0, i64::MAX].map(|n| n.to_string()).into(),
        Kind::Integer { min, max } => vec![min.to_string(), format!("00{min}"), max.to_string()],
    }
}

/// Values that are just refused.
fn just_outside(kind: Kind) -> Vec<String> {
    let not_a_number = ["1.0", "+1", "1 ", " 1", "1e1", "-", "0x1", "\u{661}", "one"];
    let beyond = ["9223372036854775808", "-9223372036854775809"];
    let mut outside: Vec<String> = match kind {
        Kind::ConversationType | Kind::Feedback => {
            let mut words: Vec<_> = kind.words().iter().map(|w| w.to_lowercase()).collect();
            words.extend(kind.words().iter().map(|w| format!("{w} ")));
            words.extend(["NO", "ALL,ALL", "*"].map(str::to_owned));
            words
        }
        Kind::Text => Vec::new(),
        Kind::Millis | Kind::Integer { .. } => {
            not_a_number.iter().chain(&beyond).map(ToString::to_string).collect()
        }
    };
    if let Kind::Integer { min, max } = kind {
        outside.extend(
            [min.checked_sub(1), max.checked_add(1)].iter().flatten().map(ToString::to_string),
        );
    }
    outside
}

/// A query whose parameters are all right, and whose window is as wide as it can be.
fn right(endpoint: &Endpoint) -> Vec<(Field, String)> {
    let value = |param: &Param| match (param.field, just_inside(param.kind)) {
        (Field::EndTime, values) => values.last().cloned(),
        (_, values) => values.first().cloned(),
    };
    endpoint.params.iter().map(|param| (param.field, value(param).unwrap())).collect()
}

/// Asks with one parameter's `name=value` replaced by `instead`.
#[track_caller]
fn ask(server: &Server, endpoint: &Endpoint, param: &Param, instead: &str) -> Answer {
    let pair = |(field, value): &(Field, String)| match *field {
        field if field == param.field => instead.to_owned(),
        field => format!("{}={}", field.name(), encode(value)),
    };
    let query: Vec<_> = right(endpoint).iter().map(pair).collect();
    get(server, "app-demo", &format!("{}?{}", endpoint.path, query.join("&")))
}

#[track_caller]
fn accepted(server: &Server, endpoint: &Endpoint, param: &Param, instead: &str) {
    let answer = ask(server, endpoint, param, instead);
    let code = answer.json()["code"].clone();
    // The one conversation asked for does not exist, which only right parameters find out.
    let fine = answer.status == 200 || code == 40356 || code == 40005;
    assert!(fine, "{}?{instead}: {answer:?}", endpoint.path);
}

#[track_caller]
fn refused(server: &Server, endpoint: &Endpoint, param: &Param, instead: &str) {
    let answer = ask(server, endpoint, param, instead);
    let place = format!("{}?{instead}: {answer:?}", endpoint.path);
    assert_eq!((answer.status, answer.json()["code"].as_u64()), (400, Some(40000)), "{place}");
    let names = answer.header("x-mock-reason").unwrap().split(' ').next();
    assert_eq!(names, Some(param.field.name()), "{place}");
}

/// Every parameter of every endpoint, against one server.
fn each(check: impl Fn(&Server, &'static Endpoint, &'static Param)) {
    let server = Server::builder().conversations(1).start().unwrap();
    for endpoint in ENDPOINTS {
        for param in endpoint.params {
            check(&server, endpoint, param);
        }
    }
}

#[test]
fn a_value_just_inside_is_accepted() {
    each(|server, endpoint, param| {
        for value in just_inside(param.kind) {
            let pair = format!("{}={}", param.field.name(), encode(&value));
            accepted(server, endpoint, param, &pair);
        }
    });
}

#[test]
fn a_value_just_outside_is_refused_by_name() {
    each(|server, endpoint, param| {
        for value in just_outside(param.kind) {
            let pair = format!("{}={}", param.field.name(), encode(&value));
            refused(server, endpoint, param, &pair);
        }
    });
}

/// Asserts that a pair is refused where the parameter is required, and ignored where it is not.
#[track_caller]
fn as_if_absent(pair: impl Fn(&str) -> String) {
    each(|server, endpoint, param| {
        let pair = pair(param.field.name());
        match param.presence {
            Presence::Required => refused(server, endpoint, param, &pair),
            Presence::Optional => accepted(server, endpoint, param, &pair),
        }
    });
}

#[test]
fn a_required_parameter_must_be_there() {
    as_if_absent(|_| String::new());
}

#[test]
fn empty_value_is_treated_as_absent() {
    as_if_absent(|name| format!("{name}="));
}

#[test]
fn a_name_without_an_equals_sign_has_no_value() {
    as_if_absent(str::to_owned);
}

#[test]
fn a_parameter_in_another_case_is_another_parameter() {
    as_if_absent(|name| format!("{}=1", name.to_uppercase()));
}

/// Asserts that a parameter is refused when its pair is replaced by what `pairs` makes of its name
/// and a right value.
#[track_caller]
fn is_refused(pairs: impl Fn(&str, &str) -> String) {
    each(|server, endpoint, param| {
        let value = encode(&just_inside(param.kind)[0]);
        refused(server, endpoint, param, &pairs(param.field.name(), &value));
    });
}

#[test]
fn a_parameter_given_twice_is_refused() {
    is_refused(|name, value| format!("{name}={value}&{name}={value}"));
}

#[test]
fn empty_value_counts_as_an_occurrence() {
    is_refused(|name, value| format!("{name}=&{name}={value}"));
    is_refused(|name, value| format!("{name}={value}&{name}"));
}

/// `p%61ge` is `page`.
#[test]
fn an_encoded_name_is_the_same_name() {
    let encoded = |name: &str| format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
    is_refused(|name, value| format!("{name}={value}&{}={value}", encoded(name)));
    each(|server, endpoint, param| {
        let value = encode(&right(endpoint).iter().find(|(f, _)| *f == param.field).unwrap().1);
        accepted(server, endpoint, param, &format!("{}={value}", encoded(param.field.name())));
    });
}

#[test]
fn a_value_that_is_not_utf_8_is_refused() {
    is_refused(|name, _| format!("{name}=%ff"));
    is_refused(|name, value| format!("{name}={value}%C3"));
}

#[test]
fn an_unknown_parameter_is_ignored_with_any_value() {
    each(|server, endpoint, param| {
        let value = encode(&right(endpoint).iter().find(|(f, _)| *f == param.field).unwrap().1);
        let pair = format!("{}={value}", param.field.name());
        for unknown in ["bot_id=1", "x=1&x=2", "x=%ff&%ff=x", "x", "=", "&&", "page[]=0"] {
            accepted(server, endpoint, param, &format!("{unknown}&{pair}&{unknown}"));
        }
    });
}

#[test]
fn a_parameter_of_another_endpoint_is_ignored() {
    each(|server, endpoint, param| {
        for other in ENDPOINTS.iter().flat_map(|other| other.params) {
            if param.field == Field::Page && endpoint.param(other.field).is_none() {
                let name = other.field.name();
                accepted(server, endpoint, param, &format!("page=1&{name}=%ff&{name}="));
            }
        }
    });
}

/// Literals from the pages, one bound at a time.
#[track_caller]
fn page_sizes(query: &str, sizes: &[(&str, bool)]) {
    let server = Server::start().unwrap();
    for (size, accepted) in sizes {
        let answer = get(&server, "your_apikey", &format!("{query}&page=1&page_size={size}"));
        assert_eq!(answer.status, if *accepted { 200 } else { 400 }, "{size}");
    }
}

#[test]
fn the_list_takes_1_to_100_rows() {
    page_sizes(
        "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=1",
        &[("0", false), ("1", true), ("100", true), ("101", false), ("-1", false)],
    );
}

#[test]
fn messages_take_1_to_100_rows() {
    for query in ["/v1/messages?conversation_id=xxxxxx", "/v2/messages?conversation_id=xxxxxx"] {
        page_sizes(
            query,
            &[("0", false), ("1", true), ("100", true), ("101", false), ("-1", false)],
        );
    }
}

#[test]
fn the_qa_list_takes_10_to_100_rows() {
    page_sizes(
        "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=1",
        &[("1", false), ("9", false), ("10", true), ("100", true), ("101", false)],
    );
}

#[test]
fn pages_are_counted_from_1() {
    let server = Server::start().unwrap();
    for query in [
        "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=1",
        "/v1/messages?conversation_id=xxxxxx",
        "/v2/messages?conversation_id=xxxxxx",
        "/v1/message/qa/record/page?user_feedback=ALL&start_time=0&end_time=1",
    ] {
        let status = |page: &str| {
            let target = format!("{query}&page={page}&page_size=10");
            get(&server, "your_apikey", &target).status
        };
        assert_eq!(["-1", "0", "1", "007"].map(status), [400, 400, 200, 200], "{query}");
    }
}
