//! The parameters of each page, typed from its table, and what a query may not do with them.
//! [`limits`](crate::api::limits) asks the same of the tables in `src/contract`. Tests the
//! statements on parameters.

use gptbots_mock::Server;

use crate::support::client::{Answer, get, request};

/// A page's table of parameters, with a value of each that the built-in records know.
struct Page {
    path: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    /// How the page words 40000.
    invalid: &'static str,
}

const CONVERSATIONS: Page = Page {
    path: "/v1/bot/conversation/page",
    required: &[
        "conversation_type=API",
        "start_time=1691942400000",
        "end_time=1699868066999",
        "page=1",
        "page_size=50",
    ],
    optional: &["user_id=3"],
    invalid: "Invalid parameter",
};

const MESSAGES: Page = Page {
    path: "/v1/messages",
    required: &["conversation_id=xxxxxx", "page=1", "page_size=100"],
    optional: &[],
    invalid: "Invalid parameter.",
};

const MESSAGES_V2: Page = Page {
    path: "/v2/messages",
    required: &["conversation_id=xxxxxx", "page=1", "page_size=100"],
    optional: &[],
    invalid: "Invalid parameters",
};

const QA: Page = Page {
    path: "/v1/message/qa/record/page",
    required: &[
        "user_feedback=ALL",
        "start_time=1699891200000",
        "end_time=1699891214999",
        "page=1",
        "page_size=10",
    ],
    optional: &[],
    invalid: "Invalid parameter",
};

const PAGES: [Page; 4] = [CONVERSATIONS, MESSAGES, MESSAGES_V2, QA];

impl Page {
    /// Asks with some of the parameters.
    #[track_caller]
    fn ask(&self, server: &Server, pairs: &[&str]) -> Answer {
        get(server, "your_apikey", &format!("{}?{}", self.path, pairs.join("&")))
    }

    /// Asks with all that are required, but with something else instead of one, or beside them
    /// where that one is optional.
    #[track_caller]
    fn ask_with(&self, server: &Server, pair: &str, instead: &str) -> Answer {
        let others = self.required.iter().filter(|required| **required != pair);
        let pairs: Vec<_> = others.copied().chain([instead]).collect();
        self.ask(server, &pairs)
    }

    #[track_caller]
    fn needs_each(&self) {
        let server = Server::start().unwrap();
        self.ask(&server, self.required).ok();
        for pair in self.required {
            let others: Vec<_> =
                self.required.iter().filter(|other| *other != pair).copied().collect();
            self.ask(&server, &others).refused(400, 40000, self.invalid, name(pair));
        }
    }
}

fn name(pair: &str) -> &str {
    pair.split('=').next().unwrap()
}

/// Asserts that each parameter of each page is refused when its pair is replaced by `made` of it.
#[track_caller]
fn each_is_refused(made: impl Fn(&str) -> String) {
    let server = Server::start().unwrap();
    for page in PAGES {
        for pair in page.required.iter().chain(page.optional) {
            let answer = page.ask_with(&server, pair, &made(pair));
            answer.refused(400, 40000, page.invalid, name(pair));
        }
    }
}

/// Asserts that the response to each page's query is the same when more parameters are added.
#[track_caller]
fn each_is_the_same_with(server: &Server, more: &str) {
    for page in PAGES {
        let without = page.ask(server, page.required);
        let before: Vec<_> = [more].iter().chain(page.required).copied().collect();
        let behind: Vec<_> = page.required.iter().chain(&[more]).copied().collect();
        assert_eq!(page.ask(server, &before).ok().body, without.ok().body, "{more}");
        assert_eq!(page.ask(server, &behind).ok().body, without.ok().body, "{more}");
    }
}

#[test]
fn conversations_needs_each() {
    CONVERSATIONS.needs_each();
}

#[test]
fn messages_needs_each() {
    MESSAGES.needs_each();
}

#[test]
fn messages_v2_needs_each() {
    MESSAGES_V2.needs_each();
}

#[test]
fn qa_needs_each() {
    QA.needs_each();
}

#[test]
fn an_optional_parameter_may_be_left_out() {
    let server = Server::start().unwrap();
    let ids = |pairs: &[&str]| CONVERSATIONS.ask(&server, pairs).column("list", "user_id");
    assert_eq!(ids(CONVERSATIONS.required), ["3", "33"]);
    assert_eq!(ids(&[CONVERSATIONS.required, CONVERSATIONS.optional].concat()), ["3"]);
}

#[test]
fn a_parameter_given_twice_is_refused() {
    each_is_refused(|pair| format!("{pair}&{pair}"));
    each_is_refused(|pair| format!("{pair}&{}=", name(pair)));
}

#[test]
fn an_empty_parameter_is_as_if_absent() {
    let server = Server::start().unwrap();
    for page in PAGES {
        for pair in page.required {
            let answer = page.ask_with(&server, pair, &format!("{}=", name(pair)));
            answer.refused(400, 40000, page.invalid, name(pair));
        }
        for pair in page.optional {
            let answer = page.ask_with(&server, pair, &format!("{}=", name(pair)));
            assert_eq!(answer.ok().body, page.ask(&server, page.required).body, "{pair}");
        }
    }
}

#[test]
fn a_value_that_is_not_utf_8_is_refused() {
    each_is_refused(|pair| format!("{}=%ff", name(pair)));
    each_is_refused(|pair| format!("{pair}%C3"));
}

#[test]
fn an_unknown_parameter_is_ignored_with_any_value() {
    let server = Server::start().unwrap();
    for unknown in ["sort=asc", "x=1&x=2", "x=%ff&%ff=x", "x", "=", "&&", "page[]=0", "PAGE=0"] {
        each_is_the_same_with(&server, unknown);
    }
}

/// Not even another agent's.
#[test]
fn a_bot_id_counts_for_nothing() {
    let server = Server::start().unwrap();
    let list = CONVERSATIONS.required.join("&").replace("=API", "=ALL");
    let list = list.replace("1691942400000", "0").replace("1699868066999", "9999999999999");
    let answer = get(&server, "app-demo", &format!("{}?{list}", CONVERSATIONS.path));
    let another = answer.column("list", "bot_id").remove(0);
    assert_ne!(another, "64b902a84f1ff25d1c60c10b");
    for bot_id in ["64b902a84f1ff25d1c60c10b", &another, "nobody", ""] {
        each_is_the_same_with(&server, &format!("bot_id={bot_id}"));
    }
}

/// Each request mends what the one before was refused for, and nothing else.
#[test]
fn wrong_parameters_are_reported_in_order() {
    let server = Server::start().unwrap();
    for (code, method, target, key) in [
        (404, "POST", "/v1/message?page_size=101", "nobody"),
        (405, "POST", "/v1/messages?page_size=101", "nobody"),
        (40127, "GET", "/v1/messages?page_size=101", "nobody"),
        (20059, "GET", "/v1/messages?page_size=101", "app-deleted"),
        (40000, "GET", "/v1/messages?conversation_id=x&page=2&page_size=101", "your_apikey"),
        (40356, "GET", "/v1/messages?conversation_id=x&page=2&page_size=100", "your_apikey"),
        (40005, "GET", "/v1/messages?conversation_id=xxxxxx&page=2&page_size=100", "your_apikey"),
    ] {
        let key = format!("Bearer {key}");
        let answer = request(&server, method, target, &[("Authorization", &key)]);
        assert_eq!(answer.json()["code"], code, "{answer:?}");
    }
}
