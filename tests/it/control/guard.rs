//! Who may use the control API: `Host`, `Origin` and the token are checked. Heads are written byte
//! by byte, as a browser or a foreign program sends them.

use std::net::SocketAddr;

use gptbots_mock::Server;

use crate::support::client::{Answer, NEWEST, fetch, get, raw};
use crate::support::process::{Process, command, run};

/// Requests the default sandbox with these header lines.
#[track_caller]
fn with(address: SocketAddr, lines: &[&str]) -> Answer {
    send(address, "GET", "/__admin/sandboxes/default", lines, "")
}

#[track_caller]
fn send(address: SocketAddr, method: &str, path: &str, lines: &[&str], body: &str) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for line in lines {
        head.extend([line, "\r\n"]);
    }
    raw(address, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

#[track_caller]
fn passes(answer: &Answer) {
    assert_eq!((answer.status, &answer.json()["id"]), (200, &"default".into()), "{answer:?}");
    never_cors(answer);
}

/// Asserts a refusal in JSON with this reason and without CORS headers.
#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    answer.failed(status, why);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    never_cors(answer);
}

#[track_caller]
fn never_cors(answer: &Answer) {
    let cors = answer.headers.iter().find(|(name, _)| name.starts_with("access-control"));
    assert_eq!(cors, None);
}

const HERE: &str = "Host: localhost";

#[test]
fn local_host_names_are_allowed() {
    let server = Server::start().unwrap();
    let own = format!("Host: {}", server.address());
    for host in [&own, HERE, "Host: localhost:1", "Host: [::1]:8484", "Host: 127.0.0.2"] {
        passes(&with(server.address(), &[host]));
    }
}

/// DNS rebinding: a foreign name resolves to 127.0.0.1, so the request comes from this machine, but the page does
/// not.
#[test]
fn rebound_host_name_is_403() {
    let server = Server::start().unwrap();
    let port = server.address().port();
    let headers = [
        &*format!("Host: rebound.evil.example:{port}"),
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept: */*",
        &format!("Referer: http://rebound.evil.example:{port}/"),
        "Sec-Fetch-Dest: empty",
        "Sec-Fetch-Mode: cors",
        // For the browser, this is the same origin.
        "Sec-Fetch-Site: same-origin",
    ];
    let answer = with(server.address(), &headers);
    refused(&answer, 403, "Host \"rebound.evil.example\" is not a name of this machine");
}

#[test]
fn host_names_that_look_local_are_refused() {
    let server = Server::start().unwrap();
    for host in [
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "0.0.0.0",
        "127.0.0.1evil",
        "[::]",
        "localhost,evil.example",
    ] {
        refused(&with(server.address(), &[&format!("Host: {host}")]), 403, "Host");
    }
    for malformed in [
        "evil.example#localhost",
        "localhost@evil.example",
        // The name is as long as the valid one.
        "localhost@evil.host",
        "evil.example:80@localhost",
        "localhost evil.example",
    ] {
        let answer = with(server.address(), &[&format!("Host: {malformed}")]);
        refused(&answer, 400, "Host");
    }
}

#[test]
fn a_request_without_its_one_host_is_refused() {
    let server = Server::start().unwrap();
    for lines in [&[][..], &["Host:"], &[HERE, HERE], &[HERE, "Host: evil.example"]] {
        refused(&with(server.address(), lines), 400, "Host");
    }
}

#[test]
fn cross_site_page_is_403() {
    let server = Server::start().unwrap();
    for line in [
        "Origin: https://evil.example",
        "Origin: http://localhost.evil.example",
        "Origin: null",
        "Origin: http://evil.example:80@localhost",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: anything else",
        // A page on another port of this machine.
        "Sec-Fetch-Site: same-site",
        "Origin: http://localhost:3000",
        "Origin: http://127.0.0.1",
        "Origin: https://localhost",
    ] {
        let answer = with(server.address(), &[HERE, line]);
        refused(&answer, 403, "web pages of another origin may not use the control API");
    }
}

/// A form needs no preflight, and its `text/plain` body may contain JSON.
#[test]
fn cross_site_form_changes_nothing() {
    let server = Server::start().unwrap();
    let browser = [
        HERE,
        "Content-Type: text/plain",
        "Origin: https://evil.example",
        "Sec-Fetch-Dest: document",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Site: cross-site",
    ];
    let path = "/__admin/sandboxes/default/faults";
    let answer = send(server.address(), "POST", path, &browser, r#"{"status": 503, "id": "x"}"#);
    refused(&answer, 403, "another origin");
    get(&server, "app-demo", NEWEST).ok();
}

/// An image or a link sends no `Origin`.
#[test]
fn cross_site_link_is_403() {
    let server = Server::start().unwrap();
    let browser =
        [HERE, "Sec-Fetch-Dest: image", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Site: cross-site"];
    refused(&with(server.address(), &browser), 403, "another origin");
}

/// One foreign value among several headers is enough for a refusal.
#[test]
fn one_foreign_origin_among_several_is_403() {
    let server = Server::start().unwrap();
    for lines in [
        [HERE, "Origin: http://localhost", "Origin: https://evil.example"],
        [HERE, "Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"],
    ] {
        refused(&with(server.address(), &lines), 403, "another origin");
    }
}

/// The request of a page in Chromium 140, on a port beside the server's: a `POST` that needs no
/// preflight.
#[test]
fn a_page_on_another_port_adds_no_fault() {
    let server = Server::start().unwrap();
    let browser = [
        &*format!("Host: {}", server.address()),
        "Origin: http://127.0.0.1:1",
        "Content-Type: text/plain;charset=UTF-8",
        "Sec-Fetch-Dest: empty",
        "Sec-Fetch-Mode: no-cors",
        "Sec-Fetch-Site: same-site",
    ];
    let path = "/__admin/sandboxes/default/faults";
    let answer = send(server.address(), "POST", path, &browser, r#"{"status": 503}"#);
    refused(&answer, 403, "another origin");
    get(&server, "app-demo", NEWEST).ok();
}

#[test]
fn a_page_of_the_servers_own_origin_and_clients_that_are_not_pages_pass() {
    let server = Server::start().unwrap();
    let (host, origin) =
        (format!("Host: {}", server.address()), format!("Origin: http://{}", server.address()));
    passes(&with(server.address(), &[&host, &origin, "Sec-Fetch-Site: same-origin"]));
    passes(&with(server.address(), &[HERE, "Origin: http://localhost"]));
    passes(&with(server.address(), &["Host: localhost:80", "Origin: http://localhost"]));
    passes(&with(server.address(), &[HERE, "Sec-Fetch-Site: same-origin"]));
    passes(&with(server.address(), &[HERE, "Sec-Fetch-Site: none"]));
}

#[test]
fn a_preflight_is_never_answered_as_one() {
    for server in [Server::builder(), Server::builder().cors()] {
        let server = server.start().unwrap();
        let asks = |origin| {
            let lines = [HERE, origin, "Access-Control-Request-Method: PUT"];
            send(server.address(), "OPTIONS", "/__admin/sandboxes/a", &lines, "")
        };
        refused(&asks("Origin: https://evil.example"), 403, "another origin");
        refused(&asks("Origin: http://localhost"), 405, "the method must be GET, HEAD, PUT");
    }
}

#[test]
fn the_guard_checks_every_path() {
    let server = Server::start().unwrap();
    for (method, path) in [
        ("GET", "/__admin"),
        ("GET", "/__admin/"),
        ("GET", "/__admin/nothing"),
        ("GET", "/__admin/sandboxes"),
        ("GET", "/__admin/sandboxes/default"),
        ("PUT", "/__admin/sandboxes/a"),
        ("DELETE", "/__admin/sandboxes/default"),
        ("POST", "/__admin/sandboxes/a/reset"),
        ("POST", "/__admin/sandboxes/a/clock"),
        ("POST", "/__admin/sandboxes/a/faults"),
        ("BREW", "/__admin/health"),
    ] {
        let answer = send(server.address(), method, path, &["Host: evil.example"], "{}");
        refused(&answer, 403, "evil.example");
    }
}

#[test]
fn vendor_endpoints_accept_any_host() {
    let server = Server::start().unwrap();
    let lines =
        ["Host: evil.example", "Sec-Fetch-Site: cross-site", "Authorization: Bearer app-demo"];
    send(server.address(), "GET", NEWEST, &lines, "").ok();
}

#[test]
fn host_given_by_allow_host_is_allowed() {
    let (_server, address) = Process::serve(&["--allow-host", "mock,gptbots.test"]);
    for host in ["Host: mock", "Host: MOCK:8484", "Host: gptbots.test:1"] {
        passes(&with(address, &[host]));
    }
    passes(&with(address, &["Host: gptbots.test", "Origin: http://gptbots.test"]));
    let other_name = [HERE, "Origin: http://gptbots.test"];
    refused(&with(address, &other_name), 403, "another origin");
    for host in ["Host: mock.evil.example", "Host: test", "Host: xmock"] {
        refused(&with(address, &[host]), 403, "allow it with --allow-host");
    }
}

#[test]
fn with_a_token_requests_without_it_are_401() {
    let (_server, address) = Process::serve(&["--admin-token", "s3cret"]);
    passes(&with(address, &[HERE, "Authorization: Bearer s3cret"]));
    passes(&with(address, &[HERE, "authorization: bearer s3cret"]));
    let wrong = "Authorization: Bearer s3cre";
    let twice = "Authorization: Bearer s3cret";
    for lines in [
        &[HERE][..],
        &[HERE, wrong],
        &[HERE, "Authorization: Bearer s3cret~a"],
        &[HERE, "Authorization: Basic s3cret"],
        &[HERE, "Authorization: s3cret"],
        &[HERE, "Authorization: Bearer app-demo"],
        &[HERE, wrong, twice],
        &[HERE, twice, twice],
    ] {
        let answer = with(address, lines);
        refused(&answer, 401, "with the token of --admin-token");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(!answer.body.contains("s3cret"), "{answer:?}");
    }
}

/// Clients use the name of the service as the host of a container. The container knows neither that name nor a
/// port mapping.
#[test]
fn token_is_enough_under_any_host() {
    let (_server, address) = Process::serve(&["--admin-token", "s3cret"]);
    let token = "Authorization: Bearer s3cret";
    for host in
        ["Host: gptbots-mock:8484", "Host: 10.88.0.2:8484", "Host: host.docker.internal:49152"]
    {
        passes(&with(address, &[host, token]));
    }
    let page = "Origin: http://gptbots-mock:8484";
    passes(&with(address, &["Host: gptbots-mock:8484", page, token]));
}

/// A page whose name in DNS was changed to this machine's address has no token.
#[test]
fn rebound_host_name_without_the_token_is_401() {
    let (_server, address) = Process::serve(&["--admin-token", "s3cret"]);
    let lines = ["Host: rebound.evil.example", "Sec-Fetch-Site: same-origin"];
    refused(&with(address, &lines), 401, "with the token of --admin-token");
}

#[test]
fn token_does_not_lift_the_origin_check() {
    let (_server, address) = Process::serve(&["--admin-token", "s3cret"]);
    let token = "Authorization: Bearer s3cret";
    for host in [HERE, "Host: gptbots-mock:8484"] {
        for page in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"] {
            refused(&with(address, &[host, token, page]), 403, "another origin");
        }
    }
}

#[test]
fn vendor_endpoints_need_no_token() {
    let (_server, address) = Process::serve(&["--admin-token", "s3cret"]);
    fetch(address, "app-demo", NEWEST).ok();
    assert_eq!(fetch(address, "s3cret", NEWEST).status, 401);
}

/// A probe under a pod's address, through a port mapping, or with a token that it does not know.
#[test]
fn health_and_version_need_no_token() {
    for args in [&[][..], &["--admin-token", "s3cret"], &["--no-admin"]] {
        let (_server, address) = Process::serve(args);
        for lines in [
            &["Host: 10.3.104.46:8484"][..],
            &["Host: evil.example", "Sec-Fetch-Site: cross-site"],
            &[HERE, "Origin: https://evil.example"],
            &[HERE, "Authorization: Bearer wrong"],
        ] {
            let health = send(address, "GET", "/__admin/health", lines, "");
            assert_eq!(health.ok().json()["status"], "healthy", "{args:?} {lines:?}");
            never_cors(&health);
            let version = send(address, "GET", "/__admin/version", lines, "");
            let own = env!("CARGO_PKG_VERSION");
            assert_eq!(version.ok().json()["version"], own, "{args:?} {lines:?}");
        }
    }
}

#[test]
fn healthcheck_needs_no_token() {
    for args in [&["--admin-token", "s3cret"][..], &["--no-admin"]] {
        let (_server, address) = Process::serve(args);
        let port = address.port().to_string();
        let ended = run(&mut command(&["healthcheck", "--port", &port]));
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    }
}

#[test]
fn without_a_control_api_its_paths_are_404() {
    let (_server, address) = Process::serve(&["--no-admin"]);
    for path in ["/__admin/healthy", "/__admin/sandboxes", "/__admin"] {
        let answer = send(address, "GET", path, &["Host: evil.example"], "");
        answer.refused(404, 404, "Not found", "no endpoint at");
        let here = send(address, "PUT", path, &[HERE], "{}");
        here.refused(404, 404, "Not found", "no endpoint at");
    }
}

#[test]
fn without_a_control_api_sandboxes_work() {
    let (_server, address) = Process::serve(&["--no-admin"]);
    fetch(address, "app-demo~a", NEWEST).ok();
}
