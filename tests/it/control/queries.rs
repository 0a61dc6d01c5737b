//! Parameters that an operation does not have are refused.

use gptbots_mock::Server;
use serde_json::json;

use crate::support::control::{control, listed, put};

/// Each operation that has no parameters, with a parameter.
const WITH_ONE: &[(&str, &str)] = &[
    ("GET", "/health?x=1"),
    ("GET", "/version?x=1"),
    ("GET", "/openapi.json?x=1"),
    ("GET", "/admin-openapi.json?x=1"),
    ("GET", "/sandboxes?limit=1"),
    ("PUT", "/sandboxes/a?fixtures=true"),
    ("DELETE", "/sandboxes/a?x=1"),
    ("POST", "/sandboxes/a/reset?x=1"),
    ("POST", "/sandboxes/a/clock?x=1"),
    ("POST", "/sandboxes/a/faults?x=1"),
    ("POST", "/reset?sandbox=a"),
    ("POST", "/reset?sandbox="),
    ("POST", "/requests/reset?x"),
];

#[test]
fn a_parameter_that_an_operation_does_not_have_is_refused() {
    let server = Server::start().unwrap();
    put(&server, "a", &json!({}));
    for (method, path) in WITH_ONE {
        let answer = control(server.address(), method, path, "{}");
        let name = path.split(['?', '=']).nth(1).unwrap();
        answer.failed(400, &format!("there is no parameter {name:?}; "));
        assert_eq!(listed(server.address()), ["default", "a"], "{method} {path}");
    }
    control(server.address(), "GET", "/version?", "").ok();
    control(server.address(), "POST", "/reset?&", "").ok();
}
